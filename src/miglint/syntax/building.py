"""Facts out of parts, alike for both readers: what a constant's text is, what is folded, how a chain is kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any, cast

from miglint.syntax.facts import (
    Attribute,
    Expr,
    If,
    Literal,
    Name,
    Opaque,
    Operation,
    Statement,
)
from miglint.syntax.scopes import Scope
from miglint.text import Span

# Python converts no longer number to decimal digits (sys.set_int_max_str_digits).
MAX_DIGITS = 4000

# What is no quote, once it is escaped.
_ESCAPED = re.compile(r"\\.|\"", re.DOTALL)
_TYPE_CHECKING = ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING", "TYPE_CHECKING")


def string_literal(value: str | bytes, span: Span) -> Literal:
    """A string or bytes constant."""
    if isinstance(value, bytes):
        return Literal("bytes", repr(value), span)
    if value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value):
        return Literal("str", value, span)
    return Literal("escaped", ascii(value), span)


def text_between(written: str, *, raw: bool) -> str:
    """What stands between the fields of an f-string, without the braces and escapes that write it."""
    text = written.replace("{{", "{").replace("}}", "}")
    if raw or "\\" not in text:
        return text
    quoted = _ESCAPED.sub(lambda found: '\\"' if found[0] == '"' else found[0], text)
    try:
        return cast(str, ast.literal_eval(f'"""{quoted}"""'))
    except (ValueError, SyntaxError):
        return text


def name_in(scope: Scope, name: str, span: Span) -> Name:
    """A name as it is resolved in a scope."""
    kind, path = scope.resolve(name)
    return Name(path, cast(Any, kind), span)


def attribute(value: Expr, name: str, span: Span) -> Expr:
    """`value.name`, folded into the path of what is imported."""
    if isinstance(value, Name) and value.scope == "imported":
        return Name(f"{value.name}.{name}", "imported", span)
    return Attribute(value, name, span)


def unary(word: str, operand: Expr, span: Span) -> Expr:
    """An operator and its one operand; a minus becomes part of its number."""
    if word == "-x" and isinstance(operand, Literal) and operand.kind in ("int", "float"):
        text = operand.text[1:] if operand.text.startswith("-") else f"-{operand.text}"
        return Literal(operand.kind, text, span)
    return Operation(word, (operand,), span)


def comparison(left: Expr, rest: Sequence[tuple[str, Expr]], span: Span) -> Operation:
    """A comparison, of several parts where it is chained."""
    parts: list[Operation] = []
    for word, right in rest:
        parts.append(Operation(word, (left, right), span))
        left = right
    return parts[0] if len(parts) == 1 else Operation("and", tuple(parts), span)


def is_for_types_only(test: Expr) -> bool:
    """Whether what stands under an `if` of this test is there for type checkers alone."""
    return isinstance(test, Name) and test.name in _TYPE_CHECKING


def match(subject: Expr, bodies: Sequence[tuple[Statement, ...]], span: Span) -> If | None:
    """A `match`, as a chain of `if` whose tests are not known."""
    found: If | None = None
    for body in reversed(bodies):
        test = Operation("match", (subject, Opaque("a pattern")))
        found = If(test, body, () if found is None else (found,), span)
    return found
