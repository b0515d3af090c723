"""What must follow from a change to real migrations: a merge that goes missing is missed where it was needed."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

import packages
from miglint.diagnostic import Severity
from miglint.options import Options
from miglint.session import Session

MOST = 6
# A finding as its code, its file, and the words that name a missing parent.
Found = tuple[str, str, str]
# Those with merges whose edges are all readable: where one is not, nobody knows what is a leaf.
NAMES = ["wagtail", "edx-enterprise"]


class Written:
    """The edges of the migrations below a folder, as Python's own parser reads them."""

    def __init__(self, root: Path) -> None:
        self.parents: dict[Path, list[tuple[str, str]]] = {}
        self.replaced: set[tuple[Path, str]] = set()
        self.idle: set[Path] = set()
        for file in sorted(root.rglob("migrations/[!_]*.py")):
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.ClassDef) and node.name == "Migration":
                    self._read(file, node)

    def _read(self, file: Path, definition: ast.ClassDef) -> None:
        values = {
            target.id: each.value
            for each in definition.body
            if isinstance(each, ast.Assign)
            for target in each.targets
            if isinstance(target, ast.Name)
        }
        self.parents[file] = _pairs(values.get("dependencies"))
        self.replaced |= {(file.parent, name) for _, name in _pairs(values.get("replaces"))}
        operations = values.get("operations")
        if operations is None or (isinstance(operations, ast.List) and not operations.elts):
            self.idle.add(file)

    def same_app(self, file: Path) -> list[Path]:
        """The parents that lie in the same folder."""
        label = self.label(file)
        return [file.parent / f"{name}.py" for app, name in self.parents[file] if app == label]

    def label(self, file: Path) -> str | None:
        """The app that a file's folder calls itself: the one whose migrations its own depend on."""
        siblings = {
            (app, name) for each in self.parents if each.parent == file.parent for app, name in self.parents[each]
        }
        own = [app for app, name in siblings if (file.parent / f"{name}.py").is_file() and "__" not in name]
        return max(sorted(set(own)), key=own.count, default=None)

    def children(self, file: Path) -> list[Path]:
        named = (self.label(file), file.stem)
        return [each for each, parents in self.parents.items() if named in parents]

    def descendants(self, file: Path) -> list[Path]:
        """All that could not be without a migration."""
        reached = [file]
        for each in reached:
            reached.extend(child for child in self.children(each) if child not in reached)
        return reached[1:]

    def merges(self) -> list[Path]:
        """Migrations that only join branches and that no squash replaces."""
        return [
            file
            for file in self.parents
            if file in self.idle and len(self.same_app(file)) > 1 and (file.parent, file.stem) not in self.replaced
        ]


def _pairs(value: ast.expr | None) -> list[tuple[str, str]]:
    entries = value.elts if isinstance(value, ast.List) else []
    literal = [ast.literal_eval(each) for each in entries if isinstance(each, ast.Tuple)]
    return [(app, name) for app, name in literal]


def evenly(files: list[Path]) -> list[Path]:
    """At most a few of them, from the first to the last."""
    if len(files) <= MOST:
        return files
    return [files[number * (len(files) - 1) // (MOST - 1)] for number in range(MOST)]


@pytest.fixture(scope="module", params=NAMES)
def copied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a package, as a project of its own, whose files are read once."""
    root = tmp_path_factory.mktemp(request.param) / "copy"

    def others(folder: str, entries: list[str]) -> list[str]:
        return [each for each in entries if not (Path(folder, each).is_dir() or each.endswith(".py"))]

    shutil.copytree(packages.install(request.param), root, ignore=others)
    (root / "miglint.toml").write_text("")
    return root


def found(root: Path) -> list[Found]:
    """The errors and warnings about the graph."""
    options = Options(select=("MG1",), cache_dir=root.parent / "cache")
    diagnostics = Session(options, cwd=root).report([root]).diagnostics
    return sorted(
        (each.code, each.path or "", each.message)
        for each in diagnostics
        if each.severity > Severity.INFO and each.suppressed is None
    )


def missing_parent(written: Written, merge: Path) -> list[Found]:
    """One finding in each child of a migration, which names it."""
    wanted = f"dependencies reference nonexistent parent node {(written.label(merge), merge.stem)!r}"
    return sorted(("MG102", child.as_posix(), wanted) for child in written.children(merge))


def leaves(written: Written, merge: Path, without: list[Path]) -> list[Found]:
    """One finding in each parent that nothing of its app follows but the merge and what is left out."""
    gone = {merge, *without}
    found = [
        parent
        for parent in written.same_app(merge)
        if not any(child.parent == parent.parent and child not in gone for child in written.children(parent))
    ]
    return sorted(("MG101", each.as_posix(), "Conflicting migrations detected") for each in found)


def shortened(finding: Found) -> Found:
    code, path, message = finding
    return code, path, message[message.find("dependencies") :] if code == "MG102" else message.partition(";")[0]


def without(root: Path, files: list[Path]) -> list[Found]:
    """The findings when some files are gone; they are put back."""
    texts = {file: file.read_text() for file in files}
    for file in files:
        file.unlink()
    try:
        return found(root)
    finally:
        for file, text in texts.items():
            file.write_text(text)


def new(before: list[Found], after: list[Found]) -> list[Found]:
    return sorted(shortened(each) for each in after if each not in before)


def test_a_merge_that_is_deleted_is_missed_by_each_migration_that_depends_on_it(copied: Path) -> None:
    root, written = copied, Written(copied)
    merges = [merge for merge in evenly(written.merges()) if written.children(merge)]
    before = found(root)
    actual = {merge: new(before, without(root, [merge])) for merge in merges}
    assert actual == {merge: missing_parent(written, merge) for merge in merges}
    assert len(merges) >= 1


def test_a_last_merge_that_is_deleted_leaves_the_branches_that_it_joined(copied: Path) -> None:
    root, written = copied, Written(copied)
    merges = evenly(written.merges())
    actual, wanted = {}, {}
    for merge in merges:
        later = written.descendants(merge)
        before = without(root, later)
        actual[merge] = new(before, without(root, [merge, *later]))
        wanted[merge] = leaves(written, merge, later)
    assert actual == wanted
    assert min(map(len, actual.values())) >= 2
