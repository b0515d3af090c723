"""The commands that show what Django would build: `graph`, `plan` and `state`."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from miglint.cli.common import GivenPath, here, reading_options, say, session, stop, view_of, write

if TYPE_CHECKING:
    from miglint.project.keys import MigrationKey
    from miglint.scope import Scope

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
_paths: Decorator = click.argument("paths", nargs=-1, type=GivenPath())


def _apps(words: str) -> Decorator:
    return click.option("--app", "apps", multiple=True, metavar="LABEL", help=f"{words}; may be repeated.")


def _format(*names: str) -> Decorator:
    return click.option("--output-format", type=click.Choice(names), default=names[0], show_default=True)


@contextmanager
def _scopes(paths: tuple[Path, ...], given: dict[str, Any], *, replayed: bool) -> Iterator[tuple[Scope, ...]]:
    """The projects of the paths, narrowed to `--app`; a name that means nothing ends it in a sentence."""
    from miglint.project.target import UnknownTarget

    gc.disable()  # the values of a run have no cycles worth a collector's time
    cwd = here()
    with session(given, cwd) as reader:
        scopes = reader.scopes(paths, replayed=replayed)
    if not scopes and not given["quiet"]:
        names = ", ".join(map(str, paths)) or str(cwd)
        say(f"miglint: no migrations were found below {names}")
    try:
        yield _narrowed(scopes, given["apps"])
    except UnknownTarget as error:
        stop(str(error))


def _narrowed(scopes: Sequence[Scope], labels: Sequence[str]) -> tuple[Scope, ...]:
    """Only the apps that are named."""
    from miglint.project.target import find_app

    if not labels:
        return tuple(scopes)
    wanted = {find_app(label, (app for scope in scopes for app in scope.apps)) for label in labels}
    return tuple(replace(scope, apps=scope.apps & wanted) for scope in scopes if scope.apps & wanted)


def _only(scopes: Sequence[Scope], target: str) -> tuple[Scope, MigrationKey]:
    """The project that has a migration, and its key."""
    from miglint.project.target import find_app, find_node

    label = find_app(target.partition(".")[0], (app for scope in scopes for app in scope.project.labels))
    scope = next(scope for scope in scopes if label in scope.project.labels)
    return scope, find_node(target, scope.project.graph)


@click.command()
@_paths
@reading_options
@_apps("Only this app")
@_format("text", "json", "mermaid", "dot")
def graph(paths: tuple[Path, ...], **given: Any) -> None:
    """The dependency graph of the projects that PATHS belong to."""
    from miglint.formats import graph_diagram, graph_json, graph_text

    with _scopes(paths, given, replayed=False) as scopes:
        alone = len(scopes) == 1 and len(scopes[0].apps) == 1 and scopes[0].targets() is not None
        renderers: dict[str, Callable[[], str]] = {
            "text": lambda: graph_text.render(scopes, view_of(given, here()), full=given["verbose"] or alone),
            "json": lambda: graph_json.render(scopes),
            "mermaid": lambda: graph_diagram.mermaid(scopes),
            "dot": lambda: graph_diagram.dot(scopes),
        }
        write(renderers[given["output_format"]](), None)


@click.command()
@_paths
@reading_options
@_apps("Only what this app's migrations need")
@click.option("--to", metavar="APP.NAME", help="Only what this migration needs; a unique prefix will do.")
@_format("text", "json")
def plan(paths: tuple[Path, ...], **given: Any) -> None:
    """The order in which Django would apply everything to an empty database."""
    from miglint.formats import plan_json, plan_text
    from miglint.project.plan import plan_of

    to, labels = given["to"], given["apps"]
    with _scopes(paths, given, replayed=False) as scopes:
        if to is not None:
            if labels and (len(labels) > 1 or to.partition(".")[0] not in ("", to, labels[0])):
                stop("--to names one migration: of the app that --app names, if both are given")
            scope, key = _only(scopes, f"{labels[0]}.{to}" if labels and "." not in to else to)
            scopes, plans = (scope,), [plan_of(scope.project, [key])]
        else:
            plans = [plan_of(scope.project, scope.targets()) for scope in scopes]
        if given["output_format"] == "json":
            write(plan_json.render(scopes, plans), None)
        else:
            write(plan_text.render(scopes, plans, view_of(given, here())), None)


@click.command()
@_paths
@reading_options
@_apps("Only the models of this app")
@click.option("--at", metavar="APP.NAME", help="After this migration and its ancestors; a unique prefix will do.")
@_format("text", "json")
def state(paths: tuple[Path, ...], **given: Any) -> None:
    """The state of all models after all migrations."""
    from miglint.formats import state_json, state_text

    key: MigrationKey | None = None
    with _scopes(paths, given, replayed=True) as scopes:
        if given["at"] is not None:
            scope, key = _only(scopes, given["at"])
            scopes, states = (scope,), [scope.project.history.state_after(key)]
        else:
            states = [scope.project.history.final for scope in scopes]
        if given["output_format"] == "json":
            write(state_json.render(scopes, states, key), None)
        else:
            write(state_text.render(scopes, states, key, view_of(given, here())), None)
