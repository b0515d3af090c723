"""Two apps of one project that Django cannot tell apart."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Diagnostic,
    Duplicate,
    MigrationKey,
    Package,
    Project,
    ProjectContext,
    Related,
    Severity,
    Span,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/applications/#django.apps.AppConfig.label"


@rule("MG114", on=Project, severity=Severity.ERROR)
def duplicate_app_label(context: ProjectContext) -> Iterator[Diagnostic]:
    """Two packages of migrations in one project have the same app label: Django starts with neither."""
    for duplicate in context.project.duplicates:
        for package in duplicate.packages[1:]:
            if package in context.project.packages and package.modules:
                yield _finding(context, package, duplicate)


def _finding(context: ProjectContext, package: Package, duplicate: Duplicate) -> Diagnostic:
    others = [other for other in duplicate.packages if other != package and other.modules]
    directory = _relative(context, package)
    return context.diagnostic(
        _place(context, package)[1],
        f"Application labels aren't unique, duplicates: {duplicate.label}",
        path=_place(context, package)[0],
        app=duplicate.label,
        help=f"{directory} and {', '.join(_relative(context, each) for each in others)} both belong to "
        f"`{duplicate.label}`. Django raises ImproperlyConfigured when both apps are installed. Give one of them "
        "another `label` in its AppConfig before it is first migrated. If they are never installed together, or the "
        f'label is read wrongly, say so in the setting `apps`: {{"{directory}" = "…"}}.',
        url=_URL,
        related=tuple(Related(*_place(context, each), "the same label") for each in others),
        detail=directory,
    )


def _relative(context: ProjectContext, package: Package) -> str:
    return package.directory.removeprefix(context.project.root).strip("/")


def _place(context: ProjectContext, package: Package) -> tuple[str, Span]:
    """The class of a package's first migration, where it was read."""
    module = min(package.modules, key=lambda each: each.name)
    migration = context.graph.migrations.get(MigrationKey(package.label, module.name))
    if migration is not None and migration.path == module.path:
        return module.path, migration.class_span
    return module.path, Span(0, 0)
