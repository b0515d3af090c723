"""Three-valued truth: what is not known is neither true nor false."""

from __future__ import annotations

import enum


class Truth(enum.Enum):
    """Yes, no, or unknown. Asking it as a bool is an error: say `certain` or `possible`."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"

    certain: bool
    possible: bool
    refuted: bool

    def __init__(self, word: str) -> None:
        # Asked a hundred thousand times a run: an attribute costs half of what a property does.
        self.certain = word == "yes"  # known to be true
        self.possible = word != "no"  # not known to be false
        self.refuted = word == "no"  # known to be false

    def __bool__(self) -> bool:
        raise TypeError("a Truth is no bool: ask .certain or .possible")

    def __invert__(self) -> Truth:
        return _NEGATION[self]

    @classmethod
    def of(cls, value: bool | None) -> Truth:
        """A bool as truth; None is unknown."""
        return _OF[value]


_OF = {True: Truth.YES, False: Truth.NO, None: Truth.UNKNOWN}
_NEGATION = {Truth.NO: Truth.YES, Truth.YES: Truth.NO, Truth.UNKNOWN: Truth.UNKNOWN}


def all_of(*truths: Truth) -> Truth:
    """True where all of them are."""
    if any(truth is Truth.NO for truth in truths):
        return Truth.NO
    return Truth.YES if all(truth is Truth.YES for truth in truths) else Truth.UNKNOWN


def either(*truths: Truth) -> Truth:
    """True where one of them is."""
    if any(truth is Truth.YES for truth in truths):
        return Truth.YES
    return Truth.NO if all(truth is Truth.NO for truth in truths) else Truth.UNKNOWN
