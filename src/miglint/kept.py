"""Values that are kept in the cache's directory, each in a file of its own: only what is asked for is read.

Nothing here can fail: what cannot be read is not there, and a directory that cannot be written stays as it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from miglint.cache import stamps
from miglint.store import UNREADABLE
from miglint.writing import write_whole

T = TypeVar("T")

_FORMAT = "miglint kept 2"
_DIGEST = 16
# A pattern for the names of keys.
_KEY = "[0-9a-f]" * (2 * _DIGEST)
_MADE_OF = frozenset({".py", ".toml"})
# A few of each kind, for those who check other paths or with other settings now and then.
_AT_MOST = 8


def key_of(value: object) -> bytes | None:
    """The hash of a value; None where it cannot be written down."""
    try:
        written = msgspec.msgpack.encode(value, order="deterministic", enc_hook=_path)
    except (TypeError, UnicodeEncodeError):
        return None
    return _digest(written)


def _digest(data: bytes | memoryview) -> bytes:
    return blake2b(data, digest_size=_DIGEST).digest()


def _path(value: object) -> str:
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"a {type(value).__name__} cannot be written down")


class Kept(Generic[T]):
    """Values of one kind by the hash of what they follow from."""

    def __init__(self, directory: Path, prefix: str, kind: type[T]) -> None:
        """`prefix` begins the names of the files."""
        self._directory = directory
        self._prefix = prefix
        self._type = tuple[str, bytes, kind]  # type: ignore[valid-type]

    def get(self, key: bytes) -> T | None:
        """The value of a key."""
        try:
            data = memoryview(self._file(key).read_bytes())
            if data[-_DIGEST:] != _digest(data[:-_DIGEST]):
                return None
            form, found, value = msgspec.msgpack.decode(data[:-_DIGEST], type=self._type)
        except (OSError, *UNREADABLE):
            return None
        return value if (form, found) == (_FORMAT, key) else None

    def keep(self, key: bytes, value: T) -> None:
        """Writes a value, and removes the oldest ones. The directory has to be there."""
        with suppress(OSError, UnicodeEncodeError):
            write_whole(self._file(key), _with_digest(_encoded((_FORMAT, key, value))))
            self._remove_old()

    def _file(self, key: bytes) -> Path:
        return self._directory / f"{self._prefix}{key.hex()}.bin"

    def _remove_old(self) -> None:
        files = [(file.stat().st_mtime_ns, file) for file in self._directory.glob(f"{self._prefix}{_KEY}.bin")]
        for _, file in sorted(files)[:-_AT_MOST]:
            file.unlink(missing_ok=True)


def _with_digest(parts: Iterable[bytes]) -> Iterator[bytes]:
    """What a disk has changed could still be read, and would be reported."""
    digest = blake2b(digest_size=_DIGEST)
    for part in parts:
        digest.update(part)
        yield part
    yield digest.digest()


def _encoded(value: Any) -> Iterator[bytes]:
    """A value as `msgspec.msgpack.encode` has it, in parts: the findings of a large project are never whole in memory.

    The items of tuples, and of structs that are like them, are parts of their own. Source: the array format family of
    https://github.com/msgpack/msgpack/blob/master/spec.md
    """
    like_a_tuple = isinstance(value, msgspec.Struct) and value.__struct_config__.array_like
    items = msgspec.structs.astuple(value) if like_a_tuple else value
    if isinstance(items, tuple):
        yield b"\xdd" + len(items).to_bytes(4, "big")
        for each in items:
            yield from _encoded(each)
    else:
        yield msgspec.msgpack.encode(value)


def made_by(modules: Iterable[str] = ()) -> object:
    """What tells one miglint, with the plug-ins that these modules of rules belong to and on its Python, from another.

    Raises OSError.
    """
    return (_makers(modules), stamps(), sys.version_info[:2])


def _makers(modules: Iterable[str]) -> list[tuple[str, int, int]]:
    """The files of the packages that judge, miglint's own and plug-ins', as the disk lists them: their edits count."""
    packages = {"miglint", *(module.partition(".")[0] for module in modules)}
    found: list[tuple[str, int, int]] = []
    for name in packages:
        pending = list(sys.modules[name].__path__)
        while pending:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if os.path.splitext(entry.name)[1] in _MADE_OF:
                        status = entry.stat()
                        found.append((entry.path, status.st_size, status.st_mtime_ns))
                    elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                        pending.append(entry.path)
    return sorted(found)
