"""What the rules of locks give to paste: it is Python, and in place of the bad example nothing is said of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import page_examples
from miglint.diagnostic import Diagnostic
from miglint.options import Options
from miglint.session import Session
from page_examples import Example

EXAMPLES = [
    example
    for page in page_examples.pages()
    if page.parent.name == "locks"
    for example in page_examples.examples(page)
    if example.section == "Bad" and "database" not in example.settings
]
# Pages whose advice is a sentence or a line.
WITHOUT = {
    "concurrent_index_in_transaction", "locks_referenced_table", "no_lock_timeout", "non_atomic_not_retryable",
    "slow_work_under_lock",
}  # fmt: skip


# What is information: that a lock is taken at all.
HIDDEN = {"MG306", "MG310", "MG311", "MG314"}


def recipe(found: Diagnostic) -> dict[str, str]:
    """The migrations in a finding's help, by path."""
    files: dict[str, str] = {}
    path = None
    for line in found.help.splitlines():
        named = re.fullmatch(r"    # (\w+/migrations/\w+\.py)", line)
        if named is not None:
            path = named[1]
            files[path] = ""
        elif path is not None:
            files[path] += line.removeprefix("    ") + "\n"
    return files


def findings(root: Path, **options: object) -> list[Diagnostic]:
    report = Session(Options(cache=False, jobs=1, **options), cwd=root).report([root])  # type: ignore[arg-type]
    return [found for found in report.findings if "/0001_" not in (found.path or "")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_recipe_is_python_and_gives_no_finding(example: Example, tmp_path: Path) -> None:
    example.write(tmp_path)
    code = page_examples.title(example.page)[0]
    found = [each for each in findings(tmp_path, select=(code,)) if each.code == code and "/0002_" not in each.path]
    assert found != []
    files = recipe(found[0])
    if example.page.stem in WITHOUT:
        assert files == {}
        return
    for path, text in files.items():
        compile(text, path, "exec")
    first = min(files, default="")
    bad = Path(found[0].path or "")
    if not first or "…" in "".join(files.values()) or first.split("/")[-1][:4] != bad.name[:4]:
        return  # advice in words; or it comes after what is there
    bad.unlink()
    for path, text in files.items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    new = {(tmp_path / path).as_posix() for path in files}
    said = [(each.code, each.message) for each in findings(tmp_path, select=("MG1", "MG3", "MG9")) if each.path in new]
    assert [each for each in said if each[0] not in HIDDEN] == []
