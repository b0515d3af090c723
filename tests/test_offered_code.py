"""What a finding offers to paste is Python, and a migration that Django's graph takes in."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

import pytest

import page_examples
from miglint.diagnostic import Diagnostic
from miglint.options import Options
from miglint.session import Session
from page_examples import Example

JUDGED = ("loss", "rollout")
EXAMPLES = [
    example
    for page in page_examples.pages()
    if page.parent.name in JUDGED
    for example in page_examples.examples(page)
    if example.section == "Bad"
]


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda example: example.name)
def example(request: pytest.FixtureRequest) -> Example:
    found: Example = request.param
    return found


@pytest.fixture(scope="module")
def findings(example: Example, tmp_path_factory: pytest.TempPathFactory) -> list[Diagnostic]:
    """The findings of an example's rule."""
    root = tmp_path_factory.mktemp("example")
    example.write(root)
    code = page_examples.title(example.page)[0]
    report = Session(Options(cache=False, jobs=1, select=(code,)), cwd=root).report([root])
    found = [
        each
        for each in report.findings
        if each.subject.migration not in ("0001_initial", "0002_item", "0002_invoice_comment")
    ]
    assert found != []
    return found


def pasted(text: str) -> str:
    """The indented parts of a help, as one text."""
    return "\n".join(line[4:] for line in text.splitlines() if line.startswith("    ") or not line)


def test_what_is_offered_to_paste_is_python(findings: list[Diagnostic]) -> None:
    for finding in findings:
        code = pasted(finding.help).replace("…", "...")
        if "CREATE TABLE" not in code or "migrations." in code:
            ast.parse(code)


def test_whole_migrations_continue_the_graph(example: Example, findings: list[Diagnostic], tmp_path: Path) -> None:
    for number, finding in enumerate(findings):
        parts = re.split(r"^# (\S+/migrations/\S+\.py)$", pasted(finding.help), flags=re.M)
        files = dict(zip(parts[1::2], parts[2::2], strict=True))
        root = tmp_path / str(number)
        example.write(root)
        if any("/0003_" in path for path in files):
            (root / page_examples.EXAMPLE).unlink()  # they stand in its place
        for path, text in files.items():
            assert not (root / path).exists()
            (root / path).write_text(textwrap.dedent(text).replace("…", "None"))
        report = Session(Options(cache=False, jobs=1, select=("MG1",)), cwd=root).report([root])
        assert [each.message for each in report.findings] == []
