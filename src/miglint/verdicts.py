"""What rules found in projects: kept beside the facts, and said again as long as nothing they saw has changed.

Most runs, in CI and before a commit, meet migrations that nobody touched. What the rules see is a value: it is
hashed. What they have read besides, the modules that a migration's code imports, is noted with what was found there.
Nothing here can fail: verdicts that cannot be read are none, and what cannot be hashed is not kept.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import msgspec

from miglint.cache import UNREADABLE, VERDICTS, stamps
from miglint.diagnostic import Diagnostic
from miglint.project.project import Project
from miglint.rule import Rule
from miglint.settings import Settings
from miglint.writing import write_whole

_FORMAT = "miglint verdict 2"
# A few, for those who check other paths or with other settings now and then.
_KEPT = 8

# What follows from the files, whose content is hashed instead, and ways to read more of them.
_FROM_FILES = frozenset({"graph", "history", "base", "facts_of", "usages"})
_MADE_OF = frozenset({".py", ".toml"})


class Asked(msgspec.Struct, array_like=True):
    """What rules asked the disk: the hashes of files they had read, and whether there is a file at a path."""

    contents: dict[str, str] = {}
    files: dict[str, bool] = {}


class Verdict(msgspec.Struct, array_like=True, frozen=True):
    """What rules found, the hash of what they saw, and what they asked besides."""

    key: bytes
    asked: Asked
    diagnostics: tuple[Diagnostic, ...]


class _File(msgspec.Struct, array_like=True, frozen=True):
    format: str
    verdict: Verdict


def key_of(
    projects: Sequence[Project],
    rules: Sequence[Rule],
    settings: Settings,
    contents: Mapping[str, str],
    apps: frozenset[str] | None = None,
) -> bytes | None:
    """The hash of all that rules see; None where something of it cannot be written down.

    `contents` are the hashes of the files that were read so far, by path; `apps` those that are judged, None for all.
    """
    seen = [
        [
            [(*key, migration.path) for key, migration in project.graph.migrations.items()],
            (project.base.ref, project.base.merge_base, project.base.tip) if project.base is not None else (),
            *(getattr(project, name) for name in project.__struct_fields__ if name not in _FROM_FILES),
        ]
        for project in projects
    ]
    codes = [(rule.code, rule.module) for rule in rules]
    try:
        made_by = (_makers(rules), stamps(), sys.version_info[:2])
        judged = sorted(apps) if apps is not None else None
        value = msgspec.msgpack.encode((seen, settings, contents, codes, made_by, judged), order="deterministic")
    except (TypeError, UnicodeEncodeError, OSError):
        return None
    return blake2b(value, digest_size=16).digest()


def _makers(rules: Iterable[Rule]) -> list[tuple[str, int, int]]:
    """The files of the packages that judge, miglint's own and plug-ins', as the disk lists them: their edits count."""
    packages = {"miglint", *(rule.module.partition(".")[0] for rule in rules)}
    found: list[tuple[str, int, int]] = []
    for name in packages:
        file = sys.modules[name].__file__
        if file is None:
            raise OSError(f"{name} has no file")
        pending = [os.path.dirname(file)]
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if os.path.splitext(entry.name)[1] in _MADE_OF:
                        status = entry.stat()
                        found.append((entry.path, status.st_size, status.st_mtime_ns))
                    elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                        pending.append(entry.path)
    return sorted(found)


class Verdicts:
    """The verdicts of a cache's directory, each in a file of its own: only what is asked for is read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, key: bytes) -> Verdict | None:
        """The verdict on what has this hash; whether what was asked besides is as it was, is for the caller to see."""
        try:
            found = msgspec.msgpack.decode(self._file(key).read_bytes(), type=_File)
        except (OSError, *UNREADABLE):
            return None
        return found.verdict if found.format == _FORMAT and found.verdict.key == key else None

    def keep(self, verdict: Verdict) -> None:
        """Writes a verdict, and removes the oldest; a directory that cannot be written stays as it is."""
        with suppress(OSError, UnicodeEncodeError):
            write_whole(self._file(verdict.key), msgspec.msgpack.encode(_File(_FORMAT, verdict)))
            self._remove_old()

    def _file(self, key: bytes) -> Path:
        return self._directory / f"{VERDICTS}{key.hex()}.bin"

    def _remove_old(self) -> None:
        files = [(file.stat().st_mtime_ns, file) for file in self._directory.glob(f"{VERDICTS}*.bin")]
        for _, file in sorted(files)[:-_KEPT]:
            file.unlink(missing_ok=True)
