"""One part of miglint alone, as hypothesis and atheris try it."""

from __future__ import annotations

from pathlib import Path

from miglint.plugins import META
from miglint.settings import SettingsError, load, sizes_of, validate_codes


def try_settings(root: Path) -> None:
    """The settings of a directory are used, or refused in a sentence that names the file."""
    try:
        found = load(root)
        validate_codes(found, {code: name for code, (name, _) in META.items()})
        sizes_of(found)
    except SettingsError as error:
        said = str(error)
    else:
        said = found.path or ""
    assert said.startswith(root.as_posix()), said
