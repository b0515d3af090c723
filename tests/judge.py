"""Real projects in environments of their own: what Django makes of them, and the same sources for miglint to read.

The environments are installed from lists of pinned packages, one a Django version and a set of packages that go
together; everything is cached below `.cache`. `python tests/judge.py` prints what differs and is not listed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import forked
from once import CACHE, once

HERE = Path(__file__).parent
# The places of each history at which states are compared.
POINTS = 6


@dataclass(frozen=True)
class Run:
    """Settings of `suites/`, in an environment of `environments/`."""

    suite: str
    environment: str

    def __str__(self) -> str:
        return f"{self.suite}-{self.environment}"


RUNS = (
    Run("wagtail", "sites"),
    Run("oscar", "sites"),
    Run("cms", "sites"),
    Run("forums", "sites"),
    Run("apps", "apps"),
    Run("nautobot", "nautobot"),
    Run("enterprise", "enterprise"),
    Run("pages", "django42"),
    Run("oscar", "django42"),
    Run("pages", "django6"),
    Run("oscar", "django6"),
    Run("enterprise", "django6"),
)
# The Python that the lists were made with; Django 6.0 and later need 3.12.
PYTHON = {"django6": "3.12"}
USUAL_PYTHON = "3.11"


class Unavailable(Exception):
    """A Python that an environment needs is not on this machine."""


# -- environments -------------------------------------------------------------------------------------


def pythons(version: str) -> Iterator[str]:
    """Where an interpreter of a version may be: this one, those on the path, those of pyenv."""
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(path) for path in sorted(root.glob(f"versions/{version}.*/bin/python3")))


@cache
def python_of(version: str) -> str:
    code = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != {version!r})"
    for candidate in pythons(version):
        if subprocess.run([candidate, "-c", code], capture_output=True, check=False).returncode == 0:
            return candidate
    raise Unavailable(f"no Python {version} on this machine")


def uv(*arguments: str) -> None:
    command = [sys.executable, "-m", "uv", "--quiet", "--no-progress", *arguments]
    environment = {**os.environ, "UV_CACHE_DIR": str(CACHE / "uv"), "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run(command, check=True, env=environment)


def digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


@cache
def environment(name: str) -> Path:
    """The folder of a virtual environment, installed once."""
    listed = HERE / "environments" / f"{name}.txt"
    folder = CACHE / "environments" / f"{name}-{digest(listed)}"
    done = folder / ".installed"

    def make() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        uv("venv", "--python", python_of(PYTHON.get(name, USUAL_PYTHON)), str(folder))
        python = str(folder / "bin" / "python")
        uv("pip", "install", "--python", python, "--no-deps", "--requirements", str(listed))
        done.touch()

    once(done, make)
    return folder


def packages_of(name: str) -> Path:
    """Where an environment keeps its packages."""
    return next(environment(name).glob("lib/python3*/site-packages"))


# -- Django's answer ----------------------------------------------------------------------------------


@cache
def answer(run: Run) -> dict[str, Any]:
    """What Django says of a run; asked once."""
    settings, script = HERE / "suites" / run.suite / "settings.py", HERE / "ask_django.py"
    folder = environment(run.environment)
    kept = CACHE / "answers" / f"{run}-{folder.name.rpartition('-')[2]}-{digest(settings, script)}.json"

    def make() -> None:
        told = run_script(script.name, settings.parent, str(folder / "bin" / "python"), str(POINTS))
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(told[told.index('{"django"') :])

    once(kept, make)
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def ask(folder: Path, python: str = sys.executable, points: int = POINTS) -> str:
    """What the Django of an interpreter says of the settings in a folder, as JSON."""
    program = (HERE / "ask_django.py").read_text()
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings"}
    done = forked.run(
        program, str(points), imported=forked.DJANGO, python=python, cwd=folder, path=(str(folder),), environment=given
    )
    if done.returncode != 0:
        raise RuntimeError(f"Django fails in {folder}: {done.stderr.decode()}")
    told = done.stdout.decode()
    return told[told.index('{"django"') :]


def run_script(name: str, folder: Path, python: str, *arguments: str) -> str:
    """What one of the scripts here prints, which asks the Django of an interpreter about the settings in a folder."""
    command = [python, "-W", "ignore", str(HERE / name), *arguments]
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(folder), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=given, cwd=folder)
    if done.returncode != 0:
        raise RuntimeError(f"Django fails in {folder}: {done.stderr}")
    return done.stdout


# -- miglint's ----------------------------------------------------------------------------------------


def project(run: Run, root: Path) -> Path:
    """The Python sources of a run's installed apps as a project below a folder, with its settings."""
    told, packages = answer(run), packages_of(run.environment)
    wanted = set(told["migrations"].values())

    def others(folder: str, names: list[str]) -> list[str]:
        """What is no Python, and the migrations of apps that are not installed."""
        return [
            name
            for name in names
            if (name == "migrations" and f"{folder}/{name}" not in wanted)
            or name == "__pycache__"
            or not (name.endswith(".py") or Path(folder, name).is_dir())
        ]

    contributed = [path for path in told["apps"] if path.startswith(f"{packages}/django/")]
    own = [str(packages / name) for name in told["packages"] if name != "django" and (packages / name).is_dir()]
    for path in (*contributed, *own):
        shutil.copytree(path, root / Path(path).relative_to(packages), ignore=others, dirs_exist_ok=True)
    shutil.copy(HERE / "suites" / run.suite / "settings.py", root)
    (root / "miglint.toml").write_text(
        f"""\
settings-file = "settings.py"
database = "sqlite"
environment = "{environment(run.environment)}"
django-version = "{".".join(told["django"].split(".")[:2])}"
"""
    )
    return root


def miglint(root: Path, *arguments: str) -> dict[str, Any]:
    """What a command of miglint says of a project, as JSON."""
    command = [sys.executable, "-m", "miglint", *arguments, "--output-format", "json"]
    command += ["--cache-dir", str(root.parent / f"{root.name}-cache")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# -- what differs -------------------------------------------------------------------------------------

FACTS = (
    "type", "null", "unique", "db_index", "primary_key", "max_length", "to", "has_default", "has_db_default",
    "db_column",
)  # fmt: skip
MODEL_FACTS = ("table", "managed", "proxy", "bases", "options", "indexes", "constraints")


@dataclass
class Comparison:
    """How many facts were compared, and those that are not equal: by name, with what each side says."""

    facts: int = 0
    unknown: int = 0
    wrong: int = 0
    differences: dict[str, list[Any]] = field(default_factory=dict)

    def compare(self, name: str, mine: Any, wanted: Any, *, counts: bool = False) -> None:
        self.facts += counts
        if mine == wanted and type(mine) is type(wanted):
            return
        self.unknown += counts and mine == "unknown"
        self.wrong += counts and mine != "unknown"
        self.differences.setdefault(name, [mine, wanted])


def compare(run: Run, root: Path) -> Comparison:
    """Everything of a run."""
    return compare_with(answer(run), root)


def compare_with(told: dict[str, Any], root: Path) -> Comparison:
    """What Django told, and what miglint says; a fact that differs at several points of the history is one."""
    found = Comparison()
    _compare_graph(told, miglint(root, "graph"), found)
    plan = miglint(root, "plan")["plan"]
    found.compare("plan", list(map(".".join, plan)), told["plan"])
    for at, models in told["states"].items():
        mine = miglint(root, "state", *(["--at", at] if at else []))["models"]
        _compare_states(by_name(mine), by_name(models), found)
    return found


def _compare_graph(told: dict[str, Any], mine: dict[str, Any], found: Comparison) -> None:
    migrations = {f"{each['app']}.{each['name']}": each for each in mine["migrations"]}
    nodes = sorted(name for name, each in migrations.items() if each["replaced_by"] is None)
    found.compare("nodes", nodes, sorted(told["parents"]))
    found.compare("files", sorted(migrations), sorted(f"{each['app']}.{each['name']}" for each in told["declared"]))
    for each in told["declared"]:
        name = f"{each['app']}.{each['name']}"
        for attribute in ("dependencies", "run_before", "replaces", "atomic", "initial"):
            value = migrations[name][attribute]
            found.compare(f"{name} {attribute}", sorted(value) if isinstance(value, list) else value, each[attribute])
    for kind in ("roots", "leaves"):
        names = sorted(f"{app['label']}.{name}" for app in mine["apps"] for name in app[kind])
        for name in sorted(set(names) ^ set(told[kind])):
            found.compare(f"{name} {kind}", name in names, name in told[kind])


def by_name(models: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{each['app']}.{each['name'].lower()}": each for each in models}


def _compare_states(mine: dict[str, Any], wanted: dict[str, Any], found: Comparison) -> None:
    for name in sorted({*mine, *wanted}):
        one, other = mine.get(name), wanted.get(name)
        if one is None or other is None:
            found.compare(name, one is not None, other is not None)
            continue
        for fact in ("name", *MODEL_FACTS):
            found.compare(f"{name} {fact}", one[fact], other[fact])
        fields = {each["name"]: each for each in one["fields"]}
        found.compare(f"{name} fields", list(fields), [each["name"] for each in other["fields"]])
        for each in other["fields"]:
            for fact in FACTS if each["name"] in fields else ():
                label = f"{name}.{each['name']} {fact}"
                found.compare(label, fields[each["name"]][fact], each[fact], counts=True)


def listed(run: Run) -> dict[str, str]:
    """The differences that are known, by name, each with its reason."""
    reasons = json.loads((HERE / "data" / "differences.json").read_text()).get(str(run), {})
    return {name: reason for reason, names in reasons.items() for name in names}


def main() -> None:
    for run in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            found = compare(run, project(run, Path(folder) / "project"))
        print(f"{run}: {found.facts} facts of fields, {found.unknown} unknown, {found.wrong} wrong")
        known = listed(run)
        for name, (mine, wanted) in found.differences.items():
            if name not in known:
                print(f"  {name}: {mine!r}, of Django {wanted!r}")
        for name in sorted(known.keys() - found.differences.keys()):
            print(f"  {name} has become equal")


if __name__ == "__main__":
    main()
