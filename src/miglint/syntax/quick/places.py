"""Where the nodes of an `ast` tree stand in the text."""

from __future__ import annotations

import ast
import re

from miglint.syntax.layout import after_trivia
from miglint.text import Span, line_starts

Placed = ast.expr | ast.stmt | ast.keyword | ast.arg | ast.alias


class Unsure(Exception):
    """The tree does not tell enough to give the facts that LibCST's gives."""


class Places:
    """From lines and columns to offsets. `ast` counts columns in bytes of UTF-8.

    `parsed` is the text that was parsed, `start` the offset that its first character has in the file's text.
    """

    def __init__(self, parsed: str, start: int) -> None:
        starts = line_starts(parsed)
        self._wide: dict[int, bytes] = {}
        if not parsed.isascii():
            lines = (parsed[first:last] for first, last in zip(starts, [*starts[1:], len(parsed)], strict=True))
            self._wide = {number: line.encode() for number, line in enumerate(lines, 1) if not line.isascii()}
        # Lines are counted from 1.
        self._starts = [0, *(start + offset for offset in starts)]

    def span(self, node: Placed) -> Span:
        """A node's span as `ast` sees it: a tuple and a generator expression with their parentheses."""
        starts = self._starts
        first, last = node.lineno, node.end_lineno or 0
        if self._wide:
            return Span(self._offset(first, node.col_offset), self._offset(last, node.end_col_offset or 0))
        return Span(starts[first] + node.col_offset, starts[last] + (node.end_col_offset or 0))

    def _offset(self, line: int, column: int) -> int:
        wide = self._wide.get(line)
        return self._starts[line] + (column if wide is None else len(wide[:column].decode()))


def inside(text: str, span: Span, first: Span, last: Span) -> Span:
    """What stands within the parentheses of `span`, from its first part to its last and a comma behind it."""
    start = after_trivia(text, span.start + 1) if first.start != span.start + 1 else first.start
    end = last.end
    while (at := after_trivia(text, end)) < span.end - 1 and text[at] in "),":
        end = at + 1
    return Span(start, end)


def is_parenthesized(text: str, span: Span, first: Span) -> bool:
    """Whether a tuple that is not empty stands in parentheses of its own: more are opened in front of its first
    item than are closed behind it."""
    if text[span.start] != "(":
        return False
    opened = sum(map(_without_comments(text[span.start : first.start]).count, "("))
    closed, at = 0, after_trivia(text, first.end)
    while text[at : at + 1] == ")":
        closed, at = closed + 1, after_trivia(text, at + 1)
    return opened > closed


def _without_comments(text: str) -> str:
    return re.sub(r"#[^\r\n]*", "", text) if "#" in text else text
