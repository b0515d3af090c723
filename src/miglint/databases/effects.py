"""The effect of several actions, table by table: the strongest lock, how long it lasts, all of the work."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from miglint.database import Database
from miglint.databases.costs import Cost, cost_of, join
from miglint.project.action import Action, CreateTable, DropTable, RenameTable


class TableEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one table that was there before, under the name it had then. `indexes` counts those built."""

    table: str
    cost: Cost
    indexes: int
    actions: tuple[Action, ...]


def effects(actions: Iterable[Action], database: Database, new: Iterable[str] = ()) -> tuple[TableEffect, ...]:
    """The effect on each table that was there before the first of the actions, in the order in which they are met.

    `new` are tables that are there and yet new.
    """
    names: dict[str, str] = {}
    made = set(new)
    found: dict[str, list[tuple[Action, Cost]]] = {}
    for action in actions:
        if isinstance(action, CreateTable):
            made.add(action.table)
        if not action.table or action.table in made:
            continue
        name = names.get(action.table, action.table)
        if isinstance(action, RenameTable):
            names[action.new_table] = name
        found.setdefault(name, []).append((action, cost_of(action, database)))
        if isinstance(action, DropTable):
            names.pop(action.table, None)
    return tuple(_effect(table, met) for table, met in found.items())


def _effect(table: str, met: list[tuple[Action, Cost]]) -> TableEffect:
    return TableEffect(
        table=table,
        cost=join(cost for _, cost in met),
        indexes=sum(cost.indexes and not cost.rewrites for _, cost in met),
        actions=tuple(action for action, _ in met),
    )
