"""What is predicted agrees with what databases were measured to do, case by case and field by field.

data/effects/README.md says what was measured and how; data/effects/differences.toml lists the differences that are
known, each with its reason: one that is gone fails as one that is new does.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tomli

from effects import Prediction
from miglint.project.compatibility import STATEMENTS, Statement
from miglint.project.truth import Truth

DATA = Path(__file__).parent / "data" / "effects"
FILES = sorted(path.stem for path in DATA.glob("*-django*.json"))
_MEASURED_AS: dict[Statement, str] = {"edge": "insert_edge", "join": "m2m"}
_TRUTH = {Truth.YES: True, Truth.NO: False, Truth.UNKNOWN: None}

# The share of cases, of all files together, that must be equal: nothing is left out but what was not measured, and of
# what must be equal always, what no text of a migration could tell.
BARS = {
    "locks": 0.98, "rewritten": 0.98, "scans": 0.98, "indexes": 0.98, "reversible": 0.98, "old select": 0.98,
    "old insert": 0.98, "algorithm": 0.98, "blocks": 0.92, "rewrites": 1.0, "scans under ACCESS EXCLUSIVE": 1.0,
}  # fmt: skip


def read(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


@cache
def differences() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomli.loads((DATA / "differences.toml").read_text(encoding="utf-8"))["difference"]
    return found


def cases() -> Iterator[Any]:
    sources = read("cases")
    for file in FILES:
        measured = read(file)
        versions = measured.pop("")
        for name, case in measured.items():
            yield pytest.param(file, name, {**versions, **sources[name], **case}, id=f"{file}-{name}")


CASES = list(cases())
BY_NAMES: dict[tuple[str, str], dict[str, Any]] = {case.values[:2]: case.values[2] for case in CASES}


def listed(file: str, name: str) -> set[str]:
    """The fields that are known to differ."""
    return {
        each["field"]
        for each in differences()
        if name in each["cases"] and file.startswith(tuple(each.get("on", ("",))))
    }


def compared(case: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Each field that was measured: what is predicted, and what it was."""
    found = Prediction(case)
    fields: dict[str, tuple[Any, Any]] = {"reversible": (_TRUTH[found.reversible], case.get("reversible"))}
    if "error" in case:
        return {name: pair for name, pair in fields.items() if pair[1] is not None}
    vendor = found.database.vendor
    fields |= {
        "rewritten": (sorted(found.rewritten), case.get("rewritten")),
        "scans": (bool(found.scanned), case.get("scans")),
        "indexes": (found.indexes, len(case.get("indexes", ()))),
        "loses data": (_TRUTH[found.loses_data], case.get("loses_data")),
        "reverse loses data": (_TRUTH[found.reverse_loses_data], case.get("reverse_loses_data")),
        "new code before": (_TRUTH[found.new_code_before], case.get("new_code_before")),
        "rewrites": (bool(found.rewritten), bool(case["rewritten"]) if "rewritten" in case else None),
    }
    if vendor == "postgresql":
        fields |= {
            "locks": (found.locks, case.get("locks", {})),
            "scanned": (sorted(found.scanned), case.get("scanned")),
            "writes rows": (found.writes_rows, case.get("writes_rows")),
            "scans under ACCESS EXCLUSIVE": (
                found.scans_under_strongest_lock,
                _under_strongest_lock(case) if "scanned" in case else None,
            ),
        }
    elif vendor == "sqlite":
        fields["blocks"] = (sorted(found.blocks), case.get("blocks"))
    else:
        fields["algorithm"] = (found.worst, case.get("algorithm"))
    if "transactional" in case:
        fields["transactional"] = (found.transactional, case["transactional"])
    if "old_code_refused" in case:
        for statement in STATEMENTS:
            works = _MEASURED_AS.get(statement, statement) not in case["old_code_refused"]
            fields[f"old {statement}"] = (_TRUTH[found.old_code.can(statement)], works)
    return {name: pair for name, pair in fields.items() if pair[1] is not None or name == "algorithm"}


def _under_strongest_lock(case: dict[str, Any]) -> bool:
    return any(case.get("locks", {}).get(table) == "ACCESS EXCLUSIVE" for table in case["scanned"])


@cache
def compared_once(file: str, name: str) -> dict[str, tuple[Any, Any]]:
    """The same of a case by its names."""
    return compared(BY_NAMES[file, name])


@pytest.mark.parametrize(("file", "name", "case"), CASES)
def test_a_measured_case_is_predicted(file: str, name: str, case: dict[str, Any]) -> None:
    different = {field: pair for field, pair in compared_once(file, name).items() if pair[0] != pair[1]}
    known = listed(file, name)
    new = {field: pair for field, pair in different.items() if field not in known}
    assert new == {}, f"{case['operation']} (predicted, measured)"
    assert known - different.keys() == set(), "agrees by now: take it out of differences.toml"


def test_the_share_of_equal_cases_reaches_the_bars() -> None:
    measured: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    for case in CASES:
        file, name, _ = case.values
        outside = {each["field"] for each in differences() if name in each["cases"] and each.get("outside", False)}
        for field, (predicted, was) in compared_once(file, name).items():
            if BARS.get(field) == 1.0 and field in outside & listed(file, name):
                continue
            measured[field] += 1
            equal[field] += predicted == was
    shares = {field: equal[field] / measured[field] for field in measured}
    print("\n".join(f"{field:30} {equal[field]:5} of {measured[field]:5}  {shares[field]:.2%}" for field in shares))
    assert {field: share for field, share in shares.items() if share < BARS.get(field, 0)} == {}


def test_every_difference_names_cases_that_exist_and_says_why() -> None:
    known = {case.values[1] for case in CASES}
    assert [each["cases"] for each in differences() if not set(each["cases"]) <= known] == []
    assert [each["cases"] for each in differences() if not each["why"].endswith(".")] == []
