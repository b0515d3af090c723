"""A second reader of Python text: the standard library's parser, about seven times as fast as LibCST's.

It gives the same facts as `miglint.syntax.reader`, spans included, or none at all: `ast` leaves out some of what
LibCST keeps, and what cannot be found again in the text is left to LibCST, syntax errors among it.
"""

from __future__ import annotations

import ast
import re
import unicodedata
import warnings

from miglint.syntax.facts import ModuleFacts
from miglint.syntax.guard import SHALLOW, measure
from miglint.syntax.quick.names import Bindings
from miglint.syntax.quick.places import Places, Unsure
from miglint.syntax.quick.statements import StatementReader
from miglint.syntax.scopes import Scope

_EMPTY_CONTINUED = re.compile(r"^[ \t]*\\\r?$", re.MULTILINE)


def read(text: str) -> ModuleFacts | None:
    """The facts of a Python text, None where LibCST has to read it."""
    measured = measure(text)
    if measured.danger is not None or measured.depth > SHALLOW or _is_odd(text) or not _has_normal_names(text):
        return None
    start = 1 if text.startswith("\ufeff") else 0
    parsed = text[start:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's own, about the text
        try:
            module = ast.parse(parsed)
            bindings = Bindings()
            bindings.add(module.body)
            reader = StatementReader(text, Places(parsed, start))
            body = reader.block(module.body, Scope(bindings.resolve_imports()))
        except (SyntaxError, ValueError, MemoryError, RecursionError, Unsure):
            return None
    return ModuleFacts(body=body, comments=measured.comments)


def _is_odd(text: str) -> bool:
    """Whether a text has what LibCST reads otherwise: form feeds, lines that end with a CR alone, and lines that are
    continued before they begin."""
    return (
        "\f" in text
        or ("\r" in text and "\r" in text.replace("\r\n", ""))
        or ("\\" in text and _EMPTY_CONTINUED.search(text) is not None)
    )


def _has_normal_names(text: str) -> bool:
    """Whether Python keeps all names as they are written: it brings them to NFKC (PEP 3131), LibCST does not."""
    if text.isascii():
        return True
    others = {ord(character): " " for character in set(text) if not f"a{character}".isidentifier()}
    return unicodedata.is_normalized("NFKC", text.translate(others))
