"""What could not be read, and what is therefore not checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from miglint.diagnostic import Diagnostic, Severity, Subject
from miglint.project.action import Execute
from miglint.project.history import Step
from miglint.project.layout import Layout
from miglint.project.migration import Migration, Unreadable
from miglint.project.operations import RunSQL
from miglint.project.project import Project
from miglint.text import Span


def files(found: Layout, projects: Iterable[Project]) -> Iterator[Diagnostic]:
    """What of the files themselves could not be read."""
    for problem in found.problems:
        yield Diagnostic(
            code="MG901",
            name="syntax-error",
            severity=Severity.ERROR,
            message=problem.message,
            path=problem.path,
            subject=Subject(detail=problem.path.removeprefix(found.root)),
        )
    for project in projects:
        for migration in project.own_migrations():
            if migration.facts.problem is not None:
                yield _syntax_error(migration)
            for each in _distinct(migration.unreadable):
                yield _partly(migration, each)


def _syntax_error(migration: Migration) -> Diagnostic:
    problem = migration.facts.problem
    assert problem is not None
    return Diagnostic(
        code="MG901",
        name="syntax-error",
        severity=Severity.ERROR,
        message=f"the file cannot be read: {problem.message}",
        path=migration.path,
        span=problem.span,
        help="Nothing in this migration was checked, and what other findings say about its app may be incomplete.",
        subject=Subject(app=migration.app, migration=migration.name),
    )


def _distinct(parts: Iterable[Unreadable]) -> Iterator[Unreadable]:
    seen: set[tuple[str, Span]] = set()
    for part in parts:
        if (part.what, part.span) not in seen:
            seen.add((part.what, part.span))
            yield part


def _partly(migration: Migration, part: Unreadable) -> Diagnostic:
    return Diagnostic(
        code="MG902",
        name="partly-readable",
        severity=Severity.WARNING,
        message=f"a part of `{part.what}` cannot be read without running it: it is {part.why}",
        path=migration.path,
        span=part.span,
        help=f"Not checked because of this: {part.unchecked}.",
        subject=Subject(app=migration.app, migration=migration.name, detail=f"{part.what}:{part.why}"),
    )


# -- SQL ----------------------------------------------------------------------------------------------


def statements(step: Step) -> Iterator[Diagnostic]:
    """The statements of a RunSQL of which it is not known what they do: each kind once."""
    if not isinstance(step.operation, RunSQL) or not step.touches_database:
        return
    unknown = [each for each in step.actions if isinstance(each, Execute) and not each.understood and each.text]
    for verb in dict.fromkeys(each.verb for each in unknown):
        yield Diagnostic(
            code="MG902",
            name="partly-readable",
            severity=Severity.WARNING,
            message=f"a part of `RunSQL` cannot be read without running it: it is {_told(verb)}",
            path=step.migration.path,
            span=step.operation.span,
            help="Not checked because of this: which tables the statement changes and locks, and what is lost by it. "
            "Where it does the same each time, write those statements themselves.",
            subject=Subject(
                app=step.migration.app,
                migration=step.migration.name,
                operation=step.path,
                operation_name=step.operation.class_name,
                detail=f"RunSQL.sql:{verb}",
            ),
        )


def _told(verb: str) -> str:
    return "a DO block, whose code the database runs" if verb == "do" else f"SQL that is not known: {verb.upper()} …"
