"""A column that gets another name because a field's definition says so."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AlterField,
    Diagnostic,
    OperationContext,
    Paste,
    RenameColumn,
    Severity,
    rule,
    set_apart,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/models/fields/#db-column"


@rule("MG409", on=AlterField, severity=Severity.WARNING)
def column_renamed_by_option(context: OperationContext[AlterField]) -> Iterator[Diagnostic]:
    """A changed `db_column` renames the column: the release that is running asks for the old name."""
    model, name = context.model, context.operation.name
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None or not context.touches_database or context.table_is_new:
        return
    if context.project.deploy == "downtime":
        return
    renamed = next((a for a in context.actions if isinstance(a, RenameColumn) and a.table == model.table), None)
    if renamed is None or context.column_is_new(renamed.table, renamed.column):
        return
    start, end = (schema.table(model.table) for schema in (context.schema_at_start, context.schema_at_end))
    if end is not None and renamed.column in end.columns:
        return
    if start is not None and renamed.new_column in start.columns:
        return  # the column gets its name back
    if context.name_is_passing(renamed.table, renamed.column):
        return
    by_option = "db_column" in context.operation.field.arguments or "db_column" in state.field.arguments
    why = "`db_column`" if by_option else f"the new class {context.operation.field.class_name}"
    code = Paste()
    kept = code.operation(
        "AlterField",
        model_name=f'"{model.name.lower()}"',
        name=f'"{state.name}"',
        field=code.field(context.operation.field, db_column=f'"{renamed.column}"'),
    )
    yield context.diagnostic(
        None,
        f"{why} renames the column {model.table}.{renamed.column} to {renamed.new_column}: "
        "the running release asks for the old name",
        help="The data is kept, but Django names every column in its queries. Keep the column's name, here and in the "
        f"model:\n{set_apart(kept)}",
        url=_URL,
        field=state.name,
        confidence=context.certainty(renamed),
    )
