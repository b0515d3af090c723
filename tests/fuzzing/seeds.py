"""What is mutated: the projects of the rules' pages, the fixtures, and slices of real packages where these are."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from packages import CACHE
from page_examples import PRELUDE, examples, pages

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
# A project of a few files is read in milliseconds: many inputs say more than large ones.
_SLICE = 5
# Larger texts are left out: a mutation of one place is the same in a small file.
_LARGEST = 12_000

Files = dict[str, bytes]


class Span(NamedTuple):
    """A half-open range of bytes."""

    start: int
    end: int


class Parts(NamedTuple):
    """Where the pieces of a text are that can be exchanged, as Python's own parser sees them."""

    expressions: list[Span]
    statements: list[Span]
    arguments: list[Span]
    # The elements of `operations`, and the values of the attributes that are edges.
    operations: list[Span]
    edges: list[Span]
    strings: list[Span]


class Pieces(NamedTuple):
    """Pieces of all seeds, to be put where they do not belong."""

    expressions: list[bytes]
    statements: list[bytes]
    arguments: list[bytes]
    operations: list[bytes]
    edges: list[bytes]
    strings: list[bytes]


_EDGES = ("dependencies", "run_before", "replaces")


@cache
def parts(text: bytes) -> Parts | None:
    """The pieces of a text; None where Python cannot parse it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.expr | ast.stmt | ast.keyword) -> Span:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return Span(starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset)

    found = Parts([], [], [], [], [], [])
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id="operations")], value=ast.List(elts=elements)):
                found.operations.extend(map(span, elements))
                found.statements.append(span(node))
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _EDGES:
                found.edges.append(span(value))
            case ast.stmt():
                found.statements.append(span(node))
            case ast.Constant(value=str()):
                found.strings.append(span(node))
                found.expressions.append(span(node))
            case ast.expr():
                found.expressions.append(span(node))
        if isinstance(node, ast.Call):
            found.arguments.extend(map(span, [*node.args, *node.keywords]))
    return found


def seeds(*, with_packages: bool) -> list[Files]:
    """Small projects by relative path. Without packages the list is the same everywhere."""
    found = [*_of_pages(), *_of_fixtures()]
    if with_packages:
        found += [each for package in sorted(CACHE.glob("*-*")) for each in _of_package(package)]
    return found


def pieces(projects: Iterable[Files]) -> Pieces:
    """What the seeds are made of, each piece once."""
    found: list[dict[bytes, None]] = [{} for _ in Pieces._fields]
    for text in {text for files in projects for path, text in files.items() if path.endswith(".py")}:
        known = parts(text)
        for into, spans in zip(found, known or (), strict=False):
            into.update((text[start:end], None) for start, end in spans if end - start < 2_000)
    return Pieces(*(sorted(each) for each in found))


def _of_pages() -> Iterator[Files]:
    prelude = _files(PRELUDE)
    for page in pages():
        for example in examples(page):
            texts = {path: re.sub(r" *# error: MG.*$", "", text, flags=re.M) for path, text in example.files.items()}
            yield {
                **prelude,
                **{path: text.encode() for path, text in texts.items()},
                "miglint.toml": example.settings.encode(),
            }


def _of_fixtures() -> Iterator[Files]:
    yield _files(FIXTURES / "shop")
    guide = _files(FIXTURES / "guide")
    for app in sorted({path.partition("/")[0] for path in guide if "/migrations/" in path}):
        yield {path: text for path, text in guide.items() if path.startswith((f"{app}/", "config/", "manage.py"))}


def _of_package(root: Path) -> Iterator[Files]:
    """A few migrations that follow each other, and the modules beside them."""
    for folder in sorted(root.rglob("migrations")):
        names = sorted(path for path in folder.glob("[0-9]*.py") if path.stat().st_size < _LARGEST)
        for at in range(0, len(names), _SLICE):
            files = {f"app/migrations/{path.name}": path.read_bytes() for path in names[at : at + _SLICE]}
            beside = [folder.parent / "apps.py", *folder.glob("_*.py")]
            for path in beside:
                if path.is_file() and path.stat().st_size < _LARGEST:
                    files[f"app/{path.relative_to(folder.parent).as_posix()}"] = path.read_bytes()
            yield {"manage.py": b"", "app/__init__.py": b"", "app/migrations/__init__.py": b"", **files}


def _files(root: Path) -> Files:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix in (".py", ".toml", ".sql") and ".miglint_cache" not in path.parts
    }
