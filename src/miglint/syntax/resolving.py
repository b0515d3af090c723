"""What each kind of expression is, as far as it can be told without running it: joined, unpacked, written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any
from typing import Literal as Choice

from miglint.syntax.builtin_calls import elements
from miglint.syntax.composing import MAX_REPEATED, percent_text, template_text
from miglint.syntax.facts import (
    Call,
    Comprehension,
    Either,
    Expr,
    Items,
    Literal,
    Name,
    Opaque,
    Operation,
    Pair,
    Pairs,
    Starred,
    Subscript,
    Template,
)
from miglint.syntax.known_calls import call_value
from miglint.syntax.names import MAX_EXPANSION, TOO_LARGE, Names, is_affordable, steps
from miglint.syntax.substituting import substitute
from miglint.syntax.unpacking import has_starred, merge_pairs, unpack

_STEPS_A_TEXT = 20


def _name(value: Name, known: Names, depth: int) -> Expr:
    found = known.get(value.name) if value.scope == "free" else None
    if found is None or (isinstance(found, Name) and found.name == value.name and found.scope == "free"):
        return value
    return known.unless_too_large(value, known.resolve(found, depth + 1))


def _operation(value: Operation, known: Names, depth: int) -> Expr:
    if value.operator in ("or", "and"):
        return _chosen(value, known, depth)
    if value.operator not in ("+", "%", "|", "*"):
        return value
    operands = [known.resolve(operand, depth + 1) for operand in value.operands]
    if value.operator == "%":
        return _percent(operands, value, known, depth)
    if value.operator == "*":
        return _repeated(operands, value)
    if value.operator == "|":
        pairs = [operand.pairs for operand in operands if isinstance(operand, Pairs)]
        return Pairs(tuple(chain.from_iterable(pairs)), value.span) if len(pairs) == len(operands) else value
    first = operands[0]
    texts = [operand for operand in operands if isinstance(operand, Literal) and operand.kind == "str"]
    if len(texts) == len(operands):
        text = "".join(each.text for each in texts)
        return Literal("str", text, value.span) if is_affordable(text) else Opaque(TOO_LARGE, value.span)
    lists = [operand for operand in operands if isinstance(operand, Items)]
    if not lists:
        return Operation("+", tuple(operands), value.span)
    items: list[Expr] = []
    for operand in operands:
        if isinstance(operand, Items) and steps.spend(len(operand.items)):
            items.extend(operand.items)
        else:
            items.append(Starred(operand, operand.span))
    return Items(first.kind if isinstance(first, Items) else lists[0].kind, tuple(items), value.span)


def _chosen(value: Operation, known: Names, depth: int) -> Expr:
    """Which of the operands `given or "absent"` is, where the truth of those before it is known."""
    *firsts, last = value.operands
    for operand in firsts:
        found = known.resolve(operand, depth + 1)
        if not isinstance(found, Literal):
            return value
        if bool(found.value) is (value.operator == "or"):
            return found
    return known.resolve(last, depth + 1)


def _percent(operands: list[Expr], value: Operation, known: Names, depth: int) -> Expr:
    left, right = operands[0], known.resolve_all(operands[-1], depth + 1)
    if len(operands) == 2 and isinstance(left, Literal) and left.kind == "str":
        text = percent_text(left.text, right)
        if text is not None and is_affordable(text):
            return Literal("str", text, value.span)
    return Operation("%", (left, *operands[1:-1], right), value.span)


def _repeated(operands: list[Expr], value: Operation) -> Expr:
    """`"a" * 64`, a text some number of times."""
    texts = [each.text for each in operands if isinstance(each, Literal) and each.kind == "str"]
    numbers = [each.value for each in operands if isinstance(each, Literal) and each.kind == "int"]
    if len(operands) != 2 or len(texts) != 1 or len(numbers) != 1:
        return value
    text, number = texts[0], numbers[0]
    if not isinstance(number, int) or len(text) * number > MAX_REPEATED:
        return value
    return Literal("str", text * number, value.span)


def _template(value: Template, known: Names, depth: int) -> Expr:
    if not steps.spend(_STEPS_A_TEXT):
        return value
    parts = Template(tuple(known.resolve(part, depth + 1) for part in value.parts), value.span)
    text = template_text(parts)
    return Literal("str", text, value.span) if text is not None and is_affordable(text) else parts


def _choice(value: Either, known: Names, depth: int) -> Expr:
    holds = known.holds(value.test, depth + 1)
    return value if holds is None else known.resolve(value.then if holds else value.otherwise, depth + 1)


def _expand(value: Comprehension, known: Names, depth: int) -> Expr:
    rounds: list[dict[str, Expr]] = [{}]
    for clause in value.clauses:
        following: list[dict[str, Expr]] = []
        for names in rounds:
            found = elements(known.resolve(substitute(clause.iterable, names), depth + 1))
            if found is None or len(found) * len(rounds) > MAX_EXPANSION:
                return value
            for item in found:
                bound = _bound(clause.target, known.resolve(item, depth + 1))
                if bound is None:
                    return value
                inner = {**names, **bound}
                held = [known.holds(substitute(condition, inner), depth + 1) for condition in clause.conditions]
                if None in held:
                    return value
                if all(held):
                    following.append(inner)
        rounds = following
    if value.kind == "dict" and value.value is not None:
        return Pairs(
            tuple(Pair(substitute(value.element, names), substitute(value.value, names)) for names in rounds),
            value.span,
        )
    kind = "set" if value.kind == "set" else "list"
    return Items(kind, tuple(substitute(value.element, names) for names in rounds), value.span)  # type: ignore[arg-type]


def _item(value: Subscript, known: Names, depth: int) -> Expr:
    container, index = known.resolve(value.value, depth + 1), known.resolve(value.index, depth + 1)
    if isinstance(container, Pairs):
        for pair in reversed(container.pairs):
            if pair.key is None:
                break
            if pair.key == index:
                return known.resolve(pair.value, depth + 1)
    if isinstance(container, Items) and isinstance(index, Operation) and index.operator == "slice":
        bounds = [_bound_of(each) for each in index.operands]
        if has_starred(container.items) or any(bound is False for bound in bounds) or bounds[2] == 0:
            return value  # a step of 0 is an error
        return Items(container.kind, container.items[slice(*bounds)], value.span)
    if isinstance(container, Items) and isinstance(index, Literal) and index.kind == "int":
        place = int(index.text) if len(index.text) < 6 else len(container.items)
        whole = not any(isinstance(item, Starred) for item in container.items)
        if whole and -len(container.items) <= place < len(container.items):
            return known.resolve(container.items[place], depth + 1)
    return value


def _bound(target: Expr, value: Expr) -> dict[str, Expr] | None:
    """The names a comprehension's target binds to a value, None where that is not known."""
    if isinstance(target, Name):
        return {target.name: value}
    if isinstance(target, Items) and isinstance(value, Items) and len(target.items) == len(value.items):
        names: dict[str, Expr] = {}
        for part, item in zip(target.items, value.items, strict=True):
            inner = _bound(part, item)
            if inner is None:
                return None
            names.update(inner)
        return names
    return None


def _bound_of(value: Expr) -> int | Choice[False] | None:
    """A bound of a slice, None where it is left out; False where it is not known."""
    if not isinstance(value, Literal):
        return False
    number = value.value
    return None if number is None else number if isinstance(number, int) and value.kind == "int" else False


WAYS: Mapping[type, Callable[[Any, Names, int], Expr]] = {
    Name: _name,
    Items: unpack,
    Operation: _operation,
    Comprehension: _expand,
    Either: _choice,
    Call: call_value,
    Pairs: merge_pairs,
    Subscript: _item,
    Template: _template,
}
