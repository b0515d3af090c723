"""A source text, and where a character of it is."""

from __future__ import annotations

import io
from bisect import bisect_right
from itertools import accumulate, count
from operator import add
from typing import NamedTuple

import msgspec

from miglint.lazy import lazy


class Span(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A half-open range of characters (code points) of one text."""

    start: int
    end: int


NOWHERE = Span(0, 0)


class Position(NamedTuple):
    """A place as people count it: line and column from 1, the column in characters."""

    line: int
    column: int


class Range(NamedTuple):
    """Two positions; `end` is exclusive."""

    start: Position
    end: Position


class UndecodableSource(ValueError):
    """The bytes of a file are no Python text; says why, and at which line where that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def line_starts(text: str) -> list[int]:
    """The offset of each line's first character."""
    if "\r" in text:
        text = text.replace("\r\n", " \n").replace("\r", "\n")
    return list(map(add, accumulate(map(len, text.split("\n")), initial=0), count()))[:-1]


class Source:
    """A decoded file: its text, and the way from an offset to a line and a column.

    Lines end as Python's tokenizer ends them: at LF, CR LF or CR, and nowhere else (a form feed or U+2028
    does not end a line).
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    @lazy
    def _line_starts(self) -> list[int]:
        return line_starts(self.text)

    def position(self, offset: int) -> Position:
        """The line and column (both from 1) of the character at `offset`."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._line_starts, offset)
        return Position(line, offset - self._line_starts[line - 1] + 1)

    def range(self, span: Span) -> Range:
        """Where a span starts and ends."""
        return Range(self.position(span.start), self.position(span.end))

    def offset(self, line: int, column: int = 1) -> int:
        """The offset of a line and column (both from 1); places past the end are moved back to it."""
        starts = self._line_starts
        if line > len(starts):
            return len(self.text)
        return min(starts[max(line, 1) - 1] + column - 1, len(self.text))

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its line ending."""
        starts = self._line_starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    @property
    def line_count(self) -> int:
        return len(self._line_starts)


def decode(data: bytes) -> str:
    """The text of a Python file, by its BOM or coding cookie (PEP 263), UTF-8 without them.

    Line endings are kept. Raises UndecodableSource.
    """
    if b"\0" in data:
        raise UndecodableSource("the file contains a NUL byte", data[: data.index(b"\0")].count(b"\n") + 1)
    if data.isascii() and b"coding" not in data[:400]:
        return data.decode("ascii")
    try:
        import tokenize  # few files are not ASCII

        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        byte = data[error.start]
        raise UndecodableSource(f"byte 0x{byte:02x} is not valid {error.encoding}", line) from None
    except (SyntaxError, LookupError) as error:
        raise UndecodableSource(str(error), 1) from None
