"""A column whose new type the values that the old release sends cannot be compared with."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AlterColumnType,
    AlterField,
    Diagnostic,
    OperationContext,
    Severity,
    rule,
)

_URL = "https://www.postgresql.org/docs/current/typeconv-oper.html"


@rule("MG411", on=AlterField, severity=Severity.WARNING)
def type_change_breaks_old_filters(context: OperationContext[AlterField]) -> Iterator[Diagnostic]:
    """After a change between kinds of types, the database refuses the filters of the release that is running."""
    model, name = context.model, context.operation.name
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None or not context.touches_database or context.table_is_new:
        return
    changed = next((a for a in context.actions if isinstance(a, AlterColumnType) and not a.cascades), None)
    if changed is None or context.project.deploy == "downtime" or model.column(state.name) != changed.column:
        return
    old, new = (_family(kind) for kind in (changed.old_type, changed.new_type))
    if old == new or context.column_is_new(changed.table, changed.column):
        return
    refused = [
        refusal
        for refusal in context.consequences.old_code.refusals
        if refusal.column == changed.column and refusal.table == changed.table
    ]
    statements = {refusal.statement for refusal in refused}
    if "filter" not in statements:
        return
    inserts = " and INSERTs" if "insert" in statements else ""
    yield context.diagnostic(
        None,
        f"{context.model_name}.{state.name} changes from {changed.old_type} to {changed.new_type}: "
        f"{context.database.title} refuses the filters{inserts} of the running release",
        help=f"It still sends {old} values: ProgrammingError: operator does not exist: {new} = {old}. Add a second "
        f"field of the new type, write both, copy, read the new one, and remove {state.name}, each in a release of "
        "its own; or migrate in a downtime (setting `deploy`).",
        url=_URL,
        field=state.name,
        confidence=context.certainty(changed),
    )


def _family(kind: str | None) -> str:
    base = (kind or "").partition("(")[0]
    return "character varying" if base == "varchar" else base
