"""What a copy of this process judges is as if this process had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from miglint import judge
from miglint.beside import Beside, can_copy
from miglint.options import Options
from miglint.report import Report
from miglint.session import Session

SHOP = Path(__file__).parent.parent / "fixtures" / "shop"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no process is copied elsewhere")


def test_the_result_of_a_copy_is_that_of_its_work() -> None:
    mine = os.getpid()
    other = Beside(os.getpid, int)
    theirs = other.result()
    other.end()
    assert theirs not in (mine, None)


def fails() -> int:
    raise ValueError


def ends() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 1


@pytest.mark.parametrize("work", [fails, ends])
def test_a_copy_that_fails_has_no_result_and_says_nothing(
    work: Callable[[], int], capfd: pytest.CaptureFixture[str]
) -> None:
    other = Beside(work, int)
    assert other.result() is None
    other.end()
    assert capfd.readouterr() == ("", "")


def test_a_copy_is_ended_whatever_it_does() -> None:
    other = Beside(signal.pause, int)  # type: ignore[arg-type]
    other.end()
    with pytest.raises(ChildProcessError):
        os.waitpid(other._process, os.WNOHANG)


def test_a_copy_ends_where_its_parent_was_killed() -> None:
    program = (
        "import os, signal, time\nfrom miglint.beside import Beside\n"
        "def work():\n    time.sleep(0.2)\n    return 'x' * 1_000_000\n"  # more than a pipe takes
        "print(Beside(work, str)._process, flush=True)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False, timeout=30)
    assert done.returncode == -signal.SIGKILL
    copy = Path("/proc", done.stdout.strip())
    limit = time.monotonic() + 20
    while copy.is_dir() and "\nState:\tZ" not in (copy / "status").read_text():
        assert time.monotonic() < limit, "the copy waits for a reader"
        time.sleep(0.05)


def test_a_process_with_threads_is_not_copied() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    found = can_copy()
    done.set()
    thread.join()
    assert not found


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The copies that were made, of the smallest project too."""
    made: list[object] = []

    class Watched(judge.Beside):  # type: ignore[type-arg,misc,name-defined]
        def result(self) -> object:
            found = super().result()
            made.append(found)
            return found

    monkeypatch.setattr(judge, "_WORTH_A_COPY", range(sys.maxsize))
    monkeypatch.setattr(judge, "can_copy", lambda: True)
    monkeypatch.setattr(judge, "Beside", Watched)
    return made


def lint(cache: Path | None, *, jobs: int | None = None) -> Report:
    options = Options(cache=cache is not None, cache_dir=cache, select=("ALL",), jobs=jobs)
    return Session(options, cwd=SHOP).report(())


def test_two_find_what_one_finds(copies: list[object], tmp_path: Path) -> None:
    alone = lint(None, jobs=1)
    assert copies == []
    together = lint(tmp_path)
    assert len(copies) == 1
    assert together.diagnostics == alone.diagnostics
    assert together.summary == alone.summary
    (tmp_path / next(iter(p.name for p in tmp_path.glob("report-*")))).unlink()
    assert lint(tmp_path).diagnostics == alone.diagnostics
    assert len(copies) == 1, "what both found is remembered"


def test_what_a_copy_did_not_finish_is_done_again(copies: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    alone = lint(None, jobs=1)
    monkeypatch.setattr(judge.Beside, "result", lambda self: None)
    assert lint(None).diagnostics == alone.diagnostics
