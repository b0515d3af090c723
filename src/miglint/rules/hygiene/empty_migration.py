"""A migration that does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, Function, Migration, MigrationContext, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/"
_DJANGO_BASES = ("django.db.migrations.Migration", "django.db.migrations.migration.Migration")


@rule("MG704", on=Migration, severity=Severity.INFO)
def empty_migration(context: MigrationContext) -> Iterator[Diagnostic]:
    """A migration has no operations and joins nothing."""
    migration = context.migration
    if migration.operations or not migration.operations_known or _has_a_purpose(migration):
        return
    yield context.diagnostic(
        None,
        f"{migration.name} has no operations and joins no branches: it does nothing",
        help="`makemigrations --empty` begins such a file for a data migration: write its operations, or delete it "
        "before it is released. Once it is applied somewhere, leave it, or give its children its parents.",
        url=_URL,
    )


def _has_a_purpose(migration: Migration) -> bool:
    """Whether it stands for others, comes before others, joins branches, or does its work in methods."""
    parents = {each.key for each in migration.dependencies if each.key is not None and each.key.app == migration.app}
    body = migration.definition.body if migration.definition is not None else ()
    return (
        len(parents) > 1
        or bool(migration.replaces or migration.run_before)
        or not migration.dependencies_known
        or any(isinstance(statement, Function) for statement in body)
        or any(base not in _DJANGO_BASES for base in migration.bases)
    )
