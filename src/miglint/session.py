"""The pipeline, start to finish: paths → projects → findings → a report. Every front end calls this."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from miglint import check, git, kept, plugins, verdicts
from miglint import settings as settings_module
from miglint.baseline import DEFAULT, Baseline
from miglint.cache import DIRECTORY, REPORTS, VERDICTS, Cache
from miglint.check import Judged
from miglint.database import Database, Version, parse_version
from miglint.databases.effects import TableEffect
from miglint.diagnostic import Diagnostic, Severity
from miglint.foreign import foreign_migrations
from miglint.git import Blob, GitError, Repository
from miglint.installed import Installed, environment_packages, installed
from miglint.kept import Kept
from miglint.lazy import lazy
from miglint.modules import Modules, hash_of, names_in
from miglint.options import Options
from miglint.project import layout
from miglint.project.base import Tracking
from miglint.project.circumstances import Circumstances
from miglint.project.django_settings import DjangoSettings
from miglint.project.graph import Graph
from miglint.project.history import History, replay
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.operations import walk_operations
from miglint.project.project import Project
from miglint.project.usages import Usages
from miglint.reading import FileRead, file_content, read_contents, read_files
from miglint.remembered import Remembered
from miglint.report import Described, Report, Summary, sort
from miglint.report import Project as ReadProject
from miglint.rule import Rule
from miglint.selection import Selection
from miglint.since import Comparison, Surroundings, tracking
from miglint.syntax.facts import Literal, ModuleFacts
from miglint.syntax.sql import read_sql
from miglint.text import Source
from miglint.verdicts import Asked, Verdict

Progress = Callable[[int, int], None]
# So many findings on the first day are those of years.
_MANY = 10
_ADVICE = (
    "to begin with what is new, `miglint check --since origin/main` reports only what that branch has not got; "
    "or `miglint check --write-baseline` accepts what is there"
)
# The rule that asks git without a base branch.
_NOT_IN_GIT = ("MG605", "migration-not-in-git")
_NOT_ASKED = "git was not asked for ignored and untracked files"
_ASSUMED_DJANGO: Version = (5, 2)
_SUPPORTED_DJANGO: tuple[Version, ...] = ((4, 2), (5, 0), (5, 1), (5, 2), (6, 0), (6, 1))


class UsageError(Exception):
    """What was asked for cannot be done; one sentence for the user."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """A Django project that was read, and the labels of its apps that are asked for.

    `root` is absolute with `/`, `repository` its git root, or the root itself where there is none. `source_of` has
    the text of a migration by its path.
    """

    project: Project
    root: str
    repository: str
    apps: frozenset[str]
    source_of: Callable[[str], Source | None] = lambda path: None

    def targets(self) -> list[MigrationKey] | None:
        """The leaves of the apps that are asked for; None where all are."""
        if self.apps >= self.project.labels:
            return None
        return [leaf for app in sorted(self.apps) for leaf in self.project.graph.leaves(app)]


class Session:
    """Reads projects with the same options again and again."""

    def __init__(self, options: Options, *, cwd: Path, progress: Progress | None = None) -> None:
        self._options = options
        self._cwd = Path(os.path.abspath(cwd))
        self._progress = progress

    def report(self, paths: Sequence[Path], overlay: Mapping[str, bytes] | None = None) -> Report:
        """The findings of the projects that `paths` belong to, only those in `paths` or about the graph.

        `overlay` replaces, or adds, files by absolute path. Raises UsageError, SettingsError and PluginError.
        """
        runs = self._runs(paths, dict(overlay or {}))
        baselines: dict[str, Baseline] = {}
        for run in runs:
            run.share(baselines)
        report = _joined([run.report() for run in runs])
        report = self._settle(report, baselines, runs)
        begun = self._options.since is not None or baselines or any(run.has_begun for run in runs)
        if not begun and len(report.findings) >= _MANY:
            return msgspec.structs.replace(report, advice=_ADVICE)
        return report

    def _settle(self, report: Report, baselines: Mapping[str, Baseline], runs: Sequence[_Run]) -> Report:
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
        """The rules of the working directory's project. Raises SettingsError and PluginError."""
        (run,) = self._runs((), {})
        return run.rulebook()

    def scopes(self, paths: Sequence[Path], *, replayed: bool) -> tuple[Scope, ...]:
        """The projects that `paths` belong to, in path order, each with its apps that are in `paths`.

        Without `replayed` their histories are left empty. Raises UsageError, SettingsError and PluginError.
        """
        return tuple(scope for run in self._runs(paths, {}) for scope in run.scopes(replayed=replayed))

    def _runs(self, paths: Sequence[Path], texts: dict[str, bytes]) -> list[_Run]:
        wanted: dict[Path, list[str]] = {}
        for path in paths or [self._cwd]:
            absolute = Path(os.path.abspath(self._cwd / path))
            if not os.path.lexists(absolute) and str(absolute) not in texts:
                raise UsageError(f"the path {str(path)!r} does not exist")
            if absolute.is_dir() and not os.access(absolute, os.R_OK | os.X_OK):
                raise UsageError(f"the directory {str(path)!r} cannot be read")
            wanted.setdefault(self._root(absolute), []).append(layout.printable(absolute.as_posix()))
        return [_Run(root, only, self._options, texts, self._progress) for root, only in sorted(wanted.items())]

    def _root(self, path: Path) -> Path:
        if self._options.config is not None:
            return Path(os.path.abspath(self._cwd / self._options.config)).parent
        return layout.project_root(path)


def _written(baseline: Baseline) -> str:
    try:
        number = baseline.write()
    except OSError as error:
        raise UsageError(f"the baseline {baseline.path} cannot be written: {error.strerror}") from None
    return f"{number} {'entry' if number == 1 else 'entries'} written to {baseline.path}"


class Rulebook(msgspec.Struct, frozen=True):
    """The rules that a project has, those of its plug-ins included, which of them are on, and its database."""

    rules: tuple[Rule, ...]
    selection: Selection
    database: Database


class _Begun(msgspec.Struct, frozen=True):
    """What is known of a root before any migration is looked at."""

    modules: Modules
    django: DjangoSettings
    database: Database
    version: Version
    version_source: str
    walk: layout.Walk


class _Loaded(msgspec.Struct, frozen=True, dict=True):
    """What was read below one root; no history is replayed yet. `django` is a version and its source."""

    found: layout.Layout
    projects: list[Project]
    modules: Modules
    database: Database
    django: tuple[str, str]
    history_of: Callable[[Project], History]

    @lazy
    def replayed(self) -> list[Project]:
        """The projects with their histories."""
        return [msgspec.structs.replace(project, history=self.history_of(project)) for project in self.projects]


class _Run:
    """One project root, read once."""

    def __init__(
        self,
        root: Path,
        only: list[str],
        options: Options,
        overlay: Mapping[str, bytes],
        progress: Progress | None,
    ) -> None:
        self._root = root
        self._only = only
        self._options = options
        self._overlay = {path: data for path, data in overlay.items() if path.startswith(f"{root.as_posix()}/")}
        self._settings = settings_module.load(root, config=options.config, isolated=options.isolated)
        self._sizes = settings_module.sizes_of(self._settings)
        cache = Cache.load(options.cache_dir or root / DIRECTORY) if options.cache else None
        self._cache = cache
        self._knows_nothing = not cache
        # A report that is remembered needs no rules. Where all is to be read, what is wrong with them is said before.
        self._judges = self._rules if self._settings.plugins or self._knows_nothing else ()
        self._progress = progress
        self._notes: list[str] = []
        self._read: dict[str, FileRead] = {}
        self._guessed: dict[str, FileRead] = {}
        # The files that are read by LibCST: those on which something may be reported.
        self._reported_on: frozenset[str] = frozenset()
        self.baseline: Baseline | None = None

    @lazy
    def _rules(self) -> tuple[Rule, ...]:
        """The rules, once it is known that settings and options name none that does not exist."""
        rules = plugins.load(self._settings.plugins)
        self._check_codes(rules)
        return rules

    @property
    def has_begun(self) -> bool:
        """Whether the settings say where to begin."""
        return bool(self._settings.base or self._settings.start_after)

    def share(self, baselines: dict[str, Baseline]) -> None:
        """Takes the baseline that this project uses, if any, from those loaded, else loads it. Raises SettingsError."""
        path = self._baseline_path()
        if path is not None:
            if path not in baselines:
                baselines[path] = Baseline.load(path)
            self.baseline = baselines[path]

    def _baseline_path(self) -> str | None:
        """The file that is named, else the nearest of the usual name from the root up to the repository's."""
        stated = self._options.baseline
        if stated is None and self._settings.baseline is not None:
            stated = self._root / self._settings.baseline.replace("\\", "/")
        if stated is not None:
            path = Path(os.path.abspath(stated))
            if not path.is_file() and not self._options.write_baseline:
                raise UsageError(f"the baseline {path} does not exist; `miglint check --write-baseline` makes it")
            return path.as_posix()
        repository = Path(_git_root(self._root))
        for directory in (self._root, *self._root.parents) if not self._options.isolated else ():
            if (directory / DEFAULT).is_file():
                return (directory / DEFAULT).as_posix()
            if directory == repository:
                break
        # Without settings, another path may mean another root: what stands at the top is found from each.
        new = (self._root if self._settings.path is not None else repository) / DEFAULT
        return new.as_posix() if self._options.write_baseline else None

    def baseline_problems(self) -> list[Diagnostic]:
        """What is to be said of the baseline itself, where the whole project or the file is asked for."""
        if self.baseline is None or self._since:
            return []
        if not any(check.is_below_any(path, self._only) for path in (self._root.as_posix(), self.baseline.path)):
            return []
        shared = not check.is_below_any(self.baseline.path, (self._root.as_posix(),))
        problems = self.baseline.problems(require_reason=self._settings.require_ignore_reason, shared=shared)
        selection = check.selection_of(self._settings, self._options)
        return [
            msgspec.structs.replace(each, severity=selection.severity_of(each.code, each.name, each.severity))
            for each in problems
            if selection.is_on(each.code, each.name)
        ]

    def _check_codes(self, rules: Iterable[Rule]) -> None:
        known = {rule.code: rule.name for rule in rules}
        known |= {code: name for code, (name, _) in plugins.META.items()}
        settings_module.validate_codes(self._settings, known)
        given = (self._options.select, self._options.ignore, self._options.extend_select)
        for selector in (word for words in given for word in words or ()):
            settings_module.validate_selector(selector, known)

    # -- reading -------------------------------------------------------------------------------------

    def _guess(self, files: Sequence[str], modules: Modules) -> None:
        """Reads files and what they most likely import at once; what nobody asks for afterwards counts as not read."""
        self._guessed = self._parsed([*files, *modules.imported_by(files)], self._progress)

    def _files(self, files: Iterable[str], progress: Progress | None = None) -> dict[str, FileRead]:
        missing = [file for file in dict.fromkeys(files) if file not in self._read]
        self._read |= {file: self._guessed.pop(file) for file in missing if file in self._guessed}
        missing = [file for file in missing if file not in self._read]
        if missing:
            self._read |= self._parsed(missing, progress)
        return self._read

    def _parsed(self, files: Sequence[str], progress: Progress | None) -> dict[str, FileRead]:
        return read_files(
            files,
            cache=self._cache,
            jobs=self._options.jobs,
            overlay=self._overlay,
            progress=progress,
            quickly=set(files) - self._reported_on,
        )

    def _report_on(self, files: Iterable[str]) -> None:
        """Has files read by LibCST, those too that were read quickly."""
        self._reported_on = frozenset(files)
        again = [file for file in self._reported_on if file in self._read]
        if again:
            self._read |= self._parsed(again, None)

    def report(self) -> Report:
        """The findings in what is asked for: remembered, where all that the report follows from is as it was."""
        begun = self._begin(compared=True)
        before = self._asked_so_far(begun.modules)
        key = self._report_key(begun, before)
        reports = Kept(self._cache.directory, REPORTS, Remembered) if self._cache is not None else None
        if key is not None and reports is not None:
            known = reports.get(key)
            if known is not None and self._is_as_it_was(known.asked):
                self._save()
                return self._again(known, begun)
        loaded = self._load(begun, compared=True)
        asked = self._asked_rules(loaded)
        report = self._check(asked, loaded)
        self._save()
        if key is not None and reports is not None and self._follows_from_files(report, loaded):
            reports.keep(
                key,
                Remembered(
                    asked=self._asked_so_far(begun.modules).without(before),
                    diagnostics=report.diagnostics,
                    summary=report.summary,
                    project=report.projects[0],
                    warnings=report.warnings,
                    notes=report.notes,
                ),
            )
        return report

    def _report_key(self, begun: _Begun, asked: Asked) -> bytes | None:
        """The hash of all that a report follows from, None where it follows from more than files and options."""
        if self._cache is None or self._overlay or self._since or self.baseline is not None:
            return None
        if self._options.write_baseline:
            return None
        repository = _git_root(self._root)
        index = git.index_stamp(repository)
        if index is None or not all(asked.contents.values()):
            return None  # why a file cannot be read may change while it cannot be
        only = [(path, os.path.isfile(path)) for path in self._only]
        where = (self._root, repository, index, begun.modules.site_packages, only)
        try:
            made_by = verdicts.made_by(self._judges)
        except OSError:
            return None
        given = (self._options, self._settings, self._sizes, made_by)
        return kept.key_of((where, given, begun.walk, asked))

    def _follows_from_files(self, report: Report, loaded: _Loaded) -> bool:
        """Whether the same files and index of git give the same report. What git ignores follows from more."""
        tracked = [project.tracking for project in loaded.projects]
        silent = any(note.startswith(_NOT_ASKED) for note in self._notes)
        return not (report.internal_errors or silent or any(each.ignored or each.untracked for each in tracked))

    def _asked_so_far(self, modules: Modules) -> Asked:
        """What the disk was asked."""
        contents = {file: each.data_hash for file, each in self._read.items()}
        return Asked(contents, dict(modules.texts), dict(modules.looked_for), dict(modules.listed))

    def _again(self, known: Remembered, begun: _Begun) -> Report:
        """A report that was made before."""

        def locks_of(diagnostic: Diagnostic) -> tuple[TableEffect, ...]:
            return check.locks_of(self._load(begun, compared=True).replayed, diagnostic)

        return Report(
            diagnostics=known.diagnostics,
            sources=self._sources(known.diagnostics),
            summary=known.summary,
            projects=(known.project,),
            warnings=known.warnings,
            notes=known.notes,
            rules=self._described,
            locks_of=locks_of,
        )

    def _by_path(self) -> dict[str, FileRead]:
        """The files that were read, by the paths that are shown."""
        return {layout.printable(file): read for file, read in self._read.items()}

    def _sources(self, diagnostics: Iterable[Diagnostic]) -> dict[str, Source]:
        """The texts that findings are about, by path."""
        by_path = self._by_path()
        sources: dict[str, Source] = {}
        for diagnostic in diagnostics:
            for path in (diagnostic.path, *(related.path for related in diagnostic.related)):
                if path is not None and path in by_path and path not in sources:
                    sources[path] = by_path[path].source
        return sources

    def _asked_rules(self, loaded: _Loaded) -> Judged:
        """What the rules find: remembered, where all that they would see is as it was."""
        active = check.active_rules(self._rules, self._settings, self._options)
        apps = self._apps_to_judge(loaded)
        cache = self._cache if not self._overlay else None
        before = self._asked_so_far(loaded.modules)
        key = None
        if cache is not None:
            contents = before.contents | loaded.modules.texts
            key = verdicts.key_of(loaded.projects, active, self._settings, contents, apps)
        if cache is None or key is None:
            return check.ask(loaded.replayed, active, apps)
        known = Kept(cache.directory, VERDICTS, Verdict)
        found = known.get(key)
        if found is not None and self._is_as_it_was(found.asked):
            return Judged(found.diagnostics)
        judged = check.ask(loaded.replayed, active, apps)
        if not judged.crashes:
            self._save()  # which makes the directory
            known.keep(key, Verdict(self._asked_so_far(loaded.modules).without(before), judged.diagnostics))
        return judged

    def _apps_to_judge(self, loaded: _Loaded) -> frozenset[str] | None:
        """The apps with files on which something may be reported, None for all."""
        packages = [package for project in loaded.projects for package in project.packages]
        apps = frozenset(p.label for p in packages if any(module.file in self._reported_on for module in p.modules))
        if self._options.write_baseline or apps >= {package.label for package in packages}:
            return None
        return apps

    def _is_as_it_was(self, asked: Asked) -> bool:
        """Whether the disk gives the same answers."""
        read = self._files(asked.contents)
        return (
            all(read[file].data_hash == known for file, known in asked.contents.items())
            and all(hash_of(file_content(path)) == known for path, known in asked.texts.items())
            and all(os.path.isfile(path) is known for path, known in asked.files.items())
            and all(names_in(path) == known for path, known in asked.names.items())
        )

    def _save(self) -> None:
        """Keeps what was read, the modules too that rules had read because the code of a migration imports them."""
        if self._cache is not None:
            self._cache.save()

    def scopes(self, *, replayed: bool) -> Iterator[Scope]:
        """The projects below the root that hold something that is asked for."""
        root = self._root.as_posix()
        self._judges = self._rules  # what is wrong with the settings is said by every command
        loaded = self._load(self._begin(compared=replayed), compared=replayed, whole=True)
        projects = loaded.replayed if replayed else loaded.projects
        read = self._by_path()
        for project in projects:
            packages = [package for package in project.packages if package.has_init]
            apps = {package.label for package in packages if self._is_asked_for(package.directory)}
            if apps:
                yield Scope(
                    project=project,
                    root=root,
                    repository=_git_root(self._root),
                    apps=frozenset(apps),
                    source_of=lambda path: read[path].source if path in read else None,
                )
        self._save()

    def _is_given(self, path: str) -> bool:
        """Whether a path is one that was given, or below one."""
        return check.is_below_any(path, self._only)

    def _is_asked_for(self, directory: str) -> bool:
        """Whether an app's migrations, or the app itself, are among the paths given, or a path is among them."""
        app = directory.rpartition("/")[0]
        return check.is_below_any(directory, self._only) or any(
            check.is_below_any(path, (app,)) for path in self._only if path != self._root.as_posix()
        )

    def _with_environment(
        self, parts: Iterable[layout.Project], modules: Modules, django: DjangoSettings
    ) -> tuple[layout.Project, ...]:
        """The projects with the installed apps of the environment to depend on."""
        packages = environment_packages(django.installed_apps, modules)
        self._files([module.file for package in packages for module in package.modules], self._progress)
        return tuple(
            msgspec.structs.replace(part, packages=(*part.packages, *_without(packages, part.packages)))
            for part in parts
        )

    def rulebook(self) -> Rulebook:
        """The rules, which of them are on, and the database."""
        django = self._modules().django_settings(self._settings.settings_file)
        return Rulebook(tuple(self._rules), check.selection_of(self._settings, self._options), self._database(django))

    def _modules(self) -> Modules:
        stated = self._settings.environment
        environment = (self._root / stated).as_posix() if stated is not None else None
        return Modules(self._root.as_posix(), lambda file: self._files([file])[file].facts, self._overlay, environment)

    def _begin(self, *, compared: bool) -> _Begun:
        """Reads what Django's settings say, and finds and reads the files that may be migrations."""
        modules = self._modules()
        django = modules.django_settings(self._settings.settings_file)
        database, version, source = self._database(django), *self._django_version()
        walk = layout.walk(
            self._root,
            exclude=self._settings.exclude,
            migration_modules=django.migration_modules,
            also=self._overlay,
        )
        if not (compared and self._since):
            self._report_on(file for file in walk.migration_files if self._is_given(file))
        if self._knows_nothing:
            self._guess(walk.files, modules)
        self._files(walk.files, self._progress)
        return _Begun(modules, django, database, version, source, walk)

    def _load(self, begun: _Begun, *, compared: bool, whole: bool = False) -> _Loaded:
        """Puts together what was read; the histories are left empty. `compared` says whether git is asked, `whole`
        whether what is installed beside the project is read, too.
        """
        modules, django, walk = begun.modules, begun.django, begun.walk
        found = layout.interpret(
            walk,
            lambda file: self._read[file].facts if file in self._read else None,
            apps=self._settings.apps,
            migration_modules=django.migration_modules,
            installed_apps=django.installed_apps,
        )
        comparison, tracked = self._git(found, django) if compared else (None, Tracking())
        if comparison is not None:
            passed = comparison.released - comparison.changed
            self._report_on(f for f in walk.migration_files if f not in passed and self._is_given(f))
        parts = found.projects
        if comparison is not None and comparison.has_gone and not parts:
            parts = (layout.Project("", (), ()),)  # all migrations are gone: that is to be said, too
        if whole and self._settings.environment is not None:
            parts = self._with_environment(parts, modules, django)
        projects = [self._project(each, found, begun, comparison, tracked, whole=whole) for each in parts]
        stated = (".".join(map(str, begun.version)), begun.version_source)
        return _Loaded(found, projects, modules, begun.database, stated, self._history)

    def _history(self, project: Project) -> History:
        return replay(
            project.graph,
            database=project.database,
            django_version=project.django_version,
            swappable=project.swappable,
            sql=self._cache.read_sql if self._cache is not None else read_sql,
            usages=project.usages,
        )

    def _circumstances(self, database: Database, django: DjangoSettings) -> Circumstances:
        """What migrations are told that ask, while they are imported; what is only assumed is not told."""
        version, source = self._django_version()
        return Circumstances(
            versions=(version,) if source != "default" else _SUPPORTED_DJANGO,
            vendor=database.vendor if database.source != "default" else None,
            engine=django.engine if database.vendor == django.vendor else None,
            installed_apps=django.installed_apps,
            settings={**django.written, **{name: Literal("str", model) for name, model in django.swappable.items()}},
            whole=django.whole,
        )

    def _project(
        self,
        part: layout.Project,
        found: layout.Layout,
        begun: _Begun,
        compared: Comparison | None,
        tracked: Tracking,
        *,
        whole: bool,
    ) -> Project:
        modules, django, database, version = begun.modules, begun.django, begun.database, begun.version
        migrations: list[Migration] = []
        files: dict[MigrationKey, str] = {}
        circumstances = self._circumstances(database, django)
        for package in part.packages:
            for module in package.modules if package.has_init else ():
                key = MigrationKey(package.label, module.name)
                files[key] = module.file
                facts = self._read[module.file].facts
                found_class = modules.field_class(module.file)
                migrations.append(
                    interpret(
                        key,
                        module.path,
                        facts,
                        modules.lookup(module.file),
                        found_class,
                        modules.read_text(module.file),
                        modules.model_setting,
                        circumstances,
                    )
                )
        known = self._installed(part, modules, django) if whole else Installed()
        graph = Graph.build(migrations, swappable=django.swappable, unmigrated=known.unmigrated, django_version=version)
        usages = Usages(
            module_of=lambda key: modules.module(files[key]) if key in files else None,
            may_run_sql=lambda key: key in files and b"execute" in self._read[files[key]].data,
            swappable=django.swappable,
            vendor=database.vendor,
        )
        unreleased: frozenset[MigrationKey] = frozenset()
        base = None
        if compared is not None:
            unreleased = frozenset(key for key, file in files.items() if file not in compared.released)
            base = compared.base(
                part,
                {files[migration.key]: migration for migration in migrations},
                lambda key, path, facts: interpret(
                    key, path, facts, modules.lookup(path), setting=modules.model_setting, around=circumstances
                ),
                swappable=django.swappable,
                django_version=version,
            )
        foreign = foreign_migrations(
            graph.external, django.installed_apps or (), modules, moved=django.migration_modules.keys()
        )
        return Project(
            root=found.root,
            graph=graph,
            history=History(),
            packages=part.own,
            strays=tuple(entry for entry in found.modules_without_migration if entry[0] in part.own),
            duplicates=tuple(
                each for each in found.duplicate_labels if any(package in part.own for package in each.packages)
            ),
            database=database,
            django_version=version,
            deploy=self._settings.deploy,
            unreleased=unreleased,
            base=base,
            tracking=tracked,
            swappable=django.swappable,
            installed_apps=django.installed_apps,
            unread_apps=known.unread,
            unmigrated_apps=known.unmigrated,
            absent_apps=known.absent,
            foreign=foreign,
            allowed_imports=tuple(self._settings.allowed_imports),
            sizes=self._sizes,
            databases=django.databases,
            usages=usages,
            facts_of=lambda key, module: modules.lookup(files[key])(module) if key in files else None,
        )

    def _installed(self, part: layout.Project, modules: Modules, django: DjangoSettings) -> Installed:
        if django.installed_apps is None:
            return Installed()
        packages = [package for package in part.packages if package.has_init]
        return installed(django.installed_apps, packages, modules)

    # -- git -----------------------------------------------------------------------------------------

    def _git(self, found: layout.Layout, django: DjangoSettings) -> tuple[Comparison | None, Tracking]:
        """The base branch, where one is asked for, and what git does not have, where a rule asks for it."""
        if not self._since and not check.selection_of(self._settings, self._options).is_on(*_NOT_IN_GIT):
            return None, Tracking()
        repository = self._repository()
        if repository is None:
            return None, Tracking()
        return self._compare(found, repository, django), self._tracking(found, repository)

    def _repository(self) -> Repository | None:
        """The repository around the root; None where there is none, or where nothing is asked of it."""
        since = self._since
        try:
            repository = Repository.of(self._root.as_posix())
        except GitError as error:
            if since:
                raise UsageError(f"{self._asked}: {error}") from None
            self._notes.append(f"{_NOT_ASKED}: {error}")
            return None
        if since and repository is None:
            raise UsageError(
                f"{self._asked}: {self._root} is in no git repository, so nothing can be compared; "
                "run it in a clone, or leave it out"
            )
        return repository

    @property
    def _since(self) -> str | None:
        return self._options.since if self._options.since is not None else self._settings.base

    @property
    def _asked(self) -> str:
        """What asked for the base branch, in the user's words."""
        if self._options.since is not None:
            return f"--since {self._options.since}"
        return f'base = "{self._settings.base}" in {self._settings.path}'

    def _compare(self, found: layout.Layout, repository: Repository, django: DjangoSettings) -> Comparison | None:
        if not self._since:
            return None
        try:
            compared = Comparison(
                found,
                repository,
                self._since,
                surroundings=Surroundings(
                    exclude=self._settings.exclude,
                    apps=self._settings.apps,
                    migration_modules=django.migration_modules,
                    installed_apps=django.installed_apps,
                ),
                data_of=lambda file: self._read[file].data if self._read[file].data_hash else None,
                facts_of=self._facts_in_commits,
            )
        except GitError as error:
            raise UsageError(f"{self._asked}: {error}") from None
        modules = [module for package in found.packages for module in package.modules]
        new = sum(module.file not in compared.released for module in modules)
        self._notes.append(
            f"since {compared.ref}: the merge base is {compared.merge_base[:10]}; "
            f"{new} of {len(modules)} migrations are unreleased"
        )
        return compared

    def _facts_in_commits(self, blobs: Iterable[Blob]) -> Mapping[str, ModuleFacts]:
        return read_contents(git.contents(blobs), cache=self._cache, jobs=self._options.jobs)

    def _tracking(self, found: layout.Layout, repository: Repository) -> Tracking:
        try:
            return tracking(found, repository)
        except GitError as error:
            self._notes.append(f"{_NOT_ASKED}: {error}")
            return Tracking()

    def _database(self, django: DjangoSettings) -> Database:
        options, settings = self._options, self._settings
        if options.database is not None:
            database = Database.assumed(options.database, "option")  # type: ignore[arg-type]
        elif settings.database is not None:
            database = Database.assumed(settings.database, "settings")
        elif django.vendor is not None:
            database = Database.assumed(django.vendor, "settings-file")
        else:
            database = Database.assumed("postgresql", "default")
            self._notes.append("no database is set: PostgreSQL is assumed (setting `database`)")
        version = options.database_version or settings.database_version
        return msgspec.structs.replace(database, version=parse_version(version)) if version else database

    def _django_version(self) -> tuple[Version, str]:
        if self._options.django_version:
            return parse_version(self._options.django_version), "option"
        if self._settings.django_version:
            return parse_version(self._settings.django_version), "settings"
        return _ASSUMED_DJANGO, "default"

    # -- judging -------------------------------------------------------------------------------------

    def _check(self, asked: Judged, loaded: _Loaded) -> Report:
        found, projects = loaded.found, loaded.projects
        judged = check.run(
            asked,
            projects,
            found,
            self._by_path(),
            rules=self._rules,
            settings=self._settings,
            options=self._options,
            only=self._only,
            baseline=self.baseline,
        )
        migrations = [m for p in projects for m in _own(p)]
        operations = [op for m in migrations for _, op in walk_operations(m.operations)]
        summary = Summary(
            projects=1,
            migrations=len(migrations),
            apps=len({package.directory for package in found.packages}),
            operations=len(operations),
            unreadable_operations=sum(check.is_unreadable(operation) for operation in operations),
            suppressed=_count(judged.diagnostics, "inline"),
            baselined=_count(judged.diagnostics, "baseline"),
            database=loaded.database,
            django=loaded.django,
        )
        root = self._root.as_posix()
        config = self._settings.path
        project = ReadProject(
            root=root,
            repository=_git_root(self._root),
            config=config,
            database=loaded.database,
            django=loaded.django,
            settings=self._in_force(),
            files=tuple(sorted(m.path for m in migrations if m.path not in judged.released and self._is_given(m.path))),
        )
        read = {migration.path for migration in migrations}
        for path in self._only:
            if path not in read and (os.path.isfile(path) or path in self._overlay):
                self._notes.append(f"{path} is no migration that is read: nothing is reported on it")
        warnings = () if migrations else (f"no migrations were found below {root}",)
        return Report(
            diagnostics=judged.diagnostics,
            sources=self._sources(judged.diagnostics),
            summary=summary,
            projects=(project,),
            internal_errors=judged.crashes,
            warnings=warnings,
            notes=tuple(self._notes),
            rules=self._described,
            locks_of=lambda diagnostic: check.locks_of(loaded.replayed, diagnostic),
        )

    def _in_force(self) -> dict[str, object]:
        """The settings by their own names, with what options say instead."""
        found: dict[str, object] = msgspec.to_builtins(self._settings)
        del found["path"]
        options = self._options
        given = {
            "database": options.database,
            "database-version": options.database_version,
            "django-version": options.django_version,
            "select": options.select,
            "ignore": options.ignore,
            "base": options.since,
            "baseline": self.baseline.path if self.baseline is not None else None,
        }
        found |= {key: list(value) if isinstance(value, tuple) else value for key, value in given.items() if value}
        found["extend-select"] = [*self._settings.extend_select, *(options.extend_select or ())]
        return found

    def _described(self) -> tuple[Described, ...]:
        """The rules that are on, those about the analysis too, by code."""
        selection = check.selection_of(self._settings, self._options)
        rules = [
            Described(r.code, r.name, r.summary, r.severity, r.category, partial(plugins.page_of, r))
            for r in self._rules
        ]
        for code, (name, severity) in plugins.META.items():
            page = partial(plugins.meta_page, code)
            rules.append(Described(code, name, "", Severity[severity.upper()], "meta", page))
        return tuple(sorted((r for r in rules if selection.is_on(r.code, r.name)), key=lambda rule: rule.code))


def _count(diagnostics: Iterable[Diagnostic], kind: str) -> int:
    """How many are suppressed in one way."""
    return sum(each.suppressed is not None and each.suppressed.kind == kind for each in diagnostics)


def _without(packages: Iterable[layout.Package], there: Iterable[layout.Package]) -> list[layout.Package]:
    """The packages whose labels are not taken."""
    labels = {package.label for package in there}
    return [package for package in packages if package.label not in labels]


def _own(project: Project) -> list[Migration]:
    labels = {package.label for package in project.packages}
    return [migration for key, migration in project.graph.migrations.items() if key.app in labels]


def _git_root(root: Path) -> str:
    for directory in (root, *root.parents):
        if os.path.lexists(directory / ".git"):
            return directory.as_posix()
    return root.as_posix()


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
        suppressed=_count(found.values(), "inline"),
        baselined=_count(found.values(), "baseline"),
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
