"""Which migrations the apps bring that are installed in the project's environment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from miglint.installed import label_in
from miglint.modules import Modules
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.labels import app_paths


def foreign_migrations(
    wanted: Iterable[MigrationKey], installed: Iterable[str], modules: Modules, *, moved: Collection[str] = ()
) -> Mapping[str, frozenset[str]]:
    """The names that an installed app's migrations have, by label, those included that a squash replaces.

    Only the apps of `wanted` are read; `moved` are the labels whose migrations a setting takes from elsewhere.
    An app has no entry where its package is not found, or is found twice.
    """
    names: dict[str, set[str]] = {}
    for key in wanted:
        if key.app not in moved:
            names.setdefault(key.app, set()).add(key.name)
    found: dict[str, list[str]] = {}
    for folder, label in _apps(installed, modules) if names else ():
        if label in names and folder not in found.setdefault(label, []):
            found[label].append(folder)
    return {
        label: _migrations(folders[0], label, names[label], modules)
        for label, folders in found.items()
        if len(folders) == 1
    }


def _apps(installed: Iterable[str], modules: Modules) -> Iterator[tuple[str, str]]:
    """Folder and label of each entry of INSTALLED_APPS that the environment has."""
    for entry in installed:
        for path in app_paths(entry):
            file = modules.in_environment(path)
            if file is not None and file.endswith("/__init__.py"):
                folder = file.rpartition("/")[0]
                yield folder, label_in(folder, entry, modules)
                break


def _migrations(folder: str, label: str, wanted: set[str], modules: Modules) -> frozenset[str]:
    """The modules of a migrations package, and, where one is missing there, what they replace.

    Source: django.db.migrations.loader.MigrationLoader.load_disk
    """
    directory = f"{folder}/migrations"
    files = modules.names_in(directory)
    names = {file.removesuffix(".py") for file in files if file.endswith(".py") and file[0] not in "_~"}
    if wanted <= names:
        return frozenset(names)
    replaced: set[str] = set()
    for name in names:
        path = f"{directory}/{name}.py"
        facts = modules.facts(path)
        if facts is not None:
            entries = interpret(MigrationKey(label, name), path, facts, modules.lookup(path)).replaces
            replaced |= {entry.key.name for entry in entries if entry.key is not None and entry.key.app == label}
    return frozenset(names | replaced)
