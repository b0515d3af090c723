"""Guided by coverage: `python -m tests.fuzzing.guided python -runs=100000`, or `sql`, `settings`, `cache`.

What reaches code that nothing reached before is kept, and changed further; Python is changed piece by piece, as
`python -m tests.fuzzing` does it. The options are those of libFuzzer, such as `-max_total_time=600` and `-seed=7`; an
input that fails is kept in the working directory. Atheris, which does this, is there for Linux alone.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

# What the tests import by their own names.
sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent.parent / "src")]

with atheris.instrument_imports(include=["miglint"], enable_loader_override=False):
    from tests.fuzzing.parts import said_of_settings

    from miglint.cache import FACTS, Cache, content_hash, decode, encode
    from miglint.database import Database
    from miglint.project.graph import Graph
    from miglint.project.history import replay
    from miglint.project.interpret import interpret
    from miglint.project.keys import MigrationKey
    from miglint.syntax import quick, reader
    from miglint.syntax.sql import read_sql
    from miglint.text import decode as decode_text

from tests.fuzzing.mutations import Mutator  # noqa: E402
from tests.fuzzing.seeds import pieces, seeds  # noqa: E402

_PATH = "shop/migrations/0001_initial.py"
_VENDORS = ("postgresql", "mysql", "mariadb", "sqlite")
# An input takes milliseconds: so many seconds are a hang.
_SECONDS = 10


def main() -> None:
    kind, *options = sys.argv[1:] or [""]
    if kind not in _TARGETS:
        sys.exit(__doc__)
    texts, target, mutator = _TARGETS[kind]
    with tempfile.TemporaryDirectory() as made:
        begun, work = Path(made, "begun"), Path(made, "work")
        begun.mkdir()
        work.mkdir()
        for text in texts:
            (begun / content_hash(text).hex()).write_bytes(text)
        arguments = [sys.argv[0], f"-timeout={_SECONDS}", "-max_len=12000", *options, str(begun)]
        atheris.Setup(arguments, lambda data: target(data, work), custom_mutator=mutator)
        atheris.Fuzz()


def _python(data: bytes, work: Path) -> None:
    """Both readers give the same, it is remembered as it is, and the history is replayed."""
    try:
        text = decode_text(data)
        text.encode()
    except ValueError:
        return
    facts, fast = reader.read(text), quick.read(text)
    encoded = encode(facts)
    assert fast is None or encode(fast) == encoded, "the two readers differ"
    assert encode(decode(encoded)) == encoded, "what is remembered is another"
    if facts.problem is None:
        graph = Graph.build([interpret(MigrationKey("shop", "0001_initial"), _PATH, facts)])
        replay(graph, database=Database.assumed("postgresql", "option"))


def _sql(data: bytes, work: Path) -> None:
    text, vendor = data[1:].decode("utf-8", "replace"), _VENDORS[data[0] % len(_VENDORS) if data else 0]
    assert read_sql(text, vendor) == read_sql(text, vendor)


def _settings(data: bytes, work: Path) -> None:
    (work / "miglint.toml").write_bytes(data)
    assert said_of_settings(work).startswith(work.as_posix())


def _cache(data: bytes, work: Path) -> None:
    (work / FACTS).write_bytes(data)
    known = Cache(work)
    for text in (b"text", *_READ):
        known.get(content_hash(text))
    known.add(content_hash(b"text"), b"\xc0")
    known.save()
    assert content_hash(b"text").hex() in (work / FACTS).read_bytes().hex()


def _mutated(data: bytes, largest: int, seed: int) -> bytes:
    """Half of the changes are those of `python -m tests.fuzzing`, the others libFuzzer's own."""
    dice = random.Random(seed)
    if dice.random() < 0.5:
        return bytes(atheris.Mutate(data, largest))
    files = Mutator(dice, _PIECES).mutate({_PATH: data})
    return files.get(_PATH, data)[:largest]


_SEEDS = seeds(with_packages=False)
_PIECES = pieces(_SEEDS)


def _with_ending(ending: str) -> list[bytes]:
    return sorted({text for files in _SEEDS for path, text in files.items() if path.endswith(ending)})


_READ = _with_ending(".py")[:3]


def _statements() -> list[bytes]:
    """The strings of the seeds that look like SQL, for each database."""
    words = (b"ALTER ", b"CREATE ", b"UPDATE ", b"DELETE ", b"INSERT ", b"SELECT ", b"DROP ")
    found = sorted({text.strip(b"\"'") for text in _PIECES.strings if any(word in text.upper() for word in words)})
    return [bytes([vendor]) + text for text in found for vendor in range(len(_VENDORS))]


def _remembered() -> list[bytes]:
    """What a run writes that has read three texts."""
    with tempfile.TemporaryDirectory() as made:
        known = Cache(Path(made), today=20_000)
        for text in _READ:
            known.add(content_hash(text), encode(reader.read(text.decode())))
        known.save()
        return [(Path(made) / FACTS).read_bytes()]


_TARGETS: dict[str, tuple[Iterable[bytes], Callable[[bytes, Path], None], Callable[..., bytes] | None]] = {
    "python": (_with_ending(".py"), _python, _mutated),
    "sql": (_statements(), _sql, None),
    "settings": (_with_ending(".toml"), _settings, None),
    "cache": (_remembered(), _cache, None),
}

if __name__ == "__main__":
    main()
