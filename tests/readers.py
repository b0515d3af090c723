"""Compares the two readers: `python tests/readers.py [--mutations N] FOLDER…` reads all Python files of folders twice.

Without folders it reads every form of `python_forms`. It prints how many texts both read alike, how many are left to
LibCST, and each that is read differently.
"""

from __future__ import annotations

import ast
import random
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from miglint.cache import encode
from miglint.syntax import quick, reader
from miglint.text import Span, UndecodableSource, decode
from python_forms import EXPRESSIONS, MODULES, STATEMENTS


def compare(text: str) -> bool | None:
    """Whether both readers give the same bytes; None where the quick one leaves the text to LibCST."""
    facts = quick.read(text)
    return None if facts is None else encode(facts) == encode(reader.read(text))


def texts(folders: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Every different Python text of some folders."""
    seen: set[bytes] = set()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            data = path.read_bytes() if path.is_file() else b""
            if data in seen:
                continue
            seen.add(data)
            try:
                yield path, decode(data)
            except UndecodableSource:
                continue


def forms() -> Iterator[str]:
    """Every module, and every statement of every expression."""
    yield from MODULES
    yield from (statement.format(expression) for statement in STATEMENTS for expression in EXPRESSIONS)


def mutate(text: str, seed: int) -> str:
    """The text with a few expressions put in parentheses, exchanged, or replaced, or with other line ends.

    Most results are Python still; what is not must be left to LibCST, which has the words for it.
    """
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 4)):
        spans = _spans(text)
        if not spans:
            return chance.choice(EXPRESSIONS)
        first = chance.choice(spans)
        written = text[first.start : first.end]
        match chance.randrange(8):
            case 0:
                new = f"({written})"
            case 1:
                new = f"(  # (é\n{written}\n)"
            case 2:
                new = f"f'{{{written}}}é'" if "'" not in written else f"({written},)"
            case 3 | 4:
                other = chance.choice(spans)
                new = text[other.start : other.end]
            case 5 | 6:
                new = chance.choice(EXPRESSIONS)
            case _:
                at = chance.randrange(len(written))
                new = written[:at] + chance.choice(" ()[]{},:='\"\\\n#é*.!fr0") + written[at + 1 :]
        text = text[: first.start] + new + text[first.end :]
    return text.replace("\n", chance.choice(("\n", "\n", "\n", "\r\n", "\r")))


def _spans(text: str) -> list[Span]:
    """Where the expressions of a text are, its other characters aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return []
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            span = Span(
                lines[node.lineno - 1] + node.col_offset, lines[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)
            )
            if span.start < span.end <= len(text):
                found.append(span)
    return found


def main(arguments: list[str]) -> int:
    """Prints the figures; 1 if anything is read differently."""
    mutations = 0
    if arguments[:1] == ["--mutations"]:
        mutations = int(arguments[1])
        arguments = arguments[2:]
    counts = {True: 0, None: 0, False: 0}
    sources = texts(map(Path, arguments)) if arguments else ((Path(repr(form)), form) for form in forms())
    for path, text in sources:
        for number in range(max(mutations, 1)):
            result = compare(mutate(text, number) if mutations else text)
            counts[result] += 1
            if result is False:
                print(f"read differently: {path}" + (f", mutation {number}" if mutations else ""))
    print(f"{counts[True]} texts are read alike, {counts[None]} are left to LibCST, {counts[False]} differ")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
