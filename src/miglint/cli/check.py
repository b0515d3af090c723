"""`miglint check`: the main job."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from miglint.cli.common import GivenPath, here, reading_options, say, session, stop, view_of, write
from miglint.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from miglint.report import Report

_FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "rdjson", "markdown", "auto")

_STDOUT = Path("-")


class _Command(click.Command):
    """Remembers in which order formats and files were given: a file goes with the format beside it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            ctx.meta["order"] = [each.name for each in order if each.name in ("output_format", "output_file")]
        return super().parse_args(ctx, args)


def _codes(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    """Selectors, given several times or with commas."""
    found = tuple(word.strip() for part in value for word in part.split(",") if word.strip())
    return found or None


@click.command(cls=_Command)
@click.argument("paths", nargs=-1, type=GivenPath())
@reading_options
@click.option("--select", multiple=True, callback=_codes, metavar="SELECTORS", help="Only these rules.")
@click.option("--ignore", multiple=True, callback=_codes, metavar="SELECTORS", help="Not these rules.")
@click.option("--extend-select", multiple=True, callback=_codes, metavar="SELECTORS", help="These rules, too.")
@click.option("--min-confidence", type=click.Choice(("high", "medium", "low")), default="medium", show_default=True)
@click.option(
    "--fail-on", type=click.Choice(("error", "warning", "info", "never")), default="warning", show_default=True
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 also where there are findings.")
@click.option(
    "--output-format",
    type=click.Choice(_FORMATS),
    multiple=True,
    help="text, unless given; several times, each with an --output-file (one may go to stdout). "
    "auto is github under GITHUB_ACTIONS, else text.",
)
@click.option("--output-file", type=GivenPath(), multiple=True, help="Write the report there; - is stdout.")
@click.option("--since", metavar="REF", help="Only what is not on this branch; the setting `base`.")
@click.option("--baseline", type=GivenPath(), help="The file of accepted findings; the setting `baseline`.")
@click.option("--write-baseline", is_flag=True, help="Accept all that is found now, and forget what no longer is.")
@click.option("--stdin-filename", type=GivenPath(), help="What the text on stdin (PATH -) stands for.")
@click.option("--statistics", is_flag=True, help="How often each rule fired, in place of the findings.")
@click.option("--show-files", is_flag=True, help="The migrations that are reported on, and nothing else.")
@click.option("--show-settings", is_flag=True, help="The settings in force, and nothing else.")
@click.pass_context
def check(context: click.Context, /, paths: tuple[Path, ...], **given: Any) -> None:
    """Lint the migrations of the projects that PATHS belong to."""
    gc.disable()  # the values of a run have no cycles worth a collector's time
    cwd = here()
    outputs = _outputs(context.meta.get("order", ()), given["output_format"], given["output_file"])
    overlay: dict[str, bytes] = {}
    if given["since"] is not None and not given["since"].strip():
        stop("--since names no branch: it is empty (a variable that is not set?)")
    name: Path | None = given["stdin_filename"]
    if name is not None:
        if paths not in ((), (Path("-"),)):
            stop("--stdin-filename goes with the PATH - alone")
        overlay[Path(os.path.abspath(cwd / name)).as_posix()] = _standard_input()
        paths = (name,)
    elif Path("-") in paths:
        stop("the PATH - needs --stdin-filename")
    with session(given, cwd) as reader:
        report = reader.report(paths, overlay)
    for line in report.warnings if not given["quiet"] else ():
        say(f"miglint: {line}")
    for line in report.notes if given["verbose"] else ():
        say(f"miglint: {line}")
    for chosen, file in outputs:
        write(_rendered(chosen, report, {**given, "output_file": file}, cwd), file)
    if given["show_files"] or given["show_settings"]:
        raise SystemExit(0)
    if report.advice is not None and not given["quiet"]:
        say(f"miglint: {report.advice}")
    fail_on = None if given["fail_on"] == "never" else Severity[given["fail_on"].upper()]
    raise SystemExit(report.exit_code(fail_on=fail_on, exit_zero=given["exit_zero"]))


def _outputs(
    order: tuple[str, ...] | list[str], formats: tuple[str, ...], files: tuple[Path, ...]
) -> list[tuple[str, Path | None]]:
    """Each format with its file; None is stdout. A file goes with the format before it, else with the next one."""
    found: list[tuple[str, Path | None]] = []
    waiting: Path | None = None
    chosen, given = iter(formats), iter(files)
    for option in order:
        if option == "output_format":
            found.append((_known(next(chosen)), waiting))
            waiting = None
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0], next(given))
        elif waiting is None:
            waiting = next(given)
        else:
            stop("each --output-file goes with an --output-format of its own")
    if waiting is not None or not found:
        found.append(("text", waiting))
    found = [(chosen, None if file == _STDOUT else file) for chosen, file in found]
    if [file for _, file in found].count(None) > 1:
        stop("only one report can go to stdout: give the others an --output-file")
    for number, (_, file) in enumerate(found):
        if file is not None and any(file == other for _, other in found[:number]) and not _is_device(file):
            stop(f"two reports cannot go to {file}: each --output-file is written by one --output-format")
    return found


def _standard_input() -> bytes:
    """What comes on stdin, and no more of it than shows that it is larger than a file may be: it may have no end."""
    from miglint.syntax.facts import MAX_SIZE  # with which a run whose report is remembered does without

    return sys.stdin.buffer.read(MAX_SIZE + 1)


def _is_device(file: Path) -> bool:
    """Whether what is written does not take the place of what was there: a device, a pipe."""
    return os.path.exists(file) and not os.path.isfile(file)


def _known(chosen: str) -> str:
    """What `auto` is here. Source: https://docs.github.com/en/actions/reference/variables-reference"""
    if chosen != "auto":
        return chosen
    return "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text"


def _rendered(chosen: str, report: Report, given: dict[str, Any], cwd: Path) -> str | Iterator[str]:
    from miglint.formats import render

    view, as_json = view_of(given, cwd), chosen == "json"
    if given["show_files"] or given["show_settings"] or (given["statistics"] and chosen in ("text", "concise", "json")):
        from miglint.formats import shown

        if given["show_files"]:
            return shown.files(report, view, json=as_json)
        if given["show_settings"]:
            return shown.settings(report, json=as_json)
        return shown.statistics(report, view, json=as_json)
    return render(chosen, report, view)  # type: ignore[arg-type]
