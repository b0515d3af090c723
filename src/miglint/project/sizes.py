"""How large and how busy tables are, as far as the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

# More rows than any table has, and what 64 bits hold.
LARGEST = 2**63 - 1


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about tables, by their names in the database; `hot` and `small` may hold wildcards.

    `rows` are counts from the database's own statistics; `large` is the number of rows from which waiting matters.
    A table of which nothing is said is taken to be large.
    """

    hot: tuple[str, ...] = ()
    small: tuple[str, ...] = ()
    rows: Mapping[str, int] = {}
    large: int = 0

    def is_hot(self, table: str) -> bool:
        """Whether even a short wait for the table hurts."""
        return _matches(table, self.hot)

    def is_small(self, table: str) -> bool:
        """Whether work on the whole table is over at once. A hot table is small only where it is said to be."""
        if _matches(table, self.small):
            return True
        rows = self.rows.get(table)
        return rows is not None and rows < self.large and not self.is_hot(table)


def _matches(table: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(table, pattern) for pattern in patterns)
