"""What Django's schema editor does otherwise on SQLite: most changes copy the table.

Source: django.db.backends.sqlite3.schema.DatabaseSchemaEditor
"""

from __future__ import annotations

from collections.abc import Iterator

from miglint.project import operations as ops
from miglint.project.action import (
    Action,
    AddCheck,
    AddColumn,
    AddExclusion,
    AddForeignKey,
    AddUnique,
    AlterColumnType,
    Comment,
    CreateIndex,
    DropConstraint,
    DropForeignKey,
    DropIndex,
    Reference,
    RemakeTable,
    RenameTable,
    SetDefault,
    SetNotNull,
    UpdateRows,
)
from miglint.project.state import ModelState
from miglint.project.truth import Truth

# What SQLite has no statement for: the copy has it or has it not.
_BY_COPY = (AlterColumnType, AddForeignKey, DropForeignKey, AddCheck, DropConstraint)
# Unique constraints that are unique indexes there.
_AS_INDEX = ("unique_together", "many-to-many")
# The copy does what these say on its way.
_WITHIN_COPY = (Reference, UpdateRows, Comment, AddExclusion)


def remade(operation: ops.Operation, actions: tuple[Action, ...], before: ModelState | None) -> Iterator[Action]:
    """The actions on SQLite: each table whose definition cannot be altered is copied, once, before the rest."""
    if isinstance(operation, ops.RunSQL | ops.RunPython):  # what code asks of the schema editor comes as an operation
        yield from actions
        return
    copied: set[str] = set()
    for action in actions:
        asked = isinstance(action, RemakeTable)
        needed = asked or (not action.on_new_table and _needs_copy(action, operation, before))
        if needed and action.table not in copied:
            copied.add(action.table)
            fills = _filled(action.table, actions)
            yield RemakeTable(table=action.table, model=action.model, reason=operation.class_name, fills=fills)
        if isinstance(action, AddUnique) and action.reason in _AS_INDEX:
            yield _unique_index(action)
        elif isinstance(action, DropConstraint) and isinstance(operation, ops.AlterUniqueTogether):
            yield DropIndex(
                table=action.table,
                model=action.model,
                name=action.name,
                columns=action.columns,
                reason="unique_together",
            )
        elif not isinstance(action, (RemakeTable, *_WITHIN_COPY)):
            yield action


def _filled(table: str, actions: tuple[Action, ...]) -> str:
    """The column whose NULLs get a value in the copy. Source: DatabaseSchemaEditor._remake_table (`coalesce`)"""
    given = {action.column for action in actions if isinstance(action, SetDefault | UpdateRows)}
    columns = (action.column for action in actions if isinstance(action, SetNotNull) and action.table == table)
    return next((column for column in columns if column in given), "")


def _needs_copy(action: Action, operation: ops.Operation, before: ModelState | None) -> bool:
    if isinstance(action, Reference):
        return False
    if isinstance(operation, ops.AddField | ops.AlterOrderWithRespectTo):
        return (isinstance(action, AddColumn) and _is_no_plain_column(action)) or isinstance(action, AddUnique)
    if isinstance(operation, ops.RemoveField):
        state = before.field(operation.name) if before is not None and operation.name is not None else None
        field = state.field if state is not None else None
        return field is not None and any(
            truth.certain for truth in (field.is_relation, field.unique, field.db_index, field.primary_key)
        ) and not field.is_many_to_many.certain  # fmt: skip
    if isinstance(operation, ops.AlterUniqueTogether | ops.DeleteModel):
        return False
    if isinstance(operation, ops.RenameField) and isinstance(action, RenameTable):
        return True  # a join table is made anew, filled and the old one dropped: _alter_many_to_many
    return isinstance(action, (*_BY_COPY, AddUnique))


def _is_no_plain_column(action: AddColumn) -> bool:
    """ADD COLUMN serves a nullable column without any default."""
    column = action.column
    plain = column.null.certain and column.generated.refuted
    return action.certain and not (plain and column.default.refuted and action.python_default is Truth.NO)


def _unique_index(action: AddUnique) -> CreateIndex:
    return CreateIndex(
        table=action.table,
        model=action.model,
        name=action.name,
        columns=action.columns,
        unique=True,
        reason=action.reason,
        certain=action.certain,
        deferred=action.deferred,
        on_new_table=action.on_new_table,
    )
