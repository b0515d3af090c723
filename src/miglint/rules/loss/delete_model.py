"""A table that is dropped with its data."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    DeleteModel,
    Diagnostic,
    DropForeignKey,
    DropTable,
    ModelState,
    OperationContext,
    Paste,
    Reference,
    Severity,
    called,
    rule,
    set_apart,
    staged,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#deletemodel"


@rule("MG202", on=DeleteModel, severity=Severity.ERROR)
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
    also = f", and the join table{'s' * (len(joins) > 1)} {', '.join(joins)}" if joins else ""
    yield context.diagnostic(
        None,
        f"deleting {context.model_name} drops the table {own or '(its name is not known)'}{also}, with all rows",
        help=_help(context, model, own, joins),
        url=_URL,
        related=(context.related(model.origin.migration, model.origin.span, f"{model.name} was created here"),),
    )


def _help(context: OperationContext[DeleteModel], model: ModelState, table: str, joins: list[str]) -> str:
    database, code = context.database, Paste()
    cascade = "Django writes DROP TABLE … CASCADE: its views go too. " if database.vendor == "postgresql" else ""
    # Nobody inserts rows any more, but those that are there refer to others.
    keys = [each for each in model.fields.values() if each.field.is_relation.certain]
    found = [staged.left_behind(each.field, code, model=model.name, name=each.name, inserts=False) for each in keys]
    alone = [each for each in found if each is not None]
    why = " (as it is, the new release could not delete rows that it refers to)" if alone else ""
    state = code.separate(state=[code.operation("DeleteModel", f'"{model.name}"')])
    # Join tables refer to the model's own: they go first.
    drops = [code.run_sql(f"DROP TABLE {database.quoted(name or '…')}", "") for name in (*joins, table)]
    return (
        "Undoing the migration brings the table back empty. The release that runs during the deploy may still read it. "
        f"{cascade}{_locked(context)}"
        f"Take it out in two releases: first from the state alone{why},\n"
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
