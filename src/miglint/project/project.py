"""One Django project, read and replayed: everything a rule may ask about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from miglint.database import Database, Version
from miglint.lazy import lazy
from miglint.project.base import Base, Tracking
from miglint.project.contrib import CONTRIB
from miglint.project.keys import MigrationKey
from miglint.project.labels import app_paths
from miglint.project.layout import Duplicate, Package, Stray
from miglint.project.migration import Migration
from miglint.project.operations import OperationPath
from miglint.project.relations import Relations
from miglint.project.sizes import Sizes
from miglint.project.usages import Usages
from miglint.syntax.facts import ModuleFacts

if TYPE_CHECKING:
    from miglint.project.graph import Graph
    from miglint.project.history import History
    from miglint.project.index_names import Clashes
    from miglint.project.state import ProjectState


def _no_facts(migration: MigrationKey, module: str) -> ModuleFacts | None:
    return None


class Project(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The packages that are loaded together, their graph and their history.

    `strays` are modules that Django would import as migrations and that have no `Migration`; `unmigrated` the
    packages without `__init__.py`. `facts_of(migration, module)` gives the facts of a module as that migration
    imports it (`..models`), None where it was not read. `swappable` are settings such as AUTH_USER_MODEL that
    were read, as `app.Model`; `foreign` the names that installed apps' migrations have, by label, where the environment
    was read; `sizes` is what the settings say about tables, `databases` the aliases of DATABASES; `unreleased` the
    migrations that are not on the base branch: none is known to be without a `base`. `unread_apps` are the entries of
    INSTALLED_APPS of which nothing was read, `unmigrated_apps` the labels of those without migrations, `absent_apps`
    the labels of the project's apps that it does not name, `doubtful_apps` the entries that a condition may leave out.
    """

    root: str
    graph: Graph
    history: History
    packages: tuple[Package, ...] = ()
    strays: tuple[Stray, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    database: Database = msgspec.field(default_factory=Database)
    django_version: Version = (5, 2)
    deploy: str = "migrate-first"
    unreleased: frozenset[MigrationKey] = frozenset()
    base: Base | None = None
    tracking: Tracking = Tracking()
    swappable: Mapping[str, str] = {}
    installed_apps: tuple[str, ...] | None = None
    unread_apps: tuple[str, ...] = ()
    unmigrated_apps: frozenset[str] = frozenset()
    absent_apps: tuple[str, ...] = ()
    doubtful_apps: tuple[str, ...] = ()
    foreign: Mapping[str, frozenset[str]] = {}
    allowed_imports: tuple[str, ...] = ()
    sizes: Sizes = Sizes()
    databases: tuple[str, ...] = ()
    facts_of: Callable[[MigrationKey, str], ModuleFacts | None] = _no_facts
    usages: Usages = msgspec.field(default_factory=Usages)

    def allows_import(self, file: str, name: str) -> bool:
        """Whether the settings allow migrations to use a name of a module, or anything of it."""
        dotted = f".{file.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}.{name}."
        return any(f".{allowed.strip('.')}." in dotted for allowed in self.allowed_imports)

    def is_of_migrations(self, file: str) -> bool:
        """Whether a file belongs to migrations: it lies in their package, or is called a helper of theirs."""
        parts = file.removesuffix(".py").split("/")
        if any(part.endswith("migrations") or part.startswith("migration") for part in parts):
            return True
        return any(f"/{file}".startswith(f"/{package.directory}/") for package in self.packages)

    def is_djangos(self, label: str) -> bool:
        """Whether a label is that of one of Django's own apps, whose migrations were not read.

        Another package's app may have the label.
        """
        if label not in CONTRIB or label in self.graph.apps:
            return False
        entries = self.installed_apps
        return entries is None or any(f"django.contrib.{label}" in app_paths(entry) for entry in entries)

    def may_be_installed(self, label: str) -> bool:
        """Whether an entry of INSTALLED_APPS can be an app: its label is part of the entry, underscores aside."""
        if self.installed_apps is None:
            return True
        name = label.replace("_", "").lower()
        return any(name in entry.replace("_", "").replace(".", "").lower() for entry in self.installed_apps)

    def relations(self, state: ProjectState) -> Relations:
        """What code may name on the models of a state."""
        return self.usages.relations(state)

    @lazy
    def taken_over(self) -> dict[tuple[MigrationKey, OperationPath, str], bool]:
        """Whether a model took over a table that was there, by where it was made and its table, once it is known."""
        return {}

    @lazy
    def index_clashes(self) -> Clashes:
        """The names of indexes that are taken when a step wants them."""
        from miglint.project.index_names import clashes

        return clashes(self.history, self.database)

    @lazy
    def own(self) -> frozenset[str]:
        """The apps that are this project's own, those that Django takes to be without migrations too."""
        return frozenset(package.label for package in self.packages)

    def own_migrations(self) -> list[Migration]:
        """The migrations of these apps, without those that are only depended on."""
        return [migration for key, migration in self.graph.migrations.items() if key.app in self.own]

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
