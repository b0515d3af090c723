"""Runs the rules over projects, and settles what they found: superseded, ignored, selected, asked for."""

from __future__ import annotations

import traceback
from bisect import bisect
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from miglint import plugins, suppressions, unread
from miglint.baseline import Baseline
from miglint.databases.effects import TableEffect, effects
from miglint.diagnostic import Diagnostic, Severity, Subject
from miglint.project.action import Action, CreateTable
from miglint.project.history import Step
from miglint.project.keys import MigrationKey
from miglint.project.layout import Layout
from miglint.project.migration import Migration, number_of
from miglint.project.operations import Alternative, Custom, Operation, Unread, walk_operations
from miglint.project.project import Project
from miglint.reading import FileRead
from miglint.report import sort
from miglint.root import Root
from miglint.rule import ActionContext, MigrationContext, OperationContext, ProjectContext, Rule
from miglint.selection import Selection
from miglint.settings import Settings, SettingsError, near, place
from miglint.text import Span

Half = Literal["first", "second"]

# So many operations are looked at by the rules that are project-wide while all rules look at one.
_EFFORT = 8

# The rule that speaks for all others about a released migration.
EDITED = "MG601"


class Findings(msgspec.Struct, frozen=True):
    """Findings, how many rules crashed, and the paths that are on the base branch and were left out.

    `unmatched` is what is to be said of patterns for tables that no table is called.
    """

    diagnostics: tuple[Diagnostic, ...]
    crashes: int = 0
    released: frozenset[str] = frozenset()
    unmatched: tuple[str, ...] = ()


def is_unreadable(operation: Operation) -> bool:
    """Whether it is not known what an operation does."""
    return isinstance(operation, Unread | Alternative | Custom)


def ask(
    projects: Sequence[Project],
    active: Sequence[Rule],
    selection: Selection,
    apps: Container[str] | None = None,
    half: Half | None = None,
) -> Findings:
    """All that the rules find in the projects below one root; with `apps`, only what is project-wide of the others.

    A finding is superseded by findings in its own app alone, so that none is missed for those in `apps`. `half` has
    each project's first or second half of the operations looked at. What nobody is shown, for its severity, has no
    text: it is there for what it supersedes, and for the comments that ignore it.
    """
    judges = [_Judge(project, active, selection, apps, half) for project in projects]
    diagnostics = tuple(each for judge in judges for each in judge.diagnostics())
    return Findings(diagnostics, sum(judge.crashes for judge in judges))


def run(
    asked: Findings,
    projects: Sequence[Project],
    found: Layout,
    files: Mapping[str, FileRead],
    *,
    root: Root,
    rules: Sequence[Rule],
    baseline: Baseline | None = None,
) -> Findings:
    """The findings that are on, asked for and not superseded, sorted, of all that the rules found.

    Those in the baseline are marked; the option `write_baseline` has it take them in instead. Raises SettingsError.
    """
    selection, settings, writes = root.selection, root.settings, root.options.write_baseline
    diagnostics = [*asked.diagnostics, *unread.files(found, projects)]
    diagnostics = [d for d in settle(diagnostics, rules) if selection.is_on(d.code, d.name)]
    judged = frozenset(rule.code for rule in rules if selection.is_on(rule.code, rule.name))
    looked_for = judged | {code for code, (name, _) in plugins.META.items() if selection.is_on(code, name)}
    diagnostics = _suppressed(diagnostics, projects, files, rules, settings, looked_for)
    diagnostics = [
        replace(d, severity=selection.severity_of(d.code, d.name, d.severity))
        for d in sort(diagnostics)
        if selection.is_on(d.code, d.name)
    ]
    if baseline is not None:
        baseline.judged |= judged | plugins.META.keys()
        baseline.read |= {str(key) for project in projects for key in project.graph.migrations}
        if not writes:
            diagnostics = baseline.mark(diagnostics)
    released, passed = _released(projects, diagnostics), _passed(projects, settings)

    def is_reported(diagnostic: Diagnostic) -> bool:
        subject = diagnostic.subject
        return (
            _is_asked_for(diagnostic, root)
            and (diagnostic.graph or diagnostic.path not in released)
            and (subject.app, subject.migration) not in passed
            and selection.reports(diagnostic.code, diagnostic.name, diagnostic.severity)
        )

    reported = [diagnostic for diagnostic in diagnostics if is_reported(diagnostic)]
    if baseline is not None and writes:
        reported = baseline.accept(reported, [each for each in diagnostics if not is_reported(each)])
    return Findings(sort(reported), asked.crashes, released)


# -- rules --------------------------------------------------------------------------------------------


class _Rules:
    """Some rules, by what they look at."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.all = rules
        self.on_migrations = [rule for rule in rules if Migration in rule.on]
        self._on: dict[type, list[Rule]] = {}

    def on(self, kind: type) -> list[Rule]:
        """The rules that look at a class of operations or actions."""
        found = self._on.get(kind)
        if found is None:
            found = self._on[kind] = [rule for rule in self.all if any(issubclass(kind, on) for on in rule.on)]
        return found


class _Judge:
    """One project under all rules that are on."""

    def __init__(
        self,
        project: Project,
        rules: Sequence[Rule],
        selection: Selection,
        apps: Container[str] | None,
        half: Half | None,
    ) -> None:
        self._project = project
        self._rules = rules
        self._selection = selection
        self._apps = apps
        self._half = half
        self.crashes = 0

    def diagnostics(self) -> Iterator[Diagnostic]:
        project = self._project
        every, wide = _Rules(self._rules), _Rules([rule for rule in self._rules if rule.is_project_wide])
        for rule in self._rules if self._half != "second" else ():
            if Project in rule.on:
                yield from self._ask(rule, ProjectContext(rule, project), None)
        for migration in self._migrations():
            rules = every if self._is_judged(migration) else wide
            steps = project.history.steps_of(migration.key)
            for rule in rules.on_migrations:
                yield from self._ask(rule, MigrationContext(rule, project, migration, steps), migration)
            for step in steps:
                yield from self._step(step, rules)
                yield from unread.statements(step) if rules is every else ()

    def _is_judged(self, migration: Migration) -> bool:
        """Whether all rules are asked, and not those alone that are project-wide."""
        return self._apps is None or migration.app in self._apps

    def _migrations(self) -> Sequence[Migration]:
        project = self._project
        found = project.own_migrations()
        if self._half is None:
            return found
        # An app's migrations ask each other much.
        found.sort(key=lambda migration: not self._is_judged(migration))
        sizes = [
            (1 + len(project.history.steps_of(migration.key))) * (_EFFORT if self._is_judged(migration) else 1)
            for migration in found
        ]
        middle = bisect(list(accumulate(sizes)), sum(sizes) // 2)
        return found[:middle] if self._half == "first" else found[middle:]

    def _step(self, step: Step, rules: _Rules) -> Iterator[Diagnostic]:
        # What one rule finds out of a step, the next ones need not find out again.
        known: dict[str, Any] = {}
        for rule in rules.on(type(step.operation)):
            # Without its argument, which at run time only takes time.
            context: OperationContext[Operation] = OperationContext(rule, self._project, step, known)
            yield from self._ask(rule, context, step.migration, step)
        matching: dict[str, list[Action]] = {}
        for action in step.actions:
            for rule in rules.on(type(action)):
                matching.setdefault(rule.code, []).append(action)
        for rule in rules.all if matching else ():
            if rule.code in matching:
                found = ActionContext(rule, self._project, step, tuple(matching[rule.code]), known)
                yield from self._ask(rule, found, step.migration, step)

    def _ask(
        self, rule: Rule, context: Any, migration: Migration | None, step: Step | None = None
    ) -> Iterator[Diagnostic]:
        try:
            found = list(rule.check(context))
        except Exception as error:  # one rule on one step: the rest goes on
            self.crashes += 1
            found = [_crash(rule, error, migration, step)]
        yield from (each if self._is_shown(each) else replace(each, message="", help="", url="") for each in found)

    def _is_shown(self, found: Diagnostic) -> bool:
        severity = self._selection.severity_of(found.code, found.name, found.severity)
        return self._selection.reports(found.code, found.name, severity)


def _crash(rule: Rule, error: Exception, migration: Migration | None, step: Step | None) -> Diagnostic:
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f" on {step.operation.class_name}" if step is not None else ""
    return Diagnostic(
        code="MG999",
        name=plugins.META["MG999"][0],
        severity=Severity.ERROR,
        message=f"the rule {rule.code} ({rule.name}) crashed{where}: {type(error).__name__}: {error}",
        path=migration.path if migration is not None else None,
        span=step.operation.span if step is not None else migration.class_span if migration is not None else None,
        help=f"This is an error in miglint, not in your migration (line {last.lineno} of {last.name}). "
        f"Everything else was checked. Please report it; until it is mended, ignore {rule.code} here.",
        subject=Subject(
            app=migration.app if migration is not None else None,
            migration=migration.name if migration is not None else None,
            operation=step.path if step is not None else None,
            operation_name=step.operation.class_name if step is not None else None,
            detail=rule.code,
        ),
    )


# -- settling -----------------------------------------------------------------------------------------


def settle(diagnostics: Iterable[Diagnostic], rules: Sequence[Rule]) -> list[Diagnostic]:
    """Without the findings that another finding on the same subject supersedes, and without repetitions."""
    supersedes = {rule.code: rule.supersedes for rule in rules if rule.supersedes}
    found = list({(d.code, d.subject.key, d.span, d.path): d for d in diagnostics}.values())
    winners: dict[tuple[str, str | None], list[Subject]] = defaultdict(list)
    for diagnostic in found:
        for code in supersedes.get(diagnostic.code, ()):
            for subject in (diagnostic.subject, *diagnostic.also):
                winners[code, subject.app].append(subject)
    return [
        d for d in found if not any(_same(d.subject, winner) for winner in winners.get((d.code, d.subject.app), ()))
    ]


def _same(subject: Subject, winner: Subject) -> bool:
    """Whether two findings in an app are about one thing: the same operation, else the same migration, else the app."""
    if subject.operation is not None and winner.operation is not None:
        return subject.migration == winner.migration and subject.operation == winner.operation
    if subject.operation is not None or winner.operation is not None:
        return subject.migration == winner.migration
    return True


def _suppressed(
    diagnostics: list[Diagnostic],
    projects: Sequence[Project],
    files: Mapping[str, FileRead],
    rules: Sequence[Rule],
    settings: Settings,
    judged: frozenset[str],
) -> list[Diagnostic]:
    """Marks what a comment in the file ignores, and adds what is wrong with the comments themselves."""
    known = {rule.code: rule.name for rule in rules} | {code: name for code, (name, _) in plugins.META.items()}
    migrations = {m.path: m for project in projects for m in project.graph.migrations.values()}
    commented = {path: migration for path, migration in migrations.items() if migration.facts.comments}
    sources = {path: files[path].source for path in commented}
    return suppressions.apply(
        diagnostics,
        {path: suppressions.suppressions_of(m.facts, sources[path]) for path, m in commented.items()},
        sources,
        known,
        {path: tuple(_extents(m)) for path, m in commented.items()},
        migrations={path: (m.app, m.name) for path, m in commented.items()},
        require_reason=settings.require_ignore_reason,
        judged=judged,
    )


def _extents(migration: Migration) -> Iterator[Span]:
    """The places within which a comment counts for a finding: each operation, and each dependency."""
    for _, operation in walk_operations(migration.operations):
        yield operation.span
    for dependency in (*migration.dependencies, *migration.run_before, *migration.replaces):
        yield dependency.span


def locks_of(projects: Sequence[Project], diagnostic: Diagnostic) -> tuple[TableEffect, ...]:
    """What the operation of a finding does to the tables that were there before its migration."""
    subject = diagnostic.subject
    if subject.app is None or subject.migration is None or subject.operation is None:
        return ()
    key = MigrationKey(subject.app, subject.migration)
    for project in projects:
        migration = project.graph.migrations.get(key)
        if migration is not None and migration.path == diagnostic.path:
            steps = project.history.steps_of(key)
            made = [action.table for step in steps for action in step.actions if isinstance(action, CreateTable)]
            found = next((step for step in steps if step.path == subject.operation), None)
            if found is None:
                return ()
            every = effects(found.actions, project.database, found.schema_after, new=made)
            return tuple(effect for effect in every if effect.cost.lock)
    return ()


# -- what is asked for --------------------------------------------------------------------------------


def _is_asked_for(diagnostic: Diagnostic, root: Root) -> bool:
    if diagnostic.confidence < root.options.min_confidence:
        return False
    subject = diagnostic.subject
    if subject.app is not None and subject.migration is not None:
        label = f"{subject.app}.{subject.migration}"
        for pattern, selectors in root.settings.per_migration_ignores.items():
            if fnmatchcase(label, pattern) and _names(diagnostic, selectors):
                return False
    if diagnostic.graph or diagnostic.path is None:
        return True
    return root.is_given(diagnostic.path)


def _released(projects: Sequence[Project], diagnostics: Iterable[Diagnostic]) -> frozenset[str]:
    """The paths that the base branch has, as it has them; without a base branch none is known to be released.

    That a released migration means something else now is all there is to say of it, unless that is accepted.
    """
    edited = {d.path for d in diagnostics if d.code == EDITED and d.suppressed is None}
    return frozenset(
        migration.path
        for project in projects
        if project.base is not None
        for key, migration in project.graph.migrations.items()
        if key not in project.unreleased and (key not in project.base.edited or migration.path in edited)
    )


def _names(diagnostic: Diagnostic, selectors: Iterable[str]) -> bool:
    return any(s == "ALL" or diagnostic.code.startswith(s) or diagnostic.name == s for s in selectors)


def _passed(projects: Sequence[Project], settings: Settings) -> frozenset[tuple[str | None, str | None]]:
    """The migrations that `start-after` leaves out, as app and name. Raises SettingsError."""
    return frozenset(
        (app, name) for app, start in settings.start_after.items() for name in _before(projects, settings, app, start)
    )


def _before(projects: Sequence[Project], settings: Settings, app: str, start: str) -> set[str]:
    """A migration of an app and all that it descends from there; of a number, all up to it."""
    migrations = [m for project in projects for key, m in project.graph.migrations.items() if key.app == app]
    if not migrations:
        apps = sorted({label for project in projects for label in project.graph.apps})
        raise SettingsError(
            f"{place(settings, 'start-after', app)}: start-after: no app is called {app}{near(app, apps)}"
        )
    by_name = {migration.name: migration for migration in migrations}
    last = number_of(start)
    if last is not None:
        found = {m.name for m in migrations if m.number is not None and m.number <= last}
    elif start in by_name:
        found = {start}
    else:
        what = f"{app} has no migration {start}{near(start, list(by_name))}"
        raise SettingsError(f"{place(settings, 'start-after', app)}: start-after: {what}")
    pending = list(found)
    while pending:
        for dependency in by_name[pending.pop()].dependencies:
            key = dependency.key
            if key is not None and key.app == app and key.name in by_name and key.name not in found:
                found.add(key.name)
                pending.append(key.name)
    return found | {
        m.name for m in migrations if m.replaces and all(d.key is not None and d.key.name in found for d in m.replaces)
    }
