"""Released migrations that are no longer there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from miglint.api import (
    Base,
    CreateModel,
    DeleteModel,
    Diagnostic,
    Migration,
    MigrationKey,
    Project,
    ProjectContext,
    Related,
    RenameModel,
    Severity,
    rule,
    walk_operations,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#migration-squashing"


@rule("MG602", on=Project, severity=Severity.ERROR)
def deleted_migration(context: ProjectContext) -> Iterator[Diagnostic]:
    """A migration that the base branch has is gone, or has another name, and no squash replaces it."""
    base = context.project.base
    if base is None:
        return
    missed: dict[str, list[Migration]] = defaultdict(list)
    for migration in base.gone:
        if not _is_replaced(migration.key, context, base):
            missed[migration.app].append(migration)
    for app, migrations in sorted(missed.items()):
        if app in context.graph.apps:
            yield from (_finding(context, base, migration) for migration in migrations)
        elif _models_left(migrations):
            yield _whole_app(context, base, app, migrations)


def _is_replaced(key: MigrationKey, context: ProjectContext, base: Base) -> bool:
    """Whether a squash that is here stands for it, through other squashes too."""
    seen = {key}
    while (squash := base.replaced_by.get(key)) is not None and squash not in seen:
        if squash in context.graph.migrations:
            return True
        seen.add(squash)
        key = squash
    return False


def _finding(context: ProjectContext, base: Base, migration: Migration) -> Diagnostic:
    twin = _renamed_to(context, migration)
    related: tuple[Related, ...] = ()
    what = "is gone"
    if twin is not None:
        what = f"is called {twin.name} here"
        related = (context.related(twin, twin.class_span, "the same operations under another name"),)
    return context.diagnostic(
        None,
        f"{migration.key} is on {base.ref} and {what}: databases that applied it know it by its name",
        path=migration.path,
        app=migration.app,
        migration_name=migration.name,
        related=related,
        help=f"{_consequence(twin)} Bring it back:\n\n"
        f"    git checkout {base.merge_base[:10]} -- {context.project.short(migration.path)}\n\n"
        f"To have fewer migrations, run `python manage.py squashmigrations {migration.app} {migration.name}`: "
        "the squash names in `replaces` what it stands for.",
        url=_URL,
    )


def _consequence(twin: Migration | None) -> str:
    if twin is not None:
        return "Where it was applied, Django takes the other name for a new migration and runs it again."
    return "Where it was applied, what it did stays; on a new database it never happens: the two are no longer alike."


def _renamed_to(context: ProjectContext, migration: Migration) -> Migration | None:
    """A new migration of the app with the same operations."""
    if not migration.operations or not migration.operations_known:
        return None
    new = (context.graph.migrations[key] for key in sorted(context.project.unreleased) if key.app == migration.app)
    return next((each for each in new if each.operations == migration.operations), None)


def _models_left(migrations: Sequence[Migration]) -> set[str]:
    """The models that the app still had. An app whose last migration deleted them may go: its tables have gone."""
    made: set[str] = set()
    gone: set[str] = set()
    for migration in migrations:
        for _, operation in walk_operations(migration.operations):
            match operation:
                case CreateModel(name=name):
                    made.add((name or "").lower())
                case DeleteModel(name=name):
                    gone.add((name or "").lower())
                case RenameModel(old_name=old, new_name=new):
                    gone.add((old or "").lower())
                    made.add((new or "").lower())
    return made - gone


def _whole_app(context: ProjectContext, base: Base, app: str, migrations: Sequence[Migration]) -> Diagnostic:
    last = max(migrations, key=lambda migration: (migration.number or 0, migration.name))
    one = len(migrations) == 1
    count = "the migration" if one else f"all {len(migrations)} migrations"
    models = ", ".join(sorted(_models_left(migrations)))
    return context.diagnostic(
        None,
        f"{count} of {app} on {base.ref} {'is' if one else 'are'} gone: the tables of {models} stay, and nothing knows "
        "them any more",
        path=last.path,
        app=app,
        migration_name=last.name,
        help=f"To remove an app, first delete its models: `python manage.py makemigrations {app}` then writes "
        "`DeleteModel`. When that is applied everywhere, the app and its migrations may go.",
        url=_URL,
    )
