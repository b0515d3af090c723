"""Reads many texts at once, in processes of their own: LibCST holds Python's lock while it parses.

A worker is `python -c …` on two pipes: unlike multiprocessing it needs no semaphores, does not import the main
module again, and starts alike on every system. A parser that ends its process takes one file with it.
"""

from __future__ import annotations

import gc
import os
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

import msgspec

from miglint.cache import encode
from miglint.syntax.facts import ModuleFacts, ReadProblem
from miglint.text import Span

# So many texts the quick reader reads while LibCST reads one.
_QUICKER = 6
# Several files a message, so that a worker rarely waits; few enough that both end at about the same time.
_CHUNK = 12
_LENGTH = struct.Struct("<Q")
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from miglint.workers import serve; serve()"


class Text(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is to be read; `quickly` where the quick reader may do it."""

    text: str
    quickly: bool = False


_texts = msgspec.msgpack.Decoder(list[Text])
_answers = msgspec.msgpack.Decoder(list[bytes])
_encoder = msgspec.msgpack.Encoder()


class _Ended(Exception):
    """A worker ended before it answered."""


def read_encoded(text: Text) -> bytes:
    """The encoded facts of a text."""
    facts = _read_quickly(text) if text.quickly else None
    if facts is not None:
        return facts
    from miglint.syntax.reader import read  # imports libcst, which a run without misses does not need

    try:
        return encode(read(text.text))
    except RecursionError:
        return encode(ModuleFacts(problem=ReadProblem("the code is nested too deeply", Span(0, 1))))


def _read_quickly(text: Text) -> bytes | None:
    """The encoded facts of a text that the quick reader can read."""
    from miglint.syntax import quick

    facts = quick.read(text.text)
    return encode(facts) if facts is not None else None


def effort(texts: Iterable[Text]) -> float:
    """How long texts take, in those that LibCST reads."""
    return sum(1 / _QUICKER if text.quickly else 1 for text in texts)


def can_start() -> bool:
    """Whether there is a Python to start: a frozen program has none."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def read_all(texts: Sequence[Text], *, jobs: int) -> Iterator[tuple[int, bytes]]:
    """The encoded facts of each text and its index, as they come. Raises OSError where no worker can start.

    Where its share is to be read quickly, this process reads, too: it would only wait, and one worker more takes as
    long to start as a hundred such texts. What the quick reader leaves to LibCST is a worker's, which may end with it.
    """
    from concurrent.futures import ThreadPoolExecutor  # of no use to the workers themselves
    from queue import SimpleQueue

    # What takes long comes first, so that all end at about the same time.
    order = sorted(range(len(texts)), key=lambda index: texts[index].quickly)
    waiting = deque(order[start : start + _CHUNK] for start in range(0, len(order), _CHUNK))
    helps = jobs > 1 and effort(text for text in texts if text.quickly) * jobs >= effort(texts)
    workers = [_Worker() for _ in range(min(jobs - helps, len(waiting)))]
    # What a worker has read, and by its number that it has ended.
    answers: SimpleQueue[list[tuple[int, bytes]] | int] = SimpleQueue()

    def read(number: int) -> None:
        try:
            while (chunk := _next(waiting.popleft)) is not None:
                found = workers[number].read([texts[index] for index in chunk])
                answers.put(list(zip(chunk, found, strict=True)))
        finally:
            answers.put(number)

    pool = ThreadPoolExecutor(len(workers))
    missing = len(texts)
    left: list[int] = []
    try:
        for worker in workers:
            worker.start()
        reading = [pool.submit(read, number) for number in range(len(workers))]
        while helps and (chunk := _next(waiting.pop)) is not None:
            if not texts[chunk[0]].quickly:
                waiting.append(chunk)
                break
            for index in chunk:
                facts = _read_quickly(texts[index])
                if facts is None:
                    left.append(index)
                else:
                    missing -= 1
                    yield index, facts
        while missing > len(left):
            answer = answers.get()
            if isinstance(answer, int):
                reading[answer].result()  # raises what ended it
            else:
                missing -= len(answer)
                yield from answer
        yield from zip(left, workers[0].read([texts[index] for index in left]) if left else (), strict=True)
    finally:
        for worker in workers:
            worker.close()
        pool.shutdown()


def _next(take: Callable[[], list[int]]) -> list[int] | None:
    """The next of the texts that wait, None where none do."""
    try:
        return take()
    except IndexError:
        return None


class _Worker:
    """One process, started again when it ends too early."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def start(self) -> None:
        """Starts the process."""
        arguments = [sys.executable, "-c", _PROGRAM, *sys.path]
        # In a session of its own: Ctrl-C is for its parent alone, which ends it.
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )

    def close(self) -> None:
        """Ends the process, and starts no other."""
        self._closed = True
        self.end()

    def end(self) -> None:
        """Ends the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def read(self, texts: list[Text]) -> list[bytes]:
        """Encoded facts. A text that ends the process gives facts with a problem; the others are read."""
        try:
            return self._ask(texts)
        except _Ended:
            if self._closed:
                raise
            self.end()
        if len(texts) > 1:
            return [self.read([text])[0] for text in texts]
        problem = ReadProblem("parsing it ends the parser's process", Span(0, 1))
        return [encode(ModuleFacts(problem=problem))]

    def _ask(self, texts: list[Text]) -> list[bytes]:
        if self._process is None:
            self.start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _send(process.stdin, _encoder.encode(texts))
        except OSError:
            raise _Ended from None
        answer = _receive(process.stdout)
        if answer is None:
            raise _Ended
        return _answers.decode(answer)


def serve() -> None:
    """What a worker does: answers until nobody asks."""
    import signal

    # Where there are no sessions (Windows), Ctrl-C comes here too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr
    # Trees and facts have no cycles: the collector would only walk them again and again.
    gc.disable()
    try:
        while (request := _receive(sys.stdin.buffer)) is not None:
            texts = _texts.decode(request)
            if not all(text.quickly for text in texts):
                from miglint.syntax import reader  # imports libcst, which the quick reader does not need

                reader.trust_the_parser()
            _send(answers, _encoder.encode([read_encoded(text) for text in texts]))
    except BrokenPipeError:
        # The parent was killed. Python would say so when it closes the stream.
        os._exit(0)


def _send(stream: IO[bytes], message: bytes) -> None:
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes | None:
    """The next message, None where the stream ends before its end."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    message = stream.read(length)
    return message if len(message) == length else None
