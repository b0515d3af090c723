"""Rows that a second run creates once more."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    DELETES,
    SAVES,
    UPDATES,
    VALUE_LOOKUPS,
    Action,
    Assigned,
    Call,
    Diagnostic,
    Expr,
    InsertRows,
    Literal,
    Operation,
    OperationContext,
    Operator,
    Query,
    Row,
    Rows,
    RunPython,
    RunSQL,
    Severity,
    UpdateRows,
    Use,
    expressions,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#non-atomic-migrations"
_CREATING = frozenset({"create", "acreate", "bulk_create", "abulk_create"})
_TOLERANT = ("ignore_conflicts", "update_conflicts")


@rule("MG510", on=(RunPython, RunSQL), severity=Severity.INFO)
def not_idempotent(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """A data migration that is run twice does its work twice."""
    use, said = next(_repeated(context), (None, ""))
    span, related = context.place(use, "it is done here") if use is not None else (None, ())
    said = said or next(filter(None, map(_told, context.actions)), "")
    if not said:
        return
    half = _may_stop_half_way(context)
    yield context.diagnostic(
        span,
        f"a second run {said}" if not half else f"after a failure half-way, the next run {said}",
        related=related,
        severity=Severity.WARNING if half else None,
        help=(half + " " if half else "")
        + "Write it so that a second run finds what the first has done: `get_or_create`, `update_or_create`, "
        "`bulk_create(…, ignore_conflicts=True)`, a filter that leaves out what is done, ON CONFLICT DO NOTHING.",
        url=_URL,
    )


def _repeated(context: OperationContext[Operation]) -> Iterator[tuple[Use, str]]:
    """What code does that a second run would do again."""
    saved = context.usage.saved()
    emptied = set()
    for use in context.usage.of(Use):
        if isinstance(use, Query):
            if use.method in DELETES and isinstance(use.on, Rows):
                emptied.add(use.key)  # what is created now took the place of what a first run made
            if said := _said(use) if use.key not in emptied else "":
                yield use, said
        elif isinstance(use, Assigned) and use.is_step and use.on.key in saved and _is_found_again(use):
            yield use, "adds to the same values once more"


def _is_found_again(use: Assigned) -> bool:
    """Whether a second run meets the same row: not one that it made, or that was picked by the value it had."""
    if use.is_guarded or use.is_tried or use.on.is_new:
        return False
    conditions = use.loop.conditions if use.loop is not None else ()
    if any(call.arguments or any(each.name is None for each in call.keywords) for call in conditions):
        return False
    named = {each.name for call in conditions for each in call.keywords}
    return not named & {use.name, *(f"{use.name}__{lookup}" for lookup in VALUE_LOOKUPS)}


def _said(use: Query) -> str:
    """What a second run would do again, "" where it would not."""
    if use.is_guarded or use.is_tried:
        return ""
    call = use.call
    if isinstance(use.on, Rows) and use.method in _CREATING:
        return "" if any(_is_on(call.keyword(name)) for name in _TOLERANT) else "creates the same rows once more"
    if isinstance(use.on, Row) and use.on.is_new and not use.on.has_key and use.method in SAVES:
        return "creates the same rows once more"
    if isinstance(use.on, Rows) and use.method in UPDATES and any(_is_step(use, each.name) for each in call.keywords):
        return "adds to the same values once more"
    return ""


def _is_on(value: Expr | None) -> bool:
    return value is not None and not (isinstance(value, Literal) and value.text == "False")


def _told(action: Action) -> str:
    """The same of SQL."""
    if isinstance(action, InsertRows) and not action.guarded:
        return f"inserts rows into {action.table} without ON CONFLICT"
    # Rows that were picked by the value they had are not found again.
    if isinstance(action, UpdateRows) and action.stepped and not action.by_value:
        return f"adds to the same values of {action.table} once more"
    return ""


def _is_step(use: Query, name: str | None) -> bool:
    """Whether a field is set to something computed from itself: `total=F("total") + 1`."""
    value = use.call.keyword(name) if name is not None else None
    is_sum = isinstance(value, Operator) and value.operator in ("+", "-", "*", "/")
    if value is None or not (is_sum or (isinstance(value, Call) and value.callee.endswith("functions.Concat"))):
        return False
    texts = {text for each in expressions(value) if (text := getattr(each, "text", None)) is not None}
    return name in texts


def _may_stop_half_way(context: OperationContext[Operation]) -> str:
    """Why a failure may leave a part of the migration done, "" where all of it is rolled back."""
    working = [step for step in context.project.history.steps_of(context.migration.key) if step.touches_database]
    operation = context.operation
    # What rolls back by itself, and after which nothing can fail.
    if isinstance(operation, RunPython) and operation.has_transaction.possible and working[-1:] == [context.step]:
        return ""
    if context.migration.atomic.refuted:
        return "The migration is not atomic: what is done before a failure stays done, and `migrate` starts it anew."
    if context.database.transactional_ddl:
        return ""
    if len(working) > 1 or isinstance(context.operation, RunSQL):
        return (
            f"{context.database.title} does not roll back a migration as a whole: what is done before a failure stays "
            "done, and `migrate` starts it anew."
        )
    return ""
