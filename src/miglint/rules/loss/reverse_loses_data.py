"""An addition whose reverse takes away what was written since."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AddColumn,
    AddField,
    CreateModel,
    CreateTable,
    Diagnostic,
    Operation,
    OperationContext,
    Severity,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#reversing-migrations"


@rule("MG208", on=(AddField, CreateModel), severity=Severity.INFO)
def reverse_loses_data(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """Undoing an addition destroys what was written since it was applied."""
    if not context.touches_database:
        return
    operation = context.operation
    made = next((action for action in context.actions if isinstance(action, AddColumn | CreateTable)), None)
    if made is None:
        return
    if isinstance(operation, AddField):
        if context.table_is_new:
            return
        lost = _column(made) if isinstance(made, AddColumn) else f"table {made.table}"
        what = f"{context.model_name}.{operation.name}"
    else:
        if _begins(context):
            return  # before it there was nothing to go back to
        lost, what = f"the table {made.table}" if made.table else "its table", context.model_name
    if not context.consequences.reverse_loses_data.certain:
        return
    yield context.diagnostic(
        None,
        f"undoing the addition of {what} drops {lost} with what was written since",
        help="Before you migrate back in production, save what was written, or go forward with a new migration.",
        url=_URL,
        field=operation.name if isinstance(operation, AddField) else None,
        confidence=context.certainty(made),
    )


def _column(made: AddColumn) -> str:
    """The column for a message; a name that is computed is not known."""
    return f"the column {made.table}.{made.column.name}" if made.column.name else f"its column of {made.table}"


def _begins(context: OperationContext[Operation]) -> bool:
    """Whether the migration is the first of its app, or one of those that are run together on a new database."""
    migration = context.migration
    parents = [each for each in context.graph.parents(migration.key) if each.app == migration.app]
    return bool(migration.initial or migration.replaces or not parents)
