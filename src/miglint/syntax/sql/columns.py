"""The definitions of columns, and the types they have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from miglint.syntax.sql.statement import Statement
from miglint.syntax.sql.words import Cursor, Word

# By what PostgreSQL calls their volatility.
VOLATILE_FUNCTIONS = {
    "RANDOM", "GEN_RANDOM_UUID", "UUID_GENERATE_V4", "UUID_GENERATE_V1", "CLOCK_TIMESTAMP", "NEXTVAL", "TIMEOFDAY",
}  # fmt: skip
CONSTRAINT_WORDS = {"CHECK", "FOREIGN", "UNIQUE", "PRIMARY", "EXCLUDE", "REFERENCES"}
_SERIAL = {"SERIAL", "BIGSERIAL", "SMALLSERIAL"}
# What stands before a parenthesis in definitions, and gives all rows the same value.
_KNOWN_STABLE = {
    "NOW", "CURRENT_TIMESTAMP", "LOWER", "UPPER", "COALESCE", "VARCHAR", "NUMERIC", "CHAR", "DECIMAL", "AS", "DEFAULT",
}  # fmt: skip
_AFTER_TYPE = {
    "NOT", "NULL", "DEFAULT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "CONSTRAINT", "GENERATED", "COLLATE",
    "USING", ",", ")", "FIRST", "AFTER", "COMMENT", "AUTO_INCREMENT", "DEFERRABLE", "CHARSET",
}  # fmt: skip
_ALIASES = {
    "int": "integer", "int4": "integer", "int8": "bigint", "int2": "smallint", "bool": "boolean",
    "timestamptz": "timestamp with time zone", "float8": "double precision", "decimal": "numeric",
    "character varying": "varchar",
}  # fmt: skip
_BUILTIN = {
    "integer", "bigint", "smallint", "boolean", "text", "varchar", "numeric", "char", "character", "uuid", "json",
    "jsonb", "date", "time", "timestamp", "interval", "bytea", "inet", "double precision", "real",
    "timestamp with time zone", "timestamp without time zone", "serial", "bigserial", "smallserial", "tsvector",
    "citext", "cidr", "money", "xml", "hstore", "datetime", "longtext", "mediumtext", "blob", "tinyint", "float",
    "double", "mediumint", "enum",
}  # fmt: skip


def column_of(cursor: Cursor, column: str) -> Statement:
    """What adding a column does, of which the definition without the name comes next."""
    kind = type_of(cursor)
    rest = cursor.left
    words = [word.upper for word in rest]
    text = " ".join(words)
    flags = {
        word
        for word, holds in {
            "not-null": "NOT NULL" in text or "PRIMARY KEY" in text,
            "default": "DEFAULT" in words and "BY DEFAULT" not in text,
            "unique": "UNIQUE" in words or "PRIMARY KEY" in text,
            "check": "CHECK" in words,
            "generated": "GENERATED ALWAYS AS (" in text,
            "identity": "AS IDENTITY" in text or "AUTO_INCREMENT" in words or (kind or "").upper() in _SERIAL,
            "empty": "DEFAULT" not in words,
            "collated": bool({"COLLATE", "CHARSET"} & {*words}) or "CHARACTER SET" in text,
        }.items()
        if holds
    }
    functions = {
        words[place]
        for place in range(1, len(words) - 1)
        if words[place + 1] == "(" and words[place - 1] not in ("REFERENCES", ".")
    }
    stored = "generated" in flags and "VIRTUAL" not in words
    if flags & {"identity"} or stored or (functions & VOLATILE_FUNCTIONS and "default" in flags):
        flags.add("volatile")
    elif "default" in flags and functions - _KNOWN_STABLE - CONSTRAINT_WORDS:
        flags.add("unknown-default")
    elif kind is not None and not _is_builtin(kind):
        flags.add("unknown-default")  # a domain with a constraint is checked by a rewrite
    to = next(referenced(rest), "")
    return Statement(verb="add-column", name=column, type=kind, to=to, flags=frozenset(flags))


def type_of(cursor: Cursor) -> str | None:
    """A column's type, as PostgreSQL spells it."""
    words: list[str] = []
    while cursor.at < len(cursor.words) and cursor.peek() not in _AFTER_TYPE and cursor.peek():
        if cursor.peek() == "CHARACTER" and cursor.peek(1) == "SET":
            break
        if cursor.peek() == "(":
            words[-1:] = [f"{''.join(words[-1:])}({', '.join(w.text for w in cursor.group() if w.text != ',')})"]
        else:
            words.append(cursor.peek().lower())
            cursor.at += 1
    return _canonical(" ".join(words)) or None


def referenced(words: list[Word]) -> Iterator[str]:
    """The tables that foreign keys among the words refer to."""
    for place, word in enumerate(words):
        if word.upper == "REFERENCES":
            yield Cursor(words, place + 1).name()


def _canonical(kind: str) -> str:
    """The name that PostgreSQL shows for a type."""
    kind = re.sub(r" ?\[ ?(\d*) ?\]", r"[\1]", kind)
    base = re.split(r"[(\[]", kind, maxsplit=1)[0]
    return _ALIASES.get(base.strip(), base.strip()) + kind[len(base) :]


def _is_builtin(kind: str) -> bool:
    return kind.partition("(")[0].partition("[")[0].strip() in _BUILTIN
