"""A comment for which Django states the column's type again."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    ActionContext,
    AlterColumnType,
    AlterField,
    CommentAction,
    Diagnostic,
    Reference,
    Severity,
    rule,
    staged,
)

# What Django does for the comment: it states the type, which PostgreSQL takes for a change, foreign key included.
_STATED = (CommentAction, AlterColumnType, Reference)
_URL = "https://docs.djangoproject.com/en/stable/ref/models/fields/#db-comment"


@rule("MG313", on=CommentAction, severity=Severity.INFO)
def comment_takes_strong_lock(context: ActionContext[CommentAction]) -> Iterator[Diagnostic]:
    """AlterField of db_comment states the column's type again, which locks the table against reads and writes."""
    operation = context.operation
    if not isinstance(operation, AlterField) or not context.touches_database:
        return
    for action in context.at_risk:
        stated = [
            each
            for each in context.actions
            if isinstance(each, AlterColumnType) and each.column == action.column and not context.cost(each).lasts
        ]
        if not stated or not context.cost(stated[0]).blocks_reads or context.cost(action).blocks_writes:
            continue
        if any(context.cost(each).blocks_writes for each in context.actions if not isinstance(each, _STATED)):
            continue  # another change needs the lock
        recipe = staged.comment_alone(context.instead, operation, stated[0])
        yield context.diagnostic(
            None,
            f"the comment on {action.table}.{action.column} takes a lock that it does not need: {context.card(stated)}",
            help=f"{context.database.title}: {context.cost(action).why} Say it in SQL:\n{recipe}",
            url=_URL,
            field=operation.name,
            confidence=context.confidence(context.step, [action]),
        )
