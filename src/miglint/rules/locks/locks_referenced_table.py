"""A strong lock on a table that the operation does not name."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddForeignKey,
    Diagnostic,
    DropForeignKey,
    DropTable,
    Reference,
    Severity,
    called,
    rule,
)


@rule("MG306", on=(Reference, AddForeignKey, DropForeignKey), severity=Severity.INFO)
def locks_referenced_table(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """A foreign key that is added or dropped locks the table on its other end too."""
    locked = [action for action in context.at_risk if _is_other(context, action) and context.cost(action).blocks_writes]
    if not locked or not context.touches_database:
        return
    hot = [action for action in locked if context.project.sizes.is_hot(action.table)]
    shown = hot or locked
    tables = list(dict.fromkeys(called(action) for action in shown))
    cards = [context.card([action for action in shown if called(action) == table]) for table in tables]
    more = f"; and {len(cards) - 3} more tables" if len(cards) > 3 else ""
    yield context.diagnostic(
        None,
        f"{context.operation.class_name} locks {'a hot table' if hot else 'another table'} too: "
        f"{'; '.join(cards[:3])}{more}",
        help=_help(context, shown),
        url=context.cost(shown[0]).url,
        severity=Severity.ERROR if hot else None,
        confidence=context.confidence(context.step, shown),
    )


def _is_other(context: ActionContext[Action], action: Action) -> bool:
    if isinstance(action, Reference):
        dropped = {each.table for each in context.actions if isinstance(each, DropTable)}
        known = action.table or action.model is not None or action.setting
        return bool(known) and action.table not in dropped and not _is_own(context, action)
    model = context.model
    return model is not None and action.table not in ("", model.table) and action.model != model.key


def _is_own(context: ActionContext[Action], action: Reference) -> bool:
    model = context.model
    return action.table == action.from_table or (model is not None and action.model == model.key)


def _help(context: ActionContext[Action], locked: list[Action]) -> str:
    action = locked[0]
    why = f"{context.database.title}: {context.cost(action).why} "
    wait = "The lock waits for every transaction that uses the table, and everything that comes after waits behind it"
    timeout = context.traits.lock_timeout
    if timeout is None:
        return f"{why}{wait}."
    return (
        f"{why}{wait}: leave the operation alone in its migration, with a lock timeout before it, and try again when "
        f'it runs out:\n    migrations.RunSQL("{timeout.statement}", migrations.RunSQL.noop),'
    )
