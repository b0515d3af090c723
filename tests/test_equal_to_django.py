"""The graph, the plan and the state of real projects are those that Django computes; what is not is listed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import judge
from judge import RUNS, Comparison, Run, Unavailable, answer, compare, listed, project

# Of the facts of fields, how many must be known.
LEAST_EQUAL = 0.999


def comparison(run: Run, folder: Path) -> Comparison | None:
    """None where the machine has not the Python that the environment needs."""
    try:
        return compare(run, project(run, folder / "project"))
    except Unavailable:
        return None


@pytest.fixture(scope="module")
def comparisons(tmp_path_factory: pytest.TempPathFactory) -> dict[Run, Comparison]:
    """All runs that the machine can do, two at a time; each environment is built before."""
    for run in RUNS:
        try:
            judge.environment(run.environment)
        except Unavailable:
            continue
    folders = [tmp_path_factory.mktemp(str(run)) for run in RUNS]
    with ThreadPoolExecutor(2) as pool:
        found = dict(zip(RUNS, pool.map(comparison, RUNS, folders), strict=True))
    return {run: each for run, each in found.items() if each is not None}


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_nothing_differs_from_django_but_what_is_listed(run: Run, comparisons: dict[Run, Comparison]) -> None:
    if run not in comparisons:
        pytest.skip("no Python for this environment on this machine")
    differences = comparisons[run].differences
    known = listed(run)
    assert {name: values for name, values in differences.items() if name not in known} == {}
    assert sorted(known.keys() - differences.keys()) == [], "these have become equal and are not to be listed"


def test_hardly_a_fact_of_a_field_is_unknown(comparisons: dict[Run, Comparison]) -> None:
    facts = sum(each.facts for each in comparisons.values())
    unknown = sum(each.unknown for each in comparisons.values())
    assert facts >= 200_000
    assert 1 - unknown / facts >= LEAST_EQUAL


def test_no_fact_of_a_field_is_wrong(comparisons: dict[Run, Comparison]) -> None:
    assert {run: each.wrong for run, each in comparisons.items() if each.wrong} == {}


def test_the_projects_are_many_and_real(comparisons: dict[Run, Comparison]) -> None:
    migrations = {name for run in comparisons for name in answer(run)["plan"]}
    apps = {name.partition(".")[0] for name in migrations}
    assert len(migrations) >= 1_500
    assert len(apps) >= 100
