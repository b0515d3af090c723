"""What the operations on indexes build and drop, and the indexes that a field brings along."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from miglint.project import operations as ops
from miglint.project.action import (
    Action,
    Column,
    CreateIndex,
    DropIndex,
    RenameIndex,
)
from miglint.project.actions.scene import Scene, place
from miglint.project.columns import (
    TEXTS,
    index_name,
    text_of,
)
from miglint.project.fields import Field
from miglint.project.left_out import is_given, left_out
from miglint.project.state import ModelState
from miglint.project.truth import Truth
from miglint.syntax.facts import COLLECTIONS, Call, Expr, Items, Literal, Pairs, expressions

# What the classes build. Source: django.db.models.Index, django.contrib.postgres.indexes
_METHODS = {
    "Index": "btree", "BTreeIndex": "btree", "BrinIndex": "brin", "GinIndex": "gin", "GistIndex": "gist",
    "HashIndex": "hash", "SpGistIndex": "spgist", "BloomIndex": "bloom",
}  # fmt: skip


def index_of(value: Expr, name: str | None, model: ModelState, **more: Any) -> CreateIndex:
    callee = value.callee.rpartition(".")[2] if isinstance(value, Call) else ""
    fields = value.keyword("fields") if isinstance(value, Call) else None
    names = names_in(fields.items) if isinstance(fields, Items) else None
    columns = columns_of(model, tuple(field.removeprefix("-") for field in names or ()))
    method, uses = _METHODS.get(callee), uses_of(value, model)
    partial = isinstance(value, Call) and is_given(value.keyword("condition"))
    return CreateIndex(
        name=name or "", columns=columns, method=method, uses=uses, partial=partial, **place(model, **more)
    )


def uses_of(value: Expr, model: ModelState) -> tuple[str, ...]:
    """The columns that the expressions and the condition of an index, or of a constraint, speak of.

    Up to Django 5.1 the condition of a CheckConstraint is called `check`.
    """
    if not isinstance(value, Call):
        return ()
    parts = [*value.arguments, value.keyword("condition"), value.keyword("check")]
    names = (name for part in parts if part is not None for name in _names_of_fields(part))
    return tuple(dict.fromkeys(model.column(name) for name in names if model.field(name) is not None))


def _names_of_fields(part: Expr) -> Iterator[str]:
    """`Lower("name")`, `F("name")`, `Q(name__gt=3)`."""
    for node in expressions(part):
        if isinstance(node, Call):
            yield from ((keyword.name or "").partition("__")[0] for keyword in node.keywords)
            yield from (text.removeprefix("-") for item in node.arguments if (text := text_of(item)) is not None)
    if (text := text_of(part)) is not None:
        yield text.removeprefix("-")


def field_indexes(
    column: Column, field: Field, scene: Scene, where: dict[str, Any], *, only_like: bool = False
) -> Iterator[Action]:
    """The indexes of a field. Source: BaseDatabaseSchemaEditor._field_indexes_sql and PostgreSQL's."""
    indexed, unique = field.db_index.certain and not _comes_with_key(column, field, scene), field.unique.certain
    if indexed and not unique and not only_like:
        reason = "foreign key" if field.is_relation.certain else "db_index"
        yield CreateIndex(
            name=index_name(where["table"], (column.name,)), columns=(column.name,), reason=reason, **where
        )
    if (indexed or unique) and has_like_twin(column, field, scene):
        yield like_twin(column, where)
    if not only_like and has_spatial_index(field, scene):
        yield spatial_index(column.name, where)


def has_spatial_index(field: Field, scene: Scene) -> bool:
    """Source: django.contrib.gis.db.backends.postgis.schema.PostGISSchemaEditor; other databases have other ways."""
    return scene.database.vendor == "postgresql" and field.spatial_index.certain


def spatial_index(column: str, where: dict[str, Any]) -> CreateIndex:
    name = index_name(where["table"], (column,), "_id")
    return CreateIndex(name=name, columns=(column,), method="gist", reason="spatial_index", **where)


def _comes_with_key(column: Column, field: Field, scene: Scene) -> bool:
    """InnoDB makes the index of a foreign key itself, and has none of whole texts.

    Source: django.db.backends.mysql.schema.DatabaseSchemaEditor._field_should_be_indexed
    """
    if not scene.database.is_mysql:
        return False
    constrained = field.kind == "ForeignKey" and field.flag("db_constraint", default=Truth.YES).possible
    return constrained or column.type in ("text", "jsonb", "bytea")


def has_like_twin(column: Column, field: Field, scene: Scene) -> bool:
    text = is_kept_as_text(column) or (column.type is None and field.column_kind in TEXTS)
    return scene.like_twins and text and field.kind is not None


def is_kept_as_text(column: Column) -> bool:
    """Whether an index of the column has a twin for LIKE, where the database has any.

    Source: django.db.backends.postgresql.schema.DatabaseSchemaEditor._create_like_index_sql
    """
    return column.type is not None and column.type.startswith(("varchar", "text")) and "[" not in column.type


def like_twin(column: Column, where: dict[str, Any], **more: Any) -> CreateIndex:
    name = index_name(where["table"], (column.name,), "_like")
    return CreateIndex(name=name, columns=(column.name,), reason="like", **{**where, **more})


def add_index(operation: ops.AddIndex, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.index is None:
        return
    name = text_of(operation.index.keyword("name")) if isinstance(operation.index, Call) else None
    if left_out(operation.index, scene.database):
        return
    concurrently = isinstance(operation, ops.AddIndexConcurrently)
    yield index_of(operation.index, name, model, concurrently=concurrently, reason="AddIndex")


def remove_index(operation: ops.RemoveIndex, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.name is None:
        return
    named = (each.expr for each in reversed(model.indexes) if each.name == operation.name)
    made = next((expr for expr in named if expr is not None), None)
    if made is not None and left_out(made, scene.database):
        return
    columns = index_of(made, operation.name, model).columns if made is not None else ()
    concurrently = isinstance(operation, ops.RemoveIndexConcurrently)
    yield DropIndex(
        name=operation.name, columns=columns, concurrently=concurrently, guarded=drops_guarded(scene), **place(model)
    )


def drops_guarded(scene: Scene) -> bool:
    """Whether Django says IF EXISTS. Source: sql_delete_index of each backend's DatabaseSchemaEditor."""
    return scene.database.vendor == "postgresql"


def rename_index(operation: ops.RenameIndex, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.new_name is None:
        return
    name = operation.old_name
    columns: tuple[str, ...] = ()
    if name is None and isinstance(operation.old_fields, Items):
        columns = columns_of(model, names_in(operation.old_fields.items) or ())
        name = index_name(model.table, columns, "_idx")
    if name == operation.new_name:
        return
    if scene.database.renames_indexes:
        yield RenameIndex(name=name or "", new_name=operation.new_name, columns=columns, **place(model))
        return
    new = scene.model_after(operation.model_name) or model
    made = next((index.expr for index in new.indexes if index.name == operation.new_name), None)
    if made is not None:
        created = index_of(made, operation.new_name, model, reason="RenameIndex")
        yield DropIndex(name=name or "", columns=created.columns, reason="RenameIndex", **place(model))
        yield created


def alter_index_together(operation: ops.AlterIndexTogether, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.name)
    if model is None:
        return
    old, new = groups_of(model.options.get("index_together")), groups_of(operation.index_together)
    if old is None or new is None:
        yield CreateIndex(reason="index_together", certain=False, **place(model))
        return
    for group in [group for group in old if group not in new]:
        columns = columns_of(model, group)
        yield DropIndex(
            name=index_name(model.table, columns, "_idx"), columns=columns, reason="index_together", **asked(model),
            **place(model),
        )  # fmt: skip
    for group in [group for group in new if group not in old]:
        yield index_together(model, group)


def asked(model: ModelState) -> dict[str, Any]:
    """What is dropped under the name that the database tells. Source: the calls of `_constraint_names`"""
    named = [*(each.name for each in model.indexes), *(each.name for each in model.constraints)]
    return {"asked": True, "besides": tuple(filter(None, named))}


def index_together(model: ModelState, group: tuple[str, ...], **more: Any) -> CreateIndex:
    columns = columns_of(model, group)
    name = index_name(model.table, columns, "_idx")
    return CreateIndex(name=name, columns=columns, reason="index_together", **place(model, **more))


def groups_of(value: Expr | None) -> list[tuple[str, ...]] | None:
    """The groups of `unique_together` and `index_together`, None where they cannot be read.

    Source: django.db.models.options.normalize_together
    """
    if value is None or (isinstance(value, Literal) and value.kind == "none"):
        return []
    if isinstance(value, Call) and value.callee in COLLECTIONS:
        return groups_of(value.arguments[0]) if value.arguments else []
    if isinstance(value, Pairs) and not value.pairs:
        return []  # `{}`, which somebody took for a set
    if not isinstance(value, Items):
        return None
    if value.items and all(text_of(item) is not None for item in value.items):
        return [names_in(value.items) or ()]
    groups: list[tuple[str, ...]] = []
    for item in value.items:
        names = names_in(item.items) if isinstance(item, Items) else None
        if names is None:
            return None
        groups.append(names)
    return list(dict.fromkeys(groups)) if value.kind == "set" else groups


def names_in(items: tuple[Expr, ...]) -> tuple[str, ...] | None:
    names = tuple(name for item in items if (name := text_of(item)) is not None)
    return names if len(names) == len(items) else None


def columns_of(model: ModelState, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(model.column(name) if model.field(name) is not None else name for name in names)
