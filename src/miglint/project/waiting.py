"""What waits until a migration ends: the statements that Django defers, and what becomes of them before.

Source: `deferred_sql` in django.db.backends.base.schema.BaseDatabaseSchemaEditor
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec.structs import replace

from miglint.project.action import (
    Action,
    AddForeignKey,
    AddUnique,
    CreateIndex,
    DropColumn,
    DropIndex,
    DropTable,
    Reference,
    RenameColumn,
    RenameTable,
)
from miglint.project.columns import index_name

T = TypeVar("T")


def in_order(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions of one migration as the database sees them: what is deferred comes last."""
    return tuple(action for _, action in made_in_order((None, action) for action in actions))


def made_in_order(made: Iterable[tuple[T, Action]]) -> tuple[tuple[T, Action], ...]:
    """The actions of one migration with what each was made by, as the database sees them.

    Source: BaseDatabaseSchemaEditor.__exit__
    """
    at_once: list[tuple[T, Action]] = []
    waiting: list[tuple[T, Action]] = []
    for maker, action in made:
        if action.deferred:
            waiting.append((maker, action))
            continue
        at_once.append((maker, action))
        if isinstance(action, DropTable | DropColumn):
            waiting = _without(waiting, action)
        elif isinstance(action, DropIndex):
            waiting = [each for each in waiting if not (isinstance(each[1], CreateIndex) and _is_of(each[1], action))]
        elif isinstance(action, RenameTable | RenameColumn):
            waiting = [(by, _renamed(each, action)) for by, each in waiting]
    return (*at_once, *waiting)


def _is_of(waiting: CreateIndex, dropped: DropIndex) -> bool:
    """Whether a statement makes the index that is dropped. Source: `_delete_index_sql`, since Django 5"""
    return waiting.name == dropped.name and waiting.table == dropped.table


def _without(waiting: list[tuple[T, Action]], dropped: DropTable | DropColumn) -> list[tuple[T, Action]]:
    """What still waits when a table, or a column, is dropped: no statement that names it.

    Source: delete_model and remove_field
    """
    left = [each for each in waiting if not _names(each[1], dropped)]
    keys = {(each.table, each.to_table) for _, each in left if isinstance(each, AddForeignKey)}
    return [each for each in left if not isinstance(each[1], Reference) or (each[1].from_table, each[1].table) in keys]


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
    return _named_anew(replace(action, **changed)) if changed else action


# How the names end that Django makes up, by the reason for the index.
_ENDINGS = {
    "db_index": "", "foreign key": "", "index_together": "_idx", "like": "_like", "many-to-many": "_uniq",
    "spatial_index": "_id", "unique_together": "_uniq",
}  # fmt: skip


def _named_anew(action: Action) -> Action:
    """A statement under another name, which Django makes up when it is run. Source: IndexName in ddl_references"""
    if isinstance(action, CreateIndex | AddUnique) and action.name and action.reason in _ENDINGS:
        return replace(action, name=index_name(action.table, action.columns, _ENDINGS[action.reason]))
    return action
