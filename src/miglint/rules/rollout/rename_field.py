"""A column, or a join table, that gets another name while code uses the old one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import dropwhile, islice

from miglint.api import (
    Action,
    ActionContext,
    AddColumn,
    Diagnostic,
    ModelState,
    Paste,
    RenameColumn,
    RenameField,
    RenameTable,
    RunPython,
    RunSQL,
    Severity,
    rule,
    set_apart,
)

Renamed = RenameColumn | RenameTable

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#renamefield"


@rule("MG403", on=(RenameColumn, RenameTable), severity=Severity.WARNING)
def rename_field(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """Renaming a field renames its column or join table: the release that is running asks for the old name."""
    if not context.touches_database or context.project.deploy == "downtime":
        return
    if isinstance(context.operation, RunSQL | RunPython):
        yield from _by_sql(context)
        return
    model, operation = context.model, context.operation
    if model is None or not isinstance(operation, RenameField) or context.table_is_new:
        return
    renamed = next((a for a in context.matching if isinstance(a, Renamed) and _lasts(context, a)), None)
    if renamed is None:
        return
    if isinstance(renamed, RenameColumn):
        what = f"the column {renamed.table}.{renamed.column} to {renamed.new_column}"
    else:
        what = f"the join table {renamed.table} to {renamed.new_table}"
    yield context.diagnostic(
        None,
        f"renaming {context.model_name}.{operation.old_name} renames {what}: the running release asks for the old name",
        help=_help(operation, model, renamed),
        url=_URL,
        field=operation.old_name,
        confidence=context.certainty(renamed),
    )


def _by_sql(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    columns = [action for action in context.matching if isinstance(action, RenameColumn)]
    found = [
        (action, sure)
        for action in columns
        if (sure := context.is_asked_for(action, action.column)) is not None and _lasts(context, action)
    ]
    if not found:
        return
    said = ", ".join(f"{action.table}.{action.column} to {action.new_column}" for action, _ in found)
    first = found[0][0]
    yield context.diagnostic(
        None,
        f"SQL renames {'the column' if len(found) == 1 else 'columns'} {said}: the running release asks for the old "
        "name",
        help="The data is kept, but Django names columns in its queries. Leave the column its name, and rename the "
        f'field alone: `db_column="{first.column}"` in the model. Where the database must have the new name: add '
        f"{first.new_column}, write both, copy, read {first.new_column}, remove {first.column}, release by release.",
        url=_URL,
        confidence=max(sure for _, sure in found),
    )


def _lasts(context: ActionContext[Action], action: Action) -> bool:
    """Whether the old name is still gone when the migration ends."""
    end = context.schema_at_end
    if isinstance(action, RenameTable):
        return end.table(action.table) is None
    if not isinstance(action, RenameColumn):
        return False
    table = end.table(action.table)
    if context.column_is_new(action.table, action.column) or context.name_is_passing(action.table, action.column):
        return False
    return table is None or action.column not in table.columns or _is_another(context, action)


def _is_another(context: ActionContext[Action], renamed: RenameColumn) -> bool:
    """Whether the old name goes to a new column of the migration, into which nothing copies what the old one held."""
    later = dropwhile(lambda step: step is not context.step, context.project.history.steps_of(context.migration.key))
    added = dropwhile(lambda step: not any(_adds(action, renamed) for action in step.actions), later)
    return any(True for _ in islice(added, 1)) and not any(isinstance(s.operation, RunPython | RunSQL) for s in added)


def _adds(action: Action, renamed: RenameColumn) -> bool:
    return (
        isinstance(action, AddColumn)
        and (action.table, action.column.name) == (renamed.table, renamed.column)
        and action.column.generated.refuted
    )


def _help(operation: RenameField, model: ModelState, renamed: Renamed) -> str:
    code = Paste()
    old, new = operation.old_name or "", operation.new_name or ""
    state = model.field(old)
    said = "The data is kept, but Django names columns and join tables in its queries. "
    if state is None:
        return said
    option = "db_column" if isinstance(renamed, RenameColumn) else "db_table"
    value = f'"{renamed.column if isinstance(renamed, RenameColumn) else renamed.table}"'
    where = {"model_name": f'"{model.name.lower()}"'}
    alter = code.operation("AlterField", **where, name=f'"{old}"', field=code.field(state.field, **{option: value}))
    rename = code.operation("RenameField", **where, old_name=f'"{old}"', new_name=f'"{new}"')
    return (
        f"{said}Keep the name in the database (`{option}={value}` in the model, too): these two emit no SQL.\n"
        f"{set_apart(alter, rename)}\n"
        f"Where the database must have the new name: add {new}, write both, copy, read {new}, remove {old}, release by "
        "release."
    )
