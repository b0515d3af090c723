"""A module among the migrations that is none."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, Project, ProjectContext, Severity, Span, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#migration-files"


@rule("MG104", on=Project, severity=Severity.ERROR)
def no_migration_class(context: ProjectContext) -> Iterator[Diagnostic]:
    """A module in a migrations package has no class Migration: Django refuses to load the app."""
    for package, module in context.project.strays:
        yield context.diagnostic(
            Span(0, 0),
            f"Migration {module.name} in app {package.label} has no Migration class",
            path=module.path,
            app=package.label,
            help="Django imports every module of a migrations package and raises BadMigrationError for this one. Move "
            f"it out of the package, or call it _{module.name}.py: names that start with _ or ~ are passed over.",
            url=_URL,
            detail=module.name,
        )
