"""What an operation makes of a state, as its `state_forwards` in django.db.migrations.operations does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from miglint.project import operations as ops
from miglint.project.forwards.doubt import common, doubted, may_change
from miglint.project.forwards.fields import put_field, remove_field, rename_field
from miglint.project.forwards.indexes_and_constraints import (
    add_constraint,
    add_index,
    alter_constraint,
    remove_constraint,
    remove_index,
    rename_index,
)
from miglint.project.forwards.models import (
    alter_managers,
    alter_options,
    create_model,
    delete_model,
    option_setter,
    rename_model,
)
from miglint.project.forwards.problems import Result, StateProblem, missing
from miglint.project.forwards.scene import Scene, model_of
from miglint.project.migration import Migration
from miglint.project.operations import Operation, OperationPath
from miglint.project.state import ModelState, Origin, ProjectState


def apply(state: ProjectState, migration: Migration, path: OperationPath, operation: Operation) -> Result:
    """The state after an operation, and what is wrong with it; what holds other operations changes nothing itself."""
    return _applied(operation, Scene(state, migration.app, Origin(migration.key, path, operation.span)))


def _applied(operation: Operation, scene: Scene) -> Result:
    on_model = _ON_MODEL.get(type(operation))
    if on_model is not None:
        model = model_of(operation, scene)
        return missing(scene, operation.model) if model is None else on_model(operation, scene, model)
    forwards = _FORWARDS.get(type(operation))
    return (scene.state, ()) if forwards is None else forwards(operation, scene)


def _unread(operation: ops.Unread, scene: Scene) -> Result:
    """It may be any operation, on any field of the app."""
    state = scene.state.with_partial(scene.app)
    why = "an operation that could not be read may have changed it"
    for model in state.in_app(scene.app).values():
        state = state.put(doubted(model, may_change(operation.like, model), why))
    return state, ()


def _custom(operation: ops.Custom, scene: Scene) -> Result:
    """An operation class that is not known may have changed the fields that it names."""
    if operation.in_state is not None:
        state, problems = _way(operation.in_state, scene)
        return state, tuple(each for each in problems if not each.in_database)
    state = scene.state.with_partial(scene.app)
    for model in state.in_app(scene.app).values():
        if operation.mentions(model.name, f"{model.app}.{model.name}"):
            named = [name for name in model.fields if operation.mentions(name)]
            state = state.put(doubted(model, named, f"{operation.class_name} may have changed it"))
    return state, ()


def _alternative(operation: ops.Alternative, scene: Scene) -> Result:
    """What both ways come to is known; of the rest, that it is not known."""
    start = scene.state
    then, otherwise = (_way(way, scene)[0] for way in (operation.then, operation.otherwise))
    state = start.with_partial(scene.app)
    for app in sorted({app for way in (then, otherwise) for app, _ in way.changed_since(start)}):
        before, one, other = (each.in_app(app) for each in (start, then, otherwise))
        # A model that only one way has stays as it was before.
        for name, model in one.items():
            if name in other:
                state = state.put(common(model, other[name], before.get(name)))
    return state, ()


def _way(operations: tuple[Operation, ...], scene: Scene) -> Result:
    """The state after operations, but for those on the database alone; nested ones follow what holds them."""
    state, problems = scene.state, list[StateProblem]()
    for path, inner in ops.walk_operations(operations):
        if "database_operations" in path or "then" in path or "otherwise" in path:
            continue
        nested = Scene(state, scene.app, Origin(scene.origin.migration, scene.origin.path, inner.span))
        state, found = _applied(inner, nested)
        problems.extend(found)
    return state, tuple(problems)


_FORWARDS: dict[type[Operation], Callable[[Any, Scene], Result]] = {
    ops.CreateModel: create_model,
    ops.RenameModel: rename_model,
    ops.AddField: put_field,
    ops.AlterField: put_field,
    ops.RemoveField: remove_field,
    ops.RenameField: rename_field,
    ops.Custom: _custom,
    ops.Unread: _unread,
    ops.Alternative: _alternative,
}
# Those that change one model, and nothing where it is not there.
_ON_MODEL: dict[type[Operation], Callable[[Any, Scene, ModelState], Result]] = {
    ops.DeleteModel: delete_model,
    ops.AlterModelTable: option_setter("db_table", "table"),
    ops.AlterModelTableComment: option_setter("db_table_comment", "table_comment"),
    ops.AlterUniqueTogether: option_setter("unique_together", "unique_together"),
    ops.AlterIndexTogether: option_setter("index_together", "index_together"),
    ops.AlterOrderWithRespectTo: option_setter("order_with_respect_to", "order_with_respect_to"),
    ops.AlterModelOptions: alter_options,
    ops.AlterModelManagers: alter_managers,
    ops.AddIndex: add_index,
    ops.AddIndexConcurrently: add_index,
    ops.RemoveIndex: remove_index,
    ops.RemoveIndexConcurrently: remove_index,
    ops.RenameIndex: rename_index,
    ops.AddConstraint: add_constraint,
    ops.AddConstraintNotValid: add_constraint,
    ops.RemoveConstraint: remove_constraint,
    ops.AlterConstraint: alter_constraint,
}
