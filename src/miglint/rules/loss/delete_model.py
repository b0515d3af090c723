"""A table that is dropped with its data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from miglint.api import (
    DeleteModel,
    Diagnostic,
    DropForeignKey,
    DropTable,
    FieldState,
    ModelState,
    OperationContext,
    Paste,
    Reference,
    RemoveField,
    Severity,
    Step,
    called,
    model_key,
    rule,
    set_apart,
    staged,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#deletemodel"


@rule("MG202", on=DeleteModel, severity=Severity.ERROR, supersedes=("MG201",))
def delete_model(context: OperationContext[DeleteModel]) -> Iterator[Diagnostic]:
    """Deleting a model drops its table with all the data in it."""
    model = context.model
    if model is None or not context.touches_database or context.table_is_new:
        return
    tables = [action.table for action in context.actions if isinstance(action, DropTable)]
    if not tables:
        return
    # The model's own table is dropped last, after those of its many-to-many fields.
    own, joins = tables[-1] or model.table, tables[:-1]
    emptied = _emptied(context, model)
    also = f", and the join table{'s' * (len(joins) > 1)} {', '.join(joins)}" if joins else ""
    yield context.diagnostic(
        None,
        f"deleting {context.model_name} drops the table {own or '(its name is not known)'}{also}, with all rows",
        help=_help(context, model, own, joins, emptied),
        url=_URL,
        related=(context.related(model.origin.migration, model.origin.span, f"{model.name} was created here"),),
        also=tuple(step for step, _ in emptied),
    )


def _emptied(context: OperationContext[DeleteModel], model: ModelState) -> list[tuple[Step, FieldState]]:
    """What takes fields from the model before it goes, as makemigrations does with relations, and those fields."""
    found = []
    for step in takewhile(
        lambda step: step is not context.step, context.project.history.steps_of(context.migration.key)
    ):
        removed, before = step.operation, step.before.model(*model.key)
        if not isinstance(removed, RemoveField) or not step.touches_database or before is None:
            continue
        field = before.field(removed.name) if removed.name is not None else None
        if field is not None and model_key(step.migration.app, removed.model_name or "") == model.key:
            found.append((step, field))
    return found


def _help(
    context: OperationContext[DeleteModel],
    model: ModelState,
    table: str,
    joins: list[str],
    emptied: list[tuple[Step, FieldState]],
) -> str:
    database, code = context.database, Paste()
    cascade = "Django writes DROP TABLE … CASCADE: its views go too. " if database.vendor == "postgresql" else ""
    # Nobody inserts rows any more, but those that are there refer to others.
    fields = [field for _, field in emptied] + list(model.fields.values())
    keys = [each for each in fields if each.field.is_relation.certain]
    found = [staged.left_behind(each.field, code, model=model.name, name=each.name, inserts=False) for each in keys]
    alone = [each for each in found if each is not None]
    why = " (as it is, the new release could not delete rows that it refers to)" if alone else ""
    state = code.separate(state=[code.operation("DeleteModel", f'"{model.name}"')])
    # Join tables refer to the model's own: they go first.
    links = [each.table for step, _ in emptied for each in step.actions if isinstance(each, DropTable)]
    drops = [code.run_sql(f"DROP TABLE {database.quoted(name or '…')}", "") for name in (*links, *joins, table)]
    return (
        "Undoing the migration brings the table back empty. The release that runs during the deploy may still read it. "
        f"{cascade}{_locked(context)}"
        f"Take it out in two releases{', without the RemoveField before' if emptied else ''}: first from the state "
        f"alone{why},\n"
        f"{set_apart(*alone, state)}\n"
        "then, when no release uses it any more, from the database:\n"
        f"{set_apart(*drops)}"
    )


def _locked(context: OperationContext[DeleteModel]) -> str:
    """The other tables that a foreign key joins to the dropped one: dropping the key locks them."""
    dropped = {action.table for action in context.actions if isinstance(action, DropTable)}
    tables: set[str] = set()
    for action in context.actions:
        if isinstance(action, Reference):
            tables.add(called(action))
        elif isinstance(action, DropForeignKey):
            tables |= {action.table, action.to_table}
    others = sorted(tables - dropped - {"", "a table"})
    if not others:
        return ""
    lock = " (ACCESS EXCLUSIVE)" if context.database.vendor == "postgresql" else ""
    return f"Its foreign keys lock {', '.join(others)} too{lock}, until the migration ends. "
