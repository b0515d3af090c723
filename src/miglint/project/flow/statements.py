"""What each kind of statement does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from miglint.project.code import code_of
from miglint.project.flow.binding import bind
from miglint.project.flow.conditions import asks_for_the_database, asks_what_is_there
from miglint.project.flow.constants import are_same, is_written_out, truth_of
from miglint.project.flow.following import Follower, Frame, Scope
from miglint.project.flow.querysets import elements_of, source_of
from miglint.project.usage import Constant, Query, Routine, Rows, Several, Text, Value, Written
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Augment,
    Call,
    Evaluate,
    Expr,
    Flow,
    Function,
    If,
    Literal,
    Loop,
    Operation,
    Raise,
    Return,
    Statement,
    Try,
    With,
    expressions,
)

_SUPPRESS = "contextlib.suppress"
_ARITHMETIC = ("+", "-", "*", "/")


def _assign(flow: Follower, statement: Assign, frame: Frame) -> bool:
    value = flow.value(statement.value, frame)
    for target in statement.targets:
        bind(flow, target, value, frame, is_step=_is_step(target, statement.value))
    return False


def _is_step(target: Expr, value: Expr) -> bool:
    """`row.total = row.total + 1`, `row.total = F("total") + 1`."""
    if not isinstance(target, Attribute) or not isinstance(value, Operation) or value.operator not in _ARITHMETIC:
        return False
    return any(part == target or _is_f(part, target.name) for part in expressions(value))


def _is_f(part: Expr, name: str) -> bool:
    if not isinstance(part, Call) or not part.callee.endswith(".F") or len(part.arguments) != 1:
        return False
    return isinstance(part.arguments[0], Literal) and part.arguments[0].text == name


def _augment(flow: Follower, statement: Augment, frame: Frame) -> bool:
    before, added = flow.value(statement.target, frame), flow.value(statement.value, frame)
    value: Value = None
    if isinstance(before, Several) and isinstance(added, Several) and statement.operator == "+":
        value = Several((*before.values, *added.values))
    elif isinstance(before, Constant | Written | Text):
        value = Text(statement.value, is_written_out(before) and is_written_out(added))
    bind(flow, statement.target, value, frame, is_step=statement.operator in _ARITHMETIC)
    return False


def _evaluate(flow: Follower, statement: Evaluate, frame: Frame) -> bool:
    flow.value(statement.value, frame)
    return False


def _return(flow: Follower, statement: Return, frame: Frame) -> bool:
    frame.returned.append(flow.value(statement.value, frame) if statement.value is not None else None)
    return True


def _raise(flow: Follower, statement: Raise, frame: Frame) -> bool:
    if statement.value is not None:
        flow.value(statement.value, frame)
    return True


def _if(flow: Follower, statement: If, frame: Frame) -> bool:
    truth = truth_of(flow.value(statement.test, frame))
    if truth is not None:
        return flow.body(statement.body if truth else statement.otherwise, frame)
    before = frame.guards, frame.tries, frame.choices
    frame.guards += 1
    frame.tries += asks_what_is_there(statement.test)
    frame.choices += asks_for_the_database(flow, statement.test, frame)
    left = _branches(flow, (statement.body, statement.otherwise), frame)
    if not _leaves(statement.body) or statement.otherwise:
        frame.guards, frame.tries, frame.choices = before  # `if …: return` is a condition of all that follows
    return left


def _with(flow: Follower, statement: With, frame: Frame) -> bool:
    for item in statement.items:
        value = flow.value(item.value, frame)
        if item.target is not None:
            bind(flow, item.target, value, frame)
    if any(isinstance(item.value, Call) and item.value.callee == _SUPPRESS for item in statement.items):
        frame.tries, frame.guards = frame.tries + 1, frame.guards + 1
        flow.body(statement.body, frame)
        frame.tries, frame.guards = frame.tries - 1, frame.guards - 1
        return False
    return flow.body(statement.body, frame)


def _try(flow: Follower, statement: Try, frame: Frame) -> bool:
    body = (*statement.body, *statement.otherwise)
    handlers = tuple(handler.body for handler in statement.handlers)
    if handlers:
        frame.tries += 1
        left = _branches(flow, (body, *handlers), frame)
        frame.tries -= 1
    else:
        left = flow.body(body, frame)
    return flow.body(statement.finally_, frame) or left


def _define(flow: Follower, statement: Function, frame: Frame) -> bool:
    frame.scope[statement.name] = Routine(code_of(statement), frame.file.module, frame.scope)
    return False


def _branches(flow: Follower, bodies: Iterable[tuple[Statement, ...]], frame: Frame) -> bool:
    """Each body from the same start; a name that they leave with different values holds nothing known."""
    before = frame.scope
    ends: list[Scope] = []
    frame.guards += 1
    for body in bodies:
        frame.scope = dict(before)
        if not flow.body(body, frame):
            ends.append(frame.scope)
    frame.guards -= 1
    frame.scope = before
    for end in ends:
        for name, value in end.items():
            known = all(are_same(other.get(name), value) for other in ends)
            before[name] = value if known else None
    return not ends


def _loop(flow: Follower, statement: Loop, frame: Frame) -> bool:
    iterable = flow.value(statement.iterable, frame)
    source = source_of(iterable)
    before, start = dict(frame.scope), len(flow.uses)
    frame.loops = (*frame.loops, source)
    for element in elements_of(iterable):
        if statement.target is not None:
            bind(flow, statement.target, element, frame)
        flow.body(statement.body, frame)
    frame.loops = frame.loops[:-1]
    for name, value in before.items():
        left = frame.scope.get(name)
        if not are_same(left, value):
            frame.scope[name] = None
            if isinstance(left, Rows):
                _take_along(flow, start, left)
    flow.body(statement.otherwise, frame)
    return False


def _take_along(flow: Follower, start: int, left: Rows) -> None:
    """What a turn of a loop annotates the next one may name, where a condition keeps the first from it."""
    for at, use in enumerate(flow.uses[start:], start):
        rows = use.on if isinstance(use, Query) and use.is_guarded else None
        if isinstance(use, Query) and isinstance(rows, Rows) and rows.key == left.key and rows.names is not None:
            names = rows.names | left.names if left.names is not None else None
            flow.uses[at] = replace(use, on=replace(rows, names=names))


def _leaves(body: tuple[Statement, ...]) -> bool:
    """Whether a body ends by leaving what it stands in."""
    last = body[-1] if body else None
    return isinstance(last, Return | Raise) or (isinstance(last, Flow) and last.keyword in ("continue", "break"))


STATEMENTS: dict[type, Callable[[Follower, Any, Frame], bool]] = {
    Assign: _assign,
    Augment: _augment,
    Evaluate: _evaluate,
    Return: _return,
    Raise: _raise,
    Flow: lambda flow, statement, frame: statement.keyword in ("continue", "break"),
    If: _if,
    Loop: _loop,
    With: _with,
    Try: _try,
    Function: _define,
}
