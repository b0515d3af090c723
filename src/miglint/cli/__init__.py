"""The command line: arguments, streams and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from miglint import __version__
from miglint.cli.check import check
from miglint.cli.common import GivenPath, discard, here, reading_options, say, session, stop, write

# Commands with modules of their own, imported when they are asked for.
_ELSEWHERE = dict.fromkeys(("graph", "plan", "state"), "miglint.cli.history") | {"inspect": "miglint.cli.inspect"}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            command: click.Command = getattr(import_module(_ELSEWHERE[cmd_name]), cmd_name)
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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

    with session(given, here()) as reader:
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

    with session(given, here()) as reader:
        book = reader.rulebook()
    try:
        text = page(rule, book.rules, book.database)
    except UnknownRule as error:
        stop(str(error))
    write(text, None)


@cli.command()
@click.argument("path", default=".", type=GivenPath())
@click.option("--cache-dir", type=GivenPath(), help="Where the cache is kept.")
def clean(path: Path, cache_dir: Path | None) -> None:
    """Remove the cache of the project that PATH belongs to."""
    from miglint.cache import DIRECTORY, FACTS, remove
    from miglint.project.disk import project_root

    directory = cache_dir or project_root(here() / path) / DIRECTORY
    if not os.path.isfile(directory / FACTS):
        why = f"{directory} is no cache of miglint" if os.path.exists(directory) else f"there is no {directory}"
        say(f"nothing to remove: {why}")
        return
    try:
        remove(directory)
    except OSError as error:
        stop(f"cannot remove {directory}: {error.strerror}")
    say(f"removed {directory}")


class _Signalled(BaseException):
    """A signal that ends the run; whatever is open is closed on the way out."""

    def __init__(self, number: int, frame: object) -> None:
        super().__init__(number)
        self.number = number


def _raise(number: int, frame: object) -> NoReturn:
    raise _Signalled(number, frame)


def main() -> None:
    """The `miglint` script."""
    _open_streams()
    for number in (signal.SIGINT, signal.SIGTERM):
        # One that is ignored, as under nohup, stays so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)
    code: object = 0
    try:
        try:
            cli()
        except SystemExit as end:
            code = end.code or 0
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        # Nobody reads what there is to say.
        discard(sys.stdout)
        discard(sys.stderr)
    except _Signalled as end:
        # Ended by the signal, so that a shell or make that waits knows it, and stops too.
        signal.signal(end.number, signal.SIG_DFL)
        os.kill(os.getpid(), end.number)
    except Exception as error:  # an error of ours: it is told from findings
        code = 3
        _tell_of(error)
    if isinstance(code, int):
        # All is written; freeing every value of the run, one by one, would take a twentieth of its time.
        os._exit(code)
    raise SystemExit(code)


def _open_streams() -> None:
    """Streams for those that were closed before the start (`>&-`): else the next file opened would be one of them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (for the whole run)


def _tell_of(error: Exception) -> None:
    import traceback

    lines = traceback.format_exception(type(error), error, error.__traceback__)
    for line in "".join(lines).splitlines():
        say(line)
    say("miglint: this is an error in miglint, not in your migrations; please report it with the lines above")
