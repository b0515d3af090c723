"""One project's root with all that was said about it: options, settings, the paths given, an editor's texts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from miglint import settings as settings_module
from miglint.baseline import DEFAULT
from miglint.cache import DIRECTORY, Cache
from miglint.database import Database, Version, parse_version
from miglint.lazy import lazy
from miglint.options import Options
from miglint.project.django_settings import DjangoSettings
from miglint.selection import Selection

_ASSUMED_DJANGO: Version = (5, 2)


class UsageError(Exception):
    """What was asked for cannot be done; one sentence for the user."""


class Root:
    """What a run is told. `path` is absolute, `only` the paths that are asked for, `notes` what is said with `-v`."""

    def __init__(self, path: Path, only: list[str], options: Options, overlay: Mapping[str, bytes]) -> None:
        """Raises SettingsError."""
        self.path = path
        self.only = only
        self.options = options
        self.overlay = {file: data for file, data in overlay.items() if file.startswith(f"{path.as_posix()}/")}
        self.settings = settings_module.load(path, config=options.config, isolated=options.isolated)
        self._check_settings_file()
        self.sizes = settings_module.sizes_of(self.settings)
        self.cache = Cache(options.cache_dir or path / DIRECTORY) if options.cache else None
        self.notes: list[str] = []

    def _check_settings_file(self) -> None:
        """What is said of the settings of Django is said of a file. Raises SettingsError."""
        stated = self.settings.settings_file
        file = f"{self.path.as_posix()}/{stated}".replace("\\", "/")
        if stated is not None and file not in self.overlay and not os.path.isfile(file):
            place = settings_module.place(self.settings, "settings-file")
            raise settings_module.SettingsError(f"{place}: settings-file: {file} does not exist")

    # -- what is asked for ---------------------------------------------------------------------------

    def is_given(self, path: str) -> bool:
        """Whether a path is one that was given, or below one."""
        return is_below_any(path, self.only)

    def is_asked_for(self, directory: str) -> bool:
        """Whether an app's migrations, or the app itself, are among the paths given, or a path is among them."""
        app = directory.rpartition("/")[0]
        return self.is_given(directory) or any(
            is_below_any(path, (app,)) for path in self.only if path != self.path.as_posix()
        )

    @lazy
    def selection(self) -> Selection:
        """Which rules are on, by the options, else by the settings."""
        options, settings = self.options, self.settings
        return Selection(
            select=tuple(options.select if options.select is not None else settings.select),
            ignore=tuple(options.ignore if options.ignore is not None else settings.ignore),
            extend_select=(*settings.extend_select, *(options.extend_select or ())),
            severity=settings.severity,
        )

    # -- git and the baseline ------------------------------------------------------------------------

    @lazy
    def repository(self) -> str:
        """The git root around it, or itself where there is none."""
        for directory in (self.path, *self.path.parents):
            if os.path.lexists(directory / ".git"):
                return directory.as_posix()
        return self.path.as_posix()

    @property
    def is_in_repository(self) -> bool:
        """Whether there is a git root around it."""
        return os.path.lexists(f"{self.repository}/.git")

    @property
    def since(self) -> str | None:
        """The base branch that is compared with."""
        return self.options.since if self.options.since is not None else self.settings.base

    @property
    def since_in_words(self) -> str:
        """What asked for the base branch, in the user's words."""
        if self.options.since is not None:
            return f"--since {self.options.since}"
        return f'base = "{self.settings.base}" in {self.settings.path}'

    @lazy
    def baseline_path(self) -> str | None:
        """The file that is named, else the nearest of the usual name from the root up to the repository's.

        Raises UsageError where the one that is named does not exist.
        """
        stated = self.options.baseline
        if stated is None and self.settings.baseline is not None:
            stated = self.path / self.settings.baseline.replace("\\", "/")
        if stated is not None:
            path = Path(os.path.abspath(stated))
            if not os.path.isfile(path) and not self.options.write_baseline:
                missing = "does not exist; `miglint check --write-baseline` makes it"
                raise UsageError(f"the baseline {path} {'is no file' if os.path.exists(path) else missing}")
            return path.as_posix()
        repository = Path(self.repository)
        for directory in (self.path, *self.path.parents) if not self.options.isolated else ():
            if os.path.isfile(directory / DEFAULT):
                return (directory / DEFAULT).as_posix()
            if directory == repository:
                break
        # Without settings, another path may mean another root: what stands at the top is found from each.
        new = (self.path if self.settings.path is not None else repository) / DEFAULT
        return new.as_posix() if self.options.write_baseline else None

    # -- what the migrations meet --------------------------------------------------------------------

    def database(self, django: DjangoSettings) -> Database:
        """The database, and how it is known."""
        options, settings = self.options, self.settings
        if options.database is not None:
            database = Database.assumed(options.database, "option")  # type: ignore[arg-type]
        elif settings.database is not None:
            database = Database.assumed(settings.database, "settings")
        elif django.vendor is not None:
            database = Database.assumed(django.vendor, "settings-file")
        else:
            database = Database.assumed("postgresql", "default")
            self.notes.append("no database is set: PostgreSQL is assumed (setting `database`)")
        version = options.database_version or settings.database_version
        return msgspec.structs.replace(database, version=parse_version(version)) if version else database

    def django_version(self) -> tuple[Version, str]:
        """The version of Django, and how it is known."""
        if self.options.django_version:
            return parse_version(self.options.django_version), "option"
        if self.settings.django_version:
            return parse_version(self.settings.django_version), "settings"
        return _ASSUMED_DJANGO, "default"

    def in_force(self, settings_file: str | None) -> dict[str, object]:
        """The settings by their own names, with what options say instead, and where Django's own were read."""
        found: dict[str, object] = msgspec.to_builtins(self.settings)
        del found["path"]
        options = self.options
        given = {
            "database": options.database,
            "database-version": options.database_version,
            "django-version": options.django_version,
            "select": options.select,
            "ignore": options.ignore,
            "base": options.since,
            "baseline": self.baseline_path,
            "settings-file": settings_file,
        }
        found |= {key: list(value) if isinstance(value, tuple) else value for key, value in given.items() if value}
        found["extend-select"] = [*self.settings.extend_select, *(options.extend_select or ())]
        return found


def is_below_any(path: str, roots: list[str] | tuple[str, ...]) -> bool:
    """Whether a path is one of the given ones, or below one."""
    return any(path == root or path.startswith(root.rstrip("/") + "/") for root in roots)
