"""Names of migrations and models."""

from __future__ import annotations

from typing import NamedTuple


class MigrationKey(NamedTuple):
    """A migration: its app's label and its module's name."""

    app: str
    name: str

    def __str__(self) -> str:
        return f"{self.app}.{self.name}"


class ModelKey(NamedTuple):
    """A model: its app's label and its name in lower case, as Django compares it."""

    app: str
    name: str

    def __str__(self) -> str:
        return f"{self.app}.{self.name}"


def model_key(app: str, name: str) -> ModelKey:
    """The key of a model as it is written. Source: django.db.migrations.state.ProjectState.add_model."""
    return ModelKey(app, name.lower())
