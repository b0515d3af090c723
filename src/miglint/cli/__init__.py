"""The command line: arguments, streams and exit codes."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

import click

from miglint import __version__
from miglint.cli import history, inspect
from miglint.cli.common import reading_options, session, stop, view_of, write
from miglint.database import VENDORS, Vendor
from miglint.diagnostic import Severity

_FORMATS = ("text", "concise", "json")


def _codes(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    """Selectors, given several times or with commas."""
    found = tuple(word.strip() for part in value for word in part.split(",") if word.strip())
    return found or None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="miglint %(version)s")
def cli() -> None:
    """Tells what Django migrations will do before anyone runs them, without importing Django."""


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@reading_options
@click.option("--select", multiple=True, callback=_codes, metavar="SELECTORS", help="Only these rules.")
@click.option("--ignore", multiple=True, callback=_codes, metavar="SELECTORS", help="Not these rules.")
@click.option("--extend-select", multiple=True, callback=_codes, metavar="SELECTORS", help="These rules, too.")
@click.option("--min-confidence", type=click.Choice(("high", "medium", "low")), default="medium", show_default=True)
@click.option(
    "--fail-on", type=click.Choice(("error", "warning", "info", "never")), default="warning", show_default=True
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 also where there are findings.")
@click.option("--output-format", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("--output-file", type=click.Path(path_type=Path), help="Write the report there.")
@click.option("--since", metavar="REF", help="Only what is not on this branch; the setting `base`.")
@click.option(
    "--baseline", type=click.Path(path_type=Path), help="The file of accepted findings; the setting `baseline`."
)
@click.option("--write-baseline", is_flag=True, help="Accept all that is found now, and forget what no longer is.")
@click.option("--stdin-filename", type=click.Path(path_type=Path), help="What the text on stdin (PATH -) stands for.")
@click.option("--statistics", is_flag=True, help="How often each rule fired, in place of the findings.")
def check(paths: tuple[Path, ...], **given: Any) -> None:
    """Lint the migrations of the projects that PATHS belong to."""
    from miglint.formats import render
    from miglint.formats.text import statistics

    gc.disable()  # the values of a run have no cycles worth a collector's time
    cwd = Path.cwd()
    overlay: dict[str, bytes] = {}
    name: Path | None = given["stdin_filename"]
    if name is not None:
        if paths not in ((), (Path("-"),)):
            stop("--stdin-filename goes with the PATH - alone")
        overlay[Path(os.path.abspath(cwd / name)).as_posix()] = sys.stdin.buffer.read()
        paths = (name,)
    elif Path("-") in paths:
        stop("the PATH - needs --stdin-filename")
    with session(given, cwd) as reader:
        report = reader.report(paths, overlay)
    view = view_of(given, cwd)
    text = statistics(report, view) if given["statistics"] else render(given["output_format"], report, view)
    for line in report.warnings if not given["quiet"] else ():
        click.echo(f"miglint: {line}", err=True)
    for line in report.notes if given["verbose"] else ():
        click.echo(f"miglint: {line}", err=True)
    write(text, given["output_file"])
    if report.advice is not None and not given["quiet"]:
        click.echo(f"miglint: {report.advice}", err=True)
    fail_on = None if given["fail_on"] == "never" else Severity[given["fail_on"].upper()]
    raise SystemExit(report.exit_code(fail_on=fail_on, exit_zero=given["exit_zero"]))


@cli.command()
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", show_default=True)
def rules(output_format: str) -> None:
    """The rule table."""
    from miglint.catalogue import entries, rules_json, rules_text

    write(rules_json(entries()) if output_format == "json" else rules_text(entries()), None)


@cli.command()
@click.argument("rule")
@click.option("--database", type=click.Choice(VENDORS), default="postgresql", show_default=True)
def explain(rule: str, database: Vendor) -> None:
    """A rule's page, by code or name."""
    from miglint.catalogue import UnknownRule, page

    try:
        text = page(rule, database)
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
