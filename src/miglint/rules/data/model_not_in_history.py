"""A model that the history does not have at this point."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from miglint.api import (
    CONTRIB_MODELS,
    Confidence,
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
        if key in seen:
            continue
        seen.add(key)
        if _is_missing(context, key):
            yield _finding(context, use, key)
        elif context.project.is_djangos(use.app):
            yield from _of_django(context, use, key)
        elif not use.is_guarded:
            yield from _of_unknown_app(context, use, key)


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


def _of_django(context: OperationContext[RunPython], use: GetModel, key: ModelKey) -> Iterator[Diagnostic]:
    """A model that Django's own app has never had: all it has, its first migration makes."""
    names = CONTRIB_MODELS[key.app]
    if key.name in names or key.name.startswith(tuple(f"{name}_" for name in names)):
        return  # `User_groups` is the model of a join table
    span, related = context.place(use, "it is asked for here")
    close = get_close_matches(key.name, sorted(names), n=1)
    yield context.diagnostic(
        span,
        f"{use.app} has no model {use.name} at this migration",
        related=related,
        help=f"Django raises LookupError when the migration runs: App {use.app!r} doesn't have a {use.name!r} model."
        + (f" Did you mean {close[0]!r}?" if close else f" It has {', '.join(sorted(names))}."),
        url=_URL,
        confidence=Confidence.HIGH if context.project.installed_apps is not None else Confidence.MEDIUM,
        model=use.name,
        detail=str(key),
    )


def _of_unknown_app(context: OperationContext[RunPython], use: GetModel, key: ModelKey) -> Iterator[Diagnostic]:
    """A model of an app that INSTALLED_APPS does not hold."""
    project = context.project
    assert use.app is not None
    if use.app in context.graph.apps or use.app in project.unmigrated_apps or project.may_be_installed(use.app):
        return
    span, related = context.place(use, "it is asked for here")
    close = get_close_matches(use.app, sorted(context.graph.apps), n=1)
    yield context.diagnostic(
        span,
        f"there is no app {use.app}, of which {use.name} is asked for",
        related=related,
        help=f"Django raises LookupError when the migration runs: No installed app with label {use.app!r}."
        + (f" Did you mean {close[0]!r}?" if close else " INSTALLED_APPS holds no app that is called so."),
        url=_URL,
        # The AppConfig of an app that was not read can give it any label.
        confidence=Confidence.LOW if project.unread_apps and not close else Confidence.MEDIUM,
        model=use.name,
        detail=str(key),
    )


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
