"""Lists that a migration does not write itself: imported from another module, or returned by a function.

What can be read without running it is put in its place, with the span of the name that stood there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from miglint.syntax.evaluate import Values, module_values, substitute
from miglint.syntax.facts import (
    Assign,
    Augment,
    Call,
    Either,
    Evaluate,
    Expr,
    Function,
    If,
    Import,
    Items,
    Literal,
    ModuleFacts,
    Name,
    Node,
    Operation,
    Return,
    Starred,
    Statement,
)
from miglint.text import Span

_MAX_DEPTH = 6
# More parts than any migration has elsewhere; a list whose elements are that list has no end.
_MAX_PARTS = 50_000
# What a function may do besides returning, for its value to be known without its being run.
_STRAIGHT = (Assign, Augment, Evaluate, Import)


class Elsewhere:
    """What the names of one migration mean; `lookup` gives the facts of a module by the name it is imported by."""

    def __init__(self, facts: ModuleFacts, values: Values, lookup: Callable[[str], ModuleFacts | None]) -> None:
        self._facts = facts
        self._values = values
        self._lookup = lookup
        self._parts = 0

    def written_out(self, value: Expr, depth: int = 0) -> Expr:
        """A list with its imported and returned parts in their places; what cannot be read stays as it is."""
        value = self._values.resolve(value)
        self._parts += 1
        if depth > _MAX_DEPTH or self._parts > _MAX_PARTS:
            return value
        if isinstance(value, Name):
            return self._imported(value) or value
        if isinstance(value, Call):
            returned = self._returned(value)
            if isinstance(returned, Either):  # that the call chooses is said where it stands
                returned = Either(returned.test, returned.then, returned.otherwise, value.span)
            return self.written_out(returned, depth + 1) if returned is not None else value
        if isinstance(value, Either):
            then, otherwise = (self.written_out(way, depth + 1) for way in (value.then, value.otherwise))
            return Either(value.test, then, otherwise, value.span)
        if isinstance(value, Operation) and value.operator == "+":
            parts = tuple(self.written_out(part, depth + 1) for part in value.operands)
            return self._values.resolve(Operation("+", parts, value.span))
        if isinstance(value, Items) and any(_is_elsewhere(item) for item in value.items):
            items: list[Expr] = []
            for item in value.items:
                items.extend(self._item(item, depth) if _is_elsewhere(item) else (item,))
            return Items(value.kind, tuple(items), value.span)
        return value

    def _item(self, item: Expr, depth: int) -> tuple[Expr, ...]:
        if not isinstance(item, Starred):
            return (self.written_out(item, depth + 1),)
        inner = self.written_out(item.value, depth + 1)
        return inner.items if isinstance(inner, Items) else (Starred(inner, item.span),)

    def _imported(self, name: Name) -> Expr | None:
        """The value that another module gives a name."""
        if name.scope != "imported" or name.name.startswith("django."):
            return None
        module, attribute = _split(name.name)
        facts = self._lookup(module)
        if facts is None:
            return None
        values = module_values(facts.body, self._values.around)
        found = values.get(attribute)
        return _placed(values.resolve_all(found), facts, module, name.span) if found is not None else None

    def _returned(self, call: Call) -> Expr | None:
        """What a function returns that only puts a value together."""
        name = call.function
        if not isinstance(name, Name) or name.name.startswith("django."):
            return None
        if name.scope == "free":
            return _result(_function(self._facts, name.name), call, self._values, self._values)
        module, attribute = _split(name.name)
        facts = self._lookup(module) if name.scope == "imported" else None
        if facts is None:
            return None
        found = _result(_function(facts, attribute), call, module_values(facts.body, self._values.around), self._values)
        return _placed(found, facts, module, call.span) if found is not None else None


def _is_elsewhere(item: Expr) -> bool:
    """Whether an element is one that this file may not write out."""
    if isinstance(item, Starred):
        return True
    name = item.function if isinstance(item, Call) else item
    return isinstance(name, Name) and not name.name.startswith("django.") and (name is item or name.scope != "local")


def _split(path: str) -> tuple[str, str]:
    """The module, as it is imported, and the name in it: `._lists` and `DEPS`, `.` and `lists`."""
    attribute = path.rpartition(".")[2]
    module = path[: -len(attribute)]
    return (module[:-1] if module.strip(".") else module), attribute


def _function(facts: ModuleFacts, name: str) -> Function | None:
    found = [function for function in facts.top(Function) if function.name == name]
    return found[-1] if found and not found[-1].decorators and not found[-1].is_async else None


def _result(function: Function | None, call: Call, own: Values, caller: Values) -> Expr | None:
    """What a call returns, where nothing but assignments and conditions go before."""
    if function is None or any(isinstance(each, Starred) for each in call.arguments):
        return None
    given = {keyword.name: keyword.value for keyword in call.keywords}
    names: dict[str, Expr] = {}
    for index, parameter in enumerate(function.parameters):
        passed = call.arguments[index] if index < len(call.arguments) else given.get(parameter.name)
        value = caller.resolve_all(passed) if passed is not None else parameter.default
        if value is None or parameter.kind in ("star", "double-star"):
            return None
        names[parameter.name] = value
    result = _outcome(function.body, Values(own, names))
    return own.resolve_all(result) if result is not None else None


def _outcome(body: tuple[Statement, ...], names: Values) -> Expr | None:
    """What a body returns; of two ways, one or the other."""
    for at, statement in enumerate(body):
        if isinstance(statement, Return):
            return _substituted(statement.value, names) if statement.value is not None else None
        if isinstance(statement, If):
            rest = body[at + 1 :]
            ways = [_outcome((*branch, *rest), names.copy()) for branch in (statement.body, statement.otherwise)]
            then, otherwise = ways
            if then is None or otherwise is None:
                return None
            return Either(_substituted(statement.test, names), then, otherwise, statement.span)
        if not isinstance(statement, _STRAIGHT):
            return None
        names.run((statement,))
    return None


def _substituted(value: Expr, names: Values) -> Expr:
    for _ in range(_MAX_DEPTH):  # names stand for values that other names stand in
        value = substitute(value, names.names)
    return value


def _placed(value: Expr, facts: ModuleFacts, module: str, span: Span) -> Expr:
    """An expression of another module as the importing one would write it, where the name stands."""
    values = module_values(facts.body)
    known = {function.name for function in facts.top(Function)} | set(values.names)

    def moved(node: Any) -> Any:
        if isinstance(node, tuple):
            return tuple(moved(each) for each in node)
        if not isinstance(node, Node):
            return node
        if isinstance(node, Name) and node.scope == "free" and node.name in known:
            constant = values.resolve(node)
            if isinstance(constant, Literal):
                return Literal(constant.kind, constant.text, span)
            return Name(module + ("" if module.endswith(".") else ".") + node.name, "imported", span)
        fields = type(node).__struct_fields__
        return type(node)(**{name: span if name == "span" else moved(getattr(node, name)) for name in fields})

    placed: Expr = moved(value)
    return placed
