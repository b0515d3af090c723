"""Real graphs, changed: what goes missing, is renamed or is tied otherwise has the consequences that Django sees."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.db.migrations.exceptions import CircularDependencyError, NodeNotFoundError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration as DjangoMigration

from judge import Run, answer, packages_of
from miglint.project.graph import Graph
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.syntax.reader import read

RUNS = [Run("wagtail", "sites"), Run("oscar", "sites"), Run("cms", "sites"), Run("enterprise", "enterprise")]
# At most this many changes of a kind for each graph, spread over it.
MOST = 12
MODULE = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {dependencies}
    run_before = {run_before}
    replaces = {replaces}
"""
Key = tuple[str, str]
Declared = dict[Key, dict[str, list[Key]]]


@cache
def declared(run: Run) -> Declared:
    """The edges of every migration of a run, as Django loaded them."""
    return {
        (each["app"], each["name"]): {
            attribute: [(app, name) for app, name in each[attribute]]
            for attribute in ("dependencies", "run_before", "replaces")
        }
        for each in answer(run)["declared"]
    }


# -- Django -------------------------------------------------------------------------------------------


class Told(MigrationLoader):
    """A loader that is told what it would find on disk."""

    def __init__(self, migrations: Declared) -> None:
        self._told = migrations
        super().__init__(None)

    def load_disk(self) -> None:
        self.unmigrated_apps: set[str] = set()
        self.migrated_apps = {app for app, _ in self._told}
        self.disk_migrations: dict[Key, DjangoMigration] = {}
        for (app, name), edges in self._told.items():
            migration = DjangoMigration(name, app)
            for attribute, entries in edges.items():
                setattr(migration, attribute, list(entries))
            self.disk_migrations[app, name] = migration


def of_django(migrations: Declared) -> dict[str, Any]:
    """The plan and the conflicts, or what Django raises."""
    try:
        loader = Told(migrations)
    except NodeNotFoundError as error:
        return {"missing": str(error)}
    except CircularDependencyError:
        return {"cycle": True}
    plan = loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True)
    return {"plan": plan, "conflicts": {app: sorted(names) for app, names in loader.detect_conflicts().items()}}


# -- miglint ------------------------------------------------------------------------------------------


@cache
def migration(key: Key, text: str) -> Migration:
    return interpret(MigrationKey(*key), f"/{key[0]}/migrations/{key[1]}.py", read(text))


def graph_of(migrations: Declared) -> Graph:
    return Graph.build([migration(key, MODULE.format(**edges)) for key, edges in migrations.items()])


def of_miglint(migrations: Declared, wanted: dict[str, Any]) -> dict[str, Any]:
    """The same of miglint, which goes on where Django stops: of several missing nodes the one that Django names."""
    graph = graph_of(migrations)
    missing = [problem.message for problem in graph.problems if problem.kind in ("missing-parent", "missing-child")]
    if missing:
        return {"missing": wanted["missing"] if wanted.get("missing") in missing else missing}
    if any(problem.kind == "cycle" for problem in graph.problems):
        return {"cycle": True}
    leaves = {app: sorted(leaf.name for leaf in graph.leaves(app)) for app in graph.apps}
    conflicts = {app: names for app, names in leaves.items() if len(names) > 1}
    return {"plan": [tuple(key) for key in graph.plan()], "conflicts": conflicts}


# -- changes ------------------------------------------------------------------------------------------


def spread(keys: list[Key]) -> list[Key]:
    return keys if len(keys) <= MOST else [keys[number * (len(keys) - 1) // (MOST - 1)] for number in range(MOST)]


def without(migrations: Declared, key: Key) -> Declared:
    return {each: edges for each, edges in migrations.items() if each != key}


def merges(migrations: Declared) -> list[Key]:
    return [
        key for key, edges in migrations.items() if len([app for app, _ in edges["dependencies"] if app == key[0]]) > 1
    ]


def deleted_merges(migrations: Declared) -> Iterator[Declared]:
    yield from (without(migrations, key) for key in spread(merges(migrations)))


def deleted_last_merges(migrations: Declared) -> Iterator[Declared]:
    """Without a merge and all that could not be without it."""
    for key in spread(merges(migrations)):
        gone = [key]
        for each in gone:
            gone += [
                child for child, edges in migrations.items() if each in edges["dependencies"] and child not in gone
            ]
        yield {each: edges for each, edges in migrations.items() if each not in gone}


def renamed_files(migrations: Declared) -> Iterator[Declared]:
    for key in spread(list(migrations)):
        yield {**without(migrations, key), (key[0], f"{key[1]}_renamed"): migrations[key]}


def forgotten_dependencies(migrations: Declared) -> Iterator[Declared]:
    for key in spread([key for key, edges in migrations.items() if edges["dependencies"]]):
        yield {**migrations, key: {**migrations[key], "dependencies": migrations[key]["dependencies"][1:]}}


def turned_dependencies(migrations: Declared) -> Iterator[Declared]:
    """Each of some migrations depends on one that depends on it."""
    for key in spread([key for key, edges in migrations.items() if edges["dependencies"]]):
        parent = migrations[key]["dependencies"][0]
        if parent in migrations:
            changed = [*migrations[parent]["dependencies"], key]
            yield {**migrations, parent: {**migrations[parent], "dependencies": changed}}


def moved_dependencies(migrations: Declared) -> Iterator[Declared]:
    """Each of some migrations depends on another migration of the parent's app."""
    for number, key in enumerate(spread([key for key, edges in migrations.items() if edges["dependencies"]])):
        first, *others = migrations[key]["dependencies"]
        siblings = sorted(each for each in migrations if each[0] == first[0])
        if siblings:
            changed = [siblings[number * 7 % len(siblings)], *others]
            yield {**migrations, key: {**migrations[key], "dependencies": changed}}


def dropped_targets(migrations: Declared) -> Iterator[Declared]:
    """Without one of what a squash replaces, and with a squash that forgets one."""
    squashes = [key for key, edges in migrations.items() if edges["replaces"]]
    for key in spread(squashes):
        replaced = migrations[key]["replaces"]
        for target in {replaced[0], replaced[len(replaced) // 2], replaced[-1]}:
            yield without(migrations, target)
            kept = [each for each in replaced if each != target]
            yield {**migrations, key: {**migrations[key], "replaces": kept}}


CHANGES: list[Callable[[Declared], Iterator[Declared]]] = [
    deleted_merges, deleted_last_merges, renamed_files, forgotten_dependencies, turned_dependencies,
    moved_dependencies, dropped_targets,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("run", RUNS, ids=str)
def test_a_changed_graph_is_what_django_makes_of_it(run: Run, change: Callable[[Declared], Iterator[Declared]]) -> None:
    for migrations in change(declared(run)):
        wanted = of_django(migrations)
        assert of_miglint(migrations, wanted) == wanted


def test_the_changes_have_every_consequence() -> None:
    """Missing parents, conflicts, cycles, and none at all: nothing above is equal because nothing happened."""
    found: dict[str, set[str]] = {}
    for change in CHANGES:
        for run in RUNS:
            for migrations in change(declared(run)):
                told = of_django(migrations)
                outcome = "conflict" if told.get("conflicts") else next(iter(told))
                found.setdefault(change.__name__, set()).add(outcome)
    assert found == {
        "deleted_merges": {"missing", "plan"},
        "deleted_last_merges": {"conflict", "plan"},
        "renamed_files": {"missing", "conflict", "plan"},
        "forgotten_dependencies": {"conflict", "plan"},
        "turned_dependencies": {"cycle", "plan"},
        "moved_dependencies": {"conflict", "cycle", "plan"},
        "dropped_targets": {"conflict", "cycle", "plan"},
    }


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_the_order_of_discovery_makes_no_difference(run: Run) -> None:
    migrations = declared(run)
    wanted = of_django(migrations)
    for seed in range(5):
        keys = list(migrations)
        random.Random(seed).shuffle(keys)
        shuffled = {key: migrations[key] for key in keys}
        assert of_miglint(shuffled, wanted) == wanted


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_a_migration_that_is_written_otherwise_is_the_same(run: Run) -> None:
    """Python's own printer changes quotes, brackets and lines, and leaves comments out."""
    folders = [Path(folder) for folder in answer(run)["migrations"].values()]
    files = [file for folder in folders for file in sorted(folder.glob("[!_]*.py"))][::5]
    packages = packages_of(run.environment)
    assert len(files) >= 10
    for file in files:
        key = MigrationKey(file.parent.parent.name, file.stem)
        text = file.read_text()
        one, other = (interpret(key, str(file), read(each)) for each in (text, ast.unparse(ast.parse(text))))
        for what in ("dependencies", "run_before", "replaces", "operations", "initial", "atomic", "bases"):
            assert getattr(one, what) == getattr(other, what), (what, file.relative_to(packages))
