"""An index that is dropped while the table's readers wait."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    ActionContext,
    Confidence,
    Diagnostic,
    DropIndex,
    Paste,
    RemoveIndex,
    Severity,
    rule,
    set_apart,
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
    yield context.diagnostic(
        None,
        f"dropping the index {action.name} locks its table: {context.card(dropped)}",
        help=_instead(context, action),
        url=context.cost(action).url,
        confidence=context.confidence(context.step, dropped) if action.table else Confidence.LOW,
    )


def _instead(context: ActionContext[DropIndex], action: DropIndex) -> str:
    operation = context.operation
    begin = "The lock is short, but it waits for every transaction that uses the table, and all others wait behind it. "
    if not isinstance(operation, RemoveIndex):
        return f"{begin}Write DROP INDEX CONCURRENTLY, alone in a migration with `atomic = False`."
    paste = Paste()
    paste.imports.add("from django.contrib.postgres.operations import RemoveIndexConcurrently")
    model = (operation.model or "").lower()
    text = paste.call("RemoveIndexConcurrently", model_name=f'"{model}"', name=f'"{action.name}"')
    recipe = context.instead.migration(f"drop_{action.name}", [text], paste, atomic=False)
    return f"{begin}Drop it concurrently, in a migration of its own:\n{set_apart(recipe)}"
