"""A comment for a pull request: a table, then each finding with what it locks and, folded, what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

from miglint.databases.effects import TableEffect
from miglint.diagnostic import Diagnostic, Severity
from miglint.formats.place import path_of, range_of
from miglint.formats.terminal import View, count, visible
from miglint.formats.text import summary_line
from miglint.report import Report

# GitHub takes 65,536 characters, GitLab a million.
_LONGEST = 65_000
_ROWS = 100
_ICON = {Severity.ERROR: "🔴 error", Severity.WARNING: "🟡 warning", Severity.INFO: "🔵 info"}
_SPECIAL = re.compile(r"[\\`*{}\[\]<>|~]|(?<!\w)_|_(?!\w)")
_CODE = re.compile(r"(`[^`]+`)")


def render(report: Report, view: View) -> Iterator[str]:
    """What counts, the worst first; where it is too long, what does not fit is counted."""
    findings = report.by_severity()
    head = ["### miglint", "", _escaped(summary_line(report)), ""]
    if not findings:
        yield "\n".join(head)
        return
    head += ["| | rule | where | what |", "|---|---|---|---|"]
    head += [_row(diagnostic, report) for diagnostic in findings[:_ROWS]]
    head += [""]
    text = "\n".join(head) + "\n"
    shown = 0
    for diagnostic in findings:
        block = "\n".join(_finding(diagnostic, report)) + "\n"
        if len(text) + len(block) > _LONGEST - 200:
            break
        text += block
        shown += 1
    if shown < len(findings):
        text = text[: _LONGEST - 200].rstrip("\n") + "\n\n"
        text += f"… and {count(len(findings) - shown, 'finding')} more in full: `miglint check`.\n"
    yield text


def _row(diagnostic: Diagnostic, report: Report) -> str:
    cells = (
        _ICON[diagnostic.severity],
        f"`{diagnostic.code}` {diagnostic.name}",
        _code(_where(diagnostic, report)),
        _escaped(_shortened(diagnostic.message)),
    )
    return "| " + " | ".join(cell.replace("\n", " ") for cell in cells) + " |"


def _where(diagnostic: Diagnostic, report: Report) -> str:
    path = path_of(diagnostic, report)
    return f"{path}:{range_of(diagnostic, report).start.line}" if path is not None else "the project"


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else text[:299] + "…"


def _finding(diagnostic: Diagnostic, report: Report) -> Iterator[str]:
    yield f"#### {_ICON[diagnostic.severity]} `{diagnostic.code}` {diagnostic.name}"
    yield ""
    yield f"{_code(_where(diagnostic, report))} — {_escaped(diagnostic.message)}"
    yield ""
    card = [_locked(effect) for effect in report.locks_of(diagnostic)]
    if card:
        yield from ("| table | lock | waits | how long |", "|---|---|---|---|", *card, "")
    if diagnostic.help.strip():
        yield from (
            "<details><summary>What to write instead</summary>",
            "",
            *_advice(diagnostic.help),
            "",
            "</details>",
            "",
        )


def _locked(effect: TableEffect) -> str:
    cost = effect.cost
    waits = " and ".join(sorted(cost.blocks)) or "nothing"
    work = [
        word
        for word, holds in (
            ("the table is rewritten", cost.rewrites),
            ("the table is scanned", cost.scans and not cost.rewrites),
            (f"{effect.indexes} {'index' if effect.indexes == 1 else 'indexes'} built", bool(effect.indexes)),
            ("rows are written", cost.writes_rows and not cost.rewrites),
        )
        if holds
    ]
    lasts = "the larger the table, the longer" if cost.duration == "rows" else "an instant"
    return (
        f"| {_code(effect.table)} | {_escaped(cost.lock)} | {waits} | {lasts}{': ' + ', '.join(work) if work else ''} |"
    )


def _advice(text: str) -> Iterator[str]:
    """Prose with its code in fences that the code cannot close."""
    code: list[str] = []
    fenced = False
    for line in [*text.strip("\n").split("\n"), ""]:
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if fenced or line.startswith("    ") or (code and not line.strip()):
            code.append(line)
            continue
        yield from _fenced(code)
        code = []
        yield f"\\{_escaped(line)}" if line.startswith(("#", "=")) else _escaped(line)
    yield from _fenced(code)


def _fenced(lines: list[str]) -> Iterator[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if lines:
        indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        longest = max((len(run) for run in re.findall(r"`+", "\n".join(lines))), default=0)
        fence = "`" * max(3, longest + 1)
        yield from ("", f"{fence}python", *(visible(line[indent:].expandtabs(4)) for line in lines), fence, "")


def _escaped(text: str) -> str:
    """Prose that stays prose: no tag, link, heading, mention or table cell comes of it; `code` stays code."""
    parts = _CODE.split(visible(text))
    return "".join(_code(part[1:-1]) if _CODE.fullmatch(part) else _plain(part) for part in parts)


def _plain(text: str) -> str:
    return _SPECIAL.sub(_entity, text.replace("&", "&amp;")).replace("@", "@<!-- -->")


def _entity(match: re.Match[str]) -> str:
    character = match[0]
    return {"<": "&lt;", ">": "&gt;"}.get(character, f"\\{character}")


def _code(text: str) -> str:
    """A code span, in a table too: it ends where it is to end."""
    shown = visible(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if shown[:1] == "`" or shown[-1:] == "`" else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"
