"""Several schema changes on a database that cannot undo the first when the second fails."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    DeleteRows,
    Diagnostic,
    Execute,
    InsertRows,
    Migration,
    MigrationContext,
    Severity,
    Step,
    UpdateRows,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#mysql"
_NO_SCHEMA = (UpdateRows, InsertRows, DeleteRows, Execute)


@rule("MG312", on=Migration, severity=Severity.INFO)
def non_transactional_schema_change(context: MigrationContext) -> Iterator[Diagnostic]:
    """Where schema changes do not roll back, each belongs in a migration of its own."""
    if context.database.transactional_ddl:
        return
    changes = [step for step in context.steps if _changes_schema(context, step)]
    if len(changes) < 2:
        return
    title = context.database.title
    yield context.diagnostic(
        None,
        f"{len(changes)} schema changes, and {title} rolls none of them back: when one fails, those before it stay and "
        "the migration cannot be run again",
        help="One schema change to a migration: what is recorded as applied is then what was done. Otherwise the "
        "changes that were made have to be undone by hand before `migrate` runs again.",
        url=_URL,
        related=tuple(
            context.related(context.migration, step.operation.span, "a schema change") for step in changes[:5]
        ),
    )


def _changes_schema(context: MigrationContext, step: Step) -> bool:
    return step.touches_database and any(
        not action.on_new_table and not isinstance(action, _NO_SCHEMA) and context.is_at_risk(step, action)
        for action in step.actions
    )
