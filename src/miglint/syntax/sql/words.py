"""The words of an SQL text, and a cursor that reads them from left to right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

_DIALECTS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite"}
# The tokens after which the tokenizer keeps the rest of a statement (VACUUM, REINDEX, LOCK) as one string.
_KEEPS_THE_REST = frozenset({"COMMAND", "LOCK", "EXECUTE", "SHOW", "REFRESH", "KILL", "ANALYZE", "COPY", "RENAME"})


class Word(NamedTuple):
    """A word of a text, and where it stands; of a name and a string in quotes, what the quotes hold."""

    text: str
    kind: Literal["word", "name", "string", "symbol"]
    start: int
    end: int

    @property
    def upper(self) -> str:
        """A word or a symbol to compare with; "" for names and strings in quotes."""
        return self.text.upper() if self.kind == "word" else self.text if self.kind == "symbol" else ""


def cut(text: str, vendor: str) -> list[Word] | None:
    """The words of a text, None where it cannot be cut into words."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        tokens = sqlglot.tokenize(text, read=_DIALECTS.get(vendor, "postgres"))
    except (SqlglotError, RecursionError):
        return None
    words: list[Word] = []
    after_command = False
    for token in tokens:
        kind = token.token_type.name
        if kind == "STRING" and after_command:
            found = re.finditer(r"\"[^\"]*\"|`[^`]*`|\w+|[^\w\s;]", token.text)
            words.extend(_command_word(part.group(), token.start, token.end) for part in found)
        elif kind == "IDENTIFIER":
            words.append(Word(token.text, "name", token.start, token.end))
        elif "STRING" in kind:
            words.append(Word(token.text, "string", token.start, token.end))
        elif re.match(r"\w", token.text):
            words.extend(Word(part, "word", token.start, token.end) for part in token.text.split())
        else:
            words.append(Word(token.text, "symbol", token.start, token.end))
        after_command = kind in _KEEPS_THE_REST
    return words


def _command_word(text: str, start: int, end: int) -> Word:
    """A word of what the tokenizer kept as one string."""
    if text.startswith(('"', "`")) and len(text) > 1:
        return Word(text[1:-1], "name", start, end)
    return Word(text, "word" if re.match(r"\w", text) else "symbol", start, end)


def statements_in(words: list[Word]) -> list[list[Word]]:
    """The words of each statement; a body between BEGIN and END (a trigger's) is not split."""
    parts: list[list[Word]] = []
    part: list[Word] = []
    depth = 0
    for word in words:
        inside = (
            bool(part)
            and part[0].upper == "CREATE"
            and any(w.upper in ("TRIGGER", "PROCEDURE", "FUNCTION") for w in part[:6])
        )
        if inside and word.upper in ("BEGIN", "CASE"):
            depth += 1
        elif inside and depth and word.upper == "END":
            depth -= 1
        if word.upper == ";" and word.kind == "symbol" and not depth:
            if part:
                parts.append(part)
            part = []
        else:
            part.append(word)
    return [*parts, part] if part else parts


def by_comma(words: list[Word]) -> list[list[Word]]:
    """The parts between commas outside parentheses."""
    parts: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.upper, 0)
        if word.upper == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def closes_at_end(words: list[Word]) -> bool:
    """Whether the parenthesis that begins the words is closed by their last, and not before."""
    depth = 0
    for at, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word.upper, 0)
        if depth == 0:
            return at == len(words) - 1
    return False


def is_on(options: list[Word], option: str) -> bool:
    """Whether the options of a statement, in parentheses, turn one on: `(FULL, VERBOSE FALSE)`."""
    found = [part for part in by_comma(options) if part[0].upper == option]
    return any(len(part) == 1 or part[1].text.upper() not in ("FALSE", "OFF", "0") for part in found)


class Cursor:
    """Reads the words of one statement from left to right, from a place on."""

    def __init__(self, words: list[Word], at: int = 0) -> None:
        self.words = words
        self.at = at

    @property
    def left(self) -> list[Word]:
        """The words that were not passed yet."""
        return self.words[self.at :]

    def peek(self, ahead: int = 0) -> str:
        """The word that comes next, or so many after it, in upper case; "" at the end, or for one in quotes."""
        return self.word_at(self.at + ahead)

    def word_at(self, place: int) -> str:
        """The word at a place, as `peek` gives it."""
        return self.words[place].upper if place < len(self.words) else ""

    def skip(self, *texts: str) -> bool:
        """Passes the words if they come next."""
        if all(self.peek(ahead) == text for ahead, text in enumerate(texts)):
            self.at += len(texts)
            return True
        return False

    def guard(self, *texts: str) -> frozenset[str]:
        """The flag of a statement that may run twice, where the words come next."""
        return frozenset({"guarded"} if self.skip(*texts) else ())

    def name(self) -> str:
        """A possibly qualified name; the schema `public` is left out. "" where none comes."""
        parts: list[str] = []
        while self.at < len(self.words) and self.words[self.at].kind in ("word", "name"):
            word = self.words[self.at]
            parts.append(word.text if word.kind == "name" else word.text.lower())
            self.at += 1
            if not self.skip("."):
                break
        if len(parts) > 1 and parts[0] in ("public", "main"):
            parts = parts[1:]
        return ".".join(parts)

    def string(self) -> str:
        """What the string says that comes next, "" where none does."""
        if self.at == len(self.words) or self.words[self.at].kind != "string":
            return ""
        self.at += 1
        return self.words[self.at - 1].text

    def group(self) -> list[Word]:
        """The words in the parentheses that come next."""
        if self.peek() != "(":
            return []
        depth, start = 0, self.at + 1
        while self.at < len(self.words):
            depth += {"(": 1, ")": -1}.get(self.peek(), 0)
            self.at += 1
            if depth == 0:
                return self.words[start : self.at - 1]
        return self.words[start:]

    def names(self) -> tuple[str, ...]:
        """Plain names in parentheses; empty where one is an expression."""
        found: list[str] = []
        for part in by_comma(self.group()):
            if any(word.upper in ("(", "+", "-", "||") for word in part):
                return ()
            found.append(part[0].text if part[0].kind == "name" else part[0].text.lower())
        return tuple(found)

    def rest(self) -> set[str]:
        """The remaining words outside parentheses."""
        depth, found = 0, set()
        for word in self.left:
            depth += {"(": 1, ")": -1}.get(word.upper, 0)
            if depth == 0:
                found.add(word.upper)
        return found

    def name_after(self, word: str) -> str:
        """The name that follows the first of a word, "" where there is none."""
        for place, found in enumerate(self.words):
            if found.upper == word:
                self.at = place + 1
                return self.name()
        return ""

    def cascade(self) -> frozenset[str]:
        """The flag of a statement that ends in CASCADE."""
        return frozenset({"cascade"} & {word.text.lower() for word in self.words[-1:] if word.kind == "word"})

    def listed(self) -> Iterator[str]:
        """The names between commas that come next."""
        while name := self.name():
            yield name
            if not self.skip(","):
                return
