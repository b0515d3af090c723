"""`*` and `**` of what is known, written out."""

from __future__ import annotations

from miglint.syntax.facts import Call, Expr, Items, Keyword, Literal, Pair, Pairs, Starred
from miglint.syntax.names import Names, steps


def unpack(value: Items, known: Names, depth: int) -> Expr:
    if not has_starred(value.items):
        return value
    items: list[Expr] = []
    for item in value.items:
        inner = known.resolve(item.value, depth + 1) if isinstance(item, Starred) else item
        if isinstance(item, Starred) and isinstance(inner, Items) and steps.spend(len(inner.items)):
            items.extend(inner.items)
        elif isinstance(item, Starred):
            items.append(Starred(inner, item.span))
        else:
            items.append(item)
    return Items(value.kind, tuple(items), value.span)


def merge_pairs(value: Pairs, known: Names, depth: int) -> Pairs:
    if not any(pair.key is None for pair in value.pairs):
        return value
    pairs: list[Pair] = []
    for pair in value.pairs:
        inner = known.resolve(pair.value, depth + 1) if pair.key is None else None
        pairs.extend(inner.pairs if isinstance(inner, Pairs) else (pair,))
    return Pairs(tuple(pairs), value.span)


def spread(value: Call, known: Names, depth: int) -> Call:
    """A call with `*[…]` and `**{…}` of known values written out."""
    keywords: list[Keyword] = []
    for keyword in value.keywords:
        inner = known.resolve(keyword.value, depth + 1) if keyword.name is None else None
        named = _named(inner, known, depth) if isinstance(inner, Pairs) else None
        if named is None:
            keywords.append(keyword)
        else:
            keywords.extend(Keyword(name, each, keyword.span) for name, each in named)
    arguments = unpack(Items("list", value.arguments), known, depth)
    assert isinstance(arguments, Items)
    return Call(value.function, arguments.items, tuple(keywords), value.span)


def has_starred(items: tuple[Expr, ...]) -> bool:
    return Starred in map(type, items)


def has_unnamed(keywords: tuple[Keyword, ...]) -> bool:
    return None in [keyword.name for keyword in keywords]


def _named(value: Pairs, known: Names, depth: int) -> list[tuple[str, Expr]] | None:
    """The names that a dictionary gives as `**`, with their values; None where one of them is not known."""
    found: list[tuple[str, Expr]] = []
    for pair in value.pairs:
        key = known.resolve(pair.key, depth + 1) if pair.key is not None else None
        if not isinstance(key, Literal) or key.kind != "str":
            return None
        found.append((key.text, pair.value))
    return found
