"""The command line: arguments, streams and exit codes."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from miglint import __version__
from miglint.database import VENDORS, Vendor, parse_version
from miglint.diagnostic import Confidence, Severity
from miglint.options import Options

_FORMATS = ("text", "concise", "json")
F = TypeVar("F", bound=Callable[..., Any])


def _stop(message: str) -> NoReturn:
    """Ends with exit code 2 and one sentence."""
    click.echo(f"miglint: {message}", err=True)
    raise SystemExit(2)


def _codes(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    """Selectors, given several times or with commas."""
    found = tuple(word.strip() for part in value for word in part.split(",") if word.strip())
    return found or None


def _version(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            parse_version(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return value


def reading_options(command: F) -> F:
    """The options of every command that reads a project."""
    path = click.Path(path_type=Path)
    for option in (
        click.option("--config", type=path, help="The settings file, instead of looking for one."),
        click.option("--isolated", is_flag=True, help="Read no settings file."),
        click.option("--database", type=click.Choice(VENDORS), help="The database the migrations meet."),
        click.option("--database-version", callback=_version, metavar="V", help="Its version."),
        click.option("--django-version", callback=_version, metavar="V", help="The version of Django in use."),
        click.option("--no-cache", is_flag=True, help="Neither read nor write the cache."),
        click.option("--cache-dir", type=path, help="Where the cache is kept."),
        click.option("-j", "--jobs", type=click.IntRange(1), metavar="N", help="Processes that read files."),
        click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto"),
        click.option("-q", "--quiet", is_flag=True, help="Findings only."),
        click.option("-v", "--verbose", is_flag=True, help="Say what was assumed and passed over."),
    ):
        command = option(command)
    return command


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
            _stop("--stdin-filename goes with the PATH - alone")
        overlay[Path(os.path.abspath(cwd / name)).as_posix()] = sys.stdin.buffer.read()
        paths = (name,)
    elif Path("-") in paths:
        _stop("the PATH - needs --stdin-filename")
    report = _report(_options(given), cwd, paths, overlay, quiet=given["quiet"])
    view = _view(given, cwd)
    text = statistics(report, view) if given["statistics"] else render(given["output_format"], report, view)
    for line in report.warnings if not given["quiet"] else ():
        click.echo(f"miglint: {line}", err=True)
    for line in report.notes if given["verbose"] else ():
        click.echo(f"miglint: {line}", err=True)
    _write(text, given["output_file"])
    fail_on = None if given["fail_on"] == "never" else Severity[given["fail_on"].upper()]
    raise SystemExit(report.exit_code(fail_on=fail_on, exit_zero=given["exit_zero"]))


def _options(given: dict[str, Any]) -> Options:
    return Options(
        config=given["config"],
        isolated=given["isolated"],
        database=given["database"],
        database_version=given["database_version"],
        django_version=given["django_version"],
        cache=not given["no_cache"],
        cache_dir=given["cache_dir"],
        jobs=given["jobs"],
        select=given.get("select"),
        ignore=given.get("ignore"),
        extend_select=given.get("extend_select"),
        min_confidence=Confidence[given.get("min_confidence", "medium").upper()],
    )


def _report(options: Options, cwd: Path, paths: tuple[Path, ...], overlay: dict[str, bytes], *, quiet: bool) -> Any:
    from miglint.plugins import PluginError
    from miglint.session import Session, UsageError
    from miglint.settings import SettingsError

    bar = _Bar() if sys.stderr.isatty() and not quiet else None
    try:
        return Session(options, cwd=cwd, progress=bar).report(paths, overlay)
    except (UsageError, SettingsError, PluginError) as error:
        _stop(str(error))
    finally:
        if bar is not None:
            bar.clear()


class _Bar:
    """Progress of a long reading, on a terminal's stderr."""

    _WIDTH = 30

    def __init__(self) -> None:
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        filled = self._WIDTH * done // max(total, 1)
        bar = "#" * filled + "-" * (self._WIDTH - filled)
        click.echo(f"\rreading migrations [{bar}] {done}/{total}", nl=False, err=True)
        self._shown = True

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def _view(given: dict[str, Any], cwd: Path) -> Any:
    from miglint.formats import View

    terminal = sys.stdout.isatty() and given.get("output_file") is None
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return View(
        cwd=cwd.as_posix(),
        color=_color(given["color"], terminal),
        ascii=terminal and not encoding.startswith("utf"),
        width=shutil.get_terminal_size().columns if terminal else None,
        summary=not given["quiet"],
    )


def _color(choice: str, terminal: bool) -> bool:
    """https://no-color.org and https://force-color.org"""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


def _write(text: str, file: Path | None) -> None:
    if file is None:
        sys.stdout.buffer.write(text.encode(errors="backslashreplace"))
        sys.stdout.buffer.flush()
        return
    try:
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        _stop(f"cannot write {file}: {error.strerror}")


@cli.command()
@click.option("--output-format", type=click.Choice(("text", "json")), default="text", show_default=True)
def rules(output_format: str) -> None:
    """The rule table."""
    from miglint.catalogue import entries, rules_json, rules_text

    _write(rules_json(entries()) if output_format == "json" else rules_text(entries()), None)


@cli.command()
@click.argument("rule")
@click.option("--database", type=click.Choice(VENDORS), default="postgresql", show_default=True)
def explain(rule: str, database: Vendor) -> None:
    """A rule's page, by code or name."""
    from miglint.catalogue import UnknownRule, page

    try:
        text = page(rule, database)
    except UnknownRule as error:
        _stop(str(error))
    _write(text, None)


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
        _stop(f"cannot remove {directory}: {error.strerror}")
    click.echo(f"removed {directory}", err=True)


def main() -> None:
    """The `miglint` script."""
    try:
        cli()
    except BrokenPipeError:
        # The reader has gone (`| head`): nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
