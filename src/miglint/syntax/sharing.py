"""What the facts of many files have in common, once in memory: places, and names.

The facts of a hundred thousand migrations have millions of spans, and a few hundred thousand different ones.
"""

from __future__ import annotations

import msgspec

from miglint.syntax.facts import ModuleFacts
from miglint.text import Span

# Longer texts are seldom the same.
_LONGEST = 32


class Sharing:
    """The spans and short texts of all facts that it was given."""

    def __init__(self) -> None:
        self._known: dict[object, object] = {}

    def share(self, facts: ModuleFacts) -> ModuleFacts:
        """The same facts, whose spans and short texts are those of the facts before, where they are equal."""
        known, put = self._known, msgspec.structs.force_setattr
        pending: list[msgspec.Struct] = [facts]
        while pending:
            node = pending.pop()
            for name in node.__struct_fields__:
                value = getattr(node, name)
                if isinstance(value, str) and len(value) < _LONGEST:
                    first = known.setdefault(value, value)
                    if first is not value:
                        put(node, name, first)
                elif isinstance(value, Span):
                    first = known.setdefault(value, value)
                    if first is not value:
                        put(node, name, first)
                    else:
                        put(value, "start", known.setdefault(value.start, value.start))
                        put(value, "end", known.setdefault(value.end, value.end))
                elif isinstance(value, tuple):
                    pending.extend(each for each in value if isinstance(each, msgspec.Struct))
                elif isinstance(value, msgspec.Struct):
                    pending.append(value)
        return facts
