"""Migrations that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miglint.api import Diagnostic, Graph, Migration, MigrationKey, Project, ProjectContext, Severity, Span, rule

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
    (migration, span), *others = (
        _edge(graph, key, parent) for key, parent in zip(ring, (*ring[1:], ring[0]), strict=True)
    )
    return context.diagnostic(
        span,
        f"CircularDependencyError: {', '.join(map(str, ring))}",
        migration=migration,
        help=f"The circle is {path}. Django raises CircularDependencyError before it runs anything. Take out the "
        "dependency that is not needed; where two apps need each other's models, create both models first, and add "
        "the foreign key in a migration of its own.",
        url=_URL,
        related=tuple(context.related(each, place, "is part of the circle") for each, place in others),
        detail=path,
    )


def _edge(graph: Graph, key: MigrationKey, parent: MigrationKey) -> tuple[Migration, Span]:
    """Where it is said that a migration comes after another: there, else in the `run_before` of the other."""
    for said_in, entries, other in (
        (graph.migrations[key], graph.migrations[key].dependencies, parent),
        (graph.migrations[parent], graph.migrations[parent].run_before, key),
    ):
        for entry in entries:
            if graph.resolved(entry, said_in) == other:
                return said_in, entry.span
    # A squash has what the migrations say that it replaces.
    return graph.migrations[key], graph.migrations[key].class_span
