"""Schema and rows changed by one migration."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    AddUnique,
    CommentAction,
    Confidence,
    CreateIndex,
    CreateTable,
    DeleteRows,
    Diagnostic,
    Execute,
    InsertRows,
    Migration,
    MigrationContext,
    Query,
    Reference,
    Refused,
    Row,
    Rows,
    RunPython,
    RunSQL,
    Severity,
    Step,
    TruncateTable,
    UpdateRows,
    UsedEarly,
    is_new,
    refused,
    rule,
    used_early,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#runpython"
_ALTER_TYPE = "https://www.postgresql.org/docs/current/sql-altertype.html"
_ROWS = (UpdateRows, InsertRows, DeleteRows)
_NO_SCHEMA = (*_ROWS, CreateTable, Reference, Execute, TruncateTable, CommentAction)
_WRITING = frozenset({
    "create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update", "delete", "save",
    "_raw_delete", "add", "set", "remove", "clear",
})  # fmt: skip
_WRITES = _WRITING | {f"a{name}" for name in _WRITING}
_APART = (
    "Put what changes rows into a migration of its own, before or after the one that changes the schema: each is then "
    "a transaction that is short, or that can be run again by itself."
)


@rule("MG508", on=Migration, severity=Severity.WARNING, supersedes=("MG310",))
def schema_and_data_together(context: MigrationContext) -> Iterator[Diagnostic]:
    """One atomic migration changes the schema and rows."""
    if not context.migration.atomic.certain:
        return
    changed = [(step, table) for step in context.steps if (table := _table_of_rows(context, step)) is not None]
    others = tuple(step for step, _ in changed)
    fails = next(refused(context.steps, context.database), None)
    if fails is not None:
        yield _refused(context, fails, others)
        return
    early = next(used_early(context.steps, context.database), None)
    if early is not None:
        yield _early(context, early, others)
        return
    schema = next((found for step in context.steps if (found := _schema_change(context, step)) is not None), None)
    if not changed or schema is None:
        return
    (step, table), (other, action) = changed[0], schema
    yield context.diagnostic(
        None,
        f"{step.operation.class_name} changes rows of {table} in one transaction with {other.operation.class_name}, "
        f"which changes {action.table}",
        help=_why(context, other is not step and context.steps.index(other) < context.steps.index(step)) + _APART,
        url=_URL,
        step=step,
        detail=table,
        related=(context.related(context.migration, other.operation.span, f"changes the schema of {action.table}"),),
        confidence=context.confidence(other, [action]),
        also=others,
    )


def _why(context: MigrationContext, lock_first: bool) -> str:
    if not context.database.transactional_ddl:
        return (
            f"{context.database.title} does not roll back a change of the schema: where the rows cannot be changed, "
            "the migration is half applied. "
        )
    if lock_first:
        return "The lock that the schema needs is held until all rows are done, and what fails undoes both. "
    return "The rows stay locked until the schema is changed, too, and what fails undoes both. "


def _refused(context: MigrationContext, fails: Refused, others: tuple[Step, ...]) -> Diagnostic:
    cause = fails.cause
    own = fails.use is not None and fails.use.module.facts is context.migration.facts
    at_end = " at the end of the migration" if fails.action.deferred else ""
    made = {
        CreateIndex: "the index of ", AddUnique: "the constraint of ",
    }.get(type(fails.action), "")  # fmt: skip
    same = fails.step is cause
    what = "and changes its schema" if same else f"and {made if at_end else ''}{fails.step.operation.class_name}"
    related = () if same else (
        context.related(context.migration, fails.step.operation.span, "this is refused"),
    )  # fmt: skip
    return context.diagnostic(
        fails.use.span if own and fails.use is not None else None,
        f"{cause.operation.class_name} {fails.wrote} {fails.table}, {what}{'' if same else ' is refused'}{at_end}: "
        f"OperationalError: {fails.error}",
        help="Django's foreign keys are DEFERRABLE INITIALLY DEFERRED: their check waits for the end of the "
        f"transaction, and {context.database.title} alters no table that has such a check before it. {_APART} Where "
        'they have to stay together, `migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop)` '
        "before the rows are written makes each check at once.",
        url=_URL,
        step=cause,
        severity=Severity.ERROR,
        detail=fails.table,
        related=related,
        also=others,
    )


def _early(context: MigrationContext, early: UsedEarly, others: tuple[Step, ...]) -> Diagnostic:
    name, by = early.step.operation.class_name, early.added.operation.class_name
    same = early.step is early.added
    what = (
        f"{name} adds {early.value!r} to the type {early.type} and uses it"
        if same
        else f"{name} uses {early.value!r}, which {by} adds to the type {early.type},"
    )
    own = early.use is not None and early.use.module.facts is context.migration.facts
    related = () if same else (
        context.related(context.migration, early.added.operation.span, "the value is added here"),
    )  # fmt: skip
    return context.diagnostic(
        early.use.span if own and early.use is not None else None,
        f"{what} in one transaction: OperationalError: {early.error}",
        help=f"{context.database.title} lets nothing use a value before the transaction is committed that adds it to "
        "its type. Put ALTER TYPE … ADD VALUE into a migration of its own, before this one: each "
        "migration is a transaction.",
        url=_ALTER_TYPE,
        step=early.step,
        severity=Severity.ERROR,
        detail=f"{early.type} {early.value}",
        related=related,
        confidence=Confidence.HIGH if early.certain else Confidence.MEDIUM,
        also=others,
    )


def _schema_change(context: MigrationContext, step: Step) -> tuple[Step, Action] | None:
    """What a step changes of the schema of a table that is in use."""
    if step.conditional or isinstance(step.operation, RunPython):
        return None
    for action in step.actions:
        if isinstance(action, _NO_SCHEMA) or action.on_new_table or not action.certain or not action.table:
            continue
        if context.is_at_risk(step, action):
            return step, action
    return None


def _table_of_rows(context: MigrationContext, step: Step) -> str | None:
    """The table in use that a data operation writes, None where there is none that is known."""
    if not step.touches_database or not isinstance(step.operation, RunPython | RunSQL):
        return None
    for action in step.actions:
        if isinstance(action, _ROWS) and action.table and not action.on_new_table and context.is_at_risk(step, action):
            return action.table
    for use in step.usage.of(Query):
        model = step.before.model(*use.key)
        if use.method not in _WRITES or not isinstance(use.on, Rows | Row) or model is None:
            continue
        if not is_new(model, context.migration, context.project) and not context.project.sizes.is_small(model.table):
            return model.table
    return None
