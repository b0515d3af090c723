"""Facts of files and statements of SQL that were read before, by content: two files in the cache's directory.

Nothing here can fail: a cache that cannot be read is empty, and one that cannot be written stays as it was.
"""

from __future__ import annotations

import importlib.util
import re
import sys
import time
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from miglint import __version__
from miglint.store import IGNORE, IGNORED, Store
from miglint.syntax.facts import FACTS_VERSION, ModuleFacts

if TYPE_CHECKING:
    from miglint.syntax.sql.statement import Statement

DIRECTORY = ".miglint_cache"
FACTS = "facts.bin"
# Apart from the facts: they are still added to while a large project's facts are long saved, and no more in memory.
STATEMENTS = "statements.bin"
VERDICTS = "verdict-"
REPORTS = "report-"
_SECONDS_A_DAY = 86_400

_encoder = msgspec.msgpack.Encoder()


# Both are made when they are needed: they take longer than the smallest of runs.
@cache
def _facts() -> msgspec.msgpack.Decoder[ModuleFacts]:
    return msgspec.msgpack.Decoder(ModuleFacts)


@cache
def _statements() -> msgspec.msgpack.Decoder[tuple[Statement, ...]]:
    from miglint.syntax.sql.statement import Statement

    return msgspec.msgpack.Decoder(tuple[Statement, ...])


def encode(facts: ModuleFacts) -> bytes:
    """Facts as bytes; `decode` gives them back."""
    return _encoder.encode(facts)


def decode(data: bytes | msgspec.Raw) -> ModuleFacts:
    """Facts from bytes. Raises one of `store.UNREADABLE`."""
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
    """The facts by content hash, and the statements by text. `save` writes what was added."""

    def __init__(self, directory: Path, *, today: int | None = None) -> None:
        """The cache in a directory; `today` is counted in days since 1970."""
        self.directory = directory
        self._today = int(time.time()) // _SECONDS_A_DAY if today is None else today
        self._facts = Store(directory / FACTS, self._today)
        self._sql: Store | None = None  # read once it is asked: a report that is remembered does without

    def __len__(self) -> int:
        """Of how many contents the facts are known."""
        return len(self._facts)

    def get(self, content: bytes) -> ModuleFacts | None:
        """The facts of a content hash; None where they are unknown."""
        return self._facts.get(content + _stamp(), decode)

    def encoded(self, content: bytes) -> msgspec.Raw | None:
        """The facts of a content hash before they are decoded, which may yet fail; None where they are unknown."""
        return self._facts.get(content + _stamp(), _as_it_is)

    def add(self, content: bytes, encoded: bytes) -> msgspec.Raw:
        """Remembers encoded facts, and gives them back as they are kept."""
        return self._facts.add(content + _stamp(), encoded)

    def read_sql(self, text: str, vendor: str) -> tuple[Statement, ...]:
        """As `syntax.sql.read_sql`, which is asked only for what is not remembered."""
        if self._sql is None:
            self._sql = Store(self.directory / STATEMENTS, self._today)
        key = content_hash(f"sql {vendor} {text}".encode("utf-8", "surrogatepass")) + _sql_stamp()
        statements = self._sql.get(key, _statements().decode)
        if statements is None:
            from miglint.syntax.sql import read_sql

            statements = read_sql(text, vendor)
            self._sql.add(key, _encoder.encode(statements))
        return statements

    def save(self) -> None:
        """Writes what changed; a directory that cannot be written is left alone."""
        self._facts.save()
        if self._sql is not None:
            self._sql.save()

    def let_go(self) -> None:
        """Forgets facts that are saved: who asks for them again reads the text again."""
        self._facts.let_go()


def _as_it_is(facts: msgspec.Raw) -> msgspec.Raw:
    return facts


def remove(directory: Path) -> None:
    """Removes the cache's own files, and the directory if nothing else is in it. Raises OSError."""
    # The names of all that is written there, half-written ones too; others may keep files there.
    stored = rf"{re.escape(FACTS)}|{re.escape(STATEMENTS)}|(?:{VERDICTS}|{REPORTS})[0-9a-f]{{32}}\.bin"
    own = re.compile(rf"(?:{stored}|{re.escape(IGNORE)}(?=\.))(?:\.\d+-[0-9a-f]{{8}}\.tmp)?")
    for file in list(directory.iterdir()):
        if own.fullmatch(file.name):
            file.unlink(missing_ok=True)
    ignore = directory / IGNORE
    if ignore.is_file() and ignore.read_bytes() == IGNORED:
        ignore.unlink()
    if not directory.is_symlink() and not any(directory.iterdir()):
        directory.rmdir()
