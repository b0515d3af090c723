"""Values whose equality ignores where and how they are written."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Value(msgspec.Struct, frozen=True, eq=False):
    """A frozen struct; the fields in `not_compared` count neither for equality nor for the hash."""

    not_compared: ClassVar[frozenset[str]] = frozenset({"span"})

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return False
        left_out = self.not_compared
        return all(
            getattr(self, name) == getattr(other, name) for name in self.__struct_fields__ if name not in left_out
        )

    def __ne__(self, other: object) -> bool:
        # msgspec's own would compare all fields.
        return not self == other

    def __hash__(self) -> int:
        left_out = self.not_compared
        values = (getattr(self, name) for name in self.__struct_fields__ if name not in left_out)
        return hash((type(self).__name__, *values))
