"""Any history of operations leads to the graph, the plan and the states that Django computes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from miglint.database import Database
from miglint.project.actions.indexes import groups_of
from miglint.project.attributes import bases_of, field_attributes
from miglint.project.columns import World, text_of
from miglint.project.graph import Graph
from miglint.project.history import replay
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.state import ModelState, ProjectState
from miglint.syntax.facts import Call, Items, Literal
from miglint.syntax.reader import read
from random_histories import Written, histories

HERE = Path(__file__).parent
# A longer run: MIGLINT_EXAMPLES=5000 python -m pytest tests/test_random_histories.py
EXAMPLES = int(os.environ.get("MIGLINT_EXAMPLES", "80"))
MODULE = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    replaces = [{replaces}]
    operations = [{operations}]
"""
History = dict[str, Written]
# What Django refuses when it makes classes of a state, and here it only computes them.
ONLY_RENDERED = ("unknown-base", "unknown-order")


def pairs(names: list[str]) -> str:
    return ", ".join(repr(tuple(name.split("."))) for name in names)


def source(each: Written) -> str:
    return MODULE.format(
        dependencies=pairs(each.dependencies), replaces=pairs(each.replaces), operations=each.operations
    )


# -- Django -------------------------------------------------------------------------------------------


class Django:
    """A process that computes states."""

    def __init__(self) -> None:
        command = [sys.executable, "-W", "ignore", str(HERE / "replay_worker.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def told(self, history: History) -> dict[str, Any]:
        folder = Path(tempfile.mkdtemp(prefix="history"))
        try:
            return self._ask(folder, history)
        finally:
            shutil.rmtree(folder)

    def _ask(self, folder: Path, history: History) -> dict[str, Any]:
        labels = sorted({name.partition(".")[0] for name in history})
        for label in labels:
            (folder / label / "migrations").mkdir(parents=True)
            (folder / label / "__init__.py").touch()
            (folder / label / "migrations" / "__init__.py").touch()
        for name, each in history.items():
            app, _, module = name.partition(".")
            (folder / app / "migrations" / f"{module}.py").write_text(source(each))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([str(folder), labels]), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "Django refuses the history"
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="module")
def django() -> Iterator[Django]:
    process = Django()
    yield process
    process.close()


# -- miglint ------------------------------------------------------------------------------------------


def told(history: History) -> dict[str, Any]:
    migrations = []
    for name, each in history.items():
        key = MigrationKey(*name.split("."))
        migrations.append(interpret(key, f"/{key}.py", read(source(each))))
    graph = Graph.build(migrations)
    replayed = replay(graph, database=Database())
    states = {str(key): described(replayed.state_after(key)) for key in graph.nodes}
    return {
        "problems": [
            problem.message for step in replayed.steps for problem in step.problems if problem.kind not in ONLY_RENDERED
        ],
        "plan": list(map(str, graph.plan())),
        "leaves": sorted(str(leaf) for app in graph.apps for leaf in graph.leaves(app)),
        "states": {**states, "": described(replayed.final)},
    }


def described(state: ProjectState) -> dict[str, Any]:
    return {str(model.key): model_of(model, state) for model in state.models()}


def model_of(model: ModelState, state: ProjectState) -> dict[str, Any]:
    world = World(state, {})
    fields = model.fields.items()
    arguments = {name: each.field.arguments for name, each in fields}
    return {
        "name": model.name,
        "bases": ["Model" if base == "django.db.models.Model" else base for base in bases_of(model, world)],
        "fields": [{"name": name, **dict(field_attributes(each.field, model, world))} for name, each in fields],
        "composite": {name: list(map(text_of, each.field.call.arguments)) for name, each in fields
                      if each.field.kind == "CompositePrimaryKey" and isinstance(each.field.call, Call)},
        "to_fields": {name: text_of(given["to_field"]) for name, given in arguments.items() if "to_field" in given},
        "options": sorted(model.options),
        "order": text_of(model.options.get("order_with_respect_to")),
        "table": text_of(model.options.get("db_table")) or None,
        "together": {name: sorted(map(list, groups_of(model.options.get(name)) or ()))
                     for name in ("unique_together", "index_together")},
        "managers": names_of(model),
        "indexes": [index.name for index in model.indexes],
        "constraints": [constraint.name for constraint in model.constraints],
    }  # fmt: skip


def names_of(model: ModelState) -> list[Any]:
    items = model.managers.items if isinstance(model.managers, Items) else ()
    names = [item.items[0] for item in items if isinstance(item, Items)]
    return [name.value for name in names if isinstance(name, Literal)]


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 80, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example,
                           HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(history=histories())
def test_any_history_is_what_django_makes_of_it(django: Django, history: History) -> None:
    actual, wanted = told(history), django.told(history)
    assert "refused" not in wanted, "only what Django accepts is drawn"
    assert actual["problems"] == []
    assert actual["leaves"] == wanted["leaves"]
    assert actual["plan"] == wanted["plan"]
    for name, state in wanted["states"].items():
        assert actual["states"][name] == state, name
