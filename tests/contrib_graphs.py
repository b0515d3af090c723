"""Asks Django for the migrations of its own apps, and writes them to src/miglint/project/contrib.py.

    python tests/contrib_graphs.py 4.2 5.0 5.1 5.2 6.0

Each version is installed into a folder of its own, so Python must be new enough for the newest of them; without
versions the Django that is installed is asked.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).parent.parent / "src" / "miglint" / "project" / "contrib.py"

Graph = dict[str, dict[str, list[list[str]]]]

START = """
import json, pkgutil
from importlib import import_module
import django.contrib
from django.conf import settings

found = [module.name for module in pkgutil.iter_modules(django.contrib.__path__)]
# These two need libraries that are not there, and have no migrations.
settings.configure(INSTALLED_APPS=[f"django.contrib.{name}" for name in found if name not in ("gis", "postgres")])
import django
django.setup()
from django.db.migrations.loader import MigrationLoader
"""
GRAPH = """
def written(dependency):
    setting = getattr(dependency, "setting", None)
    assert setting in (None, settings.AUTH_USER_MODEL)
    return ["__setting__", "AUTH_USER_MODEL"] if setting else list(dependency)


graph = {}
for (app, name), migration in MigrationLoader(None).disk_migrations.items():
    assert not migration.run_before and not migration.replaces
    graph.setdefault(app, {})[name] = [written(each) for each in migration.dependencies]
print(json.dumps(graph, sort_keys=True))
"""


def ask(path: str | None = None) -> Graph:
    """The migrations of all contrib apps with their dependencies; of the Django in `path`, if given."""
    found: Graph = json.loads(asked(GRAPH, path))
    return found


def asked(question: str, path: str | None = None) -> str:
    """What a Django says that has all contrib apps installed."""
    environment = {**os.environ, **({"PYTHONPATH": path} if path is not None else {})}
    command = [sys.executable, "-c", START + question]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def installed(version: str) -> Graph:
    """The same of a version that is downloaded for it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--ignore-requires-python"]
        subprocess.run([*command, "--target", folder, f"django~={version}.0"], check=True)
        return ask(folder)


def source(graph: Graph) -> str:
    """The table as it stands in the module."""
    lines = ["CONTRIB: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = {"]
    for app, migrations in sorted(graph.items()):
        lines.append(f'    "{app}": {{')
        for name, dependencies in sorted(migrations.items()):
            pairs = "".join(f'("{label}", "{parent}"), ' for label, parent in dependencies)
            inner = pairs.rstrip(" ") if len(dependencies) == 1 else pairs.rstrip(", ")
            lines.append(f'        "{name}": ({inner}),')
        lines.append("    },")
    return "\n".join([*lines, "}"]) + "\n"


def main(versions: list[str]) -> None:
    graphs = {version: installed(version) for version in versions} or {"": ask()}
    first = next(iter(graphs.values()))
    for version, graph in graphs.items():
        if graph != first:
            raise SystemExit(f"Django {version} differs from {next(iter(graphs))}: the table needs versions")
    before = re.split(r"^CONTRIB\b", TARGET.read_text(), maxsplit=1, flags=re.M)[0]
    TARGET.write_text(before + source(first))


if __name__ == "__main__":
    main(sys.argv[1:])
