"""What Django, or the database, would refuse in an operation."""

from __future__ import annotations

import msgspec

from miglint.project.forwards.rewriting import refers
from miglint.project.forwards.scene import Scene
from miglint.project.state import ModelState, ProjectState
from miglint.project.truth import Truth
from miglint.syntax.facts import Literal


class StateProblem(msgspec.Struct, frozen=True):
    """What Django, or the database, would refuse in an operation, by `kind`:

    - `unknown-model`: computing the state fails (KeyError);
    - `unknown-field`: `field` is not there; computing the state fails (KeyError, FieldDoesNotExist) but for AlterField;
    - `unknown-index`, `unknown-constraint`: `name` is not there; the database's part fails (ValueError);
    - `same-model`: a model is renamed to itself in another case, which takes it away (KeyError);
    - `unknown-base`: `model` is left with a base that is not there any more (`name`, as it was called);
    - `unknown-order`: the model is left with an order_with_respect_to `field` that is not there any more;
    - `already-exists`: the model, its `field`, or its index or constraint `name` is there; the database refuses it.

    `model` is the model's name, of a renamed model the new one. `in_database` is true where only the database's part of
    the operation fails: none is given within `state_operations`, nor of a model that Django does not migrate.
    """

    kind: str
    model: str
    field: str | None
    message: str
    name: str | None = None
    in_database: bool = False
    # The model's app, where it is another than the operation's.
    app: str | None = None


Result = tuple[ProjectState, tuple[StateProblem, ...]]


def missing(scene: Scene, name: str | None) -> Result:
    if name is None:
        return scene.state.with_partial(scene.app), ()
    if scene.state.is_partial(scene.app):
        return scene.state, ()
    message = f"{scene.app}.{name} does not exist at this point"
    return scene.state, (StateProblem("unknown-model", name, None, message),)


def repeated(model: ModelState, *, field: str | None = None, name: str | None = None) -> tuple[StateProblem, ...]:
    """A name is taken; nothing is refused where Django does not migrate the model."""
    if not is_migrated(model):
        return ()
    what = f"{model.key}.{field}" if field is not None else name or f"{model.app}.{model.name}"
    return (StateProblem("already-exists", model.name, field, f"{what} is there already", name, in_database=True),)


def unknown(
    scene: Scene,
    model: ModelState,
    *,
    field: str | None = None,
    index: str | None = None,
    constraint: str | None = None,
    in_database: bool = False,
) -> tuple[StateProblem, ...]:
    """A part of a model is not there; none where it may have been made by what could not be read."""
    sure = model.complete and not scene.state.is_partial(scene.app)
    if not sure or (in_database and not is_migrated(model)):
        return ()
    what = "field" if field is not None else "index" if index is not None else "constraint"
    name = index if index is not None else constraint
    message = f"{model.key} has no {what} {field if field is not None else name!r} at this point"
    return (StateProblem(f"unknown-{what}", model.name, field, message, name, in_database),)


def unknown_index(name: str | None, scene: Scene, model: ModelState) -> tuple[StateProblem, ...]:
    """Source: django.db.migrations.state.ModelState.get_index_by_name"""
    perhaps = name is None or any(index.name in (name, None) for index in model.indexes)
    return () if perhaps else unknown(scene, model, index=name, in_database=True)


def unknown_constraint(name: str | None, scene: Scene, model: ModelState) -> tuple[StateProblem, ...]:
    """Source: django.db.migrations.state.ModelState.get_constraint_by_name"""
    perhaps = name is None or any(constraint.name in (name, None) for constraint in model.constraints)
    return () if perhaps else unknown(scene, model, constraint=name, in_database=True)


def is_migrated(model: ModelState) -> bool:
    """Whether the database's part of an operation does anything for a model, as far as it says so.

    Source: django.db.migrations.operations.base.Operation.allow_migrate_model, Options.can_migrate
    """
    conditional = {"swappable", "required_db_vendor", "required_db_features"} & model.options.keys()
    return model.managed is Truth.YES and model.proxy is Truth.NO and not conditional


def orphans(state: ProjectState, gone: ModelState) -> tuple[StateProblem, ...]:
    """What derives from a model, and is left behind by it: Django renames no bases, and cannot build these again.

    Source: runs of Django 4.2 to 6.1; django.db.migrations.state.StateApps
    """
    children = (each for each in state.marked(gone.key) if any(refers(base, gone.key, each) for base in each.bases))
    return tuple(
        StateProblem(
            "unknown-base",
            child.name,
            None,
            f"{child.key} is left with the base {gone.app}.{gone.name}, which is not there any more",
            gone.name,
            app=child.app if child.app != gone.app else None,
        )
        for child in children
    )


def unordered(model: ModelState, gone: str) -> tuple[StateProblem, ...]:
    """A field goes by which the model's rows are ordered: Django cannot build the model again before it is told."""
    order = model.options.get("order_with_respect_to")
    if not (isinstance(order, Literal) and order.value == gone):
        return ()
    why = f"{model.key} is left with the order_with_respect_to {gone!r}, which is not there any more"
    return (StateProblem("unknown-order", model.name, gone, why),)
