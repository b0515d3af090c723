"""The state of all models for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from miglint.formats.scopes import together
from miglint.project.attributes import UNKNOWN, bases_of, field_attributes, table_of, truth
from miglint.project.columns import World
from miglint.project.keys import MigrationKey
from miglint.project.state import ModelState, ProjectState

if TYPE_CHECKING:
    from miglint.scope import Scope


def render(scopes: Sequence[Scope], states: Sequence[ProjectState], at: MigrationKey | None) -> str:
    """Every model of the scopes' apps, sorted; what could not be read is "unknown"."""
    by_scope = dict(zip(map(id, scopes), states, strict=True))

    def document(scope: Scope) -> dict[str, Any]:
        state = by_scope[id(scope)]
        world = World(state, scope.project.swappable)
        models = sorted((model for model in state.models() if model.app in scope.apps), key=lambda m: (m.app, m.name))
        return {
            "at": str(at) if at is not None else None,
            "partial": sorted(state.partial & scope.apps),
            "models": [_model(model, world) for model in models],
        }

    return together(scopes, {"at": None, "partial": [], "models": []}, document)


def _model(model: ModelState, world: World) -> dict[str, Any]:
    return {
        "app": model.app,
        "name": model.name,
        "table": table_of(model, world),
        "managed": truth(model.managed),
        "proxy": truth(model.proxy),
        "bases": bases_of(model, world),
        "options": sorted(model.options),
        "fields": [
            {"name": name, **dict(field_attributes(field.field, model, world))} for name, field in model.fields.items()
        ],
        "indexes": [index.name or UNKNOWN for index in model.indexes],
        "constraints": [constraint.name or UNKNOWN for constraint in model.constraints],
    }
