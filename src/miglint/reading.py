"""Files → facts: from the cache where their content is known, else by parsing, in several processes if many.

Never raises because of a file: what cannot be read is a problem in its facts, and the others are read.
"""

from __future__ import annotations

import gc
import os
import stat
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager

import msgspec

from miglint.cache import Cache, content_hash, decode
from miglint.lazy import lazy
from miglint.store import UNREADABLE
from miglint.syntax.facts import MAX_SIZE, TOO_LARGE, ModuleFacts, ReadProblem
from miglint.syntax.sharing import Sharing
from miglint.text import Source, Span, UndecodableSource
from miglint.text import decode as decode_text

Progress = Callable[[int, int], None]

# Fewer files are read sooner than other processes have imported libcst.
_WORTH_PROCESSES = 40
_FILES_A_PROCESS = 20
# With more files than this, memory is worth more than the time of looking for what their facts have in common.
WORTH_MEMORY = 5_000
# What the quick reader read is remembered apart: a file that is reported on is read by LibCST.
_QUICKLY = b" quickly"


class FileRead:
    """What was read of one file. `data_hash` is the hash of its bytes, "" where they could not be read."""

    def __init__(
        self,
        path: str,
        data: bytes | str,
        known: ModuleFacts | bytes | msgspec.Raw,
        data_hash: str,
        sharing: Sharing | None = None,
    ) -> None:
        """`known` are its facts, or their encoding; `sharing` what they have in common with those of other files."""
        self.path = path
        self.data_hash = data_hash
        self._data = data
        self._known = known
        self._sharing = sharing

    @lazy
    def facts(self) -> ModuleFacts:
        """The facts, decoded when they are asked for; read again where what was remembered cannot be decoded."""
        # What the facts have in common is let go when the last of the files has its facts.
        known, sharing, self._known, self._sharing = self._known, self._sharing, b"", None
        if isinstance(known, ModuleFacts):
            return known
        try:
            facts = decode(known)
        except UNREADABLE:
            from miglint import workers

            facts = decode(workers.read_encoded(workers.Text(_shown(self._data))))
        return sharing.share(facts) if sharing is not None else facts

    @property
    def data(self) -> bytes:
        """The content, none where it could not be read."""
        return self._data if isinstance(self._data, bytes) else _utf8(self._data)

    @lazy
    def source(self) -> Source:
        """The text, decoded when a finding needs it; bytes that are no text are replaced."""
        return Source(self.path, _shown(self._data))


def read_files(
    paths: Iterable[str],
    *,
    cache: Cache | None,
    jobs: int | None,
    overlay: Mapping[str, bytes | str] | None = None,
    progress: Progress | None = None,
    quickly: Container[str] = (),
) -> dict[str, FileRead]:
    """The facts of each path. `overlay` has texts that stand in for files, `jobs` how many processes may read.

    `progress` is told how many files are done, and of how many, while there is something to parse. The paths in
    `quickly` are read by the quick reader where it can: others need them, nothing is reported on them.
    """
    with _collector_off():
        reading = _Reading(cache, overlay or {}, quickly)
        return reading.read(list(dict.fromkeys(paths)), jobs=jobs, progress=progress)


def read_contents(contents: Mapping[str, bytes], *, cache: Cache | None, jobs: int | None) -> dict[str, ModuleFacts]:
    """The facts of contents that are no files here, by the same keys, read quickly and remembered as those of files."""
    with _collector_off():
        found = _Reading(cache, contents, contents, passing=False).read(list(contents), jobs=jobs, progress=None)
    return {key: read.facts for key, read in found.items()}


@contextmanager
def _collector_off() -> Iterator[None]:
    """Facts have no cycles; walking them while more are made is a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Reading:
    """One call of `read_files`. What has the same content is read once.

    `passing` says that texts of the overlay will soon be others, and are not worth remembering.
    """

    def __init__(
        self,
        cache: Cache | None,
        overlay: Mapping[str, bytes | str],
        quickly: Container[str],
        *,
        passing: bool = True,
    ) -> None:
        self._cache = cache
        self._overlay = overlay
        self._quickly = quickly
        self._passing = passing
        self._missed: dict[bytes, str] = {}
        self._unsaved: set[bytes] = set()

    def read(self, paths: list[str], *, jobs: int | None, progress: Progress | None) -> dict[str, FileRead]:
        found: dict[str, FileRead] = {}
        waiting: list[tuple[str, bytes | str, bytes]] = []
        sharing = Sharing() if len(paths) > WORTH_MEMORY else None
        for path in paths:
            data: bytes | str = b""
            try:
                data = self._data(path)
            except _Unreadable as problem:
                found[path] = FileRead(path, data, _problem(str(problem)), "")
                continue
            digest = content_hash(data) if isinstance(data, bytes) else content_hash(b"text\0" + _utf8(data))
            edited = self._passing and path in self._overlay
            key, known = self._known(data, digest, edited=edited, quickly=path in self._quickly)
            if known is None:
                waiting.append((path, data, key))
            # The place is kept, so that the order is that of the paths.
            found[path] = FileRead(path, data, b"" if known is None else known, digest.hex(), sharing)
        parsed: dict[bytes, bytes | msgspec.Raw] = {}
        total = len(paths)
        done = total - len(self._missed)
        for key, encoded in self._parse(jobs) if self._missed else ():
            parsed[key] = encoded
            if self._cache is not None and key not in self._unsaved:
                parsed[key] = self._cache.add(key, encoded)
            done += 1
            if progress is not None:
                progress(done, total)
        for path, data, key in waiting:
            found[path] = FileRead(path, data, parsed[key], found[path].data_hash, sharing)
        return found

    def _data(self, path: str) -> bytes | str:
        """A file's bytes, or what the overlay has for it. Raises _Unreadable."""
        data = self._overlay.get(path)
        if isinstance(data, str):
            data = data.removeprefix("\ufeff")
        elif data is None:
            data = _file_content(path)
        if len(data) > MAX_SIZE:
            raise _Unreadable(TOO_LARGE)
        return data

    def _known(
        self, data: bytes | str, digest: bytes, *, edited: bool, quickly: bool
    ) -> tuple[bytes, ModuleFacts | msgspec.Raw | None]:
        """What is known of the facts without parsing, and the key under which they are to be remembered."""
        key = digest + _QUICKLY if quickly else digest
        if key in self._missed:
            if not edited:
                self._unsaved.discard(key)
            return key, None
        if self._cache is not None:
            for each in (digest, key) if quickly else (digest,):
                known = self._cache.encoded(each)
                if known is not None:
                    return key, known
        try:
            text = data if isinstance(data, str) else decode_text(data)
            text.encode()  # lone surrogates, which UTF-7 lets through, are no text
        except ValueError as error:  # UndecodableSource, and the UnicodeErrors of the odder codecs
            return key, _undecodable(data, error)
        self._missed[key] = text
        if edited:  # every key stroke is another text
            self._unsaved.add(key)
        return key, None

    def _parse(self, jobs: int | None) -> Iterator[tuple[bytes, bytes]]:
        """Key and encoded facts of all that is not known."""
        from miglint import workers  # not needed where everything is known

        keys = list(self._missed)
        texts = [workers.Text(text, key.endswith(_QUICKLY)) for key, text in self._missed.items()]
        done: set[int] = set()
        effort = workers.effort(texts)
        processes = min(jobs or processors(), int(effort) // _FILES_A_PROCESS)
        if effort > _WORTH_PROCESSES and processes > 1 and workers.can_start():
            try:
                for index, encoded in workers.read_all(texts, jobs=processes):
                    done.add(index)
                    yield keys[index], encoded
            except OSError:
                pass  # no process can be started here: the rest is read in this one
        for index, text in enumerate(texts):
            if index not in done:
                yield keys[index], workers.read_encoded(text)


class _Unreadable(Exception):
    """Why a file's bytes cannot be had."""


def _file_content(path: str) -> bytes:
    """The bytes of a regular file; nothing else is opened: a FIFO would block, a device has no end."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise _Unreadable("it is not a regular file")
        if status.st_size > MAX_SIZE:
            raise _Unreadable(TOO_LARGE)
        with open(path, "rb") as stream:
            return stream.read(MAX_SIZE + 1)  # it may have grown, or be one of /proc, which say that they are empty
    except OSError as error:
        raise _Unreadable(error.strerror or str(error)) from None
    except ValueError as error:  # a path with a NUL
        raise _Unreadable(str(error)) from None


def file_content(path: str) -> bytes | None:
    """The bytes of a regular file that is not too large, None where they cannot be had."""
    try:
        data = _file_content(path)
    except _Unreadable:
        return None
    return data if len(data) <= MAX_SIZE else None


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _shown(data: bytes | str) -> str:
    if isinstance(data, str):
        return data
    try:
        return decode_text(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def _problem(message: str, start: int = 0) -> ModuleFacts:
    return ModuleFacts(problem=ReadProblem(message, Span(start, start + 1)))


def _undecodable(data: bytes | str, error: ValueError) -> ModuleFacts:
    line = error.line if isinstance(error, UndecodableSource) else None
    start = Source("", _shown(data)).offset(line) if line is not None else 0
    return _problem(str(error), start)
