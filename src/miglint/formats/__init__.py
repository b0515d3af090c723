"""A report as text: one module per format, each a pure function of the report and the view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Literal, cast, get_args

from miglint.formats.terminal import View
from miglint.report import Report

Format = Literal["text", "concise", "json", "sarif", "github", "gitlab", "junit", "rdjson", "markdown"]
FORMATS: tuple[Format, ...] = get_args(Format)


def render(name: Format, report: Report, view: View) -> Iterator[str]:
    """The report in a format, in parts, so that a long one is never whole in memory. Only its module is imported."""
    module = import_module(f"miglint.formats.{name}")
    return cast(Callable[[Report, View], Iterator[str]], module.render)(report, view)


__all__ = ["FORMATS", "Format", "View", "render"]
