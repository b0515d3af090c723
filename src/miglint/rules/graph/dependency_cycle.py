"""Migrations that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miglint.api import Diagnostic, Graph, MigrationKey, Project, ProjectContext, Severity, Span, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#dependencies"


@rule("MG103", on=Project, severity=Severity.ERROR)
def dependency_cycle(context: ProjectContext) -> Iterator[Diagnostic]:
    """Migrations depend on each other in a circle: none of them can be the first."""
    own = context.project.own
    for problem in context.graph.problems:
        ring = _ring(problem.cycle)
        if problem.kind == "cycle" and ring and any(key.app in own for key in ring):
            yield _finding(context, ring)


def _ring(cycle: Sequence[MigrationKey]) -> tuple[MigrationKey, ...]:
    """The members once each, from the smallest on: the same circle however it was found."""
    members = tuple(dict.fromkeys(cycle))
    if not members:
        return ()
    start = members.index(min(members))
    return members[start:] + members[:start]


def _finding(context: ProjectContext, ring: tuple[MigrationKey, ...]) -> Diagnostic:
    graph = context.graph
    path = " → ".join(str(key) for key in (*ring, ring[0]))
    return context.diagnostic(
        _edge(graph, ring[0], ring),
        f"CircularDependencyError: {', '.join(map(str, ring))}",
        migration=graph.migrations[ring[0]],
        help=f"The circle is {path}. Django raises CircularDependencyError before it runs anything. Take out the "
        "dependency that is not needed; where two apps need each other's models, create both models first, and add "
        "the foreign key in a migration of its own.",
        url=_URL,
        related=tuple(context.related(key, _edge(graph, key, ring), "is part of the circle") for key in ring[1:]),
        detail=path,
    )


def _edge(graph: Graph, key: MigrationKey, ring: tuple[MigrationKey, ...]) -> Span:
    """Where a migration names another member of the circle."""
    migration = graph.migrations[key]
    for dependency in (*migration.dependencies, *migration.run_before):
        target = graph.resolved(dependency, migration)
        if target is not None and (target in ring or graph.replaced_by(target) in ring):
            return dependency.span
    return migration.class_span
