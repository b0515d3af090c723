"""A dependency whose meaning changes with every migration of another app."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import LATEST, Diagnostic, Migration, MigrationContext, MigrationKey, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#dependencies"


@rule("MG113", on=Migration, severity=Severity.WARNING)
def latest_dependency(context: MigrationContext) -> Iterator[Diagnostic]:
    """A dependency on another app's latest migration means something else whenever that app gets a new one."""
    for dependency in (*context.migration.dependencies, *context.migration.run_before):
        key = dependency.key
        if key is not None and key.name == LATEST and key.app != context.migration.app:
            yield context.diagnostic(
                dependency.span,
                f"the latest migration of {key.app} is another one whenever {key.app} gets a new one",
                help=_help(context, key),
                url=_URL,
                detail=str(key),
            )


def _help(context: MigrationContext, key: MigrationKey) -> str:
    leaves = context.graph.leaves(key.app)
    today = f'("{key.app}", "{leaves[0].name}")' if len(leaves) == 1 else f"the migration of {key.app} that is needed"
    return (
        f"A later migration of {key.app} that depends on {context.migration.app} closes a circle, and a database where "
        f"this one is applied becomes inconsistent (InconsistentMigrationHistory). Depend on {today}."
    )
