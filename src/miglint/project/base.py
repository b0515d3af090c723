"""What the base branch has, as far as it differs from what is here: the value that the rules about history ask."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from miglint.project.graph import Graph
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """The branch that this one is to be merged into.

    `ref` is its name, `tip` its commit, `merge_base` that where the two parted: all else follows from these two and
    the files here. `edited` says in words what means something else here than it does there, by migration; `clashing`
    likewise, of migrations that are new both here and there. `replaced_by` are the squashes, here and there, by what
    they replace. `gone` are migrations that have no file here and still have one on the branch. `merged` is the graph
    after merging, `ahead` what only the branch has of it; `merged` is None where the branch adds nothing to the apps
    that this one adds to.
    """

    ref: str
    merge_base: str
    tip: str = ""
    edited: Mapping[MigrationKey, tuple[str, ...]] = {}
    clashing: Mapping[MigrationKey, tuple[str, ...]] = {}
    replaced_by: Mapping[MigrationKey, MigrationKey] = {}
    gone: tuple[Migration, ...] = ()
    ahead: Mapping[MigrationKey, Migration] = {}
    merged: Graph | None = None


class Tracking(msgspec.Struct, frozen=True, kw_only=True):
    """Which files git does not have. Paths are those of the migrations, and of their packages' `__init__.py`.

    `ignored` gives the pattern, and where it stands, by path; `untracked` are not ignored and not added either.
    """

    ignored: Mapping[str, str] = {}
    untracked: frozenset[str] = frozenset()
