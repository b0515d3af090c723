"""What the entries of INSTALLED_APPS are: apps of the project, with migrations or without, Django's own, or unread."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence

import msgspec

from miglint.modules import Modules
from miglint.project.disk import Module, is_module
from miglint.project.labels import AppClasses, app_paths, is_at
from miglint.project.layout import Package

_DJANGO = "django.contrib."
_EMPTY = ""


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """INSTALLED_APPS as far as it was read.

    `unread` are the entries of which nothing is known, `unmigrated` the labels of apps that have no migrations,
    `absent` those of apps with migrations that no entry names; `doubtful` the entries of apps with migrations that a
    condition may leave out.
    """

    unread: tuple[str, ...] = ()
    unmigrated: frozenset[str] = frozenset()
    absent: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


def installed(
    entries: Sequence[str],
    packages: Collection[Package],
    modules: Modules,
    *,
    perhaps: Collection[str] = (),
    moved: Collection[str] = (),
) -> Installed:
    """Sorts the entries. `packages` are the migrations that were read, `modules` find what else there is, `perhaps` are
    the entries that a condition may leave out, `moved` the labels whose migrations a setting says are elsewhere.
    """
    labels = {package.label for package in packages}
    named: set[str] = set()
    unread: list[str] = []
    unmigrated: set[str] = set()
    doubtful: list[str] = []
    for entry in entries:
        label = label_of(entry, packages)
        if label is not None:
            named.add(label)
            doubtful += [entry] if entry in perhaps else []
        elif not entry.startswith(_DJANGO):
            label = _without_migrations(entry, modules)
            if label is None or label in moved:
                unread.append(entry)
            elif label not in {*labels, _EMPTY}:
                unmigrated.add(label)
    return Installed(
        unread=tuple(unread),
        unmigrated=frozenset(unmigrated),
        absent=tuple(sorted(labels - named)),
        doubtful=tuple(doubtful),
    )


def label_of(entry: str, packages: Collection[Package]) -> str | None:
    """The label of the package that an entry means: by the path of the app or of its AppConfig, else by its name."""
    for path in app_paths(entry):
        for package in packages:
            if is_at(package.directory.rpartition("/")[0], path):
                return package.label
    names = {path.rpartition(".")[2] for path in app_paths(entry)}
    return next((package.label for package in packages if package.label in names), None)


def _without_migrations(entry: str, modules: Modules) -> str | None:
    """The label of an app, of the project or of the environment, that has no migrations; _EMPTY where their package is
    there, and nothing in it.
    """
    for path in app_paths(entry):
        file = modules.file_of(path)
        if file is None or not file.endswith("/__init__.py"):
            continue
        package = modules.file_of(f"{path}.migrations")
        if package is not None:
            # What is in it may be excluded, or unreadable.
            names = modules.names_in(package.rpartition("/")[0])
            return None if any(name.endswith(".py") and is_module(name) for name in names) else _EMPTY
        return label_in(file.rpartition("/")[0], entry, modules)
    return None


def label_in(folder: str, entry: str, modules: Modules) -> str:
    """The label of the app in a folder, as its AppConfig says."""
    files = [file for file in (f"{folder}/apps.py", f"{folder}/__init__.py") if os.path.isfile(file)]
    read = {file: facts for file in files if (facts := modules.facts(file)) is not None}
    return AppClasses(read, [entry]).label(folder, list(read)) or folder.rpartition("/")[2]


# -- the environment ----------------------------------------------------------------------------------

# Below a package, apps stand at most this deep (`django/contrib/auth`, `wagtail/contrib/forms`).
_DEEP = 3
_NO_APPS = frozenset({"tests", "test", "testing", "locale", "static", "templates", "management", "migrations"})


def environment_packages(entries: Sequence[str] | None, modules: Modules) -> tuple[Package, ...]:
    """The migrations of the installed apps that the environment has; of all packages there, where INSTALLED_APPS is
    not known. Each label once; only names are looked at, and the files that say a label.
    """
    found: dict[str, Package] = {}
    for folder, entry in _folders(entries, modules):
        package = _package(folder, label_in(folder, entry, modules))
        if package is not None:
            found.setdefault(package.label, package)
    return tuple(found.values())


def _folders(entries: Sequence[str] | None, modules: Modules) -> Iterator[tuple[str, str]]:
    """The folders of apps, each with the entry that names it."""
    if entries is None:
        for packages in modules.site_packages:
            yield from ((folder, "") for folder in _with_migrations(packages, _DEEP))
        return
    for entry in entries:
        for path in app_paths(entry):
            file = modules.in_environment(path)
            if file is not None and file.endswith("/__init__.py"):
                yield file.rpartition("/")[0], entry
                break


def _with_migrations(folder: str, depth: int) -> Iterator[str]:
    """The packages below a folder that have migrations."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir() and entry.name.isidentifier())
    except OSError:
        return
    for name in names:
        below = f"{folder}/{name}"
        if name in _NO_APPS or not os.path.isfile(f"{below}/__init__.py"):
            continue
        if os.path.isfile(f"{below}/migrations/__init__.py"):
            yield below
        if depth > 1:
            yield from _with_migrations(below, depth - 1)


def _package(folder: str, label: str) -> Package | None:
    """The migrations of an app, as Django would load them."""
    directory = f"{folder}/migrations"
    if not os.path.isfile(f"{directory}/__init__.py"):
        return None
    files = sorted(name for name in os.listdir(directory) if name.endswith(".py") and is_module(name))
    modules = tuple(Module(f"{directory}/{name}", name.removesuffix(".py"), f"{directory}/{name}") for name in files)
    return Package(label, directory, modules)
