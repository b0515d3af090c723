"""Two migrations of an app with the same number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from miglint.api import Diagnostic, Graph, Migration, MigrationKey, Project, ProjectContext, Severity, rule


@rule("MG106", on=Project, severity=Severity.INFO)
def duplicate_number(context: ProjectContext) -> Iterator[Diagnostic]:
    """Two migrations of one app have the same number, and no merge joins them."""
    own = context.project.own
    for numbered in _numbered(context.graph).values():
        keys = _as_applied(context.graph, numbered)
        for at, key in enumerate(keys):
            twin = next((other for other in keys[:at] if not _are_merged(context.graph, other, key)), None)
            if twin is not None and key.app in own:
                yield _finding(context, context.graph.migrations[key], twin)


def _numbered(graph: Graph) -> dict[tuple[str, int], list[MigrationKey]]:
    """The migrations of each app and number in the order of their names; squashes number themselves otherwise."""
    found: defaultdict[tuple[str, int], list[MigrationKey]] = defaultdict(list)
    for key in sorted(graph.nodes):
        migration = graph.migrations.get(key)
        if migration is not None and migration.number is not None and not _is_squash(migration):
            found[key.app, migration.number].append(key)
    return found


def _as_applied(graph: Graph, keys: list[MigrationKey]) -> list[MigrationKey]:
    """Migrations with those first that others come after."""
    return sorted(keys, key=lambda key: sum(graph.is_ancestor(other, of=key) for other in keys))


def _is_squash(migration: Migration) -> bool:
    """Whether it is one, or was: `replaces` goes when the squash is applied everywhere, the name stays."""
    return bool(migration.replaces) or "squashed_" in migration.name


def _are_merged(graph: Graph, one: MigrationKey, other: MigrationKey) -> bool:
    """Whether the two are branches that a later migration of the app joins."""
    if graph.is_ancestor(one, of=other) or graph.is_ancestor(other, of=one):
        return False
    return any(graph.is_ancestor(one, of=leaf) and graph.is_ancestor(other, of=leaf) for leaf in graph.leaves(one.app))


def _finding(context: ProjectContext, migration: Migration, twin: MigrationKey) -> Diagnostic:
    prefix = migration.name.partition("_")[0]
    stops = (
        f", and `migrate {migration.app} {prefix}` stops: More than one migration matches '{prefix}' in app "
        f"'{migration.app}'"
        if twin.name.startswith(prefix)
        else ""
    )
    return context.diagnostic(
        migration.class_span,
        f"{migration.name} has the same number as {twin.name}",
        migration=migration,
        help=f"Names no longer tell the order{stops}. If it is not released, give the later one the next number.",
        related=(context.related(twin, context.graph.migrations[twin].class_span, "the same number"),),
        detail=twin.name,
    )
