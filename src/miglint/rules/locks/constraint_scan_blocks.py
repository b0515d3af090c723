"""A constraint that is validated while the table is locked."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddCheck,
    AddColumn,
    AddConstraint,
    AddExclusion,
    AddField,
    AddForeignKey,
    AlterColumnType,
    AlterField,
    AttachPartition,
    CommentAction,
    Confidence,
    CreateIndex,
    Diagnostic,
    Severity,
    ValidateConstraintAction,
    rule,
    staged,
)

_HELD = "Reads wait too: the transaction locked the table against them before, and keeps the lock. "


@rule(
    "MG303",
    on=(AddCheck, AddForeignKey, AddExclusion, AddColumn, AlterColumnType, AttachPartition, ValidateConstraintAction),
    severity=Severity.ERROR,
    supersedes=("MG310",),
)
def constraint_scan_blocks(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """A constraint is validated by reading the whole table under a lock that others wait for."""
    scanned = [action for action in context.at_risk if _scans(context, action)]
    if not scanned or not context.touches_database:
        return
    action = scanned[0]
    held = context.blocks_reads(action) and not context.cost(action).blocks_reads
    yield context.diagnostic(
        None,
        f"{_what(action)} is validated for every row: {context.card([a for a in scanned if a.table == action.table])}"
        f"{', and so do reads' if held else ''}",
        help=f"{context.database.title}: {context.cost(action).why} {_HELD if held else ''}{_instead(context, action)}",
        url=context.cost(action).url,
        confidence=_confidence(context, scanned),
    )


def _confidence(context: ActionContext[Action], scanned: list[Action]) -> Confidence:
    sure = context.confidence(context.step, scanned)
    attached = [action for action in scanned if isinstance(action, AttachPartition)]
    tables = [context.step.schema_before.table(action.table) for action in attached]
    # Nobody asks for the rows of a table that is no model's before it is a partition.
    return sure if all(table is not None and table.model is not None for table in tables) else Confidence.LOW


def _scans(context: ActionContext[Action], action: Action) -> bool:
    cost = context.cost(action)
    if not (cost.scans and cost.lasts and cost.blocks_writes):
        return False
    if isinstance(action, AlterColumnType) and not action.rechecks:
        return False
    # A type or a column of which the table is written anew is a rewrite; a constraint may be one on the way.
    return not cost.rewrites or isinstance(action, AddCheck | AddForeignKey | AddExclusion)


def _what(action: Action) -> str:
    if isinstance(action, AddColumn):
        return f"the CHECK of {action.column.name}"
    if isinstance(action, AlterColumnType):
        return f"the CHECK of {action.column}"
    if isinstance(action, AddForeignKey):
        return f"the foreign key of {', '.join(action.columns) or action.table}"
    if isinstance(action, AttachPartition):
        return f"the bound of the partition {action.table}"
    if isinstance(action, AddCheck | ValidateConstraintAction) and action.domain:
        return f"{action.name or 'the CHECK'} of the domain {action.domain}"
    kind = "exclusion constraint" if isinstance(action, AddExclusion) else "CHECK"
    return f"the {kind} {getattr(action, 'name', '')}".rstrip()


def _instead(context: ActionContext[Action], action: Action) -> str:
    operation, title = context.operation, context.database.title
    if isinstance(action, AddExclusion):
        return "There is no online form of it: add it when nobody writes, with a lock timeout, or to a new table."
    if isinstance(action, AlterColumnType):
        return _instead_of_stating_type(context, action)
    if isinstance(action, AttachPartition):
        return (
            "Let a CHECK prove it: in migrations that come before, add one to the table that says the bounds of the "
            "partition and that their columns are not NULL, NOT VALID, and validate it while reads and writes go on."
        )
    if isinstance(action, AddCheck | ValidateConstraintAction) and action.domain:
        return _instead_for_domain(context, action)
    if not _has_online_form(context, action):
        without = ", or do without the key (`db_constraint=False`)" if isinstance(action, AddForeignKey) else ""
        return f"{title} cannot validate it while writes go on: migrate when nobody writes{without}."
    later = "in a migration that comes after, while reads and writes go on"
    if isinstance(operation, AddConstraint) and isinstance(action, AddCheck):
        recipe = staged.check(context.instead, operation, action.name)
        return f"Add it for new rows only (NOT VALID), and validate the old ones {later}:\n{recipe}"
    if isinstance(operation, AddField | AlterField) and isinstance(action, AddForeignKey):
        index = next((each for each in context.actions if isinstance(each, CreateIndex) and not each.unique), None)
        recipe = staged.foreign_key(context.instead, operation, action, index)
        first = "When its values are those of the other table (MG206): add" if _is_repointed(context) else "Add"
        return f"{first} the key for new rows only (NOT VALID), and validate the old ones {later}:\n{recipe}"
    if isinstance(operation, AddField | AlterField):
        added = action if isinstance(action, AddColumn) else None
        recipe = staged.checked_column(context.instead, operation, added, action)
        return f"Add the CHECK for new rows only (NOT VALID), and validate the old ones {later}:\n{recipe}"
    return f"Write NOT VALID, and ALTER TABLE … VALIDATE CONSTRAINT … {later}."


def _is_repointed(context: ActionContext[Action]) -> bool:
    """Whether a relation refers to another model than before: its values are still those of the old one."""
    operation, model = context.operation, context.model
    if not isinstance(operation, AlterField) or model is None or operation.name is None:
        return False
    old = model.field(operation.name)
    return old is not None and old.field.is_relation.certain and old.field.to != operation.field.to


def _instead_of_stating_type(context: ActionContext[Action], action: AlterColumnType) -> str:
    operation = context.operation
    if isinstance(operation, AlterField) and any(isinstance(each, CommentAction) for each in context.actions):
        return f"Say the comment in SQL:\n{staged.comment_alone(context.instead, operation, action)}"
    return (
        "Drop the CHECK before it in the same migration, add it again NOT VALID after it, and validate the old rows "
        "in a migration that comes after, while reads and writes go on."
    )


def _instead_for_domain(context: ActionContext[Action], action: AddCheck | ValidateConstraintAction) -> str:
    validate = ValidateConstraintAction(table=action.table, name=action.name, domain=action.domain)
    if context.cost_of(validate).blocks_writes:
        return (
            "No form of it lets writes go on. Leave it NOT VALID, which holds for new values, or add the CHECK to each "
            "table instead, NOT VALID, and validate that."
        )
    return "Write NOT VALID, and ALTER DOMAIN … VALIDATE CONSTRAINT … in a later migration, while writes go on."


def _has_online_form(context: ActionContext[Action], action: Action) -> bool:
    """Whether the database can add the constraint for new rows only."""
    if isinstance(action, AddColumn):
        action = AddCheck(table=action.table, model=action.model)
    return context.offers(action, validated=False)
