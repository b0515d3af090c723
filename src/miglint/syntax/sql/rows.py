"""Statements that read, write or lock rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, takewhile

from msgspec.structs import replace

from miglint.syntax.sql.expressions import unwrapped
from miglint.syntax.sql.statement import Statement
from miglint.syntax.sql.words import Cursor, Word

# Statements that change rows.
CHANGES = ("UPDATE", "DELETE", "INSERT")


def reads(cursor: Cursor) -> Iterator[Statement]:
    """The tables that a query within the statement reads: all of them, where it has no WHERE."""
    words = cursor.left
    upper = [word.upper for word in words]
    if "SELECT" not in upper or upper[-3:] == ["WITH", "NO", "DATA"]:
        return
    flags = frozenset({"where"} if "WHERE" in upper else ())
    named = {words[place].text for place, pair in enumerate(pairwise(upper[1:])) if pair == ("AS", "(")}
    no_tables = {"(", *named}
    for place, after in enumerate(words[1:]):
        if upper[place] in ("FROM", "JOIN") and after.text not in no_tables:
            yield Statement(verb="read rows", table=Cursor(words, place + 1).name(), flags=flags)


def select(cursor: Cursor) -> Iterator[Statement]:
    """A query that makes a table, or locks the rows that it finds; nothing of one that only reads."""
    words = [word.upper for word in cursor.words]
    if "INTO" in words:
        cursor.at = words.index("INTO") + 1
        while cursor.peek() in ("TEMP", "TEMPORARY", "UNLOGGED", "TABLE"):
            cursor.at += 1
        yield Statement(verb="create-table", table=cursor.name())
        cursor.at = 0
        yield from reads(cursor)
        return
    locking = {("FOR", "UPDATE"), ("FOR", "SHARE"), ("FOR", "NO"), ("FOR", "KEY")}
    if locking & set(pairwise(words)):
        yield from (replace(read, verb="lock rows") for read in reads(cursor))


def update(cursor: Cursor) -> Iterator[Statement]:
    """UPDATE, with the columns that it sets."""
    cursor.at += 1
    cursor.skip("ONLY")
    table, words = cursor.name(), cursor.words
    places = [
        place
        for place in range(cursor.at, len(words) - 1)
        if words[place + 1].upper == "=" and words[place - 1].upper in ("SET", ",")
    ]
    columns = tuple(words[place].text for place in places)
    emptied = tuple(words[place].text for place in places if cursor.word_at(place + 2) == "NULL")
    if table:
        flags = set(_where(cursor))
        if _picks_by_value(cursor, columns):
            flags.add("by-value")
        if any(_is_stepped(cursor, place) for place in places):
            flags.add("stepped")
        yield Statement(verb="update", table=table, columns=columns, emptied=emptied, flags=frozenset(flags))


def _is_stepped(cursor: Cursor, place: int) -> bool:
    """Whether the column there is set to something computed from itself, its table's name before it or not."""
    value = Cursor(cursor.words, place + 2)
    name = value.name().rpartition(".")[2]
    return name.lower() == cursor.words[place].text.lower() and value.peek() in ("+", "-", "*", "/", "||")


def _picks_by_value(cursor: Cursor, columns: tuple[str, ...]) -> bool:
    """Whether WHERE picks rows by a value of a column that is set: `SET state = 'b' WHERE state = 'a'`."""
    words, changed = cursor.words, set(columns)
    start = next((place for place, word in enumerate(words) if word.upper == "WHERE"), len(words))
    if any(word.upper == "NOT" for word in words[start:]):
        return False
    for place in range(start, len(words) - 2):
        if words[place].text in changed and words[place].kind in ("word", "name"):
            operator, value = words[place + 1].upper, words[place + 2]
            if operator == "IN" and value.text == "(" and place + 3 < len(words):
                operator, value = "=", words[place + 3]
            if operator == "=" and ((value.kind == "string" and value.text) or value.text.isdigit()):
                return True
            if operator == "=" and value.upper in ("TRUE", "FALSE"):
                return True
    return False


def _where(cursor: Cursor) -> frozenset[str]:
    """The flag of a statement that leaves some rows out."""
    rest = cursor.rest()
    # `UPDATE a JOIN b ON … SET …` of MySQL writes the rows that find one.
    joined = [word.upper for word in takewhile(lambda word: word.upper != "SET", cursor.left)]
    leaves_out = "LIMIT" in rest or "JOIN" in joined or ("WHERE" in rest and not _holds_always(cursor.left))
    return frozenset({"where"} if leaves_out else ())


def _holds_always(words: list[Word]) -> bool:
    """Whether the condition of WHERE is one that each row meets: `WHERE true`, `WHERE (1 = 1)`."""
    upper = [word.upper for word in words]
    end = upper.index("RETURNING") if "RETURNING" in upper else len(words)
    match unwrapped(words[upper.index("WHERE") + 1 : end]):
        case [one]:
            return one.upper in ("TRUE", "1")
        case [one, equals, other]:
            is_constant = one.upper.isdecimal() or one.kind == "string"
            return is_constant and equals.upper == "=" and (one.text, one.kind) == (other.text, other.kind)
    return False


def delete(cursor: Cursor) -> Iterator[Statement]:
    """DELETE FROM."""
    cursor.at += 1
    if cursor.skip("FROM"):
        cursor.skip("ONLY")
        table = cursor.name()
        yield Statement(verb="delete", table=table, flags=_where(cursor))


def insert(cursor: Cursor) -> Iterator[Statement]:
    """INSERT and REPLACE, guarded where a second run adds no rows again."""
    flags = {"guarded"} if cursor.peek() == "REPLACE" else set()
    cursor.at += 1
    if cursor.skip("IGNORE") or (cursor.skip("OR") and (cursor.skip("IGNORE") or cursor.skip("REPLACE"))):
        flags.add("guarded")
    cursor.skip("INTO")
    table = cursor.name()
    words = [word.upper for word in cursor.words]
    if "CONFLICT" in words or "DUPLICATE" in words or ("EXISTS" in words and "NOT" in words):
        flags.add("guarded")
    if table:
        yield Statement(verb="insert", table=table, flags=frozenset(flags))


def merge(cursor: Cursor) -> Iterator[Statement]:
    """What it does to the rows that match, and to those that do not."""
    cursor.at += 1
    cursor.skip("INTO")
    cursor.skip("ONLY")
    table = cursor.name()
    done = {after.upper for word, after in pairwise(cursor.words) if word.upper == "THEN"}
    for word in CHANGES:
        if word in done and table:
            yield Statement(verb=word.lower(), table=table, flags=frozenset({"where", "guarded"}))


def truncate(cursor: Cursor) -> Iterator[Statement]:
    """TRUNCATE, of each table that is listed."""
    cursor.at += 1
    cursor.skip("TABLE")
    cursor.skip("ONLY")
    cascade = cursor.cascade()
    for table in cursor.listed():
        yield Statement(verb="truncate", table=table, flags=cascade)
