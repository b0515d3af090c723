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


# What a model is found by in a state. The mark of a model that it names is that model's key; in others, the first
# word has a colon, as no label has.
Mark = tuple[str, str]
# The model names others that cannot be read, or gives them names that cannot be read.
UNREAD: Mark = (":unread", "")
SETTING = ":setting"


def setting_mark(name: str) -> Mark:
    """The mark of models that name the one of a swappable setting."""
    return (SETTING, name)


def table_mark(table: str) -> Mark:
    """The mark of the model that has a table, or a join table, of this name."""
    return (":table", table)
