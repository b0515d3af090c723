"""Whether a text is certainly harmless to a parser: a bound on what `guard` measures, from a few passes in C.

Nearly all files are; the others are measured token by token, which takes three times as long.
"""

from __future__ import annotations

import re

# A comment is taken for a string: it can only make a chain look longer. A string that is not closed ends with its line,
# or the text, where the parser stops: to fail there, and to look again from the next quote, would take quadratic time.
STRING = re.compile(
    r"""
      \"\"\" [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* (?: \"\"\" )?
    | ''' [^'\\]* (?: (?: \\. | '(?!'') ) [^'\\]* )* (?: ''' )?
    | " [^"\\\r\n]* (?: \\ (?: \r\n | . ) [^"\\\r\n]* )* "?
    | ' [^'\\\r\n]* (?: \\ (?: \r\n | . ) [^'\\\r\n]* )* '?
    | \#[^\r\n]*
    """,
    re.VERBOSE | re.DOTALL,
)
_STANDS_FOR_STRING = "\0"
# Lines that go on, and prefixes of strings in which there may be code.
_NOT_PLAIN = ("\\\n", "\\\r", *(f"{prefix}\0" for prefix in "fFtTrR"))

# What is left of a text: what chains (`.`), what ends a chain (`,` and line ends), brackets and spaces.
_KINDS = {"(": "([{", ")": ")]}", ".": "\0+-*/%@&|^~<>=.!", ",": ",;", "\n": "\r\n", " ": " \t\f"}
_KIND_OF = str.maketrans({character: kind for kind, characters in _KINDS.items() for character in characters})
_TABLE = bytes(range(256)).decode("latin-1").translate(_KIND_OF).encode("latin-1")
_DROPPED = bytes(set(range(256)) - set("".join(_KINDS.values()).encode()))

# Words chain, too (`and`, `for`), and between two of them is at least a space, a bracket or an operator. Fourteen of
# these in a row are at most 29 links.
_GROUP = re.compile(rb"\((?:[. \n]{0,14},)*[. \n]{0,14}\)")
_LONG = re.compile(rb"[. ]{15}")


def is_plain(text: str, depth: int) -> bool:
    """Whether brackets go no deeper than `depth` and no expression chains 30 links; false where that is not certain."""
    without_strings = STRING.sub(_STANDS_FOR_STRING, text)
    if any(each in without_strings for each in _NOT_PLAIN):
        return False
    without_indentation = "\n".join(map(str.lstrip, without_strings.split("\n")))
    rest = without_indentation.encode("ascii", "ignore").translate(_TABLE, _DROPPED)
    for _ in range(depth):
        # From within: a pair of brackets, once it is looked at, is one more link of what is around it.
        rest, groups = _GROUP.subn(b".", rest)
        if not groups:
            break
    return b"(" not in rest and b")" not in rest and _LONG.search(rest) is None
