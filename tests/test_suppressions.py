"""Comments that ignore findings."""

from __future__ import annotations

import time
from collections.abc import Collection

import pytest

from miglint.diagnostic import Diagnostic, Severity, Subject, Suppressed
from miglint.suppressions import Suppression, apply, suppressions_of
from miglint.syntax.reader import read
from miglint.text import Source, Span

PATH = "/p/shop/migrations/0002_x.py"
KNOWN = {"MG201": "remove-field", "MG302": "index-blocks-writes", "MG402": "run-sql", "MG904": "unknown-code-in-ignore"}


def suppressions(text: str) -> tuple[Suppression, ...]:
    return suppressions_of(read(text), Source(PATH, text))


def finding(text: str, at: str = "RemoveField()", code: str = "MG201") -> Diagnostic:
    start = text.index(at)
    return Diagnostic(
        code=code,
        name=KNOWN[code],
        severity=Severity.ERROR,
        message="a finding",
        path=PATH,
        span=Span(start, start + len(at)),
        subject=Subject(app="shop", migration="0002_x"),
    )


def applied(
    text: str,
    *found: Diagnostic,
    operations: tuple[str, ...] = (),
    require_reason: bool = False,
    judged: Collection[str] | None = None,
) -> list[Diagnostic]:
    extents = [Span(text.index(each), text.index(each) + len(each)) for each in operations]
    return apply(
        found,
        {PATH: suppressions(text)},
        {PATH: Source(PATH, text)},
        KNOWN,
        {PATH: extents},
        migrations={PATH: ("shop", "0002_x")},
        require_reason=require_reason,
        judged=judged,
    )


def outcome(diagnostics: list[Diagnostic]) -> list[tuple[str, bool]]:
    return [(each.code, each.suppressed is not None) for each in diagnostics]


@pytest.mark.parametrize(
    "comment, expected",
    [
        ("# miglint: ignore[MG201]", ("ignore", ("MG201",), None)),
        ("# miglint: ignore[MG201,remove-field] -- gone", ("ignore", ("MG201", "remove-field"), "gone")),
        ("#miglint:ignore[ MG201 , MG302 ]--gone", ("ignore", ("MG201", "MG302"), "gone")),
        ("# miglint: ignore-file[MG302] -- small", ("ignore-file", ("MG302",), "small")),
        ("# miglint: ignore[MG201] -- see #123, ok", ("ignore", ("MG201",), "see #123, ok")),
        ("# miglint: ignore[MG201] -- gone  # noqa", ("ignore", ("MG201",), "gone")),
        ("# noqa # miglint: ignore[MG201]", ("ignore", ("MG201",), None)),
        ("# miglint: ignore[MG201] --", ("ignore", ("MG201",), None)),
        ("# miglint: ignore", ("ignore", (), None)),
        ("# miglint: ignore[]", ("ignore", (), None)),
    ],
)
def test_a_comment_is_read(comment: str, expected: tuple[str, tuple[str, ...], str | None]) -> None:
    assert [(s.kind, s.selectors, s.reason) for s in suppressions(f"x = 1  {comment}\n")] == [expected]


@pytest.mark.parametrize(
    "text", ["# miglint is nice\n", "x = '# miglint: ignore[MG201]'\n", "# miglint: this is fine\n"]
)
def test_other_comments_and_strings_are_none(text: str) -> None:
    assert suppressions(text) == ()


@pytest.mark.parametrize(
    ("comment", "read", "instead"),
    [
        ("# miglint: skip[MG201]", "miglint: skip", "ignore[MG201]"),
        ("# miglint: ignores[MG201, remove-field] -- gone", "miglint: ignores", "ignore[MG201, remove-field]"),
        ("# miglint: disable=MG201", "miglint: disable", "ignore[MG201]"),
        ("# miglint: ignored(MG201)", "miglint: ignored", "ignore[MG201]"),
        ("# miglint: ignore_file[MG201]", "miglint: ignore_file", "ignore-file[MG201]"),
        ("# miglint ignore[MG201]", "miglint ignore", "ignore[MG201]"),
        ("# Miglint: Ignore[MG201]", "Miglint: Ignore", "ignore[MG201]"),
        ("# noqa: MG201", "noqa", "ignore[MG201]"),
        ("# noqa:MG201, E501", "noqa", "ignore[MG201]"),
    ],
)
def test_words_of_other_tools_ignore_nothing_and_that_is_said(comment: str, read: str, instead: str) -> None:
    text = f"RemoveField()  {comment}\n"
    found = applied(text, finding(text))
    assert outcome(found) == [("MG201", False), ("MG904", False)]
    assert found[1].message == f"nothing is ignored: miglint does not read `{read}`; write `# miglint: {instead}`"


@pytest.mark.parametrize(
    "comment",
    [
        "# miglint: this is fine",
        "# miglint: see MG201",
        "# miglint: see [the page]",
        "# miglint: skip[the rest]",
        "# miglint: skip[ABC1]",
        "# miglint says MG201 (remove-field)",
        "# what miglint calls remove-field[s]",
        "# noqa",
        "# noqa: E501",
        "# noqa: MGX01",
        "# noqa: E501  # miglint: ignore[MG201]",
        "# noqa: MG201  # miglint: ignore[MG201]",
    ],
)
def test_prose_about_miglint_is_no_comment_to_it(comment: str) -> None:
    text = f"RemoveField()  {comment}\n"
    assert [code for code, _ in outcome(applied(text, finding(text)))] == ["MG201"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("RemoveField()  # miglint: ignore[MG201]\n", id="on its line, by code"),
        pytest.param("RemoveField()  # miglint: ignore[remove-field]\n", id="on its line, by name"),
        pytest.param("# miglint: ignore[MG201]\nRemoveField()\n", id="alone on the line above"),
        pytest.param("# miglint: ignore[MG201]\n# and why\nRemoveField()\n", id="above a further comment"),
        pytest.param("RemoveField()\nx = 1\n# miglint: ignore-file[MG201]\n", id="anywhere, for the file"),
    ],
)
def test_a_finding_is_ignored(text: str) -> None:
    assert outcome(applied(text, finding(text))) == [("MG201", True)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x = 1  # miglint: ignore[MG201]\nRemoveField()\n", id="above, but not alone"),
        pytest.param("RemoveField()\n# miglint: ignore[MG201]\n", id="below"),
        pytest.param("# miglint: ignore[MG201]\nx = 1\nRemoveField()\n", id="above something else"),
        pytest.param("RemoveField()  # miglint: ignore[MG302]\n", id="of another rule"),
    ],
)
def test_a_finding_stays_and_the_comment_is_unused(text: str) -> None:
    assert outcome(applied(text, finding(text))) == [("MG201", False), ("MG903", False)]


@pytest.mark.parametrize("line", range(4))
def test_any_line_of_the_operation_will_do(line: int) -> None:
    lines = ["Outer(", "    a,", "    RemoveField(),", ")"]
    operation = "\n".join(
        text if number != line else f"{text}  # miglint: ignore[MG201]" for number, text in enumerate(lines)
    )
    text = operation + "\n"
    extent = text[: text.rindex(")") + 1]
    assert outcome(applied(text, finding(text), operations=(extent,))) == [("MG201", True)]


def test_a_comment_alone_on_a_line_within_the_operation_counts() -> None:
    operation = "RunSQL(\n    # miglint: ignore[MG402]\n    'DELETE',\n)"
    text = operation + "\n"
    assert outcome(applied(text, finding(text, operation, "MG402"), operations=(operation,))) == [("MG402", True)]


def test_a_comment_on_one_operation_says_nothing_of_its_sibling() -> None:
    first, second = "AddField(  # miglint: ignore[MG201]\n)", "RemoveField()"
    text = f"[\n{first},\n{second},\n]\n"
    assert outcome(applied(text, finding(text), operations=(first, second))) == [("MG201", False), ("MG903", False)]


def test_a_comment_on_the_outer_operation_says_nothing_of_the_nested_one() -> None:
    outer = "Outer(  # miglint: ignore[MG201]\n    [\n    RemoveField(),\n    ],\n)"
    text = outer + "\n"
    found = applied(text, finding(text), operations=(outer, "RemoveField()"))
    assert outcome(found) == [("MG201", False), ("MG903", False)]


def test_the_reason_is_kept() -> None:
    text = "RemoveField()  # miglint: ignore[MG201] -- column is unused\n"
    assert applied(text, finding(text))[0].suppressed == Suppressed("inline", "column is unused")


def test_each_selector_is_unused_on_its_own() -> None:
    text = "RemoveField()  # miglint: ignore[MG201,MG302]\n"
    found = applied(text, finding(text))
    assert [(d.code, d.severity, d.message) for d in found[1:]] == [
        ("MG903", Severity.WARNING, "MG302 finds nothing here: the comment can go")
    ]
    assert found[1].subject == Subject(app="shop", migration="0002_x", detail="MG302")


@pytest.mark.parametrize("selector", ["MG302", "index-blocks-writes"])
def test_a_comment_for_a_rule_that_was_not_asked_is_not_unused(selector: str) -> None:
    assert applied(f"x()  # miglint: ignore[{selector}]\n", judged={"MG201"}) == []


@pytest.mark.parametrize(
    "selector, message",
    [
        ("MG2011", "nothing is ignored: no rule is called MG2011; did you mean MG201?"),
        ("remove-feild", "nothing is ignored: no rule is called remove-feild; did you mean remove-field?"),
        ("xyzzy", "nothing is ignored: no rule is called xyzzy"),
        ("MG2", "nothing is ignored: no rule is called MG2; a comment names each rule by itself"),
        ("ALL", "nothing is ignored: no rule is called ALL; a comment names each rule by itself"),
        ("MG202 MG201", "nothing is ignored: no rule is called MG202 MG201; put a comma between rules"),
    ],
)
def test_an_unknown_selector_is_an_error(selector: str, message: str) -> None:
    found = applied(f"x()  # miglint: ignore[{selector}]\n", judged=())
    assert [(d.code, d.severity, d.message) for d in found] == [("MG904", Severity.ERROR, message)]


@pytest.mark.parametrize("comment", ["# miglint: ignore", "# miglint: ignore -- because", "# miglint: ignore[]"])
def test_a_comment_that_names_no_rule_ignores_nothing_and_is_an_error(comment: str) -> None:
    text = f"RemoveField()  {comment}\n"
    found = applied(text, finding(text))
    assert outcome(found) == [("MG201", False), ("MG904", False)]
    assert found[1].message == "name the rules that are to be ignored: `# miglint: ignore[MG201]`"


@pytest.mark.parametrize(
    "reason, require, expected",
    [("", True, ["MG201", "MG906"]), (" -- gone", True, ["MG201"]), ("", False, ["MG201"])],
)
def test_a_reason_may_be_asked_for(reason: str, require: bool, expected: list[str]) -> None:
    text = f"RemoveField()  # miglint: ignore[MG201]{reason}\n"
    assert [d.code for d in applied(text, finding(text), require_reason=require)] == expected


def test_a_finding_without_a_file_stays() -> None:
    text = "x = 1  # miglint: ignore-file[MG201]\n"
    project = Diagnostic(code="MG201", name="remove-field", severity=Severity.ERROR, message="about the project")
    assert outcome(applied(text, project)) == [("MG201", False), ("MG903", False)]


def test_comments_above_each_other_stand_above_the_same_line_however_many_they_are() -> None:
    text = "x = 1\n" + "# miglint: ignore[MG201] -- why\n\n" * 8_000 + "y = 2\n"
    started = time.process_time()
    found = suppressions_of(read(text), Source("m.py", text))
    assert {each.below for each in found} == {16_002}
    assert [each.line for each in found] == list(range(2, 16_002, 2))
    assert time.process_time() - started < 10


def test_spaces_in_a_reason_take_no_time() -> None:
    text = "x = 1  # miglint: ignore[MG201] -- a" + " " * 200_000 + "b # more\n"
    started = time.process_time()
    (found,) = suppressions_of(read(text), Source("m.py", text))
    assert found.reason == "a" + " " * 200_000 + "b"
    assert time.process_time() - started < 20
