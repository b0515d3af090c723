"""`python -m tests.fuzzing --inputs 100000 --seed 7`: mutated projects through every command, as long as you like."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

# What the tests import by their own names.
sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent / "src")]

from tests.fuzzing import driver  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000, help="how many (1,000)")
    parser.add_argument("--seed", type=int, help="the same seed makes the same inputs; else another one each time")
    parser.add_argument("--start", type=int, default=0, help="the number of the first: with --inputs 1 it alone")
    parser.add_argument("--workers", type=int, default=1, help="processes (1)")
    parser.add_argument("--packages", action="store_true", help="mutate the migrations of installed packages, too")
    parser.add_argument("--save", type=Path, default=Path("failures"), help="where inputs that fail are kept")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(1_000_000)
    if given.work:
        numbers = range(given.start, given.start + given.inputs)
        driver.work(seed, numbers, with_packages=given.packages)
        return
    result = driver.run(given.inputs, seed, start=given.start, workers=given.workers, with_packages=given.packages,
                        say=True)  # fmt: skip
    for found in result.failures:
        print(f"input {found.number} is kept in {driver.save(found, seed, given.save, with_packages=given.packages)}")
    each = ", ".join(f"{seconds:.2f} s ({number})" for seconds, number in result.slowest[:5])
    print(
        f"seed {seed}: {result.inputs} inputs in {result.seconds:.0f} s, {len(result.failures)} failed; slowest: {each}"
    )
    raise SystemExit(1 if result.failures else 0)


if __name__ == "__main__":
    main()
