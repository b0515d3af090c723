"""Names of indexes that are taken: PostgreSQL and SQLite have them once for all tables.

Django makes names up of those of the table and the columns, and keeps the name where one of these is renamed: the next
table, or column, that is called so wants it again.

Source: https://www.postgresql.org/docs/current/sql-createindex.html (an index is in its table's schema, and no other
relation of the name may be there), https://www.sqlite.org/lang_createindex.html. On MySQL they are a table's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from miglint.database import Database
from miglint.project.action import (
    Action,
    AddExclusion,
    AddUnique,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropTable,
    Execute,
    RemakeTable,
    RenameColumn,
    RenameIndex,
    RenameTable,
)
from miglint.project.history import History, Step
from miglint.project.waiting import made_in_order


class Taken(msgspec.Struct, frozen=True):
    """A name, as it is wanted again, the table whose index, or constraint, has it, and the step that gave it."""

    name: str
    table: str
    columns: tuple[str, ...]
    # The state has the index by this name: SQLite keeps it in a table that is made anew.
    is_in_state: bool
    step: Step


# By the place of the step that would give the name again.
Clashes = Mapping[int, Taken]


def clashes(history: History, database: Database) -> Clashes:
    """The first name that a step wants for an index and that is taken for certain."""
    names = _Names(is_sqlite=database.vendor == "sqlite")
    return {} if database.is_mysql else _first(_found(history, names))


def _first(found: Iterator[tuple[int, Taken]]) -> dict[int, Taken]:
    first: dict[int, Taken] = {}
    for place, taken in found:
        first.setdefault(place, taken)
    return first


def _found(history: History, names: _Names) -> Iterator[tuple[int, Taken]]:
    for steps in _by_migration(history):
        made = ((step, action) for step in steps for action in step.actions)
        for step, action in made_in_order(made):
            taken = names.taken(action) if action.certain and not step.conditional else None
            if taken is not None:
                yield step.place, taken
                continue
            names.follow(action, step)


def _by_migration(history: History) -> Iterator[tuple[Step, ...]]:
    """The steps of each migration, in the order of the plan."""
    return map(history.steps_of, dict.fromkeys(step.migration.key for step in history.steps))


# Why Django makes an index that has a name of its own.
_NAMED = frozenset({"AddIndex", "Meta.indexes", "RenameIndex", "UniqueConstraint"})


class _Names:
    """The names that are taken at one point; those that may be gone are let go."""

    def __init__(self, *, is_sqlite: bool) -> None:
        self._is_sqlite = is_sqlite
        self._taken: dict[str, Taken] = {}
        self._of_table: dict[str, set[str]] = {}

    def taken(self, action: Action) -> Taken | None:
        """What has the name that an action gives."""
        name = self._given(action)
        found = self._taken.get(self._key(name)) if name and not action.guarded else None
        return replace(found, name=name) if found is not None else None

    def follow(self, action: Action, step: Step) -> None:
        """Takes note of what an action gives and takes away."""
        match action:
            case DropTable(table=table):
                self._let_go(table)
            case RenameTable(table=table, new_table=new):
                for key in self._let_go(table):
                    self._take(replace(key, table=new))
            case DropColumn(table=table, column=column):
                self._keep(table, lambda taken: column not in taken.columns)
            case RenameColumn(table=table, column=old, new_column=new):
                for each in self._let_go(table):
                    self._take(replace(each, columns=tuple(new if name == old else name for name in each.columns)))
            case RemakeTable(table=table):
                self._keep(table, lambda taken: taken.is_in_state)
            case DropConstraint(constraint="check"):
                pass
            case DropIndex(name=name) | DropConstraint(name=name) | RenameIndex(name=name):
                self._without(name, action)
            case AddUnique(using_index=str(name)) if name:
                self._without(name, action)
            case Execute(understood=False):
                self._taken.clear()
                self._of_table.clear()
        given = self._given(action)
        if given and action.certain and not step.conditional and self._key(given) not in self._taken:
            columns: tuple[str, ...] = getattr(action, "columns", ()) + getattr(action, "uses", ())
            is_in_state = isinstance(action, RenameIndex) or getattr(action, "reason", "") in _NAMED
            self._take(Taken(given, action.table, columns, is_in_state, step))

    def _given(self, action: Action) -> str:
        """The name of an index that an action makes; SQLite has no names for those of constraints."""
        match action:
            case CreateIndex(name=name) | RenameIndex(new_name=name):
                pass
            case AddUnique(name=name, inline=False) | AddExclusion(name=name) if not self._is_sqlite:
                pass
            case _:
                return ""
        # A table in another schema of PostgreSQL has its indexes there.
        return "" if '"' in action.table else name

    def _key(self, name: str) -> str:
        return name.lower() if self._is_sqlite else name

    def _take(self, taken: Taken) -> None:
        key = self._key(taken.name)
        self._taken[key] = taken
        self._of_table.setdefault(taken.table, set()).add(key)

    def _without(self, name: str, action: Action) -> None:
        """Lets a name go; where it is not known which of the table it is, all that it may be."""
        gone = self._taken.pop(self._key(name), None)
        if gone is not None:
            self._of_table[gone.table].discard(self._key(name))
        elif name and action.certain:
            self._keep(action.table, lambda taken: taken.is_in_state)
        else:
            self._let_go(action.table)

    def _keep(self, table: str, keeps: Callable[[Taken], bool]) -> None:
        for each in self._let_go(table):
            if keeps(each):
                self._take(each)

    def _let_go(self, table: str) -> list[Taken]:
        return [self._taken.pop(key) for key in sorted(self._of_table.pop(table, ()))]
