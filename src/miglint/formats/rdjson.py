"""Reviewdog's diagnostic format. Source: https://github.com/reviewdog/reviewdog/blob/master/proto/rdf/reviewdog.proto"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from miglint.diagnostic import Diagnostic, Edit, Severity
from miglint.formats.json import encode
from miglint.formats.place import full_text, path_of, range_of
from miglint.formats.terminal import View
from miglint.report import Report
from miglint.text import Position, Range

_SEVERITY = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "INFO"}


def render(report: Report, view: View) -> Iterator[str]:
    """The findings that count; a column is a number of bytes in UTF-8, from 1."""
    diagnostics = [_diagnostic(diagnostic, report) for diagnostic in report.findings]
    yield encode({"source": {"name": "miglint"}, "diagnostics": diagnostics})


def _diagnostic(diagnostic: Diagnostic, report: Report) -> dict[str, Any]:
    location: dict[str, Any] = {"path": path_of(diagnostic, report) or ""}
    if diagnostic.path is not None:
        location["range"] = _range(diagnostic.path, range_of(diagnostic, report), report)
    found: dict[str, Any] = {
        "message": full_text(diagnostic),
        "location": location,
        "severity": _SEVERITY[diagnostic.severity],
        "code": {"value": diagnostic.code, **({"url": diagnostic.url} if diagnostic.url else {})},
    }
    suggestions = list(_suggestions(diagnostic, report))
    return {**found, "suggestions": suggestions} if suggestions else found


def _suggestions(diagnostic: Diagnostic, report: Report) -> Iterator[dict[str, Any]]:
    """The edits of a fix that changes only this file: a suggestion can do no more."""
    edits = diagnostic.fix.edits if diagnostic.fix is not None else ()
    if not all(isinstance(edit, Edit) and edit.path == diagnostic.path for edit in edits):
        return
    for edit in edits:
        place = report.range_of(edit.path, edit.span) if isinstance(edit, Edit) else None
        if isinstance(edit, Edit) and place is not None:
            yield {"range": _range(edit.path, place, report), "text": edit.text}


def _range(path: str, place: Range, report: Report) -> dict[str, dict[str, int]]:
    return {"start": _position(path, place.start, report), "end": _position(path, place.end, report)}


def _position(path: str, position: Position, report: Report) -> dict[str, int]:
    source = report.sources.get(path)
    before = source.line(position.line)[: position.column - 1] if source is not None else ""
    return {"line": position.line, "column": len(before.encode("utf-8", "replace")) + 1}
