"""JUnit's XML, as CI servers read it: a test case per finding, and one that passes per file without any."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from miglint.diagnostic import Diagnostic, Severity
from miglint.formats.place import full_text, path_of, range_of
from miglint.formats.terminal import View, visible
from miglint.report import Report


def render(report: Report, view: View) -> Iterator[str]:
    """All that counts. A finding at info is a case that passes and says something; a crash of miglint is an error."""
    cases = [_found(diagnostic, report) for diagnostic in report.findings]
    cases += [_clean(path) for path in _clean_paths(report)]
    errors = sum(diagnostic.code == "MG999" for diagnostic in report.findings)
    failures = sum(diagnostic.severity > Severity.INFO for diagnostic in report.findings) - errors
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="miglint" {counts} time="0">',
        f'  <testsuite name="miglint" {counts} skipped="0" time="0">',
        *cases,
        "  </testsuite>",
        "</testsuites>",
    ]
    yield "\n".join(lines) + "\n"


def _clean_paths(report: Report) -> Iterator[str]:
    found = {diagnostic.path for diagnostic in report.findings}
    for project in report.projects:
        for path in project.files:
            if path not in found:
                yield report.path_in_repository(path)


def _clean(path: str) -> str:
    shown = _attribute(path)
    return f'    <testcase classname={shown} name="no findings" file={shown} time="0"/>'


def _found(diagnostic: Diagnostic, report: Report) -> str:
    path = path_of(diagnostic, report) or "project"
    start = range_of(diagnostic, report).start
    name = f"{diagnostic.code} {diagnostic.name} ({start.line}:{start.column})"
    case = f"    <testcase classname={_attribute(path)} name={_attribute(name)} file={_attribute(path)}"
    text = f"{path}:{start.line}:{start.column}\n{full_text(diagnostic)}\nsee: miglint explain {diagnostic.code}"
    if diagnostic.severity == Severity.INFO:
        return f'{case} line="{start.line}" time="0">\n      <system-out>{_text(text)}</system-out>\n    </testcase>'
    kind = "error" if diagnostic.code == "MG999" else "failure"
    about = f"message={_attribute(diagnostic.message)} type={_attribute(diagnostic.code)}"
    return f'{case} line="{start.line}" time="0">\n      <{kind} {about}>{_text(text)}</{kind}>\n    </testcase>'


def _attribute(text: str) -> str:
    return quoteattr(visible(text))


def _text(text: str) -> str:
    """Without what XML 1.0 cannot hold, even escaped. Source: https://www.w3.org/TR/xml/#charsets"""
    return escape("\n".join(visible(line) for line in text.split("\n")))
