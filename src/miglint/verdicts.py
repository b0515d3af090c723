"""What rules found in projects: kept beside the facts, and said again as long as nothing they saw has changed.

Most runs, in CI and before a commit, meet migrations that nobody touched. What the rules see is a value: it is
hashed. What they have read besides, the modules that a migration's code imports, is noted with what was found there.
What cannot be hashed is not kept.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from miglint import kept
from miglint.cache import stamps
from miglint.diagnostic import Diagnostic
from miglint.project.project import Project
from miglint.rule import Rule
from miglint.settings import Settings

# What follows from the files, whose content is hashed instead, and ways to read more of them.
_FROM_FILES = frozenset({"graph", "history", "base", "facts_of", "usages"})
_MADE_OF = frozenset({".py", ".toml"})


class Asked(msgspec.Struct, array_like=True, frozen=True):
    """What the disk was asked: the hashes of files that were read, those read as text apart ("" of those that are not
    there), whether there is a file at a path, and the names in directories.
    """

    contents: dict[str, str] = {}
    texts: dict[str, str] = {}
    files: dict[str, bool] = {}
    names: dict[str, list[str]] = {}

    def without(self, other: Asked) -> Asked:
        """What was not asked then."""
        return Asked(
            *(
                {path: answer for path, answer in getattr(self, name).items() if path not in getattr(other, name)}
                for name in self.__struct_fields__
            )
        )


class Verdict(msgspec.Struct, array_like=True, frozen=True):
    """What rules found, and what they asked besides what they saw."""

    asked: Asked
    diagnostics: tuple[Diagnostic, ...]


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
    judged = sorted(apps) if apps is not None else None
    try:
        return kept.key_of((seen, settings, contents, codes, made_by(rules), judged))
    except OSError:
        return None


def made_by(rules: Iterable[Rule] = ()) -> object:
    """What tells one miglint, with its plug-ins and on its Python, from another. Raises OSError."""
    return (_makers(rules), stamps(), sys.version_info[:2])


def _makers(rules: Iterable[Rule]) -> list[tuple[str, int, int]]:
    """The files of the packages that judge, miglint's own and plug-ins', as the disk lists them: their edits count."""
    packages = {"miglint", *(rule.module.partition(".")[0] for rule in rules)}
    found: list[tuple[str, int, int]] = []
    for name in packages:
        pending = list(sys.modules[name].__path__)
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if os.path.splitext(entry.name)[1] in _MADE_OF:
                        status = entry.stat()
                        found.append((entry.path, status.st_size, status.st_mtime_ns))
                    elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                        pending.append(entry.path)
    return sorted(found)
