"""A directory of migrations that Django does not see."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, Project, ProjectContext, Severity, Span, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#adding-migrations-to-apps"


@rule("MG105", on=Project, severity=Severity.ERROR)
def unmigrated_package(context: ProjectContext) -> Iterator[Diagnostic]:
    """A directory of migrations has no __init__.py: Django ignores all of them."""
    for package in context.project.unmigrated:
        directory = package.directory.removeprefix(context.project.root).strip("/")
        them = "its migration" if len(package.modules) == 1 else f"its {len(package.modules)} migrations"
        yield context.diagnostic(
            Span(0, 0),
            f"{directory} has no __init__.py, so Django ignores {them}",
            path=min(module.path for module in package.modules),
            app=package.label,
            help=f"Django takes `{package.label}` for an app without migrations: `migrate` does nothing for it, and "
            "`migrate --run-syncdb` and tests create its tables from today's models. Add an empty file:\n\n"
            f"    touch {directory}/__init__.py",
            url=_URL,
            detail=directory,
        )
