"""What one statement does, whatever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from miglint.syntax.sql import rows, upkeep
from miglint.syntax.sql.alter import alter
from miglint.syntax.sql.create import create, drop
from miglint.syntax.sql.statement import Statement
from miglint.syntax.sql.words import Cursor

# Objects that belong to a table: what makes or drops them locks it.
_ATTACHED = ("trigger", "policy", "rule")
# Statements that touch no table's rows or definition.
_HARMLESS = {
    "SELECT", "SET", "RESET", "SHOW", "GRANT", "REVOKE", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT",
    "RELEASE", "COMMENT", "PRAGMA", "VALUES", "USE", "ANALYZE", "VACUUM", "CLUSTER", "LOCK", "END", "NOTIFY",
    "LISTEN", "DISCARD", "CHECKPOINT", "DEALLOCATE", "SECURITY",
}  # fmt: skip
_HARMLESS_OBJECTS = {
    "EXTENSION", "TYPE", "DOMAIN", "SEQUENCE", "SCHEMA", "FUNCTION", "PROCEDURE", "COLLATION", "ROLE", "VIEW",
    "POLICY", "STATISTICS", "TRIGGER", "MATERIALIZED", "AGGREGATE", "OPERATOR", "CAST", "PUBLICATION", "DATABASE",
    "TEXT", "RULE", "TABLESPACE", "SYSTEM", "EVENT", "SERVER", "FOREIGN", "LANGUAGE", "USER", "SUBSCRIPTION",
    "PRIVILEGES",
}  # fmt: skip
# What stands before and after the name in statements that PostgreSQL may refuse in a transaction.
_TOLD_APART: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("DISCARD", "ALL"), ()),
    (("ALTER", "DATABASE"), ("SET", "TABLESPACE")),
)


def read(cursor: Cursor) -> Iterator[Statement]:
    """The effects of one statement; one that says "not known" (`?`), or that it touches no table, where it has none."""
    first = cursor.peek()
    found = list(_READERS[first](cursor)) if first in _READERS else []
    yield from found or [_other(cursor)]


def _with(cursor: Cursor) -> Iterator[Statement]:
    """`WITH a AS (…) UPDATE …`: what the named queries change, and the statement after them."""
    while cursor.at < len(cursor.words) and cursor.peek() not in (*rows.CHANGES, "SELECT"):
        query = cursor.group()
        if query and query[0].upper in rows.CHANGES:
            yield from read(Cursor(query))
        elif not query:
            cursor.at += 1
    if cursor.at < len(cursor.words):
        yield from read(Cursor(cursor.left))


def _rename(cursor: Cursor) -> Iterator[Statement]:
    cursor.at += 1
    if cursor.skip("TABLE"):
        table = cursor.name()
        if cursor.skip("TO"):
            yield Statement(verb="rename-table", table=table, new_name=cursor.name())


def _other(cursor: Cursor) -> Statement:
    cursor.at = 0
    words = [word.upper for word in cursor.words]
    verb = words[0].lower()
    if words[:2] == ["ALTER", "TABLE"]:
        verb = " ".join(words[:2]).lower()
    known = words[0] in _HARMLESS or (
        words[0] in ("CREATE", "ALTER", "DROP") and bool(_HARMLESS_OBJECTS & set(words[1:5]))
    )
    if words[0] == "SELECT" and any(word.endswith("_SELECT") or word in ("INTO",) for word in words):
        known = False
    if words[0] in ("CREATE", "ALTER", "DROP") and known:
        verb = f"{verb} {next((w for w in words[1:5] if w in _HARMLESS_OBJECTS), '').lower()}"
    table = ""
    verb = _told_apart(cursor) or verb
    if verb.partition(" ")[2] in _ATTACHED or verb == "create statistics":
        table = cursor.name_after({"create statistics": "FROM", "create rule": "TO"}.get(verb, "ON"))
    return Statement(verb=verb if known else f"?{verb}", table=table)


def _told_apart(cursor: Cursor) -> str:
    """The verb of a statement that its object's name parts from the words that matter, "" for all others."""
    for before, after in _TOLD_APART:
        cursor.at = 0
        if cursor.skip(*before) and (not after or cursor.name()) and cursor.skip(*after):
            return " ".join((*before, *after)).lower()
    return ""


_READERS: dict[str, Callable[[Cursor], Iterator[Statement]]] = {
    "CREATE": create,
    "ALTER": alter,
    "DROP": drop,
    "TRUNCATE": rows.truncate,
    "UPDATE": rows.update,
    "DELETE": rows.delete,
    "INSERT": rows.insert,
    "REPLACE": rows.insert,
    "REINDEX": upkeep.reindex,
    "VACUUM": upkeep.vacuum,
    "ANALYZE": upkeep.analyze,
    "CLUSTER": upkeep.cluster,
    "REFRESH": upkeep.refresh,
    "COMMENT": upkeep.comment,
    "LOCK": upkeep.lock,
    "MERGE": rows.merge,
    "WITH": _with,
    "RENAME": _rename,
    "SELECT": rows.select,
}
