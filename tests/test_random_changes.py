"""What is predicted of changes that nobody thought of agrees with what a real PostgreSQL does for them.

`python tests/test_random_changes.py 2000 7` compares 2,000 of them, made with the seed 7.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from effects import Prediction
from measure import measured
from random_changes import case

CASES = 120
SEED = 20261127


def compared(number: int, seed: int) -> dict[str, tuple[Any, Any]]:
    """The predicted and the measured effect of each case that the database does not refuse, by its sources."""
    rng = random.Random(seed)
    cases = {str(each): case(rng) for each in range(number)}
    done = measured(cases)
    found = {}
    for name, sources in cases.items():
        if "refused" in done["cases"][name]:
            continue  # a value that does not fit, two rows with one value, a column that is there
        what = Prediction({**sources, "version": f"PostgreSQL {done['version']}", "django": done["django"]})
        predicted = {
            "locks": what.locks,
            "rewritten": sorted(what.rewritten),
            "scanned": sorted(what.scanned),
            "indexes": what.indexes,
        }
        found[f"{sources['before']} → {sources['operation']}"] = (predicted, done["cases"][name])
    return found


def test_a_real_server_does_what_is_predicted_of_any_change() -> None:
    found = compared(CASES, SEED)
    assert len(found) > 0.8 * CASES
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}


if __name__ == "__main__":
    pairs = compared(int(sys.argv[1]), int(sys.argv[2]))
    different = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    for name, (mine, theirs) in different.items():
        print(f"{name}\n  predicted {mine}\n  measured  {theirs}")
    print(f"{len(pairs) - len(different)} of {len(pairs)} agree, {int(sys.argv[1]) - len(pairs)} are refused")
