"""Rows that `migrate` creates only at its end."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Called, Diagnostic, OperationContext, Query, Rows, RunPython, Severity, model_key, rule

_URL = "https://docs.djangoproject.com/en/stable/ref/signals/#post-migrate"
# Source: django.contrib.auth.management, django.contrib.contenttypes.management, django.contrib.sites.management
_ROWS = {
    model_key("auth", "Permission"): "permissions are created",
    model_key("contenttypes", "ContentType"): "content types are created",
    model_key("sites", "Site"): "the default site is created",
}
_GETTING = frozenset({"get", "aget", "get_by_natural_key"})
_CREATORS = ("create_permissions", "create_contenttypes", "create_default_site", "emit_post_migrate_signal")


@rule("MG521", on=RunPython, severity=Severity.WARNING)
def rows_created_after_migrate(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration gets a row that Django creates only after the last migration."""
    seen = set()
    for use in context.usage.uses:
        if use.direction != "forward":
            continue
        if isinstance(use, Called) and use.path.endswith(_CREATORS):
            return
        if not isinstance(use, Query) or not isinstance(use.on, Rows) or use.is_tried or use.is_guarded:
            continue
        if use.method in _GETTING and use.key in _ROWS and use.key not in seen:
            seen.add(use.key)
            span, related = context.place(use, "it is asked for here")
            yield context.diagnostic(
                span,
                f"the row may not exist yet: {_ROWS[use.key]} when `migrate` has run all migrations",
                related=related,
                help="On a new database, all migrations run first, and the post_migrate signal creates these rows "
                "afterwards: this raises DoesNotExist in every test run and on every new machine, and never where the "
                "app was migrated before. Use `get_or_create` (with all fields that the row needs), or call "
                "`create_permissions(app_config, …)` for the app first.",
                url=_URL,
                detail=str(use.key),
            )
