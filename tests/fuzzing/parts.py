"""One part of miglint alone, as hypothesis and atheris try it."""

from __future__ import annotations

from pathlib import Path

from miglint.plugins import META
from miglint.settings import SettingsError, load, sizes_of, validate_codes


def said_of_settings(root: Path) -> str:
    """The file of a directory's settings, or the sentence in which they are refused; both begin with the directory."""
    try:
        found = load(root)
        validate_codes(found, {code: name for code, (name, _) in META.items()})
        sizes_of(found)
    except SettingsError as error:
        return str(error)
    return found.path or ""
