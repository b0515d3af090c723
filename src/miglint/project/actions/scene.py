"""Where an operation happens: the states around it, the database, and which models have a table there."""

from __future__ import annotations

from typing import Any

import msgspec

from miglint.database import Database
from miglint.project.columns import (
    Target,
    World,
    target_of,
)
from miglint.project.fields import Field
from miglint.project.state import ModelState
from miglint.project.statements import ReadSQL
from miglint.project.usage import Usage
from miglint.syntax.sql import read_sql


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Where an operation happens: the states around it, the app, the database, Django's version.

    `usage` is what the code of a RunPython does, where it was followed.
    """

    before: World
    after: World
    app: str
    database: Database
    django_version: tuple[int, ...]
    read_sql: ReadSQL = read_sql
    usage: Usage | None = None

    def model(self, name: str | None) -> ModelState | None:
        """The model before the operation, where Django would touch its table."""
        return with_table(self.before.model(self.app, name), self.before) if name is not None else None

    def model_after(self, name: str | None) -> ModelState | None:
        return with_table(self.after.model(self.app, name), self.after) if name is not None else None

    def target(self, field: Field, model: ModelState, *, before: bool = False) -> Target:
        return target_of(field, model.app, model.name, self.before if before else self.after)

    @property
    def like_twins(self) -> bool:
        """Whether an index of a text column has a twin for LIKE."""
        return self.database.vendor == "postgresql"


def with_table(model: ModelState | None, world: World) -> ModelState | None:
    """Django emits nothing for models that are unmanaged, proxies or swapped.

    Source: django.db.models.options.Options.can_migrate
    """
    if model is None or model.managed.refuted or model.proxy.certain or world.is_swapped(model):
        return None
    return model


def place(model: ModelState, **more: Any) -> dict[str, Any]:
    return {"table": model.table, "model": model.key, **more}
