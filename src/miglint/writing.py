"""Files that are written whole or not at all: who reads one meanwhile sees what was there before."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

# A directory that takes no new file, and a file that is mounted on its own, as containers have them.
_NOT_TO_BE_REPLACED = frozenset({errno.EACCES, errno.EPERM, errno.EBUSY})


def write_whole(file: Path, parts: Iterable[bytes]) -> None:
    """Puts a file made of parts in the place of another in one step, also where this process is ended in the middle.

    A file that may be written to and not be replaced is written to. Raises OSError; a full disk then leaves what was
    there before.
    """
    target = Path(os.path.realpath(file))  # a link stays a link
    temporary = target.with_name(f"{target.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        _write(temporary, parts)
        with suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except OSError as error:
        if error.errno not in _NOT_TO_BE_REPLACED or not target.is_file():
            raise
        if temporary.exists():  # parts may be made but once
            shutil.copyfile(temporary, target)
        else:
            _write(target, parts)
    finally:
        with suppress(OSError):  # what was put in its place is no longer there
            temporary.unlink()


def _write(file: Path, parts: Iterable[bytes]) -> None:
    with open(file, "wb") as stream:
        stream.writelines(parts)
