"""Work that lasts while a lock is held that an earlier operation took."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    Confidence,
    Diagnostic,
    Migration,
    MigrationContext,
    Severity,
    Step,
    executed,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#non-atomic-migrations"


@rule("MG310", on=Migration, severity=Severity.WARNING)
def slow_work_under_lock(context: MigrationContext) -> Iterator[Diagnostic]:
    """Work that lasts keeps a lock that an earlier operation of the same transaction took."""
    if not context.migration.atomic.certain or not context.database.transactional_ddl:
        return
    locks: list[tuple[Step, Action]] = []
    reported: set[int] = set()
    for step, action in executed(context.steps):
        held = next((lock for lock in locks if lock[0] is not step), None)
        if held is not None and id(step) not in reported and _lasts(context, step, action):
            reported.add(id(step))
            yield _slow(context, step, action, held)
        if _is_strong(context, step, action):
            locks.append((step, action))
    # What one operation locks beside its own table is for MG306 to say.
    own = {id(step): action.table for step, action in reversed(locks)}
    tables = list(dict.fromkeys(own[id(step)] for step, _ in locks if own[id(step)]))
    if len(tables) > 1 and not reported:
        yield _several(context, tables, locks)


def _is_strong(context: MigrationContext, step: Step, action: Action) -> bool:
    """Whether it takes a lock that reads wait for, on a table for which that matters."""
    if action.on_new_table or not action.certain or step.conditional:
        return False
    return context.cost_of(action).blocks_reads and context.is_at_risk(step, action)


def _lasts(context: MigrationContext, step: Step, action: Action) -> bool:
    """Whether it takes as long as a table that is not small has rows."""
    cost = context.cost_of(action)
    return cost.lasts and action.certain and context.is_at_risk(step, action)


def _slow(context: MigrationContext, step: Step, action: Action, held: tuple[Step, Action]) -> Diagnostic:
    before, lock = held
    waits = context.card([lock]).partition(":")[0]
    return context.diagnostic(
        None,
        f"{step.operation.class_name} works on {action.table or 'a table'} for as long as it has rows, and all the "
        f"while {before.operation.class_name} before it holds {waits}: reads and writes of it wait",
        help="A transaction keeps its locks until it commits. Put what lasts into a migration of its own.",
        url=_URL,
        step=step,
        related=(context.related(context.migration, before.operation.span, f"takes {waits}"),),
        confidence=Confidence.LOW if step.conditional else context.confidence(before, [lock]),
    )


def _several(context: MigrationContext, tables: list[str], locks: list[tuple[Step, Action]]) -> Diagnostic:
    listed = ", ".join(tables[:3]) + (f" and {len(tables) - 3} more" if len(tables) > 3 else "")
    return context.diagnostic(
        None,
        f"one transaction locks {len(tables)} live tables against reads and writes, one after the other: {listed}",
        help="Each lock is short, but the first is held while the transaction waits for the next, and a request that "
        "uses the tables in the other order deadlocks with it. One table to a migration.",
        url=_URL,
        severity=Severity.INFO,
        detail="several",
        confidence=min(context.confidence(step, [action]) for step, action in locks),
    )
