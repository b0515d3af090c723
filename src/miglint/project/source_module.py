"""A module of the project as another one imports it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from miglint.syntax.facts import ModuleFacts


def _nothing(module: str) -> SourceModule | None:
    return None


class SourceModule(msgspec.Struct, frozen=True, eq=False):
    """A file's facts, and the modules that it imports by the names it writes (`..models`).

    `path` is where it stands, as messages show it; `imported` gives None for what the project does not have.
    `is_installed` is true of what stands in the environment and not in the project.
    """

    path: str
    facts: ModuleFacts
    imported: Callable[[str], SourceModule | None] = _nothing
    is_installed: bool = False
