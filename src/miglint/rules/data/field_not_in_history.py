"""A field that a model does not have at this point."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from miglint.api import (
    Diagnostic,
    MigrationKey,
    Missing,
    ModelState,
    Named,
    OperationContext,
    Query,
    Relations,
    Rows,
    RunPython,
    Severity,
    Step,
    field_changes,
    named,
    reverse_changes,
    rule,
    told,
)

Changes = tuple[tuple[Step, bool], ...]

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
        if not isinstance(use, Query) or model is None or use.is_tried or _has_own_names(use, model):
            continue  # a `try` may be there to catch the FieldError
        annotated = use.annotated
        for name in named(use) if annotated is not None else ():
            known = annotated is not None and name.path.split("__")[0] in annotated
            missing = _missing(relations, model, name) if not known else None
            if missing is None or (missing.model.key, missing.name, use.code.name) in seen:
                continue
            seen.add((missing.model.key, missing.name, use.code.name))
            changes = _changes(context, relations, name, missing)
            maker = _maker_beside(context, changes)
            if maker is not None and not _may_come_unread(context, maker):
                yield _of_dependency(context, use, name, missing, maker)
            elif maker is None and (changes or not _may_be_named_outside(context, name, missing.model)):
                yield _finding(context, use, name, missing, changes, relations)


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


def _may_be_named_outside(context: OperationContext[RunPython], name: Named, model: ModelState) -> bool:
    """Whether an app outside may have given the model the name: relations of any package end in the user."""
    if name.kind == "field":
        return False
    is_user = str(model.key) == context.project.swappable.get("AUTH_USER_MODEL", "").lower()
    return is_user or "swappable" in model.options or model.fields.keys() >= {"password", "last_login"}


# -- who has made it ----------------------------------------------------------------------------------------


def _changes(context: OperationContext[RunPython], relations: Relations, name: Named, missing: Missing) -> Changes:
    """The operations that made or ended what has the name: a field, inherited ones too, else a relation to it."""
    history, family = context.project.history, [each.key for each in relations.family(missing.model)]
    changes = tuple(change for key in family for change in field_changes(history, key, missing.name))
    if not changes and name.kind != "field":
        changes = tuple(reverse_changes(history, context.project.relations, missing.model.key, missing.name))
    return changes


def _maker_beside(context: OperationContext[RunPython], changes: Changes) -> MigrationKey | None:
    """The migration that makes it, where that comes neither before nor after this one: no dependency says which."""
    here, graph = context.migration.key, context.graph
    for step, made in changes:
        maker = step.migration.key
        if made and maker != here and not graph.is_ancestor(maker, of=here) and not graph.is_ancestor(here, of=maker):
            return maker
    return None


def _may_come_unread(context: OperationContext[RunPython], maker: MigrationKey) -> bool:
    """Whether a dependency that could not be read, or a setting's that is not known, may bring the migration."""
    graph, here = context.graph, context.migration.key
    if not graph.is_complete(here):
        return True
    above = (graph.migrations[key] for key in (here, *graph.ancestors(here)))
    settings = {edge.setting for each in above for edge in each.dependencies if edge.setting is not None}
    if settings <= context.project.swappable.keys():
        return False
    firsts = (first for app in graph.apps for first in graph.roots(app))
    return any(maker == first or graph.is_ancestor(maker, of=first) for first in firsts)


# -- what is said -------------------------------------------------------------------------------------------


def _of_dependency(
    context: OperationContext[RunPython], use: Query, name: Named, missing: Missing, maker: MigrationKey
) -> Diagnostic:
    """The field is there where the other migration happens to come first."""
    label, here, order = f"{missing.model.app}.{missing.model.name}", context.migration.key, context.graph.plan()
    span, related = context.place(use, "it is named here", name.span)
    migration = context.graph.migrations[maker]
    error = _error(use, name, missing)
    when = (
        f"Every new database fails: there this migration runs before {maker}, and Django raises {error}."
        if order.index(maker) > order.index(here)
        else f"Today {maker} happens to come first, by the order in which Django goes through the apps. "
        f"`migrate {here.app}` on a new database fails: {error}."
    )
    return context.diagnostic(
        span,
        f"{_function(use)} names {missing.name} of {label}, and no dependency brings {maker}, which adds it",
        related=(*related, context.related(maker, migration.class_span, f"adds {missing.name} to {label}")),
        help=f'{when}\nAdd to `dependencies`:\n    ("{maker.app}", "{maker.name}"),',
        url=_URL,
        model=missing.model.name,
        field=missing.name,
        detail=f"{label}.{missing.name}",
    )


def _function(use: Query) -> str:
    return use.code.name if use.code.name.startswith("<") else f"{use.code.name.rpartition('.')[2]}()"


def _finding(
    context: OperationContext[RunPython],
    use: Query,
    name: Named,
    missing: Missing,
    changes: Changes,
    relations: Relations,
) -> Diagnostic:
    model = missing.model
    label = f"{model.app}.{model.name}"
    span, related = context.place(use, "it is named here", name.span)
    related += tuple(context.related(s.migration, s.operation.span, told(s, made=made)) for s, made in changes)
    names = [field for each in relations.family(model) for field in each.fields]
    ran = "this" if use.is_guarded else "the migration"
    close = get_close_matches(missing.name, names, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else f" It has {', '.join(names)}." if names else ""
    return context.diagnostic(
        span,
        f"{label} has no field {missing.name} at this migration",
        related=related,
        help=f"Django raises {_error(use, name, missing)} when {ran} runs.{hint} "
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
