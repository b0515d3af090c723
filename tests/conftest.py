"""What tests would do again and again, and what comes out the same, is done once a process."""

from __future__ import annotations

import os
import sys
from functools import lru_cache

import pytest

from miglint import workers

# Most projects of tests have files in common, and the facts of a text follow from the text alone. Tests of the readers
# call them themselves.
workers.read_encoded = lru_cache(10_000)(workers.read_encoded)
# Hundreds of processes are started of the same modules: where the environment says that none keeps what it compiled,
# each would compile all of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The files that take longest begin first: the last of them would have all others wait for it.
LONGEST = (
    "test_equal_to_django.py", "test_real_packages.py", "test_fuzzing.py", "test_proved_by_django.py",
    "test_hostile_projects.py", "test_random_changes.py", "test_pre_commit.py", "test_postgresql.py",
    "test_metamorphic.py", "test_pages.py", "test_baseline.py", "test_recipes_on_postgresql.py",
    "test_rows_proved_by_django.py", "test_same_report.py",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    # pytest-xdist would have the files with most tests begin.
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))
