"""Times reading a project's migrations: `python -m benchmarks [PROJECT]`.

Every time is a multiple of LibCST's bare parse of the same files in one process, so that machines compare. Without
a project, one of 400 migrations is made up.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
import libcst
sources = [open(path, "rb").read() for path in paths]
started = time.perf_counter()
for source in sources:
    libcst.parse_module(source)
"""
_READ = """
started = time.perf_counter()
from pathlib import Path
from miglint.cache import Cache
from miglint.reading import read_files
cache = Cache.load(Path(directory))
read_files(paths, cache=cache, jobs=jobs)
cache.save()
"""
_FRAME = """
import sys, time
directory, jobs, *paths = sys.argv[1:]
jobs = int(jobs)
{}
print(time.perf_counter() - started)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        root = Path(sys.argv[1]) if len(sys.argv) > 1 else _made_up(Path(made))
        paths = sorted(str(path) for path in root.rglob("*.py") if "migrations" in path.parts)
        bare = _time(_BARE, made, 1, paths)
        print(f"{len(paths)} files; bare parse {bare:.2f} s")
        for jobs in (1, 2):
            cache = f"{made}/cache{jobs}"
            for word in ("cold", "warm"):
                took = _time(_READ, cache, jobs, paths)
                print(f"{word}, processes {jobs}: {took:.2f} s, {took / bare:.2f} of the bare parse")


def _time(program: str, directory: str, jobs: int, paths: list[str]) -> float:
    """Seconds, measured inside a process of its own."""
    source = str(Path(__file__).parent.parent / "src")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", _FRAME.format(program), directory, str(jobs), *paths]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _made_up(root: Path) -> Path:
    directory = root / "shop" / "migrations"
    directory.mkdir(parents=True)
    for number in range(1, 401):
        (directory / f"{number:04}_step.py").write_text(_MIGRATION.format(before=number - 1, number=number))
    return root


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"measured in {time.perf_counter() - started:.0f} s")
