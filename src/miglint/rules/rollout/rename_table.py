"""A table that gets another name while code uses the old one."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AlterModelTable,
    CreateTable,
    Diagnostic,
    Execute,
    Operation,
    OperationContext,
    Paste,
    RenameModel,
    RenameTable,
    Severity,
    rule,
    set_apart,
    staged,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#renamemodel"


@rule("MG404", on=(RenameModel, AlterModelTable), severity=Severity.WARNING)
def rename_table(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """Renaming a table breaks every query of the release that is running."""
    if context.model is None or not context.touches_database or context.table_is_new:
        return
    if context.project.deploy == "downtime":
        return
    own = context.model.table
    renamed = [action for action in context.actions if isinstance(action, RenameTable)]
    found = next((action for action in renamed if action.table == own), None)
    if found is None or _is_there_at_end(context, own):
        return
    joins = [action.table for action in renamed if action is not found]
    also = f" (and {', '.join(joins)})" if joins else ""
    yield context.diagnostic(
        None,
        f"the table {found.table} is renamed to {found.new_table}{also}: every query of the running release fails",
        help=_help(context, found),
        url=_URL,
        confidence=context.certainty(found),
    )


def _is_there_at_end(context: OperationContext[Operation], table: str) -> bool:
    """Whether the migration gives the old name back, to a table or a view."""
    if context.schema_at_end.table(table) is not None:
        return True
    steps = context.project.history.steps_of(context.migration.key)
    actions = [action for step in steps for action in step.actions]
    return any(
        (isinstance(each, CreateTable) and each.table == table)
        or (isinstance(each, Execute) and each.verb.startswith("create") and "view" in each.verb and table in each.text)
        for each in actions
    )


def _help(context: OperationContext[Operation], renamed: RenameTable) -> str:
    operation, code = context.operation, Paste()
    error = {
        "postgresql": f'relation "{renamed.table}" does not exist',
        "sqlite": f"no such table: {renamed.table}",
    }.get(context.database.vendor, f"Table '{renamed.table}' doesn't exist")
    said = f"The data is kept, but the running release gets ProgrammingError: {error}. "
    if isinstance(operation, RenameModel):
        old, new = operation.old_name or "", operation.new_name or ""
        keep = code.operation("AlterModelTable", name=f'"{old.lower()}"', table=f'"{renamed.table}"')
        rename = code.operation("RenameModel", old_name=f'"{old}"', new_name=f'"{new}"')
        joins = [f"{each.table}.{each.column}" for each in staged.join_columns(context.actions)]
        also = (
            f"\nDjango renames {', '.join(joins)} all the same: the running release cannot follow that."
            if joins
            else ""
        )
        return (
            f'{said}Keep the table\'s name (`db_table = "{renamed.table}"` in Meta, too): these two rename the model '
            f"and leave its table alone.\n{set_apart(keep, rename)}{also}"
        )
    view = code.run_sql(
        f"CREATE VIEW {renamed.table} AS SELECT * FROM {renamed.new_table}", f"DROP VIEW {renamed.table}"
    )
    return (
        f"{said}Leave `db_table` as it is. Where it must change, a view of the old name in the same migration lets the "
        f"old release go on; drop it in a later release.\n{set_apart(view)}"
    )
