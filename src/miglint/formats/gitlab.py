"""GitLab's Code Quality report. Source: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator

from miglint.diagnostic import Severity
from miglint.formats.place import path_of, range_of
from miglint.formats.terminal import View, visible
from miglint.report import Report

_SEVERITY = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(report: Report, view: View) -> Iterator[str]:
    """A list of the findings that count, empty where there are none."""
    seen: Counter[str] = Counter()
    issues = []
    for diagnostic in report.findings:
        path, (start, end) = path_of(diagnostic, report), range_of(diagnostic, report)
        fingerprint = diagnostic.fingerprint
        seen[fingerprint] += 1
        if seen[fingerprint] > 1:  # GitLab shows only the first of two that are alike
            fingerprint = hashlib.sha256(f"{fingerprint} {seen[fingerprint]}".encode()).hexdigest()[:32]
        issues.append(
            {
                "description": f"{diagnostic.code}: {visible(diagnostic.message)}",
                "check_name": diagnostic.name,
                "fingerprint": fingerprint,
                "severity": _SEVERITY[diagnostic.severity],
                "location": {
                    "path": visible(path) if path is not None else ".",
                    "lines": {"begin": start.line, "end": end.line},
                },
            }
        )
    yield json.dumps(issues, separators=(",", ":")) + "\n"
