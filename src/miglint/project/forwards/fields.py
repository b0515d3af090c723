"""Operations on fields."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from miglint.project import operations as ops
from miglint.project.fields import Field
from miglint.project.forwards.problems import Result, StateProblem, missing, repeated, unknown, unordered
from miglint.project.forwards.rewriting import foreign_names, own_names, renamed
from miglint.project.forwards.scene import Scene, model_of
from miglint.project.persistent import extended, reduced
from miglint.project.state import FieldState, ModelState
from miglint.syntax.facts import Call, Literal

_TOGETHER = ("unique_together", "index_together")


def put_field(operation: ops.AddField | ops.AlterField, scene: Scene) -> Result:
    model = model_of(operation, scene)
    if model is None or operation.name is None:
        return missing(scene, operation.model if operation.name is not None else None)
    there = model.fields.get(operation.name)
    problems: tuple[StateProblem, ...] = ()
    if isinstance(operation, ops.AddField):
        problems = repeated(model, field=operation.name) if there is not None else ()
    elif there is None:
        problems = unknown(scene, model, field=operation.name, in_database=True)
    put = FieldState(operation.name, _without_default(operation), scene.origin)
    return scene.state.put(_changed(model, extended(model.fields, operation.name, put), there, put)), problems


def _changed(model: ModelState, fields: Mapping[str, FieldState], *changed: FieldState | None) -> ModelState:
    """A model with other fields, of which these changed; where none is a relation, what was found out stays true."""
    found = replace(model, fields=fields)
    if not any(state is not None and state.field.names_others for state in changed):
        vars(found).update(vars(model))
    return found


def _without_default(operation: ops.AddField | ops.AlterField) -> Field:
    """Source: AddField.state_forwards: with preserve_default=False the default is not kept."""
    keep, call = operation.preserve_default, operation.field.call
    if isinstance(keep, Literal) and keep.value is False and isinstance(call, Call):
        keywords = tuple(keyword for keyword in call.keywords if keyword.name != "default")
        return operation.field.written(Call(call.function, call.arguments, keywords, call.span))
    return operation.field


def remove_field(operation: ops.RemoveField, scene: Scene) -> Result:
    model = model_of(operation, scene)
    if model is None or operation.name is None:
        return missing(scene, operation.model if operation.name is not None else None)
    gone = model.fields.get(operation.name)
    if gone is None:
        return scene.state, unknown(scene, model, field=operation.name)
    fields = reduced(model.fields, operation.name)
    return scene.state.put(_changed(model, fields, gone)), unordered(model, operation.name)


def rename_field(operation: ops.RenameField, scene: Scene) -> Result:
    """Source: django.db.migrations.state.ProjectState.rename_field"""
    model = model_of(operation, scene)
    old, new = operation.old_name, operation.new_name
    if model is None or old is None or new is None:
        return missing(scene, operation.model if old is not None and new is not None else None)
    there = model.fields.get(old)
    if there is None:
        return scene.state, unknown(scene, model, field=old)
    problems = repeated(model, field=new) if new in model.fields and new != old else ()
    problems += unordered(model, old) if new != old else ()
    # Django takes the field out and puts it in again, so that it stands last.
    fields = extended(reduced(model.fields, old), new, FieldState(new, there.field, scene.origin))
    options = dict(model.options)
    for name in _TOGETHER:  # Django leaves order_with_respect_to as it is
        if name in options:
            options[name] = renamed(options[name], old, new)
    state = scene.state.put(own_names(replace(model, fields=fields, options=options), old, new))
    for other in state.marked(model.key):
        changed = foreign_names(other, model.key, old, new)
        if changed is not other:
            state = state.put(changed)
    return state, problems
