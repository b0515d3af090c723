"""An app with two beginnings."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, MigrationKey, Project, ProjectContext, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#dependencies"


@rule("MG107", on=Project, severity=Severity.WARNING)
def second_root(context: ProjectContext) -> Iterator[Diagnostic]:
    """An app has two migrations without a parent in the app: nothing says which comes first."""
    graph = context.graph
    own = context.project.own
    for app in filter(graph.is_certain, sorted(own & set(graph.apps))):
        roots = sorted(graph.roots(app), key=lambda key: _rank(context, key))
        for key in roots[1:]:
            yield _finding(context, key, roots[0])


def _rank(context: ProjectContext, key: MigrationKey) -> tuple[bool, str]:
    """Initial migrations first, then by name."""
    return (not context.graph.migrations[key].initial, key.name)


def _finding(context: ProjectContext, key: MigrationKey, first: MigrationKey) -> Diagnostic:
    migrations = context.graph.migrations
    return context.diagnostic(
        migrations[key].class_span,
        f"{key.name} depends on no migration of {key.app}, and neither does {first.name}",
        migration=migrations[key],
        help=f"Django may run it before or after {first.name}, and anything between. Add its parent to `dependencies`: "
        f'("{first.app}", "{first.name}") or a later one.',
        url=_URL,
        related=(context.related(first, migrations[first].class_span, "the other migration without a parent"),),
    )
