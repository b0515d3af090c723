"""The fields that an operation has Django look up by name, besides the one that it works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal as Choice

import msgspec
from msgspec.structs import replace

from miglint.project.actions.indexes import groups_of
from miglint.project.fields import Field
from miglint.project.operations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterIndexTogether,
    AlterOrderWithRespectTo,
    AlterUniqueTogether,
    CreateModel,
    Operation,
    RenameIndex,
)
from miglint.project.state import ModelState
from miglint.project.unique_index import pair_of
from miglint.syntax.facts import COLLECTIONS, Call, Expr, Items, Literal, Pairs, expressions
from miglint.text import NOWHERE, Span

By = Choice["class", "field", "query"]


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """The name of a field, as it is written at `span` (NOWHERE: in an operation before), and what looks it up:

    - `class`: the model's class, whenever it is built, be it for the state alone;
    - `field`: Options.get_field, for the columns of an index, a constraint or a key;
    - `query`: a condition or an expression, when its SQL is written.

    `relation` is set for a `to_field`: the name is one of the relation's target.
    """

    name: str
    span: Span
    by: By
    relation: Field | None = None


def lookups_of(
    operation: Operation, before: ModelState | None = None, *, expression_indexes: bool = True
) -> Iterator[Lookup]:
    """The fields that are looked up, as far as they can be read; `before` is the model as it was.

    `expression_indexes`: whether the database knows them; Django does not look into those that it leaves out.
    """
    match operation:
        case AddIndex(index=Call() as made) | AddConstraint(constraint=Call() as made):
            yield from _of_made(made, expression_indexes=expression_indexes)
        case AlterUniqueTogether(unique_together=value):
            yield from _of_change(before, "unique_together", value)
        case AlterIndexTogether(index_together=value):
            yield from _of_change(before, "index_together", value)
        case RenameIndex(old_name=None, old_fields=value):
            yield from _by("field", value)
        case AlterOrderWithRespectTo(order_with_respect_to=value):
            yield from _by("class", value)
        case AlterField(field=field):
            yield from _of_key(field)
        case AddField(field=field):
            yield from _of_field(field)
        case CreateModel():
            for _, field in operation.fields:
                yield from _of_field(field)
            yield from _of_options(operation.options, expression_indexes=expression_indexes)


def _of_change(before: ModelState | None, option: str, value: Expr | None) -> Iterator[Lookup]:
    """Of the groups that come, and of those that go, whose names stand nowhere in the operation.

    Source: alter_unique_together and alter_index_together of BaseDatabaseSchemaEditor
    """
    old, new = groups_of(before.options.get(option) if before is not None else None), groups_of(value)
    if old is None or new is None:
        return
    kept = {name for group in old if group in new for name in group}
    come = {name for group in new if group not in old for name in group}
    yield from (lookup for lookup in _by("field", value) if lookup.name in come or lookup.name not in kept)
    for group in old:
        for name in group if group not in new else ():
            yield Lookup(name=name, span=NOWHERE, by="field")


def _of_options(options: Expr | None, *, expression_indexes: bool) -> Iterator[Lookup]:
    pairs = options.pairs if isinstance(options, Pairs) else ()
    given: Mapping[str, Expr] = {pair.key.text: pair.value for pair in pairs if isinstance(pair.key, Literal)}
    yield from _by("class", given.get("order_with_respect_to"))
    for name in ("unique_together", "index_together"):
        yield from _by("field", given.get(name))
    for name in ("indexes", "constraints"):
        value = given.get(name)
        for made in value.items if isinstance(value, Items) else ():
            if isinstance(made, Call):
                yield from _of_made(made, expression_indexes=expression_indexes)


def _of_made(made: Call, *, expression_indexes: bool) -> Iterator[Lookup]:
    """Of an index or a constraint. Source: `create_sql` of django.db.models.Index, UniqueConstraint, CheckConstraint
    and django.contrib.postgres.constraints.ExclusionConstraint
    """
    if made.arguments and not expression_indexes and not made.callee.endswith("Constraint"):
        return
    for lookup in _by("field", made.keyword("fields")):
        # A `-` gives an index's order.
        is_index = not made.callee.endswith("Constraint")
        yield replace(lookup, name=lookup.name.removeprefix("-")) if is_index else lookup
    yield from _by("field", made.keyword("include"))
    for condition in (made.keyword("condition"), made.keyword("check")):
        yield from _in_expression(condition)
    excluded = made.keyword("expressions")
    pairs = excluded.items if isinstance(excluded, Items) else ()
    firsts = (pair.items[0] for pair in pairs if isinstance(pair, Items) and pair.items)
    for expression in (*made.arguments, *firsts):
        if made.callee.startswith(_DJANGO):
            yield from _texts("query", expression)
        yield from _in_expression(expression)


def _of_field(field: Field) -> Iterator[Lookup]:
    yield from _in_expression(field.arguments.get("expression"))
    yield from _of_key(field)


def _of_key(field: Field) -> Iterator[Lookup]:
    to_field = field.arguments.get("to_field")
    if field.is_foreign_key and isinstance(to_field, Literal) and to_field.kind == "str":
        yield Lookup(name=to_field.text, span=to_field.span, by="field", relation=field)


_DJANGO = ("django.db.models.", "django.contrib.postgres.")
# Expressions whose texts are names of fields: all of them, and the first alone.
_OF_FIELDS = frozenset({"Coalesce", "Concat", "Func", "Greatest", "Least", "SearchVector"})
_OF_ONE_FIELD = frozenset({
    "Abs", "Cast", "Ceil", "Collate", "F", "Floor", "LTrim", "Left", "Length", "Lower", "MD5", "OpClass", "RTrim",
    "Reverse", "Right", "Round", "SHA256", "Substr", "Trim", "Trunc", "TruncDate", "TruncDay", "TruncMonth",
    "TruncYear", "Upper",
})  # fmt: skip
# Keywords that are no lookups.
_OF_Q = frozenset({"_connector", "_negated"})
_OF_WHEN = frozenset({"condition", "then"})


def _in_expression(value: Expr | None) -> Iterator[Lookup]:
    """`Q(name__gt=3)`, `Q(("name__gt", 3))`, `F("name")`, `Lower("name")`."""
    for call in expressions(value) if value is not None else ():
        if not isinstance(call, Call) or not call.callee.startswith(_DJANGO):
            continue
        kind = call.callee.rpartition(".")[2]
        if kind in ("Q", "When"):
            for name, span in _conditions(call, _OF_Q if kind == "Q" else _OF_WHEN):
                yield Lookup(name=name.partition("__")[0], span=span, by="query")
        elif kind in _OF_FIELDS or kind in _OF_ONE_FIELD:
            for argument in call.arguments[: 1 if kind in _OF_ONE_FIELD else None]:
                yield from _texts("query", argument)


def _conditions(call: Call, besides: frozenset[str]) -> Iterator[tuple[str, Span]]:
    for keyword in call.keywords:
        if keyword.name is not None and keyword.name not in besides:
            yield keyword.name, keyword.span
    for argument in call.arguments:
        pair = pair_of(argument)
        if pair is not None:
            yield pair[0], argument.span


def _by(by: By, value: Expr | None) -> Iterator[Lookup]:
    """The texts of a display, displays in it included, whatever it is made a set or a tuple of."""
    if isinstance(value, Items):
        for item in value.items:
            yield from _by(by, item)
    elif isinstance(value, Call) and value.callee in COLLECTIONS:
        for argument in value.arguments:
            yield from _by(by, argument)
    else:
        yield from _texts(by, value)


def _texts(by: By, value: Expr | None) -> Iterator[Lookup]:
    if isinstance(value, Literal) and value.kind == "str":
        yield Lookup(name=value.text.partition("__")[0] if by == "query" else value.text, span=value.span, by=by)
