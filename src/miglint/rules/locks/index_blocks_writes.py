"""An index that is built while the table's writes wait."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddConstraint,
    AddField,
    AddIndex,
    AddPrimaryKey,
    AddUnique,
    AlterColumnType,
    AlterField,
    CreateIndex,
    Diagnostic,
    Paste,
    Reindex,
    RunPython,
    RunSQL,
    Severity,
    rule,
    set_apart,
    staged,
    unique_index,
)

Keyed = CreateIndex | AddUnique | AddPrimaryKey
Built = Keyed | Reindex | AlterColumnType
_BUILDS = (CreateIndex, AddUnique, AddPrimaryKey, Reindex, AlterColumnType)


@rule("MG302", on=_BUILDS, severity=Severity.ERROR, supersedes=("MG310",))
def index_blocks_writes(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """Building an index on a live table blocks writes until it is done."""
    if not context.touches_database:
        return
    built = [action for action in context.at_risk if isinstance(action, Built) and _blocks(context, action)]
    if not built:
        return
    tables = ", ".join(dict.fromkeys(action.table or "a table" for action in built))
    blocked = "reads and writes" if any(context.blocks_reads(action) for action in built) else "writes"
    number = sum(action.rebuilds if isinstance(action, AlterColumnType) else 1 for action in built)
    count = "an index" if number == 1 else f"{number} indexes"
    yield context.diagnostic(
        None,
        f"{count} on {tables} {'is' if number == 1 else 'are'} built while {blocked} wait ({_reasons(built)})",
        help=_when(context, built) + _instead(context, built),
        url=context.cost(built[0]).url,
        confidence=context.confidence(context.step, built),
    )


def _blocks(context: ActionContext[Action], action: Built) -> bool:
    cost = context.cost(action)
    return cost.blocks_writes and cost.lasts and cost.indexes and not cost.rewrites  # that is a rewrite


def _reason(action: Built) -> str:
    if isinstance(action, AlterColumnType):
        return f"another {'collation' if action.collated else 'type'} of {action.column}"
    why = "primary key" if isinstance(action, AddPrimaryKey) else "REINDEX"
    if isinstance(action, CreateIndex | AddUnique):
        why = action.reason
    return f"{action.name or 'index'}: {why}"


def _reasons(built: list[Built]) -> str:
    names = [_reason(action) for action in built[:3]]
    return ", ".join(names) + (f", and {len(built) - 3} more" if len(built) > 3 else "")


def _when(context: ActionContext[Action], built: list[Built]) -> str:
    said = f"{context.database.title}: {context.card(built)}; the larger the table, the longer. "
    deferred = [action for action in built if action.deferred and not isinstance(action, AlterColumnType)]
    if deferred:
        which = ", ".join(action.name or "an index" for action in deferred)
        which = which if len(deferred) < len(built) else "it" if len(built) == 1 else "them"
        said += f"Django defers {which} to the end of the migration. "
    reads = [action for action in built if context.blocks_reads(action)]
    if reads and not any(context.cost(action).blocks_reads for action in built):
        said += "Reads wait too: the transaction locked the table against them before, and keeps the lock. "
    return said


def _instead(context: ActionContext[Action], built: list[Built]) -> str:
    operation, action = context.operation, built[0]
    if isinstance(action, AlterColumnType):
        return (
            "Drop what is built again before it, and build it after it, both CONCURRENTLY and in migrations of their "
            "own. The index of a constraint cannot be dropped like that: add a second column, fill it, and change over."
        )
    if not _is_online(context, action):
        return f"{context.database.title} cannot build it beside running writes: migrate when nobody writes."
    if isinstance(operation, RunSQL | RunPython):
        return _instead_of_sql(action)
    if isinstance(operation, AddIndex) and operation.index is not None:
        paste = Paste()
        index, model = paste.value(operation.index), (operation.model or "").lower()
        recipe = set_apart(staged.concurrent_index(context.instead, model, index, paste))
        return f"Build it concurrently, in a migration of its own:\n{recipe}"
    keyed = [each for each in built if not isinstance(each, AlterColumnType | Reindex)]
    if all(isinstance(each, CreateIndex) and each.unique for each in keyed):
        return _instead_of_constraint(context, keyed)
    if any(not isinstance(each, CreateIndex) or each.unique for each in keyed):
        return (
            "Build the unique index concurrently, and make the constraint of it in a migration that comes after:\n"
            + staged.unique(context.instead, operation, keyed, context.actions)
        )
    if isinstance(action, CreateIndex) and action.reason == "spatial_index":
        return (
            "Write the field with `spatial_index=False`, name a GistIndex on it in Meta.indexes, and build that with "
            "AddIndexConcurrently in a migration of its own."
        )
    if isinstance(operation, AddField | AlterField):
        like = any(isinstance(each, CreateIndex) and each.reason == "like" for each in built)
        twin = ' (and one with opclasses=["varchar_pattern_ops"] if you ask for prefixes)' if like else ""
        return (
            f"Write the field with `db_index=False`, name the index in Meta.indexes{twin}, and build it concurrently "
            "in a migration of its own:\n" + staged.indexed_field(context.instead, operation)
        )
    return "Build it with CREATE INDEX CONCURRENTLY, in a migration of its own with `atomic = False`."


def _instead_of_constraint(context: ActionContext[Action], keyed: list[Keyed]) -> str:
    """A unique constraint that the database knows as an index alone: with a condition, or of expressions."""
    operation, migration = context.operation, context.migration
    constraint = operation.constraint if isinstance(operation, AddConstraint) else None
    definition = unique_index(constraint, context.model) if constraint is not None and context.model else None
    where = (
        f": `python manage.py sqlmigrate {migration.app} {migration.name}` prints what it is on, with its WHERE; put "
        "CONCURRENTLY into that statement:"
    )
    return (
        "Such a constraint is an index and nothing else: build it concurrently, in a migration of its own, and let "
        f"the state know the constraint{where if definition is None else ':'}\n"
        + staged.unique(context.instead, operation, keyed, context.actions, definition=definition)
    )


def _instead_of_sql(action: Built) -> str:
    if isinstance(action, CreateIndex | Reindex):
        verb = "CREATE INDEX" if isinstance(action, CreateIndex) else "REINDEX …"
        return f"Write {verb} CONCURRENTLY, alone in its string, in a migration with `atomic = False`."
    kind = "PRIMARY KEY" if isinstance(action, AddPrimaryKey) else "UNIQUE"
    return f"Build a unique index CONCURRENTLY first, then ADD CONSTRAINT … {kind} USING INDEX."


def _is_online(context: ActionContext[Action], action: Built) -> bool:
    """Whether the database can build the index while writes go on."""
    index = CreateIndex(table=action.table, model=action.model)
    return context.offers(index, concurrently=True)
