"""A table that is written anew while nobody can use it."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddColumn,
    AddIdentity,
    AddPrimaryKey,
    AlterColumnType,
    AlterField,
    Diagnostic,
    DropColumn,
    DropIdentity,
    DropNotNull,
    Execute,
    RemakeTable,
    SetNotNull,
    Severity,
    needs_cast,
    rule,
    staged,
)

_CHANGES = (
    AddColumn, DropColumn, AlterColumnType, SetNotNull, DropNotNull, AddIdentity, DropIdentity, AddPrimaryKey,
    RemakeTable, Execute,
)  # fmt: skip


@rule("MG301", on=_CHANGES, severity=Severity.ERROR, supersedes=("MG310", "MG313", "MG315"))
def table_rewrite(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """A live table is written anew, and nobody can use it until that is done."""
    rewritten = [action for action in context.at_risk if _rewrites(context, action)]
    if not rewritten or not context.touches_database:
        return
    tables = list(dict.fromkeys(action.table or "a table" for action in rewritten))
    cards = [context.card([action for action in rewritten if (action.table or "a table") == table]) for table in tables]
    more = f", and {len(cards) - 3} more tables" if len(cards) > 3 else ""
    yield context.diagnostic(
        None,
        f"{_what(context, rewritten[0])} rewrites {_listed(tables)}: {'; '.join(cards[:3])}{more}",
        help=_help(context, rewritten),
        url=context.cost(rewritten[0]).url,
        # Where one writes at a time, and almost every change copies its table, it says little.
        severity=Severity.INFO if context.traits.one_writer else None,
        confidence=context.confidence(context.step, rewritten),
    )


def _rewrites(context: ActionContext[Action], action: Action) -> bool:
    cost = context.cost(action)
    return cost.rewrites and cost.blocks_writes


def _listed(tables: list[str]) -> str:
    return tables[0] if len(tables) == 1 else f"{len(tables)} tables"


def _what(context: ActionContext[Action], action: Action) -> str:
    if isinstance(action, AlterColumnType) and _is_told(action):
        return f"changing {action.column} from {action.old_type} to {action.new_type}"
    if isinstance(action, AddColumn):
        return f"adding {action.column.name}"
    return context.operation.class_name


def _is_told(action: AlterColumnType) -> bool:
    """Whether the names of the types say what changes."""
    return None not in (action.old_type, action.new_type) and action.old_type != action.new_type and not action.cascades


def _help(context: ActionContext[Action], rewritten: list[Action]) -> str:
    action, operation = rewritten[0], context.operation
    why = f"{context.database.title}: {context.cost(action).why} "
    if isinstance(action, RemakeTable):
        return why + "Nothing is lost, but writes to the whole database wait while the rows are copied."
    if isinstance(action, AddColumn) and action.column.generated.certain:
        return why + (
            "With `db_persist=False` it is computed when it is read, where the database can do that, and nothing is "
            "written. Or add a plain, nullable column, let the code write it, and fill the old rows in batches."
        )
    if isinstance(action, AddColumn):
        return why + (
            "Add the column without what is computed (nullable), give it its default in a second migration, for new "
            "rows, and fill the old rows in batches."
        )
    if any(isinstance(each, AlterColumnType) and each.cascades for each in rewritten):
        return why + (
            "Each table that refers to the key is rewritten with it. Add a column of the new type to each of them, "
            "keep both filled, swap them when all rows are done; or migrate when nobody works."
        )
    if isinstance(operation, AlterField) and operation.field.primary_key.certain:
        return why + (
            "No field can be added beside a primary key to take its place. Let SQL add a column of the new type, keep "
            "it filled by a trigger, give it a unique index (concurrently), and swap the two in one short transaction "
            "when all rows are done; or migrate when nobody works."
        )
    model = context.model
    if isinstance(action, AlterColumnType) and isinstance(operation, AlterField) and model is not None:
        return (
            f"{why}Add a column of the new type, let the code write both, fill it in batches; when the code reads the "
            "new one alone, remove the old one:\n"
            + staged.new_column(
                context.instead,
                operation,
                app=context.migration.app,
                model=model.name,
                retyped=action,
                cast=needs_cast(action.old_type, action.new_type),
            )
        )
    return why + "Add what is new beside the old, move the rows in batches, and remove the old at the end."
