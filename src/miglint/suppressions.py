"""Comments that ignore findings: what they cover, and what is wrong with the comments themselves."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

import msgspec

from miglint.diagnostic import Diagnostic, Severity, Subject, Suppressed
from miglint.syntax.facts import Comment, ModuleFacts
from miglint.text import Source, Span

_COMMENT = re.compile(
    r"#\s*miglint:\s*(?P<kind>ignore-file|ignore)\b\s*(?:\[(?P<selectors>[^\]]*)\])?"
    r"\s*(?:--\s*(?P<reason>\S.*))?"
)
# What somebody writes who has another tool's words in mind; it says something only with the code of a rule.
_OTHERWISE = re.compile(
    r"#\s*(?P<words>miglint(?:\s*:)?\s*(?P<kind>[\w-]+)|noqa(?=:))"
    r"\s*(?:(?P<open>\[)|[(=:])\s*(?P<selectors>\w[\w, -]*)(?(open)\])",
    re.I,
)
# A reason may name a ticket (#123); only a further comment ends it.
_FURTHER = re.compile(r"\s#\s")


class Suppression(msgspec.Struct, frozen=True):
    """One comment. `line` is its own; `below` the line of code it stands above, where it stands alone.

    An `ignore-file` stands for every line. `otherwise` is what stands there in place of `miglint: ignore`: nothing is
    ignored by it.
    """

    kind: str
    selectors: tuple[str, ...]
    reason: str | None
    span: Span
    line: int
    below: int | None
    otherwise: str = ""

    def names(self, code: str, name: str) -> bool:
        return any(selector in (code, name) for selector in self.selectors)

    def covers(self, code: str, name: str, first_line: int, last_line: int) -> bool:
        """Whether a finding in these lines is ignored."""
        if self.otherwise or not self.names(code, name):
            return False
        if self.kind == "ignore-file":
            return True
        return first_line <= self.line <= last_line or self.below == first_line


def suppressions_of(facts: ModuleFacts, source: Source) -> tuple[Suppression, ...]:
    """The suppressions of a file."""
    below: dict[int, int] = {}
    found = [
        _suppression(match, comment, source, below)
        for comment in reversed(facts.comments)
        if (match := _COMMENT.search(comment.text)) is not None
    ]
    return (*reversed(found), *_otherwise(facts, source))


def _otherwise(facts: ModuleFacts, source: Source) -> Iterator[Suppression]:
    for comment in facts.comments:
        match = _OTHERWISE.search(comment.text) if _COMMENT.search(comment.text) is None else None
        if match is not None:
            yield Suppression(
                kind="ignore-file" if "file" in (match["kind"] or "").lower() else "ignore",
                selectors=tuple(word.strip() for word in match["selectors"].split(",") if word.strip()),
                reason=None,
                span=Span(comment.span.start + match.start(), comment.span.start + match.end()),
                line=source.position(comment.span.start).line,
                below=None,
                otherwise=match["words"],
            )


def _suppression(match: re.Match[str], comment: Comment, source: Source, below: dict[int, int]) -> Suppression:
    selectors = tuple(word.strip() for word in (match["selectors"] or "").split(",") if word.strip())
    line = source.position(comment.span.start).line
    alone = comment.alone and match["kind"] == "ignore"
    reason = _FURTHER.split(match["reason"], maxsplit=1)[0].rstrip() if match["reason"] else None
    end = match.end() if reason is None else match.start("reason") + len(reason)
    return Suppression(
        kind=match["kind"],
        selectors=selectors,
        reason=reason,
        span=Span(comment.span.start + match.start(), comment.span.start + end),
        line=line,
        below=_next_code(source, line, below) if alone else None,
    )


def _next_code(source: Source, start: int, known: dict[int, int]) -> int:
    """The first line after a comment that is neither empty nor a comment; `known` are those of comments below it."""
    line = start
    while line < source.line_count:
        line += 1
        if line in known:
            line = known[line]
            break
        text = source.line(line).strip()
        if text and not text.startswith("#"):
            break
    known[start] = line
    return line


def apply(
    diagnostics: Iterable[Diagnostic],
    by_path: Mapping[str, Sequence[Suppression]],
    sources: Mapping[str, Source],
    known: Mapping[str, str],
    extents: Mapping[str, Sequence[Span]],
    *,
    migrations: Mapping[str, tuple[str, str]],
    require_reason: bool = False,
    judged: Container[str] | None = None,
) -> list[Diagnostic]:
    """The findings, ignored ones marked, and those about the comments.

    `extents` are, by path, the places within which a comment counts for a finding (the operations). `judged` are
    the codes that were looked for (None: all); what was not looked for may well be there, so its comment is not unused.
    """
    used: set[tuple[str, Span, str]] = set()
    settled: list[Diagnostic] = []
    for diagnostic in diagnostics:
        path = diagnostic.path or ""
        found = _covering(diagnostic, by_path.get(path, ()), sources.get(path), extents.get(path, ()))
        for suppression in found:
            used.update(
                (path, suppression.span, s) for s in suppression.selectors if s in (diagnostic.code, diagnostic.name)
            )
        if found:
            reason = next((s.reason for s in found if s.reason), None)
            diagnostic = msgspec.structs.replace(diagnostic, suppressed=Suppressed("inline", reason))
        settled.append(diagnostic)
    for path, suppressions in by_path.items():
        for suppression in suppressions:
            for problem in _problems(suppression, path, used, known, require_reason=require_reason, judged=judged):
                settled.append(_diagnostic(problem, suppression, path, migrations.get(path, (None, None))))
    return settled


def _covering(
    diagnostic: Diagnostic, suppressions: Sequence[Suppression], source: Source | None, extents: Sequence[Span]
) -> list[Suppression]:
    if not suppressions or source is None:
        return []
    span = diagnostic.span or Span(0, 0)
    around = [each for each in extents if each.start <= span.start and span.end <= each.end]
    # The innermost operation: a comment on a nested one does not speak for the whole.
    extent = min(around, key=lambda each: each.end - each.start, default=span)
    first, last = source.range(span).start.line, source.range(span).end.line
    outer_first, outer_last = source.range(extent).start.line, source.range(extent).end.line
    return [
        s
        for s in suppressions
        if s.covers(diagnostic.code, diagnostic.name, outer_first, outer_last)
        or s.covers(diagnostic.code, diagnostic.name, first, last)
    ]


Problem = tuple[str, str, Severity, str, str]


def _problems(
    suppression: Suppression,
    path: str,
    used: set[tuple[str, Span, str]],
    known: Mapping[str, str],
    *,
    require_reason: bool,
    judged: Container[str] | None,
) -> Iterator[Problem]:
    """Code, name, severity, message and what it is about."""
    if suppression.otherwise:
        meant = [each for each in suppression.selectors if each in known or each in known.values()]
        if meant:
            instead = f"# miglint: {suppression.kind}[{', '.join(meant)}]"
            message = f"nothing is ignored: miglint does not read `{suppression.otherwise}`; write `{instead}`"
            yield "MG904", "unknown-code-in-ignore", Severity.ERROR, message, suppression.otherwise
        return
    if not suppression.selectors:
        message = f"name the rules that are to be ignored: `# miglint: {suppression.kind}[MG201]`"
        yield "MG904", "unknown-code-in-ignore", Severity.ERROR, message, ""
    words = [*known, *known.values()]
    codes = {name: code for code, name in known.items()}
    for selector in suppression.selectors:
        if selector not in words:
            message = f"nothing is ignored: no rule is called {selector}{_hint(selector, words)}"
            yield "MG904", "unknown-code-in-ignore", Severity.ERROR, message, selector
        elif (path, suppression.span, selector) not in used and (
            judged is None or codes.get(selector, selector) in judged
        ):
            message = f"{selector} finds nothing here: the comment can go"
            yield "MG903", "unused-ignore", Severity.WARNING, message, selector
    if require_reason and not suppression.reason:
        message = "say why: `-- reason` after the brackets"
        yield "MG906", "ignore-without-reason", Severity.WARNING, message, ",".join(suppression.selectors)


def _hint(selector: str, words: Sequence[str]) -> str:
    """What may be meant: a comma that is missing, all rules of a kind, or another name."""
    if any(word in words for word in selector.split()[1:]):
        return "; put a comma between rules"
    if selector == "ALL" or any(word.startswith(selector) for word in words):
        return "; a comment names each rule by itself"
    near = difflib.get_close_matches(selector, words, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _diagnostic(
    problem: Problem, suppression: Suppression, path: str, migration: tuple[str | None, str | None]
) -> Diagnostic:
    code, name, severity, message, detail = problem
    return Diagnostic(
        code=code,
        name=name,
        severity=severity,
        message=message,
        path=path,
        span=suppression.span,
        subject=Subject(app=migration[0], migration=migration[1], detail=detail),
    )
