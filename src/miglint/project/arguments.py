"""The arguments of a call as an operation takes them, and what can be said of those that are not known."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache

import msgspec

from miglint.project.operations import Operation
from miglint.syntax.evaluate import Values
from miglint.syntax.facts import Attribute, Call, Either, Expr, Literal, Name, Opaque, Starred, dotted
from miglint.text import NOWHERE, Span

# The kinds of parameters that are always passed on: None says that the argument is absent.
ALWAYS_GIVEN = frozenset({"str | None", "Expr | None", "SQL | None", "Callback | None", "Field"})
_NOT_DJANGOS = frozenset({"span", "call", "uncertain", "complete", "why", "callee", "then", "otherwise"})
# Source: django.contrib.postgres.operations
EXTENSION_NAMES = {
    "BloomExtension": "bloom",
    "BtreeGinExtension": "btree_gin",
    "BtreeGistExtension": "btree_gist",
    "CITextExtension": "citext",
    "CryptoExtension": "pgcrypto",
    "HStoreExtension": "hstore",
    "TrigramExtension": "pg_trgm",
    "UnaccentExtension": "unaccent",
}


_parameters: dict[type[Operation], dict[str, str]] = {}


def parameters(kind: type[Operation]) -> dict[str, str]:
    """The parameters of an operation class in Django's order, each with its annotation."""
    found = _parameters.get(kind)
    if found is None:
        annotations: dict[str, str] = {}
        for base in reversed(kind.__mro__):
            annotations |= inspect.get_annotations(base)
        names = [name for name in annotations if name in kind.__struct_fields__ and name not in _NOT_DJANGOS]
        found = {name: annotations[name] for name in names}
        _parameters[kind] = found
    return found


def bind(call: Call, names: dict[str, str]) -> tuple[dict[str, Expr], bool]:
    """The arguments of a call by parameter name, and whether some could not be told apart."""
    found: dict[str, Expr] = {}
    uncertain = False
    for name, argument in zip(names, call.arguments, strict=False):
        if isinstance(argument, Starred):
            uncertain = True
            break
        found[name] = argument
    for keyword in call.keywords:
        if keyword.name is None:
            uncertain = True
        else:
            found[keyword.name] = keyword.value
    return found, uncertain


def hiding_in(call: Call) -> Iterator[Expr]:
    """What a call is given by `*` and `**`."""
    yield from (argument.value for argument in call.arguments if isinstance(argument, Starred))
    yield from (keyword.value for keyword in call.keywords if keyword.name is None)


@cache
def required(kind: type[Operation]) -> frozenset[str]:
    """The parameters without a default."""
    return frozenset(each.name for each in msgspec.structs.fields(kind) if each.required)


def text_of(value: Expr | None, values: Values) -> str | None:
    """The text of a string (also of a bytes literal that Python 2 left behind), None where it is not known."""
    resolved = values.resolve(value) if value is not None else None
    if not isinstance(resolved, Literal):
        return None
    if resolved.kind == "bytes":
        content = resolved.value
        return content.decode("ascii") if isinstance(content, bytes) and content.isascii() else None
    return resolved.text if resolved.kind == "str" else None


def truth_of(value: Expr | None) -> bool | None:
    return value.text == "True" if isinstance(value, Literal) and value.kind == "bool" else None


def span_of(item: Expr) -> Span:
    return item.value.span if isinstance(item, Starred) and item.span == NOWHERE else item.span


def why_unknown(value: Expr) -> str:
    """Why a value is not known, as words that follow "it is"."""
    inner = value.value if isinstance(value, Starred) else value
    if isinstance(inner, Opaque):
        return inner.why
    if isinstance(inner, Call):
        return f"the result of a call ({inner.callee or 'of a computed function'})"
    if isinstance(inner, Either):
        return "chosen by a condition"
    if isinstance(inner, Name | Attribute):
        return f"the name `{dotted(inner) or 'of something computed'}`, whose value this file does not tell"
    return "computed"


def called(function: Expr) -> Expr:
    """What a call calls, where it goes well: of an import or `None` (`except ImportError: X = None`), the import."""
    if isinstance(function, Either):
        for one, other in ((function.then, function.otherwise), (function.otherwise, function.then)):
            if isinstance(other, Literal) and other.kind == "none":
                return one
    return function
