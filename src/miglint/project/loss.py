"""What of the rows is gone after a step: values that going forward and back again does not restore."""

from __future__ import annotations

from collections.abc import Iterable

from miglint.database import Database
from miglint.project import operations as ops
from miglint.project.action import (
    Action,
    AlterColumnType,
    DeleteRows,
    DropColumn,
    DropTable,
    Execute,
    RemakeTable,
    TruncateTable,
    UpdateRows,
)
from miglint.project.code import is_noop
from miglint.project.narrowing import narrowing
from miglint.project.operations import Operation
from miglint.project.schema import Schema
from miglint.project.truth import Truth, either


def loses_data(operation: Operation, actions: Iterable[Action], schema: Schema, database: Database) -> Truth:
    """Whether running an operation loses what rows held; `schema` is the one before it, `actions` are what it does.

    Unknown where it depends on the values, and for Python code.
    """
    if isinstance(operation, ops.RunPython):
        return Truth.NO if is_noop(operation.code) else Truth.UNKNOWN
    return either(Truth.NO, *(_loses(action, schema, database) for action in actions))


def may_lose_when_undone(operation: Operation, actions: Iterable[Action], schema: Schema, database: Database) -> Truth:
    """Whether undoing destroys what was written since, where `operation` and `actions` are the undoing.

    A type that narrows again gives back what was there; only what came since may not fit, and filling NULLs undoes
    nothing.
    """
    loss = loses_data(operation, (each for each in actions if not isinstance(each, UpdateRows)), schema, database)
    narrowed = not isinstance(operation, ops.AlterField)
    return loss if narrowed or loss.refuted else Truth.UNKNOWN


def _loses(action: Action, schema: Schema, database: Database) -> Truth:
    if action.on_new_table:
        return Truth.NO
    match action:
        case DropTable() | TruncateTable() | DeleteRows() | UpdateRows():
            loss = Truth.YES
        case RemakeTable():
            loss = Truth.of(bool(action.fills))
        case DropColumn():
            table = schema.table(action.table)
            column = table.columns.get(action.column) if table is not None else None
            loss = Truth.YES if column is None else ~column.generated
        case AlterColumnType():
            loss = type_loses(action.old_type, action.new_type, database)
        case Execute():
            loss = Truth.NO if action.understood else Truth.UNKNOWN
        case _:
            return Truth.NO
    return loss if action.certain or loss is Truth.NO else Truth.UNKNOWN


# Kinds of which the second keeps a part of every value.
_PARTS = {("timestamp with time zone", "date"), ("timestamp with time zone", "time"), ("timestamp", "date")}
_TEXTS = ("text", "varchar", "citext")


def type_loses(old: str | None, new: str | None, database: Database) -> Truth:
    """Whether values are changed for good when a column's type changes (types as PostgreSQL spells them).

    A value that is refused fails the migration and is not lost; SQLite converts nothing. Unknown where it depends on
    the values: what is cut, and text that comes back spelled otherwise.
    """
    if old == new or database.vendor == "sqlite":
        return Truth.NO
    if old is None or new is None:
        return Truth.UNKNOWN
    if (old, new) in _PARTS:
        return Truth.YES
    found = narrowing(old, new, database)
    if found is None or found.outcome == "refused":
        respelled = new in ("uuid", "jsonb", "inet") and old.partition("(")[0] in _TEXTS
        return Truth.UNKNOWN if respelled else Truth.NO
    return Truth.of(True if found.outcome == "rounded" and new != "double precision" else None)
