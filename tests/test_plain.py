"""What is taken for plain at a glance is harmless when it is measured token by token, too."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from miglint.syntax import guard
from miglint.syntax.guard import SHALLOW, Measure, measure
from miglint.syntax.plain import is_plain
from miglint.syntax.reader import read
from packages import PACKAGES, install

PIECES = [
    *"()[]{},;.+=x ", "==", " and ", "or", " if ", "else", "not ", "lambda", ":=", "**", "\n", "\n    ", "\r\n", "\r",
    '"a"', "'b'", '"""c\n"""', "#c\n", "f(", ".b()", "é", 'rb"x"', "for", " in ", 'f"{x}"', "\\\n",
]  # fmt: skip


def soup(random: random.Random) -> str:
    pieces = random.sample(PIECES, random.randint(2, len(PIECES)))
    return "".join(random.choice(pieces) for _ in range(random.randint(1, 120)))


def expression(random: random.Random, depth: int) -> str:
    if depth <= 0:
        return random.choice(["x", '"s"', "a.b", "not x", "lambda: y"])
    inner = [expression(random, depth - random.randint(1, 3)) for _ in range(random.randint(1, 3))]
    match random.randint(0, 5):
        case 0:
            return f"f({', '.join(inner)})"
        case 1:
            return "[" + ",\n        ".join(inner) + "]"
        case 2:
            return random.choice([" and ", "+", " if y else ", ".b().c or ", ")or("]).join(
                ["x"] * random.randint(1, 18)
            )
        case 3:
            return "(a)and(b)or(c)" * random.randint(1, 5)
        case _:
            return random.choice(["+", " or ", ".join"]).join(f"({each})" for each in inner)


def code(random: random.Random) -> str:
    return "\n".join(f"v = {expression(random, random.randint(1, 9))}" for _ in range(random.randint(1, 3)))


@pytest.fixture
def by_tokens(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Measure]]:
    """As `measure`, but token by token."""
    with monkeypatch.context() as patched:
        patched.setattr(guard, "is_plain", lambda text, depth: False)
        yield measure


@pytest.mark.parametrize("make", [soup, code])
def test_what_is_plain_is_no_danger(make: Callable[[random.Random], str], by_tokens: Callable[[str], Measure]) -> None:
    chosen, plain = random.Random(4), 0
    for _ in range(10_000):
        text = make(chosen)
        if is_plain(text, SHALLOW):
            plain += 1
            measured = by_tokens(text)
            assert measured.danger is None, text
            assert measured.depth <= SHALLOW, text
    assert plain > 500


@pytest.mark.parametrize("name", PACKAGES)
def test_nearly_all_migrations_are_plain(name: str, by_tokens: Callable[[str], Measure]) -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(install(name).rglob("migrations/*.py"))]
    plain = [text for text in texts if is_plain(text, SHALLOW)]
    assert all(by_tokens(text).depth <= SHALLOW for text in plain)
    assert len(plain) >= 0.85 * len(texts)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 31 + ")" * 31,
        "x = " + "+".join("a" * 40),
        "x = " + " if y else ".join("a" * 20),
        "x = " + "(a)and" * 20 + "b",
        'x = f"{a}"',
        "x = a \\\n  + b",
        "x = (",
    ],
)
def test_what_may_be_deep_is_not_plain(text: str) -> None:
    assert not is_plain(text, SHALLOW)
    assert is_plain("x = 1", SHALLOW)


@pytest.mark.parametrize("text", ['x = "a' + "+b" * 40, "x = 'a\n" + "x" * 40, 'x = """a' + "[" * 40, "x = 'a\\"])
def test_behind_a_string_that_is_not_closed_nothing_is_read(text: str) -> None:
    assert is_plain(text, SHALLOW)
    assert read(text).problem is not None


@pytest.mark.parametrize("piece", ['"""', "'''", '"', '"\n', "x = (", "\\", '"\\', "#", "(,", ")", "[.", "\n "])
def test_the_look_takes_linear_time(piece: str) -> None:
    began = time.process_time()
    is_plain(piece * (2_000_000 // len(piece)), SHALLOW)
    assert time.process_time() - began < 5  # quadratic time would be hours
