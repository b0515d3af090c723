"""Released packages: nothing crashes, no graph finding is true of what Django loads, what is unreadable is listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from miglint.options import Options
from miglint.report import Report
from miglint.session import Session
from packages import PACKAGES, install

UNREADABLE = json.loads((Path(__file__).parent / "data" / "unreadable.json").read_text())


def lint(name: str) -> Report:
    root = install(name)
    return Session(Options(cache=False), cwd=root).report([root])


@pytest.fixture(scope="module", params=sorted(PACKAGES))
def linted(request: pytest.FixtureRequest) -> tuple[str, Report]:
    return request.param, lint(request.param)


def test_no_rule_crashes(linted: tuple[str, Report]) -> None:
    _, report = linted
    assert report.internal_errors == 0
    assert report.summary.migrations > 0


def test_no_graph_finding_accuses_a_package_that_django_loads(linted: tuple[str, Report]) -> None:
    _, report = linted
    assert [(d.code, d.message) for d in report.findings if d.code.startswith("MG1")] == []


def test_what_cannot_be_read_is_listed_with_its_reason(linted: tuple[str, Report]) -> None:
    name, report = linted
    found = sorted(
        {
            (report.path_in_repository(d.path or "").partition(f"{PACKAGES[name]}/")[2], d.subject.detail or d.message)
            for d in report.findings
            if d.code in ("MG901", "MG902")
        }
    )
    assert [list(entry) for entry in found] == UNREADABLE.get(name, [])
