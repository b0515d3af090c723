"""CREATE TABLE, INDEX, DOMAIN and materialized VIEW; DROP of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from miglint.syntax.sql.columns import CONSTRAINT_WORDS, column_of, referenced, type_of
from miglint.syntax.sql.rows import reads
from miglint.syntax.sql.statement import Statement
from miglint.syntax.sql.words import Cursor, by_comma

# What may stand in place of a column in CREATE TABLE.
_NO_COLUMN = {*CONSTRAINT_WORDS, "CONSTRAINT", "LIKE", "INDEX", "KEY", "FULLTEXT", "SPATIAL", "PERIOD"}


def create(cursor: Cursor) -> Iterator[Statement]:
    """CREATE of what holds rows or speeds up finding them, and of types that check; nothing of other objects."""
    cursor.at += 1
    cursor.skip("OR", "REPLACE")
    unique = cursor.skip("UNIQUE")
    if cursor.skip("INDEX"):
        yield from _create_index(cursor, unique)
        return
    while cursor.skip("TEMP") or cursor.skip("TEMPORARY") or cursor.skip("UNLOGGED"):
        pass
    if cursor.skip("TABLE"):
        guarded = cursor.guard("IF", "NOT", "EXISTS")
        table = cursor.name()
        yield Statement(verb="create-table", table=table, columns=_parted(cursor), made=_made(cursor), flags=guarded)
        if cursor.skip("PARTITION", "OF"):
            yield Statement(verb="create partition", table=cursor.name())
        for to in referenced(cursor.left):
            yield Statement(verb="reference", table=table, to=to)
        yield from reads(cursor)
    elif cursor.skip("MATERIALIZED", "VIEW"):
        guarded = cursor.guard("IF", "NOT", "EXISTS")
        yield Statement(verb="create-table", table=cursor.name(), flags=guarded | {"materialized"})
        yield from reads(cursor)
    elif cursor.skip("DOMAIN"):
        yield from _create_domain(cursor)
    elif cursor.skip("TYPE"):
        yield Statement(verb="create type", name=cursor.name())


def _made(cursor: Cursor) -> tuple[Statement, ...]:
    """The columns that a table is made with."""
    parts = by_comma(Cursor(cursor.left).group())
    named = [part for part in parts if part[0].upper not in _NO_COLUMN and len(part) > 1]
    return tuple(column_of(Cursor(part[1:]), Cursor(part[:1]).name()) for part in named)


def _parted(cursor: Cursor) -> tuple[str, ...]:
    """The columns of PARTITION BY, where it stands in a definition; an expression is none."""
    upper = [word.upper for word in cursor.words]
    for place in range(cursor.at, len(upper) - 3):
        if upper[place : place + 2] == ["PARTITION", "BY"]:
            return Cursor(cursor.words, place + 3).names()
    return ()


def _create_domain(cursor: Cursor) -> Iterator[Statement]:
    name = cursor.name()
    cursor.skip("AS")
    base = type_of(cursor)
    checked = bool({"CHECK"} & cursor.rest()) or ("NOT", "NULL") in pairwise(word.upper for word in cursor.words)
    flags = frozenset({"checked"} if checked else {"unchecked"})
    yield Statement(verb="define-domain", name=name, type=base, flags=flags)


def _create_index(cursor: Cursor, unique: bool) -> Iterator[Statement]:
    flags = {"unique"} if unique else set()
    if cursor.skip("CONCURRENTLY"):
        flags.add("concurrently")
    flags |= cursor.guard("IF", "NOT", "EXISTS")
    name = "" if cursor.peek() == "ON" else cursor.name()
    method = None
    if cursor.skip("USING"):
        method = cursor.name()
    if not cursor.skip("ON"):
        return
    if cursor.skip("ONLY"):
        flags.add("only")
    table = cursor.name()
    if cursor.skip("USING"):
        method = cursor.name()
    columns = cursor.names()
    if "WHERE" in cursor.rest():
        flags.add("where")
    yield Statement(verb="create-index", table=table, name=name, columns=columns, type=method, flags=frozenset(flags))


def drop(cursor: Cursor) -> Iterator[Statement]:
    """DROP of indexes, tables and types; nothing of other objects."""
    cursor.at += 1
    if cursor.skip("INDEX"):
        flags = frozenset({"concurrently"}) if cursor.skip("CONCURRENTLY") else frozenset()
        flags |= cursor.guard("IF", "EXISTS")
        for index in cursor.listed():
            table = cursor.name() if cursor.skip("ON") else ""
            yield Statement(verb="drop-index", name=index, table=table, flags=flags)
    elif cursor.skip("TABLE"):
        flags = cursor.guard("IF", "EXISTS")
        flags |= cursor.cascade()
        for table in cursor.listed():
            yield Statement(verb="drop-table", table=table, flags=flags)
    elif cursor.skip("TYPE") or cursor.skip("DOMAIN"):
        flags = cursor.guard("IF", "EXISTS") | cursor.cascade()
        for name in cursor.listed():
            yield Statement(verb="drop-type", name=name, flags=flags)
