"""What Django's schema editor would emit for an operation, as actions.

Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor and django.db.backends.postgresql.schema, Django 5.2,
with what Django 4.2 and 6.x do otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from miglint.database import Database
from miglint.project import operations as ops
from miglint.project.action import (
    ACTIONS,
    Action,
    AddCheck,
    AddColumn,
    AddExclusion,
    AddForeignKey,
    AddIdentity,
    AddPrimaryKey,
    AddUnique,
    AlterColumnType,
    Column,
    Comment,
    CreateIndex,
    CreateTable,
    DeleteRows,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropForeignKey,
    DropIdentity,
    DropIndex,
    DropNotNull,
    DropTable,
    Execute,
    InsertRows,
    Reference,
    Reindex,
    RemakeTable,
    RenameColumn,
    RenameIndex,
    RenameTable,
    SetDefault,
    SetNotNull,
    TruncateTable,
    TypeChange,
    UpdateRows,
    ValidateConstraint,
)
from miglint.project.columns import (
    Target,
    World,
    column_of,
    column_type,
    database_arguments,
    has_effective_default,
    index_name,
    is_checked,
    is_volatile,
    join_table,
    primary_key_of,
    target_key,
    target_of,
    text_of,
    type_change,
)
from miglint.project.fields import Field
from miglint.project.keys import ModelKey, model_key
from miglint.project.sqlite import remade
from miglint.project.state import ModelState, ProjectState
from miglint.project.statements import ReadSQL, sql_actions
from miglint.project.truth import Truth
from miglint.syntax.facts import Call, Expr, Items, Literal
from miglint.syntax.sql import read_sql

__all__ = [
    "ACTIONS",
    "Action",
    "AddCheck",
    "AddColumn",
    "AddExclusion",
    "AddForeignKey",
    "AddIdentity",
    "AddPrimaryKey",
    "AddUnique",
    "AlterColumnType",
    "Column",
    "Comment",
    "CreateIndex",
    "CreateTable",
    "DeleteRows",
    "DropColumn",
    "DropConstraint",
    "DropDefault",
    "DropForeignKey",
    "DropIdentity",
    "DropIndex",
    "DropNotNull",
    "DropTable",
    "Execute",
    "InsertRows",
    "Reference",
    "Reindex",
    "RemakeTable",
    "RenameColumn",
    "RenameIndex",
    "RenameTable",
    "SetDefault",
    "SetNotNull",
    "TruncateTable",
    "TypeChange",
    "UpdateRows",
    "ValidateConstraint",
    "actions_of",
    "sql_actions",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where an operation happens: the states around it, the app, the database, Django's version."""

    before: World
    after: World
    app: str
    database: Database
    django_version: tuple[int, ...]
    read_sql: ReadSQL = read_sql

    def model(self, name: str | None) -> ModelState | None:
        """The model before the operation, where Django would touch its table."""
        return _with_table(self.before.model(self.app, name)) if name is not None else None

    def model_after(self, name: str | None) -> ModelState | None:
        return _with_table(self.after.model(self.app, name)) if name is not None else None

    def target(self, field: Field, model: ModelState, *, before: bool = False) -> Target:
        return target_of(field, model.app, model.name, self.before if before else self.after)

    @property
    def like_twins(self) -> bool:
        """Whether an index of a text column has a twin for LIKE."""
        return self.database.vendor == "postgresql"


def _with_table(model: ModelState | None) -> ModelState | None:
    """Django emits nothing for unmanaged and proxy models."""
    if model is None or model.managed.refuted or model.proxy.certain:
        return None
    return model


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
) -> tuple[Action, ...]:
    """The actions of one operation, in the order in which the statements are made.

    Nothing for operations that hold others (ask their parts), for unmanaged and proxy models and for models that
    the state does not know. What no state knows, the schema adds afterwards (see `schema.inform`).
    `swappable` says which models settings name, where that is known; `sql` reads SQL (from a cache, say).
    Whether the operation touches the database at all is for the caller to say.
    """
    emit = _EMITTERS.get(type(operation))
    if emit is None:
        return ()
    old, new = World(before, swappable), World(after, swappable)
    scene = Scene(before=old, after=new, app=app, database=database, django_version=django_version, read_sql=sql)
    actions: Iterator[Action] = emit(operation, scene)
    if database.vendor == "sqlite":
        actions = remade(operation, tuple(actions), before.model(app, operation.model or ""))
    return tuple(replace(action, span=operation.span) for action in actions)


# -- parts ----------------------------------------------------------------------------------------------


def _place(model: ModelState, **more: Any) -> dict[str, Any]:
    return {"table": model.table, "model": model.key, **more}


def _reference(target: Target, from_table: str, **more: Any) -> Reference:
    return Reference(table=target.table, model=target.key, from_table=from_table, **more)


def _key_name(table: str, column: str, target: Target) -> str:
    return index_name(table, (column,), f"_fk_{target.table}_{target.column}")


def _constrained(field: Field) -> bool:
    """A foreign key that the database enforces."""
    return field.kind in ("ForeignKey", "OneToOneField") and field.flag("db_constraint", default=Truth.YES).possible


def _indexes(
    column: Column, field: Field, scene: Scene, where: dict[str, Any], *, only_like: bool = False
) -> Iterator[Action]:
    """The indexes of a field. Source: BaseDatabaseSchemaEditor._field_indexes_sql and PostgreSQL's."""
    indexed, unique = field.db_index.certain, field.unique.certain
    if indexed and not unique and not only_like:
        reason = "foreign key" if field.is_relation.certain else "db_index"
        yield CreateIndex(
            name=index_name(where["table"], (column.name,)), columns=(column.name,), reason=reason, **where
        )
    if (indexed or unique) and _has_like_twin(column, field, scene):
        name = index_name(where["table"], (column.name,), "_like")
        yield CreateIndex(name=name, columns=(column.name,), reason="like", **where)


def _has_like_twin(column: Column, field: Field, scene: Scene) -> bool:
    kept_as_text = column.type is not None and column.type.startswith(("varchar", "text")) and "[" not in column.type
    return scene.like_twins and kept_as_text and field.kind is not None


def _join_tables(model: ModelState) -> Iterator[tuple[str, Field, str]]:
    """The many-to-many fields whose table Django makes itself: name, field, table."""
    for name, state in model.fields.items():
        if state.field.is_many_to_many.certain and state.field.type is not None and state.field.through is None:
            yield name, state.field, join_table(name, state.field, model)


def _create_join_table(name: str, field: Field, model: ModelState, scene: Scene) -> Iterator[Action]:
    """Source: django.db.models.fields.related.create_many_to_many_intermediary_model."""
    table = join_table(name, field, model)
    where: dict[str, Any] = {"table": table, "model": model.key, "on_new_table": True}
    other = scene.target(field, model)
    here = _own_target(model, scene)
    near, far = _join_columns(field, model, scene.after)
    types = (Column(name="id", null=Truth.NO, primary_key=Truth.YES, identity=Truth.YES),)
    sides = tuple(Column(name=column, type=to.type, null=Truth.NO) for column, to in ((near, here), (far, other)))
    yield CreateTable(columns=(*types, *sides), joins=name, **where)
    yield AddUnique(
        columns=(near, far), name=index_name(table, (near, far), "_uniq"), deferred=True, reason="many-to-many", **where
    )
    for column, target in ((near, here), (far, other)):
        if field.flag("db_constraint", default=Truth.YES).possible:
            yield from _add_key(where, column, target, empty=True, deferred=True)
        yield CreateIndex(
            name=index_name(table, (column,)), columns=(column,), reason="foreign key", deferred=True, **where
        )


def _own_target(model: ModelState, scene: Scene, *, before: bool = False) -> Target:
    key = primary_key_of(model)
    state = model.field(key) if key else None
    if state is None:
        return Target(model.key, model.table)
    kind = column_type(state.field, model.app, model.name, scene.before if before else scene.after)
    return Target(model.key, model.table, model.column(state.name), kind)


def _join_columns(field: Field, model: ModelState, world: World) -> tuple[str, str]:
    target = target_key(field, model.app, model.name, world)
    near, far = model.name.lower(), target.name if target is not None else ""
    if near == far:
        near, far = f"from_{near}", f"to_{far}"
    return f"{near}_id", f"{far}_id" if far else ""


def _add_key(where: dict[str, Any], column: str, target: Target, **more: Any) -> Iterator[Action]:
    deferred = more.pop("deferred", False)
    yield AddForeignKey(
        columns=(column,),
        to_table=target.table,
        to_model=target.key,
        name=more.pop("name", None) or _key_name(where["table"], column, target),
        deferred=deferred,
        **where,
        **more,
    )
    scans = not more.get("empty") and not where.get("on_new_table")
    yield _reference(target, where["table"], cause="add", scans=scans, deferred=deferred)


def _drop_key(where: dict[str, Any], column: str, target: Target, **more: Any) -> Iterator[Action]:
    name = _key_name(where["table"], column, target)
    yield DropForeignKey(columns=(column,), to_table=target.table, to_model=target.key, name=name, **where, **more)
    yield _reference(target, where["table"], cause="drop")


# -- models ---------------------------------------------------------------------------------------------


def _create_model(operation: ops.CreateModel, scene: Scene) -> Iterator[Action]:
    model = scene.model_after(operation.name)
    if model is None or ("swappable" in model.options and not model.table):
        return
    where = _place(model, on_new_table=True)
    own = [(state.name, state.field) for state in model.fields.values() if state.field.has_column.possible]
    columns = {name: column_of(name, field, model, scene.after) for name, field in own}
    yield CreateTable(columns=tuple(columns.values()), **where)
    for name, field in own:
        column = columns[name].name
        if field.unique.certain and not field.primary_key.certain:
            yield AddUnique(columns=(column,), name=f"{model.table}_{column}_key", inline=True, **where)
        if _constrained(field):
            yield from _add_key(where, column, scene.target(field, model), empty=True, deferred=True)
    for group in _groups(model.options.get("unique_together")) or ():
        yield _unique_together(model, group, on_new_table=True)
    if model.options.get("db_table_comment") is not None:
        yield Comment(**where)
    for name, field in own:
        yield from _indexes(columns[name], field, scene, {**where, "deferred": True})
    for index in model.indexes:
        if index.expr is not None:
            yield _index(index.expr, index.name, model, deferred=True, on_new_table=True, reason="Meta.indexes")
    for constraint in model.constraints:
        if constraint.expr is not None:
            yield from _constraint(constraint.expr, constraint.name, model, on_new_table=True)
    for name, field, _ in _join_tables(model):
        yield from _create_join_table(name, field, model, scene)


def _delete_model(operation: ops.DeleteModel, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.name)
    if model is None:
        return
    for name, field, table in _join_tables(model):
        yield DropTable(table=table, model=model.key, joins=name)
        if field.flag("db_constraint", default=Truth.YES).possible:
            for target in (scene.target(field, model, before=True), _own_target(model, scene)):
                yield _reference(target, table, cause="drop")
    yield DropTable(**_place(model))
    for state in model.fields.values():
        if _constrained(state.field):
            target = scene.target(state.field, model, before=True)
            if target.table != model.table:
                yield _reference(target, model.table, cause="drop")
    # DROP TABLE … CASCADE takes the constraints of the tables that refer to it along.
    for other, name, field in _incoming(model.key, scene.before):
        if other.key != model.key and _constrained(field) and _with_table(other) is not None:
            yield DropForeignKey(
                columns=(other.column(name),), to_table=model.table, to_model=model.key, **_place(other)
            )


def _rename_model(operation: ops.RenameModel, scene: Scene) -> Iterator[Action]:
    old, new = scene.model(operation.old_name), scene.model_after(operation.new_name)
    if old is None or new is None:
        return
    renamed = bool(old.table) and old.table != new.table
    if renamed:
        yield RenameTable(new_table=new.table, **_place(old))
    # Django 5.2 leaves the keys alone where the table stays: BaseDatabaseSchemaEditor._field_should_be_altered.
    if renamed or scene.django_version < (5, 0):
        yield from _repoint_incoming(old, new, scene)
    old_joins = {name: table for name, _, table in _join_tables(old)}
    for name, field, table in _join_tables(new):
        if name in old_joins and target_key(field, new.app, new.name, scene.after) != new.key:
            yield from _rename_join(old_joins[name], table, field, old, new, scene)


def _repoint_incoming(old: ModelState, new: ModelState, scene: Scene) -> Iterator[Action]:
    for other, name, field in _incoming(old.key, scene.before):
        if _with_table(other) is None:
            continue
        own = other.key == old.key
        if field.is_many_to_many.certain:
            if field.through is None and field.type is not None:
                yield from _repoint_join(name, field, other, new if own else other, old, new, scene)
        elif _constrained(field):
            where = _place(new if own else other)
            target = _own_target(new, scene)
            yield from _drop_key(where, other.column(name), _own_target(old, scene, before=True), recreated=True)
            yield from _add_key(where, other.column(name), target, recreated=True)


def _repoint_join(
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


def _rename_join(
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
    target = _own_target(to, scene)
    if constrained:
        yield from _drop_key(where, columns[0], target, recreated=True)
    yield RenameColumn(column=columns[0], new_column=columns[1], **where)
    if constrained:
        yield from _add_key(where, columns[1], target, recreated=True)


def _incoming(key: ModelKey, world: World) -> Iterator[tuple[ModelState, str, Field]]:
    """The relations that point to a model."""
    for model in world.models():
        for name, found in model.fields.items():
            if found.field.is_relation.certain and target_key(found.field, model.app, model.name, world) == key:
                yield model, name, found.field


def _alter_table(operation: ops.AlterModelTable, scene: Scene) -> Iterator[Action]:
    old, new = scene.model(operation.name), scene.model_after(operation.name)
    if old is None or new is None or not old.table or not new.table or old.table == new.table:
        return
    yield RenameTable(new_table=new.table, **_place(old))
    for name, field, table in _join_tables(old):
        new_table = join_table(name, field, new)
        if table != new_table:
            yield RenameTable(table=table, model=old.key, new_table=new_table)


def _alter_table_comment(operation: ops.AlterModelTableComment, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.name)
    if model is not None and model.options.get("db_table_comment") != operation.table_comment:
        yield Comment(**_place(model))


def _alter_unique_together(operation: ops.AlterUniqueTogether, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.name)
    if model is None:
        return
    old, new = _groups(model.options.get("unique_together")), _groups(operation.unique_together)
    if old is None or new is None:
        yield AddUnique(reason="unique_together", certain=False, **_place(model))
        return
    for group in [group for group in old if group not in new]:
        columns = _columns(model, group)
        name = index_name(model.table, columns, "_uniq")
        yield DropConstraint(name=name, columns=columns, constraint="unique", **_place(model))
    for group in [group for group in new if group not in old]:
        yield _unique_together(model, group)


def _unique_together(model: ModelState, group: tuple[str, ...], **more: Any) -> AddUnique:
    columns = _columns(model, group)
    name = index_name(model.table, columns, "_uniq")
    return AddUnique(columns=columns, name=name, reason="unique_together", **_place(model, **more))


def _alter_index_together(operation: ops.AlterIndexTogether, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.name)
    if model is None:
        return
    old, new = _groups(model.options.get("index_together")), _groups(operation.index_together)
    if old is None or new is None:
        yield CreateIndex(reason="index_together", certain=False, **_place(model))
        return
    for group in [group for group in old if group not in new]:
        columns = _columns(model, group)
        yield DropIndex(
            name=index_name(model.table, columns, "_idx"), columns=columns, reason="index_together", **_place(model)
        )
    for group in [group for group in new if group not in old]:
        columns = _columns(model, group)
        yield CreateIndex(
            name=index_name(model.table, columns, "_idx"), columns=columns, reason="index_together", **_place(model)
        )


def _groups(value: Expr | None) -> list[tuple[str, ...]] | None:
    """The groups of `unique_together` and `index_together`, None where they cannot be read.

    Source: django.db.models.options.normalize_together
    """
    if value is None or (isinstance(value, Literal) and value.kind == "none"):
        return []
    if isinstance(value, Call) and value.callee in ("set", "list", "tuple", "frozenset"):
        return _groups(value.arguments[0]) if value.arguments else []
    if not isinstance(value, Items):
        return None
    if value.items and all(text_of(item) is not None for item in value.items):
        return [_names(value.items) or ()]
    groups: list[tuple[str, ...]] = []
    for item in value.items:
        names = _names(item.items) if isinstance(item, Items) else None
        if names is None:
            return None
        groups.append(names)
    return groups


def _names(items: tuple[Expr, ...]) -> tuple[str, ...] | None:
    names = tuple(name for item in items if (name := text_of(item)) is not None)
    return names if len(names) == len(items) else None


def _columns(model: ModelState, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(model.column(name) if model.field(name) is not None else name for name in names)


def _alter_order(operation: ops.AlterOrderWithRespectTo, scene: Scene) -> Iterator[Action]:
    """Source: django.db.migrations.operations.models.AlterOrderWithRespectTo.database_forwards."""
    model = scene.model(operation.name)
    if model is None:
        return
    before = text_of(model.options.get("order_with_respect_to")) is not None
    after = text_of(operation.order_with_respect_to) is not None
    if after and not before:
        column = Column(name="_order", type="integer", null=Truth.NO)
        yield AddColumn(column=column, field="_order", python_default=Truth.YES, **_place(model))
        yield DropDefault(column="_order", temporary=True, **_place(model))
    elif before and not after:
        yield DropColumn(column="_order", field="_order", **_place(model))


# -- fields ---------------------------------------------------------------------------------------------


def _add_field(operation: ops.AddField, scene: Scene) -> Iterator[Action]:
    model = scene.model_after(operation.model_name) or scene.model(operation.model_name)
    field = operation.field
    if model is None or operation.name is None or (field.has_column.refuted and field.kind != "ManyToManyField"):
        return
    if field.is_many_to_many.certain:
        if field.through is None and field.type is not None:
            yield from _create_join_table(operation.name, field, model, scene)
        return
    where = _place(model)
    column = column_of(operation.name, field, model, scene.after)
    filled = has_effective_default(field)
    known = field.kind is not None
    yield AddColumn(
        column=column,
        field=operation.name,
        volatile=is_volatile(field),
        checked=is_checked(field),
        python_default=filled,
        certain=known,
        **where,
    )
    if field.unique.certain:
        yield AddUnique(columns=(column.name,), name=f"{model.table}_{column.name}_key", inline=True, **where)
    if _constrained(field):
        empty = filled.refuted and column.default.refuted
        yield from _add_key(where, column.name, scene.target(field, model), inline=True, empty=empty)
    if filled.certain and not column.default.certain:
        yield DropDefault(column=column.name, temporary=True, **where)
    if "db_comment" in database_arguments(field):
        yield Comment(column=column.name, **where)
    yield from _indexes(column, field, scene, {**where, "deferred": True})


def _remove_field(operation: ops.RemoveField, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    state = model.field(operation.name) if model is not None and operation.name is not None else None
    if model is None or state is None:
        return
    field, where = state.field, _place(model)
    if field.is_many_to_many.certain:
        if field.through is None and field.type is not None:
            table = join_table(state.name, field, model)
            yield DropTable(table=table, model=model.key, joins=state.name)
            if field.flag("db_constraint", default=Truth.YES).possible:
                for target in (_own_target(model, scene), scene.target(field, model, before=True)):
                    yield _reference(target, table, cause="drop")
        return
    if field.has_column.refuted:
        return
    column = model.column(state.name)
    if _constrained(field):
        yield from _drop_key(where, column, scene.target(field, model, before=True))
    # Django up to 5.2 says CASCADE on PostgreSQL: DatabaseSchemaEditor.sql_delete_column
    cascade = scene.database.vendor == "postgresql" and scene.django_version < (6, 0)
    yield DropColumn(column=column, field=state.name, cascade=cascade, certain=field.kind is not None, **where)


def _rename_field(operation: ops.RenameField, scene: Scene) -> Iterator[Action]:
    old, new = scene.model(operation.model_name), scene.model_after(operation.model_name)
    if old is None or new is None or operation.old_name is None or operation.new_name is None:
        return
    before, after = old.field(operation.old_name), new.field(operation.new_name)
    if before is None or after is None:
        return
    if before.field.is_many_to_many.certain:
        yield from _alter_join(before.name, before.field, after.name, after.field, (old, new), scene)
        return
    if before.field.has_column.refuted:
        return
    yield from _alter(before.name, before.field, after.name, after.field, (old, new), scene)


def _alter_field(operation: ops.AlterField, scene: Scene) -> Iterator[Action]:
    old = scene.model(operation.model_name)
    state = old.field(operation.name) if old is not None and operation.name is not None else None
    if old is None or state is None:
        return
    new = scene.model_after(operation.model_name) or old
    before, after = state.field, operation.field
    if before.is_many_to_many.certain and after.is_many_to_many.certain:
        yield from _alter_join(state.name, before, state.name, after, (old, new), scene)
        return
    if before.has_column.refuted or after.has_column.refuted:
        return  # Django raises ValueError: BaseDatabaseSchemaEditor.alter_field
    yield from _alter(state.name, before, state.name, after, (old, new), scene)


def _alter_join(
    old_name: str, before: Field, new_name: str, after: Field, models: tuple[ModelState, ModelState], scene: Scene
) -> Iterator[Action]:
    """Source: BaseDatabaseSchemaEditor._alter_many_to_many."""
    old, new = models
    if before.through is not None or after.through is not None or before.type is None or after.type is None:
        return
    table, new_table = join_table(old_name, before, old), join_table(new_name, after, new)
    if table != new_table:
        yield RenameTable(table=table, model=new.key, new_table=new_table)
    here = target_key(before, old.app, old.name, scene.before)
    there = target_key(after, new.app, new.name, scene.after)
    if here is None or there is None or here == there:
        return
    where: dict[str, Any] = {"table": new_table, "model": new.key}
    column, new_column = _join_columns(before, old, scene.before)[1], _join_columns(after, new, scene.after)[1]
    if before.flag("db_constraint", default=Truth.YES).possible:
        yield from _drop_key(where, column, scene.target(before, old, before=True))
    if column != new_column:
        yield RenameColumn(column=column, new_column=new_column, **where)
    if after.flag("db_constraint", default=Truth.YES).possible:
        yield from _add_key(where, new_column, scene.target(after, new))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One side of an alteration."""

    field: Field
    column: Column
    target: Target
    model: ModelState


def _side(name: str, field: Field, model: ModelState, world: World) -> _Side:
    column = column_of(name, field, model, world)
    given = field.db_column
    bare = name + ("_id" if field.kind in ("ForeignKey", "OneToOneField") else "")
    column = replace(column, name=given or bare)
    target = target_of(field, model.app, model.name, world) if _constrained(field) else Target(None)
    return _Side(field=field, column=column, target=target, model=model)


def _should_be_altered(old: _Side, new: _Side, ignore: frozenset[str] = frozenset()) -> bool:
    if old.column.name != new.column.name or _path(old.field) != _path(new.field):
        return True
    before, after = database_arguments(old.field, ignore), database_arguments(new.field, ignore)
    if old.target.table and old.target.table == new.target.table:
        before.pop("to", None)
        after.pop("to", None)
    return before != after


def _redefined(before: Field, after: Field) -> bool:
    return _path(before) != _path(after) or database_arguments(before) != database_arguments(after)


def _path(field: Field) -> str:
    return field.type or field.callee


def _alter(
    old_name: str, before: Field, new_name: str, after: Field, models: tuple[ModelState, ModelState], scene: Scene
) -> Iterator[Action]:
    """What a changed field does to its column. Source: BaseDatabaseSchemaEditor._alter_field."""
    old = _side(old_name, before, models[0], scene.before)
    new = _side(new_name, after, models[1], scene.after)
    if not _should_be_altered(old, new):
        return
    where = _place(models[0])
    if scene.database.vendor == "sqlite" and _redefined(before, after):
        yield RemakeTable(reason="AlterField", **where)
    change = _change(old, new)
    key_dropped = _constrained(before) and _should_be_altered(old, new, frozenset({"db_comment"}))
    key_added = _constrained(after) and (key_dropped or not _constrained(before))
    recreated = key_dropped and key_added and old.target.table == new.target.table
    if key_dropped:
        yield from _drop_key(where, old.column.name, old.target, recreated=recreated)
    incoming = _followers(old, new, change, scene)
    for other, column, _, field in incoming:
        if field is None or _constrained(field):
            target = Target(old.model.key, old.model.table, old.column.name)
            yield from _drop_key(other, column, target, recreated=True)
    yield from _drop_indexes(old, new, scene, where)
    if old.column.name != new.column.name:
        yield RenameColumn(column=old.column.name, new_column=new.column.name, **where)
    yield from _retype(old, new, change, scene, where)
    yield from _fill(old, new, where)
    if _comment(before) != _comment(after):
        yield Comment(column=new.column.name, **where)
    yield from _rekey(old, new, where)
    for other, column, followed, _ in incoming:
        follows: dict[str, Any] = {"old_type": followed, "new_type": new.column.type, "cascades": True}
        yield AlterColumnType(column=column, change=type_change(followed, new.column.type), **follows, **other)
    if key_added:
        yield from _add_key(where, new.column.name, new.target, recreated=recreated)
    for other, column, _, field in incoming:
        if field is None or _constrained(field):
            target = Target(new.model.key, new.model.table, new.column.name)
            name = index_name(other["table"], (column,), "_fk")
            yield from _add_key(other, column, target, recreated=True, name=name)
    if is_checked(after).certain and not is_checked(before).certain:
        name = index_name(old.model.table, (new.column.name,), "_check")
        yield AddCheck(columns=(new.column.name,), name=name, **where)
    if _fills(old, new):
        yield DropDefault(column=new.column.name, temporary=True, **where)
    yield from _change_like_twins(old, new, scene, where)


_TYPE_NEUTRAL = frozenset(
    {"null", "default", "unique", "db_index", "db_comment", "db_default", "primary_key", "to", "db_constraint",
    "upload_to", "storage", "auto_now", "auto_now_add", "serialize", "unique_for_date", "unique_for_month",
    "unique_for_year"}
)  # fmt: skip


def _change(old: _Side, new: _Side) -> TypeChange:
    change = type_change(old.column.type, new.column.type)
    if change != "unknown":
        return change
    if old.field.is_relation.certain and new.field.is_relation.certain:
        # The same target's key has one type, whatever it is.
        same_model = old.field.arguments.get("to") == new.field.arguments.get("to")
        same_field = old.field.arguments.get("to_field") == new.field.arguments.get("to_field")
        return "same" if same_model and same_field else "unknown"
    before, after = (database_arguments(side.field, _TYPE_NEUTRAL) for side in (old, new))
    return "same" if _path(old.field) == _path(new.field) and before == after else "unknown"


_Follower = tuple[dict[str, Any], str, "str | None", "Field | None"]


def _followers(old: _Side, new: _Side, change: TypeChange, scene: Scene) -> list[_Follower]:
    """The columns of other tables that refer to this one and must change with it: where, column, type, field."""
    both = (old.field.primary_key.certain and new.field.primary_key.certain) or (
        old.field.unique.certain and new.field.unique.certain
    )
    if not both or change in ("same", "unknown"):
        return []
    followers: list[_Follower] = []
    for model, name, field in _incoming(old.model.key, scene.before):
        if _with_table(model) is None:
            continue
        if field.is_many_to_many.certain:
            if field.through is None and field.type is not None and old.field.primary_key.certain:
                far = _join_columns(field, model, scene.before)[1]
                place = {"table": join_table(name, field, model), "model": model.key}
                followers.append((place, far, old.column.type, None))
            continue
        to = text_of(field.arguments.get("to_field"))
        if old.field.primary_key.certain if to is None else old.model.column(to) == old.column.name:
            followers.append((_place(model), model.column(name), old.column.type, field))
    for _, field, table in _join_tables(old.model):
        if (
            old.field.primary_key.certain
            and target_key(field, old.model.app, old.model.name, scene.before) != old.model.key
        ):
            followers.append(
                (
                    {"table": table, "model": old.model.key},
                    _join_columns(field, old.model, scene.before)[0],
                    old.column.type,
                    None,
                )
            )
    return followers


def _drop_indexes(old: _Side, new: _Side, scene: Scene, where: dict[str, Any]) -> Iterator[Action]:
    columns = (old.column.name,)
    before, after = old.field, new.field
    if before.unique.certain and not before.primary_key.certain and after.unique.refuted:
        yield DropConstraint(name=f"{old.model.table}_{columns[0]}_key", columns=columns, constraint="unique", **where)
    if before.db_index.certain and before.unique.refuted and (after.db_index.refuted or after.unique.certain):
        reason = "foreign key" if before.is_relation.certain else "db_index"
        yield DropIndex(name=index_name(old.model.table, columns), columns=columns, reason=reason, **where)
        if _has_like_twin(old.column, before, scene):
            yield _drop_like(old, where)
    if is_checked(before).certain and is_checked(after).refuted:
        yield DropConstraint(name=f"{old.model.table}_{columns[0]}_check", columns=columns, constraint="check", **where)


def _retype(old: _Side, new: _Side, change: TypeChange, scene: Scene, where: dict[str, Any]) -> Iterator[Action]:
    column, name = new.column.name, old.column.name
    collated = old.field.arguments.get("db_collation") != new.field.arguments.get("db_collation")
    identity = old.field.is_auto != new.field.is_auto
    commented = _comment(old.field) != _comment(new.field)
    if change == "same" and not (collated or identity or commented):
        return
    if old.field.is_auto.certain and new.field.is_auto.refuted:
        yield DropIdentity(column=name, **where)
    certain = change != "unknown"
    types: dict[str, Any] = {"old_type": old.column.type, "new_type": new.column.type}
    yield AlterColumnType(column=column, change=change, certain=certain, **types, **where)
    if new.field.is_auto.certain and old.field.is_auto.refuted:
        yield AddIdentity(column=column, **where)
    # PostgreSQL re-creates the constraint of a column whose type is stated, though nothing changes.
    if commented and _constrained(new.field) and _constrained(old.field) and scene.database.vendor == "postgresql":
        yield _reference(new.target, old.model.table, cause="alter")


def _comment(field: Field) -> Expr | None:
    return database_arguments(field).get("db_comment")


def _fills(old: _Side, new: _Side) -> bool:
    """Whether Django gives the column a default for the time of the change."""
    changes = old.column.null.certain and new.column.null.refuted and not new.column.default.certain
    default = old.field.arguments.get("default")
    same = default is not None and default == new.field.arguments.get("default")
    return changes and has_effective_default(new.field).certain and not same


def _fill(old: _Side, new: _Side, where: dict[str, Any]) -> Iterator[Action]:
    """Defaults and NULL. Source: "4 steps" in BaseDatabaseSchemaEditor._alter_field."""
    column = new.column.name
    before, after = (side.field.arguments.get("db_default") for side in (old, new))
    if new.column.default.certain and (not old.column.default.certain or before != after):
        yield SetDefault(column=column, **where)
    elif old.column.default.certain and new.column.default.refuted:
        yield DropDefault(column=column, **where)
    if _fills(old, new):
        yield SetDefault(column=column, temporary=True, **where)
    if old.column.null.certain and new.column.null.refuted:
        if new.field.has_default.certain or new.column.default.certain:
            yield UpdateRows(column=column, columns=(column,), **where)
        yield SetNotNull(column=column, **where)
    elif old.column.null.refuted and new.column.null.certain:
        yield DropNotNull(column=column, **where)
    elif Truth.UNKNOWN in (old.column.null, new.column.null) and old.column.null != new.column.null:
        yield SetNotNull(column=column, certain=False, **where)


def _rekey(old: _Side, new: _Side, where: dict[str, Any]) -> Iterator[Action]:
    columns = (new.column.name,)
    before, after = old.field, new.field
    table = old.model.table
    if before.primary_key.certain and after.primary_key.refuted:
        yield DropConstraint(name=f"{table}_pkey", columns=columns, constraint="primary key", **where)
    was_unique = before.unique.certain and not before.primary_key.certain
    if after.unique.certain and not after.primary_key.certain and not was_unique:
        certain = not before.unique.possible or before.primary_key.certain
        yield AddUnique(columns=columns, name=index_name(table, columns, "_uniq"), certain=certain, **where)
    if (before.db_index.refuted or before.unique.certain) and after.db_index.certain and after.unique.refuted:
        reason = "foreign key" if after.is_relation.certain else "db_index"
        yield CreateIndex(name=index_name(table, columns), columns=columns, reason=reason, **where)
    if after.primary_key.certain and before.primary_key.refuted:
        yield AddPrimaryKey(columns=columns, name=index_name(table, columns, "_pk"), **where)


def _change_like_twins(old: _Side, new: _Side, scene: Scene, where: dict[str, Any]) -> Iterator[Action]:
    """Source: django.db.backends.postgresql.schema.DatabaseSchemaEditor._alter_field."""
    if not scene.like_twins:
        return
    before, after = old.field, new.field
    was, is_now = (side.db_index.certain or side.unique.certain for side in (before, after))
    retyped = (
        was
        and _family(old.column.type) in ("varchar", "text", "citext")
        and _family(old.column.type) != _family(new.column.type)
    )
    # Django 4.2 loses the twin where varchar becomes text.
    rebuilt = retyped and scene.django_version >= (5, 0)
    if retyped and _has_like_twin(old.column, before, scene):
        yield _drop_like(old, where)
    gained = (not was and after.db_index.certain) or (not before.unique.certain and after.unique.certain)
    has_one = was and _has_like_twin(old.column, before, scene) and not retyped
    if (gained or rebuilt) and not has_one:
        yield from _indexes(new.column, after, scene, where, only_like=True)
    if before.unique.certain and not is_now and not retyped and _has_like_twin(old.column, before, scene):
        yield _drop_like(old, where)


def _drop_like(old: _Side, where: dict[str, Any]) -> DropIndex:
    columns = (old.column.name,)
    return DropIndex(name=index_name(old.model.table, columns, "_like"), columns=columns, reason="like", **where)


def _family(kind: str | None) -> str:
    return (kind or "").partition("(")[0]


# -- indexes and constraints ----------------------------------------------------------------------------

# What the classes build. Source: django.db.models.Index, django.contrib.postgres.indexes
_METHODS = {
    "Index": "btree", "BTreeIndex": "btree", "BrinIndex": "brin", "GinIndex": "gin", "GistIndex": "gist",
    "HashIndex": "hash", "SpGistIndex": "spgist", "BloomIndex": "bloom",
}  # fmt: skip


def _index(value: Expr, name: str | None, model: ModelState, **more: Any) -> CreateIndex:
    callee = value.callee.rpartition(".")[2] if isinstance(value, Call) else ""
    fields = value.keyword("fields") if isinstance(value, Call) else None
    names = _names(fields.items) if isinstance(fields, Items) else None
    columns = _columns(model, tuple(field.removeprefix("-") for field in names or ()))
    return CreateIndex(name=name or "", columns=columns, method=_METHODS.get(callee), **_place(model, **more))


def _add_index(operation: ops.AddIndex, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.index is None:
        return
    name = text_of(operation.index.keyword("name")) if isinstance(operation.index, Call) else None
    concurrently = isinstance(operation, ops.AddIndexConcurrently)
    yield _index(operation.index, name, model, concurrently=concurrently, reason="AddIndex")


def _remove_index(operation: ops.RemoveIndex, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.name is None:
        return
    columns: tuple[str, ...] = ()
    for index in model.indexes:
        if index.name == operation.name and index.expr is not None:
            columns = _index(index.expr, index.name, model).columns
    concurrently = isinstance(operation, ops.RemoveIndexConcurrently)
    yield DropIndex(name=operation.name, columns=columns, concurrently=concurrently, **_place(model))


def _rename_index(operation: ops.RenameIndex, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.new_name is None:
        return
    name = operation.old_name
    if name is None and isinstance(operation.old_fields, Items):
        name = index_name(model.table, _columns(model, _names(operation.old_fields.items) or ()), "_idx")
    if name != operation.new_name:
        yield RenameIndex(name=name or "", new_name=operation.new_name, **_place(model))


# Arguments that make Django build a unique index instead of a constraint.
# Source: BaseDatabaseSchemaEditor._create_unique_sql
_INDEX_ARGUMENTS = ("condition", "include", "opclasses")


def _constraint(value: Expr, name: str | None, model: ModelState, **more: Any) -> Iterator[Action]:
    where = _place(model, **more)
    callee = value.callee.rpartition(".")[2] if isinstance(value, Call) else ""
    if not isinstance(value, Call) or not callee.endswith("Constraint"):
        yield Execute(verb="add constraint", understood=False, certain=False, **where)
    elif callee == "CheckConstraint":
        yield AddCheck(name=name or "", not_null=_proves_not_null(value, model), **where)
    elif callee == "UniqueConstraint":
        yield _unique(value, name, model, **more)
    elif callee == "ExclusionConstraint":
        yield AddExclusion(name=name or "", **where)
    else:
        yield Execute(verb="add constraint", understood=False, certain=False, **where)


def _unique(value: Call, name: str | None, model: ModelState, **more: Any) -> AddUnique | CreateIndex:
    fields = value.keyword("fields")
    columns = _columns(model, (_names(fields.items) or ()) if isinstance(fields, Items) else ())
    if value.arguments or any(_is_given(value.keyword(name)) for name in _INDEX_ARGUMENTS):
        reason = "UniqueConstraint"
        return CreateIndex(name=name or "", columns=columns, unique=True, reason=reason, **_place(model, **more))
    return AddUnique(name=name or "", columns=columns, reason="UniqueConstraint", **_place(model, **more))


def _is_given(value: Expr | None) -> bool:
    if isinstance(value, Items):
        return bool(value.items)
    return value is not None and not (isinstance(value, Literal) and value.kind == "none")


def _proves_not_null(value: Call, model: ModelState) -> str:
    """The column of `CheckConstraint(condition=Q(column__isnull=False))`, "" for any other condition."""
    condition = value.keyword("condition") or value.keyword("check")
    if not isinstance(condition, Call) or condition.arguments or len(condition.keywords) != 1:
        return ""
    keyword = condition.keywords[0]
    field, _, lookup = (keyword.name or "").rpartition("__")
    is_false = isinstance(keyword.value, Literal) and keyword.value.text == "False"
    return model.column(field) if lookup == "isnull" and is_false and model.field(field) is not None else ""


def _add_constraint(operation: ops.AddConstraint, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.constraint is None:
        return
    name = text_of(operation.constraint.keyword("name")) if isinstance(operation.constraint, Call) else None
    not_valid = isinstance(operation, ops.AddConstraintNotValid)
    for action in _constraint(operation.constraint, name, model):
        yield replace(action, validated=False) if not_valid and isinstance(action, AddCheck) else action


def _remove_constraint(operation: ops.RemoveConstraint, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.name is None:
        return
    value = next((found.expr for found in model.constraints if found.name == operation.name), None)
    made = next(iter(_constraint(value, operation.name, model)), None) if value is not None else None
    if isinstance(made, CreateIndex):
        yield DropIndex(name=operation.name, columns=made.columns, reason="UniqueConstraint", **_place(model))
        return
    kinds = {AddCheck: "check", AddUnique: "unique", AddExclusion: "exclusion"}
    kind = next((word for made_by, word in kinds.items() if isinstance(made, made_by)), "")
    columns = made.columns if isinstance(made, AddCheck | AddUnique) else ()
    yield DropConstraint(name=operation.name, columns=columns, constraint=kind, **_place(model))


def _validate_constraint(operation: ops.ValidateConstraint, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is not None and operation.name is not None:
        yield ValidateConstraint(name=operation.name, **_place(model))


# -- SQL and the unknown --------------------------------------------------------------------------------


def _run_sql(operation: ops.RunSQL, scene: Scene) -> Iterator[Action]:
    for text in _sql_texts(operation.sql):
        if text is None:
            yield Execute(table="", understood=False, certain=False)
        else:
            yield from sql_actions(text, scene.database, models=_tables(scene), read=scene.read_sql)


def _sql_texts(value: Expr | None) -> Iterator[str | None]:
    """The SQL strings of RunSQL's argument; None for each that cannot be read. Source: RunSQL._run_sql."""
    if isinstance(value, Items) and value.kind in ("list", "tuple"):
        for item in value.items:
            first = item.items[0] if isinstance(item, Items) and item.items else item
            yield text_of(first)
    else:
        yield text_of(value)


def _tables(scene: Scene) -> Callable[[str], ModelKey | None]:
    """The model of a table, asked for only where there is one to ask for."""

    def model_of(table: str) -> ModelKey | None:
        for world in (scene.before, scene.after):
            for model in world.models():
                if model.table == table and not model.proxy.certain:
                    return model_key(*model.key)
        return None

    return model_of


def _unknown(operation: ops.Operation, scene: Scene) -> Iterator[Action]:
    yield Execute(table="", verb=operation.class_name, understood=False, certain=False)


def _beside_tables(operation: ops.Operation, scene: Scene) -> Iterator[Action]:
    yield Execute(table="", verb=operation.class_name)


_EMITTERS: Mapping[type[ops.Operation], Callable[[Any, Scene], Iterator[Action]]] = {
    ops.CreateModel: _create_model,
    ops.DeleteModel: _delete_model,
    ops.RenameModel: _rename_model,
    ops.AlterModelTable: _alter_table,
    ops.AlterModelTableComment: _alter_table_comment,
    ops.AlterUniqueTogether: _alter_unique_together,
    ops.AlterIndexTogether: _alter_index_together,
    ops.AlterOrderWithRespectTo: _alter_order,
    ops.AddField: _add_field,
    ops.RemoveField: _remove_field,
    ops.AlterField: _alter_field,
    ops.RenameField: _rename_field,
    ops.AddIndex: _add_index,
    ops.AddIndexConcurrently: _add_index,
    ops.RemoveIndex: _remove_index,
    ops.RemoveIndexConcurrently: _remove_index,
    ops.RenameIndex: _rename_index,
    ops.AddConstraint: _add_constraint,
    ops.AddConstraintNotValid: _add_constraint,
    ops.RemoveConstraint: _remove_constraint,
    ops.ValidateConstraint: _validate_constraint,
    ops.RunSQL: _run_sql,
    ops.CreateExtension: _beside_tables,
    ops.CreateCollation: _beside_tables,
    ops.RemoveCollation: _beside_tables,
    ops.Custom: _unknown,
    ops.Unread: _unknown,
}
