"""A column that becomes NOT NULL by reading every row."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    ActionContext,
    AddCheck,
    AlterField,
    Diagnostic,
    SetNotNull,
    Severity,
    rule,
    staged,
)


@rule("MG304", on=SetNotNull, severity=Severity.ERROR, supersedes=("MG310",))
def set_not_null_scans(context: ActionContext[SetNotNull]) -> Iterator[Diagnostic]:
    """Making a column NOT NULL reads every row while reads and writes wait."""
    scanned = [action for action in context.at_risk if _scans(context, action)]
    if not scanned or not context.touches_database:
        return
    action = scanned[0]
    yield context.diagnostic(
        None,
        f"making {action.table}.{action.column} NOT NULL reads every row: {context.card(scanned)}",
        help=f"{context.database.title}: {context.cost(action).why} {_instead(context, action)}",
        url=context.cost(action).url,
        field=getattr(context.operation, "name", None),
        confidence=context.confidence(context.step, scanned),
    )


def _scans(context: ActionContext[SetNotNull], action: SetNotNull) -> bool:
    cost = context.cost(action)
    return cost.scans and cost.lasts and cost.blocks_writes and not cost.rewrites


def _instead(context: ActionContext[SetNotNull], action: SetNotNull) -> str:
    operation, model = context.operation, context.model
    proof = AddCheck(table=action.table, model=action.model, not_null=(action.column,))
    if not (context.offers(proof, validated=False) and context.offers(action, proven=True)):
        return "Migrate when nobody works on the table."
    steps = (
        "A CHECK that the column IS NOT NULL, added NOT VALID and validated in a migration that comes after, proves it "
        "without that"
    )
    if not isinstance(operation, AlterField) or model is None or operation.name is None:
        return f"{steps}; then SET NOT NULL, then drop the CHECK."
    recipe = staged.not_null(
        context.instead,
        model=model.name,
        field=operation.name,
        table=action.table,
        column=action.column,
        operation=operation,
        actions=context.actions,
        django_version=context.django_version,
    )
    return f"{steps}; each of these in a deploy of its own, or at least not in one transaction:\n{recipe}"
