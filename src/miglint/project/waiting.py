"""What waits until a migration ends: the statements that Django defers, and what becomes of them before.

Source: `deferred_sql` in django.db.backends.base.schema.BaseDatabaseSchemaEditor
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from miglint.project.action import Action, AddForeignKey, DropColumn, DropTable, Reference, RenameColumn, RenameTable


def in_order(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions of one migration as the database sees them: what is deferred comes last.

    Source: BaseDatabaseSchemaEditor.__exit__
    """
    at_once: list[Action] = []
    waiting: list[Action] = []
    for action in actions:
        if action.deferred:
            waiting.append(action)
            continue
        at_once.append(action)
        if isinstance(action, DropTable | DropColumn):
            waiting = _without(waiting, action)
        elif isinstance(action, RenameTable | RenameColumn):
            waiting = [_renamed(each, action) for each in waiting]
    return (*at_once, *waiting)


def _without(waiting: list[Action], dropped: DropTable | DropColumn) -> list[Action]:
    """What still waits when a table, or a column, is dropped: no statement that names it.

    Source: delete_model and remove_field
    """
    left = [each for each in waiting if not _names(each, dropped)]
    keys = {(each.table, each.to_table) for each in left if isinstance(each, AddForeignKey)}
    return [each for each in left if not isinstance(each, Reference) or (each.from_table, each.table) in keys]


def _names(action: Action, dropped: DropTable | DropColumn) -> bool:
    if isinstance(dropped, DropTable):
        return dropped.table in (action.table, getattr(action, "to_table", ""))
    return action.table == dropped.table and dropped.column in getattr(action, "columns", ())


def _renamed(action: Action, renamed: RenameTable | RenameColumn) -> Action:
    """A statement that waits, with the new name. Source: rename_table_references and rename_column_references"""
    changed: dict[str, Any] = {}
    if isinstance(renamed, RenameTable):
        names = {name: getattr(action, name, "") for name in ("table", "to_table", "from_table")}
        changed = {name: renamed.new_table for name, table in names.items() if table == renamed.table}
    elif action.table == renamed.table and renamed.column in getattr(action, "columns", ()):
        columns: tuple[str, ...] = action.columns  # type: ignore[attr-defined]
        changed = {"columns": tuple(renamed.new_column if name == renamed.column else name for name in columns)}
    return replace(action, **changed) if changed else action
