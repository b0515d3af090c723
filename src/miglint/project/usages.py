"""What each RunPython of a project does, followed once however often it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from miglint.database import Vendor
from miglint.project.flow import usage_of
from miglint.project.flow.following import Files
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.operations import OperationPath, RunPython
from miglint.project.relations import Memo, Relations
from miglint.project.source_module import SourceModule
from miglint.project.state import ProjectState
from miglint.project.usage import Usage

_NO_SETTINGS: Mapping[str, str] = {}


def _no_module(migration: MigrationKey) -> SourceModule | None:
    return None


def _never(migration: MigrationKey) -> bool:
    return False


class Usages:
    """The code of one project's migrations.

    `module_of` gives a migration's file with what it imports. `may_run_sql` says of which migrations the code may
    hand SQL to a cursor, or call the schema editor: only theirs is followed while the history is replayed.
    """

    def __init__(
        self,
        *,
        module_of: Callable[[MigrationKey], SourceModule | None] = _no_module,
        may_run_sql: Callable[[MigrationKey], bool] = _never,
        swappable: Mapping[str, str] = _NO_SETTINGS,
        vendor: Vendor | None = None,
    ) -> None:
        self.may_run_sql = may_run_sql
        self._module_of = module_of
        self._swappable = swappable
        self._vendor: Vendor | None = vendor
        self._found: dict[tuple[MigrationKey, OperationPath], Usage] = {}
        self._incoming: Memo = {}
        # What the migration that was asked of last has in its files: it may have a thousand RunPython.
        self._last: tuple[MigrationKey, SourceModule, Files] | None = None

    def relations(self, state: ProjectState) -> Relations:
        """What code may name on the models of a state."""
        return Relations(state, self._swappable, self._incoming)

    def of(self, operation: RunPython, migration: Migration, path: OperationPath, before: ProjectState) -> Usage:
        """What a RunPython does that runs in this state."""
        place = (migration.key, path)
        found = self._found.get(place)
        if found is None:
            if self._last is None or self._last[0] != migration.key:
                module = self._module_of(migration.key) or SourceModule(migration.path, migration.facts)
                self._last = migration.key, module, {}
            _, module, files = self._last
            relations = self.relations(before)
            found = usage_of(operation, module, migration, relations, self._swappable, files, vendor=self._vendor)
            self._found[place] = found
        return found
