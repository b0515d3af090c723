"""What a run found, and what follows from it: the order, the counts and the exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from miglint.database import Database
from miglint.diagnostic import Diagnostic, Severity
from miglint.text import Range, Source, Span

if TYPE_CHECKING:
    from miglint.databases.effects import TableEffect


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How much was read, and for which database and Django; `django` is a version and its source.

    `unreadable_operations` counts what could not be understood and therefore was not judged.
    """

    projects: int
    migrations: int
    apps: int
    operations: int
    unreadable_operations: int
    suppressed: int
    baselined: int
    database: Database
    django: tuple[str, str]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project that was read: where it is and what it was read with.

    Paths are absolute with `/`. `repository` is its git root, or `root` where there is none; `config` is the
    settings file, if any; `settings` what is in force, by the settings' own names; `files` the migrations
    that are reported on.
    """

    root: str
    repository: str
    config: str | None
    database: Database
    django: tuple[str, str]
    settings: Mapping[str, object] = {}
    files: tuple[str, ...] = ()


class Described(msgspec.Struct, frozen=True):
    """A rule that was on. `page` gives the text of its page."""

    code: str
    name: str
    summary: str
    severity: Severity
    category: str
    page: Callable[[], str]


Locks = Callable[[Diagnostic], "tuple[TableEffect, ...]"]


def _no_locks(diagnostic: Diagnostic) -> tuple[TableEffect, ...]:
    return ()


class Counts(msgspec.Struct, frozen=True):
    """Findings by severity."""

    error: int
    warning: int
    info: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run.

    `diagnostics` are sorted and hold the suppressed ones too. `sources` are the texts by the paths that
    diagnostics name. `warnings` are for everyone, `notes` for those who ask (`-v`). `internal_errors`
    counts rules and plug-ins that crashed. `advice` is a last word for those who begin. `rules` tells
    which were on; `locks_of` tells what the operation of a finding does to the tables that are there.
    """

    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, Source]
    summary: Summary
    projects: tuple[Project, ...] = ()
    internal_errors: int = 0
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    advice: str | None = None
    rules: Callable[[], tuple[Described, ...]] = tuple
    locks_of: Locks = _no_locks

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that count: neither ignored inline nor in the baseline."""
        return tuple(diagnostic for diagnostic in self.diagnostics if diagnostic.suppressed is None)

    @property
    def counts(self) -> Counts:
        severities = [diagnostic.severity for diagnostic in self.findings]
        return Counts(*(severities.count(level) for level in sorted(Severity, reverse=True)))

    def worst(self) -> Severity | None:
        """The highest severity that counts."""
        return max((diagnostic.severity for diagnostic in self.findings), default=None)

    def exit_code(self, *, fail_on: Severity | None, exit_zero: bool = False) -> int:
        """3 after a crash of ours, else 1 for a finding at or above `fail_on` (None: never), else 0."""
        if self.internal_errors:
            return 3
        worst = self.worst()
        if exit_zero or fail_on is None or worst is None:
            return 0
        return 1 if worst >= fail_on else 0

    def range_of(self, path: str | None, span: Span | None) -> Range | None:
        """Where a span is, in lines and columns; None where there is no text to count in."""
        source = self.sources.get(path) if path is not None else None
        return source.range(span) if source is not None and span is not None else None

    def by_severity(self) -> tuple[Diagnostic, ...]:
        """The findings that count, the worst first; among equals in their order."""
        return tuple(sorted(self.findings, key=lambda diagnostic: -diagnostic.severity))

    def path_in_repository(self, path: str) -> str:
        """A path relative to the git root of its project, or the project's root without git.

        A path outside every project stays absolute.
        """
        roots = [project.repository for project in self.projects if _is_below(path, project.repository)]
        if not roots:
            return path
        return path_below(path, max(roots, key=len))


def count_suppressed(diagnostics: Iterable[Diagnostic], kind: str) -> int:
    """How many are suppressed in one way."""
    return sum(each.suppressed is not None and each.suppressed.kind == kind for each in diagnostics)


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip("/") + "/")


def path_below(path: str, directory: str) -> str:
    """A path relative to a directory; one outside of it stays absolute."""
    return path[len(directory.rstrip("/")) + 1 :] if _is_below(path, directory) else path


def path_for_text(path: str, cwd: str) -> str:
    """A path for people: relative to the working directory, also where that takes `..`; always with `/`.

    >>> path_for_text("/home/ada/shop/a.py", "/home/ada/other")
    '../shop/a.py'
    """
    parts, base = path.split("/"), cwd.rstrip("/").split("/")
    if parts[0] != base[0]:  # another drive
        return path
    common = 0
    while common < min(len(parts), len(base)) and parts[common] == base[common]:
        common += 1
    return "/".join([".."] * (len(base) - common) + parts[common:]) or "."


def sort(diagnostics: Iterable[Diagnostic], *, path_of: Callable[[str], str] = str) -> tuple[Diagnostic, ...]:
    """By path, start and code; what has no path comes first, what is left equal is told apart by its text.

    `path_of` gives the path as it is written; order by offset equals order by line and column within a file.
    """
    return tuple(sorted(diagnostics, key=lambda diagnostic: _sort_key(diagnostic, path_of)))


def _sort_key(diagnostic: Diagnostic, path_of: Callable[[str], str]) -> tuple[object, ...]:
    span = diagnostic.span or Span(0, 0)
    path = path_of(diagnostic.path) if diagnostic.path is not None else ""
    return (path, span.start, diagnostic.code, span.end, diagnostic.message, diagnostic.subject.key)
