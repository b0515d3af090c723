"""The command that shows one migration, operation by operation: `inspect`."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from miglint.cli.common import here, reading_options_of_several, session, stop, view_of, write

if TYPE_CHECKING:
    from miglint.database import Database
    from miglint.project.keys import MigrationKey
    from miglint.scope import Scope


@click.command()
@click.argument("target")
@reading_options_of_several
@click.option("--backwards", is_flag=True, help="What undoing it does.")
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", show_default=True)
def inspect(target: str, **given: Any) -> None:
    """One migration, operation by operation: what the database sees, what waits, what is lost.

    TARGET is a path or app.name; a unique prefix of the name will do.
    """
    from miglint.formats import inspect_json, inspect_text
    from miglint.inspection import inspect as look
    from miglint.project.target import UnknownTarget

    gc.disable()  # the values of a run have no cycles worth a collector's time
    cwd = here()
    vendors: tuple[str, ...] = tuple(dict.fromkeys(given["database"]))
    if len(vendors) > 1 and given["database_version"] is not None:
        stop("--database-version goes with one --database: leave it out to compare several")
    path = Path(target) if "/" in target or target.endswith(".py") else None
    with session({**given, "database": vendors[0] if vendors else None}, cwd) as reader:
        scopes = reader.scopes((path,) if path is not None else (), replayed=True)
    try:
        scope, key = _found(scopes, target, path)
    except UnknownTarget as error:
        stop(str(error))
    databases = _databases(scope, vendors[1:])
    inspections = [look(scope.project, key, database, backwards=given["backwards"]) for database in databases]
    source = scope.source_of(inspections[0].migration.path)
    if given["output_format"] == "json":
        write(inspect_json.render(inspections, source), None)
    else:
        write(inspect_text.render(inspections, source, scope.project, view_of(given, cwd)), None)


def _found(scopes: Sequence[Scope], target: str, path: Path | None) -> tuple[Scope, MigrationKey]:
    """The project that has the migration, and its key. Raises UnknownTarget."""
    from miglint.project.disk import printable
    from miglint.project.target import UnknownTarget, find_app, find_node

    if path is None:
        label = find_app(target.partition(".")[0], (app for scope in scopes for app in scope.project.labels))
        scope = next(scope for scope in scopes if label in scope.project.labels)
        return scope, find_node(target, scope.project.graph)
    file = printable(Path(os.path.abspath(path)).as_posix())
    for scope in scopes:
        for key, migration in scope.project.graph.migrations.items():
            if migration.path == file:
                return scope, find_node(str(key), scope.project.graph)
    raise UnknownTarget(f"{target} is not a migration")


def _databases(scope: Scope, others: tuple[str, ...]) -> list[Database]:
    from miglint.database import Database

    return [scope.project.database, *(Database.assumed(vendor, "option") for vendor in others)]  # type: ignore[arg-type]
