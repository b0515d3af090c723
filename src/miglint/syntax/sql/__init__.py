"""What an SQL text says: its statements, and what each does to tables.

The words come from sqlglot's tokenizer (comments, strings, dollar quotes, each dialect's quoting); the grammar is
the part of DDL that migrations use. A statement that is none of these keeps its first words; `?` before them says
that what it does is not known.
"""

from __future__ import annotations

from msgspec.structs import replace

from miglint.syntax.sql.statement import Statement

# Raised whenever the shape or the meaning of statements changes: remembered ones of another version are not used.
SQL_VERSION = 16
# Longer texts are data dumps: reading them takes long and says nothing.
_MAX_LENGTH = 500_000


def read_sql(text: str, vendor: str) -> tuple[Statement, ...]:
    """The statements of a text, one per effect (`ALTER TABLE a ADD b, DROP c` gives two)."""
    # Imported where there is SQL: a run that finds its report remembered only asks for the version.
    from miglint.syntax.sql.statements import read
    from miglint.syntax.sql.words import Cursor, cut, statements_in

    if len(text) > _MAX_LENGTH:
        return (Statement(verb="?", text=text[:200]),)
    words = cut(text, vendor)
    if words is None:
        return (Statement(verb="?", text=text),)
    parts = statements_in(words)
    statements: list[Statement] = []
    for part in parts:
        source = text[part[0].start : part[-1].end + 1]
        for statement in read(Cursor(part)):
            statements.append(replace(statement, text=source, alone=len(parts) == 1))
    return tuple(statements)
