"""Projects on the disk, and the commands run on them as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

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
    command = [sys.executable, "-m", "miglint", *map(str, arguments), "--no-cache"]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
