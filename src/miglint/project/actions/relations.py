"""Foreign keys and join tables: what is locked, dropped and added on both of their ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from miglint.project.action import (
    Action,
    AddForeignKey,
    AddUnique,
    Column,
    CreateIndex,
    CreateTable,
    DropForeignKey,
    Reference,
    RenameColumn,
    RenameTable,
)
from miglint.project.actions.indexes import is_kept_as_text, like_twin
from miglint.project.actions.scene import Scene
from miglint.project.columns import (
    Target,
    World,
    column_type,
    index_name,
    join_table,
    primary_key_of,
    target_key,
)
from miglint.project.fields import Field
from miglint.project.keys import ModelKey
from miglint.project.state import ModelState
from miglint.project.truth import Truth


def is_constrained(field: Field) -> bool:
    """A foreign key that the database enforces."""
    return field.kind in ("ForeignKey", "OneToOneField") and field.flag("db_constraint", default=Truth.YES).possible


def reference(target: Target, from_table: str, **more: Any) -> Reference:
    return Reference(table=target.table, model=target.key, from_table=from_table, setting=target.setting, **more)


def _key_name(table: str, column: str, target: Target) -> str:
    """ "" where the name depends on what is not known."""
    if not target.table or not target.column:
        return ""
    return index_name(table, (column,), f"_fk_{target.table}_{target.column}")


def add_key(where: dict[str, Any], column: str, target: Target, **more: Any) -> Iterator[Action]:
    deferred = more.pop("deferred", False)
    yield AddForeignKey(
        columns=(column,),
        to_table=target.table,
        to_model=target.key,
        name=more.pop("name", None) or _key_name(where["table"], column, target),
        deferred=deferred,
        at_commit=True,
        **where,
        **more,
    )
    scans = not more.get("empty") and not where.get("on_new_table")
    yield reference(target, where["table"], cause="add", scans=scans, deferred=deferred)


def drop_key(where: dict[str, Any], column: str, target: Target, **more: Any) -> Iterator[Action]:
    name = _key_name(where["table"], column, target)
    yield DropForeignKey(columns=(column,), to_table=target.table, to_model=target.key, name=name, **where, **more)
    yield reference(target, where["table"], cause="drop")


def own_target(model: ModelState, scene: Scene, *, before: bool = False) -> Target:
    key = primary_key_of(model)
    state = model.field(key) if key else None
    if state is None:
        return Target(model.key, model.table)
    kind = column_type(state.field, model.app, model.name, scene.before if before else scene.after)
    return Target(model.key, model.table, model.column(state.name), kind)


def incoming(key: ModelKey, world: World) -> Iterator[tuple[ModelState, str, Field]]:
    """The relations that point to a model."""
    for model in world.naming(key):
        for found in model.naming_others:
            if found.field.is_relation.certain and target_key(found.field, model.app, model.name, world) == key:
                yield model, found.name, found.field


def join_tables(model: ModelState) -> Iterator[tuple[str, Field, str]]:
    """The many-to-many fields whose table Django makes itself: name, field, table."""
    for state in model.naming_others:
        if state.field.has_join_table:
            yield state.name, state.field, join_table(state.name, state.field, model)


def join_columns(field: Field, model: ModelState, world: World) -> tuple[str, str]:
    target = target_key(field, model.app, model.name, world)
    near, far = model.name.lower(), target.name if target is not None else ""
    if near == far:
        near, far = f"from_{near}", f"to_{far}"
    return f"{near}_id", f"{far}_id" if far else ""


def create_join_table(name: str, field: Field, model: ModelState, scene: Scene) -> Iterator[Action]:
    """Source: django.db.models.fields.related.create_many_to_many_intermediary_model."""
    table = join_table(name, field, model)
    where: dict[str, Any] = {"table": table, "model": model.key, "on_new_table": True}
    other = scene.target(field, model)
    here = own_target(model, scene)
    near, far = join_columns(field, model, scene.after)
    types = (Column(name="id", null=Truth.NO, primary_key=Truth.YES, identity=Truth.YES),)
    sides = tuple(Column(name=column, type=to.type, null=Truth.NO) for column, to in ((near, here), (far, other)))
    yield CreateTable(columns=(*types, *sides), joins=name, **where)
    yield AddUnique(
        columns=(near, far), name=index_name(table, (near, far), "_uniq"), deferred=True, reason="many-to-many", **where
    )
    constrained = field.flag("db_constraint", default=Truth.YES).possible
    if constrained:
        for column, target in ((near, here), (far, other)):
            yield from add_key(where, column, target, empty=True, deferred=True)
    if constrained and scene.database.is_mysql:
        return  # the keys make their indexes
    for side in sides:
        yield CreateIndex(
            name=index_name(table, (side.name,)), columns=(side.name,), reason="foreign key", deferred=True, **where
        )
        if scene.like_twins and is_kept_as_text(side):
            yield like_twin(side, where, deferred=True)


def alter_join(
    old_name: str, before: Field, new_name: str, after: Field, models: tuple[ModelState, ModelState], scene: Scene
) -> Iterator[Action]:
    """Source: BaseDatabaseSchemaEditor._alter_many_to_many."""
    old, new = models
    if not (before.has_join_table and after.has_join_table):
        return
    table, new_table = join_table(old_name, before, old), join_table(new_name, after, new)
    if table != new_table:
        yield RenameTable(table=table, model=new.key, new_table=new_table)
    here = target_key(before, old.app, old.name, scene.before)
    there = target_key(after, new.app, new.name, scene.after)
    if here is None or there is None or here == there:
        return
    where: dict[str, Any] = {"table": new_table, "model": new.key}
    column, new_column = join_columns(before, old, scene.before)[1], join_columns(after, new, scene.after)[1]
    if before.flag("db_constraint", default=Truth.YES).possible:
        yield from drop_key(where, column, scene.target(before, old, before=True))
    if column != new_column:
        yield RenameColumn(column=column, new_column=new_column, **where)
    if after.flag("db_constraint", default=Truth.YES).possible:
        yield from add_key(where, new_column, scene.target(after, new))


def repoint_join(
    name: str, field: Field, before: ModelState, after: ModelState, old: ModelState, new: ModelState, scene: Scene
) -> Iterator[Action]:
    """The join table of another model's many-to-many field that points to a renamed model."""
    table, new_table = join_table(name, field, before), join_table(name, field, after)
    if table != new_table:
        yield RenameTable(table=table, model=after.key, new_table=new_table)
    if old.name.lower() != new.name.lower():
        prefix = "to_" if before.key == old.key else ""
        columns = (f"{prefix}{old.name.lower()}_id", f"{prefix}{new.name.lower()}_id")
        yield from _rename_key_column(new_table, columns, field, new, scene, after)


def rename_join(
    table: str, new_table: str, field: Field, old: ModelState, new: ModelState, scene: Scene
) -> Iterator[Action]:
    if table != new_table:
        yield RenameTable(table=table, model=new.key, new_table=new_table)
    if old.name.lower() != new.name.lower():
        columns = (f"{old.name.lower()}_id", f"{new.name.lower()}_id")
        yield from _rename_key_column(new_table, columns, field, new, scene, new)


def _rename_key_column(
    table: str, columns: tuple[str, str], field: Field, to: ModelState, scene: Scene, owner: ModelState
) -> Iterator[Action]:
    where: dict[str, Any] = {"table": table, "model": owner.key}
    constrained = field.flag("db_constraint", default=Truth.YES).possible
    target = own_target(to, scene)
    if constrained:
        yield from drop_key(where, columns[0], target, recreated=True)
    yield RenameColumn(column=columns[0], new_column=columns[1], **where)
    if constrained:
        yield from add_key(where, columns[1], target, recreated=True)
