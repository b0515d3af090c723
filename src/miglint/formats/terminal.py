"""What a terminal can show: colours, widths, and text that cannot take it over."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import msgspec

from miglint.diagnostic import Severity


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads the text: `width` is the terminal's, None where there is none (a pipe, a file).

    `cwd` is absolute with `/`. `ascii` is for terminals that cannot show more; `summary` adds the last line.
    """

    cwd: str = "/"
    color: bool = False
    ascii: bool = False
    width: int | None = None
    summary: bool = True


SEVERITY_COLOR = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}

# ECMA-48, 8.3.117 (Select Graphic Rendition): understood by every terminal that has colours at all.
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


def paint(text: str, *styles: str, view: View) -> str:
    """The text in colours, where the view has them."""
    if not view.color or not text:
        return text
    return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"


def visible(text: str, *, ascii: bool = False) -> str:
    r"""A text of the user's that stays on its line and in its reading order.

    Control characters, ANSI escapes, line ends, bidirectional overrides (CVE-2021-42574) and lone
    surrogates become what Python would write for them: `\x1b`, `\n`, `\u202e`.
    """
    if is_plain(text, ascii=ascii):
        return text
    return "".join(_glyph(character, ascii=ascii) for character in text)


def is_plain(text: str, *, ascii: bool = True) -> bool:
    """Whether each character is shown as it is; of ASCII, each takes one column then."""
    # What is printable to Python has none of the categories that are unsafe.
    return text.isprintable() and (text.isascii() or not ascii)


def _glyph(character: str, *, ascii: bool) -> str:
    if " " <= character <= "~":
        return character
    if ascii or _is_unsafe(character):
        return character.encode("unicode_escape").decode("ascii")
    return character


def _is_unsafe(character: str) -> bool:
    if character in "\u200c\u200d":  # joiners within a word or an emoji
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def display_width(text: str) -> int:
    """The columns that a visible text takes (Unicode Standard Annex 11; combining marks take none)."""
    if text.isascii():
        return len(text)
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


Cell = tuple[str, int]
_TAB = 4


def cells(text: str, *, ascii: bool = False) -> list[Cell]:
    """Each character as it is shown, and the columns it takes; a tab reaches to the next multiple of four."""
    if is_plain(text):
        return [(character, 1) for character in text]
    result: list[Cell] = []
    column = 0
    for character in text:
        if character == "\t":
            width = _TAB - column % _TAB
            shown = " " * width
        else:
            shown = visible(character, ascii=ascii)
            width = display_width(shown)
        result.append((shown, width))
        column += width
    return result


def wrap(text: str, *, width: int | None, indent: str = "", first: str | None = None) -> list[str]:
    """Lines of at most `width` columns, broken at spaces only; one line where there is no width.

    `first` is what the first line starts with in place of the indent; it takes as many columns as it shows.
    """
    start = indent if first is None else first
    if width is None:
        return [start + text]
    lines: list[str] = []
    line, used = start, display_width(start)
    empty = True
    for word in text.split(" "):
        size = display_width(word)
        if not empty and used + 1 + size > width:
            lines.append(line)
            line, used, empty = indent, display_width(indent), True
        line += word if empty else " " + word
        used += size if empty else size + 1
        empty = False
    return [*lines, line]


def columns(rows: Iterable[tuple[str, ...]], *, gap: int = 2) -> list[str]:
    """Rows as a table: every column as wide as its widest cell, the last one as it comes."""
    table = list(rows)
    widths = [max(map(display_width, column)) for column in zip(*table, strict=True)][:-1]
    return [_row(row, widths, " " * gap) for row in table]


def _row(row: tuple[str, ...], widths: list[int], gap: str) -> str:
    padded = [cell + " " * (width - display_width(cell)) for cell, width in zip(row[:-1], widths, strict=True)]
    return gap.join([*padded, row[-1]]).rstrip()


def count(number: int, noun: str) -> str:
    """`1 error`, `3 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
