"""A rule as a value, and what it sees: the contexts of an operation, an action, a migration and a project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from sys import intern
from typing import Any, Generic, TypeVar, overload

import msgspec
from msgspec.structs import replace

from miglint.database import Database, Version
from miglint.databases.costs import Cost, Traits, cost_of, join, traits_of
from miglint.databases.effects import TableEffect, effects
from miglint.diagnostic import Confidence, Diagnostic, Fix, Related, Severity, Subject
from miglint.lazy import shared
from miglint.project.action import Action, AddColumn, CreateTable, Execute, RenameColumn, RenameTable
from miglint.project.actions import actions_of
from miglint.project.columns import owner_of
from miglint.project.consequences import Consequences
from miglint.project.freshness import is_fresh
from miglint.project.graph import Graph
from miglint.project.history import Step, executed
from miglint.project.keys import MigrationKey, ModelKey
from miglint.project.migration import Migration
from miglint.project.operations import AddField, AlterField, Operation, RemoveField, RenameField
from miglint.project.phrases import called
from miglint.project.project import Project
from miglint.project.schema import Schema
from miglint.project.state import ModelState, ProjectState
from miglint.project.truth import Truth
from miglint.project.usage import Usage, Use
from miglint.recipe import Sequel
from miglint.syntax.facts import Expr
from miglint.text import Span

O = TypeVar("O", bound=Operation)  # noqa: E741
A = TypeVar("A", bound=Action)

# Graph and history findings are about the whole project.
_PROJECT_WIDE = ("MG1", "MG6")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule is: when it is asked (`on`), what it is called, how bad it is, and the function that judges.

    `name` is the function's with dashes, `summary` its docstring, `category` the package it stands in.
    """

    code: str
    name: str
    summary: str
    severity: Severity
    category: str
    module: str
    on: tuple[type, ...]
    supersedes: tuple[str, ...]
    check: Callable[[Any], Iterator[Diagnostic]]

    @property
    def is_project_wide(self) -> bool:
        """Whether what it finds is reported whatever paths were asked for."""
        return self.code.startswith(_PROJECT_WIDE)


class _Context:
    """What all contexts share."""

    def __init__(self, rule: Rule, project: Project) -> None:
        self.rule = rule
        self.project = project

    @property
    def graph(self) -> Graph:
        return self.project.graph

    @property
    def database(self) -> Database:
        return self.project.database

    @property
    def django_version(self) -> Version:
        return self.project.django_version

    def cost_of(self, action: Action, **form: Any) -> Cost:
        """What an action costs on the configured database; `form` says it otherwise (`concurrently=True`)."""
        return cost_of(replace(action, **form) if form else action, self.database)

    def offers(self, action: Action, **form: Any) -> bool:
        """Whether the database knows the action in another form, under which nothing waits for long."""
        cost = self.cost_of(action, **form)
        return cost != self.cost_of(action) and not (cost.blocks_writes and cost.lasts)

    @property
    def traits(self) -> Traits:
        """What the configured database is like."""
        return traits_of(self.database.vendor)

    def card(self, actions: Sequence[Action]) -> str:
        """What the actions mean for their table, in one line: lock, what waits, for how long."""
        return card(actions, self.project, held=self._holds_locks)

    @property
    def _holds_locks(self) -> bool:
        """Whether a lock is kept until the migration commits."""
        return self.database.transactional_ddl

    def confidence(self, step: Step, actions: Iterable[Action]) -> Confidence:
        """How sure it is that the actions happen, and that they cost what the tables say."""
        if step.conditional or not all(action.certain for action in actions):
            return Confidence.LOW
        measured = all(self.cost_of(action).measured for action in actions)
        return Confidence.HIGH if measured else Confidence.MEDIUM

    def related(self, migration: Migration | MigrationKey, span: Span, message: str) -> Related:
        """Another place, in a migration."""
        found = migration if isinstance(migration, Migration) else self.graph.migrations[migration]
        return Related(found.path, span, message)

    def _build(
        self,
        span: Span | None,
        message: str,
        *,
        path: str | None,
        subject: Subject,
        help: str,
        url: str,
        related: tuple[Related, ...],
        severity: Severity | None,
        confidence: Confidence,
        fix: Fix | None,
        also: tuple[Subject, ...] = (),
    ) -> Diagnostic:
        return Diagnostic(
            code=self.rule.code,
            name=self.rule.name,
            severity=severity or self.rule.severity,
            confidence=confidence,
            message=message,
            path=path,
            span=span,
            help=help,
            url=url,
            related=related,
            fix=fix,
            subject=subject,
            also=also,
            graph=self.rule.is_project_wide,
        )


class ProjectContext(_Context):
    """A whole project."""

    def diagnostic(
        self,
        span: Span | None,
        message: str,
        *,
        migration: Migration | None = None,
        path: str | None = None,
        app: str | None = None,
        migration_name: str | None = None,
        help: str = "",
        url: str = "",
        related: tuple[Related, ...] = (),
        severity: Severity | None = None,
        confidence: Confidence = Confidence.HIGH,
        detail: str = "",
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A finding in a migration, else in the file or directory `path`, about the app.

        `migration_name` is that of a migration of the app that is not here (any more).
        """
        subject = Subject(
            app=migration.app if migration is not None else app,
            migration=migration.name if migration is not None else migration_name,
            detail=detail,
        )
        where = migration.path if migration is not None else path
        return self._build(
            span, message, path=where, subject=subject, help=help, url=url, related=related,
            severity=severity, confidence=confidence, fix=fix,
        )  # fmt: skip


class MigrationContext(_Context):
    """One migration and its steps."""

    def __init__(self, rule: Rule, project: Project, migration: Migration, steps: tuple[Step, ...]) -> None:
        super().__init__(rule, project)
        self.migration = migration
        self.steps = steps

    def is_live(self, step: Step, action: Action) -> bool:
        """Whether the action's table is one that a running release uses."""
        return is_live(step, action, self.project)

    def is_at_risk(self, step: Step, action: Action) -> bool:
        """Whether it matters that the action's table is locked: it is live and not known to be small."""
        return is_at_risk(step, action, self.project)

    @property
    def _holds_locks(self) -> bool:
        return self.database.transactional_ddl and not self.migration.atomic.refuted

    @property
    def before(self) -> ProjectState:
        """The state of the migration's ancestors."""
        return self.project.history.state_before(self.migration.key)

    def diagnostic(
        self,
        span: Span | None,
        message: str,
        *,
        help: str = "",
        url: str = "",
        related: tuple[Related, ...] = (),
        severity: Severity | None = None,
        confidence: Confidence = Confidence.HIGH,
        detail: str = "",
        fix: Fix | None = None,
        step: Step | None = None,
        also: tuple[Step, ...] = (),
    ) -> Diagnostic:
        """A finding about the migration, or about one `step`; `span` None points at its class, or at the operation.

        `also`: steps that it is about too.
        """
        subject = Subject(app=self.migration.app, migration=self.migration.name, detail=detail)
        place = self.migration.class_span if step is None else step.operation.span
        return self._build(
            place if span is None else span, message, path=self.migration.path,
            subject=subject if step is None else _subject(step, detail=detail), help=help, url=url, related=related,
            severity=severity, confidence=confidence, fix=fix, also=tuple(_subject(each) for each in also),
        )  # fmt: skip


class OperationContext(_Context, Generic[O]):
    """One operation, where it stands in the history."""

    def __init__(self, rule: Rule, project: Project, step: Step, known: dict[str, Any] | None = None) -> None:
        """`known` is what other contexts of the step have found out, and this one adds to."""
        super().__init__(rule, project)
        self.step = step
        self._known = {} if known is None else known

    @property
    def operation(self) -> O:
        return self.step.operation  # type: ignore[return-value]

    @property
    def migration(self) -> Migration:
        return self.step.migration

    @property
    def _holds_locks(self) -> bool:
        return self.database.transactional_ddl and not self.migration.atomic.refuted

    @property
    def before(self) -> ProjectState:
        return self.step.before

    @property
    def after(self) -> ProjectState:
        return self.step.after

    @property
    def touches_database(self) -> bool:
        """Whether the database sees the operation: not so within `state_operations`."""
        return self.step.touches_database

    @property
    def actions(self) -> tuple[Action, ...]:
        return self.step.actions

    def inner(self, name: str) -> tuple[Step, ...]:
        """The steps in one of the lists that the operation holds: `state_operations`, `database_operations`."""
        depth = len(self.step.path)
        return tuple(step for step in self.project.history.within(self.step) if step.path[depth] == name)

    def told(self, step: Step) -> tuple[Action, ...]:
        """What a step of the state alone says that the database has done."""
        return actions_of(
            step.operation,
            step.before,
            step.after,
            app=self.migration.app,
            database=self.database,
            django_version=self.django_version,
            swappable=self.project.swappable,
        )

    @shared
    def model(self) -> ModelState | None:
        """The model it works on: as it was before, else as it is after; None where it is not known."""
        name = self.operation.model
        if name is None:
            return None
        return self.before.model(self.migration.app, name) or self.after.model(self.migration.app, name)

    @property
    def model_name(self) -> str:
        """The model for a message: `shop.Order`."""
        model = self.model
        return f"{self.migration.app}.{model.name if model is not None else self.operation.model or '?'}"

    @shared
    def consequences(self) -> Consequences:
        """Whether it can be undone, loses data, and what the old and the new release can do beside it."""
        project = self.project
        return Consequences(
            self.step, database=self.database, django_version=self.django_version, swappable=project.swappable
        )

    @shared
    def effects(self) -> tuple[TableEffect, ...]:
        """What happens to each table that was there before: the strongest lock, all of the work."""
        return effects(self.actions, self.database, self.step.schema_after)

    def is_fresh(self, default: Expr) -> Truth:
        """Whether a default, as the migration writes it, is another value each time that Django asks for it."""
        project, migration = self.project, self.migration
        return is_fresh(default, migration.facts, lambda module: project.facts_of(migration.key, module))

    def certainty(self, *actions: Action) -> Confidence:
        """Low where it is not known whether the operation runs, or what it does to the database."""
        unsure = self.step.conditional or not all(action.certain for action in actions)
        return Confidence.LOW if unsure else Confidence.HIGH

    def name_is_passing(self, table: str, column: str) -> bool:
        """Whether only this migration calls a column so: no running release knows the name."""
        start = self.schema_at_start.table(table)
        return start is not None and start.complete and column not in start.columns

    def column_is_new(self, table: str, column: str) -> bool:
        """Whether what is released together with this operation added the column: no running release knows it."""
        for step in self.project.history.before(self.step):
            if step.migration.key != self.migration.key and step.migration.key not in self.project.unreleased:
                if not self.project.unreleased:
                    return False
                continue
            for action in reversed(step.actions):
                if isinstance(action, RenameTable) and action.new_table == table:
                    table = action.table
                elif isinstance(action, RenameColumn) and (action.table, action.new_column) == (table, column):
                    column = action.column
                elif isinstance(action, AddColumn) and (action.table, action.column.name) == (table, column):
                    return True
        return False

    @property
    def schema_at_start(self) -> Schema:
        """What the database has when the migration begins."""
        return self.project.history.steps_of(self.migration.key)[0].schema_before

    @property
    def schema_at_end(self) -> Schema:
        """What the database has when the migration is done."""
        return self.project.history.steps_of(self.migration.key)[-1].schema_after

    @property
    def sequel(self) -> Sequel:
        """The migrations to write after the last one of the app."""
        return Sequel(self.graph, self.migration)

    @property
    def instead(self) -> Sequel:
        """The migrations to write instead of the operation: after its migration, or in its place if it is alone."""
        return Sequel(self.graph, self.migration, instead=True)

    @shared
    def table_is_new(self) -> bool:
        """Whether no running release can know the table of the operation's model."""
        return self.model is not None and is_new(self.model, self.migration, self.project)

    @property
    def usage(self) -> Usage:
        """What the code of a RunPython does."""
        return self.step.usage

    def model_is_live(self, key: ModelKey) -> bool:
        """Whether a model has a table that a running release uses, and that is not small."""
        model = self.before.model(*key)
        if model is None or is_new(model, self.migration, self.project):
            return False
        return not self.project.sizes.is_small(model.table)

    def is_live(self, action: Action) -> bool:
        """Whether the action's table is one that a running release uses."""
        return is_live(self.step, action, self.project)

    def place(self, use: Use, message: str, span: Span | None = None) -> tuple[Span | None, tuple[Related, ...]]:
        """Where a finding about a use (or a part of it) stands: there, or, in another file, at the operation.

        The other file has a related place then, with the message.
        """
        span = span if span is not None else use.span
        if use.module.facts is self.migration.facts:
            return span, ()
        return None, (Related(use.module.path, span, message),)

    def diagnostic(
        self,
        span: Span | None,
        message: str,
        *,
        help: str = "",
        url: str = "",
        related: tuple[Related, ...] = (),
        severity: Severity | None = None,
        confidence: Confidence = Confidence.HIGH,
        model: str | None = None,
        field: str | None = None,
        detail: str = "",
        fix: Fix | None = None,
        also: tuple[Step, ...] = (),
    ) -> Diagnostic:
        """A finding about the operation; `span` None points at the whole of it. `also`: steps that it is about too."""
        return self._build(
            self.operation.span if span is None else span, message, path=self.migration.path,
            subject=_subject(self.step, model, field, detail), help=help, url=url, related=related,
            severity=severity, confidence=confidence, fix=fix, also=tuple(_subject(step) for step in also),
        )  # fmt: skip


class ActionContext(OperationContext[Operation], Generic[A]):
    """What one operation does to the database, as far as a rule asked for it: one or more actions of a class."""

    def __init__(
        self, rule: Rule, project: Project, step: Step, matching: tuple[A, ...], known: dict[str, Any] | None = None
    ) -> None:
        super().__init__(rule, project, step, known)
        self.matching = matching

    @property
    def action(self) -> A:
        """The first of them."""
        return self.matching[0]

    def cost(self, action: Action | None = None) -> Cost:
        """What an action (the first, unless given) costs on the configured database."""
        return self.cost_of(action if action is not None else self.action)

    def is_at_risk(self, action: Action) -> bool:
        """Whether it matters that the action's table is locked: it is live and not known to be small."""
        return is_at_risk(self.step, action, self.project)

    @property
    def at_risk(self) -> tuple[A, ...]:
        """The actions that the rule was asked for, of tables for which it matters."""
        return tuple(action for action in self.matching if not action.on_new_table and self.is_at_risk(action))

    def is_asked_for(self, action: Action, column: str = "") -> Confidence | None:
        """How sure it is that the running release asks for the table (or the column) of an action of SQL.

        None where it does not: only this migration calls it so, or the state lost it in an earlier one.
        """
        if action.on_new_table or not action.table or not self.is_live(action) or not self.touches_database:
            return None
        if self._is_made_here(action.table, column):
            return None
        state = self.project.history.state_before(self.migration.key)
        model, known = owner_of(action.table, state), self.step.schema_before.table(action.table)
        if model is None:
            # It may be any relation: a sequence, or a table that nobody uses.
            return Confidence.LOW if known is None or known.model is None else None
        if not column or model.table != action.table or any(model.column(name) == column for name in model.fields):
            return self.certainty(action)
        return None if known is not None and column in known.columns else Confidence.LOW

    def _is_made_here(self, table: str, column: str) -> bool:
        """Whether the migration gave the table, or the column, the name that it has now."""
        steps = self.project.history.steps_of(self.migration.key)
        actions = [action for step in steps for action in step.actions]
        start = self.schema_at_start.table(table)
        if start is None and any(isinstance(a, RenameTable) and a.new_table == table for a in actions):
            return True
        named = any(isinstance(a, RenameColumn) and (a.table, a.new_column) == (table, column) for a in actions)
        return bool(column) and (
            (named and (start is None or column not in start.columns)) or self.column_is_new(table, column)
        )

    def blocks_reads(self, action: Action) -> bool:
        """Whether reads wait while it runs: for its own lock, or for one that the same transaction took before."""
        if self.cost(action).blocks_reads:
            return True
        if not self._holds_locks:
            return False
        for _, each in executed(self.project.history.steps_of(self.migration.key)):
            if each is action:
                return False
            if each.table == action.table and self.cost(each).blocks_reads:
                return True
        return False


def _subject(step: Step, model: str | None = None, field: str | None = None, detail: str = "") -> Subject:
    operation = step.operation
    named = model if model is not None else operation.model
    if field is None and model is None and isinstance(operation, AddField | AlterField | RemoveField | RenameField):
        field = operation.old_name if isinstance(operation, RenameField) else operation.name
    return Subject(
        app=step.migration.app,
        migration=step.migration.name,
        operation=step.path,
        # Few different ones in all the findings of a large project.
        operation_name=intern(step.operation.class_name),
        model=intern(named.lower()) if named is not None else None,
        field=field,
        detail=detail,
    )


def is_live(step: Step, action: Action, project: Project) -> bool:
    """Whether an action's table is one that a running release uses."""
    if action.model is None and not action.table:
        return not _begins(step.migration)
    if action.model is None:
        made = (step.migration.key, *project.unreleased)
        return not any(_makes_table(project.history.steps_of(key), action.table) for key in made)
    model = step.before.model(*action.model) or step.after.model(*action.model)
    if model is None:  # of another project: new where all is new
        return not _begins(step.migration)
    return not is_new(model, step.migration, project)


def is_at_risk(step: Step, action: Action, project: Project) -> bool:
    """Whether it matters that an action's table is locked: it is live and not known to be small."""
    return not project.sizes.is_small(action.table) and is_live(step, action, project)


def _makes_table(steps: Iterable[Step], table: str) -> bool:
    return any(isinstance(action, CreateTable) and action.table == table for step in steps for action in step.actions)


def card(actions: Sequence[Action], project: Project, *, held: bool = True) -> str:
    """What actions on one table mean for it, in one line: `SHARE on shop_order: writes wait while …`.

    `held`: they are in a transaction with the rest of the migration.
    """
    table = called(actions[0])
    rows = project.sizes.rows.get(table)
    size = f" ({rows:,} rows)" if rows is not None else ""
    cost = join(cost_of(action, project.database) for action in actions)
    built = sum(cost_of(action, project.database).indexes for action in actions)
    lock = f"{cost.lock} on {table}{size}" if cost.lock not in ("", "NONE") else f"{table}{size}"
    waits = " and ".join(what for what in ("reads", "writes") if what in cost.blocks)
    return f"{lock}: {waits or 'nothing'} {'wait' if waits else 'waits'} {_how_long(cost, built, held=held)}"


def _how_long(cost: Cost, built: int, *, held: bool) -> str:
    if not cost.lasts:
        return "until the migration commits" if held else "for a moment"
    if cost.rewrites:
        return "while the whole table is written anew" + (", its indexes too" if cost.indexes else "")
    if cost.indexes:
        return "while an index is built" if built == 1 else f"while {built} indexes are built"
    return "while every row is read" if cost.scans else "while rows are written"


def is_new(model: ModelState, migration: Migration, project: Project) -> bool:
    """Created in this migration; or both in initial migrations; or by a migration that is not released.

    A squash is as an initial migration: where there are rows, what it replaces was applied, and it never runs.
    A model that only the state creates takes over a table that was there.
    """
    created = model.origin.migration
    place = (created, model.origin.path, model.table)
    takes_over = project.taken_over.get(place)
    if takes_over is None:
        takes_over = project.taken_over[place] = _takes_over(model, project)
    if takes_over:
        return False
    if created == migration.key or created in project.unreleased:
        return True
    creator = project.graph.migrations.get(created)
    return creator is not None and _begins(creator) and _begins(migration)


def _takes_over(model: ModelState, project: Project) -> bool:
    """Whether the model was created in the state alone, and nothing beside it made its table."""
    steps = project.history.steps_of(model.origin.migration)
    created = next((step for step in steps if step.path == model.origin.path), None)
    if created is None or created.touches_database:
        return False
    actions = [action for step in steps for action in step.actions]
    if any(isinstance(action, Execute) and not action.understood for action in actions):
        return False  # it may have made the table
    return not any(isinstance(action, CreateTable) and action.table == model.table for action in actions)


def _begins(migration: Migration) -> bool:
    """Whether a migration runs on a new database only."""
    return bool(migration.initial or migration.replaces)


Check = Callable[[Any], Iterator[Diagnostic]]


@overload
def rule(
    code: str, *, on: type[Project], severity: Severity, supersedes: tuple[str, ...] = ()
) -> Callable[[Callable[[ProjectContext], Iterator[Diagnostic]]], Rule]: ...
@overload
def rule(
    code: str, *, on: type[Migration], severity: Severity, supersedes: tuple[str, ...] = ()
) -> Callable[[Callable[[MigrationContext], Iterator[Diagnostic]]], Rule]: ...
@overload
def rule(
    code: str, *, on: type[O] | tuple[type[O], ...], severity: Severity, supersedes: tuple[str, ...] = ()
) -> Callable[[Callable[[OperationContext[O]], Iterator[Diagnostic]]], Rule]: ...
@overload
def rule(
    code: str, *, on: type[A] | tuple[type[A], ...], severity: Severity, supersedes: tuple[str, ...] = ()
) -> Callable[[Callable[[ActionContext[A]], Iterator[Diagnostic]]], Rule]: ...
def rule(code: str, *, on: Any, severity: Severity, supersedes: tuple[str, ...] = ()) -> Callable[[Check], Rule]:
    """Makes a rule of a generator function. `on` decides what it sees: the class of an operation or of an action
    (called once per operation, with all its actions of the class), `Migration` or `Project`."""

    def make(function: Check) -> Rule:
        package = function.__module__.split(".")
        return Rule(
            code=code,
            name=function.__name__.replace("_", "-"),
            summary=(function.__doc__ or "").strip().split("\n")[0],
            severity=severity,
            category=package[-2] if len(package) > 1 else "",
            module=function.__module__,
            on=on if isinstance(on, tuple) else (on,),
            supersedes=supersedes,
            check=function,
        )

    return make
