"""The examples in rules' pages: projects to check, and the findings that they mark."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from scratch import Scratch

RULES = Path(__file__).parent.parent / "src" / "miglint" / "rules"
PRELUDE = Path(__file__).parent / "pages" / "prelude"
EXAMPLE = "shop/migrations/0003_example.py"

_TITLE = re.compile(r"# (MG\d{3}) · ([a-z0-9-]+)\n\n(.+)\n")
_MARK = re.compile(r"# error: (MG\d{3}(?:, MG\d{3})*)")
_FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?(?: in=\"([^\"]+)\")?\n(.*?)^```$", re.M | re.S)
# Where a file is, if not only in the work tree: on `main` when this branch left it, there and no longer here, there
# only since then, or here and not in git.
_PLACES = ("main", "main only", "main later", "untracked")
_HEADER = """\
import uuid

import django.contrib.postgres.operations
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.postgres.operations import (
    AddConstraintNotValid, AddIndexConcurrently, RemoveIndexConcurrently, ValidateConstraint,
)
from django.db import migrations, models
"""


@dataclass(frozen=True)
class Example:
    """One project: the prelude and the blocks under a heading. Paths are relative to its root.

    `elsewhere` are the files that a block puts `in="…"` another place than the work tree, by place.
    """

    page: Path
    section: str
    heading: str
    files: dict[str, str] = field(default_factory=dict)
    settings: str = ""
    elsewhere: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.page.stem}: {self.section}" + (f": {self.heading}" if self.heading else "")

    @property
    def marks(self) -> list[tuple[str, int, str]]:
        """The path, line and code of each finding that the blocks expect; a file that is gone has no lines."""
        gone = self.elsewhere.get("main only", {})
        return sorted(
            (path, 0 if path in gone else number, code)
            for path, text in {**self.files, **gone}.items()
            for number, line in enumerate(text.splitlines(), 1)
            for found in _MARK.finditer(line)
            for code in found[1].split(", ")
        )

    @property
    def since(self) -> str | None:
        """The base branch, if the example has one."""
        return "main" if any(place.startswith("main") for place in self.elsewhere) else None

    def write(self, root: Path) -> None:
        """Makes the project, without the marks: behind a comment that ignores something they would be its reason."""
        shutil.copytree(PRELUDE, root, dirs_exist_ok=True)
        (root / "miglint.toml").write_text(self.settings, encoding="utf-8")
        if self.elsewhere or ".gitignore" in self.files:
            self._commit(Scratch(root))
        else:
            _write(root, self.files)

    def _commit(self, repository: Scratch) -> None:
        places = {place: self.elsewhere.get(place, {}) for place in _PLACES}
        _write(repository.root, places["main"] | places["main only"])
        repository.commit("main")
        repository.git("checkout", "-q", "-b", "work")
        if places["main later"]:
            repository.git("checkout", "-q", "main")
            _write(repository.root, places["main later"])
            repository.commit("main, later")
            repository.git("checkout", "-q", "work")
        for path in places["main only"]:
            (repository.root / path).unlink()
        _write(repository.root, {path: text for path, text in self.files.items() if path not in places["untracked"]})
        repository.commit("work")
        _write(repository.root, places["untracked"])


def _write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(re.sub(r" *# error: MG.*$", "", text, flags=re.M), encoding="utf-8")


def pages() -> list[Path]:
    """All pages of miglint's own rules."""
    return sorted(RULES.rglob("*.md"))


def title(page: Path) -> tuple[str, str, str]:
    """Code, name and summary."""
    found = _TITLE.match(page.read_text(encoding="utf-8"))
    assert found is not None, (
        f"{page.name} does not begin with a title such as `# MG302 · index-blocks-writes` and a summary"
    )
    return found[1], found[2], found[3]


def sections(text: str) -> dict[str, str]:
    """The text under each `##` heading. Headings inside fences are code."""
    return dict(_split(text, "## "))


def examples(page: Path) -> list[Example]:
    """The projects of a page's sections."""
    found = []
    for section, text in sections(page.read_text(encoding="utf-8")).items():
        shared = ""
        for heading, part in [("", text.partition("\n### ")[0]), *_split(text, "### ")]:
            example = _example(page, section, heading, part)
            shared = shared or (example.settings if not heading else "")
            if example.files or example.elsewhere:
                found.append(replace(example, settings=example.settings or shared))
    return found


def _split(text: str, mark: str) -> Iterator[tuple[str, str]]:
    name, lines, fenced = None, [], False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith(mark) and not fenced:
            if name is not None:
                yield name, "".join(lines)
            name, lines = line.removeprefix(mark).strip(), []
        else:
            lines.append(line)
    if name is not None:
        yield name, "".join(lines)


def _example(page: Path, section: str, heading: str, text: str) -> Example:
    files: dict[str, str] = {}
    elsewhere: dict[str, dict[str, str]] = {}
    settings = ""
    for language, path, place, content in _FENCE.findall(text):
        if language == "toml":
            settings += content
        elif path or language == "python":
            file = {path or EXAMPLE: content if path else migration(content)}
            if place:
                elsewhere.setdefault(place, {}).update(file)
            if place in ("", "untracked"):
                files |= file
    return Example(page, section, heading, files, settings, elsewhere)


def migration(code: str) -> str:
    """A whole migration of an example that is only operations, after the statements that come before them."""
    if re.search(r"^class Migration\b", code, re.M):
        return code
    lines = code.splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if _begins_operations(line)), len(lines))
    statements, operations = (
        "".join(lines[:start]),
        "".join(f"        {line}" if line.strip() else line for line in lines[start:]),
    )
    if lines[start:] and lines[start].startswith("operations = ["):
        body = "".join(f"    {line}" if line.strip() else line for line in lines[start:])
    else:
        body = f"    operations = [\n{_with_commas(operations)}    ]\n"
    return (
        f"{_HEADER}{statements}\n\nclass Migration(migrations.Migration):\n"
        '    dependencies = [("shop", "0002_item"), ("billing", "0002_invoice_comment")]\n\n'
        f"{body}"
    )


def _begins_operations(line: str) -> bool:
    return (
        re.match(r"operations = \[|(migrations\.)?[A-Z]\w*\(|django\.contrib\.postgres\.operations\.[A-Z]", line)
        is not None
    )


def _with_commas(operations: str) -> str:
    """Each operation ends with `)` or `),` at the list's own depth; a comma may stand before a comment."""
    return re.sub(r"^(        (?:\S.*)?\))(?=\s*(?:#.*)?$)", r"\1,", operations, flags=re.M)
