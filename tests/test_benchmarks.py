"""What the benchmarks measure is what they say: valid histories, in stages that add up."""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from benchmarks.projects import write
from benchmarks.stages import STAGES

_ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "project"
    write(root, 200, apps=3)
    return root


def _run(*arguments: str) -> Any:
    path = os.pathsep.join([str(_ROOT / "src"), str(_ROOT)])
    command = [sys.executable, "-m", *arguments]
    ended = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout)


def test_a_made_up_project_has_as_many_migrations_as_asked_for_and_a_graph_without_fault(
    project: Path,
) -> None:
    report = _run("miglint", "check", "--no-cache", "--exit-zero", "--output-format", "json", str(project))
    assert report["summary"]["migrations"] == 200
    assert report["summary"]["unreadable_operations"] == 0
    # What Django could not load, or would refuse; two branches with one number are what they are.
    wrong = {each["code"] for each in report["diagnostics"] if each["code"][:3] in ("MG1", "MG9")}
    assert wrong <= {"MG106", "MG112", "MG115"}
    assert {"MG201", "MG302", "MG402"} <= {each["code"] for each in report["diagnostics"]}


def test_its_files_are_as_large_as_those_of_real_projects(project: Path) -> None:
    sizes = [path.stat().st_size for path in project.rglob("migrations/0*.py")]
    assert 700 < median(sizes) < 1_100


def test_the_same_number_gives_the_same_project(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "again", 200, apps=3)
    made = {path.relative_to(project): path.read_text() for path in project.rglob("*.py")}
    again = {path.relative_to(tmp_path / "again"): path.read_text() for path in (tmp_path / "again").rglob("*.py")}
    assert made == again


def test_a_warm_run_spends_nothing_on_the_history_and_the_rules(project: Path, tmp_path: Path) -> None:
    cold, warm = (_run("benchmarks.stages", str(project), str(tmp_path / "cache"))["seconds"] for _ in range(2))
    assert list(cold) == list(STAGES)
    assert all(cold[stage] > 0 for stage in ("discover", "read", "cache", "graph", "replay", "rules", "report"))
    assert (warm["replay"], warm["rules"]) == (0, 0)
