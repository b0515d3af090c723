"""A query that goes to the default database, whichever is migrated."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, OperationContext, Query, Rows, RunPython, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#data-migrations-and-multiple-databases"


@rule("MG514", on=RunPython, severity=Severity.INFO)
def ignores_database_alias(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """A query of a data migration asks the default database, not the one that is being migrated."""
    if len(context.project.databases) < 2:
        return
    uses = [use for use in context.usage.uses if isinstance(use, Query) and isinstance(use.on, Rows)]
    # A chain's calls begin where the chain does: `Order.objects.filter(…).using(alias)`.
    chosen = {(use.module.path, use.span.start) for use in uses if use.method in ("using", "db_manager")}
    for use in uses:
        assert isinstance(use.on, Rows)
        if use.on.is_manager and use.on.manager and not use.on.has_alias:
            if use.is_chosen or (use.module.path, use.span.start) in chosen:
                continue
            span, related = context.place(use, "it is asked here")
            yield context.diagnostic(
                span,
                "the query asks the default database, whichever is being migrated",
                related=related,
                help=f"There are {len(context.project.databases)} databases ({', '.join(context.project.databases)}): "
                "`migrate --database` runs this code for each, and every run changes the same one. "
                "Ask the database that is migrated:\n"
                "    alias = schema_editor.connection.alias\n"
                "    Model.objects.using(alias)",
                url=_URL,
            )
            return
