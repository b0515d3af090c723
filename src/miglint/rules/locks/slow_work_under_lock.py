"""Work that lasts while a lock is held that an earlier operation took."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    Confidence,
    Diagnostic,
    Migration,
    MigrationContext,
    Query,
    RenameTable,
    Rows,
    RunPython,
    Severity,
    Step,
    is_new,
    rule,
)

# What changes many rows, and what does so when it is done for each row of a queryset.
_AT_ONCE = frozenset({"update", "delete", "bulk_update", "bulk_create"})
_IN_A_LOOP = frozenset({"save", "delete", "create", "update", "get_or_create", "update_or_create"})
_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#non-atomic-migrations"


@rule("MG310", on=Migration, severity=Severity.WARNING)
def slow_work_under_lock(context: MigrationContext) -> Iterator[Diagnostic]:
    """Work that lasts keeps a lock that an earlier operation of the same transaction took."""
    if not context.migration.atomic.certain or not context.database.transactional_ddl:
        return
    locks: list[tuple[Step, Action]] = []
    reported: set[int] = set()
    for step, action in _done(context):
        held = next((lock for lock in locks if lock[0] is not step), None)
        if held is not None and id(step) not in reported:
            table = _long_work(context, step, action)
            if table is not None:
                reported.add(id(step))
                yield _slow(context, step, table, held)
        if action is not None and _is_strong(context, step, action):
            locks.append((step, action))
    # What one operation locks beside its own table is for MG306 to say.
    called = _first_names(context)
    own = {id(step): called.get(action.table, action.table) for step, action in reversed(locks)}
    tables = list(dict.fromkeys(own[id(step)] for step, _ in locks if own[id(step)]))
    if len(tables) > 1 and not reported:
        yield _several(context, tables, locks)


def _first_names(context: MigrationContext) -> dict[str, str]:
    """What tables were called before the migration that have another name in it."""
    names: dict[str, str] = {}
    for step in context.steps:
        for action in step.actions:
            if isinstance(action, RenameTable):
                names[action.new_table] = names.get(action.table, action.table)
    return names


def _done(context: MigrationContext) -> Iterator[tuple[Step, Action | None]]:
    """What the migration does, in order: its actions, and (None) what a RunPython does with rows."""
    for step in context.steps:
        if isinstance(step.operation, RunPython) and step.touches_database:
            yield step, None
        yield from ((step, action) for action in step.actions if not action.deferred)
    yield from ((step, action) for step in context.steps for action in step.actions if action.deferred)


def _is_strong(context: MigrationContext, step: Step, action: Action) -> bool:
    """Whether it takes a lock that reads wait for, on a table for which that matters."""
    if action.on_new_table or not action.certain or step.conditional:
        return False
    return context.cost_of(action).blocks_reads and context.is_at_risk(step, action)


def _long_work(context: MigrationContext, step: Step, action: Action | None) -> str | None:
    """The table whose rows decide how long it takes; None for what is over at once, or where that is not known."""
    if action is None:
        return _table_of_queries(context, step)
    lasts = context.cost_of(action).lasts and action.certain and context.is_at_risk(step, action)
    return (action.table or "a table") if lasts else None


def _table_of_queries(context: MigrationContext, step: Step) -> str | None:
    for use in step.usage.of(Query):
        at_once = isinstance(use.on, Rows) and use.method in _AT_ONCE
        if not at_once and not (use.loop is not None and use.method in _IN_A_LOOP):
            continue
        model = step.before.model(*use.key)
        if model is None or is_new(model, context.migration, context.project):
            continue
        if not context.project.sizes.is_small(model.table):
            return model.table
    return None


def _slow(context: MigrationContext, step: Step, table: str, held: tuple[Step, Action]) -> Diagnostic:
    before, lock = held
    waits = context.card([lock]).partition(":")[0]
    return context.diagnostic(
        None,
        f"{step.operation.class_name} works on {table} for as long as it has rows, and all the "
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
