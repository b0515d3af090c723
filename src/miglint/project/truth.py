"""Three-valued truth: what is not known is neither true nor false."""

from __future__ import annotations

import enum


class Truth(enum.Enum):
    """Yes, no, or unknown. Asking it as a bool is an error: say `certain` or `possible`."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("a Truth is no bool: ask .certain or .possible")

    @property
    def certain(self) -> bool:
        """Known to be true."""
        return self is Truth.YES

    @property
    def possible(self) -> bool:
        """Not known to be false."""
        return self is not Truth.NO

    @property
    def refuted(self) -> bool:
        """Known to be false."""
        return self is Truth.NO

    def __invert__(self) -> Truth:
        return _NEGATION[self]

    @classmethod
    def of(cls, value: bool | None) -> Truth:
        """A bool as truth; None is unknown."""
        if value is None:
            return cls.UNKNOWN
        return cls.YES if value else cls.NO


_NEGATION = {Truth.NO: Truth.YES, Truth.YES: Truth.NO, Truth.UNKNOWN: Truth.UNKNOWN}


def either(*truths: Truth) -> Truth:
    """True where one of them is."""
    if any(truth is Truth.YES for truth in truths):
        return Truth.YES
    return Truth.NO if all(truth is Truth.NO for truth in truths) else Truth.UNKNOWN
