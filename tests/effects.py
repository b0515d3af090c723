"""Predicts what a migration does to a database, in the words of the measurements in data/effects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec.structs import replace

from miglint.database import Database, parse_version
from miglint.databases.costs import ALGORITHMS, cost_of, is_refused_in_transaction
from miglint.databases.effects import TableEffect, effects
from miglint.project.action import Action
from miglint.project.compatibility import Compatibility, Setting, changed_models, new_code_before, old_code
from miglint.project.consequences import Consequences
from miglint.project.graph import Graph
from miglint.project.history import History, Step, replay
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.state import ProjectState
from miglint.project.truth import Truth, all_of, either
from miglint.project.usages import Usages
from miglint.project.waiting import in_order
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
def migration(source: str, name: str = "0001_initial", after: str = "", atomic: bool = True) -> Migration:
    """A migration of the app `app` with the operations of a Python expression."""
    items = source if source.startswith("[") else f"[{source}]"
    text = (
        f"{HEADER}\nclass Migration(migrations.Migration):\n"
        f"    atomic = {atomic}\n"
        f"    dependencies = {[('app', after)] if after else []}\n"
        f"    operations = {items}\n"
    )
    return interpret(MigrationKey("app", name), f"/p/app/migrations/{name}.py", read(text))


def history_of(
    sources: list[str],
    *,
    database: Database = POSTGRESQL,
    django_version: tuple[int, ...] = (5, 2),
    atomic: bool = True,
    swappable: Mapping[str, str] | None = None,
) -> tuple[History, list[MigrationKey]]:
    """The history of migrations of the app `app`, one after the other; `atomic` is the last one's."""
    names = [f"{number:04}_step" for number, _ in enumerate(sources, 1)]
    made = [
        migration(source, name, after=names[number - 1] if number else "", atomic=atomic or name != names[-1])
        for number, (name, source) in enumerate(zip(names, sources, strict=True))
    ]
    graph = Graph.build(made, django_version=django_version)
    usages = Usages(may_run_sql=lambda _: True, vendor=database.vendor)
    history = replay(graph, database=database, django_version=django_version, swappable=swappable, usages=usages)
    return history, [each.key for each in made]


def actions(
    before: str,
    source: str,
    *,
    database: Database = POSTGRESQL,
    django: tuple[int, ...] = (5, 2),
    swappable: Mapping[str, str] | None = None,
) -> list[Action]:
    """The actions of some operations after others, as the database sees them."""
    history, keys = history_of([before, source], database=database, django_version=django, swappable=swappable)
    return list(in_order(action for step in history.steps_of(keys[-1]) for action in step.actions))


class Prediction:
    """What a measured case is predicted to do."""

    def __init__(self, case: dict[str, Any]) -> None:
        vendor, _, version = case["version"].partition(" ")
        self.database = Database(vendor=vendor.lower(), version=parse_version(version))  # type: ignore[arg-type]
        self.django_version = parse_version(case["django"])
        setup = [f"migrations.RunSQL({sql!r})" for sql in case.get("setup", ())]
        history, keys = history_of(
            [case["before"], *setup, case["operation"]],
            database=self.database,
            django_version=self.django_version,
            atomic=case.get("atomic", True),
        )
        self.steps: tuple[Step, ...] = history.steps_of(keys[-1])
        self.before: ProjectState = history.state_before(keys[-1])
        self.after: ProjectState = history.state_after(keys[-1])
        self.actions = in_order(action for step in self.steps for action in step.actions)
        self.tables: tuple[TableEffect, ...] = effects(self.actions, self.database, self.steps[-1].schema_after)
        self._setting = Setting(database=self.database, django_version=self.django_version, swappable={})
        self._consequences = [
            Consequences(step, database=self.database, django_version=self.django_version, swappable={})
            for step in self.steps
        ]

    @property
    def locks(self) -> dict[str, str]:
        return {found.table: found.cost.lock for found in self.tables if found.cost.lock}

    @property
    def worst(self) -> str | None:
        """MariaDB's ALGORITHM and LOCK of the worst statement, those on new tables included."""
        # What is said within CREATE TABLE is no statement of its own.
        own = [action for action in self.actions if not (action.on_new_table and getattr(action, "inline", False))]
        found = [cost_of(replace(action, on_new_table=False), self.database).lock for action in own]
        return max((lock for lock in found if lock.startswith("ALGORITHM")), key=ALGORITHMS.index, default=None)

    @property
    def rewritten(self) -> set[str]:
        return {found.table for found in self.tables if found.cost.rewrites}

    @property
    def scanned(self) -> set[str]:
        return {found.table for found in self.tables if found.cost.scans}

    @property
    def scans_under_strongest_lock(self) -> bool:
        return any(found.cost.scans and found.cost.lock == "ACCESS EXCLUSIVE" for found in self.tables)

    @property
    def blocks(self) -> set[str]:
        return set().union(*(cost_of(action, self.database).blocks for action in self.actions))

    @property
    def indexes(self) -> int:
        return sum(found.indexes for found in self.tables)

    @property
    def writes_rows(self) -> bool:
        return any(found.cost.writes_rows for found in self.tables)

    @property
    def transactional(self) -> bool:
        return self.database.transactional_ddl and not any(
            is_refused_in_transaction(action, self.database) for action in self.actions
        )

    @property
    def reversible(self) -> Truth:
        return all_of(*(c.reversible for c, s in zip(self._consequences, self.steps, strict=True) if len(s.path) == 1))

    @property
    def loses_data(self) -> Truth:
        return either(Truth.NO, *(each.loses_data for each in self._consequences))

    @property
    def reverse_loses_data(self) -> Truth:
        return either(Truth.NO, *(each.reverse_loses_data for each in self._consequences))

    @property
    def old_code(self) -> Compatibility:
        first, last = self.steps[0], self.steps[-1]
        return old_code(self.before, first.schema_before, last.schema_after, self.actions, self._setting)

    @property
    def new_code_before(self) -> Truth:
        changed = changed_models(self.before, self.after)
        return new_code_before(self.after, self.steps[0].schema_before, changed, self._setting)
