"""Which statements use a value of an enumerated type that the same transaction has added: they are refused.

Source: https://www.postgresql.org/docs/current/sql-altertype.html ("cannot be used until after the transaction has
been committed"), check_safe_enum_use (src/backend/utils/adt/enum.c)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from miglint.database import Database
from miglint.databases.costs import is_refused_in_transaction, traits_of
from miglint.project.action import Execute
from miglint.project.columns import text_of
from miglint.project.history import Step
from miglint.project.operations import RunPython, RunSQL
from miglint.project.usage import Query, RawSQL, Usage, Use
from miglint.syntax.facts import Expr, Items, Literal, expressions
from miglint.syntax.sql import read_sql
from miglint.syntax.sql.words import cut

_ADDS = "alter type add value"
_ADDED = re.compile(r"\s*alter\s+type\s+(\S+)\s+add\s+value\s+(?:if\s+not\s+exists\s+)?'((?:[^']|'')*)'", re.I)
_MADE = re.compile(r"\s*create\s+type\s+(\S+)\s+as\s+enum\b", re.I)
# What only names a value, describes something by a text, or runs it later.
_HARMLESS = re.compile(
    r"\s*(?:alter\s+type|create\s+type|comment|do|create\s+(?:or\s+replace\s+)?(?:function|procedure))\b", re.I
)


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


def used_early(steps: tuple[Step, ...], usage_of: Callable[[Step], Usage], database: Database) -> Iterator[UsedEarly]:
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
        for use, text, given in _said(step, usage_of, database):
            if found := _MADE.match(text):
                made.add(_name(found[1]))
            elif found := _ADDED.match(text):
                if _name(found[1]) not in made:
                    added[found[2].replace("''", "'")] = (_name(found[1]), step)
            elif not _HARMLESS.match(text):
                said = {word.text for word in cut(text, database.vendor) or () if word.kind == "string"} | given
                for value in said & added.keys():
                    kind, by = added[value]
                    yield UsedEarly(
                        step=step, added=by, use=use, value=value, type=kind,
                        error=error.format(value=value, type=kind), certain=_is_cast(text, value, kind),
                    )  # fmt: skip
                    return


def _said(
    step: Step, usage_of: Callable[[Step], Usage], database: Database
) -> Iterator[tuple[Use | None, str, set[str]]]:
    """The statements of a step, each with the texts that it is given beside; queries of models have no statement."""
    if isinstance(step.operation, RunSQL):
        for text, given in _texts(step.operation.sql):
            for statement in read_sql(text, database.vendor):
                yield None, statement.text, given
    elif isinstance(step.operation, RunPython):
        for use in usage_of(step).of(Use):
            if isinstance(use, RawSQL) and not use.is_guarded:
                for statement in read_sql(text_of(use.text) or "", database.vendor):
                    yield use, statement.text, {text for each in use.call.arguments[1:] for text in _strings(each)}
            elif isinstance(use, Query) and not use.is_guarded:
                # By position stand names of fields.
                yield use, "", {text for keyword in use.call.keywords for text in _strings(keyword.value)}


def _texts(sql: Expr | None) -> Iterator[tuple[str, set[str]]]:
    """The strings of RunSQL's argument with their parameters. Source: RunSQL._run_sql"""
    parts = sql.items if isinstance(sql, Items) and sql.kind in ("list", "tuple") else (sql,)
    for part in parts:
        first, given = (part.items[0], part) if isinstance(part, Items) and part.items else (part, None)
        yield text_of(first) or "", _strings(given) if given is not None else set()


def _strings(expression: Expr) -> set[str]:
    return {each.text for each in expressions(expression) if isinstance(each, Literal) and each.kind == "str"}


def _name(written: str) -> str:
    """A type's name without its schema."""
    last = written.rpartition(".")[2]
    return last.strip('"') if '"' in last else last.lower()


def _is_cast(text: str, value: str, kind: str) -> bool:
    literal = re.escape("'" + value.replace("'", "''") + "'")
    name = rf'(?:[\w"]+\.)?"?{re.escape(kind)}"?'
    return re.search(rf"{literal}\s*(?:::|\bas\b)\s*{name}", text, re.I) is not None
