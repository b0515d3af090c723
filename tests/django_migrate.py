"""Runs `migrate` of a small project in a child process, on a new SQLite database or a given one: what Django says."""

from __future__ import annotations

import json
from pathlib import Path

import forked

_RUN = """
import json
import sys
from pathlib import Path
import django
from django.conf import settings

root, database, *arguments = sys.argv[1:]
apps = sorted(path.parent.parent.name for path in Path(root).glob("*/migrations/__init__.py"))
sys.path.insert(0, root)
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *apps],
    DATABASES={"default": json.loads(database)},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()
from django.core.management import call_command

try:
    call_command("migrate", *arguments, verbosity=0)
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


def write(root: Path, files: dict[str, str]) -> None:
    """Writes a project's files; apps and their migrations get `__init__.py`."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        for package in (target.parent, target.parent.parent):
            if root in package.parents:
                (package / "__init__.py").touch()


def migrate(root: Path, *arguments: str, again: bool = False, database: dict[str, str] | None = None) -> str:
    """What the exception says that ends `migrate`, "" where all is applied; `again` goes on with the database.

    `database` is an entry of DATABASES, an empty database; without it, an SQLite file in the project.
    """
    file = root / "db.sqlite3"
    if not again:
        file.unlink(missing_ok=True)
    entry = database or {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}
    done = forked.run(_RUN, str(root), json.dumps(entry), *arguments, imported=forked.DJANGO, cwd=root)
    done.check_returncode()
    return done.stdout.decode().strip().partition("\n")[0]
