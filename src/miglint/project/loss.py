"""What of the rows is gone after a step: values that going forward and back again does not restore."""

from __future__ import annotations

import re
from collections.abc import Iterable

from miglint.database import Database, Vendor
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
from miglint.project.operations import Operation
from miglint.project.schema import Schema
from miglint.project.truth import Truth, either


def loses_data(operation: Operation, actions: Iterable[Action], schema: Schema, database: Database) -> Truth:
    """Whether running an operation loses what rows held; `schema` is the one before it, `actions` are what it does.

    Unknown where it depends on the values, and for Python code.
    """
    if isinstance(operation, ops.RunPython):
        return Truth.NO if is_noop(operation.code) else Truth.UNKNOWN
    return either(Truth.NO, *(_loses(action, schema, database.vendor) for action in actions))


def may_lose_when_undone(operation: Operation, actions: Iterable[Action], schema: Schema, database: Database) -> Truth:
    """Whether undoing destroys what was written since, where `operation` and `actions` are the undoing.

    A type that narrows again gives back what was there; only what came since may not fit, and filling NULLs undoes
    nothing.
    """
    loss = loses_data(operation, (each for each in actions if not isinstance(each, UpdateRows)), schema, database)
    narrowed = not isinstance(operation, ops.AlterField)
    return loss if narrowed or loss.refuted else Truth.UNKNOWN


def _loses(action: Action, schema: Schema, vendor: Vendor) -> Truth:
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
            loss = type_loses(action.old_type, action.new_type, vendor)
        case Execute():
            loss = Truth.NO if action.understood else Truth.UNKNOWN
        case _:
            return Truth.NO
    return loss if action.certain or loss is Truth.NO else Truth.UNKNOWN


_SCALED = re.compile(r"numeric(?:\((\d+), ?(\d+)\))?$")
_WHOLE = ("smallint", "integer", "bigint")
_BROKEN = ("double precision", "real")
# Kinds of which the second keeps less than the first. Source: what an explicit or assignment cast drops.
_SHORTENED = {
    ("timestamp with time zone", "date"),
    ("timestamp with time zone", "time"),
    ("interval", "time"),
    ("timestamp", "date"),
}


def type_loses(old: str | None, new: str | None, vendor: Vendor) -> Truth:
    """Whether values are changed for good when a column's type changes (types as PostgreSQL spells them).

    A value that the new type cannot hold is an error on PostgreSQL and, in strict mode, on MySQL and MariaDB: nothing
    is lost. SQLite keeps whatever there is.
    """
    if old == new or vendor == "sqlite":
        return Truth.NO
    if old is None or new is None:
        return Truth.UNKNOWN
    if (old, new) in _SHORTENED:
        return Truth.YES
    before, after = _SCALED.match(old), _SCALED.match(new)
    if before is not None and before[2] is not None:
        places = int(before[2])
        if (new in _WHOLE and places > 0) or (after is not None and after[2] is not None and int(after[2]) < places):
            return Truth.YES
    if old in _BROKEN and (new in _WHOLE or after is not None):
        return Truth.YES
    if old.startswith("text") and new.startswith("varchar(") and vendor == "postgresql":
        return Truth.UNKNOWN  # Django casts explicitly, which cuts what is too long without an error
    if old in _WHOLE and new == "boolean":
        return Truth.UNKNOWN if vendor == "postgresql" else Truth.NO
    if new in ("uuid", "jsonb", "inet") and old.startswith(("varchar", "text")):
        return Truth.UNKNOWN  # the value comes back spelled otherwise
    return Truth.NO
