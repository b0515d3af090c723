"""ALTER TABLE, ALTER INDEX, ALTER DOMAIN, and ALTER TYPE that adds a value."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from miglint.syntax.sql.columns import CONSTRAINT_WORDS, column_of, type_of
from miglint.syntax.sql.expressions import named_in, proven_not_null, unwrapped
from miglint.syntax.sql.statement import Statement
from miglint.syntax.sql.words import Cursor, by_comma

_COLUMN_CLAUSES = {
    ("SET", "NOT", "NULL"): "set-not-null",
    ("DROP", "NOT", "NULL"): "drop-not-null",
    ("SET", "DEFAULT"): "set-default",
    ("DROP", "DEFAULT"): "drop-default",
    ("ADD", "GENERATED"): "add-identity",
    ("DROP", "IDENTITY"): "drop-identity",
}
_CLAUSE_VERBS = {
    ("SET", "UNLOGGED"): "set unlogged",
    ("SET", "LOGGED"): "set unlogged",
    ("SET", "TABLESPACE"): "set tablespace",
    ("SET", "("): "set storage parameters",
    ("RESET", "("): "set storage parameters",
    ("CLUSTER", "ON"): "set storage parameters",
    ("SET", "WITHOUT"): "set storage parameters",
    ("ENABLE", "TRIGGER"): "enable trigger",
    ("ENABLE", "ALWAYS"): "enable trigger",
    ("ENABLE", "REPLICA"): "enable trigger",
    ("DISABLE", "TRIGGER"): "enable trigger",
}
# Clauses of ALTER TABLE that change a table's properties only.
_OTHER_CLAUSES = {
    "OWNER", "ENABLE", "DISABLE", "REPLICA", "INHERIT", "NO", "FORCE", "RENAME", "CLUSTER", "SET", "RESET", "ALTER",
}  # fmt: skip


def alter(cursor: Cursor) -> Iterator[Statement]:
    """ALTER of an index, a domain, a table or the values of a type; nothing of other objects."""
    cursor.at += 1
    if cursor.skip("INDEX"):
        yield from _alter_index(cursor)
    elif cursor.skip("DOMAIN"):
        yield from _alter_domain(cursor)
    elif cursor.skip("TYPE"):
        yield from _add_value(cursor)
    elif cursor.skip("TABLE"):
        yield from _alter_table(cursor)


def _alter_index(cursor: Cursor) -> Iterator[Statement]:
    cursor.skip("IF", "EXISTS")
    name = cursor.name()
    if cursor.skip("RENAME", "TO"):
        yield Statement(verb="rename-index", name=name, new_name=cursor.name())
    elif cursor.skip("ATTACH", "PARTITION"):
        yield Statement(verb="alter index", name=name)


def _alter_table(cursor: Cursor) -> Iterator[Statement]:
    cursor.skip("IF", "EXISTS")
    cursor.skip("ONLY")
    table = cursor.name()
    cursor.skip("*")
    if not table:
        return
    if cursor.skip("SET", "SCHEMA"):
        schema, bare = cursor.name(), table.rpartition(".")[2]
        new = bare if schema == "public" else f"{schema}.{bare}"
        yield Statement(verb="rename-table", table=table, new_name=new)
        return
    if cursor.skip("ATTACH", "PARTITION"):
        yield Statement(verb="attach-partition", table=cursor.name(), to=table)
        yield Statement(verb="attach partition", table=table)
        return
    if cursor.skip("DETACH", "PARTITION"):
        partition = cursor.name()
        if cursor.peek() == "CONCURRENTLY":
            yield Statement(verb="detach partition concurrently", table=table)
        elif cursor.peek() == "FINALIZE":
            yield Statement(verb="set storage parameters", table=table)
        else:
            yield from (Statement(verb="alter table", table=each) for each in (table, partition))
        return
    for part in by_comma(cursor.left):
        clause = list(_clause(Cursor(part)))
        yield from (replace(statement, table=table) for statement in clause)
        if not clause:
            first, second = part[0].upper, part[1].upper if len(part) > 1 else ""
            known = "alter table" if first in _OTHER_CLAUSES else "?alter table"
            yield Statement(verb=_CLAUSE_VERBS.get((first, second), known), table=table)


def _alter_domain(cursor: Cursor) -> Iterator[Statement]:
    """What it has the tables do that use the domain."""
    name = cursor.name()
    if cursor.skip("ADD"):
        constraint = cursor.name() if cursor.skip("CONSTRAINT") else ""
        flags = frozenset({"not-valid"} if "VALID" in cursor.rest() else ())
        yield Statement(verb="add-domain-check", type=name, name=constraint, flags=flags)
        yield Statement(verb="define-domain", name=name, flags=frozenset({"checked"}))
    elif cursor.skip("SET", "NOT", "NULL"):
        yield Statement(verb="add-domain-check", type=name, name="NOT NULL")
        yield Statement(verb="define-domain", name=name, flags=frozenset({"checked"}))
    elif cursor.skip("VALIDATE", "CONSTRAINT"):
        yield Statement(verb="validate-domain", type=name, name=cursor.name())


def _add_value(cursor: Cursor) -> Iterator[Statement]:
    """The value that an enumerated type gets."""
    name = cursor.name()
    if cursor.skip("ADD", "VALUE"):
        flags = cursor.guard("IF", "NOT", "EXISTS")
        yield Statement(verb="alter type add value", name=name, new_name=cursor.string(), flags=flags)


def _clause(cursor: Cursor) -> Iterator[Statement]:
    """What one clause of ALTER TABLE does, without the table; nothing where it is none of these."""
    if cursor.skip("ADD"):
        yield from _add(cursor)
    elif cursor.skip("DROP"):
        yield from _drop(cursor)
    elif cursor.skip("RENAME", "TO") or cursor.skip("RENAME", "AS"):
        yield Statement(verb="rename-table", new_name=cursor.name())
    elif cursor.skip("RENAME", "INDEX") or cursor.skip("RENAME", "KEY"):
        name = cursor.name()
        cursor.skip("TO")
        yield Statement(verb="rename-index", name=name, new_name=cursor.name())
    elif cursor.peek() == "RENAME" and cursor.peek(1) != "CONSTRAINT":
        cursor.at += 1
        cursor.skip("COLUMN")
        name = cursor.name()
        cursor.skip("TO")
        new = cursor.name()
        if new:
            yield Statement(verb="rename-column", name=name, new_name=new)
    elif cursor.skip("COMMENT"):
        yield Statement(verb="comment")
    elif cursor.skip("VALIDATE", "CONSTRAINT"):
        yield Statement(verb="validate-constraint", name=cursor.name())
    elif cursor.peek() == "ALTER" and cursor.peek(1) not in ("CONSTRAINT", "INDEX"):
        cursor.at += 1
        cursor.skip("COLUMN")
        yield from _alter_column(cursor, cursor.name())
    elif cursor.peek() in ("MODIFY", "CHANGE"):
        changed = cursor.skip("CHANGE") or not cursor.skip("MODIFY")
        cursor.skip("COLUMN")
        name = cursor.name()
        new = cursor.name() if changed else name
        stated = column_of(cursor, name)
        yield Statement(verb="alter-column-type", name=name, type=stated.type, made=(stated,))
        if new != name:
            yield Statement(verb="rename-column", name=name, new_name=new)


def _add(cursor: Cursor) -> Iterator[Statement]:
    name = cursor.name() if cursor.skip("CONSTRAINT") and cursor.peek() not in CONSTRAINT_WORDS else ""
    if cursor.peek() in CONSTRAINT_WORDS:
        yield from _constraint(cursor, name)
        return
    if cursor.peek() in ("INDEX", "KEY", "FULLTEXT", "SPATIAL"):
        while cursor.peek() in ("INDEX", "KEY", "FULLTEXT", "SPATIAL"):
            cursor.at += 1
        index = cursor.name()
        yield Statement(verb="create-index", name=index, columns=cursor.names())
        return
    cursor.skip("COLUMN")
    guarded = cursor.guard("IF", "NOT", "EXISTS")
    column = cursor.name()
    if column:
        found = column_of(cursor, column)
        yield replace(found, flags=found.flags | guarded)


def _constraint(cursor: Cursor, name: str) -> Iterator[Statement]:
    not_valid = frozenset({"not-valid"} if "VALID" in cursor.rest() else ())
    if cursor.skip("CHECK"):
        words = cursor.group()
        columns, proven = tuple(named_in(words)), tuple(proven_not_null(words))
        yield Statement(verb="add-check", name=name, columns=columns, not_null=proven, flags=not_valid)
    elif cursor.skip("FOREIGN", "KEY"):
        columns = cursor.names()
        to = cursor.name() if cursor.skip("REFERENCES") else ""
        yield Statement(verb="add-foreign-key", name=name, columns=columns, to=to, flags=not_valid)
    elif cursor.skip("EXCLUDE"):
        yield Statement(verb="add-exclusion", name=name)
    elif cursor.peek() in ("UNIQUE", "PRIMARY"):
        verb = "add-unique" if cursor.skip("UNIQUE") else "add-primary-key"
        cursor.skip("PRIMARY", "KEY")
        cursor.skip("INDEX")
        cursor.skip("KEY")
        if cursor.skip("USING", "INDEX"):
            yield Statement(verb=verb, name=name, new_name=cursor.name())
        else:
            name = name or (cursor.name() if cursor.peek() != "(" else "")
            yield Statement(verb=verb, name=name, columns=cursor.names())


def _alter_column(cursor: Cursor, column: str) -> Iterator[Statement]:
    if cursor.skip("SET", "DATA", "TYPE") or cursor.skip("TYPE"):
        kind = type_of(cursor)
        yield Statement(verb="alter-column-type", name=column, type=kind, flags=_using(cursor, column, kind))
    elif cursor.skip("SET", "STATISTICS") or cursor.skip("SET", "(") or cursor.skip("RESET", "("):
        yield Statement(verb="set storage parameters", name=column)
    for words, verb in _COLUMN_CLAUSES.items():
        if cursor.skip(*words):
            yield Statement(verb=verb, name=column)
            return


def _using(cursor: Cursor, column: str, kind: str | None) -> frozenset[str]:
    """Whether USING gives another value than the column's own ("using"), or that one cast to the new type."""
    while cursor.at < len(cursor.words) and not cursor.skip("USING"):
        cursor.at += 1
    words = unwrapped(cursor.left)
    return _computed(Cursor(words), column, kind) if words else frozenset()


def _computed(cursor: Cursor, column: str, kind: str | None) -> frozenset[str]:
    """What the words of an expression make of a column: see `_using`."""
    called = cursor.skip("CAST", "(")
    own = cursor.name() == column
    casts = cursor.skip("AS" if called else "::")
    own = own and (not casts or type_of(cursor) == kind) and (not called or cursor.skip(")"))
    return frozenset({"using"} if not own or cursor.at < len(cursor.words) else {"cast"} if casts else ())


def _drop(cursor: Cursor) -> Iterator[Statement]:
    if cursor.skip("CONSTRAINT") or cursor.skip("FOREIGN", "KEY") or cursor.skip("CHECK"):
        guarded = cursor.guard("IF", "EXISTS")
        yield Statement(verb="drop-constraint", name=cursor.name(), flags=guarded)
    elif cursor.skip("PRIMARY", "KEY"):
        yield Statement(verb="drop-constraint")
    elif cursor.skip("INDEX") or cursor.skip("KEY"):
        yield Statement(verb="drop-index", name=cursor.name())
    else:
        cursor.skip("COLUMN")
        guarded = cursor.guard("IF", "EXISTS")
        column = cursor.name()
        if column:
            flags = guarded | ({"cascade"} if "CASCADE" in cursor.rest() else frozenset())
            yield Statement(verb="drop-column", name=column, flags=flags)
