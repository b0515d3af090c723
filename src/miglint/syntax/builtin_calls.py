"""What calls of Python's own functions give, where they only put known values together."""

from __future__ import annotations

from collections.abc import Callable

from miglint.syntax.facts import Call, Expr, Items, Literal, Pair, Pairs, Starred

_Lists = tuple[tuple[Expr, ...], ...]


def called(name: str, arguments: tuple[Expr, ...], call: Call, most: int) -> Expr | None:
    """The value of a call whose arguments are resolved; None where it is not known, or has more than `most` items."""
    if name == "dict":
        return _dict(arguments, call)
    if call.keywords:
        return None
    if name == "range":
        return _range(arguments, call, most)
    lists = [elements(argument) for argument in arguments]
    known = tuple(each for each in lists if each is not None)
    found = _OF_LISTS[name](known) if len(known) == len(lists) else None
    return Items("list", found, call.span) if found is not None else None


def elements(value: Expr) -> tuple[Expr, ...] | None:
    """What one comes by in going through a list or a dictionary; None where that is not known."""
    if isinstance(value, Pairs):
        keys = tuple(pair.key for pair in value.pairs if pair.key is not None)
        return keys if len(keys) == len(value.pairs) else None
    if not isinstance(value, Items) or any(isinstance(item, Starred) for item in value.items):
        return None
    return value.items


def _list(lists: _Lists) -> tuple[Expr, ...] | None:
    return () if not lists else lists[0] if len(lists) == 1 else None


def _reversed(lists: _Lists) -> tuple[Expr, ...] | None:
    return lists[0][::-1] if len(lists) == 1 else None


def _enumerate(lists: _Lists) -> tuple[Expr, ...] | None:
    if len(lists) != 1:
        return None
    return tuple(Items("tuple", (Literal("int", str(at), each.span), each)) for at, each in enumerate(lists[0]))


def _zip(lists: _Lists) -> tuple[Expr, ...] | None:
    return tuple(Items("tuple", each) for each in zip(*lists, strict=False))


def _sorted(lists: _Lists) -> tuple[Expr, ...] | None:
    """Of texts; what else may be compared is left as it is."""
    texts = [each for each in lists[0] if isinstance(each, Literal) and each.kind == "str"] if len(lists) == 1 else []
    if len(lists) != 1 or len(texts) != len(lists[0]):
        return None
    return tuple(sorted(texts, key=lambda text: text.text))


def _range(arguments: tuple[Expr, ...], call: Call, most: int) -> Expr | None:
    numbers = [each.value for each in arguments if isinstance(each, Literal) and each.kind == "int"]
    if not 1 <= len(arguments) <= 3 or len(numbers) != len(arguments) or not all(isinstance(n, int) for n in numbers):
        return None
    if len(numbers) == 3 and numbers[2] == 0:
        return None
    found = range(*numbers)
    # Of a range of huge numbers the length cannot be asked.
    if found[most:]:
        return None
    return Items("list", tuple(Literal("int", str(number), call.span) for number in found), call.span)


def _dict(arguments: tuple[Expr, ...], call: Call) -> Expr | None:
    pairs: tuple[Pair, ...] = ()
    if arguments:
        given = arguments[0]
        if len(arguments) > 1 or isinstance(given, Items | Starred):
            return None
        pairs = given.pairs if isinstance(given, Pairs) else (Pair(None, given),)
    own = tuple(
        Pair(None if keyword.name is None else Literal("str", keyword.name, keyword.span), keyword.value)
        for keyword in call.keywords
    )
    return Pairs((*pairs, *own), call.span)


_OF_LISTS: dict[str, Callable[[_Lists], tuple[Expr, ...] | None]] = {
    "list": _list,
    "tuple": _list,
    "reversed": _reversed,
    "enumerate": _enumerate,
    "zip": _zip,
    "sorted": _sorted,
}
BUILTINS = frozenset({*_OF_LISTS, "dict", "range"})
