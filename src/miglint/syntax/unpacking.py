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
        pairs = inner.pairs if isinstance(inner, Pairs) else ()
        names = [known.resolve(pair.key, depth + 1) if pair.key is not None else None for pair in pairs]
        if isinstance(inner, Pairs) and all(map(_is_text, names)):
            keywords.extend(
                Keyword(name.text, pair.value, keyword.span)
                for name, pair in zip(names, pairs, strict=True)
                if isinstance(name, Literal)
            )
        else:
            keywords.append(keyword)
    arguments = unpack(Items("list", value.arguments), known, depth)
    assert isinstance(arguments, Items)
    return Call(value.function, arguments.items, tuple(keywords), value.span)


def has_starred(items: tuple[Expr, ...]) -> bool:
    return Starred in map(type, items)


def has_unnamed(keywords: tuple[Keyword, ...]) -> bool:
    return None in [keyword.name for keyword in keywords]


def _is_text(key: Expr | None) -> bool:
    return isinstance(key, Literal) and key.kind == "str"
