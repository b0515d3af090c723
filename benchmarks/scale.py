"""Time and memory of each stage as projects grow: `python -m benchmarks.scale [1000 10000 100000]`.

Each project is made up by `benchmarks.projects` and checked three times, each time in a process of its own: cold, warm
(nothing has changed: what the rules found is remembered), and anew (as after a change in one file: the facts are
remembered, the history is replayed and the rules are asked). For each stage there are the microseconds of the
processors for one migration, their growth against the smallest project in brackets, and the most memory that the
process had used by the end of the stage. All three sizes take some ten minutes on two cores, most of it the first cold
run of 100,000 files; `--keep DIRECTORY` leaves projects and caches there, and finds them there again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.projects import write
from benchmarks.stages import STAGES, forget_findings

_SOURCE = Path(__file__).parent.parent / "src"
_RUNS = ("cold", "warm", "anew")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000], metavar="MIGRATIONS")
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        found = {size: _measured(given.keep or Path(made), size) for size in sorted(given.sizes)}
    for run in _RUNS:
        print(f"\n{run:<10}" + "".join(f"{size:>30,}" for size in found))
        for stage in STAGES:
            print(f"{stage:<10}" + "".join(_cell(found, size, run, stage) for size in found))
        print(f"{'all':<10}" + "".join(_whole(found, size, run) for size in found))


def _measured(directory: Path, size: int) -> dict[str, dict[str, Any]]:
    """What each run took."""
    root, cache = directory / f"project-{size}", directory / f"cache-{size}"
    if not root.exists():
        write(root, size)
    found = {}
    for run in _RUNS:
        if run == "cold":
            shutil.rmtree(cache, ignore_errors=True)
        elif run == "anew":
            forget_findings(cache)
        found[run] = _run(root, cache)
        print(f"{size:,} migrations, {run}: {found[run]['wall']:.1f} s by the clock", file=sys.stderr)
    return found


def _run(root: Path, cache: Path) -> dict[str, Any]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(_SOURCE), str(_SOURCE.parent)])}
    command = [sys.executable, "-m", "benchmarks.stages", str(root), str(cache)]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def _cell(found: dict[int, dict[str, dict[str, Any]]], size: int, run: str, stage: str) -> str:
    seconds, memory = found[size][run]["seconds"][stage], found[size][run]["memory"][stage]
    return _shown(seconds / size, _smallest(found, run, lambda each: each["seconds"][stage]), memory)


def _whole(found: dict[int, dict[str, dict[str, Any]]], size: int, run: str) -> str:
    seconds = sum(found[size][run]["seconds"].values())
    return _shown(
        seconds / size, _smallest(found, run, lambda each: sum(each["seconds"].values())), found[size][run]["peak"]
    )


def _smallest(found: dict[int, dict[str, dict[str, Any]]], run: str, seconds: Any) -> float:
    """The seconds for each migration of the smallest project."""
    size = min(found)
    taken: float = seconds(found[size][run])
    return taken / size


def _shown(each: float, smallest: float, memory: float) -> str:
    growth = f"({each / smallest:.2f} x)" if smallest else ""
    return f"{each * 1e6:>9.0f} us {growth:>9} {memory:>5.0f} MB" if memory else " " * 30


if __name__ == "__main__":
    main()
