"""What PostgreSQL refuses of the migrations of a project, and what MG508 says that it will."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from miglint.diagnostic import Severity
from miglint.options import Options
from miglint.session import Session
from migrate_each import errors_of
from postgresql import database_of, server


def judged(root: Path, apps: Iterable[str]) -> dict[str, tuple[str, str]]:
    """By app: what PostgreSQL says, and what the finding says it will say."""
    apps = tuple(apps)
    with server() as socket:
        said = errors_of(root, apps, database_of(socket))
    options = Options(cache=False, jobs=1, select=("MG508",), database="postgresql")
    found = dict.fromkeys(apps, "")
    for each in Session(options, cwd=root).report([root]).findings:
        if each.severity is Severity.ERROR:
            assert each.subject.app is not None
            found[each.subject.app] = "OperationalError: " + each.message.rpartition("OperationalError: ")[2]
    return {app: (said[app], found[app]) for app in apps}
