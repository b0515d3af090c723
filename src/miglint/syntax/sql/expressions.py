"""What an expression within an SQL statement says of columns."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.syntax.sql.words import Word, closes_at_end

# Nobody writes a condition in so many parentheses; each takes a pass over the words.
MAX_NESTED = 20
_IN_EXPRESSIONS = {"AND", "OR", "NOT", "IS", "NULL", "IN", "LIKE", "ILIKE", "BETWEEN", "TRUE", "FALSE", "ANY", "ALL"}


def unwrapped(words: list[Word]) -> list[Word]:
    """The words of an expression without the parentheses around all of it; of very many some are left."""
    for _ in range(MAX_NESTED):
        if words and words[0].upper == "(" and closes_at_end(words):
            words = words[1:-1]
    return words


def named_in(words: list[Word]) -> Iterator[str]:
    """The names in an expression that may be columns."""
    after = [word.upper for word in words[1:]]
    for word, following in zip(words, [*after, ""], strict=False):
        if word.kind == "name":
            yield word.text
        elif word.kind == "word" and word.text[:1].isalpha() and following != "(" and word.upper not in _IN_EXPRESSIONS:
            yield word.text.lower()


def proven_not_null(words: list[Word], nested: int = 0) -> Iterator[str]:
    """The columns of `a IS NOT NULL AND (b IS NOT NULL) AND a > 0`; none where not all parts have to hold.

    `nested` is in how many parentheses; in very many nothing is looked for.
    """
    parts: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.upper, 0)
        if depth == 0 and word.upper in ("OR", "BETWEEN", "CASE", "NOT") and (word.upper != "NOT" or not _is_is(parts)):
            return
        if depth == 0 and word.upper == "AND":
            parts.append([])
        else:
            parts[-1].append(word)
    for part in parts:
        if len(part) == 4 and [word.upper for word in part[1:]] == ["IS", "NOT", "NULL"]:
            yield from named_in(part[:1])
        elif len(part) > 2 and nested < MAX_NESTED and closes_at_end(part):
            yield from proven_not_null(part[1:-1], nested + 1)


def _is_is(parts: list[list[Word]]) -> bool:
    """Whether what comes last is the `IS` of `IS NOT`."""
    return bool(parts[-1]) and parts[-1][-1].upper == "IS"
