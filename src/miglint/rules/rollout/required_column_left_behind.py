"""A column that the new release does not know, and that must have a value."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Column,
    Diagnostic,
    Execute,
    FieldState,
    ModelState,
    OperationContext,
    Paste,
    RemoveField,
    Schema,
    Severity,
    rule,
    set_apart,
    staged,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#separatedatabaseandstate"


@rule("MG405", on=RemoveField, severity=Severity.WARNING)
def required_column_left_behind(context: OperationContext[RemoveField]) -> Iterator[Diagnostic]:
    """A NOT NULL column without a default that the code no longer knows makes its INSERTs fail."""
    model, name = context.model, context.operation.name
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None or not model.managed.certain or model.proxy.possible:
        return
    if not context.step.touches_state or context.table_is_new or context.project.deploy == "downtime":
        return
    column = _left_behind(context, model, state)
    if column is None:
        return
    while_ = "until the column is gone" if not context.touches_database else "until the migration has run"
    yield context.diagnostic(
        None,
        f"without {context.model_name}.{state.name} in the code, INSERTs fail {while_}: "
        f"{model.table}.{column.name} is NOT NULL and has no default",
        help=_help(context, model, state, column),
        url=_URL,
        field=state.name,
        confidence=context.certainty(),
    )


def _left_behind(context: OperationContext[RemoveField], model: ModelState, state: FieldState) -> Column | None:
    """The column that a release without the field works beside, where that column must have a value."""
    if context.touches_database and context.project.deploy != "code-first":
        return None
    at = context.step.schema_before if context.touches_database else _last_schema(context)
    table = at.table(model.table) if at is not None else None
    column = table.columns.get(model.column(state.name)) if table is not None else None
    if column is None:
        return None
    if _is_forgotten(context, model, column):
        return None
    filled = (column.null, column.default, column.identity, column.generated)
    return column if all(each.refuted for each in filled) else None


def _is_forgotten(context: OperationContext[RemoveField], model: ModelState, column: Column) -> bool:
    """Whether nobody inserts rows any more, or a later field of the state has the column again."""
    history = context.project.history
    if history.state_after(context.migration.key).model(*model.key) is None:
        return True
    final = history.final.model(*model.key)
    return final is not None and any(final.column(name) == column.name for name in final.fields)


def _last_schema(context: OperationContext[RemoveField]) -> Schema | None:
    """The database when all that is released together has run; None where a statement on the way is not understood."""
    history, unreleased = context.project.history, context.project.unreleased
    steps = list(history.steps_of(context.migration.key))
    if context.migration.key in unreleased:
        steps = [step for step in history.steps if step.migration.key in unreleased]
    if any(isinstance(action, Execute) and not action.understood for step in steps for action in step.actions):
        return None
    return steps[-1].schema_after


def _help(context: OperationContext[RemoveField], model: ModelState, state: FieldState, column: Column) -> str:
    database, code = context.database, Paste()
    error = {
        "postgresql": f'null value in column "{column.name}" of relation "{model.table}" violates not-null constraint',
        "sqlite": f"NOT NULL constraint failed: {model.table}.{column.name}",
    }.get(database.vendor, f"Field '{column.name}' doesn't have a default value")
    said = f"The code leaves the column out, and gets IntegrityError: {error}. "
    nullable = staged.left_behind(state.field, code, model=model.name, name=state.name) or ""
    remove = code.operation("RemoveField", model_name=f'"{model.name.lower()}"', name=f'"{state.name}"')
    key = (
        " (and without its foreign key: rows that it refers to could not be deleted)"
        if "db_constraint" in nullable
        else ""
    )
    if context.touches_database:
        return f"{said}Make it nullable in the release before this one{key}:\n{set_apart(nullable)}"
    return (
        f"{said}Make it nullable first, where the database sees it{key}:\n"
        f"{set_apart(nullable, code.separate(state=[remove]))}"
    )
