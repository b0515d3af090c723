"""Work that a copy of this process does beside it: all that it needs is in memory, only what comes out is passed on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from miglint.reading import processors

T = TypeVar("T")


def can_copy() -> bool:
    """Whether this process can be copied, and there is a processor for the copy.

    Locks that other threads hold would be held in the copy for ever; macOS has no safe copies, Windows has none.
    Sources: fork(2), https://docs.python.org/3/library/os.html#os.fork
    """
    return sys.platform == "linux" and threading.active_count() == 1 and processors() > 1


class Beside(Generic[T]):
    """One piece of work. A copy that is not asked for its result has to be ended."""

    def __init__(self, work: Callable[[], T], kind: type[T]) -> None:
        """Starts the copy. `kind` is what msgspec decodes the result to. Raises OSError."""
        self._kind = kind
        self._output, end = os.pipe()
        try:
            self._process = os.fork()
        except OSError:
            os.close(self._output)
            os.close(end)
            raise
        if self._process == 0:
            os.close(self._output)  # whose only reader is the parent: without it, writing fails and does not wait
            self._work(work, end)
        os.close(end)

    def _work(self, work: Callable[[], T], end: int) -> None:
        """What the copy does; it never returns, and says nothing: where it fails, the work is done once more."""
        try:
            # Ctrl-C is for its parent alone, which ends it.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            with open(end, "wb") as stream:
                stream.write(msgspec.msgpack.encode(work()))
        finally:
            os._exit(0)

    def result(self) -> T | None:
        """What came out, None where the copy ended before."""
        with open(self._output, "rb", closefd=False) as stream:
            answer = stream.read()
        try:
            return msgspec.msgpack.decode(answer, type=self._kind)
        except msgspec.DecodeError:
            return None

    def end(self) -> None:
        """Ends the copy, whatever it does."""
        os.close(self._output)
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
