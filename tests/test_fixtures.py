"""The shipped projects give what their READMEs say, as far as the rules are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from miglint import plugins
from miglint.options import Options
from miglint.session import Session

FIXTURES = Path(__file__).parent.parent / "fixtures"
KNOWN = {rule.code for rule in plugins.load()} | set(plugins.META)


def _codes(cell: str) -> set[str]:
    return set(re.findall(r"MG\d{3}", cell)) & KNOWN


def _expected(readme: Path) -> dict[str, set[str]]:
    """The codes by `app.migration`, from the tables of a README."""
    found: dict[str, set[str]] = {}
    for row in readme.read_text().splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        names = [match for cell in cells[:2] if (match := re.fullmatch(r"`([\w./]+)`", cell))]
        if row.startswith("|") and names:
            place = cells.index(names[0][0])
            name = re.sub(r"(/migrations/|\.py$)", lambda m: "." if m[1] == "/migrations/" else "", names[0][1])
            codes = _codes(cells[place + 1])
            if codes:
                found[name] = codes
    return found


@pytest.mark.parametrize("project", ["shop", "guide"])
def test_a_project_gives_what_its_readme_says(project: str) -> None:
    root = FIXTURES / project
    report = Session(Options(cache=False), cwd=root).report([root])
    found: dict[str, set[str]] = {}
    for each in report.findings:
        folder = Path(each.path or "").parent.parent.name
        found.setdefault(f"{folder}.{each.subject.migration}", set()).add(each.code)
    assert found == _expected(root / "README.md")
