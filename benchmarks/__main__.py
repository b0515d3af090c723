"""Times miglint on a project: `python -m benchmarks [PROJECT]`.

Every time is a multiple of LibCST's bare parse of the same files in one process, so that machines compare. Times are
those of the processors (a cold run uses several), the medians of five; what python and click take to start is told
apart. Without a project, one of 400 migrations is made up.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.stages import forget_findings

_TIMES = 5
_SOURCE = Path(__file__).parent.parent / "src"
_MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "{before:04}_step")]

    operations = [
        migrations.CreateModel(
            name="Order{number}",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, db_index=True, help_text="What it is called")),
                ("state", models.CharField(choices=[("new", "New"), ("paid", "Paid")], default="new", max_length=20)),
            ],
            options={{"ordering": ("name", "-id")}},
        ),
        migrations.AddField(
            model_name="order{number}",
            name="total",
            field=models.DecimalField(decimal_places=2, max_digits=12, null=True),
        ),
        migrations.AlterField(model_name="order{number}", name="name", field=models.TextField(blank=True)),
    ]
"""
_BARE = """
import sys, time
import libcst
sources = [open(path, "rb").read() for path in sys.argv[1:]]
started = time.process_time()
for source in sources:
    libcst.parse_module(source)
print(time.process_time() - started)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        root = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else _made_up(Path(made) / "project")
        files = sorted(str(path) for path in root.rglob("*.py") if path.parent.name == "migrations")
        bare = statistics.median(float(_run("-c", _BARE, *files)) for _ in range(_TIMES))
        start = _median(lambda: _run("-c", "import click"))
        print(f"{len(files)} files: bare parse {bare:.2f} s, python and click start in {start:.3f} s")
        cache = f"{made}/cache"
        cold = _median(lambda: _check(root, f"{cache}{time.monotonic_ns()}"), wall=True)
        print(f"cold        {cold:6.2f} s = {cold / bare:.2f} x bare (by the clock)")
        _check(root, cache)
        middle = files[len(files) // 2]
        for name, run in (
            ("warm", lambda: _check(root, cache)),
            ("one file", lambda: _check(middle, cache)),
            # As after a change in one file: what rules found is not remembered.
            ("rules anew", lambda: _check(root, _without_verdicts(cache))),
        ):
            took = _median(run)
            print(f"{name:<11} {took:6.2f} s = start + {(took - start) / bare:.3f} x bare")
    for operations in (3_000, 50_000):
        found = [tuple(map(float, _run("-m", "benchmarks.histories", str(operations)).split())) for _ in range(3)]
        took, memory = statistics.median(seconds for seconds, _ in found), found[0][1]
        print(f"replay of {operations:,} operations: {took:.2f} s, {memory:.0f} MB at most")


def _check(path: Path | str, cache: str, *more: str) -> str:
    return _run("-m", "miglint", "check", "--exit-zero", "--cache-dir", cache, *more, str(path))


def _without_verdicts(cache: str) -> str:
    forget_findings(Path(cache))
    return cache


def _run(*arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(_SOURCE), str(_SOURCE.parent)])}
    # Installed packages have their bytecode, whatever is set for this process.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def _median(run: Callable[[], object], *, wall: bool = False) -> float:
    """The seconds that the processes of a run take, the median of several."""
    times = []
    for _ in range(_TIMES):
        before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        run()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        times.append(time.perf_counter() - clock if wall else used)
    return statistics.median(times)


def _made_up(root: Path) -> Path:
    directory = root / "shop" / "migrations"
    directory.mkdir(parents=True)
    (directory / "__init__.py").touch()
    for number in range(1, 401):
        (directory / f"{number:04}_step.py").write_text(_MIGRATION.format(before=number - 1, number=number))
    return root


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"measured in {time.perf_counter() - started:.0f} s")
