"""One line per finding, for editors and grep: `path:line:column: CODE [severity] message`."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.diagnostic import Diagnostic
from miglint.formats.terminal import View, visible
from miglint.formats.text import location
from miglint.report import Report


def render(report: Report, view: View) -> Iterator[str]:
    """The findings that count; the summary goes elsewhere."""
    return (f"{_line(diagnostic, report, view)}\n" for diagnostic in report.findings)


def _line(diagnostic: Diagnostic, report: Report, view: View) -> str:
    place = "-"
    if diagnostic.path is not None:
        place = location(diagnostic.path, diagnostic.span, report.sources.get(diagnostic.path), view)
    message = visible(diagnostic.message, ascii=view.ascii)
    return f"{place}: {diagnostic.code} [{diagnostic.severity.label}] {message}"
