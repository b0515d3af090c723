"""The two halves of an operation contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from miglint.api import (
    Action,
    AddCheck,
    AddColumn,
    AddUnique,
    AlterColumnType,
    CreateIndex,
    CreateTable,
    Diagnostic,
    DropColumn,
    DropIndex,
    DropNotNull,
    DropTable,
    Execute,
    Operation,
    OperationContext,
    RenameColumn,
    RenameTable,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    SetNotNull,
    Severity,
    Span,
    Step,
    holds_less,
    rule,
)

Context = OperationContext[Operation]

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#separatedatabaseandstate"
# Indexes that Django finds by their columns, not by their name.
_NAMED_BY_THE_MIGRATION = ("AddIndex", "UniqueConstraint", "SQL")


class _Index(NamedTuple):
    """What an index, or a constraint that is one, is on; no columns where there are expressions."""

    table: str
    columns: tuple[str, ...]
    unique: bool
    partial: bool

    def differs(self, other: _Index) -> bool:
        if (self.table.lower(), self.unique, self.partial) != (other.table.lower(), other.unique, other.partial):
            return True
        mine, theirs = ([each.lower() for each in index.columns] for index in (self, other))
        if self.unique:
            mine, theirs = sorted(mine), sorted(theirs)  # the same rows are equal, in whatever order
        return bool(mine and theirs) and mine != theirs

    def __str__(self) -> str:
        columns = f" ({', '.join(self.columns)})" if self.columns else ""
        return f"{'UNIQUE ' * self.unique}on {self.table}{columns}{' for some rows' * self.partial}"


class _Change(NamedTuple):
    """A change to the schema: what is done, to which table, column or name; whether NULL is allowed then, and the type;

    what the index is on.
    """

    deed: str
    table: str
    name: str
    span: Span
    null: bool | None = None
    type: str | None = None
    made: _Index | None = None

    def __str__(self) -> str:
        what = f"{self.table}.{self.name}" if self.table and self.name else self.table or self.name
        return f"{self.deed} {what}"


@rule("MG703", on=(SeparateDatabaseAndState, RunSQL), severity=Severity.WARNING)
def state_and_database_disagree(context: Context) -> Iterator[Diagnostic]:
    """The state is told one thing, and the database does another."""
    if context.step.conditional:
        return
    state = context.inner("state_operations")
    for step in state:
        if isinstance(step.operation, RunPython | RunSQL):
            yield _ignored(context, step)
    done = _done(context)
    if done is None or any(step.conditional for step in state):
        return
    told = [action for step in state for action in context.told(step)]
    if all(action.certain for action in told):
        halves = list(_changes(told)), list(_changes(done))
        yield from _contradictions(context, *halves)
        yield from _different_indexes(context, *halves)


def _ignored(context: Context, step: Step) -> Diagnostic:
    name = step.operation.class_name
    return context.diagnostic(
        step.operation.span,
        f"{name} in `state_operations` never runs: there Django only asks what it does to the state",
        help="Move it to `database_operations`, or beside the operation.",
        url=_URL,
        detail=f"{name}:{step.path[-1]}",
    )


def _done(context: Context) -> list[Action] | None:
    """What the database half does, None where a part of it is not known."""
    steps = context.inner("database_operations")
    actions = [*context.actions, *(action for step in steps for action in step.actions)]
    unknown = any(isinstance(step.operation, RunPython) or step.conditional for step in steps)
    unread = any(isinstance(action, Execute) and not action.understood for action in actions)
    return None if unknown or unread or not all(action.certain for action in actions) else actions


# -- what contradicts what ----------------------------------------------------------------------------


def _changes(actions: Iterable[Action]) -> Iterator[_Change]:
    for action in actions:
        table = _plain(action.table)
        match action:
            case CreateTable(joins="", materialized=False):
                yield _Change("creates the table", table, "", action.span)
            case DropTable(joins=""):
                yield _Change("drops the table", table, "", action.span)
            case RenameTable(new_table=new):
                yield _Change("renames the table to", _plain(new), "", action.span)
            case AddColumn(column=column):
                null = True if column.null.certain else False if column.null.refuted else None
                yield _Change("adds the column", table, column.name, action.span, null, column.type)
            case DropColumn(column=name):
                yield _Change("drops the column", table, name, action.span)
            case AlterColumnType(column=name, new_type=kind):
                yield _Change("changes the type of", table, name, action.span, type=kind)
            case RenameColumn(new_column=new):
                yield _Change("renames the column to", table, new, action.span)
            case SetNotNull(column=name):
                yield _Change("changes the column", table, name, action.span, null=False)
            case DropNotNull(column=name):
                yield _Change("changes the column", table, name, action.span, null=True)
            case CreateIndex(name=name, reason=reason) if name and reason in _NAMED_BY_THE_MIGRATION:
                of = _Index(table, action.columns, action.unique, action.partial)
                yield _Change("creates the index", "", name, action.span, made=of)
            case DropIndex(name=name) if name:
                yield _Change("drops the index", "", name, action.span)
            case AddUnique(name=name, reason=reason) if name and reason in (*_NAMED_BY_THE_MIGRATION, "unique"):
                taken = bool(action.using_index)
                known = None if taken else _Index(table, action.columns, unique=True, partial=False)
                yield _Change("adds the constraint", "", name, action.span, made=known)
            case AddCheck(name=name) if name:
                yield _Change("adds the constraint", "", name, action.span)


def _plain(table: str) -> str:
    """A table without its schema."""
    return table.rpartition(".")[2]


def _contradictions(context: Context, told: list[_Change], done: list[_Change]) -> Iterator[Diagnostic]:
    """Where both halves do one thing of a kind that the other does not, these are meant to be the same."""
    for deed in dict.fromkeys(change.deed for change in told):
        state = {(each.table.lower(), each.name.lower()): each for each in told if each.deed == deed}
        database = {(each.table.lower(), each.name.lower()): each for each in done if each.deed == deed}
        left = [change for key, change in state.items() if key not in database]
        right = [change for key, change in database.items() if key not in state]
        if len(left) == len(right) == 1:
            yield _finding(context, f"the state {left[0]}, the database {right[0]}", right[0], str(left[0]))
        for key in sorted(state.keys() & database.keys()):
            if holds_less(state[key].type, database[key].type) and context.database.vendor == "postgresql":
                to = "to" if deed.startswith("changes") else "as"
                yield _finding(
                    context,
                    f"the state {state[key]} {to} {state[key].type}, the database {to} {database[key].type}",
                    database[key],
                    f"{state[key]}: type",
                )
            if {state[key].null, database[key].null} == {True, False}:
                allowed = {True: "NULL", False: "NOT NULL"}
                yield _finding(
                    context,
                    f"the state {state[key]} as {allowed[bool(state[key].null)]}, the database as "
                    f"{allowed[bool(database[key].null)]}",
                    database[key],
                    str(state[key]),
                )


def _different_indexes(context: Context, told: list[_Change], done: list[_Change]) -> Iterator[Diagnostic]:
    """Where both halves make an index, or a constraint that is one, of one name."""
    if any(change.deed.startswith("renames") for change in (*told, *done)):
        return  # what the index is on may have another name by then
    built = {change.name.lower(): change for change in done if change.made is not None}
    for change in told:
        other = built.get(change.name.lower())
        if change.made is not None and other is not None and other.made is not None and change.made.differs(other.made):
            message = f"the state {change} {change.made}, the database {other.made}"
            yield _finding(context, message, other, f"{change}: definition")


def _finding(context: Context, message: str, change: _Change, detail: str) -> Diagnostic:
    return context.diagnostic(
        change.span if change.span.end else None,
        message,
        help="Django writes later migrations from the state and runs them on the database: the next one that touches "
        "this fails, or leaves it as it is. Make the two halves say the same.",
        url=_URL,
        detail=detail,
    )
