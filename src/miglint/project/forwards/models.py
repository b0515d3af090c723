"""Operations on whole models and their options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from miglint.project import operations as ops
from miglint.project.forwards.indexes_and_constraints import name_of
from miglint.project.forwards.problems import Result, StateProblem, missing, orphans, repeated
from miglint.project.forwards.rewriting import repointed
from miglint.project.forwards.scene import Scene, model_of
from miglint.project.keys import model_key
from miglint.project.state import ConstraintState, FieldState, IndexState, ModelState
from miglint.syntax.facts import Expr, Items, Literal, Pairs

# Source: django.db.migrations.operations.models.AlterModelOptions.ALTER_OPTION_KEYS
_ALTERABLE = (
    "base_manager_name", "default_manager_name", "default_related_name", "get_latest_by", "managed", "ordering",
    "permissions", "default_permissions", "select_on_save", "verbose_name", "verbose_name_plural",
)  # fmt: skip


def create_model(operation: ops.CreateModel, scene: Scene) -> Result:
    if operation.name is None:
        return scene.state.with_partial(scene.app), ()
    options, known = _pairs(operation.options)
    indexes, constraints = (_named_items(options.pop(name, None)) for name in ("indexes", "constraints"))
    bases = operation.bases.items if isinstance(operation.bases, Items) else ()
    model = ModelState(
        app=scene.app,
        name=operation.name,
        fields={name: FieldState(name, field, scene.origin) for name, field in operation.fields},
        options=options,
        bases=tuple(bases),
        managers=operation.managers,
        indexes=tuple(IndexState(name, expr, scene.origin) for name, expr in indexes),
        constraints=tuple(ConstraintState(name, expr, scene.origin) for name, expr in constraints),
        origin=scene.origin,
        complete=operation.complete and known,
        longest_name=scene.state.longest_name,
    )
    there = scene.state.model(scene.app, operation.name) is not None
    return scene.state.put(model), repeated(model) if there else ()


def _named_items(value: Expr | None) -> tuple[tuple[str | None, Expr], ...]:
    return tuple((name_of(item), item) for item in value.items) if isinstance(value, Items) else ()


def delete_model(operation: ops.DeleteModel, scene: Scene, model: ModelState) -> Result:
    return scene.state.without(model.key), orphans(scene.state, model)


def rename_model(operation: ops.RenameModel, scene: Scene) -> Result:
    """Source: django.db.migrations.state.ProjectState.rename_model"""
    model = model_of(operation, scene)
    if model is None or operation.new_name is None:
        return missing(scene, operation.old_name if operation.new_name is not None else None)
    old, new = model.key, model_key(scene.app, operation.new_name)
    renamed = replace(model, name=operation.new_name)
    if old == new:  # Django puts it in, and takes it out again
        why = f"{scene.app}.{model.name} and {scene.app}.{operation.new_name} are one model to Django"
        return scene.state.without(old), (StateProblem("same-model", operation.new_name, None, why),)
    problems = repeated(renamed) if scene.state.model(*new) is not None else ()
    problems += orphans(scene.state, model)
    state = scene.state.without(old).put(renamed)
    for other in state.marked(old):
        changed = repointed(other, old, f"{scene.app}.{operation.new_name}")
        if changed is not other:
            state = state.put(changed)
    return state, problems


def option_setter(option: str, argument: str) -> Callable[[Any, Scene, ModelState], Result]:
    def forwards(operation: Any, scene: Scene, model: ModelState) -> Result:
        value: Expr | None = getattr(operation, argument)
        # Django keeps the option where it is emptied: `None` of a table, an empty set of a unique_together.
        given = value if value is not None else Literal("none", "None", operation.span)
        return scene.state.put(replace(model, options={**model.options, option: given})), ()

    return forwards


def alter_options(operation: ops.AlterModelOptions, scene: Scene, model: ModelState) -> Result:
    given, known = _pairs(operation.options)
    kept = {name: value for name, value in model.options.items() if name not in _ALTERABLE or name in given}
    return scene.state.put(replace(model, options={**kept, **given}, complete=model.complete and known)), ()


def alter_managers(operation: ops.AlterModelManagers, scene: Scene, model: ModelState) -> Result:
    return scene.state.put(replace(model, managers=operation.managers)), ()


def _pairs(value: Expr | None) -> tuple[dict[str, Expr], bool]:
    """A dictionary of options, and whether all of it could be read."""
    if value is None:
        return {}, True
    if not isinstance(value, Pairs):
        return {}, isinstance(value, Literal) and value.kind == "none"
    texts = [
        (pair.key.text, pair.value) for pair in value.pairs if isinstance(pair.key, Literal) and pair.key.kind == "str"
    ]
    return dict(texts), len(texts) == len(value.pairs)
