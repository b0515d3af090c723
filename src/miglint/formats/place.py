"""Where a finding is, for programs: a path in the repository, and lines and columns that are always there."""

from __future__ import annotations

from miglint.diagnostic import Diagnostic
from miglint.formats.terminal import visible
from miglint.report import Report
from miglint.text import NOWHERE, Position, Range, Span

_START = Range(Position(1, 1), Position(1, 1))


def path_of(diagnostic: Diagnostic, report: Report) -> str | None:
    """The path relative to the repository, with `/`; None for a finding about a whole project."""
    return report.path_in_repository(diagnostic.path) if diagnostic.path is not None else None


def range_of(diagnostic: Diagnostic, report: Report) -> Range:
    """The place in the file; its beginning for a finding about the file as a whole."""
    return place(diagnostic.path, diagnostic.span, report)


def place(path: str | None, span: Span | None, report: Report) -> Range:
    """Where a span is, without the line end that it may end with."""
    found = report.range_of(path, span) if span != NOWHERE else None
    if found is None:
        return _START
    if found.end.column == 1 and found.end.line > found.start.line and path is not None:
        line = found.end.line - 1
        return Range(found.start, Position(line, len(report.sources[path].line(line)) + 1))
    return found


def prose(text: str) -> str:
    """Several lines of text in which nothing of a user's can be a control character or a line of its own."""
    return "\n".join(visible(line.rstrip()) for line in text.strip("\n").split("\n"))


def full_text(diagnostic: Diagnostic) -> str:
    """The message as a sentence, and the advice."""
    title = visible(diagnostic.message)
    title += "" if title.endswith((".", "!", "?")) else "."
    return f"{title}\n\n{prose(diagnostic.help)}" if diagnostic.help.strip() else title
