"""One run of `miglint check` by its stages: `python -m benchmarks.stages PROJECT CACHE` prints them as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from miglint.cache import REPORTS, VERDICTS

# What a run does, and by which functions; what one calls that is another's counts there.
STAGES = ("start", "discover", "read", "cache", "interpret", "graph", "replay", "rules", "report", "rest")


class Clock:
    """The processors' seconds of each stage, and the most memory that was in use up to its end, in megabytes."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self.memory = dict.fromkeys(STAGES, 0.0)
        self._stack = ["start"]
        self._since = 0.0

    def turn(self) -> None:
        """The time since the last turn is that of the stage on top."""
        now, stage = _used(), self._stack[-1]
        self.seconds[stage] += now - self._since
        self.memory[stage] = max(self.memory[stage], _peak())
        self._since = now

    @contextmanager
    def within(self, stage: str) -> Iterator[None]:
        """What is done here belongs to a stage."""
        self.turn()
        self._stack.append(stage)
        try:
            yield
        finally:
            self.turn()
            self._stack.pop()

    def watch(self, owner: Any, name: str, stage: str) -> None:
        """Times a function, a method or a class method by its owner and name."""
        watched = getattr(owner, name)

        def run(*arguments: Any, **named: Any) -> Any:
            with self.within(stage):
                return watched(*arguments, **named)

        is_bound = isinstance(owner.__dict__[name], classmethod)
        setattr(owner, name, staticmethod(run) if is_bound else run)


def forget_findings(cache: Path) -> None:
    """Has a cache know the facts of files alone, as after a change in one of them."""
    for prefix in (VERDICTS, REPORTS):
        for file in cache.glob(f"{prefix}*"):
            file.unlink()


def _used() -> float:
    """The seconds of the processors, those of workers that have ended included."""
    own, workers = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime


def _peak() -> float:
    # Kilobytes, on macOS bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def _watch(clock: Clock) -> Callable[..., Any]:
    """Has all stages timed; the program to run."""
    from miglint import begin, check, files, judge, kept, load, store, verdicts
    from miglint.cli import cli
    from miglint.formats import render  # noqa: F401  (as a run does, at its end)

    clock.watch(begin.disk, "walk", "discover")
    clock.watch(load.layout, "interpret", "discover")
    clock.watch(files, "read_files", "read")
    clock.watch(store.Store, "__init__", "cache")
    clock.watch(store.Store, "save", "cache")
    clock.watch(verdicts, "key_of", "cache")
    clock.watch(kept, "key_of", "cache")
    clock.watch(kept.Kept, "get", "cache")
    clock.watch(kept.Kept, "keep", "cache")
    clock.watch(load, "interpret", "interpret")
    clock.watch(load.Graph, "build", "graph")
    clock.watch(load, "replay", "replay")
    clock.watch(judge, "_ask", "rules")  # a copy of the process that it starts has ended by then
    clock.watch(check, "run", "report")
    clock.watch(sys.modules["miglint.cli.check"], "_rendered", "report")
    clock.watch(sys.modules["miglint.cli.check"], "write", "report")
    return cli


def main(project: str, cache: str) -> None:
    """Runs `miglint check` on a project, its report going nowhere, and prints what it took."""
    clock, began = Clock(), time.perf_counter()
    program = _watch(clock)
    arguments = ["check", "--exit-zero", "--quiet", "--cache-dir", cache, "--output-file", os.devnull, project]
    try:
        with clock.within("rest"):
            program(arguments)
    except SystemExit as end:
        if end.code:
            raise
    wall = time.perf_counter() - began
    print(json.dumps({"seconds": clock.seconds, "memory": clock.memory, "wall": wall, "peak": _peak()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
