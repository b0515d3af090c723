"""One Django project, read and replayed: everything a rule may ask about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from miglint.database import Database, Version
from miglint.lazy import lazy
from miglint.project.base import Base, Tracking
from miglint.project.flow import usage_of
from miglint.project.keys import MigrationKey
from miglint.project.layout import Duplicate, Module, Package
from miglint.project.operations import OperationPath, RunPython
from miglint.project.relations import Memo, Relations
from miglint.project.sizes import Sizes
from miglint.project.source_module import SourceModule
from miglint.project.usage import Usage
from miglint.syntax.facts import ModuleFacts

if TYPE_CHECKING:
    from miglint.project.graph import Graph
    from miglint.project.history import History, Step
    from miglint.project.state import ProjectState


def _no_facts(migration: MigrationKey, module: str) -> ModuleFacts | None:
    return None


def _no_module(migration: MigrationKey) -> SourceModule | None:
    return None


class Project(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The packages that are loaded together, their graph and their history.

    `strays` are modules that Django would import as migrations and that have no `Migration`; `unmigrated` the
    packages without `__init__.py`. `facts_of(migration, module)` gives the facts of a module as that migration
    imports it (`..models`), None where it was not read. `swappable` are settings such as AUTH_USER_MODEL that
    were read, as `app.Model`; `sizes` is what the settings say about tables; `unreleased` the migrations that are not
    on the base branch: none is known to be without a `base`.
    """

    root: str
    graph: Graph
    history: History
    packages: tuple[Package, ...] = ()
    strays: tuple[tuple[Package, Module], ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    database: Database = msgspec.field(default_factory=Database)
    django_version: Version = (5, 2)
    deploy: str = "migrate-first"
    unreleased: frozenset[MigrationKey] = frozenset()
    base: Base | None = None
    tracking: Tracking = Tracking()
    swappable: Mapping[str, str] = {}
    installed_apps: tuple[str, ...] | None = None
    allowed_imports: tuple[str, ...] = ()
    sizes: Sizes = Sizes()
    facts_of: Callable[[MigrationKey, str], ModuleFacts | None] = _no_facts
    module_of: Callable[[MigrationKey], SourceModule | None] = _no_module

    @lazy
    def _usages(self) -> dict[tuple[MigrationKey, OperationPath], Usage]:
        return {}

    @lazy
    def _incoming(self) -> Memo:
        return {}

    def allows_import(self, file: str, name: str) -> bool:
        """Whether the settings allow migrations to use a name of a module, or anything of it."""
        dotted = f".{file.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}.{name}."
        return any(f".{allowed.strip('.')}." in dotted for allowed in self.allowed_imports)

    def relations(self, state: ProjectState) -> Relations:
        """What code may name on the models of a state."""
        return Relations(state, self.swappable, self._incoming)

    def usage_of(self, step: Step) -> Usage:
        """What a RunPython does, followed once however many rules ask."""
        place = (step.migration.key, step.path)
        found = self._usages.get(place)
        if found is None:
            found = self._usages[place] = self._followed(step)
        return found

    def _followed(self, step: Step) -> Usage:
        operation, migration = step.operation, step.migration
        if not isinstance(operation, RunPython):
            return Usage()
        module = self.module_of(migration.key) or SourceModule(migration.path, migration.facts)
        return usage_of(operation, module, migration, self.relations(step.before), self.swappable)

    @lazy
    def labels(self) -> frozenset[str]:
        """The apps that are this project's own and have migrations."""
        return frozenset(package.label for package in self.packages if package.has_init)

    @property
    def unmigrated(self) -> tuple[Package, ...]:
        return tuple(package for package in self.packages if not package.has_init)

    def short(self, path: str) -> str:
        """A path as it is written in the project's root."""
        return path.removeprefix(f"{self.root}/")
