"""Branches that bring one app many migrations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from miglint.api import Diagnostic, Migration, Project, ProjectContext, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#migration-squashing"
# So many migrations of one app are rarely so many deploys.
_MANY = 5


@rule("MG604", on=Project, severity=Severity.INFO)
def long_branch(context: ProjectContext) -> Iterator[Diagnostic]:
    """Many new migrations for one app on one branch: they can still be made one before they are merged."""
    base = context.project.base
    if base is None:
        return
    new: dict[str, list[Migration]] = defaultdict(list)
    for key in context.graph.plan():
        migration = context.graph.migrations[key]
        if key in context.project.unreleased and (migration.operations or not migration.operations_known):
            new[key.app].append(migration)
    for app, migrations in sorted(new.items()):
        # Where the app itself is new its history begins here, and the branch may be a whole import.
        if len(migrations) < _MANY or not any(
            key.app == app for key in context.graph.nodes - context.project.unreleased
        ):
            continue
        first, last = migrations[0], migrations[-1]
        yield context.diagnostic(
            last.class_span,
            f"this branch adds {len(migrations)} migrations to {app}, from {first.name} to {last.name}",
            migration=last,
            help=f"None of them is on {base.ref}: delete those that no other database has applied and run "
            f"`python manage.py makemigrations {app}` once, or `python manage.py squashmigrations {app} {first.name} "
            f"{last.name}`. Steps that belong in deploys of their own stay apart.",
            related=tuple(context.related(each, each.class_span, "new on this branch") for each in migrations[:-1]),
            url=_URL,
        )
