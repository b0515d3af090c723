"""Which files of a project are migrations, and of which app.

Two steps, so that all files can be read at once in between: `disk.walk` looks at names on the disk, `interpret`
at what the files say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from miglint.lazy import lazy
from miglint.project.disk import Directory, Module, Problem, Walk, is_numbered, is_of_tests, printable, target_path
from miglint.project.keys import MigrationKey
from miglint.project.labels import (
    AppClasses,
    app_paths,
    belongs_to_another_tool,
    binds_migration,
    imports_migration,
    is_at,
    is_django_migration,
    no_lookup,
    vote,
)
from miglint.syntax.facts import Class, ModuleFacts, dotted
from miglint.text import NOWHERE, Span

FactsOf = Callable[[str], "ModuleFacts | None"]


class Package(msgspec.Struct, frozen=True):
    """A directory of Django's migrations.

    `group` is the directory of the Django project it stands in, relative to the root ("" is the root itself).
    Django ignores a package without `__init__.py`.
    """

    label: str
    directory: str
    modules: tuple[Module, ...]
    has_init: bool = True
    group: str = ""


class Stray(msgspec.Struct, frozen=True):
    """A module of a package that Django would import as a migration and that has none.

    `misnamed` is a class that is a migration but for its name, `span` its header.
    """

    package: Package
    module: Module
    misnamed: str = ""
    span: Span = NOWHERE


class Duplicate(msgspec.Struct, frozen=True):
    """Packages of one Django project that have the same label."""

    label: str
    packages: tuple[Package, ...]


class Project(msgspec.Struct, frozen=True):
    """Packages that can be loaded together: no label twice.

    `own` are the packages whose findings are this project's; the others are there to be depended on.
    """

    group: str
    packages: tuple[Package, ...]
    own: tuple[Package, ...]


class Layout(msgspec.Struct, frozen=True, dict=True):
    """Where a project's migrations are.

    `modules_without_migration` are modules that Django would import as migrations and cannot.
    """

    root: str
    packages: tuple[Package, ...] = ()
    modules_without_migration: tuple[Stray, ...] = ()
    duplicate_labels: tuple[Duplicate, ...] = ()
    problems: tuple[Problem, ...] = ()

    @lazy
    def projects(self) -> tuple[Project, ...]:
        """The packages, split where labels collide: one project in nearly all repositories."""
        return _projects(self.packages)

    @lazy
    def keys(self) -> Mapping[str, MigrationKey]:
        """The migration of each path."""
        return {
            module.path: MigrationKey(package.label, module.name)
            for package in self.packages
            for module in package.modules
        }


def interpret(
    found: Walk,
    facts_of: FactsOf,
    *,
    apps: Mapping[str, str] | None = None,
    migration_modules: Mapping[str, str | None] | None = None,
    installed_apps: Sequence[str] | None = None,
    lookup: Callable[[str], Callable[[str], ModuleFacts | None]] = no_lookup,
) -> Layout:
    """Decide which directories of a walk hold Django's migrations, and whose.

    `facts_of` gives a file's facts (None where it cannot be read). `apps` are labels by directory, as settings
    state them; `migration_modules` and `installed_apps` are the settings of Django of these names; `lookup` finds
    the modules that a file imports, for base classes of AppConfigs.
    """
    accepted: list[tuple[Directory, dict[str, ModuleFacts]]] = []
    packages: list[Package] = []
    without: list[Stray] = []
    kept: list[tuple[Module, ...]] = []
    missing: list[tuple[Module, ...]] = []
    for directory in found.directories:
        facts = {m.name: known for m in directory.modules if (known := facts_of(m.file)) is not None}
        decisions = {name: is_django_migration(known) for name, known in facts.items()}
        if not _holds_migrations(directory, decisions, facts):
            continue
        accepted.append((directory, facts))
        kept.append(tuple(m for m in directory.modules if decisions.get(m.name) is not False))
        missing.append(tuple(m for m in directory.modules if m.name in facts and _is_stray(facts[m.name])))
    files = {file: known for d, _ in accepted for file in d.app_files if (known := facts_of(file)) is not None}
    stated = _stated(apps or {}, found.root)
    labels = _Labels(stated, migration_modules or {}, AppClasses(files, installed_apps, lookup))
    for (directory, of_modules), modules, strays in zip(accepted, kept, missing, strict=True):
        label = labels.of(directory, of_modules)
        package = Package(label, printable(directory.path), modules, directory.has_init, directory.group)
        packages.append(package)
        without.extend(_stray(package, module, of_modules[module.name]) for module in strays)
    packages = _without_replaced(packages, migration_modules or {})
    problems = (*found.problems, *_no_files(packages, [directory for directory, _ in accepted]))
    problems += tuple(
        Problem(path, "`apps` names a directory in which no migrations were found")
        for path in stated
        if path not in labels.used
    )
    return Layout(
        root=printable(found.root),
        packages=tuple(packages),
        modules_without_migration=tuple(stray for stray in without if stray.package in packages),
        duplicate_labels=_duplicates(packages, installed_apps),
        problems=problems,
    )


def _no_files(packages: Iterable[Package], directories: Iterable[Directory]) -> Iterator[Problem]:
    """What Django takes for a migration by its name alone.

    Source: pkgutil.iter_modules and MigrationLoader.load_disk
    """
    imported = {package.directory for package in packages if package.has_init}
    for directory in directories:
        for path in directory.no_files if printable(directory.path) in imported else ():
            yield Problem(path, "is called as a migration is, and is no file: Django raises ModuleNotFoundError")


def _holds_migrations(
    directory: Directory, decisions: Mapping[str, bool | None], facts: Mapping[str, ModuleFacts]
) -> bool:
    yes = sum(1 for decision in decisions.values() if decision)
    if directory.by_content:
        # Any name would do for Django if a setting says so, but stray copies and examples are not loaded.
        return directory.has_init and yes > len(directory.modules) - yes
    if yes or any(is_numbered(f"{name}.py") and imports_migration(known) for name, known in facts.items()):
        return True
    # All of it unreadable: better to say so than to pass it over.
    return directory.has_init and all(name not in facts or facts[name].problem for name in _names(directory))


def _names(directory: Directory) -> Iterator[str]:
    return (module.name for module in directory.modules)


def _is_stray(facts: ModuleFacts) -> bool:
    return facts.problem is None and not binds_migration(facts) and not belongs_to_another_tool(facts)


def _stray(package: Package, module: Module, facts: ModuleFacts) -> Stray:
    for statement in facts.body:
        if isinstance(statement, Class) and any(_is_migration(dotted(base)) for base in statement.bases):
            return Stray(package, module, statement.name, statement.span)
    return Stray(package, module)


def _is_migration(base: str) -> bool:
    return base.rpartition(".")[2] == "Migration"


def _stated(apps: Mapping[str, str], root: str) -> dict[str, str]:
    """Labels by absolute directory."""
    stated = {}
    for path, label in apps.items():
        joined = os.path.normpath(os.path.join(root, path.replace("\\", "/")))
        stated[joined.replace(os.sep, "/")] = label
    return stated


class _Labels:
    """The ways to a label, the surest first."""

    def __init__(
        self, stated: Mapping[str, str], migration_modules: Mapping[str, str | None], classes: AppClasses
    ) -> None:
        self._stated = stated
        self._by_target = {target_path(t): label for label, t in migration_modules.items() if t}
        self._classes = classes
        self.used: set[str] = set()

    def of(self, directory: Directory, facts: Mapping[str, ModuleFacts]) -> str:
        path = directory.path
        parent = path.rpartition("/")[0]
        for stated in (path, parent):
            if stated in self._stated:
                self.used.add(stated)
                return self._stated[stated]
        for target, label in self._by_target.items():
            if path.endswith("/" + target):
                return label
        folder_name = printable(parent.rpartition("/")[2])
        by_class = self._classes.label(parent, directory.app_files)
        if by_class or self._classes.is_installed(parent):
            return by_class or folder_name
        return vote(facts, folder_name) or folder_name


def _without_replaced(packages: list[Package], migration_modules: Mapping[str, str | None]) -> list[Package]:
    """Leave out what Django does not load because MIGRATION_MODULES sends it elsewhere.

    An app whose target is None is kept: only settings for tests say that.
    """
    for label, target in migration_modules.items():
        moved = {p.group for p in packages if target and p.directory.endswith("/" + target_path(target))}
        packages = [
            p
            for p in packages
            if p.label != label or p.group not in moved or p.directory.endswith("/" + target_path(target))
        ]
    return packages


def _preference(package: Package) -> tuple[bool, int, str]:
    """Among packages with one label: the real one first, copies in tests after it."""
    return is_of_tests(package.directory), package.directory.count("/"), package.directory


def _by_label(packages: Iterable[Package]) -> dict[tuple[str, str], list[Package]]:
    """Packages by group and label. What Django does not load collides with nothing."""
    found: dict[tuple[str, str], list[Package]] = {}
    for package in packages:
        found.setdefault((package.group, package.label), []).append(package)
    return {key: sorted(same, key=_preference) for key, same in found.items()}


def _duplicates(packages: Iterable[Package], installed_apps: Sequence[str] | None) -> tuple[Duplicate, ...]:
    """What collides where all is installed; where INSTALLED_APPS names one of the same label, the others are not."""
    loaded = (package for package in packages if package.has_init)
    paths = {path for entry in installed_apps or () for path in app_paths(entry)}
    found = [
        Duplicate(label, tuple(same))
        for (_, label), same in _by_label(loaded).items()
        if len(same) > 1 and len(_installed(same, paths)) != 1
    ]
    return tuple(sorted(found, key=lambda duplicate: (duplicate.label, duplicate.packages[0].directory)))


def _installed(same: Sequence[Package], paths: Iterable[str]) -> set[Package]:
    """The packages that are at one of the paths: of those that may be, the first is."""
    at = ([package for package in same if is_at(package.directory.rpartition("/")[0], path)] for path in paths)
    return {found[0] for found in at if found}


def _projects(packages: Sequence[Package]) -> tuple[Project, ...]:
    """Split packages so that no label comes twice, and only where it must be.

    A unit is what certainly belongs together: a group's packages; second copies of a label are another unit.
    """
    units: dict[tuple[int, str], dict[str, Package]] = {}
    for (group, label), same in _by_label(packages).items():
        for copy, package in enumerate(same):
            units.setdefault((copy, group), {})[label] = package
    # The largest comes first, so that most stays together.
    order = sorted(units, key=lambda unit: (unit[0], -len(units[unit]), unit[1]))
    main: dict[str, Package] = {}
    main_units: list[tuple[int, str]] = []
    apart: list[tuple[int, str]] = []
    for unit in order:
        if units[unit].keys() & main.keys():
            apart.append(unit)
        else:
            main |= units[unit]
            main_units.append(unit)
    projects = [_project("", main, main)] if main else []
    for unit in apart:
        own = units[unit]
        context = dict(own)
        for other in [u for u in order if u[1] == unit[1]] + main_units:
            # A group that collides with this one is another project; its own first copies are not.
            if other[1] == unit[1] or not units[other].keys() & own.keys():
                context = {**units[other], **context}
        projects.append(_project(unit[1], context, own))
    return tuple(projects)


def _project(group: str, packages: Mapping[str, Package], own: Mapping[str, Package]) -> Project:
    def ordered(found: Mapping[str, Package]) -> tuple[Package, ...]:
        return tuple(sorted(found.values(), key=lambda package: package.directory))

    return Project(group, ordered(packages), ordered(own))
