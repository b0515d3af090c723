"""An index that is dropped while the table's readers wait."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    Confidence,
    Diagnostic,
    DropIndex,
    Paste,
    RemoveIndex,
    RunPython,
    RunSQL,
    Severity,
    rule,
    set_apart,
    staged,
)


@rule("MG311", on=DropIndex, severity=Severity.INFO)
def drop_index_blocks(context: ActionContext[DropIndex]) -> Iterator[Diagnostic]:
    """Dropping an index locks its table, though only for a moment."""
    dropped = [
        action
        for action in context.at_risk
        if not action.concurrently and context.cost(action).blocks_writes and context.offers(action, concurrently=True)
    ]
    if not dropped or not context.touches_database:
        return
    action = dropped[0]
    if any(each.table == action.table and not isinstance(each, DropIndex) for each in _as_strong(context, action)):
        return  # the operation locks the table so, whatever becomes of the index
    yield context.diagnostic(
        None,
        f"dropping the index {action.name} locks its table: {context.card(dropped)}",
        help=_instead(context, action),
        url=context.cost(action).url,
        confidence=context.confidence(context.step, dropped) if action.table else Confidence.LOW,
    )


def _as_strong(context: ActionContext[DropIndex], action: DropIndex) -> list[Action]:
    return [each for each in context.actions if context.cost(each).lock == context.cost(action).lock]


def _instead(context: ActionContext[DropIndex], action: DropIndex) -> str:
    operation = context.operation
    begin = "The lock is short, but it waits for every transaction that uses the table, and all others wait behind it. "
    if isinstance(operation, RunSQL | RunPython):
        return f"{begin}Write DROP INDEX CONCURRENTLY, alone in a migration with `atomic = False`."
    if not isinstance(operation, RemoveIndex):
        recipe = staged.dropped_indexes(context.instead, operation, context.actions)
        return f"{begin}Drop it concurrently, and let the state know what the operation says:\n{recipe}"
    paste = Paste()
    paste.imports.add("from django.contrib.postgres.operations import RemoveIndexConcurrently")
    model = (operation.model or "").lower()
    text = paste.call("RemoveIndexConcurrently", model_name=f'"{model}"', name=f'"{action.name}"')
    recipe = context.instead.migration(f"drop_{action.name}", [text], paste, atomic=False)
    return f"{begin}Drop it concurrently, in a migration of its own:\n{set_apart(recipe)}"
