"""A constraint that is added NOT VALID and validated while the lock of the first is still held."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddCheck,
    AddForeignKey,
    Diagnostic,
    Paste,
    Severity,
    Step,
    ValidateConstraint,
    ValidateConstraintAction,
    executed,
    rule,
    set_apart,
)


@rule("MG309", on=ValidateConstraintAction, severity=Severity.ERROR, supersedes=("MG310",))
def validated_in_same_transaction(context: ActionContext[ValidateConstraintAction]) -> Iterator[Diagnostic]:
    """NOT VALID and VALIDATE in one transaction: every row is read under the lock of the first."""
    if not context.touches_database or not context.database.transactional_ddl:
        return
    for action in context.at_risk:
        found = _added(context, action)
        if found is None:
            continue
        step, added = found
        yield context.diagnostic(
            None,
            f"{action.name} is validated under the lock with which it was added: {context.card([added, action])}",
            help=_instead(context, action),
            url=context.cost(action).url,
            related=(context.related(context.migration, step.operation.span, "added NOT VALID here"),),
            confidence=context.confidence(context.step, [action, added]),
        )


def _added(
    context: ActionContext[ValidateConstraintAction], action: ValidateConstraintAction
) -> tuple[Step, Action] | None:
    """What added the constraint NOT VALID in the same transaction."""
    for step, other in executed(context.project.history.steps_of(context.migration.key)):
        if other is action:
            return None
        if not isinstance(other, AddCheck | AddForeignKey) or other.validated:
            continue
        named = (other.table, other.name) == (action.table, action.name)
        together = context.migration.atomic.certain or (
            context.migration.atomic.refuted and step is context.step and other.part == action.part and not action.alone
        )
        if named and together and context.cost(other).blocks_writes:
            return step, other
    return None


def _instead(context: ActionContext[ValidateConstraintAction], action: ValidateConstraintAction) -> str:
    operation = context.operation
    paste = Paste()
    if isinstance(operation, ValidateConstraint):
        paste.imports.add("from django.contrib.postgres.operations import ValidateConstraint")
        model = (operation.model or "").lower()
        text = paste.call("ValidateConstraint", model_name=f'"{model}"', name=f'"{action.name}"')
    else:
        text = paste.run_sql(f'ALTER TABLE "{action.table}" VALIDATE CONSTRAINT "{action.name}"', "")
    recipe = context.sequel.migration(f"validate_{action.name}", [text], paste)
    return (
        "Validate it in a migration that comes after: in a transaction of its own reads and writes go on.\n"
        + set_apart(recipe)
    )
