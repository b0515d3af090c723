"""A foreign key that Django drops and adds again for a small change."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddForeignKey,
    AddUnique,
    AlterColumnType,
    AlterField,
    CreateIndex,
    Diagnostic,
    DropForeignKey,
    Expr,
    Reference,
    RenameModel,
    RenameTable,
    SetNotNull,
    Severity,
    UpdateRows,
    rule,
    staged,
)

_PROOF = " For NOT NULL, prove first by a validated CHECK that there is no NULL (MG304)."


@rule("MG315", on=AddForeignKey, severity=Severity.ERROR, supersedes=("MG303", "MG304", "MG306", "MG310"))
def foreign_key_recreated(context: ActionContext[AddForeignKey]) -> Iterator[Diagnostic]:
    """For a small change Django drops a foreign key and adds it again: both tables are locked, every row is checked."""
    keys = [action for action in context.at_risk if action.recreated and not _follows(context, action)]
    if not keys or not context.touches_database:
        return
    key = keys[0]
    if not any(context.cost(each).blocks_writes for each in _work(context, key)):
        return
    more = f", and so with {len(keys) - 1} more" if len(keys) > 1 else ""
    yield context.diagnostic(
        None,
        f"Django drops the foreign key of {key.table}.{', '.join(key.columns)} and adds it again{more}: "
        f"{context.card(_work(context, key))}; {_locked_end(context, key)}",
        help=f"{context.database.title}: {context.cost(key).why} {_required(context)}{_instead(context, keys)}",
        url=context.cost(key).url,
        field=getattr(context.operation, "name", None),
        confidence=context.confidence(context.step, keys),
    )


def _follows(context: ActionContext[AddForeignKey], key: AddForeignKey) -> bool:
    """Whether it is made again because the type of the key it refers to changes: a rewrite, no small change."""
    return any(
        isinstance(action, AlterColumnType) and action.cascades and action.table == key.table
        for action in context.actions
    )


def _work(context: ActionContext[AddForeignKey], key: AddForeignKey) -> list[Action]:
    drops = [a for a in context.actions if isinstance(a, DropForeignKey) and a.recreated and a.table == key.table]
    return [*drops[:1], key]


def _ends(context: ActionContext[AddForeignKey], key: AddForeignKey) -> list[Action]:
    return [
        action
        for action in context.actions
        if isinstance(action, Reference)
        and action.from_table == key.table
        and action.table == key.to_table != key.table
    ]


def _locked_end(context: ActionContext[AddForeignKey], key: AddForeignKey) -> str:
    ends = _ends(context, key)
    return context.card(ends) if ends else "the table is its own other end"


def _required(context: ActionContext[AddForeignKey]) -> str:
    """What else reads every row: the column becomes NOT NULL, too."""
    return "".join(f"{context.cost(each).why} " for each in context.actions if isinstance(each, SetNotNull))


def _filled_with(context: ActionContext[AddForeignKey], operation: AlterField) -> Expr | None:
    """What Django writes into the rows that hold NULL (MG305), where it does."""
    filled = any(isinstance(each, UpdateRows) for each in context.actions)
    return staged.default_of(operation.field) if filled else None


def _refers_elsewhere(context: ActionContext[AddForeignKey]) -> bool:
    """Whether it is not the same column of the other table any more."""
    operation, model = context.operation, context.model
    if not isinstance(operation, AlterField) or model is None or operation.name is None:
        return False
    old = model.field(operation.name)
    return old is not None and old.field.arguments.get("to_field") != operation.field.arguments.get("to_field")


def _instead(context: ActionContext[AddForeignKey], keys: list[AddForeignKey]) -> str:
    operation = context.operation
    if not context.offers(keys[0], validated=False):
        return "Migrate when nobody writes to the tables."
    if isinstance(operation, RenameModel) and context.model is not None:
        return (
            "Keep the table's name: write the old one as `db_table` in the model's Meta, and rename the model in the "
            "state alone:\n" + staged.kept_table(context.instead, operation, context.model.table, context.actions)
        )
    if _refers_elsewhere(context):
        moved = "It refers to another column from now on. Drop it and add the new one for new rows only (NOT VALID)"
        later = ", and validate the old ones in a migration that comes after, while reads and writes go on."
        dropped = next((each for each in context.actions if isinstance(each, DropForeignKey)), None)
        if dropped is None or not isinstance(operation, AlterField) or len(keys) > 1 or not dropped.name:
            return f"{moved}{later}"
        if any(isinstance(each, SetNotNull) for each in context.actions):
            later += _PROOF
        return f"{moved}{later}\n{staged.foreign_key_moved(context.instead, operation, dropped, keys[0])}"
    said = "The key can stay as it is: change the state, and in the database only what differs."
    unique = [each for each in context.actions if isinstance(each, AddUnique)]
    if unique:
        return f"{said}\n{staged.unique(context.instead, operation, unique, context.actions)}"
    if any(isinstance(each, AlterColumnType | RenameTable) for each in context.actions):
        return said
    name = f"{(operation.model or 'model').lower()}_{keys[0].columns[0]}"
    sequel = context.instead
    rest = [each for each in context.actions if not isinstance(each, SetNotNull)]
    required = next((each for each in context.actions if isinstance(each, SetNotNull)), None)
    model = context.model
    if required is not None and not list(staged.statements_of(rest)) and isinstance(operation, AlterField) and model:
        return f"{said} That it is NOT NULL, a validated CHECK proves first:\n" + staged.not_null(
            sequel,
            model=model.name,
            field=operation.name or "",
            table=required.table,
            column=required.column,
            operation=operation,
            actions=context.actions,
            django_version=context.django_version,
            value=_filled_with(context, operation),
            app=context.migration.app,
        )
    recipes = [staged.by_sql(sequel, name, operation, staged.statements_of(rest))]
    recipes += [staged.index_by_sql(sequel, each) for each in rest if isinstance(each, CreateIndex)]
    if required is not None:
        said += _PROOF
    return f"{said}\n" + "\n\n".join(recipes)
