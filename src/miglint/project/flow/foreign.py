"""Objects of Python's and Django's own classes whose methods do something outside the database."""

from __future__ import annotations

from miglint.project.state import ModelState
from miglint.project.usage import Bound, Each, Foreign, Value
from miglint.syntax.facts import Call, Expr, expressions

PATH = Foreign("pathlib.Path")
# What a row's attribute for a FileField is.
_FILE = Foreign("django.db.models.fields.files.FieldFile")
_MAKES_PATH = frozenset({
    "pathlib.Path", "pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.Path.cwd", "pathlib.Path.home",
})  # fmt: skip
# What gives another path, and what gives several. Source: https://docs.python.org/3/library/pathlib.html
_PATHS = frozenset({
    "absolute", "resolve", "expanduser", "joinpath", "with_name", "with_stem", "with_suffix", "relative_to", "readlink",
})  # fmt: skip
_SEVERAL_PATHS = frozenset({"glob", "rglob", "iterdir"})


def made_by(path: str) -> Value:
    """What a call of what is imported gives."""
    return PATH if path in _MAKES_PATH else None


def member_of(value: Foreign, name: str) -> Value:
    if value == PATH and name == "parent":
        return value
    return Each(value) if value == PATH and name == "parents" else Bound(value, name)


def given_by(value: Foreign, method: str) -> Value:
    """What a method gives."""
    if value == PATH and method in _SEVERAL_PATHS:
        return Each(value)
    return value if value == PATH and method in _PATHS else None


def stored_file(model: ModelState, name: str) -> Foreign | None:
    """What a row's attribute is, where a file is kept beside the database."""
    state = model.field(name)
    return _FILE if state is not None and state.field.kind in ("FileField", "ImageField") else None


def makes_path(expression: Expr) -> bool:
    """Whether an expression is put together from a path: `Path(__file__).parent / "data"`."""
    return any(isinstance(each, Call) and each.callee in _MAKES_PATH for each in expressions(expression))
