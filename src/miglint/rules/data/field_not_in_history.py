"""A field that a model does not have at this point."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from miglint.api import (
    Diagnostic,
    Missing,
    ModelState,
    Named,
    OperationContext,
    Query,
    Relations,
    Rows,
    RunPython,
    Severity,
    field_changes,
    named,
    rule,
    told,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models"
_ERRORS = {
    "lookup": "FieldError: Cannot resolve keyword {name!r} into field",
    "prefetch": "AttributeError: Cannot find {name!r} on {model} object, {name!r} is an invalid parameter to "
    "prefetch_related()",
}
_CONSTRUCTORS = ("__init__", "create", "acreate", "get_or_create", "update_or_create")


@rule("MG512", on=RunPython, severity=Severity.ERROR)
def field_not_in_history(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """A query in a migration names a field that the model does not have at this point."""
    relations = context.project.relations(context.before)
    seen = set()
    for use in context.usage.uses:
        model = context.before.model(*use.key) if isinstance(use, Query) else None
        if not isinstance(use, Query) or model is None or _has_own_names(use, model):
            continue
        annotated = use.annotated
        for name in named(use) if annotated is not None else ():
            known = annotated is not None and name.path.split("__")[0] in annotated
            missing = _missing(relations, model, name) if not known else None
            if missing is not None and (missing.model.key, missing.name, use.code.name) not in seen:
                seen.add((missing.model.key, missing.name, use.code.name))
                yield _finding(context, use, name, missing)


def _has_own_names(query: Query, model: ModelState) -> bool:
    """Whether a manager that the history keeps may add names of its own."""
    return model.managers is not None and isinstance(query.on, Rows)


def _missing(relations: Relations, model: ModelState, name: Named) -> Missing | None:
    if name.kind == "prefetch":
        first = name.path.split("__")[0]
        return Missing(name=first, model=model) if relations.has_attribute(model, first).refuted else None
    if name.kind == "field":
        first = name.path.split("__")[0]
        return Missing(name=first, model=model) if relations.has_attribute(model, first).refuted else None
    return relations.follow(model, name.path)


def _finding(context: OperationContext[RunPython], use: Query, name: Named, missing: Missing) -> Diagnostic:
    model = missing.model
    label = f"{model.app}.{model.name}"
    changes = list(field_changes(context.project.history, model.key, missing.name))
    span, related = context.place(use, "it is named here", name.span)
    related += tuple(context.related(s.migration, s.operation.span, told(s, made=made)) for s, made in changes)
    names = list(model.fields)
    close = get_close_matches(missing.name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else f" It has {', '.join(names)}." if names else ""
    here, graph = context.migration.key, context.graph
    for step, made in changes:
        maker = step.migration.key
        if made and not graph.is_ancestor(maker, of=here) and not graph.is_ancestor(here, of=maker) and maker != here:
            hint = f' {maker} adds it: ("{maker.app}", "{maker.name}") belongs in `dependencies`.'
    return context.diagnostic(
        span,
        f"{label} has no field {missing.name} at this migration",
        related=related,
        help=f"Django raises {_error(use, name, missing)} when the migration runs.{hint} "
        "The fields are those that the migrations before this one have made, not those of models.py.",
        url=_URL,
        model=model.name,
        field=missing.name,
        detail=f"{label}.{missing.name}",
    )


def _error(use: Query, name: Named, missing: Missing) -> str:
    """What Django says, so that it can be searched for."""
    model = missing.model.name
    if name.kind == "field" and use.method in _CONSTRUCTORS:
        return f"TypeError: {model}() got unexpected keyword arguments: {missing.name!r}"
    if name.kind == "field":
        return f"FieldDoesNotExist: {model} has no field named {missing.name!r}"
    return _ERRORS[name.kind].format(name=missing.name, model=model)
