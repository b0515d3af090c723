"""A squash whose work is not finished."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, Migration, MigrationContext, MigrationKey, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#squashing-migrations"


@rule("MG112", on=Migration, severity=Severity.INFO)
def lingering_squash(context: MigrationContext) -> Iterator[Diagnostic]:
    """A squash and all the migrations it replaces are still there."""
    migration, files = context.migration, context.graph.migrations
    replaced = [each.key for each in migration.replaces if each.key is not None]
    if not replaced or migration.key in context.project.unreleased or not all(key in files for key in replaced):
        return
    first, last = files[replaced[0]], files[replaced[-1]]
    yield context.diagnostic(
        None,
        f"{migration.name} and {_count(replaced)} it replaces are both still there",
        help="Every change to these models has two histories to agree with, and Django reads both on every start. "
        f"When {migration.name} is applied everywhere, finish the squash: {_steps(context, replaced)}",
        url=_URL,
        related=(
            context.related(first, first.class_span, "the first migration that it replaces"),
            *((context.related(last, last.class_span, "the last"),) if last is not first else ()),
        ),
    )


def _count(replaced: list[MigrationKey]) -> str:
    return "the migration" if len(replaced) == 1 else f"the {len(replaced)} migrations"


def _steps(context: MigrationContext, replaced: list[MigrationKey]) -> str:
    """What is left to do. Source: Django's documentation of squashing migrations."""
    migration = context.migration
    left = {other for key in replaced for other in context.graph.naming(key)} - {*replaced, migration.key}
    waiting = sorted(map(str, left))
    named = f" ({', '.join(waiting)})" if waiting else ""
    return (
        f"delete the replaced files, let what depends on them{named} depend on "
        f'("{migration.app}", "{migration.name}"), and take `replaces` out of it.'
    )
