"""One file of encoded values by key, in a cache's directory: what was used of it, and what is new, outlives a run.

Nothing here can fail: a file that cannot be read is empty, and one that cannot be written stays as it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from mmap import mmap
from pathlib import Path
from typing import TypeVar

import msgspec

from miglint.writing import write_whole

T = TypeVar("T")

_FORMAT = "miglint facts 1"
IGNORE = ".gitignore"
# What it says: git is to pass over all that is beside it.
IGNORED = b"*\n"
# Other branches' files stay for a month; a used entry's day is brought up to date once a week.
_KEPT_DAYS = 30
_REFRESHED_DAYS = 7
# However many branches there are, the file stays within a few times of what one run uses.
_KEPT_TIMES = 4
_KEPT_AT_LEAST = 2_000
# What a block of encoded values takes, in bytes.
_BLOCK = 1 << 20

# The inode, the time of the last change in nanoseconds, and the size in bytes.
_Version = tuple[int, int, int]


class _Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An encoded value, decoded when it is asked for, and the day of its last use."""

    day: int
    value: msgspec.Raw


class _File(msgspec.Struct, array_like=True, frozen=True):
    format: str
    entries: dict[bytes, _Entry]


# What decoding raises where a file was cut, or is another's; a text that is no UTF-8 has an error of its own.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_files = msgspec.msgpack.Decoder(_File)
_encoder = msgspec.msgpack.Encoder()


class _Packed:
    """Bytes side by side in blocks of which the system takes back the memory: thousands of small ones leave holes."""

    def __init__(self) -> None:
        self._block = memoryview(b"")
        self._end = 0

    def put(self, data: bytes) -> msgspec.Raw:
        """The same bytes, in a block where they are small."""
        start, end = self._end, self._end + len(data)
        if len(data) > _BLOCK // 8:
            return msgspec.Raw(data)
        if end > len(self._block):
            self._block = memoryview(mmap(-1, _BLOCK))
            start, end = 0, len(data)
        self._block[start:end] = data
        self._end = end
        return msgspec.Raw(self._block[start:end])


class Store:
    """Encoded values by key. `save` writes what was added, merged with what others wrote meanwhile."""

    def __init__(self, file: Path, today: int) -> None:
        """What is in a file; `today` is counted in days since 1970."""
        self._file = file
        self._today = today
        # Which version of the file the entries are from, and whether all of its entries are here.
        self._loaded = _version_of(file)  # asked first: what is written meanwhile is another version
        self._has_gone = False
        self._entries = dict(_load(file))
        self._used: set[bytes] = set()
        self._packed = _Packed()
        self._changed = False

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes, decoder: Callable[[msgspec.Raw], T]) -> T | None:
        """A value; None where it is unknown, or is no such value."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        try:
            found = decoder(entry.value)
        except UNREADABLE:
            del self._entries[key]
            return None
        self._used.add(key)
        if self._today - entry.day >= _REFRESHED_DAYS:
            self._entries[key] = _Entry(self._today, entry.value)
            self._changed = True
        return found

    def add(self, key: bytes, encoded: bytes) -> msgspec.Raw:
        """Remembers an encoded value, and gives it back as it is kept."""
        value = self._packed.put(encoded)
        self._entries[key] = _Entry(self._today, value)
        self._used.add(key)
        self._changed = True
        return value

    def save(self) -> None:
        """Writes the file where something changed; a directory that cannot be written is left alone."""
        if not self._changed:
            return
        self._changed = False
        with suppress(OSError):
            _make(self._file.parent)
            if self._has_gone or _version_of(self._file) != self._loaded:
                self._merge(_load(self._file))
            write_whole(self._file, _written(list(self._kept())))
            self._loaded = _version_of(self._file)

    def let_go(self) -> None:
        """Forgets what is saved, and the file that it lies in: `save` takes it over from there."""
        self._has_gone = True
        self._entries = {}
        self._packed = _Packed()

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


def _make(directory: Path) -> None:
    """The cache's directory, which asks git to ignore it, unless something else is in it already."""
    directory.mkdir(parents=True, exist_ok=True)
    if not any(directory.iterdir()):
        write_whole(directory / IGNORE, [IGNORED])


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
        data = file.read_bytes() if os.path.isfile(file) else b""
        loaded = _files.decode(data)
    except (OSError, *UNREADABLE):
        return {}
    return loaded.entries if loaded.format == _FORMAT else {}
