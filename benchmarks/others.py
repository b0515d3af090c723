"""miglint beside other linters, on one released package in one run: `python -m benchmarks.others`.

Wagtail is installed from PyPI into one environment for each linter that imports it. What each of them does is not the
same:

- miglint reads all of the package's migrations as text, replays their history and asks all rules about each;
- django-migration-linter imports the project, has Django write each migration's SQL, beside a migrated SQLite database,
  and looks for words in it. Where Django cannot write it, because the database has the constraint no longer, it is
  told to go on. It remembers its verdicts as miglint does, so that it is measured with and without them;
- django-safe-migrations imports the project, and looks at the operations of each migration. It remembers nothing;
- `ruff check` reads the same files as Python and knows nothing of Django: a floor for what reads them at all.

Times are those of the processors, and by the clock; the medians of three, taken in turn.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

_TIMES = 3
_PACKAGE = ("wagtail==7.4.4", "django>=5.2,<5.3")
_LINTER = "django-migration-linter==6.0.0"
_SAFE = "django-safe-migrations==0.7.1"
_SOURCE = Path(__file__).parent.parent / "src"
_SETTINGS = """\
from importlib.util import find_spec

SECRET_KEY = "-"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
WAGTAIL_SITE_NAME = "-"
WAGTAILADMIN_BASE_URL = "http://localhost"
SILENCED_SYSTEM_CHECKS = ["admin.E403", "admin.E408", "admin.E409", "admin.E410"]
WAGTAIL = ["contrib.forms", "contrib.redirects", "contrib.search_promotions", "contrib.simple_translation", "embeds",
           "sites", "users", "snippets", "documents", "images", "locales", "search", "admin"]
CONTRIB = ["admin", "auth", "contenttypes", "sessions", "messages", "staticfiles"]
INSTALLED_APPS = [f"wagtail.{name}" for name in WAGTAIL] + ["wagtail", "modelcluster", "taggit"]
INSTALLED_APPS += [f"django.contrib.{name}" for name in CONTRIB]
INSTALLED_APPS += [name for name in ("django_migration_linter", "django_safe_migrations") if find_spec(name)]
"""
# The labels of the package's own apps: others' migrations are left alone by all.
_LABELS = """
import django
from django.apps import apps
django.setup()
print(*(app.label for app in apps.get_app_configs() if app.name.startswith("wagtail")))
"""


class _Bench:
    """A directory with an environment for each linter, and a migrated project that uses the package."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._project = directory / "project"
        self._project.mkdir()
        (self._project / "settings.py").write_text(_SETTINGS)
        linter = self._environment("linter", _LINTER)
        safe = self._environment("safe", _SAFE)
        self.package = Path(self._run(linter, "-c", "import wagtail; print(wagtail.__path__[0])").strip())
        self.files = sorted(file for file in self.package.rglob("migrations/*.py") if file.name != "__init__.py")
        labels = self._run(linter, "-c", _LABELS).split()
        self._run(linter, "-m", "django", "migrate")  # Django looks into a database to write some of the SQL
        cache = str(directory / "cache")
        lint = (linter, "-m", "django", "lintmigrations", "--ignore-sqlmigrate-errors", "--include-apps", *labels)
        ruff = str(Path(sys.executable).with_name("ruff"))
        check = (sys.executable, "-m", "miglint", "check", "--exit-zero", "--cache-dir", cache, str(self.package))
        self.runs: dict[str, Callable[[], object]] = {
            "miglint check, warm": lambda: self._run(*check),
            "miglint check, cold": lambda: self._cold(cache, check),
            "django-migration-linter, its cache filled": lambda: self._run(*lint, "--cache-path", f"{cache}-linter"),
            "django-migration-linter --no-cache": lambda: self._run(*lint, "--no-cache"),
            "django-safe-migrations": lambda: self._run(safe, "-m", "django", "check_migrations"),
            "ruff check --no-cache": lambda: self._run(
                ruff, "check", "--isolated", "--no-cache", "--exit-zero", *map(str, self.files)
            ),
        }

    def _environment(self, name: str, linter: str) -> str:
        """A new environment with the package and one linter; its Python."""
        environment = self._directory / name
        uv = str(Path(sys.executable).with_name("uv"))
        python = str(environment / "bin" / "python")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *_PACKAGE, linter], check=True)
        # Each runs as it would after a first time: with the bytecode of all modules.
        subprocess.run([python, "-m", "compileall", "-q", environment], check=False, stdout=subprocess.DEVNULL)
        return python

    def _cold(self, cache: str, check: tuple[str, ...]) -> None:
        shutil.rmtree(cache, ignore_errors=True)
        self._run(*check)

    def _run(self, *command: str) -> str:
        """Runs a command in the project; what it found is no failure, that it could not run is."""
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "settings"}
        environment["PYTHONPATH"] = os.pathsep.join([str(self._project), str(_SOURCE)])
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        ended = subprocess.run(command, env=environment, cwd=self._project, capture_output=True, text=True, check=False)
        if ended.returncode > 1 or "Traceback" in ended.stderr or "SystemCheckError" in ended.stderr:
            raise SystemExit(f"{' '.join(command)[:200]} failed:\n{ended.stderr[-2000:]}")
        return ended.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        bench = _Bench(Path(made))
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in bench.runs}
        for run in bench.runs.values():
            run()  # once, not counted: caches are filled and files are in memory
        for _ in range(_TIMES):
            for name, run in bench.runs.items():
                before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
                run()
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                times[name].append((used, time.perf_counter() - clock))
                if "miglint check, cold" in name:
                    bench.runs["miglint check, warm"]()
    print(f"{_PACKAGE[0]}, {len(bench.files)} migrations; {_LINTER}, {_SAFE}")
    print(f"{'':<44}{'processors':>12}{'by the clock':>14}{'to miglint, warm':>18}")
    found = {name: tuple(map(statistics.median, zip(*taken, strict=True))) for name, taken in times.items()}
    first = next(iter(found.values()))
    for name, (used, clock) in found.items():
        print(f"{name:<44}{used:>10.2f} s{clock:>12.2f} s{used / first[0]:>16.1f} x")


if __name__ == "__main__":
    main()
