"""What each kind of expression does and gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from miglint.project.code import lambda_code
from miglint.project.flow.binding import bind
from miglint.project.flow.calls import call_value
from miglint.project.flow.conditions import asks_what_is_there
from miglint.project.flow.constants import (
    added_text,
    are_same,
    compared,
    is_constant,
    is_no_data,
    is_written_out,
    pairs_of,
    string_of,
    with_literals,
)
from miglint.project.flow.following import Follower, Frame
from miglint.project.flow.foreign import PATH
from miglint.project.flow.members import attribute_value
from miglint.project.flow.names import name_value
from miglint.project.flow.querysets import element_of, row_of, source_of
from miglint.project.usage import Connection, Constant, Each, Routine, Rows, Several, Text, Value, Written
from miglint.syntax.composing import template_text
from miglint.syntax.facts import (
    Attribute,
    Call,
    Comprehension,
    Either,
    Items,
    Lambda,
    Literal,
    Name,
    Operation,
    Pairs,
    Starred,
    Subscript,
    Template,
    children,
)


def _template(flow: Follower, expression: Template, frame: Frame) -> Value:
    values = [flow.value(part, frame) for part in expression.parts]
    text = template_text(replace(expression, parts=with_literals(values, expression.parts)))
    if text is not None:
        return Constant(Literal("str", text, expression.span))
    known = (is_written_out(v) or is_no_data(part) for v, part in zip(values, expression.parts, strict=True))
    return Text(expression, all(known))


def _items(flow: Follower, expression: Items, frame: Frame) -> Value:
    return Several(tuple(flow.value(item, frame) for item in expression.items))


def _pairs(flow: Follower, expression: Pairs, frame: Frame) -> Value:
    for child in children(expression):
        flow.value(child, frame)
    return Constant(expression) if is_constant(expression) else None


def _starred(flow: Follower, expression: Starred, frame: Frame) -> Value:
    flow.value(expression.value, frame)
    return None


def _either(flow: Follower, expression: Either, frame: Frame) -> Value:
    flow.value(expression.test, frame)
    before = frame.guards, frame.tries
    frame.guards, frame.tries = frame.guards + 1, frame.tries + asks_what_is_there(expression.test)
    then, otherwise = flow.value(expression.then, frame), flow.value(expression.otherwise, frame)
    frame.guards, frame.tries = before
    if routines := tuple(each for each in (then, otherwise) if isinstance(each, Routine)):
        return Several(routines)
    if are_same(then, otherwise):
        return then
    return Written() if is_written_out(then) and is_written_out(otherwise) else None


def _operation(flow: Follower, expression: Operation, frame: Frame) -> Value:
    if expression.operator == ":=" and len(expression.operands) == 2:
        value = flow.value(expression.operands[1], frame)
        bind(flow, expression.operands[0], value, frame)
        return value
    values = _operands(flow, expression, frame)
    if expression.operator == "await":
        return values[0]
    if expression.operator in ("|", "&") and values and isinstance(values[0], Rows):
        return replace(values[0], is_filtered=all(isinstance(each, Rows) and each.is_filtered for each in values))
    if expression.operator == "/" and PATH in values:
        return PATH
    text = added_text(expression, values)
    if text is not None:
        return Constant(Literal("str", text, expression.span))
    if all(isinstance(each, Constant) for each in values):
        return compared(expression, values) or Constant(expression)
    if expression.operator == "*":
        return _repeated(values)
    if expression.operator == "not" or expression.operator in ("in", "not in"):
        return compared(expression, values)
    if expression.operator in ("+", "%") and any(isinstance(each, Constant | Text) for each in values):
        known = zip(values, expression.operands, strict=True)
        return Text(expression, all(is_written_out(value) or is_no_data(part) for value, part in known))
    return None


def _operands(flow: Follower, expression: Operation, frame: Frame) -> list[Value]:
    before, values = frame.tries, []
    for operand in expression.operands:
        values.append(flow.value(operand, frame))
        # `hasattr(order, "close") and order.close()`
        frame.tries += expression.operator in ("and", "or") and asks_what_is_there(operand)
    frame.tries = before
    return values


def _repeated(values: list[Value]) -> Value:
    """`["%s"] * len(rows)`: what is written out, some number of times."""
    for value in values:
        if isinstance(value, Several):
            return Each(element_of(value))
        if string_of(value) is not None:
            return Written()
    return None


def _subscript(flow: Follower, expression: Subscript, frame: Frame) -> Value:
    value = flow.value(expression.value, frame)
    key = flow.value(expression.index, frame)
    if isinstance(expression.value, Name) and expression.value.name == "django.db.connections":
        return Connection(given=False)
    is_slice = isinstance(expression.index, Operation) and expression.index.operator == "slice"
    if isinstance(value, Rows):
        return replace(value, is_sliced=True, is_manager=False) if is_slice else row_of(value)
    if isinstance(value, Each):
        return value if is_slice else value.value
    if pairs := pairs_of(value):
        return _looked_up(pairs, key)
    index = expression.index
    if isinstance(value, Several) and isinstance(index, Literal) and index.kind == "int":
        at = int(index.text) if index.text.lstrip("-").isdecimal() and len(index.text) < 6 else len(value.values)
        return value.values[at] if -len(value.values) <= at < len(value.values) else None
    return None


def _looked_up(pairs: tuple[tuple[Value, Value], ...], key: Value) -> Value:
    """What a dictionary of constants holds by a key; one of them where the key is not known."""
    found = [value for each, value in pairs if each == key]
    return found[-1] if found else element_of(Several(tuple(value for _, value in pairs)))


def _lambda(flow: Follower, expression: Lambda, frame: Frame) -> Value:
    return Routine(lambda_code(expression), frame.file.module, frame.scope)


def _comprehension(flow: Follower, expression: Comprehension, frame: Frame) -> Value:
    outer, loops, tries = frame.scope, frame.loops, frame.tries
    frame.scope = dict(outer)
    source: Rows | None = None
    for clause in expression.clauses:
        iterable = flow.value(clause.iterable, frame)
        source = source_of(iterable)
        bind(flow, clause.target, element_of(iterable), frame)
        frame.loops = (*frame.loops, source)
        for condition in clause.conditions:
            flow.value(condition, frame)
            frame.tries += asks_what_is_there(condition)
    element = flow.value(expression.element, frame)
    if expression.value is not None:
        flow.value(expression.value, frame)
    frame.scope, frame.loops, frame.tries = outer, loops, tries
    return Each(element, source) if expression.kind != "dict" else None


EVALUATORS: dict[type, Callable[[Follower, Any, Frame], Value]] = {
    Name: name_value,
    Attribute: attribute_value,
    Call: call_value,
    Items: _items,
    Pairs: _pairs,
    Starred: _starred,
    Either: _either,
    Operation: _operation,
    Subscript: _subscript,
    Template: _template,
    Lambda: _lambda,
    Comprehension: _comprehension,
}
