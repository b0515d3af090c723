"""The actions of a migration are the statements that Django really executed for it, in the order of the database."""

from __future__ import annotations

import re
from typing import Any

import pytest

from effects import Prediction
from miglint.project.action import (
    Action,
    AddUnique,
    DropConstraint,
    DropForeignKey,
    DropTable,
    Execute,
    Reference,
)
from miglint.project.statements import sql_actions
from miglint.syntax.sql import read_sql
from test_effects import CASES

# A statement that says several things on MySQL: MODIFY column type NULL.
_MODIFY = ("alter-column-type", "set-not-null", "drop-not-null")
# What is no change of a table: questions, and settings of the session.
_ASIDE = re.compile(r"\s*(SELECT|SET CONSTRAINTS|ALTER SEQUENCE|SET )", re.I)


def executed(case: dict[str, Any], found: Prediction) -> list[tuple[str, str]]:
    """The statements that were executed, as actions."""
    actions: list[Action] = []
    for text in case.get("sql", ()):
        for statement in text.split("; "):
            if not _ASIDE.match(statement):
                actions += sql_actions(statement, found.database)
    return spelled(actions, found)


def spelled(actions: list[Action], found: Prediction) -> list[tuple[str, str]]:
    """Kind and table of each, without what is part of another's statement."""
    mysql = found.database.is_mysql
    result: list[tuple[str, str]] = []
    dropped: set[str] = set()
    for action in actions:
        kind = action.kind()
        if isinstance(action, DropTable):
            dropped.add(action.table)
        if isinstance(action, DropForeignKey) and action.to_table in dropped:
            continue  # DROP TABLE … CASCADE takes it along
        if isinstance(action, Reference | Execute) or (isinstance(action, AddUnique) and action.inline):
            continue
        if isinstance(action, DropForeignKey):
            kind = "drop-constraint"
        if mysql and kind in _MODIFY:
            kind = "modify"
        if mysql and kind in ("set-default", "drop-default"):
            kind = "default"
        if mysql and isinstance(action, DropConstraint) and action.constraint in ("unique", "primary key"):
            kind = "drop-index"
        if mysql and kind in ("add-identity", "drop-identity"):
            continue
        # An index is dropped and renamed without its table's name.
        result.append((kind, "" if kind in ("drop-index", "rename-index") else action.table))
    return result


def _is_compared(case: Any) -> bool:
    """Not SQLite's, whose copies are another form; not SQL given as such; not code that the source does not hold."""
    file, name, measured = case.values
    return "sqlite" not in file and "error" not in measured and not name.startswith(("sql_", "run_python"))


@pytest.mark.parametrize(("file", "name", "case"), [case for case in CASES if _is_compared(case)])
def test_the_actions_are_the_statements(file: str, name: str, case: dict[str, Any]) -> None:
    found = Prediction(case)
    assert spelled(list(found.actions), found) == executed(case, found)


@pytest.mark.parametrize(("depth", "proven"), [(0, ("a",)), (10, ("a",)), (2_000, ())])
def test_many_parentheses_hide_what_a_condition_proves_and_nothing_else(depth: int, proven: tuple[str, ...]) -> None:
    condition = f"{'(' * depth}a IS NOT NULL{')' * depth}"
    (found,) = read_sql(f"ALTER TABLE item ADD CONSTRAINT c CHECK ({condition})", "postgresql")
    assert (found.verb, found.columns, found.not_null) == ("add-check", ("a",), proven)


@pytest.mark.parametrize(("depth", "flags"), [(0, ()), (10, ()), (20_000, ("using",))])
def test_many_parentheses_hide_what_using_computes_and_take_no_longer(depth: int, flags: tuple[str, ...]) -> None:
    value = f"{'(' * depth}a{')' * depth}"
    (found,) = read_sql(f"ALTER TABLE item ALTER COLUMN a TYPE text USING {value}", "postgresql")
    assert (found.verb, found.type, found.flags) == ("alter-column-type", "text", frozenset(flags))


@pytest.mark.parametrize(("depth", "flags"), [(0, ()), (10, ()), (20_000, ("where",))])
def test_many_parentheses_hide_what_where_leaves_out_and_take_no_longer(depth: int, flags: tuple[str, ...]) -> None:
    (found,) = read_sql(f"DELETE FROM item WHERE {'(' * depth}1 = 1{')' * depth}", "postgresql")
    assert (found.verb, found.flags) == ("delete", frozenset(flags))


@pytest.mark.parametrize(
    ("text", "tables"),
    [
        ("ALTER TABLE app_item SET SCHEMA archive", ("app_item", "archive.app_item")),
        ("ALTER TABLE IF EXISTS archive.app_item SET SCHEMA public", ("archive.app_item", "app_item")),
    ],
)
def test_a_table_in_another_schema_has_another_name(text: str, tables: tuple[str, str]) -> None:
    (found,) = read_sql(text, "postgresql")
    assert (found.verb, found.table, found.new_name) == ("rename-table", *tables)
