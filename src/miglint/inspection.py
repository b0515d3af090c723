"""One migration, operation by operation: what the database sees, what waits, what is lost, what can be undone."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from miglint.database import Database
from miglint.databases.costs import Cost, cost_of, is_refused_in_transaction
from miglint.databases.effects import TableEffect, effects
from miglint.project.action import Action, CreateTable, RenameTable
from miglint.project.compatibility import Compatibility, Setting, changed_models, new_code_before, old_code
from miglint.project.consequences import Consequences
from miglint.project.describe import describe
from miglint.project.history import Step, replay
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.operations import Alternative, OperationPath, RunPython, SeparateDatabaseAndState
from miglint.project.project import Project
from miglint.project.schema import Schema
from miglint.project.truth import Truth
from miglint.project.waiting import in_order


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """One operation. `tables` are those that were there before the migration; `why` says what decides its effect.

    Where it is looked at backwards, all of it is about the undoing.
    """

    path: OperationPath
    name: str
    description: str
    step: Step
    actions: tuple[Action, ...]
    tables: tuple[TableEffect, ...]
    transactional: bool
    why: str
    url: str
    reversible: Truth
    loses_data: Truth
    reverse_loses_data: Truth
    old_code: Compatibility
    new_code_before: Truth


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """A migration on one database. `tables` and `actions` are those of all its operations together, in order;

    `old_code` is what the release before it can do after it. Backwards, the two releases change places.
    """

    migration: Migration
    database: Database
    backwards: bool
    operations: tuple[Inspected, ...]
    actions: tuple[Action, ...]
    tables: tuple[TableEffect, ...]
    old_code: Compatibility
    new_code_before: Truth

    @property
    def measured(self) -> bool:
        """Whether all that is said of locks was measured, or only read."""
        return all(cost_of(action, self.database).measured for action in self.actions)


def inspect(project: Project, key: MigrationKey, database: Database, *, backwards: bool = False) -> Inspection:
    """What a migration of the project does on a database; `backwards`: what undoing it does."""
    if database != project.database:
        project = on_database(project, database)
    steps = project.history.steps_of(key)
    if backwards:
        steps = steps[::-1]
    setting = Setting(database=database, django_version=project.django_version, swappable=project.swappable)
    new: set[str] = set()
    operations: list[Inspected] = []
    for step in steps:
        operation = _inspected(step, setting, new, backwards=backwards)
        operations.append(operation)
        new |= set(_made(operation.actions))
    together = in_order(action for each in operations for action in each.actions)
    old, new_before = _compatible(steps, together, setting, backwards=backwards)
    return Inspection(
        migration=project.graph.migrations[key],
        database=database,
        backwards=backwards,
        operations=tuple(operations),
        actions=together,
        tables=effects(together, database, _schema_at_end(steps, backwards=backwards)),
        old_code=old,
        new_code_before=new_before,
    )


def on_database(project: Project, database: Database) -> Project:
    """The same project, replayed on another database."""
    history = replay(
        project.graph, database=database, django_version=project.django_version, swappable=project.swappable
    )
    return msgspec.structs.replace(project, database=database, history=history)


def _schema_at_end(steps: tuple[Step, ...], *, backwards: bool) -> Schema:
    if not steps:
        return Schema()
    return steps[-1].schema_before if backwards else steps[-1].schema_after


def _made(actions: tuple[Action, ...]) -> Iterator[str]:
    """The tables that did not have this name before. A renamed table is the old one."""
    for action in actions:
        if isinstance(action, CreateTable):
            yield action.table
        if isinstance(action, RenameTable) and action.on_new_table:
            yield action.new_table


def _inspected(step: Step, setting: Setting, new: set[str], *, backwards: bool) -> Inspected:
    found = Consequences(
        step, database=setting.database, django_version=setting.django_version, swappable=setting.swappable
    )
    actions = found.reverse_actions if backwards else step.actions
    tables = effects(actions, setting.database, step.schema_before if backwards else step.schema_after, new)
    why, url = _why(step, tables, actions, setting.database)
    old, new_before = _compatible((step,), actions, setting, backwards=backwards)
    return Inspected(
        path=step.path,
        name=step.operation.class_name,
        description=describe(step.operation),
        step=step,
        actions=actions,
        tables=tables,
        transactional=setting.database.transactional_ddl
        and not any(is_refused_in_transaction(action, setting.database) for action in actions),
        why=why,
        url=url,
        reversible=found.reversible,
        loses_data=found.loses_data,
        reverse_loses_data=found.reverse_loses_data,
        old_code=old,
        new_code_before=new_before,
    )


def _compatible(
    steps: tuple[Step, ...], actions: tuple[Action, ...], setting: Setting, *, backwards: bool
) -> tuple[Compatibility, Truth]:
    """What the release that runs can do after the steps, and whether the one to come works before them."""
    if not steps:
        return Compatibility(), Truth.YES
    first, last = (steps[-1], steps[0]) if backwards else (steps[0], steps[-1])
    ends = (first.before, first.schema_before), (last.after, last.schema_after)
    (models, schema), (models_after, schema_after) = ends[::-1] if backwards else ends
    return (
        old_code(models, schema, schema_after, actions, setting),
        new_code_before(models_after, schema, changed_models(models, models_after), setting),
    )


def _weight(cost: Cost) -> tuple[bool, bool, int]:
    return cost.lasts and bool(cost.blocks), cost.lasts, len(cost.blocks)


def _why(
    step: Step, tables: tuple[TableEffect, ...], actions: tuple[Action, ...], database: Database
) -> tuple[str, str]:
    """The reason of what blocks longest, and where it is written."""
    costs = [(cost_of(action, database), found) for found in tables for action in found.actions]
    if costs:
        worst, found = max(costs, key=lambda each: _weight(each[0]))
        held = database.transactional_ddl and step.migration.atomic.certain
        kept = worst.lasts and worst.blocks and found.cost.blocks_reads and not worst.blocks_reads and held
        return worst.why + (" Reads wait, too: the lock that was taken before is kept." if kept else ""), worst.url
    if isinstance(step.operation, SeparateDatabaseAndState):
        return "What it does is said of the operations in it.", ""
    if isinstance(step.operation, Alternative):
        return "Which of the operations in it run depends on a condition that is not known here.", ""
    if not step.touches_database:
        return "Only Django's state changes; the database sees nothing.", ""
    if isinstance(step.operation, RunPython):
        return "Python code: what it does to tables is not known here.", ""
    if actions:
        return "Only tables that are new in this migration, or none at all: nothing waits.", ""
    return "No SQL: the database sees nothing.", ""
