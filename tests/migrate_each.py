"""Migrates the apps of a project one by one on a real database, in a process of its own, started by `errors_of`.

stdin: {"root": directory, "database": settings, "apps": labels}; stdout: {app: the error, "" where all is applied}.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import django
from django.conf import settings


def errors_of(root: Path, apps: Iterable[str], database: dict[str, Any]) -> dict[str, str]:
    """What Django says of each app of a project, "" where all of it is applied."""
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps({"root": str(root), "database": database, "apps": list(apps)}),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def main() -> None:
    given = json.load(sys.stdin)
    sys.path.insert(0, given["root"])
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *given["apps"]],
        DATABASES={"default": given["database"]},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    errors = {}
    for app in given["apps"]:
        executor = MigrationExecutor(connections["default"])
        leaves = [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] == app]
        errors[app] = ""
        try:
            executor.migrate(leaves)
        except Exception as error:
            errors[app] = f"{type(error).__name__}: {error}".splitlines()[0]
            # Where deferred SQL fails, the schema editor leaves its transaction open.
            del connections["default"]
    json.dump(errors, sys.stdout)


if __name__ == "__main__":
    main()
