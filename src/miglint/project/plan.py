"""The order in which Django applies migrations on an empty database, and whether it is certain."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from miglint.project.keys import MigrationKey
from miglint.project.project import Project


class Plan(msgspec.Struct, frozen=True):
    """Migrations in order. `exact` is false where apps that were not read may change it."""

    order: tuple[MigrationKey, ...]
    exact: bool


def plan_of(project: Project, targets: Iterable[MigrationKey] | None = None) -> Plan:
    """The plan up to the targets, which may be in any app; up to every leaf without them.

    Source: django.db.migrations.executor.MigrationExecutor.migration_plan
    """
    graph = project.graph
    order = graph.plan() if targets is None else graph.plan_to(targets)
    return Plan(tuple(key for key in order if key.app in project.labels), exact=False)
