"""What rules found in projects: kept beside the facts, and said again as long as nothing they saw has changed.

Most runs, in CI and before a commit, meet migrations that nobody touched. What the rules see is a value: it is
hashed. What they have read besides, the modules that a migration's code imports, is noted with what was found there.
What cannot be hashed is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from miglint import kept
from miglint.diagnostic import Diagnostic
from miglint.files import Asked
from miglint.project.project import Project
from miglint.rule import Rule
from miglint.selection import Selection
from miglint.settings import Settings

# What follows from the files, whose content is hashed instead, and ways to read more of them.
_FROM_FILES = frozenset({"graph", "history", "base", "facts_of", "usages"})


class Verdict(msgspec.Struct, array_like=True, frozen=True):
    """What rules found, and what they asked besides what they saw."""

    asked: Asked
    diagnostics: tuple[Diagnostic, ...]
    # What is to be said of settings that say something of no table.
    unmatched: tuple[str, ...] = ()


def key_of(
    projects: Sequence[Project],
    rules: Sequence[Rule],
    settings: Settings,
    selection: Selection,
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
        return kept.key_of(
            (seen, settings, selection, contents, codes, kept.made_by(rule.module for rule in rules), judged)
        )
    except OSError:
        return None
