"""A table that gets another name while code uses the old one."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    ActionContext,
    AlterField,
    AlterModelTable,
    Confidence,
    CreateTable,
    Diagnostic,
    Execute,
    Paste,
    RenameModel,
    RenameTable,
    RunPython,
    RunSQL,
    Severity,
    rule,
    set_apart,
    staged,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#renamemodel"


@rule("MG404", on=RenameTable, severity=Severity.WARNING)
def rename_table(context: ActionContext[RenameTable]) -> Iterator[Diagnostic]:
    """Renaming a table breaks every query of the release that is running."""
    if not context.touches_database or context.project.deploy == "downtime":
        return
    renamed = list(_asked_for(context))
    if not renamed:
        return
    found, sure = renamed[0]
    by_sql = isinstance(context.operation, RunSQL | RunPython)
    others = renamed[1:] if by_sql else [(each, sure) for each in context.matching if each is not found]
    also = f" (and {', '.join(each.table for each, _ in others)})" if others else ""
    of_relation = " that follows the relation" if isinstance(context.operation, AlterField) else ""
    yield context.diagnostic(
        None,
        f"the table {found.table} is renamed to {found.new_table}{also}: every query of the running release"
        f"{of_relation} fails",
        help=_help(context, found),
        url=_URL,
        confidence=sure,
    )


def _asked_for(context: ActionContext[RenameTable]) -> Iterator[tuple[RenameTable, Confidence]]:
    """The tables that the running release asks for by the old name; a model's comes without its join tables."""
    operation = context.operation
    for action in context.matching:
        if isinstance(operation, RunSQL | RunPython):
            sure = context.is_asked_for(action)
        elif isinstance(operation, RenameModel | AlterModelTable):
            own = context.model is not None and not context.table_is_new and action.table == context.model.table
            sure = context.certainty(action) if own else None
        elif isinstance(operation, AlterField):
            # The `db_table` of a many-to-many field.
            sure = None if context.table_is_new else context.certainty(action)
        else:
            return
        if sure is not None and not _is_there_at_end(context, action.table):
            yield action, sure


def _is_there_at_end(context: ActionContext[RenameTable], table: str) -> bool:
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


def _help(context: ActionContext[RenameTable], renamed: RenameTable) -> str:
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
    keep = "Leave the table its name" if isinstance(operation, RunSQL | RunPython) else "Leave `db_table` as it is"
    return (
        f"{said}{keep}. Where it must change, a view of the old name in the same migration lets the "
        f"old release go on; drop it in a later release.\n{set_apart(view)}"
    )
