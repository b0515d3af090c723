"""Predicts what a migration does to a database, in the words of the measurements in data/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from miglint.database import Database
from miglint.databases.costs import LOCKS, cost_of
from miglint.project import operations as ops
from miglint.project.action import Action, RenameTable
from miglint.project.actions import actions_of
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.operations import Operation, OperationPath
from miglint.project.schema import Schema, inform
from miglint.project.state import ProjectState, apply
from miglint.syntax.reader import read

HEADER = """
import datetime, decimal, uuid
import django.contrib.postgres.constraints as pgcons
import django.contrib.postgres.fields as pgfields
import django.contrib.postgres.functions as pgfuncs
import django.contrib.postgres.indexes as pgindexes
import django.contrib.postgres.operations as pgops
import django.contrib.postgres.search as pgsearch
from django.conf import settings
from django.core import validators
from django.db import migrations, models
from django.db.models import Deferrable, F, Q
from django.db.models.functions import Lower, Now, Random
from django.utils import timezone
"""

POSTGRESQL = Database(vendor="postgresql", version=(15,))


@cache
def migration(source: str, name: str = "0001_initial") -> Migration:
    """A migration of the app `app` with the operations of a Python expression."""
    items = source if source.startswith("[") else f"[{source}]"
    text = f"{HEADER}\nclass Migration(migrations.Migration):\n    operations = {items}\n"
    return interpret(MigrationKey("app", name), f"/p/app/migrations/{name}.py", read(text))


@dataclass
class Project:
    """A project while its migrations run."""

    state: ProjectState
    schema: Schema
    database: Database = POSTGRESQL
    swappable: Mapping[str, str] = field(default_factory=dict)

    def run(self, migration: Migration, *, django_version: tuple[int, ...] = (5, 2)) -> tuple[Action, ...]:
        """Runs a migration; its actions in the order in which they happen."""
        now: list[Action] = []
        for path, operation, in_state, in_database in leaves(migration.operations):
            before = self.state
            after, _ = apply(before, migration, path, operation)
            if in_database:
                actions = actions_of(
                    operation,
                    before,
                    after,
                    app="app",
                    database=self.database,
                    django_version=django_version,
                    swappable=self.swappable,
                )
                actions, self.schema = inform(self.schema, actions)
                now.extend(actions)
            if in_state:
                self.state = after
        return (*(a for a in now if not a.deferred), *(a for a in now if a.deferred))


def leaves(operations: tuple[Operation, ...]) -> Iterator[tuple[OperationPath, Operation, bool, bool]]:
    """The operations that do something: with path, whether they change the state, and the database."""
    for index, operation in enumerate(operations):
        if isinstance(operation, ops.SeparateDatabaseAndState):
            for each in operation.database_operations:
                yield (index, "database_operations", 0), each, False, True
            for each in operation.state_operations:
                yield (index, "state_operations", 0), each, True, False
        else:
            yield (index,), operation, True, True
            if isinstance(operation, ops.RunSQL):
                for each in operation.state_operations:
                    yield (index, "state_operations", 0), each, True, False


def actions(
    before: str, source: str, *, database: Database = POSTGRESQL, django: tuple[int, ...] = (5, 2)
) -> list[Action]:
    """The actions of some operations after others."""
    project = Project(ProjectState(), Schema(), database)
    project.run(migration(before), django_version=django)
    return list(project.run(migration(source, "0002_next"), django_version=django))


def predict(case: dict[str, Any]) -> dict[str, Any]:
    """What a measured case is predicted to do: locks, rewrite, index builds."""
    project = Project(ProjectState(), Schema())
    project.run(migration(case["before_source"]))
    for index, sql in enumerate(case.get("setup_sql") or ()):
        project.run(migration(f"migrations.RunSQL({sql!r})", f"0001_setup_{index}"))
    existing = {table.name for table in project.schema.tables()}
    names = {name: name for name in existing}
    locks: dict[str, str] = {}
    rewrites = builds = False
    scanned: set[str] = set()
    for action in project.run(migration(case["operation_source"], "0002_next")):
        name = names.get(action.table)
        cost = cost_of(action, POSTGRESQL)
        if name is None:
            continue
        if cost.scans or cost.rewrites:
            scanned.add(name)
        rewrites, builds = rewrites or cost.rewrites, builds or (cost.indexes and not cost.rewrites)
        if cost.lock:
            locks[name] = max(locks.get(name, ""), cost.lock, key=LOCKS.index)
        if isinstance(action, RenameTable):
            names[action.new_table] = name
    return {"locks_all": locks, "rewrites_table": rewrites, "builds_index": builds, "scanned": sorted(scanned)}
