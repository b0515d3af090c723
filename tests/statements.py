"""What Django executed for the migrations of real projects on PostgreSQL, beside the actions that miglint knows.

`python tests/statements.py` has all projects migrated (it takes a quarter of an hour the first time), prints how many
statements are equal, and what differs and is not listed in `data/statements.json`. `python tests/statements.py RUN …`
does so for some.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from msgspec.structs import replace

import judge
from django_sql import PERHAPS, UnknownForm, action_lines, matches, statement_lines
from judge import HERE, RUNS, Run
from miglint.database import Database
from miglint.options import Options
from miglint.project.keys import MigrationKey
from miglint.project.operations import RunPython, RunSQL
from miglint.project.project import Project
from miglint.project.statements import sql_actions
from miglint.project.waiting import in_order
from miglint.session import Session
from once import CACHE, once
from postgresql import database_of, server

# What an environment's packages speak to PostgreSQL with. django-bitfield knows the old driver alone.
DRIVERS = {"apps": "psycopg2-binary==2.9.11"}
USUAL_DRIVER = "psycopg[binary]==3.3.9"


# -- Django's answer ----------------------------------------------------------------------------------


@cache
def driver(environment: str) -> Path:
    """The folder of a driver for an environment, beside it: the lists of packages are without any."""
    wanted = DRIVERS.get(environment, USUAL_DRIVER)
    python = judge.environment(environment) / "bin" / "python"
    folder = CACHE / "drivers" / f"{judge.PYTHON.get(environment, judge.USUAL_PYTHON)}-{wanted}"
    done = folder / ".installed"

    def make() -> None:
        judge.uv("pip", "install", "--python", str(python), "--target", str(folder), wanted)
        done.touch()

    once(done, make)
    return folder


@cache
def executed(run: Run) -> dict[str, Any]:
    """What Django executed for a run's migrations, and what there is in the database then; asked once."""
    settings, script = HERE / "suites" / run.suite / "settings.py", HERE / "ask_statements.py"
    folder = judge.environment(run.environment)
    kept = CACHE / "statements" / f"{run}-{folder.name.rpartition('-')[2]}-{judge.digest(settings, script)}.json"

    def make() -> None:
        with server() as socket:
            arguments = str(driver(run.environment)), json.dumps(database_of(socket))
            told = judge.run_script(script.name, settings.parent, str(folder / "bin" / "python"), *arguments)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(told[told.index('{"statements"') :])

    once(kept, make)
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


# -- comparison ---------------------------------------------------------------------------------------


@dataclass
class Comparison:
    """How many migrations and lines were compared, and what differs, by migration.

    Of what differs, `-` is a line of Django's that miglint has not, `+` one that Django has not. `unknown` counts the
    lines of which miglint says that it does not know all.
    """

    migrations: int = 0
    lines: int = 0
    unknown: int = 0
    differences: dict[str, list[str]] = field(default_factory=dict)

    def compare(self, name: str, mine: list[str], wanted: list[str]) -> None:
        """The lines of a migration."""
        self.migrations += 1
        self.lines += len(wanted)
        self.unknown += sum("?" in line or line.startswith(PERHAPS) for line in mine)
        # What may execute anything is like no line of Django's.
        mine = _sorted([line for line in mine if not line.startswith(f"{PERHAPS}execute")])
        wanted = _sorted(wanted)
        if len(mine) != len(wanted) or not all(map(matches, mine, wanted)):
            missing, more, same = _difference(mine, wanted)
            found = [*(f"- {line}" for line in missing), *(f"+ {line}" for line in more)]
            if found or same != sorted(same):
                self.differences[name] = found or ["order"]

    @property
    def different_lines(self) -> int:
        """How many lines of Django's are not among miglint's, or the other way round."""
        return sum(map(len, self.differences.values()))


# What Django does in the order of a set, or of what the database tells it.
_UNORDERED = re.compile(r"drop index |drop constraint |add unique |create index (?=\S+_idx )")


def _sorted(lines: list[str]) -> list[str]:
    """With neighbours of a kind that has no order sorted."""
    groups = groupby(lines, key=lambda line: found[0] if (found := _UNORDERED.match(line)) else "")
    return [line for kind, group in groups for line in (sorted(group) if kind else group)]


def _difference(mine: list[str], wanted: list[str]) -> tuple[list[str], list[str], list[int]]:
    """The lines that only one side has, however they are ordered, and where those that both have stand in the other.

    What is said perhaps to happen may not.
    """
    missing, more = dict(enumerate(wanted)), []
    places: dict[int, int] = {}
    for at, line in sorted(enumerate(mine), key=lambda each: "?" in each[1] or each[1].startswith(PERHAPS)):
        place = next((place for place, other in missing.items() if matches(line, other)), None)
        if place is not None:
            del missing[place]
            places[at] = place
        elif not line.startswith(PERHAPS):
            more.append(line)
    return list(missing.values()), more, [places[at] for at in sorted(places)]


def project(run: Run, root: Path) -> Project:
    """The run's project as miglint reads it for PostgreSQL."""
    judge.project(run, root)
    options = Options(database="postgresql", cache=False)
    (scope,) = Session(options, cwd=root).scopes((), replayed=True)
    return scope.project


def compare(run: Run, read: Project) -> Comparison:
    """All statements of a run. Code is left out: what it executes is not miglint's to know."""
    told = executed(run)
    found = Comparison()
    for name, statements in told["statements"].items():
        app, _, rest = name.partition(".")
        steps = read.history.steps_of(MigrationKey(app, rest))
        operations = {step.path: step.operation for step in steps}
        code = {path for path, operation in operations.items() if isinstance(operation, RunPython)}
        wanted = [
            line
            for path, sql in statements
            if tuple(path or ()) not in code
            for line in _lines(sql, read.database, raw=isinstance(operations.get(tuple(path or ())), RunSQL))
        ]
        actions = in_order(
            replace(action, certain=action.certain and not step.conditional)
            for step in steps
            if step.path not in code
            for action in step.actions
        )
        found.compare(name, list(action_lines(actions)), wanted)
    return found


def _lines(sql: str, database: Database, *, raw: bool) -> list[str]:
    """A statement's lines; what is written in a migration is read as miglint reads it."""
    if not raw:
        try:
            return list(statement_lines(sql))
        except UnknownForm:
            pass
    return list(action_lines(sql_actions(sql, database)))


def counts(lines: list[str]) -> str:
    """The lines that differ in a migration, counted: as the list of what is known has them."""
    if lines == ["order"]:
        return "order"
    missing = sum(line.startswith("-") for line in lines)
    return " ".join(filter(None, (missing and f"-{missing}", len(lines) > missing and f"+{len(lines) - missing}")))


def listed(run: Run) -> dict[str, str]:
    """The migrations that are known to differ, with how many lines."""
    reasons = json.loads((HERE / "data" / "statements.json").read_text()).get(str(run), {})
    return {name: lines for migrations in reasons.values() for name, lines in migrations.items()}


def main(names: list[str]) -> None:
    for run in RUNS:
        if names and str(run) not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = compare(run, project(run, Path(folder) / "project"))
        equal = found.migrations - len(found.differences)
        print(f"{run}: {equal} of {found.migrations} migrations are equal; of {found.lines} lines", end=" ")
        print(f"{found.different_lines} differ, {found.unknown} are not known wholly")
        if error := executed(run)["error"]:
            print(f"  Django stopped: {error.splitlines()[0]}")
        known = listed(run)
        for name, lines in found.differences.items():
            if known.get(name) != counts(lines):
                print(f"  {name}: {counts(lines)}", *lines, sep="\n    ")
        for name in sorted(known.keys() - found.differences.keys()):
            print(f"  {name} has become equal")


if __name__ == "__main__":
    main(sys.argv[1:])
