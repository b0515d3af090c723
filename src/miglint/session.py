"""The pipeline, start to finish: paths → projects → findings → a report. Every front end calls this."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from miglint.baseline import Baseline
from miglint.options import Options
from miglint.project import disk
from miglint.reading import Progress
from miglint.report import Report, count_suppressed, sort
from miglint.root import Root, UsageError
from miglint.run import Rulebook, Run
from miglint.text import Source

if TYPE_CHECKING:
    from miglint.scope import Scope

# So many findings on the first day are those of years.
_MANY = 10
_ADVICE = (
    "to begin with what is new, `miglint check --since origin/main`, or whatever your main branch is called, reports "
    "only what that branch has not got; or `miglint check --write-baseline` accepts what is there"
)
_ADVICE_WITHOUT_GIT = "to begin with what is new, `miglint check --write-baseline` accepts what is there"


class Session:
    """Reads projects with the same options again and again."""

    def __init__(self, options: Options, *, cwd: Path, progress: Progress | None = None) -> None:
        self._options = options
        self._cwd = Path(os.path.abspath(cwd))
        self._progress = progress

    def report(self, paths: Sequence[Path], overlay: Mapping[str, bytes] | None = None) -> Report:
        """The findings of the projects that `paths` belong to, only those in `paths` or about the graph.

        `overlay` replaces, or adds, files by absolute path. Raises UsageError and SettingsError.
        """
        runs = self._runs(paths, dict(overlay or {}))
        baselines: dict[str, Baseline] = {}
        for run in runs:
            run.share(baselines)
        report = _joined([run.report() for run in runs])
        report = self._settle(report, baselines, runs)
        begun = self._options.since is not None or baselines or any(run.has_begun for run in runs)
        if not begun and len(report.findings) >= _MANY:
            in_git = all(run.root.is_in_repository for run in runs)
            return msgspec.structs.replace(report, advice=_ADVICE if in_git else _ADVICE_WITHOUT_GIT)
        return report

    def _settle(self, report: Report, baselines: Mapping[str, Baseline], runs: Sequence[Run]) -> Report:
        """With what is to be said of the baselines, now that all projects that use them were read."""
        warnings = list(report.warnings)
        sources = dict(report.sources)
        found = list(report.diagnostics)
        for baseline in baselines.values():
            if self._options.write_baseline:
                warnings.append(_written(baseline))
            else:
                run = [run for run in runs if run.baseline is baseline][-1]
                problems = run.baseline_problems()
                found += problems
                sources |= {baseline.path: baseline.source} if problems else {}
        return msgspec.structs.replace(report, diagnostics=sort(found), sources=sources, warnings=tuple(warnings))

    def rulebook(self) -> Rulebook:
        """The rules of the working directory's project. Raises SettingsError."""
        (run,) = self._runs((), {})
        return run.rulebook()

    def scopes(self, paths: Sequence[Path], *, replayed: bool) -> tuple[Scope, ...]:
        """The projects that `paths` belong to, in path order, each with its apps that are in `paths`.

        Without `replayed` their histories are left empty. Raises UsageError and SettingsError.
        """
        return tuple(scope for run in self._runs(paths, {}) for scope in run.scopes(replayed=replayed))

    def _runs(self, paths: Sequence[Path], texts: dict[str, bytes]) -> list[Run]:
        wanted: dict[Path, list[str]] = {}
        for path in paths or [self._cwd]:
            absolute = Path(os.path.abspath(self._cwd / path))
            if not os.path.lexists(absolute) and str(absolute) not in texts:
                raise UsageError(f"the path {str(path)!r} does not exist")
            if os.path.isdir(absolute) and not os.access(absolute, os.R_OK | os.X_OK):
                raise UsageError(f"the directory {str(path)!r} cannot be read")
            wanted.setdefault(self._root(absolute), []).append(disk.printable(absolute.as_posix()))
        return [Run(Root(root, only, self._options, texts), self._progress) for root, only in sorted(wanted.items())]

    def _root(self, path: Path) -> Path:
        """The directory of the settings file that is given, unless the path is not below it: a file of settings for
        several projects may lie anywhere.
        """
        if self._options.config is not None:
            directory = Path(os.path.abspath(self._cwd / self._options.config)).parent
            if path.is_relative_to(directory):
                return directory
        return disk.project_root(path)


def _written(baseline: Baseline) -> str:
    try:
        number = baseline.write()
    except OSError as error:
        raise UsageError(f"the baseline {baseline.path} cannot be written: {error.strerror}") from None
    return f"{number} {'entry' if number == 1 else 'entries'} written to {baseline.path}"


def _joined(reports: list[Report]) -> Report:
    """Several projects' reports as one. One root may be below another: what both found is said once."""
    if len(reports) == 1:
        return reports[0]
    sources: dict[str, Source] = {}
    for report in reports:
        sources.update(report.sources)
    found = {(d.code, d.path, d.span, d.fingerprint): d for report in reversed(reports) for d in report.diagnostics}
    counted = ("projects", "migrations", "apps", "operations", "unreadable_operations")
    summary = msgspec.structs.replace(
        reports[0].summary,
        **{name: sum(getattr(report.summary, name) for report in reports) for name in counted},
        suppressed=count_suppressed(found.values(), "inline"),
        baselined=count_suppressed(found.values(), "baseline"),
    )
    return Report(
        diagnostics=sort(found.values()),
        sources=sources,
        summary=summary,
        projects=tuple(project for report in reports for project in report.projects),
        internal_errors=sum(report.internal_errors for report in reports),
        warnings=tuple(warning for report in reports for warning in report.warnings),
        notes=tuple(dict.fromkeys(note for report in reports for note in report.notes)),
        rules=lambda: tuple({rule.code: rule for report in reports for rule in report.rules()}.values()),
        locks_of=lambda diagnostic: next(filter(None, (report.locks_of(diagnostic) for report in reports)), ()),
    )
