"""SQL statements as actions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from miglint.database import Database
from miglint.project.action import (
    Action,
    AddCheck,
    AddColumn,
    AddExclusion,
    AddForeignKey,
    AddIdentity,
    AddPrimaryKey,
    AddUnique,
    AlterColumnType,
    AttachPartition,
    Column,
    Comment,
    CreateIndex,
    CreateTable,
    DefineDomain,
    DeleteRows,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIdentity,
    DropIndex,
    DropNotNull,
    DropTable,
    DropType,
    Execute,
    InsertRows,
    Reference,
    Reindex,
    RenameColumn,
    RenameIndex,
    RenameTable,
    SetDefault,
    SetNotNull,
    TruncateTable,
    TypeChange,
    UpdateRows,
    ValidateConstraint,
)
from miglint.project.keys import ModelKey
from miglint.project.truth import Truth
from miglint.syntax.sql import read_sql
from miglint.syntax.sql.statement import Statement

Lookup = Callable[[str], "ModelKey | None"]
ReadSQL = Callable[[str, str], tuple[Statement, ...]]


_AT_COMMIT = re.compile(r"\binitially\s+deferred\b", re.I)
_UTC = re.compile(r"\s*set\s+(?:session\s+|local\s+)?(?:time\s+zone|timezone\s*(?:to|=))\s*'(?:utc|gmt)'", re.I)


def _no_model(table: str) -> ModelKey | None:
    return None


def sql_actions(
    text: str, database: Database, *, models: Lookup = _no_model, read: ReadSQL = read_sql
) -> tuple[Action, ...]:
    """The actions of an SQL text (one or several statements); what cannot be read is an `Execute` that says so."""
    actions: list[Action] = []
    created: set[str] = set()
    utc = False
    for statement in read(text, database.vendor):
        utc = utc or _UTC.match(statement.text) is not None
        for action in _actions(statement, models):
            if isinstance(action, CreateTable):
                created.add(action.table)
            elif isinstance(action, AlterColumnType):
                action = replace(action, utc=utc)
            actions.append(action)
    return tuple(_on_new(action, created) for action in actions)


def _on_new(action: Action, created: set[str]) -> Action:
    if isinstance(action, Reference) and action.from_table in created:
        return replace(action, scans=False)  # it has no row that would be looked up
    return replace(action, on_new_table=True) if action.table in created else action


def _actions(statement: Statement, models: Lookup) -> Iterator[Action]:
    where: dict[str, Any] = {
        "table": statement.table,
        "model": models(statement.table) if statement.table else None,
        "guarded": "guarded" in statement.flags,
        "alone": statement.alone,
    }
    make = _MAKERS.get(statement.verb)
    if make is not None:
        yield from make(statement, where)
        if statement.to and statement.verb in ("add-foreign-key", "reference", "add-column"):
            scans = statement.verb != "reference" and not statement.flags & {"empty", "not-valid"}
            yield Reference(
                table=statement.to, model=models(statement.to), cause="add", from_table=statement.table, scans=scans
            )
        return
    understood = not statement.verb.startswith("?")
    yield Execute(
        verb=statement.verb.lstrip("?"), text=statement.text, understood=understood, certain=understood, **where
    )


def _create_table(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    yield CreateTable(
        columns=tuple(map(_column, statement.made)),
        complete=False,
        parted=statement.columns,
        materialized="materialized" in statement.flags,
        **where,
    )


def _column(statement: Statement) -> Column:
    flags = statement.flags
    return Column(
        name=statement.name,
        type=statement.type,
        null=Truth.of("not-null" not in flags),
        default=Truth.of("default" in flags),
        unique=Truth.of("unique" in flags),
        identity=Truth.of("identity" in flags),
        generated=Truth.of("generated" in flags),
        checked=Truth.of("check" in flags),
    )


def _add_column(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    flags, column = statement.flags, statement.name
    volatile = Truth.YES if "volatile" in flags else Truth.UNKNOWN if "unknown-default" in flags else Truth.NO
    yield AddColumn(column=_column(statement), volatile=volatile, **where)
    if "unique" in flags:
        yield AddUnique(columns=(column,), inline=True, reason="SQL", **where)
    if statement.to:
        yield AddForeignKey(columns=(column,), to_table=statement.to, inline=True, empty="empty" in flags,
                            at_commit=_is_at_commit(statement), **where)  # fmt: skip


def _create_index(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    flags = statement.flags
    yield CreateIndex(
        name=statement.name,
        columns=statement.columns,
        unique="unique" in flags,
        concurrently="concurrently" in flags,
        only="only" in flags,
        partial="where" in flags,
        method=statement.type or "btree",
        reason="SQL",
        **where,
    )


def _drop_index(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    concurrently = "concurrently" in statement.flags
    yield DropIndex(name=statement.name, concurrently=concurrently, reason="SQL", **where)


def _alter_type(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    change: TypeChange = "rewrite" if "using" in statement.flags else "unknown"
    stated, collated = None, False
    for made in statement.made:
        stated, collated = _column(made), "collated" in made.flags
    casts = "cast" in statement.flags
    yield AlterColumnType(
        column=statement.name,
        new_type=statement.type,
        change=change,
        casts=casts,
        stated=stated,
        collated=collated,
        **where,
    )


def _add_foreign_key(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    validated = "not-valid" not in statement.flags
    columns, name = statement.columns, statement.name
    yield AddForeignKey(
        columns=columns, to_table=statement.to, name=name, validated=validated, at_commit=_is_at_commit(statement),
        **where,
    )  # fmt: skip


def _is_at_commit(statement: Statement) -> bool:
    return _AT_COMMIT.search(statement.text) is not None


def _add_check(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    validated = "not-valid" not in statement.flags
    columns, proven = statement.columns, statement.not_null
    yield AddCheck(name=statement.name, columns=columns, validated=validated, not_null=proven, **where)


def _checked(statement: Statement) -> Truth:
    return Truth.of("checked" in statement.flags)


def _add_unique(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    yield AddUnique(
        name=statement.name, columns=statement.columns, using_index=statement.new_name, reason="SQL", **where
    )


def _add_primary_key(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    yield AddPrimaryKey(name=statement.name, columns=statement.columns, using_index=statement.new_name, **where)


def _reindex(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    concurrently = "concurrently" in statement.flags
    yield Reindex(name=statement.name, concurrently=concurrently, whole=statement.type, **where)


def _update(statement: Statement, where: dict[str, Any]) -> Iterator[Action]:
    flags = statement.flags
    yield UpdateRows(
        filtered="where" in flags, by_value="by-value" in flags, stepped="stepped" in flags, columns=statement.columns,
        emptied=statement.emptied, **where
    )  # fmt: skip


_MAKERS: dict[str, Callable[[Statement, dict[str, Any]], Iterator[Action]]] = {
    "create-table": _create_table,
    "attach-partition": lambda s, w: iter((AttachPartition(parent=s.to, **w),)),
    "define-domain": lambda s, w: iter((DefineDomain(name=s.name, base=s.type, checked=_checked(s), **w),)),
    "add-domain-check": lambda s, w: iter(
        (AddCheck(name=s.name, domain=s.type or "", validated="not-valid" not in s.flags, **w),)
    ),
    "validate-domain": lambda s, w: iter((ValidateConstraint(name=s.name, domain=s.type or "", **w),)),
    "drop-type": lambda s, w: iter((DropType(name=s.name, cascade="cascade" in s.flags, **w),)),
    "reference": lambda s, w: iter(()),
    "drop-table": lambda s, w: iter((DropTable(cascade="cascade" in s.flags, **w),)),
    "truncate": lambda s, w: iter((TruncateTable(cascade="cascade" in s.flags, **w),)),
    "rename-table": lambda s, w: iter((RenameTable(new_table=s.new_name, **w),)),
    "add-column": _add_column,
    "drop-column": lambda s, w: iter((DropColumn(column=s.name, cascade="cascade" in s.flags, **w),)),
    "rename-column": lambda s, w: iter((RenameColumn(column=s.name, new_column=s.new_name, **w),)),
    "alter-column-type": _alter_type,
    "set-not-null": lambda s, w: iter((SetNotNull(column=s.name, **w),)),
    "drop-not-null": lambda s, w: iter((DropNotNull(column=s.name, **w),)),
    "set-default": lambda s, w: iter((SetDefault(column=s.name, **w),)),
    "drop-default": lambda s, w: iter((DropDefault(column=s.name, **w),)),
    "add-identity": lambda s, w: iter((AddIdentity(column=s.name, **w),)),
    "drop-identity": lambda s, w: iter((DropIdentity(column=s.name, **w),)),
    "comment": lambda s, w: iter((Comment(column=s.name, **w),)),
    "add-foreign-key": _add_foreign_key,
    "add-check": _add_check,
    "add-unique": _add_unique,
    "add-primary-key": _add_primary_key,
    "add-exclusion": lambda s, w: iter((AddExclusion(name=s.name, **w),)),
    "validate-constraint": lambda s, w: iter((ValidateConstraint(name=s.name, **w),)),
    "drop-constraint": lambda s, w: iter((DropConstraint(name=s.name, **w),)),
    "create-index": _create_index,
    "drop-index": _drop_index,
    "rename-index": lambda s, w: iter((RenameIndex(name=s.name, new_name=s.new_name, **w),)),
    "reindex": _reindex,
    "update": _update,
    "insert": lambda s, w: iter((InsertRows(**w),)),
    "delete": lambda s, w: iter((DeleteRows(filtered="where" in s.flags, **w),)),
}
