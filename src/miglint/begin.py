"""What is known of a root before any migration is looked at: the settings of Django, the database, the files."""

from __future__ import annotations

import msgspec

from miglint.database import Database, Version
from miglint.files import Files
from miglint.project import disk
from miglint.project.django_settings import DjangoSettings
from miglint.root import Root


class Begun(msgspec.Struct, frozen=True):
    """`version` is that of Django, `version_source` how it is known. All files of `walk` were read."""

    root: Root
    files: Files
    django: DjangoSettings
    database: Database
    version: Version
    version_source: str
    walk: disk.Walk


def begin(root: Root, files: Files, *, compared: bool) -> Begun:
    """Reads what Django's settings say, and finds and reads the files that may be migrations.

    With `compared`, what is reported on is known only once a base branch, if there is one, was asked.
    """
    django, walk = _settings_and_walk(root, files)
    database, version, source = root.database(django), *root.django_version()
    if not (compared and root.since):
        files.report_on(file for file in walk.migration_files if root.is_given(file))
    if files.are_new:
        files.guess(walk.files)
    files.read(walk.files)
    return Begun(root, files, django, database, version, source, walk)


def django_settings(root: Root, files: Files) -> DjangoSettings:
    """What Django's settings say; the project is gone through only where its root does not name them."""
    file = _settings_file(root, files)
    return files.modules.django_settings(file) if file is not None else _settings_and_walk(root, files)[0]


def _settings_and_walk(root: Root, files: Files) -> tuple[DjangoSettings, disk.Walk]:
    """The settings that are stated, else those that the root's `manage.py` names, or the only one below; with the
    walk, to which they say where migrations are.
    """
    modules, file = files.modules, _settings_file(root, files)
    django = modules.django_settings(file)
    walk = _walk(root, django)
    if file is None and walk.manager is not None:
        django = modules.django_settings(modules.settings_named_in(walk.manager))
        walk = _walk(root, django) if django.migration_modules else walk
    return django, walk


def _settings_file(root: Root, files: Files) -> str | None:
    """The file that is stated, else the one that the root's `manage.py` names."""
    stated, path = root.settings.settings_file, root.path.as_posix()
    given = f"{path}/{stated}".replace("\\", "/") if stated is not None else None
    return given or files.modules.settings_named_in(path)


def _walk(root: Root, django: DjangoSettings) -> disk.Walk:
    return disk.walk(
        root.path, exclude=root.settings.exclude, migration_modules=django.migration_modules, also=root.overlay
    )
