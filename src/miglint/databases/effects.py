"""The effect of several actions, table by table: the strongest lock, how long it lasts, all of the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from miglint.database import Database, Vendor
from miglint.databases.costs import Cost, cost_of, join
from miglint.project.action import (
    Action,
    AddUnique,
    AlterColumnType,
    CreateIndex,
    CreateTable,
    DropTable,
    Reindex,
    RemakeTable,
    RenameTable,
)
from miglint.project.schema import Schema, Table


class TableEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one table that was there before, under the name it had then. `indexes` counts those built."""

    table: str
    cost: Cost
    indexes: int
    actions: tuple[Action, ...]


def effects(
    actions: Iterable[Action], database: Database, schema: Schema, new: Iterable[str] = ()
) -> tuple[TableEffect, ...]:
    """The effect on each table that was there before the first of the actions, in the order in which they are met.

    `schema` is the one after them; `new` are tables that are there and yet new.
    """
    names: dict[str, str] = {}
    made = set(new)
    found: dict[str, list[tuple[Action, Cost]]] = {}
    for action in actions:
        if isinstance(action, CreateTable):
            made.add(action.table)
        if isinstance(action, RenameTable) and action.table in made:
            made.add(action.new_table)
        if not action.table or action.table in made:
            continue
        name = names.get(action.table, action.table)
        if isinstance(action, RenameTable):
            names[action.new_table] = name
        found.setdefault(name, []).append((action, cost_of(action, database)))
        if isinstance(action, DropTable):
            names.pop(action.table, None)
    now = {old: new for new, old in names.items()}
    return tuple(
        _effect(table, met, schema.table(now.get(table, table)), database.vendor) for table, met in found.items()
    )


def _effect(name: str, met: list[tuple[Action, Cost]], table: Table | None, vendor: Vendor) -> TableEffect:
    return TableEffect(
        table=name,
        cost=join(cost for _, cost in met),
        indexes=_indexes(met, table, vendor),
        actions=tuple(action for action, _ in met),
    )


def _indexes(met: list[tuple[Action, Cost]], table: Table | None, vendor: Vendor) -> int:
    """How many indexes are built: by themselves, and with the table where that is written anew.

    PostgreSQL makes those of a column again whose type changes, and keeps the definition of the others; MySQL and
    MariaDB copy all; SQLite all that are not part of the table's definition.
    """
    built = sum(_builds(action, cost) for action, cost in met)
    if table is None or not any(cost.rewrites for _, cost in met):
        return built
    if vendor == "postgresql":
        retyped = {action.column for action, cost in met if isinstance(action, AlterColumnType) and cost.rewrites}
        new = [action.columns for action, cost in met if isinstance(action, AddUnique | CreateIndex) and cost.indexes]
        kept = Counter(table.index_columns) - Counter(new)
        return built + sum(number for index, number in kept.items() if retyped & set(index))
    if vendor == "sqlite":
        return len(table.indexes) if any(isinstance(action, RemakeTable) for action, _ in met) else built
    return _in_innodb(table)


def _builds(action: Action, cost: Cost) -> int:
    if not cost.indexes or cost.rewrites or (isinstance(action, Reindex) and not action.concurrently):
        return 0
    return action.rebuilds if isinstance(action, AlterColumnType) else 1


def _in_innodb(table: Table) -> int:
    """All indexes: the key, those of constraints, and one of each foreign key that no other begins with."""
    columns = table.index_columns
    keys = {key.columns for key in table.foreign_keys}
    return len(columns) + sum(not any(index[: len(key)] == key for index in columns) for key in keys)
