"""What stands between two tokens."""

from __future__ import annotations

import re

_TRIVIA = re.compile(r"(?:[ \t\f\r\n]+|\\\r?\n|#[^\r\n]*)*")


def after_trivia(text: str, at: int) -> int:
    """The offset of the next token inside brackets: behind white space, comments and continued lines."""
    found = _TRIVIA.match(text, at)
    assert found is not None
    return found.end()
