"""What Django's schema editor would emit for an operation, as actions.

Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor and django.db.backends.postgresql.schema, Django 5.2,
with what Django 4.2 and 6.x do otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from miglint.database import Database
from miglint.project import operations as ops
from miglint.project.action import Action
from miglint.project.actions.constraints import (
    add_constraint,
    alter_unique_together,
    remove_constraint,
    validate_constraint,
)
from miglint.project.actions.fields import add_field, alter_field, remove_field, rename_field
from miglint.project.actions.indexes import add_index, alter_index_together, remove_index, rename_index
from miglint.project.actions.scene import Scene
from miglint.project.actions.sql import beside_tables, run_python, run_sql, unknown
from miglint.project.actions.tables import (
    alter_order,
    alter_table,
    alter_table_comment,
    create_model,
    delete_model,
    rename_model,
)
from miglint.project.columns import World
from miglint.project.mysql import modified
from miglint.project.sqlite import remade
from miglint.project.state import ProjectState
from miglint.project.statements import ReadSQL
from miglint.project.usage import Usage
from miglint.syntax.sql import read_sql

_NO_SETTINGS: Mapping[str, str] = {}


def actions_of(
    operation: ops.Operation,
    before: ProjectState,
    after: ProjectState,
    *,
    app: str,
    database: Database,
    django_version: tuple[int, ...] = (5, 2),
    swappable: Mapping[str, str] = _NO_SETTINGS,
    sql: ReadSQL = read_sql,
    usage: Usage | None = None,
) -> tuple[Action, ...]:
    """The actions of one operation, in the order in which the statements are made.

    Nothing for operations that hold others (ask their parts), for unmanaged and proxy models and for models that
    the state does not know. What no state knows, the schema adds afterwards (see `schema.inform`).
    `swappable` says which models settings name, where that is known; `sql` reads SQL (from a cache, say).
    `usage` is what the code of a RunPython does, where that was asked.
    Whether the operation touches the database at all is for the caller to say.
    """
    emit = _EMITTERS.get(type(operation))
    if emit is None:
        return ()
    old, new = World(before, swappable), World(after, swappable)
    scene = Scene(
        before=old, after=new, app=app, database=database, django_version=django_version, read_sql=sql, usage=usage
    )
    actions: Iterator[Action] = emit(operation, scene)
    if database.vendor == "sqlite":
        actions = remade(operation, tuple(actions), before.model(app, operation.model or ""))
    elif database.is_mysql:
        actions = modified(operation, actions, before.model(app, operation.model or ""))
    return tuple(replace(action, span=operation.span) for action in actions)


_EMITTERS: Mapping[type[ops.Operation], Callable[[Any, Scene], Iterator[Action]]] = {
    ops.CreateModel: create_model,
    ops.DeleteModel: delete_model,
    ops.RenameModel: rename_model,
    ops.AlterModelTable: alter_table,
    ops.AlterModelTableComment: alter_table_comment,
    ops.AlterUniqueTogether: alter_unique_together,
    ops.AlterIndexTogether: alter_index_together,
    ops.AlterOrderWithRespectTo: alter_order,
    ops.AddField: add_field,
    ops.RemoveField: remove_field,
    ops.AlterField: alter_field,
    ops.RenameField: rename_field,
    ops.AddIndex: add_index,
    ops.AddIndexConcurrently: add_index,
    ops.RemoveIndex: remove_index,
    ops.RemoveIndexConcurrently: remove_index,
    ops.RenameIndex: rename_index,
    ops.AddConstraint: add_constraint,
    ops.AddConstraintNotValid: add_constraint,
    ops.RemoveConstraint: remove_constraint,
    ops.ValidateConstraint: validate_constraint,
    ops.RunSQL: run_sql,
    ops.RunPython: run_python,
    ops.CreateExtension: beside_tables,
    ops.CreateCollation: beside_tables,
    ops.RemoveCollation: beside_tables,
    ops.Custom: unknown,
    ops.Unread: unknown,
}
