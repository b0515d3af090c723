"""The page is the test: what a rule's page shows as bad is found, what it shows as good is not."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

import page_examples
from miglint import plugins
from miglint.diagnostic import Severity
from miglint.options import Options
from miglint.session import Session
from page_examples import Example

EXAMPLES = [example for page in page_examples.pages() for example in page_examples.examples(page)]
RULES = plugins.load()
BY_CODE = {rule.code: rule for rule in RULES}


def check(example: Example, root: Path, **options: object) -> list[tuple[str, int, str]]:
    """Path, line and code of each finding in the example's own files."""
    example.write(root)
    report = Session(Options(cache=False, jobs=1, since=example.since, **options), cwd=root).report([root])  # type: ignore[arg-type]
    found = []
    for finding in report.findings:
        place = report.range_of(finding.path, finding.span)
        path = Path(finding.path).relative_to(root).as_posix() if finding.path is not None else ""
        if path not in example.files and finding.severity is Severity.INFO:
            continue  # what is hidden unless it is asked for, of the history that the example starts from
        found.append((path, place.start.line if place is not None else 0, finding.code))
    return sorted(found)


def select(codes: list[str]) -> tuple[str, ...]:
    return tuple(sorted({*codes}))


def test_the_prelude_itself_gives_no_finding(tmp_path: Path) -> None:
    assert check(Example(Path("prelude.md"), "", ""), tmp_path) == []


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.section == "Bad"], ids=lambda e: e.name)
def test_a_bad_example_gives_what_it_marks_and_nothing_else_of_its_rule(example: Example, tmp_path: Path) -> None:
    code = page_examples.title(example.page)[0]
    rule = BY_CODE.get(code)
    selected = select([code, *(rule.supersedes if rule is not None else ())])
    # What miglint says of its own comments is judged against all rules: only these few are asked for then.
    options = {"select": selected} if not code.startswith("MG9") else {}
    assert check(example, tmp_path, **options) == example.marks
    assert example.marks != []


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if e.section == "Bad" and e.page.parent.name == "data"], ids=lambda e: e.name
)
def test_code_and_sql_that_only_the_state_sees_never_run_and_give_nothing(example: Example, tmp_path: Path) -> None:
    files = {path: in_the_state_alone(text) for path, text in example.files.items()}
    assert files != example.files
    code = page_examples.title(example.page)[0]
    # The default is what models.py says, wherever the column comes from.
    expected = example.marks if code == "MG516" else []
    assert check(replace(example, files=files), tmp_path, select=(code,)) == expected


def in_the_state_alone(text: str) -> str:
    """The migration with all of its operations in `state_operations`; lines stay where they are."""
    start = "operations = [migrations.SeparateDatabaseAndState(state_operations=["
    changed = re.sub(r"^    operations = \[(.*?)\]$", rf"    {start}\1])]", text, flags=re.M | re.S)
    ast.parse(changed)
    return changed


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.section != "Bad"], ids=lambda e: e.name)
def test_a_good_example_gives_nothing(example: Example, tmp_path: Path) -> None:
    code = page_examples.title(example.page)[0]
    assert check(example, tmp_path, extend_select=(code,)) == []


@pytest.mark.parametrize("page", page_examples.pages(), ids=lambda page: page.stem)
def test_a_page_has_its_sections_in_order(page: Path) -> None:
    known = ["Why", "Bad", "Good", "Fixed", "When it is fine", "See"]
    found = list(page_examples.sections(page.read_text(encoding="utf-8")))
    assert found == [name for name in known if name in found]
    expected = {"Why"} if page.stem == "internal_error" else {"Why", "Bad", "Good"}
    assert expected <= set(found)
