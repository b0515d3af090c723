"""What Django's schema editor would emit for an operation, as actions.

Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor and django.db.backends.postgresql.schema, Django 5.2,
with what Django 4.2 and 6.x do otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
from miglint.project.actions.editor import operation_of, renamed_table
from miglint.project.actions.fields import add_field, alter_field, remove_field, rename_field
from miglint.project.actions.indexes import add_index, alter_index_together, remove_index, rename_index
from miglint.project.actions.scene import Scene
from miglint.project.actions.sql import beside_tables, code_sql, run_sql, unknown
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
from miglint.project.usage import RawSQL, SchemaChange, Usage, Use
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
    if type(operation) not in _EMITTERS:
        return ()
    old, new = World(before, swappable), World(after, swappable)
    scene = Scene(
        before=old, after=new, app=app, database=database, django_version=django_version, read_sql=sql, usage=usage
    )
    return tuple(replace(action, span=operation.span) for action in _emitted(operation, scene))


def _emitted(operation: ops.Operation, scene: Scene) -> Iterator[Action]:
    """What one operation emits on the database in use."""
    actions: Iterator[Action] = _EMITTERS[type(operation)](operation, scene)
    if scene.database.vendor == "postgresql":
        return actions
    model = scene.before.state.model(scene.app, operation.model or "")
    if scene.database.vendor == "sqlite":
        return remade(operation, tuple(actions), model)
    return modified(operation, actions, model)


def _run_python(operation: ops.RunPython, scene: Scene) -> Iterator[Action]:
    """The SQL of its code, and what that asks of the schema editor; what it does through models is no statement that
    can be known."""
    for use in scene.usage.of(Use) if scene.usage is not None else ():
        found: Iterable[Action] = ()
        if isinstance(use, RawSQL):
            found = code_sql(use, scene)
        elif isinstance(use, SchemaChange):
            found = _changed_schema(use, scene)
        for action in found:
            yield replace(action, certain=action.certain and not use.is_guarded)


def _changed_schema(use: SchemaChange, scene: Scene) -> Iterable[Action]:
    model = scene.before.state.model(*use.key)
    renamed = renamed_table(use, scene)
    if model is None or renamed is not None:
        return (renamed,) if renamed is not None else ()
    operation = operation_of(use, model)
    return _emitted(operation, replace(scene, app=use.key.app)) if operation is not None else ()


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
    ops.RunPython: _run_python,
    ops.CreateExtension: beside_tables,
    ops.CreateCollation: beside_tables,
    ops.RemoveCollation: beside_tables,
    ops.Custom: unknown,
    ops.Unread: unknown,
}
