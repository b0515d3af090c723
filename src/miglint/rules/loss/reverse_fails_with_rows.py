"""A removal that Django calls reversible, and that a table with rows does not let be reversed."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Diagnostic,
    DropColumn,
    FieldState,
    ModelState,
    OperationContext,
    Paste,
    RemoveField,
    Severity,
    comes_back,
    rule,
    set_apart,
    staged,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#removefield"


@rule("MG209", on=RemoveField, severity=Severity.WARNING)
def reverse_fails_with_rows(context: OperationContext[RemoveField]) -> Iterator[Diagnostic]:
    """Undoing the removal of a NOT NULL field without a default fails as soon as the table has a row."""
    model, name = context.model, context.operation.name
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None or not context.touches_database or context.table_is_new:
        return
    if context.database.vendor in ("mysql", "mariadb"):
        return  # they fill in an empty value
    dropped = next((action for action in context.actions if isinstance(action, DropColumn)), None)
    if dropped is None or context.column_is_new(dropped.table, dropped.column):
        return
    if context.schema_at_end.table(dropped.table) is None:
        return  # undoing makes the table again first, and empty
    if not comes_back(state.field).refuted:
        return
    yield context.diagnostic(
        None,
        f"undoing the removal of {context.model_name}.{state.name} fails on a table with rows: "
        "it is NOT NULL and has no default",
        help=_help(context, model, state, dropped),
        url=_URL,
        field=state.name,
        related=(context.related(state.origin.migration, state.origin.span, f"{state.name} was defined here"),),
        confidence=context.certainty(dropped),
    )


def _help(context: OperationContext[RemoveField], model: ModelState, state: FieldState, dropped: DropColumn) -> str:
    table, column = dropped.table, dropped.column
    error = {
        "postgresql": f'column "{column}" of relation "{table}" contains null values',
        "sqlite": f"NOT NULL constraint failed: new__{table}.{column}",
    }.get(context.database.vendor, "")
    code = Paste()
    alter = staged.left_behind(state.field, code, model=model.name, name=state.name) or ""
    key = ", and drop its foreign key, which is added again otherwise" if "db_constraint" in alter else ""
    remove = code.operation("RemoveField", model_name=f'"{model.name.lower()}"', name=f'"{state.name}"')
    return (
        f"Django calls RemoveField reversible, but going back adds the column without a value for the rows there are: "
        f"IntegrityError: {error}. Make it nullable first (the new release can then insert rows without it, too){key}, "
        f"in a migration of the release before:\n{set_apart(alter)}\n"
        f"In one migration with it, undoing would make it NOT NULL again, and fail. Then:\n{set_apart(remove)}"
    )
