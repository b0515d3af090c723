"""What the operations on whole models do to their tables."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.project import operations as ops
from miglint.project.action import (
    Action,
    AddColumn,
    AddUnique,
    Column,
    Comment,
    CreateTable,
    DropColumn,
    DropDefault,
    DropForeignKey,
    DropTable,
    RemakeTable,
    RenameTable,
)
from miglint.project.actions.constraints import constraint_of, unique_together
from miglint.project.actions.indexes import field_indexes, groups_of, index_of, index_together
from miglint.project.actions.relations import (
    add_key,
    create_join_table,
    drop_key,
    incoming,
    is_constrained,
    join_tables,
    own_target,
    reference,
    rename_join,
    repoint_join,
)
from miglint.project.actions.scene import Scene, place, with_table
from miglint.project.columns import (
    column_of,
    join_table,
    target_key,
    text_of,
    unnamed,
)
from miglint.project.left_out import left_out
from miglint.project.state import ModelState
from miglint.project.truth import Truth


def create_model(operation: ops.CreateModel, scene: Scene) -> Iterator[Action]:
    model = scene.model_after(operation.name)
    if model is None or ("swappable" in model.options and not model.table):
        return
    where = place(model, on_new_table=True)
    own = [(state.name, state.field) for state in model.fields.values() if state.field.has_column.possible]
    columns = {name: column_of(name, field, model, scene.after) for name, field in own}
    yield CreateTable(columns=tuple(columns.values()), **where)
    for group in groups_of(model.options.get("unique_together")) or ():
        yield unique_together(model, group, deferred=True, on_new_table=True)
    for name, field in own:
        column = columns[name].name
        if field.unique.certain and not field.primary_key.certain:
            yield AddUnique(columns=(column,), name=unnamed(model.table, (column,), "key"), inline=True, **where)
        if is_constrained(field):
            yield from add_key(where, column, scene.target(field, model), empty=True, deferred=True)
    if text_of(model.options.get("db_table_comment")) is not None:
        yield Comment(**where)
    for name, field in own:
        yield from field_indexes(columns[name], field, scene, {**where, "deferred": True})
    together = groups_of(model.options.get("index_together")) or []
    for group in together if scene.django_version < (5, 1) else ():
        yield index_together(model, group, deferred=True, on_new_table=True)
    for index in model.indexes:
        if index.expr is not None and not left_out(index.expr, scene.database):
            yield index_of(index.expr, index.name, model, deferred=True, on_new_table=True, reason="Meta.indexes")
    for constraint in model.constraints:
        if constraint.expr is not None:
            yield from constraint_of(constraint.expr, constraint.name, model, scene.database, on_new_table=True)
    for name, field, _ in join_tables(model):
        yield from create_join_table(name, field, model, scene)
    # No option of models any more, but one of historical models: `CreateModel.database_forwards`.
    for group in together if scene.django_version >= (5, 1) else ():
        yield index_together(model, group, on_new_table=True)


def delete_model(operation: ops.DeleteModel, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.name)
    if model is None:
        return
    for name, field, table in join_tables(model):
        yield DropTable(table=table, model=model.key, joins=name)
        if field.flag("db_constraint", default=Truth.YES).possible:
            for target in (scene.target(field, model, before=True), own_target(model, scene)):
                yield reference(target, table, cause="drop")
    yield DropTable(**place(model))
    for state in model.fields.values():
        if is_constrained(state.field):
            target = scene.target(state.field, model, before=True)
            if target.table != model.table:
                yield reference(target, model.table, cause="drop")
    # DROP TABLE … CASCADE takes the constraints of the tables that refer to it along.
    for other, name, field in incoming(model.key, scene.before):
        if other.key != model.key and is_constrained(field) and with_table(other, scene.before) is not None:
            yield DropForeignKey(
                columns=(other.column(name),), to_table=model.table, to_model=model.key, **place(other)
            )


def rename_model(operation: ops.RenameModel, scene: Scene) -> Iterator[Action]:
    old, new = scene.model(operation.old_name), scene.model_after(operation.new_name)
    if old is None or new is None:
        return
    renamed = bool(old.table) and old.table != new.table
    if renamed:
        yield RenameTable(new_table=new.table, **place(old))
    # Django 5.2 leaves the keys alone where the table stays: BaseDatabaseSchemaEditor._field_should_be_altered.
    if renamed or scene.django_version < (5, 0):
        yield from _repoint_incoming(old, new, scene)
    old_joins = {name: table for name, _, table in join_tables(old)}
    for name, field, table in join_tables(new):
        if name in old_joins and target_key(field, new.app, new.name, scene.after) != new.key:
            yield from rename_join(old_joins[name], table, field, old, new, scene)


def _repoint_incoming(old: ModelState, new: ModelState, scene: Scene) -> Iterator[Action]:
    for other, name, field in incoming(old.key, scene.before):
        if with_table(other, scene.before) is None:
            continue
        own = other.key == old.key
        if field.is_hidden and not field.is_many_to_many.certain:
            continue  # not among `related_objects`
        if field.is_many_to_many.certain:
            if field.has_join_table:
                yield from repoint_join(name, field, other, new if own else other, old, new, scene)
        elif not is_constrained(field):
            if scene.database.vendor == "sqlite":
                yield RemakeTable(reason="RenameModel", **place(new if own else other))
        else:
            where = place(new if own else other)
            target = own_target(new, scene)
            yield from drop_key(where, other.column(name), own_target(old, scene, before=True), recreated=True)
            yield from add_key(where, other.column(name), target, recreated=True)


def alter_table(operation: ops.AlterModelTable, scene: Scene) -> Iterator[Action]:
    old, new = scene.model(operation.name), scene.model_after(operation.name)
    if old is None or new is None or not old.table or not new.table or old.table == new.table:
        return
    yield RenameTable(new_table=new.table, **place(old))
    for name, field, table in join_tables(old):
        new_table = join_table(name, field, new)
        if table != new_table:
            yield RenameTable(table=table, model=old.key, new_table=new_table)


def alter_table_comment(operation: ops.AlterModelTableComment, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.name)
    if model is not None and text_of(model.options.get("db_table_comment")) != text_of(operation.table_comment):
        yield Comment(**place(model))


def alter_order(operation: ops.AlterOrderWithRespectTo, scene: Scene) -> Iterator[Action]:
    """Source: django.db.migrations.operations.models.AlterOrderWithRespectTo.database_forwards."""
    model = scene.model(operation.name)
    if model is None:
        return
    before = text_of(model.options.get("order_with_respect_to")) is not None
    after = text_of(operation.order_with_respect_to) is not None
    if after and not before:
        column = Column(name="_order", type="integer", null=Truth.NO)
        yield AddColumn(column=column, field="_order", python_default=Truth.YES, **place(model))
        yield DropDefault(column="_order", temporary=True, **place(model))
    elif before and not after:
        yield DropColumn(column="_order", field="_order", **place(model))
