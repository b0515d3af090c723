"""A module among the migrations that is none."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, Project, ProjectContext, Severity, Span, Stray, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#migration-files"


@rule("MG104", on=Project, severity=Severity.ERROR)
def no_migration_class(context: ProjectContext) -> Iterator[Diagnostic]:
    """A module in a migrations package has no class Migration: Django refuses to load the app."""
    for stray in context.project.strays:
        label, name = stray.package.label, stray.module.name
        yield context.diagnostic(
            stray.span if stray.misnamed else Span(0, 0),
            f"Migration {name} in app {label} has no Migration class",
            path=stray.module.path,
            app=label,
            help="Django imports every module of a migrations package and raises BadMigrationError for this one. "
            + _advice(stray),
            url=_URL,
            detail=name,
        )


def _advice(stray: Stray) -> str:
    if stray.misnamed:
        return f"Call the class `Migration`: it is {stray.misnamed}, and Django looks for that one name."
    name = f"_{stray.module.name}.py"
    return f"Move it out of the package, or call it {name}: names that start with _ or ~ are passed over."
