"""A model that the history does not have at this point."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from miglint.api import (
    Diagnostic,
    GetModel,
    ModelKey,
    OperationContext,
    RunPython,
    Severity,
    model_changes,
    model_key,
    rule,
    told,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models"


@rule("MG511", on=RunPython, severity=Severity.ERROR)
def model_not_in_history(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration asks for a model that the history does not have at this point."""
    seen = set()
    for use in context.usage.uses:
        if not isinstance(use, GetModel) or use.app is None or use.name is None or use.is_tried:
            continue
        key = model_key(use.app, use.name)
        if key not in seen and _is_missing(context, key):
            seen.add(key)
            yield _finding(context, use, key)


def _is_missing(context: OperationContext[RunPython], key: ModelKey) -> bool:
    """Whether no migration that runs before this one can have made the model."""
    graph = context.graph
    if key.app not in graph.apps or context.before.is_partial(key.app) or context.before.holds(key):
        return False
    if any(not migration.operations_known for migration in graph.migrations.values() if migration.app == key.app):
        return False
    # Made by a migration that does not come after this one: the dependency is missing, not the model.
    here = context.migration.key
    for step, made in model_changes(context.project.history, key):
        maker = step.migration.key
        if made and maker != here and not graph.is_ancestor(maker, of=here) and not graph.is_ancestor(here, of=maker):
            return False
    return True


def _finding(context: OperationContext[RunPython], use: GetModel, key: ModelKey) -> Diagnostic:
    changes = list(model_changes(context.project.history, key))
    span, related = context.place(use, "it is asked for here")
    related += tuple(context.related(s.migration, s.operation.span, told(s, made=made)) for s, made in changes)
    names = [model.name for model in context.before.in_app(key.app).values()]
    close = get_close_matches(key.name, [name.lower() for name in names], n=1)
    found = next((name for name in names if close and name.lower() == close[0]), None)
    hint = f" Did you mean {found!r}?" if found is not None else ""
    return context.diagnostic(
        span,
        f"{use.app} has no model {use.name} at this migration",
        related=related,
        help=f"Django raises LookupError when the migration runs: App {use.app!r} doesn't have a {use.name!r} model."
        f"{hint} Only models that migrations before this one have made can be asked for, by the name they have there.",
        url=_URL,
        model=use.name,
        detail=str(key),
    )
