"""The rules as a table, and their pages as text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from miglint import plugins
from miglint.database import Database
from miglint.databases.costs import Row, cost_table
from miglint.formats.json import encode
from miglint.formats.terminal import columns
from miglint.project.action import Action
from miglint.rule import Rule
from miglint.selection import Selection


class UnknownRule(Exception):
    """No rule has that code or name; says which is near."""


class Entry(NamedTuple):
    """A line of the rule table; `page` is the text of its page."""

    code: str
    name: str
    summary: str
    severity: str
    category: str
    page: str


def entries(rules: Iterable[Rule]) -> list[Entry]:
    """The rules and the findings about the analysis, by code."""
    found = [Entry(r.code, r.name, r.summary, r.severity.label, r.category, plugins.page_of(r)) for r in rules]
    for code, (name, severity) in plugins.META.items():
        page = plugins.meta_page(code)
        found.append(Entry(code, name, _summary(page), severity, "meta", page))
    return sorted(found)


def _summary(page: str) -> str:
    return next(line for line in page.splitlines()[1:] if line.strip())


def rules_text(table: list[Entry]) -> str:
    """One line per rule."""
    rows = [(entry.code, entry.severity, entry.name, entry.summary) for entry in table]
    return "\n".join(columns(rows)) + "\n"


def rules_json(table: list[Entry], selection: Selection) -> str:
    """The table for programs. Pages are markdown."""
    rows = [
        {
            "code": entry.code,
            "name": entry.name,
            "summary": entry.summary,
            "severity": entry.severity,
            "category": entry.category,
            "fixable": "## Fixed" in entry.page,
            "enabled": selection.is_on(entry.code, entry.name),
            "page": entry.page,
        }
        for entry in table
    ]
    return encode({"version": 1, "rules": rows})


def page(rule: str, rules: Sequence[Rule], database: Database) -> str:
    """A rule's page by its code or name, with what its actions cost on a database. Raises UnknownRule."""
    table = entries(rules)
    for entry in table:
        if rule.upper() == entry.code or rule.lower() == entry.name:
            return entry.page.rstrip("\n") + "\n" + _costs(entry.code, rules, database)
    words = [word for entry in table for word in (entry.code, entry.name)]
    near = difflib.get_close_matches(rule, words, n=1) or difflib.get_close_matches(rule.upper(), words, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; `miglint rules` lists them all"
    raise UnknownRule(f"there is no rule {rule!r}{hint}")


def _costs(code: str, rules: Iterable[Rule], database: Database) -> str:
    """The rows of the database's cost table for the actions that a rule is asked about, as a section of its page."""
    rule = next((rule for rule in rules if rule.code == code), None)
    kinds = {kind.kind() for kind in rule.on if issubclass(kind, Action)} if rule is not None else set()
    rows = [row for row in cost_table(database.vendor) if row.action in kinds]
    lines = [_row(row) for row in rows if row.holds(database.version)]
    return "\n".join(["", f"## On {database.title}", "", *lines, ""]) if lines else ""


def _row(row: Row) -> str:
    when = f" ({', '.join(sorted(row.when))})" if row.when else ""
    since = f", since {'.'.join(map(str, row.since))}" if row.since else ""
    lock = f"{row.cost.lock}, " if row.cost.lock else ""
    measured = "" if row.cost.measured else " Not measured."
    return f"- `{row.action}`{when}{since}: {lock}{row.cost.duration}. {row.cost.why}{measured}"
