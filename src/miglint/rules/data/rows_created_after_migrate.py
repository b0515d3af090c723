"""Rows that `migrate` creates only at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miglint.api import (
    Call,
    Called,
    Diagnostic,
    InsertRows,
    Literal,
    OperationContext,
    Query,
    Rows,
    RunPython,
    Severity,
    Use,
    model_key,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/signals/#post-migrate"
# Source: django.contrib.auth.management, django.contrib.contenttypes.management, django.contrib.sites.management
_ROWS = {
    model_key("auth", "Permission"): "permissions are created",
    model_key("contenttypes", "ContentType"): "content types are created",
    model_key("sites", "Site"): "the default site is created",
}
_TABLES = {
    model_key("auth", "Permission"): "auth_permission",
    model_key("contenttypes", "ContentType"): "django_content_type",
    model_key("sites", "Site"): "django_site",
}
_GETTING = frozenset({
    "get", "aget", "get_by_natural_key", "get_current", "latest", "alatest", "earliest", "aearliest",
})  # fmt: skip
_MAKING = frozenset({
    "create", "acreate", "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create", "bulk_create",
    "abulk_create", "save", "asave", "get_for_model", "get_for_models",
})  # fmt: skip
_CREATORS = ("create_permissions", "create_contenttypes", "create_default_site", "emit_post_migrate_signal")


@rule("MG521", on=RunPython, severity=Severity.WARNING)
def rows_created_after_migrate(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration gets a row that Django creates only after the last migration."""
    seen = set()
    for at, use in enumerate(context.usage.uses):
        if use.direction != "forward" or not isinstance(use, Query) or not isinstance(use.on, Rows):
            continue
        # A loop through a table's rows has nothing to go through on a new database.
        if use.is_tried or use.is_guarded or use.loop is not None:
            continue
        if use.method not in _GETTING or use.key not in _ROWS or use.key in seen:
            continue
        seen.add(use.key)
        if not _may_be_there(context, use, context.usage.uses[:at]):
            span, related = context.place(use, "it is asked for here")
            error = "Http404" if use.call.callee.endswith("_or_404") else "DoesNotExist"
            yield context.diagnostic(
                span,
                f"the row may not exist yet: {_ROWS[use.key]} when `migrate` has run all migrations",
                related=related,
                help="On a new database, all migrations run first, and the post_migrate signal creates these rows "
                f"afterwards: this raises {error} in every test run and on every new machine, and never where the "
                "app was migrated before. Use `get_or_create` (with all fields that the row needs), or call "
                "`create_permissions(app_config, …)` for the app first.",
                url=_URL,
                detail=str(use.key),
            )


# -- who may have made the row before -----------------------------------------------------------------------


def _may_be_there(context: OperationContext[RunPython], wanted: Query, earlier: Sequence[Use]) -> bool:
    """Whether this code, or that of a migration before, may have made the row."""
    if any(_may_make(use, wanted) for use in earlier):
        return True
    for step in context.project.history.before(context.step):
        if any(_may_make(use, wanted) for use in step.usage.uses):
            return True
        if any(isinstance(action, InsertRows) and action.table == _TABLES[wanted.key] for action in step.actions):
            return True
    return False


def _may_make(use: Use, wanted: Query) -> bool:
    if use.direction != "forward":
        return False
    if isinstance(use, Called):
        return use.path.endswith(_CREATORS) or (use.path.endswith("call_command") and _command(use) in ("loaddata", ""))
    return (
        isinstance(use, Query)
        and use.key == wanted.key
        and use.method in _MAKING
        and not _differ(_written(use.call), _written(wanted.call))
    )


def _command(use: Called) -> str:
    """The command's name, "" where it cannot be read."""
    first = use.call.arguments[0] if use.call.arguments else None
    return first.text if isinstance(first, Literal) and first.kind == "str" else ""


def _written(call: Call) -> dict[str, Literal]:
    return {each.name: each.value for each in call.keywords if each.name and isinstance(each.value, Literal)}


def _differ(one: dict[str, Literal], other: dict[str, Literal]) -> bool:
    """Whether two calls are certainly about two rows."""
    return any(one[name] != other[name] for name in one.keys() & other.keys())
