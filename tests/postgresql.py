"""A PostgreSQL server for a test: its own, in a temporary folder, reached by a socket there."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SECONDS = 60


class MissingServer(Exception):
    """No PostgreSQL is installed; says how to get one."""


def binaries() -> Path:
    """The directory of `initdb` and `postgres`: on the PATH, else where Debian's packages put the newest."""
    found = shutil.which("initdb")
    if found is not None and (Path(found).resolve().parent / "postgres").exists():
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise MissingServer("no initdb was found: install PostgreSQL (apt-get install postgresql)")
    return versions[-1].parent


def _as_somebody() -> dict[str, Any]:
    """How to start a process as another user where this one is root, which initdb and postgres refuse."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise MissingServer("PostgreSQL refuses to run as root, and there is no user nobody")


@contextmanager
def server() -> Iterator[Path]:
    """A server that runs as long as the block; the directory of its socket."""
    home = binaries()
    somebody = _as_somebody()
    # The name of a socket is at most 107 bytes long: a short directory, not pytest's.
    directory = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        if somebody:
            os.chown(directory, somebody["user"], somebody["group"])
        data = directory / "data"
        environment = {**os.environ, "LC_ALL": "C"}
        subprocess.run(
            [home / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, cwd=directory, env=environment, **somebody,
        )  # fmt: skip
        command = [
            home / "postgres", "-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "fsync=off",
            "-c", "autovacuum=off", "-c", "max_parallel_maintenance_workers=0",
        ]  # fmt: skip
        log = (directory / "log").open("wb")
        with (
            log,
            subprocess.Popen(command, stdout=log, stderr=log, cwd=directory, env=environment, **somebody) as running,
        ):
            try:
                _wait(directory, running)
                yield directory
            finally:
                running.send_signal(signal.SIGINT)  # fast shutdown
                running.wait(_SECONDS)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def database_of(socket: Path | str, name: str = "postgres") -> dict[str, str]:
    """A database of a server as an entry of Django's DATABASES, by the directory of the server's socket."""
    return {"ENGINE": "django.db.backends.postgresql", "HOST": str(socket), "USER": "postgres", "NAME": name}


def _wait(directory: Path, running: subprocess.Popen[bytes]) -> None:
    """Until the server takes connections: it writes so into its pid file."""
    pid_file = directory / "data" / "postmaster.pid"
    for _ in range(_SECONDS * 20):
        if running.poll() is not None:
            raise RuntimeError((directory / "log").read_text(errors="replace"))
        # Source: src/backend/utils/init/miscinit.c, PM_STATUS_READY on the last line
        if pid_file.exists() and pid_file.read_text().splitlines()[-1:] == ["ready   "]:
            return
        time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start in time")
