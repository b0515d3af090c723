"""Statements that keep tables in order: VACUUM, ANALYZE, REINDEX, CLUSTER, REFRESH, LOCK, COMMENT."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.syntax.sql.statement import Statement
from miglint.syntax.sql.words import Cursor, by_comma, is_on


def lock(cursor: Cursor) -> Iterator[Statement]:
    """`LOCK TABLE a, b IN SHARE MODE`, `LOCK TABLES a WRITE, b READ`."""
    words = [word.upper for word in cursor.words]
    start = words.index("IN") + 1 if "IN" in words else len(words)
    mode = " ".join(words[start : words.index("MODE")] if "MODE" in words[start:] else ()).lower()
    cursor.at += 1
    if not cursor.skip("TABLE"):
        cursor.skip("TABLES")
    for part in by_comma(cursor.left):
        reader = Cursor(part)
        reader.skip("ONLY")
        verb = "lock" if mode in ("", "access exclusive") else f"lock {mode}"
        yield Statement(verb=verb, table=reader.name())


def reindex(cursor: Cursor) -> Iterator[Statement]:
    """REINDEX of a table, an index or all that a schema or database has."""
    cursor.at += 1
    concurrently = is_on(cursor.group(), "CONCURRENTLY")
    what = cursor.peek()
    if what not in ("TABLE", "INDEX", "SCHEMA", "DATABASE", "SYSTEM"):
        return
    cursor.at += 1
    flags = frozenset({"concurrently"} if cursor.skip("CONCURRENTLY") or concurrently else ())
    name = cursor.name()
    table, index = {"TABLE": (name, ""), "INDEX": ("", name)}.get(what, ("", ""))
    whole = None if table or index else what.lower()
    yield Statement(verb="reindex", table=table, name=index, type=whole, flags=flags)


def vacuum(cursor: Cursor) -> Iterator[Statement]:
    """VACUUM, which writes tables anew with FULL."""
    cursor.at += 1
    full = is_on(cursor.group(), "FULL")
    while cursor.peek() in ("FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"):
        full = full or cursor.peek() == "FULL"
        cursor.at += 1
    yield from _each(cursor, "vacuum full" if full else "vacuum")


def analyze(cursor: Cursor) -> Iterator[Statement]:
    """ANALYZE."""
    cursor.at += 1
    cursor.group()
    cursor.skip("VERBOSE")
    cursor.skip("TABLE")
    yield from _each(cursor, "analyze")


def _each(cursor: Cursor, verb: str) -> Iterator[Statement]:
    """A statement on each of the tables that are listed, with or without columns; on all of them, where none is."""
    tables = [Cursor(part).name() for part in by_comma(cursor.left)]
    yield from [Statement(verb=verb, table=table) for table in tables] or [Statement(verb=verb)]


def cluster(cursor: Cursor) -> Iterator[Statement]:
    """CLUSTER of one table, or of all that were clustered before."""
    cursor.at += 1
    cursor.group()
    cursor.skip("VERBOSE")
    table = cursor.name()
    yield Statement(verb="cluster" if table else "cluster all", table=cursor.name() if cursor.skip("ON") else table)


def refresh(cursor: Cursor) -> Iterator[Statement]:
    """REFRESH MATERIALIZED VIEW."""
    cursor.at += 1
    if cursor.skip("MATERIALIZED", "VIEW"):
        verb = "refresh concurrently" if cursor.skip("CONCURRENTLY") else "refresh"
        yield Statement(verb=verb, table=cursor.name())


def comment(cursor: Cursor) -> Iterator[Statement]:
    """COMMENT ON a table or a column; nothing of other objects."""
    cursor.at += 1
    if cursor.skip("ON", "TABLE"):
        yield Statement(verb="comment", table=cursor.name())
    elif cursor.skip("ON", "COLUMN"):
        table, _, column = cursor.name().rpartition(".")
        yield Statement(verb="comment", table=table, name=column)
