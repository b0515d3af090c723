"""What a changed field does to its column.

Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor._alter_field
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from miglint.lazy import lazy
from miglint.project import mysql
from miglint.project.action import (
    Action,
    AddCheck,
    AddIdentity,
    AddPrimaryKey,
    AddUnique,
    AlterColumnType,
    Column,
    Comment,
    CreateIndex,
    DropConstraint,
    DropDefault,
    DropIdentity,
    DropIndex,
    DropNotNull,
    RemakeTable,
    RenameColumn,
    SetDefault,
    SetNotNull,
    TypeChange,
    UpdateRows,
)
from miglint.project.actions.indexes import asked, field_indexes, has_like_twin, has_spatial_index, spatial_index
from miglint.project.actions.relations import (
    add_key,
    drop_key,
    incoming,
    is_constrained,
    join_columns,
    join_tables,
)
from miglint.project.actions.scene import Scene, place, with_table
from miglint.project.columns import (
    Target,
    World,
    column_of,
    has_effective_default,
    index_name,
    is_checked,
    join_table,
    primary_key_of,
    target_key,
    target_of,
    text_of,
    type_change,
    unnamed,
)
from miglint.project.fields import Field
from miglint.project.freshness import differs
from miglint.project.state import ModelState
from miglint.project.truth import Truth
from miglint.syntax.facts import Expr


class _Side:
    """One side of an alteration; most alterations change nothing that the database knows, and need no column."""

    def __init__(self, name: str, field: Field, model: ModelState, world: World) -> None:
        self.name = name
        self.field = field
        self.model = model
        self._world = world

    @lazy
    def column_name(self) -> str:
        return self.field.db_column or (f"{self.name}_id" if self.field.is_foreign_key else self.name)

    @lazy
    def column(self) -> Column:
        return replace(column_of(self.name, self.field, self.model, self._world), name=self.column_name)

    @lazy
    def arguments(self) -> dict[str, Expr]:
        """The arguments that the database knows. Source: ForeignKey.deconstruct, for `to_field`."""
        found = self.field.database_arguments
        if "to_field" not in found:
            return found
        key = target_key(self.field, self.model.app, self.model.name, self._world)
        to = self._world.model(*key) if key is not None else None
        if to is None or text_of(found["to_field"]) != primary_key_of(to):
            return found
        return {name: value for name, value in found.items() if name != "to_field"}

    @lazy
    def target(self) -> Target:
        """What a foreign key refers to, as far as the database enforces it."""
        constrained = is_constrained(self.field)
        return target_of(self.field, self.model.app, self.model.name, self._world) if constrained else Target(None)


def _should_be_altered(
    old: _Side, new: _Side, django_version: tuple[int, ...], ignore: frozenset[str] = frozenset()
) -> bool:
    if old.column_name != new.column_name or _path(old.field) != _path(new.field):
        return True
    # The output field of one is another object than that of the other, which is never equal: Field.__eq__
    if old.field.is_generated.certain and not ignore:
        return True
    if _same_arguments(old, new, ignore):
        return False
    if django_version < (5, 0):
        return True
    same_table = old.target.table and old.target.table == new.target.table
    return not same_table or not _same_arguments(old, new, ignore | {"to"})


def _same_arguments(old: _Side, new: _Side, ignore: frozenset[str]) -> bool:
    """Whether the arguments are the same that the database knows."""
    before, after = old.arguments, new.arguments
    if not ignore:
        return before == after
    return all(before.get(name) == after.get(name) for name in (before.keys() | after.keys()) - ignore)


def _redefined(before: Field, after: Field) -> bool:
    same = _path(before) == _path(after) and before.database_arguments == after.database_arguments
    return not same or after.is_generated.certain


def _is_only_renamed(old: _Side, new: _Side) -> bool:
    """Whether nothing else of the column's definition changes: then SQLite does nothing else, be there a new index.

    Source: django.db.backends.sqlite3.schema.DatabaseSchemaEditor._alter_field
    """
    if old.column.name == new.column.name or is_constrained(old.field) or is_constrained(new.field):
        return False
    if old.column.type is None or replace(old.column, name=new.column.name) != new.column:
        return False
    given = (old.arguments, new.arguments)
    return all(len({side.get(name) for side in given}) == 1 for name in ("db_default", "db_collation", "expression"))


def _path(field: Field) -> str:
    return field.type or field.callee


def alter(
    old_name: str, before: Field, new_name: str, after: Field, models: tuple[ModelState, ModelState], scene: Scene
) -> Iterator[Action]:
    """What a changed field does to its column, if anything. Source: BaseDatabaseSchemaEditor.alter_field."""
    old = _Side(old_name, before, models[0], scene.before)
    new = _Side(new_name, after, models[1], scene.after)
    if not _should_be_altered(old, new, scene.django_version):
        return
    certain = not _is_same_but_for_target(old, new, scene)
    for action in _alter(old, new, models[0], scene):
        yield action if certain else replace(action, certain=False)


def _is_same_but_for_target(old: _Side, new: _Side, scene: Scene) -> bool:
    """Whether only the model differs that a key refers to, and it is not known whether its table does."""
    known = old.target.table and new.target.table
    constrained = is_constrained(old.field) and is_constrained(new.field)
    return not known and constrained and not _should_be_altered(old, new, scene.django_version, frozenset({"to"}))


def _alter(old: _Side, new: _Side, model: ModelState, scene: Scene) -> Iterator[Action]:
    """Source: BaseDatabaseSchemaEditor._alter_field."""
    before, after = old.field, new.field
    where = place(model)
    if scene.database.vendor == "sqlite":
        if _is_only_renamed(old, new):
            yield RenameColumn(column=old.column.name, new_column=new.column.name, **where)
            return
        if _redefined(before, after):
            yield RemakeTable(reason="AlterField", **where)
    change = _change(old, new, scene)
    key_dropped = is_constrained(before) and _should_be_altered(
        old, new, scene.django_version, frozenset({"db_comment"})
    )
    key_added = is_constrained(after) and (key_dropped or not is_constrained(before))
    recreated = key_dropped and key_added and old.target.table == new.target.table
    if key_dropped:
        yield from drop_key(where, old.column.name, old.target, recreated=recreated)
    incoming = _followers(old, new, change, scene)
    for other, column, _, field in incoming:
        if field is None or is_constrained(field):
            target = Target(old.model.key, old.model.table, old.column.name)
            yield from drop_key(other, column, target, recreated=True)
    yield from _drop_indexes(old, new, scene, where)
    if old.column.name != new.column.name:
        # A class of others may call its column as it likes.
        known = all(side.field.kind is not None or side.field.db_column is not None for side in (old, new))
        yield RenameColumn(column=old.column.name, new_column=new.column.name, certain=known, **where)
    if scene.like_twins and _changes_indexed_text(old, new) and has_like_twin(old.column, before, scene):
        yield _drop_like(old, where)
    yield from _retype(old, new, change, where)
    yield from _fill(old, new, where)
    if _comment(before) != _comment(after):
        yield Comment(column=new.column.name, **where)
    yield from _rekey(old, new, where)
    for other, column, followed, _ in incoming:
        followed_change = _type_change((followed, old.field), (new.column.type, new.field), scene)
        follows: dict[str, Any] = {"old_type": followed, "new_type": new.column.type, "cascades": True}
        yield AlterColumnType(column=column, change=followed_change, **follows, **other)
    if key_added:
        yield from add_key(where, new.column.name, new.target, recreated=recreated)
    for other, column, _, field in incoming:
        if field is None or is_constrained(field):
            target = Target(new.model.key, new.model.table, new.column.name)
            name = index_name(other["table"], (column,), "_fk")
            yield from add_key(other, column, target, recreated=True, name=name)
    if is_checked(after).certain and (not is_checked(before).certain or _renames_check(old, new, scene)):
        name = index_name(old.model.table, (new.column.name,), "_check")
        yield AddCheck(columns=(new.column.name,), name=name, **where)
    if _fills(old, new):
        yield DropDefault(column=new.column.name, temporary=True, **where)
    yield from _change_like_twins(old, new, scene, where)
    yield from _change_spatial_index(old, new, scene, where)


def _change_spatial_index(old: _Side, new: _Side, scene: Scene, where: dict[str, Any]) -> Iterator[Action]:
    """Source: django.contrib.gis.db.backends.postgis.schema.PostGISSchemaEditor._alter_field, of no rasters."""
    had, has = (has_spatial_index(side.field, scene) and side.field.kind != "RasterField" for side in (old, new))
    index = spatial_index(new.column.name, where)
    if has and not had:
        yield index
    elif had and not has and new.field.spatial_index.refuted:
        yield DropIndex(name=index.name, columns=index.columns, reason=index.reason, guarded=True, **where)


_TYPE_NEUTRAL = frozenset(
    {"null", "default", "unique", "db_index", "db_comment", "db_default", "primary_key", "to", "db_constraint",
    "upload_to", "storage", "auto_now", "auto_now_add", "serialize", "unique_for_date", "unique_for_month",
    "unique_for_year"}
)  # fmt: skip


def _change(old: _Side, new: _Side, scene: Scene) -> TypeChange:
    change = _type_change((old.column.type, old.field), (new.column.type, new.field), scene)
    if change != "unknown":
        return change
    if old.field.is_relation.certain and new.field.is_relation.certain:
        # The same target's key has one type, whatever it is.
        same_model = old.field.arguments.get("to") == new.field.arguments.get("to")
        same_field = old.field.arguments.get("to_field") == new.field.arguments.get("to_field")
        return "same" if same_model and same_field else "unknown"
    same = _path(old.field) == _path(new.field) and _same_arguments(old, new, _TYPE_NEUTRAL)
    return "same" if same else "unknown"


def _type_change(old: tuple[str | None, Field], new: tuple[str | None, Field], scene: Scene) -> TypeChange:
    database = scene.database
    if database.is_mysql:
        before, after = (mysql.column_type(*side, database, scene.django_version) for side in (old, new))
        return mysql.type_change(before, after, database)
    if database.vendor == "sqlite" and old[1].is_auto.certain and new[1].is_auto.certain:
        return "same"
    return type_change(old[0], new[0])


_Follower = tuple[dict[str, Any], str, "str | None", "Field | None"]


def _followers(old: _Side, new: _Side, change: TypeChange, scene: Scene) -> list[_Follower]:
    """The columns of other tables that refer to this one and must change with it: where, column, type, field."""
    both = (old.field.primary_key.certain and new.field.primary_key.certain) or (
        old.field.unique.certain and new.field.unique.certain
    )
    if not both or change in ("same", "unknown"):
        return []
    followers: list[_Follower] = []
    for model, name, field in incoming(old.model.key, scene.before):
        if with_table(model, scene.before) is None:
            continue
        if field.is_many_to_many.certain:
            if field.has_join_table and old.field.primary_key.certain:
                far = join_columns(field, model, scene.before)[1]
                joined = {"table": join_table(name, field, model), "model": model.key}
                followers.append((joined, far, old.column.type, None))
            continue
        to = text_of(field.arguments.get("to_field"))
        if old.field.primary_key.certain if to is None else old.model.column(to) == old.column.name:
            followers.append((place(model), model.column(name), old.column.type, field))
    for _, field, table in join_tables(old.model):
        if (
            old.field.primary_key.certain
            and target_key(field, old.model.app, old.model.name, scene.before) != old.model.key
        ):
            followers.append(
                (
                    {"table": table, "model": old.model.key},
                    join_columns(field, old.model, scene.before)[0],
                    old.column.type,
                    None,
                )
            )
    return followers


def _drop_indexes(old: _Side, new: _Side, scene: Scene, where: dict[str, Any]) -> Iterator[Action]:
    columns = (old.column.name,)
    before, after = old.field, new.field
    if before.unique.certain and not before.primary_key.certain and after.unique.refuted:
        name = unnamed(old.model.table, columns, "key")
        yield DropConstraint(name=name, columns=columns, constraint="unique", **asked(old.model), **where)
    if before.db_index.certain and before.unique.refuted and (after.db_index.refuted or after.unique.certain):
        reason = "foreign key" if before.is_relation.certain else "db_index"
        yield DropIndex(
            name=index_name(old.model.table, columns), columns=columns, reason=reason, **asked(old.model), **where
        )
        if has_like_twin(old.column, before, scene):
            yield _drop_like(old, where)
    if is_checked(before).certain and (is_checked(after).refuted or _renames_check(old, new, scene)):
        name = unnamed(old.model.table, columns, "check")
        yield DropConstraint(name=name, columns=columns, constraint="check", **asked(old.model), **where)


def _retype(old: _Side, new: _Side, change: TypeChange, where: dict[str, Any]) -> Iterator[Action]:
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
    yield AlterColumnType(column=column, change=change, certain=certain, collated=collated, **types, **where)
    if new.field.is_auto.certain and old.field.is_auto.refuted:
        yield AddIdentity(column=column, **where)


def _comment(field: Field) -> Expr | None:
    return field.database_arguments.get("db_comment")


def _fills(old: _Side, new: _Side) -> bool:
    """Whether Django gives the column a default for the time of the change."""
    changes = old.column.null.certain and new.column.null.refuted and not new.column.default.certain
    default = new.field.arguments.get("default")
    same = default is not None and default == old.field.arguments.get("default") and not differs(default)
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
        name = unnamed(table, (), "pkey")
        yield DropConstraint(name=name, columns=columns, constraint="primary key", **asked(old.model), **where)
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
    retyped = _changes_indexed_text(old, new)
    # Django 4.2 loses the twin where varchar becomes text.
    rebuilt = retyped and scene.django_version >= (5, 0)
    gained = (not was and after.db_index.certain) or (not before.unique.certain and after.unique.certain)
    if gained or rebuilt:
        yield from field_indexes(new.column, after, scene, where, only_like=True)
    if before.unique.certain and not is_now and has_like_twin(old.column, before, scene):
        yield _drop_like(old, where)


def _changes_indexed_text(old: _Side, new: _Side) -> bool:
    """Source: PostgreSQL's `_is_changing_type_of_indexed_text_column`; the twin is dropped before the type changes."""
    indexed = old.field.db_index.certain or old.field.unique.certain
    if new.column.type is None:
        return False
    kinds = _family(old.column.type), _family(new.column.type)
    return indexed and kinds[0] in ("varchar", "text", "citext") and kinds[0] != kinds[1]


def _renames_check(old: _Side, new: _Side, scene: Scene) -> bool:
    """Whether a CHECK that names its column is made again for another name.

    Source: `_field_db_check` of the schema editors, which Django 4.2 does not have, and MySQL's.
    """
    by_name = scene.django_version < (5, 0) or scene.database.vendor == "mysql"
    return by_name and scene.database.vendor != "sqlite" and old.column_name != new.column_name


def _drop_like(old: _Side, where: dict[str, Any]) -> DropIndex:
    columns = (old.column.name,)
    return DropIndex(name=index_name(old.model.table, columns, "_like"), columns=columns, reason="like", **where)


def _family(kind: str | None) -> str:
    return (kind or "").partition("(")[0]
