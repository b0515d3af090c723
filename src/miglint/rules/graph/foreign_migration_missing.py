"""A dependency on a migration that the installed package does not have."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from miglint.api import CONTRIB, FIRST, LATEST, Diagnostic, MigrationKey, Project, ProjectContext, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#dependencies"


@rule("MG117", on=Project, severity=Severity.ERROR)
def foreign_migration_missing(context: ProjectContext) -> Iterator[Diagnostic]:
    """A migration depends on one that the installed package does not have."""
    own = context.project.own
    for migration in context.graph.migrations.values():
        if migration.app not in own:
            continue
        for edge in (*migration.dependencies, *migration.run_before):
            wanted = edge.key
            if wanted is None or not _is_missing(context, wanted):
                continue
            child = edge in migration.run_before
            yield context.diagnostic(
                edge.span,
                f"Migration {migration.key} dependencies reference nonexistent {'child' if child else 'parent'} node "
                f"{tuple(wanted)!r}",
                migration=migration,
                help=_help(wanted, context.project.foreign[wanted.app]),
                url=_URL,
                detail=str(wanted),
            )


def _is_missing(context: ProjectContext, wanted: MigrationKey) -> bool:
    """Whether it is a migration of an installed app whose migrations were read and are no others.

    Those of Django's own apps are known without an environment.
    """
    names = context.project.foreign.get(wanted.app)
    if names is None or wanted.app in CONTRIB or wanted.app in context.graph.apps:
        return False
    replaced = context.graph.replaced_by(wanted) is not None
    return wanted.name not in (FIRST, LATEST) and wanted.name not in names and not replaced


def _help(wanted: MigrationKey, names: frozenset[str]) -> str:
    stops = "`migrate`, `makemigrations` and every test run stop with NodeNotFoundError."
    if not names:
        return f"{stops} The installed {wanted.app} has no migrations at all."
    near = difflib.get_close_matches(wanted.name, sorted(names), n=1, cutoff=0.8)
    meant = near[0] if near else max(names)
    return (
        f"{stops} Where makemigrations wrote it into the installed package, it is missing on all other machines: "
        f'depend on one that the package brings, such as ("{wanted.app}", "{meant}"). Where the package was upgraded '
        "or downgraded, install the version that has it."
    )
