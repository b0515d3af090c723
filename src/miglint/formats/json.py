"""The report for programs: one JSON object on one line, the same bytes for the same input."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from miglint.diagnostic import Change, Create, Delete, Diagnostic, Edit, Fix, Related, Rename, Subject
from miglint.formats.terminal import View
from miglint.report import Report, Summary, sort
from miglint.text import Range, Span


def render(report: Report, view: View) -> Iterator[str]:
    """Everything, what is suppressed included; paths are relative to the repository."""
    yield f'{{"version":1,"summary":{_written(_summary(report, report.summary))},"diagnostics":['
    for number, diagnostic in enumerate(sort(report.diagnostics, path_of=report.path_in_repository)):
        yield f"{',' if number else ''}{_written(_diagnostic(diagnostic, report))}"
    yield "]}\n"


def encode(document: dict[str, Any]) -> str:
    """One line of ASCII; lone surrogates, which JSON cannot carry (RFC 8259, 8.2), as their escapes' text."""
    return _written(document) + "\n"


def _written(document: dict[str, Any]) -> str:
    text = json.dumps(document, separators=(",", ":"))
    return json.dumps(_without_surrogates(document), separators=(",", ":")) if r"\ud" in text else text


_SURROGATE = re.compile("[\ud800-\udfff]")


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", value)
        case dict():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_surrogates(item) for item in value]
        case _:
            return value


def _summary(report: Report, summary: Summary) -> dict[str, Any]:
    counts = report.counts
    database, (django, django_source) = summary.database, summary.django
    return {
        "projects": summary.projects,
        "migrations": summary.migrations,
        "apps": summary.apps,
        "operations": summary.operations,
        "unreadable_operations": summary.unreadable_operations,
        "findings": {"error": counts.error, "warning": counts.warning, "info": counts.info},
        "suppressed": summary.suppressed,
        "baselined": summary.baselined,
        "database": {"name": database.vendor, "version": database.version_text, "source": database.source},
        "django": {"version": django, "source": django_source},
    }


def _diagnostic(diagnostic: Diagnostic, report: Report) -> dict[str, Any]:
    subject, path, suppressed = diagnostic.subject, diagnostic.path, diagnostic.suppressed
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.label,
        "confidence": diagnostic.confidence.label,
        "message": diagnostic.message,
        "help": diagnostic.help,
        "url": diagnostic.url,
        "path": report.path_in_repository(path) if path is not None else None,
        "app": subject.app,
        "migration": subject.migration,
        "operation": _operation(subject),
        "model": _model(subject),
        "field": subject.field,
        "range": range_of(report.range_of(path, diagnostic.span)),
        "related": [_related(related, report) for related in diagnostic.related],
        "fix": _fix(diagnostic.fix, report) if diagnostic.fix is not None else None,
        "fingerprint": diagnostic.fingerprint,
        "suppressed": {"kind": suppressed.kind, "reason": suppressed.reason} if suppressed else None,
    }


def _operation(subject: Subject) -> dict[str, Any] | None:
    if subject.operation is None:
        return None
    return {"path": list(subject.operation), "name": subject.operation_name}


def _model(subject: Subject) -> str | None:
    """`billing.invoice`: the app's label and the model's name as Django compares it."""
    if subject.model is None or "." in subject.model or subject.app is None:
        return subject.model
    return f"{subject.app}.{subject.model}"


def range_of(place: Range | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {"start": place.start._asdict(), "end": place.end._asdict()}


def _span(path: str, span: Span, report: Report) -> dict[str, Any] | None:
    return range_of(report.range_of(path, span))


def _related(related: Related, report: Report) -> dict[str, Any]:
    path = report.path_in_repository(related.path)
    return {"path": path, "range": _span(related.path, related.span, report), "message": related.message}


def _fix(fix: Fix, report: Report) -> dict[str, Any]:
    edits = [_change(change, report) for change in fix.edits]
    return {"title": fix.title, "safety": fix.safety, "edits": edits}


def _change(change: Change, report: Report) -> dict[str, Any]:
    path = report.path_in_repository(change.path)
    match change:
        case Edit():
            place = _span(change.path, change.span, report)
            return {"kind": "edit", "path": path, "range": place, "text": change.text}
        case Create():
            return {"kind": "create", "path": path, "text": change.text}
        case Rename():
            return {"kind": "rename", "path": path, "to": report.path_in_repository(change.to)}
        case Delete():
            return {"kind": "delete", "path": path}
