"""One project root, read once and judged; or, where nothing has changed, the report that was made before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache, partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from miglint import git, kept
from miglint import settings as settings_module
from miglint.baseline import Baseline
from miglint.begin import Begun, begin, django_settings
from miglint.cache import REPORTS
from miglint.diagnostic import Diagnostic, Severity
from miglint.files import Asked, Files
from miglint.kept import Kept
from miglint.lazy import lazy
from miglint.reading import Progress
from miglint.remembered import Remembered
from miglint.report import Described, Locks, Report
from miglint.root import Root, is_below_any

if TYPE_CHECKING:
    # What a report that is remembered does not need is imported where it is needed: it takes longer than all the rest.
    from miglint.database import Database
    from miglint.judge import Judged
    from miglint.rule import Rule
    from miglint.scope import Scope
    from miglint.selection import Selection


class Rulebook(msgspec.Struct, frozen=True):
    """The rules that a project has, those of its plug-ins included, which of them are on, and its database."""

    rules: tuple[Rule, ...]
    selection: Selection
    database: Database


class Run:
    """One project root, read once. `baseline` is what it shares with others, if anything."""

    def __init__(self, root: Root, progress: Progress | None) -> None:
        """Raises SettingsError."""
        self.root = root
        self.baseline: Baseline | None = None
        self._files = Files(root, progress)
        # A report that is remembered needs no rules. Where all is to be read, what is wrong with them is said before.
        self._judges = self._rules if root.settings.plugins or self._files.are_new else ()

    @lazy
    def _rules(self) -> tuple[Rule, ...]:
        """The rules, once it is known that settings and options name none that does not exist."""
        from miglint import plugins

        named = self.root.settings.plugins
        try:
            rules = plugins.load(named)
        except plugins.PluginError as error:
            where = f"{settings_module.place(self.root.settings, 'plugins')}: plugins: " if named else ""
            raise plugins.PluginError(f"{where}{error}") from error
        known = {rule.code: rule.name for rule in rules}
        known |= {code: name for code, (name, _) in plugins.META.items()}
        settings_module.validate_codes(self.root.settings, known)
        options = self.root.options
        given = (options.select, options.ignore, options.extend_select)
        for selector in (word for words in given for word in words or ()):
            settings_module.validate_selector(selector, known)
        return rules

    @property
    def has_begun(self) -> bool:
        """Whether the settings say where to begin."""
        return bool(self.root.settings.base or self.root.settings.start_after)

    # -- the baseline --------------------------------------------------------------------------------

    def share(self, baselines: dict[str, Baseline]) -> None:
        """Takes the baseline that this project uses, if any, from those loaded, else loads it. Raises SettingsError."""
        path = self.root.baseline_path
        if path is not None:
            if path not in baselines:
                baselines[path] = Baseline.load(path)
            self.baseline = baselines[path]

    def baseline_problems(self) -> list[Diagnostic]:
        """What is to be said of the baseline itself, where the whole project or the file is asked for."""
        root, baseline = self.root, self.baseline
        if baseline is None or root.since:
            return []
        if not root.is_given(root.path.as_posix()) and not root.is_given(baseline.path):
            return []
        shared = not is_below_any(baseline.path, (root.path.as_posix(),))
        problems = baseline.problems(require_reason=root.settings.require_ignore_reason, shared=shared)
        return [
            replace(each, severity=root.selection.severity_of(each.code, each.name, each.severity))
            for each in problems
            if root.selection.is_on(each.code, each.name)
        ]

    # -- the report ----------------------------------------------------------------------------------

    def report(self) -> Report:
        """The findings in what is asked for: remembered, where all that the report follows from is as it was."""
        begun = begin(self.root, self._files, compared=True)
        before = self._files.asked()
        key = self._report_key(begun, before)
        kept_in = self.root.cache
        if kept_in is None or key is None:
            return self._made(begun).report
        reports = Kept(kept_in.directory, REPORTS, Remembered)
        known = reports.get(key)
        if known is not None and self._files.are_as_they_were(known.asked):
            self._files.save()
            return self._again(known, begun)
        judged = self._made(begun)
        if judged.follows_from_files:
            asked = self._files.asked().without(before)
            reports.keep(key, Remembered.of(judged.report, asked))
        return judged.report

    def _made(self, begun: Begun) -> Judged:
        """A new report."""
        from miglint.judge import judge

        judged = judge(begun, self._rules, self.baseline)
        self._files.save()
        return replace(judged, report=replace(judged.report, rules=self._described, locks_of=_locks(begun)))

    def _again(self, known: Remembered, begun: Begun) -> Report:
        """A report that was made before."""
        return Report(
            diagnostics=known.diagnostics,
            sources=self._files.sources(known.diagnostics),
            summary=known.summary,
            projects=(known.project,),
            warnings=known.warnings,
            notes=known.notes,
            rules=self._described,
            locks_of=_locks(begun),
        )

    def _report_key(self, begun: Begun, asked: Asked) -> bytes | None:
        """The hash of all that a report follows from, None where it follows from more than files and options."""
        root = self.root
        if root.cache is None or root.overlay or root.since or self.baseline is not None:
            return None
        if root.options.write_baseline:
            return None
        index = git.index_stamp(root.repository)
        if index is None or not all(asked.contents.values()):
            return None  # why a file cannot be read may change while it cannot be
        only = [(path, os.path.isfile(path)) for path in root.only]
        where = (root.path, root.repository, index, self._files.modules.site_packages, only)
        try:
            made_by = kept.made_by(rule.module for rule in self._judges)
        except OSError:
            return None
        given = (root.options, root.settings, root.sizes, made_by)
        return kept.key_of((where, given, begun.walk, asked))

    def _described(self) -> tuple[Described, ...]:
        """The rules that are on, those about the analysis too, by code."""
        from miglint import plugins

        rules = [
            Described(r.code, r.name, r.summary, r.severity, r.category, partial(plugins.page_of, r))
            for r in self._rules
        ]
        for code, (name, severity) in plugins.META.items():
            page = partial(plugins.meta_page, code)
            rules.append(Described(code, name, "", Severity[severity.upper()], "meta", page))
        on = (rule for rule in rules if self.root.selection.is_on(rule.code, rule.name))
        return tuple(sorted(on, key=lambda rule: rule.code))

    # -- for other commands --------------------------------------------------------------------------

    def rulebook(self) -> Rulebook:
        """The rules, which of them are on, and the database."""
        return Rulebook(self._rules, self.root.selection, self.root.database(django_settings(self.root, self._files)))

    def scopes(self, *, replayed: bool) -> Iterator[Scope]:
        """The projects below the root that hold something that is asked for."""
        from miglint.load import load
        from miglint.scope import Scope

        root = self.root
        self._judges = self._rules  # what is wrong with the settings is said by every command
        loaded = load(begin(root, self._files, compared=replayed), compared=replayed, whole=True)
        read = self._files.by_path()
        for project in loaded.replayed() if replayed else loaded.projects:
            packages = [package for package in project.packages if package.has_init]
            apps = frozenset(package.label for package in packages if root.is_asked_for(package.directory))
            if apps:
                yield Scope(
                    project=project,
                    root=root.path.as_posix(),
                    repository=root.repository,
                    apps=apps,
                    source_of=lambda path: read[path].source if path in read else None,
                )
        self._files.save()


def _locks(begun: Begun) -> Locks:
    """As `judge.locks_in`, which is imported once it is asked."""

    @cache
    def locks() -> Locks:
        from miglint.judge import locks_in

        return locks_in(begun)

    return lambda diagnostic: locks()(diagnostic)
