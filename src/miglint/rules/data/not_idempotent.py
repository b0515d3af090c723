"""Rows that a second run creates once more."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    Diagnostic,
    InsertRows,
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
    expressions,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#non-atomic-migrations"
_CREATING = frozenset({"create", "acreate", "bulk_create", "abulk_create"})
_TOLERANT = ("ignore_conflicts", "update_conflicts")


@rule("MG510", on=(RunPython, RunSQL), severity=Severity.INFO)
def not_idempotent(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """A data migration that is run twice does its work twice."""
    use = next((use for use in context.usage.of(Query) if _said(use)), None)
    said = _said(use) if use is not None else ""
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


def _said(use: Query) -> str:
    """What a second run would do again, "" where it would not."""
    if use.is_guarded or use.is_tried:
        return ""
    call = use.call
    if isinstance(use.on, Rows) and use.method in _CREATING:
        return "" if any(call.keyword(name) is not None for name in _TOLERANT) else "creates the same rows once more"
    if isinstance(use.on, Row) and use.on.is_new and use.method == "save":
        return "creates the same rows once more"
    if isinstance(use.on, Rows) and use.method == "update" and any(_is_step(use, each.name) for each in call.keywords):
        return "adds to the same values once more"
    return ""


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
    if not isinstance(value, Operator) or value.operator not in ("+", "-", "*", "/"):
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
