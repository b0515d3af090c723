"""How much of each app's history is known at a point: what branches have to tell each other where they meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import compress, count
from operator import lt

import msgspec


class Reach(msgspec.Struct, frozen=True, gc=False):
    """By app, how many writes there are up to the last one that is known, and of which apps some of these are not.

    Two points are compared at the price of a few microseconds, whatever they know: no app is looked at of which there
    is nothing new. Source: vector clocks, https://en.wikipedia.org/wiki/Vector_clock
    """

    lengths: tuple[int, ...]
    gaps: frozenset[int] = frozenset()

    @classmethod
    def nothing(cls, apps: int) -> Reach:
        """That of a point at which nothing is known of so many apps."""
        return cls((0,) * apps)

    def ahead(self, other: Reach) -> tuple[list[int], list[int]]:
        """The apps of which another knows more for certain, and all that is known here; and those of which it may."""
        longer = list(compress(count(), map(lt, self.lengths, other.lengths)))
        if not self.gaps and not other.gaps:
            return longer, []
        doubtful = self.gaps | other.gaps.intersection(longer)
        return [app for app in longer if app not in doubtful], sorted(doubtful)

    def with_those_of(self, other: Reach, apps: Iterable[int]) -> Reach:
        """With some apps, of which neither has gaps, as another has them."""
        lengths = list(self.lengths)
        for app in apps:
            lengths[app] = other.lengths[app]
        return Reach(tuple(lengths), self.gaps)

    def knowing(self, writes: Mapping[int, int]) -> Reach:
        """With the writes that are known of some apps, as bits."""
        lengths = list(self.lengths)
        for app, known in writes.items():
            lengths[app] = known.bit_length()
        gaps = {app for app, known in writes.items() if known & known + 1}
        if gaps or self.gaps:
            return Reach(tuple(lengths), frozenset(gaps | (self.gaps - writes.keys())))
        return Reach(tuple(lengths))
