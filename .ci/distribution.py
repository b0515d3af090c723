"""What users install: `.venv/bin/python .ci/distribution.py`, as `.ci/run` does.

Builds the sdist, and from it the wheel, twice in directories of different names and times, and compares their bytes.
Installs the wheel without the sources beside it, with the oldest dependencies that `pyproject.toml` allows into the
oldest Python and with the newest into each, has it do what the sources do, and runs tests against it. Says which
Pythons were not at hand.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_UV = str(Path(sys.executable).with_name("uv"))
# Those that need no package but pytest, and go through all of the layers.
_TESTS = ("test_reader.py", "test_interpret.py", "test_fixtures.py", "test_settings.py")
# sqlglot changes most from one release to the next.
_TESTS_OF_SQL = ("test_statements.py",)
# Tested where it is at hand, and promised (in pyproject.toml) once it was.
_NEXT = "3.16"
# The first moment that a ZIP file can tell.
_EPOCH = "315532800"
# Every page is read, and every database's table of costs.
_ASK = """
import sys
from pathlib import Path
import miglint
from miglint.catalogue import entries, page
from miglint.database import Database
from miglint import plugins
assert Path(miglint.__file__).is_relative_to(sys.prefix), miglint.__file__
rules = plugins.load()
for vendor in ("postgresql", "mysql", "mariadb", "sqlite"):
    for entry in entries(rules):
        assert page(entry.code, rules, Database.assumed(vendor, "option"))
assert (Path(miglint.__file__).parent / "py.typed").is_file()
"""


def main() -> None:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        wheel = _built(directory)
        _copy(directory / "outside", without_sources=True)
        asked = [sys.executable, "-m", "miglint"]
        expected = _report(asked, directory / "outside", _ROOT / "src")
        supported = re.findall(r"Python :: (3\.\d+)", (_ROOT / "pyproject.toml").read_text())
        runs = [(supported[0], True), *((version, False) for version in (*supported, _NEXT))]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            told = list(pool.map(lambda run: _tested(run[0], directory, wheel, expected, oldest=run[1]), runs))
        absent = [version for (version, oldest), line in zip(runs, told, strict=True) if line is None and not oldest]
        print(*filter(None, told), sep="\n")
    if absent == [*supported, _NEXT]:
        sys.exit(f"none of Python {', '.join(supported)} is at hand: the wheel was not tested")
    if absent:
        print(f"distribution: NOT TESTED on Python {', '.join(absent)}: not at hand here, and not to be downloaded")
    print(f"distribution: {time.perf_counter() - began:.0f} s")


def _built(directory: Path) -> Path:
    """The wheel, after it and the sdist came out twice with the same bytes."""
    outputs = []
    for at, name in enumerate(("one", "another/place")):
        tree = directory / name
        _copy(tree)
        for path in tree.rglob("*"):
            os.utime(path, (1_600_000_000 + at * 86_400,) * 2)
        _run([_UV, "build", "--quiet", "--out-dir", str(tree / "made"), str(tree)], SOURCE_DATE_EPOCH=_EPOCH)
        outputs.append(
            {path.name: path for path in sorted((tree / "made").iterdir()) if path.suffix in (".whl", ".gz")}
        )
    first, second = outputs
    assert len(first) == 2, list(first)
    assert first.keys() == second.keys()
    for name, path in first.items():
        if path.read_bytes() != second[name].read_bytes():
            sys.exit(f"{name} has other bytes when it is built again")
    print(f"distribution: {' and '.join(first)} are built the same twice")
    return next(path for name, path in first.items() if name.endswith(".whl"))


def _copy(tree: Path, *, without_sources: bool = False) -> None:
    """The files that git has, or would have."""
    listed = _run(["git", "-C", str(_ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
    for name in filter(None, listed.split("\0")):
        if (_ROOT / name).is_file() and not (without_sources and name.startswith("src/")):
            target = tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_ROOT / name, target)
    if without_sources:
        settings = tree / "pyproject.toml"
        settings.write_text(settings.read_text().replace('"src", "tests", "."', '"tests"'))


def _tested(version: str, directory: Path, wheel: Path, expected: str, *, oldest: bool) -> str | None:
    """What was tested, None where there is no such Python. Exits where the wheel does not what the sources do."""
    environment = directory / f"python{version}{'-oldest' if oldest else ''}"
    if not _environment(version, environment):
        return None
    python, outside = str(environment / "bin" / "python"), directory / "outside"
    resolution = "lowest-direct" if oldest else "highest"
    install = [_UV, "pip", "install", "--quiet", "--python", python]
    _run([*install, "--resolution", resolution, "-r", str(outside / "pyproject.toml"), "pytest>=8"])
    _run([*install, "--no-deps", str(wheel)])
    _run([python, "-I", "-c", _ASK])
    if _report([python, "-I", "-m", "miglint"], outside) != expected:
        sys.exit(f"the wheel on {environment.name} reports on the fixtures what the sources do not")
    tests = [str(outside / "tests" / name) for name in (*_TESTS, *(_TESTS_OF_SQL if oldest else ()))]
    told = _run([python, "-m", "pytest", "-p", "no:cacheprovider", *tests], cwd=outside).splitlines()[-1]
    full = _run([python, "-c", "import platform; print(platform.python_version())"]).strip()
    frozen = _run([_UV, "pip", "freeze", "--quiet", "--python", python]).split()
    named = [each for each in frozen if each.partition("==")[0] in ("click", "libcst", "msgspec", "sqlglot", "tomli")]
    return f"distribution: the wheel on Python {full} with {', '.join(named)}: {told}"


def _environment(version: str, environment: Path) -> bool:
    """A new environment of a Python that is here, or that uv can download."""
    here = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for python in (*map(str, here[-1:]), version):
        command = [_UV, "venv", "--quiet", "--python", python, str(environment)]
        if subprocess.run(command, check=False, capture_output=True, timeout=120).returncode == 0:
            return True
    return False


def _report(miglint: list[str], outside: Path, *sources: Path) -> str:
    """What is found in all the fixtures."""
    command = [*miglint, "check", "--no-cache", "--exit-zero", "--output-format", "json", "fixtures", "examples"]
    return _run(command, cwd=outside, PYTHONPATH=os.pathsep.join(map(str, sources)))


def _run(command: list[str], *, cwd: Path | None = None, **variables: str) -> str:
    environment = {**os.environ, "UV_HTTP_RETRIES": "1", **variables}
    ended = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}")
    return ended.stdout


if __name__ == "__main__":
    main()
