"""What names hold, and what an expression is by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

from miglint.syntax.facts import Expr, Items, Name, Opaque, Operation, Pair, Pairs

# More elements than any written list has; a comprehension over more is left as it is.
MAX_EXPANSION = 2_000
_MAX_RESOLUTION = 60
# `a = b + b`, `c = a + a` and so on double with each line, and names that stand for each other have no end: so many
# values may be joined into one, and so many steps be made for one question.
MAX_WEIGHT = 4_000
_MAX_STEPS = 100_000
# A condition may ask for a value that a condition chooses; one that asks for itself, by way of others, has no end.
_MAX_ASKED = 4
_CHARACTERS_A_STEP = 100
TOO_LARGE = "too large to be put together"


class Outside(Protocol):
    """What is known of the place where a body runs, and the body itself does not tell."""

    def holds(self, test: Expr, values: Names) -> bool | None:
        """Whether a condition holds there; None where that is not known."""

    def asks_for_database(self, test: Expr, values: Names) -> bool:
        """Whether that is known as soon as someone says which database is in use."""

    def attribute(self, of: Expr, name: str) -> Expr | bool:
        """The value of an attribute of something imported; False where it certainly has none, True where it may."""


class _Unknown:
    """Knows nothing of the place."""

    def holds(self, test: Expr, values: Names) -> bool | None:
        return None

    def asks_for_database(self, test: Expr, values: Names) -> bool:
        return False

    def attribute(self, of: Expr, name: str) -> Expr | bool:
        return True


NOTHING_KNOWN: Outside = _Unknown()


class _Steps:
    """How many steps are left of those that one question may take, and how many conditions are being asked."""

    __slots__ = ("asked", "left")

    def __init__(self) -> None:
        self.left = _MAX_STEPS
        self.asked = 0

    def begin(self, depth: int) -> None:
        """A question that is part of none has all steps."""
        if not depth and not self.asked:
            self.left = _MAX_STEPS

    def spend(self, number: int) -> bool:
        """Whether so many are left."""
        self.left -= number
        return self.left >= 0


steps = _Steps()


def is_affordable(text: str) -> bool:
    """Whether a text that was put together is not too long."""
    return steps.spend(len(text) // _CHARACTERS_A_STEP)


class Names:
    """What names hold; those that are not here are asked of `outer`, what no name tells of `around`."""

    __slots__ = ("around", "names", "outer", "weights")

    # How each kind of expression is resolved; looked up by the type: every expression of every migration comes by here.
    ways: ClassVar[Mapping[type, Callable[[Any, Names, int], Expr]]] = {}

    def __init__(
        self, outer: Names | None = None, names: dict[str, Expr] | None = None, around: Outside | None = None
    ) -> None:
        self.outer = outer
        self.names = {} if names is None else names
        self.around: Outside = around or (NOTHING_KNOWN if outer is None else outer.around)
        # Of how many values those are made that are made of others.
        self.weights: dict[str, int] = {}

    def get(self, name: str) -> Expr | None:
        found = self.names.get(name)
        if found is None and self.outer is not None:
            return self.outer.get(name)
        return found

    def weight_of(self, name: str) -> int:
        if name in self.names or self.outer is None:
            return self.weights.get(name, 1)
        return self.outer.weight_of(name)

    def put(self, name: str, value: Expr, weight: int = 1) -> None:
        self.names[name] = value if weight <= MAX_WEIGHT else Opaque(TOO_LARGE, value.span)
        self.weights[name] = weight if weight <= MAX_WEIGHT else 1

    def owner(self, name: str) -> Names:
        if name in self.names or self.outer is None:
            return self
        return self.outer.owner(name)

    def lose(self, name: str, why: str, place: Expr) -> None:
        if self.get(name) is not None:
            self.put(name, Opaque(why, place.span))

    def change(self, name: str, old: Expr, new: Expr, weight: int) -> None:
        """A list changes where it lives, under each name that it has: also a module's that a class body adds to."""
        owner = self.owner(name)
        owner.put(name, new, weight)
        scope: Names | None = self
        while scope is not None and _is_list(old):
            for other in [other for other, value in scope.names.items() if value is old]:
                scope.put(other, new, weight)
            scope = scope.outer

    def holds(self, test: Expr, depth: int = 0) -> bool | None:
        """Whether a condition holds; `depth` is that of the expression that it is a part of."""
        if isinstance(test, Name) and test.name.endswith("TYPE_CHECKING"):
            return False
        if steps.asked >= _MAX_ASKED:
            return None
        steps.begin(depth)
        steps.asked += 1
        try:
            return self.around.holds(test, self)
        finally:
            steps.asked -= 1

    def resolve(self, value: Expr, depth: int = 0) -> Expr:
        """A value with its outer shape known as far as possible: names replaced, lists joined, `*` unpacked.

        Only the outer shape: elements of a list are resolved when they are asked for.
        """
        way = self.ways.get(type(value))
        if way is None or depth > _MAX_RESOLUTION:
            return value
        steps.begin(depth)
        return way(value, self, depth) if steps.spend(1) else Opaque(TOO_LARGE, value.span)

    def resolve_all(self, value: Expr, depth: int = 0) -> Expr:
        """A value resolved, and the elements of its lists, tuples and dictionaries too."""
        resolved = self.resolve(value, depth)
        if depth > _MAX_RESOLUTION:
            return resolved
        if isinstance(resolved, Items | Pairs):
            steps.begin(depth)
        if isinstance(resolved, Items) and steps.spend(len(resolved.items)):
            items = tuple(self.resolve_all(item, depth + 1) for item in resolved.items)
            resolved = Items(resolved.kind, items, resolved.span)
        elif isinstance(resolved, Pairs) and steps.spend(len(resolved.pairs)):
            pairs = tuple(Pair(pair.key, self.resolve_all(pair.value, depth + 1)) for pair in resolved.pairs)
            resolved = Pairs(pairs, resolved.span)
        return self.unless_too_large(value, resolved) if isinstance(resolved, Items | Pairs) else resolved

    def unless_too_large(self, value: Expr, resolved: Expr) -> Expr:
        """What a value was resolved to. Of a name for which there were too few steps nobody need ask again."""
        if steps.left >= 0:
            return resolved
        if isinstance(value, Name) and value.scope == "free" and self.get(value.name) is not None:
            self.owner(value.name).put(value.name, Opaque(TOO_LARGE, value.span))
        return Opaque(TOO_LARGE, value.span)


def _is_list(value: Expr) -> bool:
    while isinstance(value, Operation) and value.operator == "+":
        value = value.operands[0]
    return isinstance(value, Items)
