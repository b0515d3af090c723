"""Which statements are refused because rows that were written before them wait for a check at commit.

Django's foreign keys are DEFERRABLE INITIALLY DEFERRED: a row that is inserted, a key that changes and a referenced
row that is deleted are checked when the transaction ends. Until then PostgreSQL refuses to alter their table. Source:
AfterTriggerSaveEvent (src/backend/commands/trigger.c), RI_FKey_fk_upd_check_required (utils/adt/ri_triggers.c).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from miglint.database import Database
from miglint.databases.costs import traits_of
from miglint.project.action import (
    Action,
    AddForeignKey,
    DeleteRows,
    DropForeignKey,
    Execute,
    InsertRows,
    RenameTable,
    UpdateRows,
)
from miglint.project.history import Step, executed
from miglint.project.operations import Custom, RunPython, RunSQL, Unread
from miglint.project.schema import Constraint
from miglint.project.state import ModelState
from miglint.project.usage import (
    BULK_UPDATES,
    DELETES,
    SAVES,
    UPDATES,
    Assigned,
    Query,
    RawSQL,
    Row,
    Rows,
    SchemaChange,
    Use,
)
from miglint.syntax.facts import Expr, Items, Literal, is_none

_SET = re.compile(r"\s*set\s+constraints\b.*\bimmediate\b", re.I | re.S)
_INSERTS = frozenset({
    "create", "acreate", "bulk_create", "abulk_create", "get_or_create", "aget_or_create", "update_or_create",
    "aupdate_or_create",
})  # fmt: skip


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A step whose `action` is refused, for what `cause` wrote (`use` in its code, None in SQL) into `table` before.

    `wrote` says what: "inserts rows into"; `error` is what the database says.
    """

    step: Step
    action: Action
    cause: Step
    use: Use | None
    table: str
    wrote: str
    error: str


class _Event(msgspec.Struct, frozen=True):
    """Rows of a table that a foreign key's check is still to look at."""

    cause: Step
    use: Use | None
    wrote: str


# By table and name of the key.
_Pending = dict[tuple[str, str], _Event]


def refused(steps: tuple[Step, ...], database: Database) -> Iterator[Refused]:
    """The first statement of one transaction, the steps of an atomic migration, that is certainly refused."""
    statements = traits_of(database.vendor).refused_before_check
    if statements and any(isinstance(step.operation, RunPython | RunSQL) for step in steps):
        yield from _Transaction(steps, statements).refused()


class _Transaction:
    def __init__(self, steps: tuple[Step, ...], statements: Mapping[str, str]) -> None:
        self._steps = steps
        self._statements = statements
        self._pending: _Pending = {}
        self._is_immediate = False
        # Keys that are checked at once: those that come at the end, and those of AddField, after which Django says
        # SET CONSTRAINTS … IMMEDIATE (sql_create_column_inline_fk).
        self._at_once = {
            action.name
            for step in steps
            for action in step.actions
            if isinstance(action, AddForeignKey) and (action.deferred or action.inline)
        }

    def refused(self) -> Iterator[Refused]:
        for step, use, action in self._done():
            if isinstance(step.operation, Custom | Unread):
                self._pending.clear()  # it may do anything
            elif use is not None:
                if not use.is_guarded and not step.conditional:
                    self._write(step, use)
            elif action is not None:
                found = self._run(step, action)
                if found is not None:
                    yield found
                    return

    def _done(self) -> Iterator[tuple[Step, Use | None, Action | None]]:
        """What the migration does, in the order of the database: what code asks of models, and actions."""
        followed: set[int] = set()
        for step, action in _with_code(self._steps):
            if isinstance(step.operation, RunPython) and not (action is not None and action.deferred):
                if id(step) not in followed:
                    followed.add(id(step))
                    yield from ((step, use, each) for use, each in self._code(step))
            else:
                yield step, None, action

    def _code(self, step: Step) -> Iterator[tuple[Use | None, Action | None]]:
        usage = step.usage
        if not usage.is_complete:
            yield None, Execute(table="", understood=False)
        # By row, each attribute once: a row may be saved in a thousand places.
        assigned: dict[object, dict[tuple[str, bool, bool], Assigned]] = {}
        ran = False
        for use in usage.of(Use):
            if isinstance(use, Assigned):
                assigned.setdefault(use.on.key, {}).setdefault((use.name, use.is_none, use.on.is_new), use)
            elif isinstance(use, Query):
                yield use, None
                if use.method in SAVES and isinstance(use.on, Row) and not use.on.is_new:
                    yield from ((each, None) for each in assigned.get(use.key, {}).values())
            elif isinstance(use, RawSQL | SchemaChange) and not ran:
                ran = True  # the order of the other statements among the queries is not known
                yield from ((None, action) for action in step.actions)

    # -- rows ------------------------------------------------------------------------------------------

    def _write(self, step: Step, use: Use) -> None:
        if not isinstance(use, Query | Assigned):
            return
        model = step.before.model(*use.on.key)
        if model is None or model.proxy.possible or not model.table:
            return
        if isinstance(use, Assigned):
            if not use.is_none and not use.on.is_new:
                self._changed(step, use, model, [use.name])
        elif _inserts(use):
            self._add(step, use, self._keys(step, model.table), model.table, "inserts rows into")
        elif use.method in DELETES and isinstance(use.on, Rows | Row):
            self._deleted(step, use, model.table)
        elif use.method in UPDATES and isinstance(use.on, Rows):
            given = [word.name for word in use.call.keywords if word.name is not None and not is_none(word.value)]
            self._changed(step, use, model, given)
        elif use.method in BULK_UPDATES and isinstance(use.on, Rows):
            names = use.call.keyword("fields") or (use.call.arguments[1] if len(use.call.arguments) > 1 else None)
            self._changed(step, use, model, _texts(names))

    def _changed(self, step: Step, use: Use, model: ModelState, names: list[str]) -> None:
        columns = {model.column(name) or name for name in names}
        keys = [key for key in self._keys(step, model.table) if columns & set(key.columns)]
        self._add(step, use, keys, model.table, "changes foreign keys of")

    def _deleted(self, step: Step, use: Use | None, table: str) -> None:
        keys = [key for _, key in step.schema_before.referencing(table) if self._is_pending(key)]
        self._add(step, use, keys, table, "deletes rows that others may refer to from")

    def _keys(self, step: Step, table: str) -> list[Constraint]:
        found = step.schema_before.table(table)
        return [key for key in found.foreign_keys if self._is_pending(key)] if found is not None else []

    def _is_pending(self, key: Constraint) -> bool:
        return key.at_commit and key.name not in self._at_once and not self._is_immediate

    def _add(self, step: Step, use: Use | None, keys: list[Constraint], table: str, wrote: str) -> None:
        for key in keys:
            self._pending.setdefault((table, key.name), _Event(step, use, wrote))

    # -- statements ------------------------------------------------------------------------------------

    def _run(self, step: Step, action: Action) -> Refused | None:
        by_hand = isinstance(step.operation, RunSQL | RunPython)
        if isinstance(action, Execute) and (not action.understood or _SET.match(action.text)):
            # One that cannot be read may say it, too.
            self._pending.clear()
            self._is_immediate = self._is_immediate or action.understood
        elif isinstance(action, UpdateRows) and not by_hand:
            # Source: django.db.backends.postgresql.schema.DatabaseSchemaEditor.sql_update_with_default
            self._pending.clear()
            self._is_immediate = True
        elif isinstance(action, RenameTable):
            self._renamed(action)
        elif isinstance(action, DropForeignKey):
            # Django says SET CONSTRAINTS … IMMEDIATE first: sql_delete_fk.
            self._pending = {key: event for key, event in self._pending.items() if key[1] != action.name}
        if not action.certain or step.conditional:
            return None
        if isinstance(action, InsertRows | UpdateRows | DeleteRows):
            self._write_by_sql(step, action)
            return None
        tables = (action.table, action.to_table) if isinstance(action, DropForeignKey) else (action.table,)
        return next((found for table in tables if (found := self._refusal(step, action, table)) is not None), None)

    def _write_by_sql(self, step: Step, action: Action) -> None:
        if isinstance(action, InsertRows) and not action.guarded:
            self._add(step, None, self._keys(step, action.table), action.table, "inserts rows into")
        elif isinstance(action, DeleteRows):
            self._deleted(step, None, action.table)
        elif isinstance(action, UpdateRows):
            columns = set(action.columns) - set(action.emptied)
            keys = [key for key in self._keys(step, action.table) if columns & set(key.columns)]
            self._add(step, None, keys, action.table, "changes foreign keys of")

    def _renamed(self, action: RenameTable) -> None:
        self._pending = {
            (action.new_table if table == action.table else table, key): event
            for (table, key), event in self._pending.items()
        }

    def _refusal(self, step: Step, action: Action, table: str) -> Refused | None:
        statement = self._statements.get(action.kind())
        event = next((event for (other, _), event in self._pending.items() if other == table), None)
        if statement is None or event is None:
            return None
        return Refused(
            step=step, action=action, cause=event.cause, use=event.use, table=table, wrote=event.wrote,
            error=f'cannot {statement} "{table}" because it has pending trigger events',
        )  # fmt: skip


def _with_code(steps: tuple[Step, ...]) -> Iterator[tuple[Step, Action | None]]:
    """The actions as they run; a step without any, whose code may do something, has a place too."""
    for step in steps:
        if isinstance(step.operation, RunPython | Custom | Unread) and step.touches_database:
            yield step, None
        yield from ((step, action) for action in step.actions if not action.deferred)
    yield from ((step, action) for step, action in executed(steps) if action.deferred)


def _inserts(use: Query) -> bool:
    if isinstance(use.on, Rows):
        return use.method in _INSERTS
    return isinstance(use.on, Row) and use.on.is_new and use.method in SAVES


def _texts(value: Expr | None) -> list[str]:
    items = value.items if isinstance(value, Items) else ()
    return [item.text for item in items if isinstance(item, Literal) and item.kind == "str"]
