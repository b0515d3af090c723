"""GitHub's workflow commands: annotations on the lines of a pull request.

Source: https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions and the escapes of
https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
"""

from __future__ import annotations

from collections.abc import Iterator

from miglint.diagnostic import Diagnostic, Severity
from miglint.formats.place import full_text, path_of, range_of
from miglint.formats.terminal import View, visible
from miglint.report import Report

_COMMAND = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report, view: View) -> Iterator[str]:
    """One command per finding that counts. GitHub shows about ten a step, so the worst come first."""
    return (f"{_command(diagnostic, report)}\n" for diagnostic in report.by_severity())


def _command(diagnostic: Diagnostic, report: Report) -> str:
    path = path_of(diagnostic, report)
    properties: dict[str, str] = {}
    if path is not None:
        start, end = range_of(diagnostic, report)
        properties = {"file": visible(path), "line": str(start.line), "endLine": str(end.line)}
        if start.line == end.line:
            properties |= {"col": str(start.column), "endColumn": str(end.column)}
    properties["title"] = f"{diagnostic.code} {diagnostic.name}"
    words = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMAND[diagnostic.severity]} {words}::{_data(full_text(diagnostic))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
