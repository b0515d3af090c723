"""A squash that no longer stands for what it replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator

from miglint.api import (
    Dependency,
    Diagnostic,
    Graph,
    GraphProblem,
    Migration,
    MigrationKey,
    Project,
    ProjectContext,
    Severity,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#squashing-migrations"
# The number of its first migration, whose name may follow, and of its last.
# Source: django.core.management.commands.squashmigrations.Command.handle
_SQUASH = re.compile(r"(\d+)(?:_.*?)?_squashed_(\d+)(?:_|$)")


@rule("MG111", on=Project, severity=Severity.ERROR, supersedes=("MG102",))
def broken_squash(context: ProjectContext) -> Iterator[Diagnostic]:
    """A squash and the migrations that still need what it replaced no longer fit together."""
    own = context.project.own
    for problem in context.graph.problems:
        if problem.migration is None or problem.migration.app not in own:
            continue
        migration = context.graph.migrations[problem.migration]
        if problem.kind == "broken-squash":
            yield _broken(context, migration, problem)
        elif problem.kind in ("missing-parent", "missing-child") and problem.dependency is not None:
            yield from _squashed_away(context, migration, problem.dependency)


def _broken(context: ProjectContext, migration: Migration, problem: GraphProblem) -> Diagnostic:
    span = problem.dependency.span if problem.dependency is not None else migration.class_span
    return context.diagnostic(
        span,
        problem.message,
        migration=migration,
        help="Finish one squash before the next: when it is applied everywhere, delete the migrations it replaces, "
        "point their children at it, and take `replaces` out.",
        url=_URL,
        detail=str(problem.dependency.key) if problem.dependency is not None else "",
    )


def _squashed_away(context: ProjectContext, migration: Migration, edge: Dependency) -> Iterator[Diagnostic]:
    squash = _squash_of(context.graph, edge.key) if edge.key is not None else None
    if squash is None or edge.key is None:
        return
    yield context.diagnostic(
        edge.span,
        f"{edge.key} was squashed into {squash.name}, which no longer replaces it",
        migration=migration,
        help=f"Django raises NodeNotFoundError: Migration {migration.key} dependencies reference nonexistent parent "
        f'node {tuple(edge.key)!r}. Depend on ("{squash.app}", "{squash.name}").',
        url=_URL,
        related=(context.related(squash, squash.class_span, "the squash"),),
        detail=str(edge.key),
    )


def _squash_of(graph: Graph, key: MigrationKey) -> Migration | None:
    """The migration whose name says that it took the missing one in."""
    number = re.match(r"\d{1,18}(?!\d)", key.name)
    if number is None:
        return None
    for migration in graph.migrations.values():
        named = _SQUASH.match(migration.name) if "_squashed_" in migration.name else None
        if migration.app == key.app and named is not None:
            # What still replaces another migration of this number never had this one: a misspelt name.
            numbers = {each.key.name.partition("_")[0] for each in migration.replaces if each.key is not None}
            if int(named[1]) <= int(number[0]) <= int(named[2]) and number[0] not in numbers:
                return migration
    return None
