"""The command line: arguments, streams and exit codes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from miglint import __version__
from miglint.cli import history, inspect
from miglint.cli.check import check
from miglint.cli.common import reading_options, session, stop, write


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="miglint %(version)s")
def cli() -> None:
    """Tells what Django migrations will do before anyone runs them, without importing Django."""


cli.add_command(check)


@cli.command()
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", show_default=True)
@reading_options
def rules(output_format: str, **given: Any) -> None:
    """The rule table, with the rules of the project's plug-ins."""
    from miglint.catalogue import entries, rules_json, rules_text

    with session(given, Path.cwd()) as reader:
        book = reader.rulebook()
    table = entries(book.rules)
    write(rules_json(table, book.selection) if output_format == "json" else rules_text(table), None)


def _rules_like(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """The codes and names that begin so, for the shell to complete."""
    from miglint import plugins
    from miglint.catalogue import entries

    return [word for entry in entries(plugins.load()) for word in (entry.code, entry.name) if word.startswith(begun)]


@cli.command()
@click.argument("rule", shell_complete=_rules_like)
@reading_options
def explain(rule: str, **given: Any) -> None:
    """A rule's page, by code or name, with what it costs on the project's database."""
    from miglint.catalogue import UnknownRule, page

    with session(given, Path.cwd()) as reader:
        book = reader.rulebook()
    try:
        text = page(rule, book.rules, book.database)
    except UnknownRule as error:
        stop(str(error))
    write(text, None)


@cli.command()
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--cache-dir", type=click.Path(path_type=Path), help="Where the cache is kept.")
def clean(path: Path, cache_dir: Path | None) -> None:
    """Remove the cache of the project that PATH belongs to."""
    from miglint.cache import DIRECTORY, FILE, remove
    from miglint.project.layout import project_root

    directory = cache_dir or project_root(Path.cwd() / path) / DIRECTORY
    if not (directory / FILE).is_file():
        click.echo(f"nothing to remove: {directory} is no cache of miglint", err=True)
        return
    try:
        remove(directory)
    except OSError as error:
        stop(f"cannot remove {directory}: {error.strerror}")
    click.echo(f"removed {directory}", err=True)


for command in (history.graph, history.plan, history.state, inspect.inspect):
    cli.add_command(command)


def main() -> None:
    """The `miglint` script."""
    code: object = 0
    try:
        try:
            cli()
        except SystemExit as end:
            code = end.code or 0
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    if isinstance(code, int):
        # All is written; freeing every value of the run, one by one, would take a twentieth of its time.
        os._exit(code)
    raise SystemExit(code)
