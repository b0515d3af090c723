"""What states are told of models: options, indexes, constraints and the arguments of fields, written out.

Constants, lists and dictionaries that have names, and what functions of the project put together, stand in their
places, with the span of what stood there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miglint.project.elsewhere import Elsewhere, is_written_here, moved
from miglint.syntax.facts import (
    COLLECTIONS,
    Attribute,
    Call,
    Expr,
    Items,
    Keyword,
    Literal,
    Name,
    Operation,
    Pair,
    Pairs,
    Template,
)

# Conditions within conditions, and more parts than any migration has: a list may hold itself.
_MAX_DEPTH = 6
_MAX_PARTS = 50_000
# What the classes of indexes and constraints are called.
_INDEX = ("Index", "Constraint")
# The arguments of a field that say what its column is, and what an index or a constraint is called.
_OF_COLUMNS = frozenset({
    "max_length", "null", "unique", "db_index", "primary_key", "db_column", "max_digits", "decimal_places", "name",
})  # fmt: skip
# The arguments of an index or a constraint that are conditions, and lists; before Django 5.1 it was `check`.
_CONDITIONS = ("condition", "check")
_LISTS = ("fields", "include", "opclasses")
# What puts texts together, or chooses one.
_OF_TEXTS = ("+", "%", "*", "or", "and")
# The arguments and options that say what is in the database, and what they are, or are lists of.
_ONE: dict[str, type[Expr]] = {
    "db_table": Literal, "table": Literal, "managed": Literal, "proxy": Literal, "options": Pairs,
    "index": Call, "constraint": Call,
}  # fmt: skip
_SEVERAL: dict[str, type[Expr]] = {
    "unique_together": Literal, "index_together": Literal, "indexes": Call, "constraints": Call,
}  # fmt: skip


class StateValues:
    """The values of one migration; `elsewhere` knows what its names mean."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        self._elsewhere = elsewhere
        self._parts = 0

    def written(self, value: Expr) -> Expr:
        """An argument of an operation, with the constants in options, and in the indexes and constraints among them."""
        return self._within(self._elsewhere.whole(value))

    def _within(self, value: Expr) -> Expr:
        value = self._display(value)
        if isinstance(value, Call) and value.callee.endswith(_INDEX):
            call = self.with_constants(self._elsewhere.spread(value))
            return _with_keywords(call, [self._of_index(keyword.name, keyword.value) for keyword in call.keywords])
        if isinstance(value, Items):
            return _with_items(value, map(self._within, value.items))
        if isinstance(value, Pairs):
            before = [pair.value for pair in value.pairs]
            values = [self._within(each) for each in before]
            pairs = (Pair(pair.key, new) for pair, new in zip(value.pairs, values, strict=True))
            return Pairs(tuple(pairs), value.span) if _differs(values, before) else value
        return self._constant(None, value)

    def _display(self, value: Expr) -> Expr:
        """The list, dictionary, index or constraint that is not written here, at the place of what stands for it."""
        if is_written_here(value) or not self._has_parts_left():
            return value
        found = self._elsewhere.whole(value)
        if isinstance(found, Items | Pairs):
            self._parts += len(found.items if isinstance(found, Items) else found.pairs)
            return moved(found, value.span) if type(found) is not type(value) else found
        is_index = isinstance(found, Call) and found.callee.endswith(_INDEX)
        return moved(found, value.span) if is_index and found is not value else value

    def _of_index(self, name: str | None, value: Expr) -> Expr:
        if name in _CONDITIONS:
            return self._condition(value)
        return self._within(value) if name in _LISTS else value

    def _condition(self, value: Expr, depth: int = 0) -> Expr:
        """A `Q`, and those that it joins, with the constants, dictionaries and functions that make it written out."""
        if depth > _MAX_DEPTH or not self._has_parts_left():
            return value
        made = self._elsewhere.whole(value)

        def inner(part: Expr) -> Expr:
            return self._condition(part, depth + 1)

        if isinstance(made, Items):
            return _with_items(made, map(inner, made.items))
        if isinstance(made, Operation):
            operands = tuple(map(inner, made.operands))
            return Operation(made.operator, operands, made.span) if _differs(operands, made.operands) else made
        if not isinstance(made, Call):
            return self._constant(None, value)
        made = self.with_constants(self._elsewhere.spread(made))
        arguments = tuple(map(inner, made.arguments))
        return Call(made.function, arguments, made.keywords, made.span) if _differs(arguments, made.arguments) else made

    def of_field(self, call: Call) -> Call:
        """A field with its constants, and with its choices where they have a name: they may be long."""
        call = self.with_constants(call)
        if not any(keyword.name == "choices" and isinstance(keyword.value, Name) for keyword in call.keywords):
            return call
        return _with_keywords(call, [self._within(k.value) if k.name == "choices" else k.value for k in call.keywords])

    def with_constants(self, call: Call) -> Call:
        """A call whose keyword arguments that are constants, or are put together from such, are written out."""
        return _with_keywords(call, [self._constant(keyword.name, keyword.value) for keyword in call.keywords])

    def _constant(self, name: str | None, value: Expr) -> Expr:
        """The constant that a value is, at the place where it is used; else the value."""
        found = self._elsewhere.whole(value) if _may_be_constant(name, value) else value
        return (
            Literal(found.kind, found.text, value.span) if found is not value and isinstance(found, Literal) else value
        )

    def _has_parts_left(self) -> bool:
        self._parts += 1
        return self._parts <= _MAX_PARTS


def unread(name: str, value: Expr) -> Iterator[Expr]:
    """What of an argument is to be known, for what is in the database, and cannot be read."""
    if name == "options" and isinstance(value, Pairs):
        for pair in value.pairs:
            if isinstance(pair.key, Literal):
                yield from unread(pair.key.text, pair.value)
            else:
                yield pair.value if pair.key is None else pair.key
    elif name in _SEVERAL:
        yield from _unread_parts(value, _SEVERAL[name])
    elif name in _ONE and not isinstance(value, (Literal, _ONE[name])):
        yield value


def _unread_parts(value: Expr, kind: type[Expr]) -> Iterator[Expr]:
    """What of a list, or of the lists in it, is neither a constant nor of this kind."""
    if isinstance(value, Call) and value.callee in COLLECTIONS:
        value = value.arguments[0] if len(value.arguments) == 1 else Items("list")
    if isinstance(value, Items):
        for item in value.items:
            if not isinstance(item, (Literal, kind)):
                yield from _unread_parts(item, kind)
    elif not isinstance(value, Literal) and not (isinstance(value, Pairs) and not value.pairs):
        yield value


def _with_items(display: Items, items: Iterator[Expr]) -> Items:
    found = tuple(items)
    return Items(display.kind, found, display.span) if _differs(found, display.items) else display


def _with_keywords(call: Call, values: Sequence[Expr]) -> Call:
    if not _differs(values, [keyword.value for keyword in call.keywords]):
        return call
    keywords = (Keyword(k.name, value, k.span) for k, value in zip(call.keywords, values, strict=True))
    return Call(call.function, call.arguments, tuple(keywords), call.span)


def _may_be_constant(name: str | None, value: Expr) -> bool:
    """Other modules are asked only for what decides about the column: their default, say, stays theirs."""
    if isinstance(value, Name):
        return value.scope == "free" or name in _OF_COLUMNS
    if isinstance(value, Operation):
        return value.operator in _OF_TEXTS
    made = value.function if isinstance(value, Call) else None
    return isinstance(value, Template) or (isinstance(made, Attribute) and made.name in ("join", "format"))


def _differs(values: Sequence[Expr], before: Sequence[Expr]) -> bool:
    return any(value is not other for value, other in zip(values, before, strict=True))
