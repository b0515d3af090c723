"""Processes that begin with what they need already imported: each is a fork of one that imported it.

`run` starts them. To be asked, this file is a program: `python forked.py MODULE…` imports the modules, and becomes, for
each line of JSON that comes, a process of its own with the arguments, directory, environment and streams that the
line says.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

# What every program that has Django do something imports; none of it asks for settings yet.
DJANGO = (
    "django", "django.core.management.commands.migrate", "django.db.backends.sqlite3.base", "django.db.migrations",
    "django.db.migrations.executor", "django.db.models", "django.contrib.auth.apps", "django.contrib.auth.hashers",
    "django.contrib.contenttypes.apps",
)  # fmt: skip
# A process that does not come to an end is ended.
_SECONDS = 600
_RUN_MODULE = "import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
# What an interpreter has read from its environment before a module could be imported.
_BEFORE = ("PYTHON", "LC_", "LANG")


def run(
    program: str,
    *arguments: str,
    imported: tuple[str, ...],
    python: str = sys.executable,
    cwd: str | os.PathLike[str],
    path: tuple[str, ...] = (),
    stdin: bytes = b"",
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """What a Python program does as a process of its own, in which some modules are imported already.

    `path` comes before the directories of modules, which `PYTHONPATH` of `environment` does not change any more.
    """
    with tempfile.TemporaryDirectory(prefix="forked") as folder:
        streams = [os.path.join(folder, name) for name in ("in", "out", "err")]
        Path(streams[0]).write_bytes(stdin)
        given = {
            "program": program,
            "arguments": arguments,
            "cwd": os.fspath(cwd),
            "path": path,
            "streams": streams,
            "environment": dict(os.environ) if environment is None else environment,
        }
        code = _server(python, imported).ask(given)
        out, err = (Path(stream).read_bytes() for stream in streams[1:])
    return subprocess.CompletedProcess([python, "-c", program, *arguments], code, out, err)


def module(name: str) -> str:
    """The program that `python -m` runs."""
    return _RUN_MODULE.format(module=name)


def differs(environment: dict[str, str]) -> bool:
    """Whether an interpreter with this environment would begin otherwise than a fork of this one's."""
    names = {name for name in {*environment, *os.environ} if name.startswith(_BEFORE)}
    return any(environment.get(name) != os.environ.get(name) for name in names)


class _Server:
    """The process that is forked."""

    def __init__(self, python: str, imported: tuple[str, ...]) -> None:
        # The same order of sets in all of them, whichever is asked.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        self._process = subprocess.Popen(
            [python, "-W", "ignore", __file__, *imported],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        )  # fmt: skip
        atexit.register(self.end)

    def ask(self, given: dict[str, Any]) -> int:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(json.dumps(given).encode() + b"\n")
        asked.flush()
        return int(answers.readline())

    def end(self) -> None:
        self._process.communicate()


# Threads ask at once: each has its own.
_servers = threading.local()


def _server(python: str, imported: tuple[str, ...]) -> _Server:
    known: dict[tuple[str, tuple[str, ...]], _Server] = _servers.__dict__
    if (python, imported) not in known:
        known[python, imported] = _Server(python, imported)
    return known[python, imported]


# -- the process that is forked -----------------------------------------------------------------------


def _wait() -> dict[str, Any]:
    """What a fork is to be: this returns in each of them, and in no other."""
    with open(os.dup(0), "rb") as asked, open(os.dup(1), "wb") as answers:
        for line in asked:
            process = os.fork()
            if not process:
                found: dict[str, Any] = json.loads(line)
                return found
            _, status = os.waitpid(process, 0)
            answers.write(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            answers.flush()
    sys.exit()


def _become(given: dict[str, Any]) -> None:
    signal.alarm(_SECONDS)
    os.chdir(given["cwd"])
    os.environ.clear()
    os.environ.update(given["environment"])
    for number, stream in enumerate(given["streams"]):
        opened = os.open(stream, os.O_CREAT | os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = _stream(sys.stdin), _stream(sys.stdout), _stream(sys.stderr)
    # What is imported from now on is a test's: a moment later the file may have another text of the same length.
    sys.dont_write_bytecode = True
    # Not the directory of this file, but that of the process, as `python -c` has it.
    sys.path[:1] = [*given["path"], ""]
    sys.argv[:] = ["-c", *given["arguments"]]


def _stream(stream: Any) -> IO[str]:
    """The same again, without what a process before it wrote."""
    return open(stream.fileno(), stream.mode, encoding=stream.encoding, errors=stream.errors, closefd=False)


if __name__ == "__main__":
    for _name in sys.argv[1:]:
        importlib.import_module(_name)
    # What is there already is not to be copied for each of them.
    gc.collect()
    gc.freeze()
    _given = _wait()
    _become(_given)
    exec(compile(_given["program"], "<string>", "exec"), {"__name__": "__main__"})
