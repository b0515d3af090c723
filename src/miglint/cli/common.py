"""What several commands share: the options of those that read a project, and where their words go."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar

import click

from miglint.database import VENDORS, parse_version
from miglint.diagnostic import Confidence
from miglint.options import Options
from miglint.writing import write_whole

if TYPE_CHECKING:
    from miglint.formats import View
    from miglint.session import Session

F = TypeVar("F", bound=Callable[..., Any])


def stop(message: str) -> NoReturn:
    """Ends with exit code 2 and one sentence."""
    say(f"miglint: {message}")
    raise SystemExit(2)


def say(message: str) -> None:
    """Says something on stderr; names of the user's that are part of it cannot take a terminal over."""
    from miglint.formats.terminal import visible

    try:
        click.echo(visible(message), err=True)
    except BrokenPipeError:
        discard(sys.stderr)


def here() -> Path:
    """The working directory."""
    try:
        return Path.cwd()
    except OSError:
        stop("the working directory is no longer there")


def _version(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            parse_version(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return value


class GivenPath(click.Path):
    """A path. An empty one would be the working directory, and is a variable that is not set."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Raises BadParameter."""
        if value == "":
            self.fail("it is empty (a variable that is not set?)", param, ctx)
        return super().convert(value, param, ctx)


def reading_options(command: F) -> F:
    """The options of every command that reads a project."""
    return _reading_options(command, several=False)


def reading_options_of_several(command: F) -> F:
    """The same for a command that shows several databases side by side: `database` is then a tuple."""
    return _reading_options(command, several=True)


def _reading_options(command: F, *, several: bool) -> F:
    which = "The database the migrations meet" + ("; may be repeated." if several else ".")
    for option in (
        click.option("--config", type=GivenPath(), help="The settings file, instead of looking for one."),
        click.option("--isolated", is_flag=True, help="Read no settings file."),
        click.option("--database", type=click.Choice(VENDORS), multiple=several, help=which),
        click.option("--database-version", callback=_version, metavar="V", help="Its version."),
        click.option("--django-version", callback=_version, metavar="V", help="The version of Django in use."),
        click.option("--no-cache", is_flag=True, help="Neither read nor write the cache."),
        click.option("--cache-dir", type=GivenPath(), help="Where the cache is kept."),
        click.option("-j", "--jobs", type=click.IntRange(1, 9999), metavar="N", help="Processes that read and judge."),
        click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto"),
        click.option("-q", "--quiet", is_flag=True, help="Findings only."),
        click.option("-v", "--verbose", is_flag=True, help="Say what was assumed and passed over."),
    ):
        command = option(command)
    return command


@contextmanager
def session(given: dict[str, Any], cwd: Path) -> Iterator[Session]:
    """A session with the options given; what a user got wrong ends it in a sentence."""
    from miglint.root import UsageError
    from miglint.session import Session
    from miglint.settings import SettingsError

    if given["isolated"] and given["config"] is not None:
        stop("--isolated reads no settings file, and --config names one: leave one of them out")
    bar = Bar() if sys.stderr.isatty() and not given["quiet"] else None
    try:
        yield Session(options_of(given), cwd=cwd, progress=bar)
    except (UsageError, SettingsError) as error:
        stop(str(error))
    finally:
        if bar is not None:
            bar.clear()


def options_of(given: dict[str, Any]) -> Options:
    """The options by their click names; a command may lack those of selection."""
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
        since=given.get("since"),
        baseline=given.get("baseline"),
        write_baseline=given.get("write_baseline", False),
        min_confidence=Confidence[given.get("min_confidence", "medium").upper()],
    )


class Bar:
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


def view_of(given: dict[str, Any], cwd: Path) -> View:
    """What stdout, or the file that the report goes to, can show."""
    from miglint.formats import View

    terminal = sys.stdout.isatty() and given.get("output_file") is None
    width = None
    if terminal:
        import shutil

        width = shutil.get_terminal_size().columns
    encoding = _terminal_encoding().lower().replace("-", "")
    return View(
        cwd=cwd.as_posix(),
        color=_color(given["color"], terminal),
        ascii=terminal and not encoding.startswith("utf"),
        width=width,
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


def write(text: str | Iterable[str], file: Path | None) -> None:
    """Writes a text, or one part of it after another, to a file, else to stdout: UTF-8, but for terminals that show
    something else.
    """
    encoding = _terminal_encoding() if file is None else "utf-8"
    parts = [text] if isinstance(text, str) else text
    data = (part.encode(encoding, errors="backslashreplace") for part in parts)
    try:
        if file is None:
            _print(data)
        elif file.exists() and not file.is_file():  # a device, a pipe
            with open(file, "wb") as stream:
                stream.writelines(data)
        else:
            write_whole(file, data)
    except OSError as error:
        stop(f"cannot write {file or 'to stdout'}: {error.strerror}")


def _print(data: Iterable[bytes]) -> None:
    try:
        sys.stdout.buffer.writelines(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        discard(sys.stdout)  # the reader has seen enough (`| head`): what was found counts all the same


def discard(stream: TextIO) -> None:
    """Lets all that is written to a stream go nowhere, also what it still holds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _terminal_encoding() -> str:
    return sys.stdout.encoding or "ascii" if sys.stdout.isatty() else "utf-8"
