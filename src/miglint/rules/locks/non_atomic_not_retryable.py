"""A migration without a transaction that cannot be run again after it failed half-way."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    AddCheck,
    AddColumn,
    AddExclusion,
    AddForeignKey,
    AddIdentity,
    AddPrimaryKey,
    AddUnique,
    Confidence,
    CreateIndex,
    CreateTable,
    Diagnostic,
    DropColumn,
    DropConstraint,
    DropForeignKey,
    DropIdentity,
    DropIndex,
    DropTable,
    InsertRows,
    Migration,
    MigrationContext,
    RenameColumn,
    RenameIndexAction,
    RenameTable,
    RunPython,
    RunSQL,
    Severity,
    Step,
    executed,
    is_noop,
    phrase,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#non-atomic-migrations"
# What fails the second time: it is there already, or it is gone.
_ONCE = (
    CreateTable, DropTable, RenameTable, AddColumn, DropColumn, RenameColumn, AddIdentity, DropIdentity,
    AddForeignKey, DropForeignKey, AddCheck, AddUnique, AddPrimaryKey, AddExclusion, DropConstraint,
    CreateIndex, DropIndex, RenameIndexAction, InsertRows,
)  # fmt: skip


@rule("MG308", on=Migration, severity=Severity.WARNING)
def non_atomic_not_retryable(context: MigrationContext) -> Iterator[Diagnostic]:
    """A migration that is not atomic fails half-way, and what it did already makes the next run fail."""
    if not context.migration.atomic.refuted or not context.database.transactional_ddl:
        return
    units = [unit for step in context.steps if step.touches_database for unit in _units(context, step)]
    at = next((at for at, unit in enumerate(units) if _spoils(context, units, at)), None)
    if at is None:
        return
    step, actions = units[at]
    action = next(action for action in actions if _is_once(context, step, action))
    yield context.diagnostic(
        None,
        f"a failure half-way leaves this done: {_left(action)}; `migrate` then fails on it: nothing rolls back here "
        f"({len(units)} operations without a transaction)",
        help=f"{_instead(units)} In SQL, IF NOT EXISTS and IF EXISTS make a statement repeatable.",
        url=_URL,
        related=(context.related(context.migration, step.operation.span, "this cannot be done twice"),),
        confidence=Confidence.LOW if step.conditional or not action.certain else Confidence.HIGH,
    )


# What fails or succeeds as one: an operation, or one string of a RunSQL.
Unit = tuple[Step, tuple[Action, ...]]


def _instead(units: list[Unit]) -> str:
    """What to write instead, by what the migration has that may want to be without a transaction."""
    concurrent = [any(getattr(action, "concurrently", False) for action in actions) for _, actions in units]
    if all(concurrent):
        return "One concurrent index to a migration: what is done then stays done, and the rest can be run again."
    if any(concurrent):
        return (
            "One operation to a migration that is not atomic. Leave the concurrent index alone in it; what needs no "
            "`atomic = False` goes into a migration of its own, and rolls back whole."
        )
    if any(isinstance(step.operation, RunPython) for step, _ in units):
        return (
            "Leave the RunPython alone in it, and make it such that it can be run again; what changes the schema goes "
            "into a migration of its own, without `atomic = False`, and rolls back whole."
        )
    return "Take `atomic = False` out where nothing here needs it: the migration then rolls back whole."


def _units(context: MigrationContext, step: Step) -> Iterator[Unit]:
    operation = step.operation
    if isinstance(operation, RunPython):
        if operation.code is not None and not is_noop(operation.code):
            yield step, ()
        return
    if not isinstance(operation, RunSQL):
        if step.actions:
            yield step, step.actions
        return
    for part in dict.fromkeys(action.part for action in step.actions):
        actions = tuple(action for action in step.actions if action.part == part)
        if any(action.table or not action.certain for action in actions):
            yield step, actions


def _spoils(context: MigrationContext, units: list[Unit], at: int) -> bool:
    """Whether a unit, done, makes the next run fail, and something can fail after it (or it half-way itself)."""
    step, actions = units[at]
    once = [action for action in actions if _is_once(context, step, action)]
    if not once or len(units) == 1:
        return False
    concurrent = any(isinstance(action, CreateIndex) and action.concurrently for action in once)
    return concurrent or at < len(units) - 1


def _is_once(context: MigrationContext, step: Step, action: Action) -> bool:
    if not isinstance(action, _ONCE) or action.guarded or _is_dropped_before(context, action):
        return False
    return isinstance(action, InsertRows) or (not action.on_new_table and context.is_live(step, action))


def _is_dropped_before(context: MigrationContext, action: Action) -> bool:
    """Whether what an earlier run left is dropped first, if it is there."""
    name = getattr(action, "name", "")
    for _, each in executed(context.steps):
        if each is action:
            return False
        if name and each.guarded and isinstance(each, DropIndex | DropConstraint) and each.name == name:
            return True
    return False


def _left(action: Action) -> str:
    if isinstance(action, InsertRows):
        return f"new rows in {action.table}"
    return f"{phrase(action)}{f' ({action.table})' if action.table else ''}"
