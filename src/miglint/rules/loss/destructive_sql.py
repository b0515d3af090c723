"""SQL that takes data away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    Confidence,
    DeleteRows,
    Diagnostic,
    DropColumn,
    DropTable,
    Execute,
    RenameColumn,
    RenameTable,
    RunPython,
    RunSQL,
    Severity,
    TruncateTable,
    owner_of,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#runsql"


# With all tables in them; PostgreSQL drops a schema that is not empty only with CASCADE.
_CONTAINERS = {"drop database": "database", "drop schema": "schema"}


@rule("MG205", on=(DropTable, DropColumn, TruncateTable, DeleteRows, Execute), severity=Severity.ERROR)
def destructive_sql(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """SQL that drops, truncates, or deletes without WHERE takes data that no reverse brings back."""
    if not isinstance(context.operation, RunSQL | RunPython) or not context.touches_database:
        return
    found = [action for action in context.matching if _loses(context, action)]
    if not found:
        return
    known = all(_is_known(context, action) for action in found)
    sure = context.certainty(*found)
    by = "code" if isinstance(context.operation, RunPython) else "SQL"
    yield context.diagnostic(
        None,
        f"{by} {' and '.join(dict.fromkeys(_says(action) for action in found))}",
        help=_help(context, found),
        url=_URL,
        confidence=sure if known else min(sure, Confidence.MEDIUM),
    )


def _loses(context: ActionContext[Action], action: Action) -> bool:
    """Whether data goes that is not the last step of a staged removal."""
    if isinstance(action, Execute):
        return _empties(context, action)
    if action.on_new_table or not action.table or not context.is_live(action):
        return False
    if isinstance(action, DeleteRows):
        return not action.filtered
    if isinstance(action, DropTable):
        return not _left_state(context, action.table) and not _is_replaced(context, action)
    if isinstance(action, DropColumn):
        return not _left_state(context, action.table, action.column) and not _is_replaced(context, action)
    return True


def _empties(context: ActionContext[Action], action: Execute) -> bool:
    """Whether a database, or a schema that the migration did not make itself, is dropped with all that is in it."""
    if action.verb not in _CONTAINERS:
        return False
    cascades = context.database.is_mysql or action.verb == "drop database" or "cascade" in action.text.lower()
    steps = context.project.history.steps_of(context.migration.key)
    made = [each for step in steps for each in step.actions if isinstance(each, Execute) and "create " in each.verb]
    name = _name(action)
    return cascades and not any(each.verb.endswith(_CONTAINERS[action.verb]) and _name(each) == name for each in made)


def _name(action: Execute) -> str:
    found = re.search(r"\b(?:schema|database)\s+(?:if\s+(?:not\s+)?exists\s+)?[\"`]?(\w+)", action.text, re.I)
    return found[1] if found is not None else ""


def _is_replaced(context: ActionContext[Action], dropped: DropTable | DropColumn) -> bool:
    """Whether the migration gives the name to another column, or table, that it made: the data was copied there."""
    steps = context.project.history.steps_of(context.migration.key)
    renamed = [action for step in steps for action in step.actions]
    if isinstance(dropped, DropTable):
        return any(isinstance(action, RenameTable) and action.new_table == dropped.table for action in renamed)
    return any(
        isinstance(action, RenameColumn) and (action.table, action.new_column) == (dropped.table, dropped.column)
        for action in renamed
    )


def _left_state(context: ActionContext[Action], table: str, column: str | None = None) -> bool:
    """Whether the state lost a table, or a column, in an earlier migration: what remains in the database is to go."""
    before = context.project.history.state_before(context.migration.key)
    known = context.step.schema_before.table(table)
    model = owner_of(table, before)
    if column is None:
        return model is None and known is not None and known.model is not None
    if model is None:
        return known is not None and known.model is not None
    there = any(model.column(name) == column for name in model.fields)
    return not there and known is not None and column in known.columns


def _is_known(context: ActionContext[Action], action: Action) -> bool:
    """Whether the migrations say where the table comes from."""
    return context.step.schema_before.table(action.table) is not None


def _says(action: Action) -> str:
    if isinstance(action, Execute):
        return f"drops the {_CONTAINERS[action.verb]} {_name(action)}, with all tables in it"
    if isinstance(action, DropColumn):
        return f"drops the column {action.table}.{action.column}, with its data"
    if isinstance(action, DropTable):
        return f"drops the table {action.table}, with all rows"
    if isinstance(action, TruncateTable):
        return f"empties the table {action.table}"
    return f"deletes all rows of {action.table}: it has no WHERE"


def _help(context: ActionContext[Action], found: list[Action]) -> str:
    drops = [action for action in found if isinstance(action, DropTable | DropColumn)]
    undo = "backwards code" if isinstance(context.operation, RunPython) else "reverse_sql"
    if isinstance(found[0], Execute):
        return (
            "What is in it when the migration runs is not in any file. Name the tables that are to go, and drop each; "
            "then DROP SCHEMA without CASCADE, which refuses where something is left."
        )
    if not drops:
        return (
            f"The rows are gone, and {undo} cannot bring them back. Say with WHERE which ones are meant; where it "
            "is all of them, keep a copy until nobody asks for it any more:\n"
            f"    CREATE TABLE {found[0].table}_old AS SELECT * FROM {found[0].table}"
        )
    before = context.project.history.state_before(context.migration.key)
    if all(owner_of(action.table, before) is None for action in drops):
        name = context.database.quoted(f"{drops[0].table}_old")
        return (
            f"{undo} can bring the structure back, not the data, and no migration here says who uses it: an app "
            "that is gone from INSTALLED_APPS, or a program beside Django. When the release that used it last is no "
            "longer running, give it another name first, and drop it when nobody has missed it:\n"
            f"    ALTER TABLE {context.database.quoted(drops[0].table)} RENAME TO {name}"
        )
    state = "RemoveField" if isinstance(drops[0], DropColumn) else "DeleteModel"
    return (
        f"{undo} can bring the structure back, not the data. The release that runs during the deploy may still use "
        f"it. Take it out of the state first (SeparateDatabaseAndState with {state} in state_operations), and drop it "
        "in a migration of a later release: then this finding is gone."
    )
