"""When a model or a field came and went, for messages about what is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from miglint.project.history import History, Step
from miglint.project.keys import ModelKey
from miglint.project.operations import RenameField, RenameModel
from miglint.project.relations import Relations
from miglint.project.state import ProjectState


def model_changes(history: History, key: ModelKey) -> Iterator[tuple[Step, bool]]:
    """The operations that made (True) or ended (False) a model of that name, in the order of the plan."""
    for step in history.steps:
        if step.touches_state and step.after is not step.before:
            was, now = _has(step.before, key), _has(step.after, key)
            if was != now:
                yield step, now


def field_changes(history: History, key: ModelKey, name: str) -> Iterator[tuple[Step, bool]]:
    """The operations that made (True) or ended (False) a field of that name."""
    for step in history.steps:
        if step.touches_state and step.after is not step.before:
            was, now = _has_field(step.before, key, name), _has_field(step.after, key, name)
            if was != now:
                yield step, now


def reverse_changes(
    history: History, relations: Callable[[ProjectState], Relations], key: ModelKey, name: str
) -> Iterator[tuple[Step, bool]]:
    """The operations that made (True) or ended (False) a relation of another model which has that name on this one."""
    for step in history.steps:
        if step.touches_state and step.after is not step.before:
            was, now = (_leads(relations(state), key, name) for state in (step.before, step.after))
            if was != now:
                yield step, now


def told(step: Step, *, made: bool) -> str:
    """What an operation did, for a sentence: `shop.0004_x renamed it to total`."""
    operation = step.operation
    if made:
        return f"{step.migration.key} adds it"
    if isinstance(operation, RenameModel | RenameField):
        return f"{step.migration.key} renamed it to {operation.new_name}"
    return f"{step.migration.key} removed it"


def _has(state: ProjectState, key: ModelKey) -> bool:
    return state.model(*key) is not None


def _has_field(state: ProjectState, key: ModelKey, name: str) -> bool:
    model = state.model(*key)
    return model is not None and model.field(name) is not None


def _leads(relations: Relations, key: ModelKey, name: str) -> bool:
    model = relations.model(key)
    return model is not None and relations.is_reverse(model, name)
