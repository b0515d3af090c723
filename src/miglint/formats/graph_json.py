"""The graph for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from miglint.formats.scopes import together
from miglint.project.contrib import SETTING
from miglint.project.graph import Graph
from miglint.project.keys import MigrationKey
from miglint.project.migration import Dependency, Migration
from miglint.project.truth import Truth
from miglint.report import path_below
from miglint.scope import Scope


def render(scopes: Sequence[Scope]) -> str:
    """Apps, migrations, what is not in the project, and what Django would refuse."""
    return together(scopes, {"apps": [], "migrations": [], "external": [], "problems": []}, _document)


def _document(scope: Scope) -> dict[str, Any]:
    graph = scope.project.graph
    migrations = [graph.migrations[key] for key in sorted(graph.migrations) if key.app in scope.apps]
    directories = {package.label: package.directory for package in scope.project.packages}
    return {
        "apps": [
            {
                "label": app,
                "path": path_below(directories[app], scope.repository),
                "migrations": sum(migration.app == app for migration in migrations),
                "roots": [key.name for key in graph.roots(app)],
                "leaves": [key.name for key in graph.leaves(app)],
            }
            for app in graph.apps
            if app in scope.apps
        ],
        "migrations": [_migration(migration, graph, scope) for migration in migrations],
        "external": [list(key) for key in _external(graph, migrations)],
        "problems": [
            {
                "kind": problem.kind,
                "message": problem.message,
                "app": problem.migration.app if problem.migration is not None else None,
                "migration": problem.migration.name if problem.migration is not None else None,
            }
            for problem in graph.problems
            if problem.migration is None or problem.migration.app in scope.apps
        ],
    }


def _migration(migration: Migration, graph: Graph, scope: Scope) -> dict[str, Any]:
    squash = graph.replaced_by(migration.key)
    return {
        "app": migration.app,
        "name": migration.name,
        "path": path_below(migration.path, scope.repository),
        "dependencies": _declared(migration.dependencies, migration, graph),
        "run_before": _declared(migration.run_before, migration, graph),
        "replaces": [list(entry.key) for entry in migration.replaces if entry.key is not None],
        "replaced_by": list(squash) if squash is not None else None,
        "atomic": _boolean(migration.atomic),
        "initial": migration.initial,
    }


def _declared(entries: Iterable[Dependency], migration: Migration, graph: Graph) -> list[list[str]]:
    """Entries with what Django's loader resolves resolved; a setting that is not known as the autodetector writes it.

    Source: django.db.migrations.autodetector.MigrationAutodetector._resolve_dependency
    """
    found: list[list[str]] = []
    for entry in entries:
        key = graph.declared(entry, migration)
        if key is not None:
            found.append(list(key))
        elif not graph.is_known(entry):
            found.append([SETTING, entry.setting or ""])
    return found


def _external(graph: Graph, migrations: Iterable[Migration]) -> list[MigrationKey]:
    """What the given migrations need, or precede, in apps that are not in the project."""
    named = {graph.declared(e, m) for m in migrations for e in (*m.dependencies, *m.run_before)}
    return [key for key in graph.external if key in named]


def _boolean(value: Truth) -> bool | None:
    return None if value is Truth.UNKNOWN else value is Truth.YES
