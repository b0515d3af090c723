"""The relations that still name a model when it is gone for good: Django builds no models from such a state.

Between two migrations they may be there: Django looks at all models when the last one was applied. Source: the command
`migrate`, which renders the last state for post_migrate; django.db.migrations.state.StateApps
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from miglint.project.history import History, Step
from miglint.project.keys import ModelKey
from miglint.project.needs import Need, field_needs
from miglint.project.state import FieldState, ModelState, ProjectState


class LeftBehind(msgspec.Struct, frozen=True):
    """A field of a model, and what in it names the model that is gone."""

    model: ModelState
    field: FieldState
    need: Need


def left_behind(gone: ModelKey, step: Step, history: History, swappable: Mapping[str, str]) -> Iterator[LeftBehind]:
    """What names a model that a step takes away, before it and after all migrations; none where that is not certain."""
    final = history.final
    if final.holds(gone) or final.is_partial(gone.app):
        return
    before = {(each.model.key, each.field.name) for each in _naming(gone, step.before, swappable)}
    for each in _naming(gone, final, swappable):
        if (each.model.key, each.field.name) in before and not final.is_partial(each.model.app):
            yield each


def _naming(gone: ModelKey, state: ProjectState, swappable: Mapping[str, str]) -> Iterator[LeftBehind]:
    """The fields of other models that name a model for certain, and not as a setting does."""
    for model in state.marked(gone):
        for field in model.naming_others if model.key != gone else ():
            for need in field_needs(field.name, field.field, model.app, swappable):
                if need.key == gone and need.sure and not need.setting:
                    yield LeftBehind(model, field, need)
                    break
