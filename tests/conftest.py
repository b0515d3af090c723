"""What tests would do again and again, and what comes out the same, is done once a process."""

from __future__ import annotations

import os
import sys
from functools import lru_cache

from miglint import workers

# Most projects of tests have files in common, and the facts of a text follow from the text alone. Tests of the readers
# call them themselves.
workers.read_encoded = lru_cache(10_000)(workers.read_encoded)
# Hundreds of processes are started of the same modules: where the environment says that none keeps what it compiled,
# each would compile all of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
