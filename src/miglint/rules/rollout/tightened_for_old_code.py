"""A new rule for rows that the running release may break."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddCheck,
    AddConstraint,
    AddExclusion,
    AddUnique,
    Call,
    CreateIndex,
    Diagnostic,
    RunPython,
    RunSQL,
    SetNotNull,
    Severity,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/models/constraints/"


@rule("MG408", on=(AddUnique, AddCheck, AddExclusion, SetNotNull, CreateIndex), severity=Severity.INFO)
def tightened_for_old_code(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """A new unique, check or NOT NULL refuses values that the release before still writes while both run."""
    if not context.touches_database or context.project.deploy == "downtime":
        return
    found = [action for action in context.matching if _tightens(context, action)]
    if not found:
        return
    yield context.diagnostic(
        None,
        f"{' and '.join(dict.fromkeys(_says(action) for action in found))}: "
        "the release before may still write what is refused now",
        help="Between the migration and the end of the old processes, their INSERTs and UPDATEs can fail. Let a "
        "release that keeps the rule run everywhere first, and add the constraint in the one after it.",
        url=_URL,
        confidence=context.certainty(*found),
    )


def _tightens(context: ActionContext[Action], action: Action) -> bool:
    if action.on_new_table or not context.is_live(action):
        return False
    if isinstance(action, CreateIndex):
        if action.of_view:
            return False  # nobody writes to it
        return action.unique and not (_all_new(context, action, action.columns) or _stays_null(context, action))
    if isinstance(action, AddUnique):
        if action.inline or action.using_index or _was_unique(context, action):
            return False
        return not (_all_new(context, action, action.columns) or _stays_null(context, action))
    if isinstance(action, AddCheck):
        return not _all_new(context, action, action.columns)
    if isinstance(action, SetNotNull):
        return not action.is_kept_already and not _all_new(context, action, (action.column,))
    return True


def _all_new(context: ActionContext[Action], action: Action, columns: tuple[str, ...]) -> bool:
    """Whether only columns are concerned that this migration adds: the old release does not write them."""
    start = context.schema_at_start.table(action.table)
    return start is not None and bool(columns) and not any(column in start.columns for column in columns)


def _stays_null(context: ActionContext[Action], action: AddUnique | CreateIndex) -> bool:
    """Whether the rows of the old release hold NULL in a column that the migration adds: they are like no other row."""
    start, now = context.schema_at_start.table(action.table), context.step.schema_before.table(action.table)
    if start is None or now is None or not start.complete or not _nulls_are_distinct(context):
        return False
    steps = context.project.history.steps_of(context.migration.key)
    if any(isinstance(step.operation, RunPython | RunSQL) for step in steps):
        return False  # it may fill the column of rows that the old release goes on to change
    added = [now.columns[column] for column in action.columns if column in now.columns and column not in start.columns]
    return any(column.null.certain and column.default.refuted and column.generated.refuted for column in added)


def _nulls_are_distinct(context: ActionContext[Action]) -> bool:
    operation = context.operation
    given = operation.constraint if isinstance(operation, AddConstraint) else None
    return not (isinstance(given, Call) and given.keyword("nulls_distinct") is not None)


def _was_unique(context: ActionContext[Action], action: AddUnique) -> bool:
    """Whether the old release lives with such a constraint already: `unique_together` that becomes UniqueConstraint."""
    if not _nulls_are_distinct(context):
        return False  # the one that was there may have taken more than one NULL
    start = context.schema_at_start.table(action.table)
    return start is not None and any(
        each.kind in ("unique", "primary key") and each.columns and set(each.columns) <= set(action.columns)
        for each in start.constraints
    )


def _says(action: Action) -> str:
    if isinstance(action, SetNotNull):
        return f"{action.table}.{action.column} becomes NOT NULL"
    if isinstance(action, AddCheck):
        return f"{action.table} gets the check {action.name or 'of a column'}"
    if isinstance(action, AddUnique | CreateIndex):
        among = " among the rows that a condition names" if isinstance(action, CreateIndex) and action.partial else ""
        return f"{action.table} ({', '.join(action.columns) or action.name}) becomes unique{among}"
    return f"{action.table} gets an exclusion constraint"
