"""SARIF 2.1.0, as GitHub's code scanning and editors read it.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html and
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from miglint import __version__
from miglint.diagnostic import Create, Diagnostic, Edit, Fix, Severity
from miglint.formats.json import encode
from miglint.formats.place import full_text, path_of, place, prose, range_of
from miglint.formats.terminal import View
from miglint.report import Described, Report, sort
from miglint.text import Range

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# The package, by its package URL: https://github.com/package-url/purl-spec
_INFORMATION = f"pkg:pypi/miglint@{__version__}"
_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PROBLEM = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
# GitHub cuts descriptions at this length.
_LONGEST = 1024
_SEE = re.compile(r"^## See\n\n(\S+)", re.MULTILINE)


def render(report: Report, view: View) -> Iterator[str]:
    """All findings; what is ignored or in the baseline is marked, not left out: else alerts come and go."""
    diagnostics = sort(report.diagnostics, path_of=report.path_in_repository)
    rules = report.rules()
    index = {rule.code: number for number, rule in enumerate(rules)}
    driver = {
        "name": "miglint",
        "semanticVersion": __version__,
        "version": __version__,
        "informationUri": _INFORMATION,
        "rules": [_rule(rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not report.internal_errors}],
        "results": [_result(diagnostic, report, index) for diagnostic in diagnostics],
    }
    yield encode({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Described) -> dict[str, Any]:
    page = rule.page()
    _, summary, *paragraphs = page.split("\n\n")
    why = next((p for p in paragraphs if not p.startswith("#")), summary)
    see = _SEE.search(page)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": _cut(summary)},
        "fullDescription": {"text": _cut(" ".join(why.split()))},
        "help": {"text": page, "markdown": page},
        "helpUri": see[1] if see is not None else _INFORMATION,
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
        "properties": {
            "tags": ["django", "migrations", rule.category],
            "precision": "high",
            "problem.severity": _PROBLEM[rule.severity],
        },
    }


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _result(diagnostic: Diagnostic, report: Report, index: dict[str, int]) -> dict[str, Any]:
    path = path_of(diagnostic, report)
    suppressed = diagnostic.suppressed
    result: dict[str, Any] = {"ruleId": diagnostic.code}
    if diagnostic.code in index:
        result["ruleIndex"] = index[diagnostic.code]
    result |= {
        "level": _LEVEL[diagnostic.severity],
        "message": {"text": full_text(diagnostic)},
        "locations": [_location(path, range_of(diagnostic, report))] if path is not None else [],
        "partialFingerprints": {"miglint/v1": diagnostic.fingerprint},
        "properties": {"confidence": diagnostic.confidence.label},
        "suppressions": [_suppression(suppressed.kind, suppressed.reason)] if suppressed is not None else [],
    }
    related = [
        {
            "id": number,
            **_location(report.path_in_repository(each.path), place(each.path, each.span, report)),
            "message": {"text": prose(each.message)},
        }
        for number, each in enumerate(diagnostic.related)
    ]
    if related:
        result["relatedLocations"] = related
    fix = _fix(diagnostic.fix, report) if diagnostic.fix is not None else None
    if fix is not None:
        result["fixes"] = [fix]
    return result


def _location(path: str, place: Range) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(path)}, "region": _region(place)}}


def _uri(path: str) -> str:
    """A relative reference; a path outside every repository is absolute."""
    return quote(path) if not path.startswith("/") else f"file://{quote(path)}"


def _region(place: Range) -> dict[str, int]:
    return {
        "startLine": place.start.line,
        "startColumn": place.start.column,
        "endLine": place.end.line,
        "endColumn": place.end.column,
    }


def _suppression(kind: str, reason: str | None) -> dict[str, str]:
    found = {"kind": "inSource" if kind == "inline" else "external", "status": "accepted"}
    return {**found, "justification": reason} if reason else found


def _fix(fix: Fix, report: Report) -> dict[str, Any] | None:
    """What SARIF can say: texts that change and files that come, but neither go nor are renamed."""
    changes: dict[str, list[dict[str, Any]]] = {}
    for change in fix.edits:
        if isinstance(change, Edit):
            found = report.range_of(change.path, change.span)
            if found is None:
                return None
            region, text = _region(found), change.text
        elif isinstance(change, Create):
            region, text = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}, change.text
        else:
            return None
        replacement = {"deletedRegion": region, "insertedContent": {"text": text}}
        changes.setdefault(_uri(report.path_in_repository(change.path)), []).append(replacement)
    return {
        "description": {"text": prose(fix.title)},
        "artifactChanges": [
            {"artifactLocation": {"uri": uri}, "replacements": replacements} for uri, replacements in changes.items()
        ],
    }
