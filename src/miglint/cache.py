"""Facts of files and statements of SQL that were read before, by content: one file in the cache's directory.

Nothing here can fail: a cache that cannot be read is empty, and one that cannot be written stays as it was.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from miglint import __version__
from miglint.syntax.facts import FACTS_VERSION, ModuleFacts
from miglint.writing import write_whole

if TYPE_CHECKING:
    from miglint.syntax.sql import Statement

T = TypeVar("T")

DIRECTORY = ".miglint_cache"
FILE = "facts.bin"
VERDICTS = "verdict-"
REPORTS = "report-"
_IGNORE = ".gitignore"
_FORMAT = "miglint facts 1"
_SECONDS_A_DAY = 86_400
# Other branches' files stay for a month; a used entry's day is brought up to date once a week.
_KEPT_DAYS = 30
_REFRESHED_DAYS = 7
# However many branches there are, the file stays within a few times of what one run uses.
_KEPT_TIMES = 4
_KEPT_AT_LEAST = 2_000


# The inode, the time of the last change in nanoseconds, and the size in bytes.
_Version = tuple[int, int, int]


class _Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Encoded facts, decoded when they are asked for, and the day of their last use."""

    day: int
    facts: msgspec.Raw


class _File(msgspec.Struct, array_like=True, frozen=True):
    format: str
    entries: dict[bytes, _Entry]


# What decoding raises where a file was cut, or is another's; a text that is no UTF-8 has an error of its own.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_files = msgspec.msgpack.Decoder(_File)
_encoder = msgspec.msgpack.Encoder()


# Both are made when they are needed: they take longer than the smallest of runs.
@cache
def _facts() -> msgspec.msgpack.Decoder[ModuleFacts]:
    return msgspec.msgpack.Decoder(ModuleFacts)


@cache
def _statements() -> msgspec.msgpack.Decoder[tuple[Statement, ...]]:
    from miglint.syntax.sql import Statement

    return msgspec.msgpack.Decoder(tuple[Statement, ...])


def encode(facts: ModuleFacts) -> bytes:
    """Facts as bytes; `decode` gives them back."""
    return _encoder.encode(facts)


def decode(data: bytes | msgspec.Raw) -> ModuleFacts:
    """Facts from bytes. Raises one of UNREADABLE."""
    return _facts().decode(data)


def content_hash(data: bytes) -> bytes:
    """What tells one file's content from another's."""
    return blake2b(data, digest_size=16).digest()


@cache
def _stamp() -> bytes:
    """What else facts depend on: who made them, with which parser and which Python."""
    made_by = f"{__version__} {FACTS_VERSION} {sys.version_info[:2]} {_version('libcst')}"
    return blake2b(made_by.encode(), digest_size=8).digest()


@cache
def _sql_stamp() -> bytes:
    """What else statements of SQL depend on."""
    from miglint.syntax.sql import SQL_VERSION

    made_by = f"{__version__} {SQL_VERSION} {_version('sqlglot')}"
    return blake2b(made_by.encode(), digest_size=8).digest()


def stamps() -> tuple[bytes, bytes]:
    """What facts and statements of SQL depend on besides the texts."""
    return _stamp(), _sql_stamp()


def _version(package: str) -> str:
    """A package's version, without importing it (0.2 s) nor importlib.metadata (0.02 s) where that is possible."""
    spec = importlib.util.find_spec(package)
    if spec is not None and spec.origin is not None:
        try:
            return Path(spec.origin).with_name("_version.py").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            pass
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


class Cache:
    """The facts by content hash. `save` writes what was added, merged with what others wrote meanwhile."""

    def __init__(
        self, directory: Path, entries: Mapping[bytes, _Entry], today: int, loaded: _Version | None = None
    ) -> None:
        self.directory = directory
        self._entries = dict(entries)
        self._today = today
        self._used: set[bytes] = set()
        self._changed = False
        # Which version of the file these entries are from, and whether all of its entries are here.
        self._loaded = loaded
        self._has_gone = False

    @classmethod
    def load(cls, directory: Path, *, today: int | None = None) -> Cache:
        """The cache in a directory; `today` is counted in days since 1970."""
        day = int(time.time()) // _SECONDS_A_DAY if today is None else today
        loaded = _version_of(directory / FILE)  # asked first: what is written meanwhile is another version
        return cls(directory, _load(directory / FILE), day, loaded)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, content: bytes) -> ModuleFacts | None:
        """The facts of a content hash; None where they are unknown."""
        return self._get(content + _stamp(), decode)

    def encoded(self, content: bytes) -> msgspec.Raw | None:
        """The facts of a content hash before they are decoded, which may yet fail; None where they are unknown."""
        return self._get(content + _stamp(), _as_it_is)

    def add(self, content: bytes, encoded: bytes) -> None:
        """Remembers encoded facts."""
        self._add(content + _stamp(), encoded)

    def read_sql(self, text: str, vendor: str) -> tuple[Statement, ...]:
        """As `syntax.sql.read_sql`, which is asked only for what is not remembered."""
        key = content_hash(f"sql {vendor} {text}".encode("utf-8", "surrogatepass")) + _sql_stamp()
        statements = self._get(key, _statements().decode)
        if statements is None:
            from miglint.syntax.sql import read_sql

            statements = read_sql(text, vendor)
            self._add(key, _encoder.encode(statements))
        return statements

    def _get(self, key: bytes, decoder: Callable[[msgspec.Raw], T]) -> T | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        try:
            found = decoder(entry.facts)
        except UNREADABLE:
            del self._entries[key]
            return None
        self._used.add(key)
        if self._today - entry.day >= _REFRESHED_DAYS:
            self._entries[key] = _Entry(self._today, entry.facts)
            self._changed = True
        return found

    def _add(self, key: bytes, encoded: bytes) -> None:
        self._entries[key] = _Entry(self._today, msgspec.Raw(encoded))
        self._used.add(key)
        self._changed = True

    def save(self) -> None:
        """Writes the cache where something changed; a directory that cannot be written is left alone."""
        if not self._changed:
            return
        self._changed = False
        with suppress(OSError):
            _make(self.directory)
            file = self.directory / FILE
            if self._has_gone or _version_of(file) != self._loaded:
                self._merge(_load(file))
            write_whole(file, _written(list(self._kept())))
            self._loaded = _version_of(file)

    def let_go(self) -> None:
        """Forgets facts that are saved, and the file that they lie in: `save` takes them over from there.

        Who asks for them again reads the text again.
        """
        self._has_gone = True
        self._entries = {
            key: _Entry(entry.day, entry.facts.copy())
            for key, entry in self._entries.items()
            if not key.endswith(_stamp())
        }

    def _merge(self, others: Mapping[bytes, _Entry]) -> None:
        for key, entry in others.items():
            mine = self._entries.get(key)
            if mine is None or mine.day < entry.day:
                self._entries[key] = entry

    def _kept(self) -> Iterator[tuple[bytes, _Entry]]:
        """What this run used, and the youngest of the others."""
        others = [
            (key, entry)
            for key, entry in self._entries.items()
            if key not in self._used and self._today - entry.day < _KEPT_DAYS
        ]
        others.sort(key=lambda item: item[1].day, reverse=True)
        room = max(_KEPT_AT_LEAST, (_KEPT_TIMES - 1) * len(self._used))
        yield from ((key, entry) for key, entry in self._entries.items() if key in self._used)
        yield from others[:room]


def _as_it_is(facts: msgspec.Raw) -> msgspec.Raw:
    return facts


def remove(directory: Path) -> None:
    """Removes the cache's own files, and the directory if nothing else is in it. Raises OSError."""
    for prefix in (FILE, VERDICTS, REPORTS, _IGNORE):
        for file in directory.glob(f"{prefix}*"):
            file.unlink(missing_ok=True)
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()


def _make(directory: Path) -> None:
    """The cache's directory, which asks git to ignore it."""
    directory.mkdir(parents=True, exist_ok=True)
    ignore = directory / _IGNORE
    if not ignore.exists():
        write_whole(ignore, [b"*\n"])


def _version_of(file: Path) -> _Version | None:
    """What tells one version of a file, which is only ever replaced, from another; None where it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _written(entries: Sequence[tuple[bytes, _Entry]]) -> Iterator[bytes]:
    """A `_File` in parts: that of a large project is never twice in memory.

    Source: the array and map format families of https://github.com/msgpack/msgpack/blob/master/spec.md
    """
    yield b"\x92" + _encoder.encode(_FORMAT) + b"\xdf" + len(entries).to_bytes(4, "big")
    for key, entry in entries:
        yield _encoder.encode(key) + _encoder.encode(entry)


def _load(file: Path) -> Mapping[bytes, _Entry]:
    """The entries of a file; none where it is missing, foreign, or cut short."""
    try:
        data = file.read_bytes() if file.is_file() else b""
        loaded = _files.decode(data)
    except (OSError, *UNREADABLE):
        return {}
    return loaded.entries if loaded.format == _FORMAT else {}
