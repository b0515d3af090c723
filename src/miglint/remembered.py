"""Whole reports, kept as long as no file that they follow from has changed: nothing is decoded, ordered or judged then.

A run with a base branch or a baseline is not remembered: what it says follows from more than files.
"""

from __future__ import annotations

import msgspec

from miglint.diagnostic import Diagnostic
from miglint.files import Asked
from miglint.report import Project, Report, Summary


class Remembered(msgspec.Struct, array_like=True, frozen=True):
    """A project's report, and what the disk was asked for it besides what its key says."""

    asked: Asked
    diagnostics: tuple[Diagnostic, ...]
    summary: Summary
    project: Project
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, report: Report, asked: Asked) -> Remembered:
        """What is kept of the report on one project."""
        return cls(asked, report.diagnostics, report.summary, report.projects[0], report.warnings, report.notes)
