"""Whole reports, kept as long as no file that they follow from has changed: nothing is decoded, ordered or judged then.

A run with a base branch or a baseline is not remembered: what it says follows from more than files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from miglint.diagnostic import Diagnostic, Severity
from miglint.report import Described, Project, Summary
from miglint.verdicts import Asked


class Line(msgspec.Struct, array_like=True, frozen=True):
    """A rule that was on, without its page."""

    code: str
    name: str
    summary: str
    severity: Severity
    category: str


class Remembered(msgspec.Struct, array_like=True, frozen=True):
    """A project's report, and what the disk was asked for it besides what its key says."""

    asked: Asked
    diagnostics: tuple[Diagnostic, ...]
    summary: Summary
    project: Project
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    rules: tuple[Line, ...]

    def described(self, page_of: Callable[[str], str]) -> tuple[Described, ...]:
        """The rules that were on; `page_of` gives the text of the page of a code."""
        return tuple(
            Described(r.code, r.name, r.summary, r.severity, r.category, lambda code=r.code: page_of(code))  # type: ignore[misc]
            for r in self.rules
        )


def lines(rules: Iterable[Described]) -> tuple[Line, ...]:
    """The rules without their pages."""
    return tuple(Line(r.code, r.name, r.summary, r.severity, r.category) for r in rules)
