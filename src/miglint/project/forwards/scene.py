"""Where an operation is applied to a state."""

from __future__ import annotations

import msgspec

from miglint.project.operations import Operation
from miglint.project.state import ModelState, Origin, ProjectState


class Scene(msgspec.Struct, frozen=True):
    """Where an operation is applied."""

    state: ProjectState
    app: str
    origin: Origin


def model_of(operation: Operation, scene: Scene) -> ModelState | None:
    name = operation.model
    return scene.state.model(scene.app, name) if name is not None else None
