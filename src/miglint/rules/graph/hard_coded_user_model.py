"""A relation to Django's own user model in a project that has another."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Dependency,
    Diagnostic,
    Migration,
    MigrationContext,
    ModelKey,
    Need,
    RunPython,
    RunSQL,
    Severity,
    needs_of,
    rule,
    walk_operations,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/auth/customizing/#referencing-the-user-model"
_SETTING = "AUTH_USER_MODEL"
_USER = ModelKey("auth", "user")


@rule("MG116", on=Migration, severity=Severity.WARNING)
def hard_coded_user_model(context: MigrationContext) -> Iterator[Diagnostic]:
    """A migration names auth.User although AUTH_USER_MODEL is another model."""
    user = context.project.swappable.get(_SETTING)
    if user is None or user.lower() == str(_USER) or _has_its_table(context, user):
        return
    needs = [
        need
        for _, operation in walk_operations(context.migration.operations)
        for need in needs_of(operation, context.migration, context.project.swappable)
    ]
    relations = [need for need in needs if need.key == _USER and need.by in ("to", "through") and not need.setting]
    for need in relations:
        yield _of_relation(context, need, user)
    if not relations:
        yield from _of_dependencies(context, needs, user)


def _has_its_table(context: MigrationContext, user: str) -> bool:
    """Whether the project's model has the table that auth.User would have: then the database sees no difference."""
    app, _, name = user.partition(".")
    model = context.project.history.final.model(app, name)
    return model is not None and model.table == "auth_user"


def _of_relation(context: MigrationContext, need: Need, user: str) -> Diagnostic:
    return context.diagnostic(
        need.span,
        f"{need.field} points to auth.User, but {_SETTING} is {user}",
        help="Django does not create the table auth_user where another user model is set: the foreign key refers to a "
        "table that is not there. Name the model as the setting does, and depend on it:\n"
        f"    to=settings.{_SETTING}\n"
        f"    migrations.swappable_dependency(settings.{_SETTING}),",
        url=_URL,
        detail=need.field,
    )


def _of_dependencies(context: MigrationContext, needs: list[Need], user: str) -> Iterator[Diagnostic]:
    """A dependency on auth that can only be meant for the user model: nothing else of auth is needed."""
    migration, app = context.migration, user.partition(".")[0]
    if not any(need.setting == _SETTING for need in needs) or any(need.key.app == "auth" for need in needs):
        return
    edges = migration.dependencies
    if any(edge.setting == _SETTING or (edge.key is not None and edge.key.app == app) for edge in edges):
        return
    # Code and SQL may need groups or permissions.
    if migration.app == app or any(isinstance(o, RunPython | RunSQL) for _, o in walk_operations(migration.operations)):
        return
    for edge in edges:
        if edge.key is not None and edge.key.app == "auth":
            yield _of_dependency(context, edge, user)


def _of_dependency(context: MigrationContext, edge: Dependency, user: str) -> Diagnostic:
    assert edge.key is not None
    return context.diagnostic(
        edge.span,
        f"this depends on {edge.key}, but {_SETTING} is {user}, which auth's migrations do not bring",
        help=f"Nothing makes sure that {user} is there first. Depend on what the setting names:\n"
        f"    migrations.swappable_dependency(settings.{_SETTING}),",
        url=_URL,
        detail=str(edge.key),
    )
