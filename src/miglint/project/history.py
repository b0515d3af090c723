"""The history: every operation with the state and the schema before and after it.

`before` is the state of the migration's *ancestors*, as Django's `project_state(node, at_end=False)` has it: in the
linear plan a missing dependency would be invisible. The schema is folded along the plan, as the database sees it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile

import msgspec

from miglint.database import Database, Version
from miglint.lazy import lazy
from miglint.project.action import Action, Execute
from miglint.project.actions import actions_of
from miglint.project.forwards import apply
from miglint.project.forwards.problems import StateProblem
from miglint.project.graph import Graph
from miglint.project.inform import inform
from miglint.project.keys import MigrationKey, ModelKey, model_key
from miglint.project.migration import Migration
from miglint.project.operations import (
    Alternative,
    CreateModel,
    Custom,
    DeleteModel,
    Operation,
    OperationPath,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    Unread,
    nested,
)
from miglint.project.persistent import PersistentMap
from miglint.project.reach import Reach
from miglint.project.schema import Schema, settled
from miglint.project.state import ModelState, ProjectState
from miglint.project.statements import ReadSQL
from miglint.project.usage import Usage
from miglint.project.usages import Usages
from miglint.syntax.sql import read_sql


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One operation in its place, the `place`th of the plan.

    `touches_database` is false within `state_operations`, `touches_state` within `database_operations`;
    `conditional` is true within a part that runs under a condition only; `usages` knows what code does.
    """

    place: int
    migration: Migration
    path: OperationPath
    operation: Operation
    before: ProjectState
    after: ProjectState
    schema_before: Schema
    schema_after: Schema
    actions: tuple[Action, ...] = ()
    problems: tuple[StateProblem, ...] = ()
    touches_database: bool = True
    touches_state: bool = True
    conditional: bool = False
    usages: Usages

    @property
    def usage(self) -> Usage:
        """What a RunPython does; nothing of any other operation, and nothing where only the state sees it.

        Source: django.db.migrations.operations.special.RunPython.state_forwards, which does not call the code.
        """
        if not isinstance(self.operation, RunPython) or not self.touches_database:
            return Usage()
        return self.usages.of(self.operation, self.migration, self.path, self.before)

    @property
    def is_understood(self) -> bool:
        """Whether all that it does to the database is known: code may do more than what is seen of it."""
        if isinstance(self.operation, RunSQL):
            return all(each.certain and (not isinstance(each, Execute) or each.understood) for each in self.actions)
        return not isinstance(self.operation, RunPython | Custom | Unread)


class _Versions(msgspec.Struct, frozen=True, gc=False):
    """Which steps wrote an app, and each model of it, as bits: a version with more of them comes after another."""

    app: int = 0
    models: PersistentMap[str, int] = msgspec.field(default_factory=PersistentMap)


_NEVER = _Versions()
# By app, as the states are: a migration copies those of one app, and shares the others.
Versions = PersistentMap[str, _Versions]


class _Point(msgspec.Struct, frozen=True):
    """The state at the end of a migration, and the version of each model that was ever written up to there.

    `reach` sums the versions up.
    """

    state: ProjectState
    versions: Versions
    reach: Reach


class _Write(msgspec.Struct, frozen=True):
    """One write of one model: the operation, the model after it (None: deleted), and its version then."""

    migration: Migration
    path: OperationPath
    operation: Operation
    model: ModelState | None
    version: int


class History(msgspec.Struct, frozen=True, dict=True):
    """All steps, in the order of the plan."""

    steps: tuple[Step, ...] = ()
    final: ProjectState = msgspec.field(default_factory=ProjectState)
    _before: Mapping[MigrationKey, ProjectState] = {}
    _after: Mapping[MigrationKey, ProjectState] = {}
    _by_migration: Mapping[MigrationKey, tuple[Step, ...]] = {}

    @lazy
    def makers(self) -> Mapping[ModelKey, tuple[MigrationKey, ...]]:
        """The migrations that make each model, or give it this name, in the order of the plan."""
        found: dict[ModelKey, tuple[MigrationKey, ...]] = {}
        for step in self.steps:
            match step.operation:
                case CreateModel(name=str(name)) | RenameModel(new_name=str(name)) if step.touches_state:
                    key = model_key(step.migration.app, name)
                    found[key] = (*found.get(key, ()), step.migration.key)
        return found

    @lazy
    def takers(self) -> Mapping[ModelKey, tuple[Step, ...]]:
        """The steps that delete each model, or give it another name, in the order of the plan."""
        found: dict[ModelKey, tuple[Step, ...]] = {}
        for step in self.steps:
            match step.operation:
                case DeleteModel(name=str(name)) | RenameModel(old_name=str(name)) if step.touches_state:
                    key = model_key(step.migration.app, name)
                    found[key] = (*found.get(key, ()), step)
        return found

    def steps_of(self, key: MigrationKey) -> tuple[Step, ...]:
        """The steps of one migration."""
        return self._by_migration.get(key, ())

    def within(self, step: Step) -> Iterator[Step]:
        """The steps of the operations that a step's operation holds; they follow it."""
        following = map(self.steps.__getitem__, range(step.place + 1, len(self.steps)))
        depth = len(step.path)
        return takewhile(lambda each: each.migration is step.migration and each.path[:depth] == step.path, following)

    def before(self, step: Step) -> Iterator[Step]:
        """The steps before a step in the plan, latest first."""
        return map(self.steps.__getitem__, range(step.place - 1, -1, -1))

    def after(self, step: Step, *, app: str | None = None) -> Iterator[Step]:
        """The steps after a step in the plan, in its order; those of one app, where one is given."""
        places: Sequence[int] = range(len(self.steps)) if app is None else self._by_app.get(app, ())
        return map(self.steps.__getitem__, islice(places, bisect_right(places, step.place), None))

    def is_before(self, one: Step, other: Step) -> bool:
        """Whether a step comes before another in the plan."""
        return one.place < other.place

    def between(self, one: Step, other: Step) -> tuple[Step, ...]:
        """The steps between two steps in the plan, in its order, whichever comes first."""
        first, last = sorted((one.place, other.place))
        return self.steps[first + 1 : last]

    @lazy
    def _by_app(self) -> Mapping[str, Sequence[int]]:
        """The places of each app's steps."""
        found: dict[str, list[int]] = {}
        for place, step in enumerate(self.steps):
            found.setdefault(step.migration.app, []).append(place)
        return found

    def state_before(self, key: MigrationKey) -> ProjectState:
        """The state of a migration's ancestors."""
        return self._before.get(key, ProjectState())

    def state_after(self, key: MigrationKey) -> ProjectState:
        return self._after.get(key, ProjectState())


def executed(steps: Iterable[Step]) -> Iterator[tuple[Step, Action]]:
    """The actions of a migration as the database sees them: Django runs what is deferred when all else is done."""
    done = [(step, action) for step in steps for action in step.actions]
    yield from (each for each in done if not each[1].deferred)
    yield from (each for each in done if each[1].deferred)


def replay(
    graph: Graph,
    *,
    database: Database,
    django_version: Version = (5, 2),
    swappable: Mapping[str, str] | None = None,
    sql: ReadSQL = read_sql,
    usages: Usages | None = None,
) -> History:
    """The history of a graph, replaced migrations left out; `swappable` are settings' values as `app.Model`.

    `usages` follows the code of RunPython, where that may run SQL.
    """
    return _Replay(graph, database, django_version, swappable or {}, sql, usages or Usages()).history()


class _Replay:
    """One replay."""

    def __init__(
        self,
        graph: Graph,
        database: Database,
        django_version: Version,
        swappable: Mapping[str, str],
        sql: ReadSQL,
        usages: Usages,
    ) -> None:
        self._graph = graph
        self._database = database
        self._django_version = django_version
        self._swappable = swappable
        self._sql = sql
        self._usages = usages
        self._apps = tuple(graph.apps)
        self._places = {app: place for place, app in enumerate(self._apps)}
        nothing = ProjectState(self._database.longest_name)
        self._start_point = _Point(nothing, PersistentMap(), Reach.nothing(len(self._apps)))
        self._points: dict[MigrationKey, _Point] = {}
        # The place of a write is its bit in a version; places grow along the plan.
        self._writes: dict[ModelKey, list[_Write]] = {}
        self._app_writes: dict[str, int] = {}
        self._schema = Schema()
        self._steps: dict[MigrationKey, tuple[Step, ...]] = {}
        self._before: dict[MigrationKey, ProjectState] = {}
        self._after: dict[MigrationKey, ProjectState] = {}
        self._number = 0

    def history(self) -> History:
        leaves = [leaf for app in self._graph.apps for leaf in self._graph.leaves(app)]
        # How many ask yet for the point at the end of a migration: its versions are let go after the last one.
        waiting = Counter(parent for key in self._graph.migrations for parent in self._graph.parents(key))
        waiting.update(leaves)
        for key in self._graph.plan():
            migration = self._graph.migrations[key]
            start = self._start(key)
            self._before[key] = start.state
            steps: list[Step] = []
            self._points[key] = self._reached(self._run(migration, start, steps), start)
            self._steps[key] = tuple(steps)
            self._after[key] = self._points[key].state
            for parent in self._graph.parents(key):
                waiting[parent] -= 1
                if not waiting[parent]:
                    self._points.pop(parent, None)
        everything = tuple(step for steps in self._steps.values() for step in steps)
        final = self._merge([self._points[leaf] for leaf in leaves if leaf in self._points], None).state
        return History(everything, final, self._before, self._after, self._steps)

    # -- where branches meet -------------------------------------------------------------------------

    def _start(self, key: MigrationKey) -> _Point:
        points = [self._points[parent] for parent in self._graph.parents(key) if parent in self._points]
        return self._merge(points, key)

    def _merge(self, points: list[_Point], key: MigrationKey | None) -> _Point:
        """The newest version of each model; where two branches wrote one, what they did is done again in order."""
        if len(points) < 2:
            return points[0] if points else self._start_point
        merged = max(points, key=lambda point: sum(point.reach.lengths))
        state, versions, reach = merged.state, merged.versions, merged.reach
        conflicts: set[ModelKey] = set()
        for point in points:
            if point is merged:
                continue
            for app in point.state.partial:
                state = state.with_partial(app)
            newer, doubtful = reach.ahead(point.reach)
            if newer:
                names = [self._apps[app] for app in newer]
                state, versions = state.with_apps_of(point.state, names), versions.taking(names, point.versions)
                reach = reach.with_those_of(point.reach, newer)
            for app in map(self._apps.__getitem__, doubtful):
                mine, theirs = versions.get(app, _NEVER), point.versions.get(app, _NEVER)
                both = mine.models
                for name, version, here in theirs.models.differing(both):
                    model, known = ModelKey(app, name), here or 0
                    if not version & ~known:
                        continue
                    if known & ~version:
                        conflicts.add(model)
                    state = _take(state, model, point.state)
                    both = both.put(name, version | known)
                versions = versions.put(app, _Versions(mine.app | theirs.app, both))
                reach = reach.knowing({self._places[app]: mine.app | theirs.app})
        return _Point(self._redone(state, versions, conflicts, key), versions, reach)

    def _reached(self, end: _Point, start: _Point) -> _Point:
        """The end of a migration, with what it wrote."""
        written = {self._places[app]: each.app for app, each, _ in end.versions.differing(start.versions)}
        return _Point(end.state, end.versions, start.reach.knowing(written)) if written else end

    def _redone(
        self, state: ProjectState, versions: Versions, conflicts: set[ModelKey], key: MigrationKey | None
    ) -> ProjectState:
        for model in sorted(conflicts):
            redone = self._on_top(state, model, versions[model.app].models[model.name])
            if redone is None:
                return self._replayed(key)
            state = redone
        return state

    def _replayed(self, key: MigrationKey | None) -> ProjectState:
        """The state of all ancestors from the start: a rename on one branch moves what another one writes."""
        ancestors = self._graph.ancestors(key) if key is not None else frozenset(self._steps)
        state = self._start_point.state
        for other in self._graph.plan():
            if other in ancestors and other in self._steps:
                for step in self._steps[other]:
                    if step.touches_state and not step.conditional:
                        state, _ = apply(state, step.migration, step.path, step.operation)
        return state

    def _on_top(self, state: ProjectState, key: ModelKey, version: int) -> ProjectState | None:
        """The state with a model's writes of both branches, in the order of the plan; None where it takes more."""
        writes = self._writes[key]
        places = [place for place in range(version.bit_length()) if version >> place & 1]
        start = next(
            (
                at
                for at in range(len(places), 0, -1)
                if writes[places[at - 1]].version == _up_to(version, places[at - 1])
            ),
            0,
        )
        if start == 0:
            return None
        base = writes[places[start - 1]].model
        state = state.put(base) if base is not None else state.without(key)
        for place in places[start:]:
            write = writes[place]
            if not _is_on(write, key):
                return None
            state, _ = apply(state, write.migration, write.path, write.operation)
        return state

    # -- one migration -------------------------------------------------------------------------------

    def _run(self, migration: Migration, start: _Point, steps: list[Step]) -> _Point:
        point = start
        state = start.state
        # What `database_operations` work on: Django computes it for them, and drops it again.
        scratch = state
        for path, operation, in_database, in_state, conditional in _flatten(migration.operations, ()):
            before, schema = state if in_state else scratch, self._schema
            problems: tuple[StateProblem, ...] = ()
            after = before
            if not conditional:
                after, found = apply(before, migration, path, operation)
                problems = found if in_database else tuple(each for each in found if not each.in_database)
            if in_state and after is not before:
                point = self._noted(point, after, (migration, path, operation))
            emitted = self._actions(migration, path, operation, before, after) if in_database else ()
            actions, folded = inform(schema, emitted) if emitted else ((), schema)
            self._schema = schema if conditional else folded
            steps.append(
                Step(
                    place=self._number,
                    migration=migration,
                    path=path,
                    operation=operation,
                    before=before,
                    after=after,
                    schema_before=schema,
                    schema_after=self._schema,
                    actions=actions,
                    problems=problems,
                    touches_database=in_database,
                    touches_state=in_state,
                    conditional=conditional,
                    usages=self._usages,
                )
            )
            self._number += 1
            scratch = after
            if in_state:
                state = after
        self._schema = settled(self._schema, (action for step in steps for action in step.actions))
        return point

    def _actions(
        self,
        migration: Migration,
        path: OperationPath,
        operation: Operation,
        before: ProjectState,
        after: ProjectState,
    ) -> tuple[Action, ...]:
        usage = None
        if isinstance(operation, RunPython) and self._usages.may_run_sql(migration.key):
            usage = self._usages.of(operation, migration, path, before)
        return actions_of(
            operation,
            before,
            after,
            app=migration.app,
            database=self._database,
            django_version=self._django_version,
            swappable=self._swappable,
            sql=self._sql,
            usage=usage,
        )

    def _noted(self, before: _Point, after: ProjectState, by: tuple[Migration, OperationPath, Operation]) -> _Point:
        """The point after an operation, where the models that it wrote have newer versions."""
        versions = before.versions
        for app, models in after.changed_since(before.state):
            old, known = before.state.in_app(app), versions.get(app) or _Versions()
            newer = known.models
            for name in sorted(models.changed(old)):
                writes = self._writes.setdefault(ModelKey(app, name), [])
                version = newer.get(name, 0) | 1 << len(writes)
                newer = newer.put(name, version)
                writes.append(_Write(*by, models.get(name), version))
            number = self._app_writes[app] = self._app_writes.get(app, -1) + 1
            versions = versions.put(app, _Versions(known.app | 1 << number, newer))
        return _Point(after, versions, before.reach)


def _is_on(write: _Write, key: ModelKey) -> bool:
    """Whether an operation wrote the model it works on, and not one whose relations follow a renamed name."""
    named = write.operation.model
    return (
        not isinstance(write.operation, RenameModel)
        and named is not None
        and model_key(write.migration.app, named) == key
    )


def _up_to(version: int, place: int) -> int:
    """The part of a version up to a place, that place included."""
    return version & ((1 << place + 1) - 1)


def _take(state: ProjectState, key: ModelKey, source: ProjectState) -> ProjectState:
    model: ModelState | None = source.model(*key)
    return state.put(model) if model is not None else state.without(key)


Flat = tuple[OperationPath, Operation, bool, bool, bool]


def _flatten(
    operations: tuple[Operation, ...],
    prefix: OperationPath,
    *,
    in_database: bool = True,
    in_state: bool = True,
    conditional: bool = False,
) -> Iterator[Flat]:
    """Every operation with its path, whether the database and the state see it, and whether it runs for certain."""
    for index, operation in enumerate(operations):
        path = (*prefix, index)
        yield path, operation, in_database, in_state, conditional
        for name, inner in nested(operation):
            separate = isinstance(operation, SeparateDatabaseAndState)
            yield from _flatten(
                inner,
                (*path, name),
                in_database=in_database and name != "state_operations",
                in_state=in_state and not (separate and name == "database_operations"),
                conditional=conditional or isinstance(operation, Alternative),
            )
