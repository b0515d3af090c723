"""What the commands that show graph, plan and state are given."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from miglint.project.keys import MigrationKey
from miglint.project.project import Project
from miglint.text import Source


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """A Django project that was read, and the labels of its apps that are asked for.

    `root` is absolute with `/`, `repository` its git root, or the root itself where there is none. `source_of` has
    the text of a migration by its path.
    """

    project: Project
    root: str
    repository: str
    apps: frozenset[str]
    source_of: Callable[[str], Source | None] = lambda path: None

    def targets(self) -> list[MigrationKey] | None:
        """The leaves of the apps that are asked for; None where all are."""
        if self.apps >= self.project.labels:
            return None
        return [leaf for app in sorted(self.apps) for leaf in self.project.graph.leaves(app)]
