"""The indexes and constraints that Django leaves out, without a word, where the database has no such thing.

Source: BaseDatabaseSchemaEditor._unique_supported, _create_index_sql and _check_sql, and the features of each backend
(django.db.backends.*.features).
"""

from __future__ import annotations

from miglint.database import Database
from miglint.syntax.facts import Call, Expr, Items, Literal


def left_out(made: Expr, database: Database) -> str:
    """What an index or constraint is that Django does not make there: "conditional unique constraint"; "" if it does.

    Of a version that is given less exactly than the release that brought it, it is taken to be there.
    """
    if not isinstance(made, Call):
        return ""
    kind = made.callee.rpartition(".")[2]
    if kind == "UniqueConstraint":
        return next((f"{word} unique constraint" for word in _lacking(made, database)), "")
    if kind == "CheckConstraint":
        return "check constraint" if database.vendor == "mysql" and database.is_before(8, 0, 16) else ""
    return "expression index" if made.arguments and not database.expression_indexes else ""


def _lacking(made: Call, database: Database) -> list[str]:
    elsewhere = database.vendor != "postgresql"
    lacking = {
        "condition": ("conditional", database.is_mysql),
        "deferrable": ("deferrable", elsewhere),
        "include": ("covering", elsewhere),
        "nulls_distinct": ("nulls_distinct", elsewhere or database.is_before(15)),
    }
    found = [word for name, (word, lacks) in lacking.items() if lacks and is_given(made.keyword(name))]
    return [*found, "expression"] if made.arguments and not database.expression_indexes else found


def is_given(value: Expr | None) -> bool:
    """Whether an argument says something: neither absent, nor None, nor empty."""
    if isinstance(value, Items):
        return bool(value.items)
    return value is not None and not (isinstance(value, Literal) and value.kind == "none")
