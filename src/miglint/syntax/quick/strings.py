"""The pieces of strings that `ast` has put together, found again in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from miglint.syntax.layout import after_trivia
from miglint.syntax.quick.places import Unsure
from miglint.text import Span

_QUOTED = r"""
      "{3} [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* "{3}
    | '{3} [^'\\]* (?: (?: \\. | '(?!'') ) [^'\\]* )* '{3}
    | " [^"\\\r\n]* (?: \\ (?: \r\n | . ) [^"\\\r\n]* )* "
    | ' [^'\\\r\n]* (?: \\ (?: \r\n | . ) [^'\\\r\n]* )* '
"""
_PIECE = re.compile(rf"([A-Za-z]*)({_QUOTED})", re.VERBOSE | re.DOTALL)
_BRACE = re.compile(r"[{}]")
# What ends an expression within braces, and what hides such an end.
_TOKEN = re.compile(rf"{_QUOTED} | [(\[{{}}\])] | [!=<>:]= | [!:=\\\#]", re.VERBOSE | re.DOTALL)
_CONVERSION = re.compile(r"[ \t\f\r\n]*(?:![ \t]*[a-z][ \t]*)?")


class Piece(NamedTuple):
    """One of several strings that stand side by side."""

    span: Span
    prefix: str
    body: Span


class Field(NamedTuple):
    """What stands in braces: where its expression is, and whether it has a format or a conversion."""

    expression: Span
    formatted: bool


def pieces(text: str, span: Span) -> Iterator[Piece]:
    """The strings that a span consists of. Raises Unsure where it is something else."""
    at = span.start
    while at < span.end:
        found = _PIECE.match(text, at)
        if found is None or found.end() > span.end:
            raise Unsure
        quotes = 3 if found[2].startswith(('"""', "'''")) and len(found[2]) > 5 else 1
        yield Piece(Span(at, found.end()), found[1].lower(), Span(found.start(2) + quotes, found.end() - quotes))
        at = after_trivia(text, found.end())


def fields(text: str, piece: Piece) -> Iterator[str | Field]:
    """The literal texts of an f-string, as they are written, and its fields. Raises Unsure where it is too odd."""
    at, end = piece.body.start, piece.body.end
    if "r" not in piece.prefix and text.find("\\N{", at, end) >= 0:
        raise Unsure
    literal = at
    while (brace := _BRACE.search(text, at, end)) is not None:
        at = brace.end()
        if at < end and text[at] == brace[0]:  # doubled: a brace of the text
            at += 1
            continue
        if brace[0] == "}":
            raise Unsure
        if literal < brace.start():
            yield text[literal : brace.start()]
        field, literal = _field(text, at, end)
        yield field
        at = literal
    if literal < end:
        yield text[literal:end]


def _field(text: str, start: int, end: int) -> tuple[Field, int]:
    """The field whose expression starts here, and where it ends."""
    depth = 0
    for token in _TOKEN.finditer(text, start, end):
        word = token[0]
        if word in "([{":
            depth += 1
        elif depth and word in ")]}":
            depth -= 1
        elif word in "\\#":
            raise Unsure
        elif depth == 0 and word in ("}", "!", ":", "=", ":="):
            expression = Span(start, token.start())
            at = token.end() if word == "=" else token.start()
            found = _CONVERSION.match(text, at, end)
            assert found is not None
            converted = "!" in found[0]
            at = found.end()
            if text[at:end].startswith(":"):
                return Field(expression, True), _format_end(text, at + 1, end)
            if text[at:end].startswith("}"):
                return Field(expression, converted), at + 1
            break
        elif word in ")]}":
            break
    raise Unsure


def _format_end(text: str, at: int, end: int) -> int:
    """Where a field with a format ends."""
    depth = 0
    for brace in _BRACE.finditer(text, at, end):
        if brace[0] == "{":
            depth += 1
        elif depth:
            depth -= 1
        else:
            return brace.end()
        if depth > 1:
            break
    raise Unsure
