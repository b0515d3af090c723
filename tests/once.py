"""What tests share below `.cache` is made once: they run in several processes."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

# Where a link leads: Django says the paths of what it imported.
CACHE = (Path(__file__).parent.parent / ".cache").resolve()


def once(made: Path, make: Callable[[], object]) -> None:
    """Has `make` make what a file stands for, unless that is there; who comes meanwhile waits for it."""
    lock = CACHE / "locks" / "-".join(made.relative_to(CACHE).parts)
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not made.is_file():
            make()
