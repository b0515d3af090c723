"""The report for people: what is wrong, where, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.database import Database
from miglint.diagnostic import Diagnostic, Related
from miglint.formats.frame import frame, last_line
from miglint.formats.terminal import SEVERITY_COLOR, View, count, is_plain, paint, visible, wrap
from miglint.report import Report, Summary, path_for_text
from miglint.text import NOWHERE, Source, Span


def render(report: Report, view: View) -> Iterator[str]:
    """All findings, each with its source and help, and the summary as the last line."""
    gap = ""
    for diagnostic in report.findings:
        yield gap + "\n".join([*_finding(diagnostic, report, view), ""])
        gap = "\n"
    if view.summary:
        yield gap + "\n".join([*wrap(summary_line(report), width=view.width), ""])


def _finding(diagnostic: Diagnostic, report: Report, view: View) -> list[str]:
    color = SEVERITY_COLOR[diagnostic.severity]
    gutter = _gutter(diagnostic, report)
    head = paint(f"{diagnostic.severity.label}[{diagnostic.code}]", "bold", color, view=view)
    lines = [f"{head} {paint(diagnostic.name, 'bold', view=view)}"]
    if diagnostic.path is not None:
        lines += _place(diagnostic.path, diagnostic.span, report, gutter, ("bold", color), view)
    message = visible(diagnostic.message, ascii=view.ascii)
    lines += ["", *(paint(line, "bold", view=view) for line in wrap(message, width=view.width, indent="  "))]
    for related in diagnostic.related:
        lines += ["", *_related(related, report, gutter, view)]
    if diagnostic.help.strip():
        lines += ["", *_help(diagnostic.help, view)]
    see = f"  see: miglint explain {diagnostic.code}" + (f", {diagnostic.url}" if diagnostic.url else "")
    return [*lines, "", paint(visible(see, ascii=view.ascii), "dim", view=view)]


def _gutter(diagnostic: Diagnostic, report: Report) -> int:
    """One width of line numbers for a finding and its related places, so that the code lines up."""
    places = [(diagnostic.path, diagnostic.span), *((each.path, each.span) for each in diagnostic.related)]
    lines = [
        last_line(source, span)
        for path, span in places
        if (source := report.sources.get(path or "")) is not None and span is not None
    ]
    return max(3, *(len(str(line)) for line in lines)) if lines else 3


def _place(path: str, span: Span | None, report: Report, gutter: int, colors: tuple[str, ...], view: View) -> list[str]:
    """Where it is, and the source there; a file without a place in it is only named."""
    source = report.sources.get(path)
    arrow = paint(f"{'':>{gutter}} {'-->' if view.ascii else '┌─'}", "blue", view=view)
    lines = [f"{arrow} {location(path, span, source, view)}"]
    if source is not None and source.text and span is not None and span != NOWHERE:
        empty = paint(f"{'':>{gutter}} {'|' if view.ascii else '│'}", "blue", view=view)
        lines += [empty, *frame(source, span, gutter=gutter, colors=colors, view=view)]
    return lines


def location(path: str, span: Span | None, source: Source | None, view: View) -> str:
    """`path:line:column`, as editors and terminals open it."""
    name = visible(path_for_text(path, view.cwd), ascii=view.ascii)
    line, column = source.position(span.start) if source is not None and span is not None else (1, 1)
    return f"{name}:{line}:{column}"


def _related(related: Related, report: Report, gutter: int, view: View) -> list[str]:
    message = visible(related.message, ascii=view.ascii)
    span = _first_line(related.span, report.sources.get(related.path))
    lines = wrap(message, width=view.width, first="  related: ", indent="    ")
    lines[0] = lines[0].replace("related:", paint("related:", "bold", "blue", view=view), 1)
    return [*lines, *_place(related.path, span, report, gutter, ("bold", "blue"), view)]


def _first_line(span: Span, source: Source | None) -> Span:
    """A related place is shown in one line: the one it starts in."""
    if source is None or span == NOWHERE:
        return span
    line, column = source.position(span.start)
    rest = len(source.line(line)) - column + 1
    return Span(span.start, max(span.start, min(span.end, span.start + rest)))


def _help(text: str, view: View) -> list[str]:
    """`help:` and what to write: prose is wrapped, code (indented, or between fences) is left as it is."""
    lines: list[str] = []
    fenced = False
    for line in text.strip("\n").splitlines():
        shown = line.rstrip()
        if not is_plain(shown, ascii=view.ascii):
            shown = visible(shown.expandtabs(4), ascii=view.ascii)
        if "```" in shown and shown.lstrip().startswith("```"):
            fenced = not fenced
        elif not shown:
            lines.append("")
        elif fenced or shown.startswith("    "):
            lines.append(f"    {shown}" if shown.startswith("    ") else f"        {shown}")
        else:
            lines += wrap(shown, width=view.width, indent="    ")
    return [paint("  help:", "bold", "green", view=view), *lines]


def summary_line(report: Report) -> str:
    """One sentence: how many findings in how much, and what was not judged."""
    summary = report.summary
    if not summary.migrations and not report.findings:
        return "No migrations found."
    parts = [f"{_found(report)} ({_scope(summary)})"]
    if summary.suppressed:
        parts.append(f"{summary.suppressed} suppressed")
    if summary.baselined:
        parts.append(f"{summary.baselined} in the baseline")
    if summary.unreadable_operations:
        parts.append(f"{count(summary.unreadable_operations, 'operation')} could not be read")
    return f"{'; '.join(parts)}. {_database(summary.database)}."


def _found(report: Report) -> str:
    total = report.summary.migrations
    counts = report.counts
    named = ((counts.error, "error"), (counts.warning, "warning"), (counts.info, "info"))
    words = [f"{number} info" if noun == "info" else count(number, noun) for number, noun in named if number]
    if not words:
        return f"No problems found in {count(total, 'migration')}"
    found = " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    touched = {
        (diagnostic.path, diagnostic.subject.migration)
        for diagnostic in report.findings
        if diagnostic.subject.migration is not None
    }
    if not touched or len(touched) > total:
        return f"Found {found} in {count(total, 'migration')}"
    return f"Found {found} in {len(touched)} of {count(total, 'migration')}"


def _scope(summary: Summary) -> str:
    words = [count(summary.apps, "app"), count(summary.operations, "operation")]
    return ", ".join([count(summary.projects, "project"), *words] if summary.projects > 1 else words)


def _database(database: Database) -> str:
    assumed = " (assumed)" if database.source == "default" else ""
    return f"{database.title} {database.version_text}{assumed}"
