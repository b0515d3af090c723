"""The names of fields in a query: which of its arguments are names, and how Django looks them up.

Source: the QuerySet API reference, and django.db.models.sql.query.Query
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal as Choice

import msgspec

from miglint.project.usage import Query, Row, Rows
from miglint.syntax.facts import Call, Expr, Items, Keyword, Literal, Operation, Pairs, children
from miglint.text import Span

# `lookup`: a path of fields and lookups; `field`: a field or its column; `prefetch`: attributes of rows.
Kind = Choice["lookup", "field", "prefetch"]


class Named(msgspec.Struct, frozen=True):
    """A name in a query, where it stands and how Django looks it up."""

    path: str
    span: Span
    kind: Kind


_LOOKUP_KEYWORDS = frozenset({"filter", "exclude", "get", "aget", "get_or_create", "aget_or_create", "complex_filter"})
_FIELD_KEYWORDS = frozenset({
    "create", "acreate", "update", "aupdate", "__init__", "update_or_create", "aupdate_or_create",
})  # fmt: skip
_PATHS = frozenset({"order_by", "values", "values_list", "only", "defer", "select_related", "distinct", "earliest",
                    "latest"})  # fmt: skip
# Which keyword, or which position, of a method is a list of fields.
_LISTS: dict[str, tuple[tuple[str, int | None], ...]] = {
    "bulk_update": (("fields", 1),),
    "abulk_update": (("fields", 1),),
    "bulk_create": (("update_fields", None), ("unique_fields", None)),
    "abulk_create": (("update_fields", None), ("unique_fields", None)),
    "save": (("update_fields", None),),
    "asave": (("update_fields", None),),
}
_DEFAULTS = ("defaults", "create_defaults")
_NOT_FIELDS = frozenset({"flat", "named", "_using", "force_insert", "force_update", "using"})
_EXPRESSIONS = ("django.db.models.", "django.contrib.postgres.")
_AGGREGATES = frozenset({"Avg", "Count", "Max", "Min", "StdDev", "Sum", "Variance"})
# Functions all of whose positional strings are names of fields.
_FUNCTIONS = frozenset({"Coalesce", "Concat", "Greatest", "Least", "Lower", "Upper", "Length", "Trim", "LTrim", "RTrim",
                        "Cast", "NullIf"})  # fmt: skip


_SUBQUERIES = ("Subquery", "Exists", "ArraySubquery")


def named(query: Query) -> Iterator[Named]:
    """The names of the model's fields that a query is given."""
    method, call = query.method, query.call
    if method in _LOOKUP_KEYWORDS:
        yield from _keywords(call, "lookup")
    if method in _FIELD_KEYWORDS:
        yield from _keywords(call, "lookup" if "update_or_create" in method else "field")
    if "_or_create" in method:
        for name in _DEFAULTS:
            yield from _keys(call.keyword(name))
    if method in _PATHS:
        yield from (_path(text) for text in _texts(call.arguments) if text.text.strip("-+?"))
    if method == "prefetch_related":
        yield from (Named(text.text, text.span, "prefetch") for text in _texts(call.arguments))
    if method in ("dates", "datetimes"):
        yield from (_path(text) for text in _texts(call.arguments[:1]))
    if method in ("in_bulk", "ain_bulk") and (key := call.keyword("field_name")) is not None:
        yield from (Named(text.text, text.span, "field") for text in _texts((key,)) if text.text != "pk")
    for name, position in _LISTS.get(method, ()):
        value = call.keyword(name)
        if value is None and position is not None and len(call.arguments) > position:
            value = call.arguments[position]
        if isinstance(value, Items):
            yield from (Named(text.text, text.span, "field") for text in _texts(value.items))
    if isinstance(query.on, Rows | Row):
        for argument in (*call.arguments, *(keyword.value for keyword in call.keywords)):
            yield from _in_expression(argument)


def _keywords(call: Call, kind: Kind) -> Iterator[Named]:
    for keyword in call.keywords:
        if keyword.name is None:
            yield from (Named(each.path, each.span, kind) for each in _keys(keyword.value))
        elif keyword.name not in _NOT_FIELDS and keyword.name not in _DEFAULTS:
            yield Named(keyword.name, _of_name(keyword), kind)


def _of_name(keyword: Keyword) -> Span:
    assert keyword.name is not None
    return Span(keyword.span.start, keyword.span.start + len(keyword.name))


def _keys(value: Expr | None) -> Iterator[Named]:
    for pair in value.pairs if isinstance(value, Pairs) else ():
        if isinstance(pair.key, Literal) and pair.key.kind == "str":
            yield Named(pair.key.text, pair.key.span, "field")


def _texts(arguments: tuple[Expr, ...]) -> Iterator[Literal]:
    return (each for each in arguments if isinstance(each, Literal) and each.kind == "str")


def _path(text: Literal) -> Named:
    return Named(text.text.lstrip("-+"), text.span, "lookup")


def _in_expression(value: Expr) -> Iterator[Named]:
    """The names in `F`, `Q`, `When` and the functions of the database, as deep as they are nested."""
    if isinstance(value, Operation):
        for operand in value.operands:
            yield from _in_expression(operand)
    if not isinstance(value, Call) or not value.callee.startswith(_EXPRESSIONS):
        return
    name = value.callee.rpartition(".")[2]
    if name in _SUBQUERIES:
        yield from (_path(text) for argument in value.arguments[:1] for text in _asked_outside(argument))
    if name in ("OuterRef", "Value", "RawSQL", "Prefetch", *_SUBQUERIES):
        return
    if name == "F" or name in _AGGREGATES:
        yield from (_path(text) for text in _texts(value.arguments[:1]) if text.text != "*")
    if name in _FUNCTIONS:
        yield from (_path(text) for text in _texts(value.arguments))
    for keyword in value.keywords:
        if name in ("Q", "When") and keyword.name not in (None, "then", "condition", "_connector", "_negated"):
            assert keyword.name is not None
            yield Named(keyword.name, _of_name(keyword), "lookup")
        yield from _in_expression(keyword.value)
    for argument in value.arguments:
        yield from _in_expression(argument)
        if name == "Q" and isinstance(argument, Items):  # `Q(("total__gt", 3))`
            yield from (_path(text) for text in _texts(argument.items[:1]))


def _asked_outside(value: Expr) -> Iterator[Literal]:
    """What `OuterRef` names in a query that is written within another one: fields of the model of that one.

    In a query within this one it names fields of this one, and `OuterRef(OuterRef(…))` those of what is around.
    """
    if isinstance(value, Call):
        name = value.callee.rpartition(".")[2] if value.callee.startswith(_EXPRESSIONS) else ""
        if name == "OuterRef":
            yield from _texts(value.arguments[:1])
        if name in ("OuterRef", *_SUBQUERIES):
            return
    for child in children(value):
        yield from _asked_outside(child)
