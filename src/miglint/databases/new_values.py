"""Which statements use a value of an enumerated type that the same transaction has added: they are refused.

Source: https://www.postgresql.org/docs/current/sql-altertype.html ("cannot be used until after the transaction has
been committed"), check_safe_enum_use (src/backend/utils/adt/enum.c)
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from miglint.database import Database
from miglint.databases.costs import is_refused_in_transaction, traits_of
from miglint.project.action import Execute
from miglint.project.columns import text_of
from miglint.project.history import Step
from miglint.project.operations import RunPython, RunSQL
from miglint.project.usage import Query, RawSQL, Use
from miglint.syntax.facts import Expr, Items, Literal, expressions
from miglint.syntax.sql import read_sql
from miglint.syntax.sql.statement import Statement
from miglint.syntax.sql.words import Cursor, Word, cut

_ADDS = "alter type add value"
_MAKES = "create type"
# What only names a value, describes something by a text, or runs it later.
_HARMLESS = ("alter type", "comment", "?do", "create function", "create procedure")


class UsedEarly(msgspec.Struct, frozen=True, kw_only=True):
    """A `step` uses a value that `added` has added to a type; `use` is the place in its code, None in RunSQL.

    `certain` where the statement says that the value is one of the type: `'new'::state`.
    """

    step: Step
    added: Step
    use: Use | None
    value: str
    type: str
    error: str
    certain: bool


def used_early(steps: tuple[Step, ...], database: Database) -> Iterator[UsedEarly]:
    """The first use of a new value in one transaction, the steps of an atomic migration."""
    error = traits_of(database.vendor).new_value
    adding = [each for step in steps for each in step.actions if isinstance(each, Execute) and each.verb == _ADDS]
    if not error or not adding or any(is_refused_in_transaction(action, database) for action in adding):
        return
    # Types that the transaction has made itself: since PostgreSQL 17 the values that they get are no exception.
    made: set[str] = set()
    added: dict[str, tuple[str, Step]] = {}
    for step in steps:
        if step.conditional or not step.touches_database:
            continue
        for use, statement, given in _said(step, database):
            kind = statement.name.rpartition(".")[2]
            if statement.verb == _MAKES:
                made.add(kind)
            elif statement.verb == _ADDS:
                if kind not in made:
                    added[statement.new_name] = (kind, step)
            elif statement.verb not in _HARMLESS:
                words = cut(statement.text, database.vendor) or []
                said = {word.text for word in words if word.kind == "string"} | given
                for value in said & added.keys():
                    kind, by = added[value]
                    yield UsedEarly(
                        step=step, added=by, use=use, value=value, type=kind,
                        error=error.format(value=value, type=kind), certain=_is_cast(words, value, kind),
                    )  # fmt: skip
                    return


def _said(step: Step, database: Database) -> Iterator[tuple[Use | None, Statement, set[str]]]:
    """The statements of a step, each with the texts that it is given beside; a query of a model has no text."""
    if isinstance(step.operation, RunSQL):
        for text, given in _texts(step.operation.sql):
            for statement in read_sql(text, database.vendor):
                yield None, statement, given
    elif isinstance(step.operation, RunPython):
        for use in step.usage.of(Use):
            if isinstance(use, RawSQL) and not use.is_guarded:
                for statement in read_sql(text_of(use.text) or "", database.vendor):
                    yield use, statement, {text for each in use.call.arguments[1:] for text in _strings(each)}
            elif isinstance(use, Query) and not use.is_guarded:
                # By position stand names of fields.
                given = {text for keyword in use.call.keywords for text in _strings(keyword.value)}
                yield use, Statement(verb="query"), given


def _texts(sql: Expr | None) -> Iterator[tuple[str, set[str]]]:
    """The strings of RunSQL's argument with their parameters. Source: RunSQL._run_sql"""
    parts = sql.items if isinstance(sql, Items) and sql.kind in ("list", "tuple") else (sql,)
    for part in parts:
        first, given = (part.items[0], part) if isinstance(part, Items) and part.items else (part, None)
        yield text_of(first) or "", _strings(given) if given is not None else set()


def _strings(expression: Expr) -> set[str]:
    return {each.text for each in expressions(expression) if isinstance(each, Literal) and each.kind == "str"}


def _is_cast(words: list[Word], value: str, kind: str) -> bool:
    """Whether a string is said to be of the type: `'new'::state`, `CAST('new' AS state)`."""
    for place, word in enumerate(words):
        if word.kind == "string" and word.text == value:
            cursor = Cursor(words[place + 1 :])
            if (cursor.skip("::") or cursor.skip("AS")) and cursor.name().rpartition(".")[2] == kind:
                return True
    return False
