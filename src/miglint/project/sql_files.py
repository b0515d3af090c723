"""SQL that a migration reads from a file beside it: which file the expression means, without running it."""

from __future__ import annotations

import posixpath

from miglint.syntax.evaluate import Values
from miglint.syntax.facts import Attribute, Call, Expr, Literal, Name, Operation, Subscript

# Stands for the directory of the migration's own file while a path is put together.
_HERE = "/here"
_OPENERS = ("open", "io.open", "codecs.open")
_PATHS = ("pathlib.Path", "pathlib.PurePath", "str", "os.fspath", "os.path.abspath", "os.path.realpath",
          "os.path.normpath")  # fmt: skip
_SAME = ("resolve", "absolute", "as_posix", "expanduser")
_MAX_DEPTH = 30


def file_read(value: Expr, values: Values) -> str | None:
    """The path, relative to the migration's directory, of the file whose text an expression is; None for all else.

    `open(os.path.join(os.path.dirname(__file__), "x.sql")).read()`, `(Path(__file__).parent / "x.sql").read_text()`.
    """
    if not isinstance(value, Call) or not isinstance(value.function, Attribute):
        return None
    if value.function.name == "read_text":
        path = _path(value.function.value, values)
    elif value.function.name == "read" and not value.arguments:
        opened = values.resolve(value.function.value)
        if not isinstance(opened, Call):
            return None
        if opened.callee in _OPENERS and opened.arguments:
            path = _path(opened.arguments[0], values)
        elif isinstance(opened.function, Attribute) and opened.function.name == "open":
            path = _path(opened.function.value, values)
        else:
            return None
    else:
        return None
    if path is None or not path.startswith(f"{_HERE}/"):
        return None
    return posixpath.relpath(posixpath.normpath(f"/root{path}"), f"/root{_HERE}")


def _path(value: Expr, values: Values, depth: int = 0) -> str | None:
    value = values.resolve(value)
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, Literal):
        return value.text if value.kind == "str" else None
    if isinstance(value, Name):
        return f"{_HERE}/migration.py" if value.name == "__file__" else None
    if isinstance(value, Operation) and value.operator == "/":
        return _joined([_path(operand, values, depth + 1) for operand in value.operands])
    if isinstance(value, Attribute) and value.name == "parent":
        return _parent(_path(value.value, values, depth + 1))
    if isinstance(value, Subscript):
        return _ancestor(value, values, depth)
    return _called(value, values, depth) if isinstance(value, Call) else None


def _called(call: Call, values: Values, depth: int) -> str | None:
    arguments = [_path(argument, values, depth + 1) for argument in call.arguments]
    if call.callee in _PATHS or call.callee == "os.path.join":
        return _joined(arguments)
    if call.callee == "os.path.dirname":
        return _parent(_joined(arguments))
    if not isinstance(call.function, Attribute):
        return None
    path = _path(call.function.value, values, depth + 1)
    if path is None or call.function.name in _SAME:
        return path
    if call.function.name == "joinpath":
        return _joined([path, *arguments])
    if len(arguments) != 1 or arguments[0] is None:
        return None
    if call.function.name == "with_name":
        return _joined([_parent(path), arguments[0]])
    if call.function.name == "with_suffix":
        return posixpath.splitext(path)[0] + arguments[0]
    return None


def _ancestor(value: Subscript, values: Values, depth: int) -> str | None:
    """`Path(__file__).parents[1]`."""
    index = value.index
    if not isinstance(value.value, Attribute) or value.value.name != "parents" or not isinstance(index, Literal):
        return None
    path = _path(value.value.value, values, depth + 1)
    for _ in range(int(index.text) + 1 if index.text.isdecimal() and len(index.text) < 3 else 0):
        path = _parent(path)
    return path


def _parent(path: str | None) -> str | None:
    return posixpath.dirname(path) if path else None


def _joined(parts: list[str | None]) -> str | None:
    known = [part for part in parts if part is not None]
    return posixpath.join(*known) if known and len(known) == len(parts) else None
