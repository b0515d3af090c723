"""What the rules say of the projects below one root, as a report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache, partial

import msgspec

from miglint import check, verdicts
from miglint.baseline import Baseline
from miglint.begin import Begun
from miglint.beside import Beside, can_copy
from miglint.cache import VERDICTS
from miglint.check import Findings
from miglint.files import Asked
from miglint.kept import Kept
from miglint.load import Loaded, load
from miglint.project.action import RenameTable
from miglint.project.disk import excluder, printable
from miglint.project.migration import Migration
from miglint.project.operations import walk_operations
from miglint.project.project import Project
from miglint.project.sizes import Sizes
from miglint.report import Locks, Report, Summary, count_suppressed
from miglint.report import Project as ReadProject
from miglint.root import is_below_any
from miglint.rule import Rule
from miglint.settings import near
from miglint.verdicts import Verdict

# So many operations are judged sooner by two; of more, the memory that a copy comes to own is worth more than the time.
_WORTH_A_COPY = range(1_000, 50_000)


class _Half(msgspec.Struct, array_like=True, frozen=True):
    """What a copy of this process found, and what it asked the disk for that."""

    findings: Findings
    asked: Asked


class Judged(msgspec.Struct, frozen=True):
    """A report, and whether the same files and the same index of git give the same one: what git ignores follows
    from more.
    """

    report: Report
    follows_from_files: bool


def judge(begun: Begun, rules: Sequence[Rule], baseline: Baseline | None) -> Judged:
    """The findings in what is asked for; the report says nothing of rules and of locks.

    Raises SettingsError and UsageError.
    """
    loaded = load(begun, compared=True)
    begun.files.let_go()
    report = _report(begun, loaded, _found_by(rules, begun, loaded), rules, baseline)
    tracked = any(project.tracking.ignored or project.tracking.untracked for project in loaded.projects)
    return Judged(report, not (report.internal_errors or loaded.git_failed or tracked))


def _found_by(rules: Sequence[Rule], begun: Begun, loaded: Loaded) -> Findings:
    """What the rules find: remembered, where all that they would see is as it was."""
    root, files = begun.root, begun.files
    active = [rule for rule in rules if root.selection.is_on(rule.code, rule.name)]
    apps = _apps_to_judge(begun, loaded)
    before = files.asked()
    key = None
    if root.cache is not None and not root.overlay:
        contents = before.contents | before.texts
        key = verdicts.key_of(loaded.projects, active, root.settings, root.selection, contents, apps)
    if root.cache is None or key is None:
        return _ask(begun, loaded, active, apps)
    known = Kept(root.cache.directory, VERDICTS, Verdict)
    found = known.get(key)
    if found is not None and files.are_as_they_were(found.asked):
        return Findings(found.diagnostics, unmatched=found.unmatched)
    judged = _ask(begun, loaded, active, apps)
    if not judged.crashes:
        files.save()  # which makes the directory
        known.keep(key, Verdict(files.asked().without(before), judged.diagnostics, judged.unmatched))
    return judged


def _ask(begun: Begun, loaded: Loaded, active: Sequence[Rule], apps: frozenset[str] | None) -> Findings:
    """What the rules find; in a large project, a copy of this process asks them about the second half of it."""
    projects = loaded.replayed()
    found = _asked(projects, begun, active, apps)
    return msgspec.structs.replace(found, unmatched=tuple(_unmatched_tables(begun.root.sizes, projects)))


def _asked(projects: Sequence[Project], begun: Begun, active: Sequence[Rule], apps: frozenset[str] | None) -> Findings:
    files, steps = begun.files, sum(len(project.history.steps) for project in projects)
    ask = partial(check.ask, projects, active, begun.root.selection, apps)
    if steps not in _WORTH_A_COPY or begun.root.options.jobs == 1 or not can_copy():
        return ask()

    def second() -> _Half:
        before = files.asked()
        return _Half(ask("second"), files.asked().without(before))

    try:
        other = Beside(second, _Half)
    except OSError:
        return ask()
    try:
        mine, theirs = ask("first"), other.result()
    finally:
        other.end()
    if theirs is not None and files.take_over(theirs.asked):
        found = theirs.findings
    else:
        found = ask("second")
    return Findings((*mine.diagnostics, *found.diagnostics), mine.crashes + found.crashes)


def _apps_to_judge(begun: Begun, loaded: Loaded) -> frozenset[str] | None:
    """The apps with files on which something may be reported, None for all."""
    packages = [package for project in loaded.projects for package in project.packages]
    reported = begun.files.reported_on
    apps = frozenset(p.label for p in packages if any(module.file in reported for module in p.modules))
    if begun.root.options.write_baseline or apps >= {package.label for package in packages}:
        return None
    return apps


def _report(begun: Begun, loaded: Loaded, asked: Findings, rules: Sequence[Rule], baseline: Baseline | None) -> Report:
    root, files = begun.root, begun.files
    judged = check.run(asked, loaded.projects, loaded.found, files.by_path(), root=root, rules=rules, baseline=baseline)
    migrations = [migration for project in loaded.projects for migration in project.own_migrations()]
    operations = [operation for migration in migrations for _, operation in walk_operations(migration.operations)]
    django = (".".join(map(str, begun.version)), begun.version_source)
    summary = Summary(
        projects=1,
        migrations=len(migrations),
        apps=len({package.directory for package in loaded.found.packages}),
        operations=len(operations),
        unreadable_operations=sum(check.is_unreadable(operation) for operation in operations),
        suppressed=count_suppressed(judged.diagnostics, "inline"),
        baselined=count_suppressed(judged.diagnostics, "baseline"),
        database=begun.database,
        django=django,
    )
    project = ReadProject(
        root=root.path.as_posix(),
        repository=root.repository,
        config=root.settings.path,
        database=begun.database,
        django=django,
        settings=root.in_force(files.modules.settings_file),
        files=tuple(sorted(m.path for m in migrations if m.path not in judged.released and root.is_given(m.path))),
    )
    return Report(
        diagnostics=judged.diagnostics,
        sources=files.sources(judged.diagnostics),
        summary=summary,
        projects=(project,),
        internal_errors=judged.crashes,
        warnings=(
            *(f"no migrations were found below {path}" for path in _empty(begun, loaded, migrations)),
            *_not_read(begun, migrations),
        ),
        notes=(*root.notes, *_passed_over(begun, migrations), *_unmatched(begun, migrations), *asked.unmatched),
    )


def locks_in(begun: Begun) -> Locks:
    """Tells what the operations of findings do; the first time it is asked, it replays the histories for that.

    No report holds on to histories for it: most are shown without.
    """
    replayed = cache(lambda: load(begun, compared=True).replayed())
    return lambda diagnostic: check.locks_of(replayed(), diagnostic)


def _empty(begun: Begun, loaded: Loaded, migrations: Sequence[Migration]) -> list[str]:
    """The root where it has no migrations, else the directories that were given and have none."""
    if not migrations:
        return [begun.root.path.as_posix()]
    files = [module.file for package in loaded.found.packages for module in package.modules]
    return [
        path
        for path in begun.root.only
        if os.path.isdir(path) and not any(is_below_any(file, (path,)) for file in files)
    ]


def _not_read(begun: Begun, migrations: Iterable[Migration]) -> list[str]:
    """What is to be said of settings below the root, of whose migrations others decide."""
    if begun.root.options.isolated or begun.root.options.config is not None:
        return []
    given = [migration.path for migration in migrations if begun.root.is_given(migration.path)]
    return [
        f"the settings in {directory} are not read here: they are for paths below it (`miglint check {directory}`)"
        for directory in map(printable, begun.walk.with_settings)
        if any(is_below_any(path, (directory,)) for path in given)
    ]


def _passed_over(begun: Begun, migrations: Iterable[Migration]) -> list[str]:
    """What is to be said of files that were given and are no migrations."""
    read = {migration.path for migration in migrations}
    return [
        f"{path} is no migration that is read: nothing is reported on it"
        for path in begun.root.only
        if path not in read and (os.path.isfile(path) or path in begun.root.overlay)
    ]


def _unmatched(begun: Begun, migrations: Iterable[Migration]) -> Iterator[str]:
    """What is to be said of patterns that nothing is called: a slash in place of the dot, or what is gone."""
    labels = [str(migration.key) for migration in migrations]
    for pattern in begun.root.settings.per_migration_ignores:
        if not any(fnmatchcase(label, pattern) for label in labels):
            yield f"per-migration-ignores: no migration is called {pattern}"
    for pattern in begun.root.settings.exclude:
        if not any(map(excluder([pattern]), begun.walk.excluded)):
            yield f"exclude: {pattern} takes nothing out"


def _unmatched_tables(sizes: Sizes, projects: Iterable[Project]) -> Iterator[str]:
    """What is to be said of patterns that no table is called which a migration touches, or a model has."""
    patterns = [("hot-tables", sizes.hot), ("small-tables", sizes.small)]
    tables = {table for project in projects for table in _tables(project)} if sizes.hot or sizes.small else set()
    for key, given in patterns:
        for pattern in given:
            if not any(fnmatchcase(table, pattern) for table in tables):
                yield f"{key}: no migration touches a table called {pattern}{near(pattern, sorted(tables))}"


def _tables(project: Project) -> Iterator[str]:
    yield from (model.table for model in project.history.final.models())
    for step in project.history.steps:
        for action in step.actions:
            if not action.table and action.model is not None:
                yield "_".join(action.model)  # of another app, and most likely called so
            yield action.table
            if isinstance(action, RenameTable):
                yield action.new_table
