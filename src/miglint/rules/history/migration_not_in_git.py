"""Migrations that only this machine has."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, MigrationKey, Package, Project, ProjectContext, Related, Severity, Tracking, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#version-control"


@rule("MG605", on=Project, severity=Severity.ERROR)
def migration_not_in_git(context: ProjectContext) -> Iterator[Diagnostic]:
    """Git ignores a migration, or has not got one that another migration in it depends on."""
    tracking = context.project.tracking
    if not tracking.ignored and not tracking.untracked:
        return
    for package in context.project.packages:
        yield from _package(context, package, tracking)


def _package(context: ProjectContext, package: Package, tracking: Tracking) -> Iterator[Diagnostic]:
    files = {module.path: MigrationKey(package.label, module.name) for module in package.modules}
    ignored = {path: key for path, key in files.items() if path in tracking.ignored}
    if ignored and len(ignored) == len(files):
        first = min(ignored)
        yield _finding(
            context,
            ignored[first],
            f"git ignores the migrations of {package.label} ({tracking.ignored[first]}): nobody else gets them, and "
            "every machine makes its own",
            "Migrations belong in the repository: take the pattern out, or write `!migrations/*.py` below it, and add "
            f"them:\n\n    git add --force {context.project.short(package.directory)}",
        )
        return
    for path, key in sorted(ignored.items()):
        yield _finding(
            context,
            key,
            f"git ignores {key} ({tracking.ignored[path]}): nobody else gets it",
            f"Add it all the same, or give it a name that the pattern does not match:\n\n"
            f"    git add --force {context.project.short(path)}",
        )
    yield from _untracked(context, files, tracking)
    yield from _init(context, package, tracking)


def _untracked(context: ProjectContext, files: dict[str, MigrationKey], tracking: Tracking) -> Iterator[Diagnostic]:
    for path, key in sorted(files.items()):
        children = [child for child in context.graph.children(key) if _is_in_git(context, child, tracking)]
        if path in tracking.untracked and children:
            migration = context.graph.migrations[children[0]]
            span = next((d.span for d in migration.dependencies if d.key == key), migration.class_span)
            yield _finding(
                context,
                key,
                f"git has {children[0]} and not {key}, on which it depends: everywhere else it has no parent",
                f"Add it to the same commit:\n\n    git add {context.project.short(path)}",
                related=(context.related(migration, span, "depends on it, and is in git"),),
            )


def _init(context: ProjectContext, package: Package, tracking: Tracking) -> Iterator[Diagnostic]:
    """Without its `__init__.py`, Django ignores the package."""
    path = f"{package.directory}/__init__.py"
    tracked = [m for m in package.modules if m.path not in tracking.ignored and m.path not in tracking.untracked]
    if not tracked or (path not in tracking.ignored and path not in tracking.untracked):
        return
    why = f"ignores ({tracking.ignored[path]})" if path in tracking.ignored else "has not got"
    yield context.diagnostic(
        None,
        f"git {why} {context.project.short(path)}: everywhere else Django finds no migrations of {package.label}",
        path=path,
        app=package.label,
        detail="__init__.py",
        help=f"Add it:\n\n    git add --force {context.project.short(path)}",
        url=_URL,
    )


def _is_in_git(context: ProjectContext, key: MigrationKey, tracking: Tracking) -> bool:
    migration = context.graph.migrations.get(key)
    return migration is not None and migration.path not in tracking.ignored and migration.path not in tracking.untracked


def _finding(
    context: ProjectContext, key: MigrationKey, message: str, help: str, related: tuple[Related, ...] = ()
) -> Diagnostic:
    migration = context.graph.migrations[key]
    return context.diagnostic(migration.class_span, message, migration=migration, help=help, related=related, url=_URL)
