"""What the operations on fields do to their columns."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.project import operations as ops
from miglint.project.action import (
    Action,
    AddColumn,
    AddUnique,
    Column,
    Comment,
    DropColumn,
    DropDefault,
    DropTable,
)
from miglint.project.actions.alter import alter
from miglint.project.actions.indexes import field_indexes
from miglint.project.actions.relations import (
    add_key,
    alter_join,
    create_join_table,
    drop_key,
    is_constrained,
    own_target,
    reference,
)
from miglint.project.actions.scene import Scene, place
from miglint.project.columns import (
    column_of,
    has_effective_default,
    is_volatile,
    join_table,
    unnamed,
)
from miglint.project.fields import Field
from miglint.project.truth import Truth


def add_field(operation: ops.AddField, scene: Scene) -> Iterator[Action]:
    model = scene.model_after(operation.model_name) or scene.model(operation.model_name)
    field = operation.field
    if model is None or operation.name is None or (field.has_column.refuted and field.kind != "ManyToManyField"):
        return
    if field.is_many_to_many.certain:
        if field.has_join_table:
            yield from create_join_table(operation.name, field, model, scene)
        return
    where = place(model)
    column = column_of(operation.name, field, model, scene.after)
    filled = has_effective_default(field)
    known, skips = field.kind is not None, _needs_no_default(field, column, scene)
    yield AddColumn(
        column=column,
        field=operation.name,
        volatile=is_volatile(field),
        python_default=filled,
        skips_default=skips,
        certain=known,
        **where,
    )
    if field.unique.certain and not field.primary_key.certain:
        yield AddUnique(columns=(column.name,), name=unnamed(model.table, (column.name,), "key"), inline=True, **where)
    if is_constrained(field):
        empty = filled.refuted and column.default.refuted
        yield from add_key(where, column.name, scene.target(field, model), inline=True, empty=empty)
    if filled.certain and not column.default.certain and not skips:
        yield DropDefault(column=column.name, temporary=True, **where)
    if "db_comment" in field.database_arguments:
        yield Comment(column=column.name, **where)
    yield from field_indexes(column, field, scene, {**where, "deferred": True})


def _needs_no_default(field: Field, column: Column, scene: Scene) -> bool:
    """Whole texts are "" on MySQL without a default. Source: `skip_default` of its schema editor, since Django 5.0"""
    empty = field.has_default.refuted and column.type in ("text", "bytea")
    return scene.database.is_mysql and scene.django_version >= (5, 0) and empty


def remove_field(operation: ops.RemoveField, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    state = model.field(operation.name) if model is not None and operation.name is not None else None
    if model is None or state is None:
        return
    field, where = state.field, place(model)
    if field.is_many_to_many.certain:
        if field.has_join_table:
            table = join_table(state.name, field, model)
            yield DropTable(table=table, model=model.key, joins=state.name)
            if field.flag("db_constraint", default=Truth.YES).possible:
                for target in (own_target(model, scene), scene.target(field, model, before=True)):
                    yield reference(target, table, cause="drop")
        return
    if field.has_column.refuted:
        return
    column = model.column(state.name)
    if is_constrained(field):
        yield from drop_key(where, column, scene.target(field, model, before=True))
    # Django up to 5.2 says CASCADE on PostgreSQL: DatabaseSchemaEditor.sql_delete_column
    cascade = scene.database.vendor == "postgresql" and scene.django_version < (6, 0)
    yield DropColumn(column=column, field=state.name, cascade=cascade, certain=field.kind is not None, **where)


def rename_field(operation: ops.RenameField, scene: Scene) -> Iterator[Action]:
    old, new = scene.model(operation.model_name), scene.model_after(operation.model_name)
    if old is None or new is None or operation.old_name is None or operation.new_name is None:
        return
    before, after = old.field(operation.old_name), new.field(operation.new_name)
    if before is None or after is None:
        return
    if before.field.is_many_to_many.certain:
        yield from alter_join(before.name, before.field, after.name, after.field, (old, new), scene)
        return
    if before.field.has_column.refuted:
        return
    yield from alter(before.name, before.field, after.name, after.field, (old, new), scene)


def alter_field(operation: ops.AlterField, scene: Scene) -> Iterator[Action]:
    old = scene.model(operation.model_name)
    state = old.field(operation.name) if old is not None and operation.name is not None else None
    if old is None or state is None:
        return
    new = scene.model_after(operation.model_name) or old
    before, after = state.field, operation.field
    if before.is_many_to_many.certain and after.is_many_to_many.certain:
        yield from alter_join(state.name, before, state.name, after, (old, new), scene)
        return
    if before.has_column.refuted or after.has_column.refuted:
        return  # Django raises ValueError: BaseDatabaseSchemaEditor.alter_field
    yield from alter(state.name, before, state.name, after, (old, new), scene)
