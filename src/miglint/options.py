"""What a user asked for on the command line, or an editor in its settings: one value, passed down."""

from __future__ import annotations

from pathlib import Path

import msgspec

from miglint.diagnostic import Confidence


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of a run; what is None is left to the settings file.

    `config` names the settings file instead of looking for one; `isolated` reads none. `cache_dir` None is
    the project's own `.miglint_cache`; `cache` False neither reads nor writes one. `jobs` None is the
    number of processors. `since` is a git ref: what is not on it is unreleased. `baseline` names
    the file of accepted findings; `write_baseline` has it take in those of this run.
    """

    config: Path | None = None
    isolated: bool = False
    database: str | None = None
    database_version: str | None = None
    django_version: str | None = None
    cache: bool = True
    cache_dir: Path | None = None
    jobs: int | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None
    since: str | None = None
    baseline: Path | None = None
    write_baseline: bool = False
    min_confidence: Confidence = Confidence.MEDIUM
