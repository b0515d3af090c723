"""Looks at a text before a parser does: what would end the process or take minutes is refused here.

LibCST's native parser recurses on the C stack: about 1,200 nested brackets end the process on an 8 MB stack, 78
on a thread of 512 KB; chains of operators take quadratic time. One pass over the tokens measures both.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from miglint.syntax.facts import MAX_SIZE, TOO_LARGE, Comment
from miglint.syntax.plain import STRING, is_plain
from miglint.text import Span

# CPython itself refuses more than 200 nested brackets and 100 levels of indentation (Parser/tokenizer).
MAX_BRACKETS = 200
MAX_INDENTATION = 100
MAX_CHAIN = 500

# LibCST goes through what is in brackets once for each bracket around it: so many times in all, beyond those around
# each token that usual code has, take some three seconds. Real migrations of Wagtail's stream fields need a tenth.
MAX_PASSES = 200_000
_PASSES_A_BRACKET = 3
# For each link of a chain it goes through all links before; so many steps take three seconds, each of so many links.
MAX_STEPS = 600_000
_LINKS_A_STEP = 4
_LINKS_A_STEP_OF_CALL = 2
_LINKS_A_STEP_OF_SUBSCRIPT = 1

# In the pattern of a `case`, each bracket has LibCST go through what is in it up to four times: so many times for all
# brackets take three seconds, nine of them in each other the same.
MAX_PATTERNS = 300_000

# A string that is not closed costs a look through the rest of its line, or of the text: this many characters in all.
# Quotes within the braces of an f-string can look so.
MAX_LOOK = MAX_SIZE

# Shallower than this is safe on the smallest usual thread stack, with room to spare.
SHALLOW = 30

# The look ahead is for speed: few characters begin a token. Bare quotes, one or three, are those whose string does not
# end. A string's body repeats no repetition: where the closing quote is missing, that would take exponential time.
TOKEN = re.compile(
    r"""
    (?= [\r\n,;()\[\]{}.=:"'\#\\+\-*/%@&|^~<>!naoielfy] ) (?:
      [\n,;()\[\]{}.] | \r\n?
    | "{3} [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* "{3}
    | '{3} [^'\\]* (?: (?: \\. | '(?!'') ) [^'\\]* )* '{3}
    | "{3} | '{3}
    | " [^"\\\r\n]* (?: \\ (?: \r\n | . ) [^"\\\r\n]* )* "
    | ' [^'\\\r\n]* (?: \\ (?: \r\n | . ) [^'\\\r\n]* )* '
    | ["']
    | \#[^\r\n]*
    | \\\r?\n
    | \*\*|//|->|:=|[<>=!]=|<<|>>|[+\-*/%@&|^~<>=]
    | \b(?:not|and|or|if|else|lambda|await|for|in|is|yield)\b
    )
    """,
    re.VERBOSE | re.DOTALL,
)
# What a comment for miglint has in it, or one that somebody took for such.
_COMMENTS = ("miglint", "Miglint", "noqa: MG", "noqa:MG")
_LETTERS = frozenset("fFtTrR")
_BARE_QUOTES = frozenset({'"', "'", '"' * 3, "'" * 3})
# What begins a pattern; `case = …` and `case.x` are other statements.
_CASE = re.compile(r"^[ \t\f]*case\b(?![ \t]*[=.,)\]])", re.MULTILINE)
_ELIF = re.compile(r"^([ \t]*)(elif\b|else\b|[^ \t\r\n#])", re.MULTILINE)
_DEEP_INDENTATION = re.compile(rf"^[ \t\f]{{{MAX_INDENTATION},}}[^ \t\f\r\n#]", re.MULTILINE)
_INDENTATION = re.compile(r"^([ \t]*)[^ \t\r\n#]", re.MULTILINE)


class Danger(NamedTuple):
    """Why a text is not given to the parser, and where."""

    message: str
    offset: int


class Measure(NamedTuple):
    """What the tokens tell: the danger if there is one, how deep the text goes at most, comments for miglint."""

    danger: Danger | None
    depth: int
    comments: tuple[Comment, ...]


def measure(text: str) -> Measure:
    """Scans the tokens of a Python text once, in linear time."""
    if len(text) > MAX_SIZE:
        return Measure(Danger(TOO_LARGE, 0), 0, ())
    danger = _indentation(text) or _elif_chain(text) or _patterns(text)
    if danger is not None:
        return Measure(danger, 0, ())
    if not _is_commented(text) and is_plain(text, SHALLOW):
        return Measure(None, SHALLOW, ())
    return _tokens(text)


def _is_commented(text: str) -> bool:
    return any(each in text for each in _COMMENTS)


def _tokens(text: str) -> Measure:
    comments: list[Comment] = []
    wants_comments = _is_commented(text)
    deepest = longest = looked = passes = steps = 0
    chain = 0
    # The brackets around a token beyond those that usual code has, and where the first of them opens; where the first
    # chain becomes longer than in usual code.
    extra = begins = chains = 0
    outer: list[int] = []
    for match in TOKEN.finditer(text):
        token = match[0]
        first = token[0]
        if first in ",;":
            chain = 0
            passes += extra
        elif first in "\r\n":
            if not outer:
                chain = 0
        elif first in "([{":
            outer.append(chain + 1)
            chain = 0
            if len(outer) > SHALLOW:
                extra = len(outer) - SHALLOW
                passes += extra * _PASSES_A_BRACKET
                begins = begins or match.start()
            if len(outer) > deepest:
                deepest = len(outer)
                if deepest > MAX_BRACKETS:
                    return Measure(_too_nested(match.start()), deepest, ())
        elif first in ")]}":
            if outer:
                chain = outer.pop()
                extra = max(0, len(outer) - SHALLOW)
                if chain > SHALLOW:
                    steps += chain // (_LINKS_A_STEP_OF_SUBSCRIPT if first == "]" else _LINKS_A_STEP_OF_CALL)
                    chains = chains or match.start()
                if chain > longest:
                    longest = chain
                    if longest > MAX_CHAIN:
                        return Measure(_too_long(match.start()), deepest, ())
        elif first == "#":
            if wants_comments and _is_commented(token):
                comments.append(_comment(text, match.start(), token))
        elif first != "\\":
            chain += 1
            passes += extra
            if chain > SHALLOW:
                steps += chain // _LINKS_A_STEP
                chains = chains or match.start()
            if token in _BARE_QUOTES:
                looked += _look(text, token, match.end())
                if looked > MAX_LOOK:
                    return Measure(Danger("too many strings are not closed", match.start()), deepest, ())
            elif first in "\"'" and text[match.start() - 1] in _LETTERS and _is_template(text, match.start()):
                inside = _template_depth(token)
                if inside > MAX_BRACKETS or len(outer) + inside > MAX_BRACKETS:
                    return Measure(_too_nested(match.start()), inside, ())
                chain += sum(map(token.count, "+-*/%.")) if inside > 1 or len(token) > 2000 else 0
                deepest = max(deepest, len(outer) + inside)
            if chain > longest:
                longest = chain
                if longest > MAX_CHAIN:
                    return Measure(_too_long(match.start()), deepest, ())
    if passes > MAX_PASSES:
        return Measure(_too_much_nested(begins), deepest, ())
    if steps > MAX_STEPS:
        return Measure(_too_much_chained(chains), deepest, ())
    return Measure(None, max(deepest, longest), tuple(comments))


def _too_nested(offset: int) -> Danger:
    return Danger(f"brackets are nested more than {MAX_BRACKETS} deep", offset)


def _too_much_nested(offset: int) -> Danger:
    return Danger(f"too much is nested in more than {SHALLOW} brackets", offset)


def _too_much_chained(offset: int) -> Danger:
    return Danger(f"too many expressions chain more than {SHALLOW} operators, calls or subscripts", offset)


def _too_long(offset: int) -> Danger:
    return Danger(f"one expression chains more than {MAX_CHAIN} operators, calls or strings", offset)


def _look(text: str, quote: str, start: int) -> int:
    """How far the end of a string that is not closed was looked for."""
    line_end = text.find("\n", start) if len(quote) == 1 else -1
    return (line_end if line_end >= 0 else len(text)) - start


def _is_template(text: str, quote: int) -> bool:
    """Whether the string whose quote is at this offset is an f-string or t-string; a letter stands in front of it."""
    prefix = text[max(0, quote - 2) : quote].lower()
    return "f" in prefix or "t" in prefix


def _template_depth(token: str) -> int:
    depth = deepest = 0
    for character in token:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}" and depth:
            depth -= 1
    return deepest


def _comment(text: str, start: int, token: str) -> Comment:
    line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    alone = not text[line_start:start].strip()
    return Comment(token.rstrip(), Span(start, start + len(token.rstrip())), alone)


def _indentation(text: str) -> Danger | None:
    if _DEEP_INDENTATION.search(text) is None:
        return None
    levels = [0]
    for match in _INDENTATION.finditer(text):
        width = len(match[1].expandtabs(8))
        while levels and levels[-1] > width:
            levels.pop()
        if not levels or width > levels[-1]:
            levels.append(width)
            if len(levels) > MAX_INDENTATION:
                message = f"blocks are indented more than {MAX_INDENTATION} levels deep"
                return Danger(message, match.start())
    return None


def _elif_chain(text: str) -> Danger | None:
    if text.count("elif") <= MAX_CHAIN:
        return None
    chains: dict[int, int] = {}
    for match in _ELIF.finditer(text):
        width = len(match[1])
        if match[2] == "elif":
            chains[width] = chains.get(width, 0) + 1
            if chains[width] > MAX_CHAIN:
                return Danger(f"one `if` has more than {MAX_CHAIN} `elif` branches", match.start())
        elif match[2] != "else":
            chains = {column: count for column, count in chains.items() if column < width}
    return None


def _patterns(text: str) -> Danger | None:
    if "case" not in text or _CASE.search(text) is None:
        return None
    # SQL has a `case`, too: what stands in strings is none.
    code = STRING.sub(lambda found: " " * len(found[0]), text)
    left = MAX_PATTERNS
    for case in _CASE.finditer(code):
        depth = 0
        for match in TOKEN.finditer(code, case.end()):
            first = match[0][0]
            if first in "([{":
                depth += 1
                left -= 4 ** min(depth, SHALLOW)
                if left < 0:
                    return Danger("patterns of `case` are nested too deeply", match.start())
            elif first in ")]}":
                depth -= 1
            elif depth <= 0 and (first in ":\r\n" or match[0] == "if"):
                break
    return None
