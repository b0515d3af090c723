"""What a run was about in place of what it found: how often each rule fired, which files, which settings."""

from __future__ import annotations

import json as json_module
from collections import Counter
from typing import Any

from miglint.diagnostic import Severity
from miglint.formats.json import encode
from miglint.formats.terminal import View, columns, visible, wrap
from miglint.formats.text import summary_line
from miglint.report import Report, path_for_text


def statistics(report: Report, view: View, *, json: bool = False) -> str:
    """How often each rule fired, the most frequent first."""
    tally = Counter((each.severity, each.code, each.name) for each in report.findings)
    order = sorted(tally.items(), key=lambda item: (-item[1], item[0][1], item[0][0]))
    if json:
        rows = [
            {"code": code, "name": name, "severity": severity.label, "count": number}
            for (severity, code, name), number in order
        ]
        return encode({"version": 1, "statistics": rows})
    width = len(str(order[0][1])) if order else 1
    lines = columns(_statistic(number, *rule, width=width) for rule, number in order) if order else []
    if view.summary:
        lines += [*([""] if lines else []), *wrap(summary_line(report), width=view.width)]
    return "\n".join(lines) + "\n" if lines else ""


def _statistic(number: int, severity: Severity, code: str, name: str, *, width: int) -> tuple[str, ...]:
    return f"{number:>{width}}", code, severity.label, name


def files(report: Report, view: View, *, json: bool = False) -> str:
    """The migrations that are reported on, one a line."""
    paths = [path for project in report.projects for path in project.files]
    if json:
        return encode({"version": 1, "files": [report.path_in_repository(path) for path in paths]})
    return "".join(f"{visible(path_for_text(path, view.cwd))}\n" for path in paths)


def settings(report: Report, *, json: bool = False) -> str:
    """The settings in force, project by project, as TOML that could be written there."""
    if json:
        projects = [{"root": p.root, "config": p.config, "settings": p.settings} for p in report.projects]
        return encode({"version": 1, "projects": projects})
    blocks = []
    for project in report.projects:
        lines = [
            f"# {visible(project.root)}",
            f"# from {visible(project.config)}" if project.config is not None else "# no settings file",
            f"# {project.database.title} {project.database.version_text} ({project.database.source})",
            f"# Django {project.django[0]} ({project.django[1]})",
        ]
        lines += [f"{key} = {_toml(value)}" for key, value in project.settings.items() if value is not None]
        unset = [key for key, value in project.settings.items() if value is None]
        if unset:
            lines.append(f"# not set: {', '.join(unset)}")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _toml(value: Any) -> str:
    match value:
        case dict():
            pairs = (f"{json_module.dumps(key)} = {_toml(each)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return json_module.dumps(value)
