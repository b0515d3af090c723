"""Which rules are on, and which findings are shown."""

from __future__ import annotations

import pytest

from miglint.diagnostic import Severity
from miglint.selection import Selection

RULE = ("MG302", "index-blocks-writes")


@pytest.mark.parametrize(
    "select, ignore, extend, expected",
    [
        pytest.param((), (), (), True, id="by default all are on"),
        pytest.param((), ("MG3",), (), False, id="an ignored prefix is off"),
        pytest.param((), ("ALL",), (), False, id="ALL against the default ALL is off"),
        pytest.param(("MG302",), ("MG3",), (), True, id="a code is longer than a prefix"),
        pytest.param(("MG3",), ("MG302",), (), False, id="an ignored code is longer than a prefix"),
        pytest.param(("MG30",), ("MG3",), (), True, id="the longer prefix decides"),
        pytest.param(("MG3",), ("MG3",), (), False, id="at equal length ignore wins"),
        pytest.param(("index-blocks-writes",), ("MG302",), (), False, id="a name is as long as a code"),
        pytest.param(("index-blocks-writes",), ("MG30",), (), True, id="a name is longer than a prefix"),
        pytest.param(("MG1",), (), (), False, id="what is not selected is off"),
        pytest.param(("MG1",), (), ("MG3",), True, id="extend-select adds to select"),
        pytest.param(("ALL",), ("MG3",), ("MG302",), True, id="extend-select takes part by length"),
        pytest.param(("index",), (), (), False, id="the beginning of a name is no selector"),
        pytest.param(("",), (), (), False, id="an empty text selects nothing"),
    ],
)
def test_the_longest_selector_decides(
    select: tuple[str, ...], ignore: tuple[str, ...], extend: tuple[str, ...], expected: bool
) -> None:
    assert Selection(select=select, ignore=ignore, extend_select=extend).is_on(*RULE) == expected


@pytest.mark.parametrize(
    "severity, expected",
    [
        ({}, Severity.WARNING),
        ({"MG302": "error"}, Severity.ERROR),
        ({"index-blocks-writes": "info"}, Severity.INFO),
        ({"MG3": "info"}, Severity.INFO),
        ({"MG3": "info", "MG302": "error"}, Severity.ERROR),
        ({"MG1": "error"}, Severity.WARNING),
    ],
)
def test_the_closest_severity_setting_counts(severity: dict[str, str], expected: Severity) -> None:
    assert Selection(severity=severity).severity_of(*RULE, Severity.WARNING) == expected


@pytest.mark.parametrize("selectors", [("ALL",), ("MG3",), ("MG302",), ("index-blocks-writes",)])
def test_info_is_shown_where_its_rule_is_asked_for(selectors: tuple[str, ...]) -> None:
    assert Selection(select=selectors).reports(*RULE, Severity.INFO)
    assert Selection(extend_select=selectors).reports(*RULE, Severity.INFO)


def test_info_is_hidden_where_nobody_asks() -> None:
    assert not Selection().reports(*RULE, Severity.INFO)
    assert not Selection(extend_select=("MG1",)).reports(*RULE, Severity.INFO)


def test_what_a_setting_raises_above_info_is_shown() -> None:
    selection = Selection(severity={"MG302": "warning"})
    assert selection.reports(*RULE, selection.severity_of(*RULE, Severity.INFO))
