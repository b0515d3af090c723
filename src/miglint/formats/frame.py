"""A piece of source with its line numbers, and carets under the exact span."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from miglint.formats.terminal import Cell, View, cells, is_plain, paint
from miglint.text import Position, Range, Source, Span

# The widest line shown where there is no terminal to ask: a 2 MB string is one line, too.
_WIDEST = 160
_NARROWEST = 40
_CONTEXT = 12


class Marked(NamedTuple):
    """A line as it is shown, and which of its columns are marked."""

    number: int
    text: str
    indent: int
    length: int


def frame(source: Source, span: Span, *, gutter: int, colors: tuple[str, ...], view: View) -> list[str]:
    """The lines of a span under carets; of several lines the first and the last.

    `gutter` is the width of the line numbers, `colors` those of the carets.
    """
    place = _trimmed(source, source.range(span))
    first, last = place.start.line, place.end.line
    lines = _show(_mark(source, first, place, gutter=gutter, view=view), gutter, colors, view)
    if last > first:
        if last == first + 2:
            between = _mark(source, first + 1, place, gutter=gutter, view=view)
            lines += _show(between._replace(length=0), gutter, colors, view)
        elif last > first + 2:
            lines.append(paint("." * 3 if view.ascii else "⋮".rjust(gutter), "blue", view=view))
        lines += _show(_mark(source, last, place, gutter=gutter, view=view), gutter, colors, view)
    return lines


def last_line(source: Source, span: Span) -> int:
    """The greatest line number that the frame of a span shows."""
    return _trimmed(source, source.range(span)).end.line


def _trimmed(source: Source, place: Range) -> Range:
    """Without a last line of which the span holds nothing but the line end before it."""
    start, end = place
    if end.line > start.line and not source.line(end.line)[: end.column - 1].strip():
        line = end.line - 1
        return _trimmed(source, Range(start, Position(line, len(source.line(line)) + 1)))
    return place


def _mark(source: Source, number: int, place: Range, *, gutter: int, view: View) -> Marked:
    text = source.line(number)
    start = place.start.column - 1 if number == place.start.line else len(text) - len(text.lstrip())
    end = place.end.column - 1 if number == place.end.line else len(text.rstrip())
    room = max(_NARROWEST, (view.width or _WIDEST) - gutter - 3)
    shown, indent, length = window(text, start, max(start, end), room=room, view=view)
    return Marked(number, shown, indent, length)


def _show(marked: Marked, gutter: int, colors: tuple[str, ...], view: View) -> list[str]:
    bar = "|" if view.ascii else "│"
    number = paint(f"{marked.number:>{gutter}} {bar}", "blue", view=view)
    lines = [f"{number} {marked.text}".rstrip()]
    if marked.length:
        empty = paint(f"{'':>{gutter}} {bar}", "blue", view=view)
        lines.append(f"{empty} {' ' * marked.indent}{paint('^' * marked.length, *colors, view=view)}")
    return lines


def window(text: str, start: int, end: int, *, room: int, view: View) -> tuple[str, int, int]:
    """The part of a line around `text[start:end]` that fits into `room` columns.

    Gives the part as shown, the columns before the marked ones, and how many are marked (at least one).
    """
    left = max(0, start - 2 * room)
    right = min(len(text), start + 2 * room)
    part = text[left:right].rstrip("\r\n")
    first = min(start - left, len(part))
    last = min(max(end, start) - left, len(part))
    whole = left == 0 and right == len(text)
    if whole and len(part) <= room and is_plain(part):
        return part.rstrip(), first, max(1, last - first)
    row = cells(part, ascii=view.ascii)
    edges = [0, *accumulate(width for _, width in row)]
    if whole and edges[-1] <= room:
        return _part(row), edges[first], max(1, edges[last] - edges[first])
    return _cut(row, edges, first, last, room=room, more=right < len(text), begun=left > 0, view=view)


def _part(row: list[Cell]) -> str:
    return "".join(shown for shown, _ in row).rstrip()


def _cut(
    row: list[Cell],
    edges: list[int],
    first: int,
    last: int,
    *,
    room: int,
    more: bool,
    begun: bool,
    view: View,
) -> tuple[str, int, int]:
    dots = "..." if view.ascii else "…"
    inner = room - 2 * len(dots)
    marked = edges[last] - edges[first]
    # A span that fits is shown whole, with what room is left shared by both sides; of a longer one the start.
    before = max(_CONTEXT if marked > inner - _CONTEXT else 0, (inner - marked) // 2)
    begin = first
    while begin > 0 and edges[first] - edges[begin - 1] <= before:
        begin -= 1
    if not begun and edges[begin] <= len(dots):
        begin = 0
    stop = begin
    while stop < len(row) and edges[stop + 1] - edges[begin] <= inner:
        stop += 1
    prefix = dots if begin > 0 or begun else ""
    suffix = dots if stop < len(row) or more else ""
    shown = prefix + "".join(text for text, _ in row[begin:stop]) + suffix
    length = edges[min(max(last, first), stop)] - edges[first]
    return shown, len(prefix) + edges[first] - edges[begin], max(1, length)
