"""Operations on indexes and constraints."""

from __future__ import annotations

from msgspec.structs import replace

from miglint.project import operations as ops
from miglint.project.forwards.problems import Result, repeated, unknown_constraint, unknown_index
from miglint.project.forwards.scene import Scene
from miglint.project.state import ConstraintState, IndexState, ModelState
from miglint.syntax.facts import Call, Expr, Items, Literal


def add_index(operation: ops.AddIndex, scene: Scene, model: ModelState) -> Result:
    added = IndexState(name_of(operation.index), operation.index, scene.origin)
    problems = repeated(model, name=added.name) if named(model.indexes, added.name) else ()
    return scene.state.put(replace(model, indexes=(*model.indexes, added))), problems


def remove_index(operation: ops.RemoveIndex, scene: Scene, model: ModelState) -> Result:
    kept = tuple(index for index in model.indexes if index.name != operation.name)
    return scene.state.put(replace(model, indexes=kept)), unknown_index(operation.name, scene, model)


def rename_index(operation: ops.RenameIndex, scene: Scene, model: ModelState) -> Result:
    if operation.old_name is None:
        together = model.options.get("index_together")
        options = dict(model.options)
        if isinstance(together, Items):
            left = tuple(item for item in together.items if not _same_items(item, operation.old_fields))
            options["index_together"] = Items(together.kind, left, together.span)
        added = IndexState(operation.new_name, operation.old_fields, scene.origin)
        return scene.state.put(replace(model, options=options, indexes=(*model.indexes, added))), ()
    old, new = operation.old_name, operation.new_name
    indexes = tuple(
        replace(index, name=new, origin=scene.origin) if index.name == old else index for index in model.indexes
    )
    problems = unknown_index(old, scene, model)
    if not problems and new != old and named(model.indexes, new):
        problems = repeated(model, name=new)
    return scene.state.put(replace(model, indexes=indexes)), problems


def _same_items(one: Expr, other: Expr | None) -> bool:
    """Whether two displays have the same elements, be they lists or tuples."""
    return isinstance(one, Items) and isinstance(other, Items) and one.items == other.items


def add_constraint(operation: ops.AddConstraint, scene: Scene, model: ModelState) -> Result:
    added = ConstraintState(name_of(operation.constraint), operation.constraint, scene.origin)
    problems = repeated(model, name=added.name) if named(model.constraints, added.name) else ()
    return scene.state.put(replace(model, constraints=(*model.constraints, added))), problems


def remove_constraint(operation: ops.RemoveConstraint, scene: Scene, model: ModelState) -> Result:
    kept = tuple(each for each in model.constraints if each.name != operation.name)
    return scene.state.put(replace(model, constraints=kept)), unknown_constraint(operation.name, scene, model)


def alter_constraint(operation: ops.AlterConstraint, scene: Scene, model: ModelState) -> Result:
    """It has no part for the database: a name that is not there is nobody's problem."""
    changed = tuple(
        ConstraintState(name_of(operation.constraint), operation.constraint, scene.origin)
        if each.name == operation.name
        else each
        for each in model.constraints
    )
    return scene.state.put(replace(model, constraints=changed)), ()


def named(parts: tuple[IndexState, ...] | tuple[ConstraintState, ...], name: str | None) -> bool:
    """Whether an index or a constraint has this name for certain."""
    return name is not None and any(part.name == name for part in parts)


def name_of(value: Expr | None) -> str | None:
    name = value.keyword("name") if isinstance(value, Call) else None
    return name.text if isinstance(name, Literal) and name.kind == "str" else None
