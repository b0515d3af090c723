"""Projects on the disk, and the commands run on them as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import forked

# What a run imports sooner or later.
MODULES = (
    "miglint.cli", "miglint.cli.history", "miglint.cli.inspect", "miglint.judge", "miglint.load", "miglint.workers",
    "miglint.syntax.reader", "miglint.syntax.quick", "miglint.rules", "sqlglot", "runpy",
)  # fmt: skip
MIGRATION = """from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    replaces = [{replaces}]
    operations = [{operations}]
"""


def migration(*dependencies: str, replaces: tuple[str, ...] = (), operations: str = "") -> str:
    """The text of a migration; a dependency is `app.name`, or the name of a setting for a swappable one."""

    def pair(text: str) -> str:
        if "." not in text:
            return f"migrations.swappable_dependency(settings.{text})"
        return repr(tuple(text.split(".", 1)))

    return MIGRATION.format(
        dependencies=", ".join(map(pair, dependencies)),
        replaces=", ".join(map(pair, replaces)),
        operations=operations,
    )


def write(root: Path, migrations: Mapping[str, str], settings: str | None = None) -> Path:
    """A Django project of migrations by `app.name`; with settings, if any, that `manage.py` names."""
    root.mkdir(parents=True, exist_ok=True)
    module = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "config")\n'
    (root / "manage.py").write_text(module if settings is not None else "")
    if settings is not None:
        (root / "config.py").write_text(settings)
    for key, text in migrations.items():
        app, _, name = key.partition(".")
        folder = root / app / "migrations"
        folder.mkdir(parents=True, exist_ok=True)
        for package in (folder, folder.parent):
            (package / "__init__.py").touch()
        (folder / f"{name}.py").write_text(text)
    return root


def run(*arguments: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """`miglint …`, without a cache and without what the caller's environment says about colours."""
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")} | variables
    done = miglint(*map(str, arguments), "--no-cache", cwd=cwd, environment=environment)
    out, err = (stream.decode().replace("\r\n", "\n") for stream in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def miglint(
    *arguments: str, cwd: Path, environment: dict[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """`miglint …` as a process of its own, with its imports done where the environment lets them be."""
    if forked.differs(environment):
        return started(*arguments, cwd=cwd, environment=environment, stdin=stdin)
    program = forked.module("miglint")
    return forked.run(program, *arguments, imported=MODULES, cwd=cwd, environment=environment, stdin=stdin)


def started(
    *arguments: str, cwd: Path, environment: dict[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """`python -m miglint …`, which imports what it needs from where a user's does."""
    command = [sys.executable, "-m", "miglint", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, input=stdin, capture_output=True, timeout=120)
