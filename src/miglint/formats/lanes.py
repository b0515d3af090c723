"""A graph drawn with lines, oldest first: one lane for each edge that is under way, as `git log --graph` has them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T", bound=Hashable)


class Row(NamedTuple, Generic[T]):
    """A line of the drawing; `node` is what stands on it, None on the lines where lanes part or meet."""

    drawing: str
    node: T | None


class Pen(NamedTuple):
    """What lines are drawn with."""

    line: str = "│"
    across: str = "─"
    over: str = "┼"
    tee: str = "├"
    parts: str = "╮"
    meets: str = "╯"
    also_parts: str = "┬"
    also_meets: str = "┴"


ASCII = Pen("|", "-", "+", "+", ".", "'", "+", "+")


def draw(
    order: Sequence[T], parents: Mapping[T, Sequence[T]], glyphs: Mapping[T, str], pen: Pen | None = None
) -> Iterator[Row[T]]:
    """The rows of a graph whose nodes come in an order with parents first; a parent that comes later has no line."""
    return _Drawing(order, parents, glyphs, pen or Pen()).rows()


class _Drawing(Generic[T]):
    """Lanes hold the node that an edge leads to; None is free."""

    def __init__(self, order: Sequence[T], parents: Mapping[T, Sequence[T]], glyphs: Mapping[T, str], pen: Pen) -> None:
        places = {node: place for place, node in enumerate(order)}
        self._order = order
        self._glyphs = glyphs
        self._pen = pen
        self._children: dict[T, list[T]] = {node: [] for node in order}
        for node in order:
            for parent in parents.get(node, ()):
                if places.get(parent, len(places)) < places[node]:
                    self._children[parent].append(node)
        self._lanes: list[T | None] = []

    def rows(self) -> Iterator[Row[T]]:
        ended: int | None = None
        for node in self._order:
            mine = [at for at, target in enumerate(self._lanes) if target == node]
            lane = mine[0] if mine else self._free(0)
            if not mine and lane == ended:  # else it would look as if it followed what ends there
                yield Row(self._line({}), None)
            if len(mine) > 1:
                yield Row(self._connector(lane, mine[1:], self._pen.meets, self._pen.also_meets), None)
                for at in mine[1:]:
                    self._lanes[at] = None
            self._put(lane, node)
            yield Row(self._line({lane: self._glyphs[node]}), node)
            children = self._children[node]
            if not children:
                self._lanes[lane] = None
                self._trim()
                ended = lane
                continue
            ended = None
            self._put(lane, children[0])
            branches = []
            for child in children[1:]:
                at = self._free(lane + 1)
                self._put(at, child)
                branches.append(at)
            if branches:
                yield Row(self._connector(lane, branches, self._pen.parts, self._pen.also_parts), None)

    def _free(self, start: int) -> int:
        return next(
            (at for at in range(start, len(self._lanes)) if self._lanes[at] is None), max(len(self._lanes), start)
        )

    def _put(self, lane: int, node: T) -> None:
        while len(self._lanes) <= lane:
            self._lanes.append(None)
        self._lanes[lane] = node

    def _trim(self) -> None:
        while self._lanes and self._lanes[-1] is None:
            self._lanes.pop()

    def _line(self, glyphs: Mapping[int, str]) -> str:
        cells = [
            glyphs.get(at) or (self._pen.line if target is not None else " ") for at, target in enumerate(self._lanes)
        ]
        return " ".join(cells).rstrip()

    def _connector(self, lane: int, others: Sequence[int], end: str, also: str) -> str:
        """From a lane to others on its right, over those between."""
        pen, last = self._pen, max(others)
        text = ""
        for at, target in enumerate(self._lanes):
            inside = lane <= at < last
            if at == lane:
                text += pen.tee
            elif at in others:
                text += end if at == last else also
            elif lane < at < last:
                text += pen.over if target is not None else pen.across
            else:
                text += pen.line if target is not None else " "
            text += pen.across if inside else " "
        return text.rstrip()
