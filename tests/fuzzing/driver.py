"""Runs inputs in processes of their own, so that one that dies or hangs is noticed, kept, and the others go on."""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .mutations import Mutator
from .pipeline import Failure, Pipeline
from .seeds import Files, Pieces, pieces, seeds

ROOT = Path(__file__).parent.parent.parent
# By the clock, on a busy machine: far above what any input may take. Seconds of the processor are judged more strictly.
_HANGS_AFTER = 60
SLOW = 5.0
_MEMORY = 4 * 1024**3
# Inputs of one seed follow each other: what is not mutated is in the cache then.
_A_SEED = 60


class Found(NamedTuple):
    """An input that failed, and how."""

    number: int
    what: str


class Result(NamedTuple):
    """What a run came to. `slowest` are seconds of the processor and input, the worst first."""

    inputs: int
    failures: list[Found]
    slowest: list[tuple[float, int]]
    seconds: float


@cache
def _seeds(with_packages: bool) -> tuple[list[Files], Pieces]:
    found = seeds(with_packages=with_packages)
    return found, pieces(found)


def input_of(seed: int, number: int, *, with_packages: bool) -> Files:
    """The project of a number: always the same."""
    projects, known = _seeds(with_packages)
    base = projects[random.Random(f"{seed} {number // _A_SEED}").randrange(len(projects))]
    return Mutator(random.Random(f"{seed} {number}"), known).mutate(base)


# -- in the worker ------------------------------------------------------------------------------------


def work(seed: int, numbers: range, *, with_packages: bool) -> None:
    """Examines inputs; tells of each on stdout when it begins and when it is done."""
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    _seeds(with_packages)
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="fuzzing", dir=_fast()) as folder:
        pipeline = Pipeline(Path(folder))
        for number in numbers:
            if number % _A_SEED == 0:
                pipeline.forget()
                gc.collect()  # commands turn the collector off
            print(json.dumps({"begun": number}), file=told, flush=True)
            # Also where no Python is running: the watchdog is a thread of C.
            faulthandler.dump_traceback_later(_HANGS_AFTER, exit=True)
            files = input_of(seed, number, with_packages=with_packages)
            started = time.process_time()
            failure = None
            try:
                pipeline.examine(files, random.Random(f"options {seed} {number}"))
            except Failure as error:
                failure = str(error)
            took = time.process_time() - started
            if failure is None and took > SLOW:
                failure = f"it takes {took:.1f} s"
            faulthandler.cancel_dump_traceback_later()
            print(json.dumps({"done": number, "took": took, "failure": failure}), file=told, flush=True)
        os.chdir(ROOT)


def _fast() -> str | None:
    """A directory in memory, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


# -- around it ----------------------------------------------------------------------------------------


def run(
    inputs: int, seed: int, *, start: int = 0, workers: int = 1, with_packages: bool = False, say: bool = False
) -> Result:
    """Examines that many inputs, from the number `start` on."""
    started = time.perf_counter()
    per = -(-inputs // workers)
    per += -per % _A_SEED
    ranges = [range(at, min(at + per, start + inputs)) for at in range(start, start + inputs, per)]
    failures: list[Found] = []
    times: list[tuple[float, int]] = []

    def follow(numbers: range) -> None:
        for number, took, failure in _results(seed, numbers, with_packages=with_packages):
            times.append((took, number))
            if failure is not None:
                failures.append(Found(number, failure))
            if say and (failure is not None or len(times) % 1_000 == 0):
                shown = f"input {number}: {failure[:1_500]}" if failure is not None else f"{len(times)} inputs"
                print(f"[{time.perf_counter() - started:.0f} s] {shown}", flush=True)

    with ThreadPoolExecutor(len(ranges)) as pool:
        list(pool.map(follow, ranges))
    return Result(len(times), sorted(failures), sorted(times, reverse=True)[:10], time.perf_counter() - started)


def _results(seed: int, numbers: range, *, with_packages: bool) -> Iterator[tuple[int, float, str | None]]:
    """Number, seconds and failure of each input. A process that ends too early is started again behind the input."""
    while numbers:
        reached = numbers.start
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
            process = subprocess.Popen(_command(seed, numbers, with_packages), stdout=subprocess.PIPE, stderr=errors,
                                       cwd=ROOT, text=True, env=_environment())  # fmt: skip
            assert process.stdout is not None
            done = True
            for line in process.stdout:
                told = json.loads(line)
                done = "done" in told
                reached = told["done"] if done else told["begun"]
                if done:
                    yield reached, told["took"], told["failure"]
            code = process.wait()
            errors.seek(0)
            said = errors.read()[-3_000:]
        if done and reached == numbers[-1] and not code:
            return
        if done and code:
            raise RuntimeError(f"a worker ended between inputs: {said}")
        yield reached, float(_HANGS_AFTER), f"the process ends with {code}\n{said}"
        numbers = range(reached + 1, numbers.stop)


def _command(seed: int, numbers: range, with_packages: bool) -> list[str]:
    arguments = ["--seed", str(seed), "--start", str(numbers.start), "--inputs", str(len(numbers)), "--work"]
    return [sys.executable, "-m", "tests.fuzzing", *arguments, *(["--packages"] if with_packages else [])]


def _environment() -> dict[str, str]:
    # The same order of sets in every run: an input that fails fails again.
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
    return os.environ | {"PYTHONPATH": paths, "PYTHONHASHSEED": "0", "COLUMNS": "100"}


def save(found: Found, seed: int, folder: Path, *, with_packages: bool) -> Path:
    """Writes an input that failed, and how; gives its folder."""
    target = folder / f"{seed}-{found.number}"
    shutil.rmtree(target, ignore_errors=True)
    for path, data in input_of(seed, found.number, with_packages=with_packages).items():
        file = target / "project" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    (target / "failure.txt").write_text(found.what, encoding="utf-8", errors="backslashreplace")
    return target
