"""A column whose new type the values that the old release sends cannot be compared with."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    ActionContext,
    AlterColumnType,
    Diagnostic,
    Severity,
    owner_of,
    rule,
)

_NAMES = {"varchar": "character varying", "time": "time without time zone"}
_URL = "https://www.postgresql.org/docs/current/typeconv-oper.html"


@rule("MG411", on=AlterColumnType, severity=Severity.WARNING)
def type_change_breaks_old_filters(context: ActionContext[AlterColumnType]) -> Iterator[Diagnostic]:
    """After a change between kinds of types, the database refuses the filters of the release that is running."""
    if not context.touches_database or context.project.deploy == "downtime":
        return
    for changed in context.matching:
        if not changed.cascades and not changed.on_new_table and context.is_live(changed):
            yield from _refused(context, changed)


def _refused(context: ActionContext[AlterColumnType], changed: AlterColumnType) -> Iterator[Diagnostic]:
    model = owner_of(changed.table, context.before)
    fields = [each for each in model.fields if model.column(each) == changed.column] if model is not None else []
    old, new = (_family(kind) for kind in (changed.old_type, changed.new_type))
    if model is None or not fields or old == new or context.column_is_new(changed.table, changed.column):
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
        f"{model.app}.{model.name}.{fields[0]} changes from {changed.old_type} to {changed.new_type}: "
        f"{context.database.title} refuses the filters{inserts} of the running release",
        help=f"It still sends {old} values: ProgrammingError: operator does not exist: {new} = {old}. Add a second "
        f"field of the new type, write both, copy, read the new one, and remove {fields[0]}, each in a release of "
        "its own; or migrate in a downtime (setting `deploy`).",
        url=_URL,
        model=model.name,
        field=fields[0],
        confidence=context.certainty(changed),
    )


def _family(kind: str | None) -> str:
    """What PostgreSQL calls the type in its messages."""
    element = (kind or "").removesuffix("[]")
    base = element.partition("(")[0]
    return _NAMES.get(base, base) + (kind or "")[len(element) :]
