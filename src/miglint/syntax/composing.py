"""Strings put together from constants, without running Python's own formatting: it can be told to fill the memory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from miglint.syntax.facts import Expr, Items, Literal, Pairs, Template

# No SQL that a person wrote is longer.
MAX_LENGTH = 1_000_000
# Nor does one repeat a text until it is so long, but to try out a limit.
MAX_REPEATED = 10_000
_PERCENT = re.compile(r"%(?:%|\((\w+)\)[sd]|[sd])")
_BRACES = re.compile(r"\{\{|\}\}|\{(\w*)\}")
_PLAIN = ("str", "int")


def template_text(template: Template) -> str | None:
    """The text of an f-string whose parts are constants without a format of their own; None for all others."""
    return _joined([_text(part) for part in template.parts])


def percent_text(text: str, value: Expr) -> str | None:
    """`text % value`, where only plain `%s`, `%d` and `%(name)s` are used."""
    values = [_text(item) for item in value.items] if isinstance(value, Items) else [_text(value)]
    named = _named(value) if isinstance(value, Pairs) else {}
    given = iter(values)
    pieces: list[str | None] = []
    last = 0
    for found in _PERCENT.finditer(text):
        pieces.append(text[last : found.start()])
        last = found.end()
        if found[0] == "%%":
            pieces.append("%")
        else:
            pieces.append(named.get(found[1]) if found[1] is not None else next(given, None))
    pieces.append(text[last:])
    left_over = _PERCENT.sub("", text)
    if "%" in left_over or (not isinstance(value, Pairs) and next(given, None) is not None):
        return None
    return _joined(pieces)


def format_text(text: str, arguments: Sequence[Expr], keywords: Mapping[str, Expr]) -> str | None:
    """`text.format(…)`, where the fields are plain numbers and names."""
    values = [_text(argument) for argument in arguments]
    named = {name: _text(value) for name, value in keywords.items()}
    pieces: list[str | None] = []
    last = position = 0
    for found in _BRACES.finditer(text):
        pieces.append(text[last : found.start()])
        last = found.end()
        if found[0] in ("{{", "}}"):
            pieces.append(found[0][0])
        elif found[1] and not found[1].isdecimal():
            pieces.append(named.get(found[1]))
        else:
            at = int(found[1]) if found[1] and len(found[1]) < 4 else position
            position += 1
            pieces.append(values[at] if at < len(values) else None)
    pieces.append(text[last:])
    return _joined(pieces) if not re.search(r"[{}]", _BRACES.sub("", text)) else None


def join_text(separator: str, items: Sequence[Expr]) -> str | None:
    """`separator.join(items)`."""
    texts = [_text(item) for item in items]
    known = [text for text in texts if text is not None]
    return _joined([separator.join(known)]) if len(known) == len(texts) else None


def _named(pairs: Pairs) -> dict[str, str | None]:
    return {pair.key.text: _text(pair.value) for pair in pairs.pairs if isinstance(pair.key, Literal)}


def _text(value: Expr) -> str | None:
    if isinstance(value, Literal) and value.kind in _PLAIN:
        return value.text
    return template_text(value) if isinstance(value, Template) else None


def _joined(pieces: Sequence[str | None]) -> str | None:
    known = [piece for piece in pieces if piece is not None]
    if len(known) != len(pieces) or sum(map(len, known)) > MAX_LENGTH:
        return None
    return "".join(known)
