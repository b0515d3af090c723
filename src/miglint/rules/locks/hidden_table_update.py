"""An AlterField that updates all rows at once."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddCheck,
    AddField,
    AlterField,
    Diagnostic,
    FieldState,
    ModelState,
    Opaque,
    SetNotNull,
    Severity,
    UpdateRows,
    either,
    prepared,
    rule,
    staged,
    taken_along,
    trail,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#migrations-that-add-unique-fields"


@rule("MG305", on=UpdateRows, severity=Severity.ERROR, supersedes=("MG304", "MG310"))
def hidden_table_update(context: ActionContext[UpdateRows]) -> Iterator[Diagnostic]:
    """AlterField to NOT NULL with a default updates every NULL row at once, in the same transaction."""
    operation = context.operation
    updates = [action for action in context.at_risk if action.column and context.cost(action).writes_rows]
    if not updates or not isinstance(operation, AlterField) or not context.touches_database:
        return
    if either(operation.field.gives_value, operation.field.has_db_default).refuted or _is_filled(context, operation):
        return  # what is left is that every row is read: MG304
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


def _is_filled(context: ActionContext[UpdateRows], operation: AlterField) -> bool:
    """Whether the UPDATE finds no row: code right before fills them, or the migration added them with a default."""
    model, name, history = context.model, operation.name, context.project.history
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None:
        return False
    return _is_added_full(context, model, state) or prepared(history, context.step, model, state).certain


def _is_added_full(context: ActionContext[UpdateRows], model: ModelState, state: FieldState) -> bool:
    places = tuple(trail(context.project.history, context.step, model.key, state.name))
    added = places[-1].step.operation if places else None
    if not isinstance(added, AddField) or places[-1].step.migration is not context.migration:
        return False
    return either(added.field.gives_value, added.field.has_db_default).certain


def _waits(context: ActionContext[UpdateRows], work: list[Action]) -> str:
    if any(context.cost_of(action).blocks_writes for action in work):
        return context.card(work)
    return "whoever writes to one of the rows waits until all are done"


def _instead(context: ActionContext[UpdateRows], operation: AlterField, action: UpdateRows) -> str:
    model, name = context.model, operation.name
    value = staged.default_of(operation.field)
    unique = operation.field.unique.certain
    fresh = value is not None and context.is_fresh(value).certain
    begin = "All of them stay locked until the last one is written, and the migration does not look like an update. "
    if fresh or unique:
        begin += f"It writes the same value into all of them{', which a unique column refuses' if unique else ''}. "
    proof = AddCheck(table=action.table, model=action.model, not_null=(action.column,))
    if model is None or name is None or value is None or not context.offers(proof, validated=False):
        return f"{begin}Fill the column in batches, in a migration before it with `atomic = False`."
    begin += taken_along(value, context.migration)
    recipe = staged.not_null(
        context.instead,
        model=model.name,
        field=name,
        table=action.table,
        column=action.column,
        operation=operation,
        actions=context.actions,
        django_version=context.django_version,
        value=value if fresh or not unique else Opaque("another one for each row"),
        each=fresh or unique,
        app=context.migration.app,
    )
    how = "row by row" if fresh or unique else "in batches"
    return (
        f"{begin}Fill the column {how}, prove that it holds no NULL by a CHECK, then set it NOT NULL, by SQL if "
        f"nothing else changes: Django's own AlterField would look for NULLs again:\n{recipe}"
    )
