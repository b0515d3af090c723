"""An AlterField that updates all rows at once."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddCheck,
    AlterField,
    Diagnostic,
    SetNotNull,
    Severity,
    UpdateRows,
    rule,
    staged,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#migrations-that-add-unique-fields"


@rule("MG305", on=UpdateRows, severity=Severity.ERROR, supersedes=("MG304", "MG310"))
def hidden_table_update(context: ActionContext[UpdateRows]) -> Iterator[Diagnostic]:
    """AlterField to NOT NULL with a default updates every NULL row at once, in the same transaction."""
    operation = context.operation
    updates = [action for action in context.at_risk if action.column and context.cost(action).writes_rows]
    if not updates or not isinstance(operation, AlterField) or not context.touches_database:
        return
    action = updates[0]
    work: list[Action] = [action, *(each for each in context.actions if isinstance(each, SetNotNull))]
    yield context.diagnostic(
        None,
        f"Django updates every row of {action.table} whose {action.column} is NULL in one statement, then makes the "
        f"column NOT NULL: {_waits(context, work)}",
        help=_instead(context, operation, action),
        url=_URL,
        field=operation.name,
        confidence=context.confidence(context.step, [action]),
    )


def _waits(context: ActionContext[UpdateRows], work: list[Action]) -> str:
    if any(context.cost_of(action).blocks_writes for action in work):
        return context.card(work)
    return "whoever writes to one of the rows waits until all are done"


def _instead(context: ActionContext[UpdateRows], operation: AlterField, action: UpdateRows) -> str:
    model, name = context.model, operation.name
    value = staged.value_of_default(operation.field)
    begin = "All of them stay locked until the last one is written, and the migration does not look like an update. "
    proof = AddCheck(table=action.table, model=action.model, not_null=(action.column,))
    if model is None or name is None or value is None or not context.offers(proof, validated=False):
        return f"{begin}Fill the column in batches, in a migration before it with `atomic = False`."
    recipe = staged.not_null(
        context.instead,
        model=model.name,
        field=name,
        table=action.table,
        column=action.column,
        operation=operation,
        actions=context.actions,
        django_version=context.django_version,
        value=value,
        app=context.migration.app,
    )
    return (
        f"{begin}Fill the column in batches, prove that it holds no NULL by a CHECK, then set it NOT NULL, by SQL if "
        f"nothing else changes: Django's own AlterField would look for NULLs again:\n{recipe}"
    )
