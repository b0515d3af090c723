"""Which names of a body mean one thing at one place and another at the next."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.syntax.facts import (
    Assign,
    Augment,
    Class,
    Evaluate,
    Expr,
    Function,
    Import,
    Items,
    Loop,
    Name,
    Operation,
    Statement,
    With,
    blocks,
)

# A definition has names of its own.
_PASSED_OVER = frozenset({Function, Class, Import})


def bound_again(body: tuple[Statement, ...]) -> set[str]:
    """The names that are assigned more than once, or deleted; a loop's and what is assigned in it included."""
    once: set[str] = set()
    again: set[str] = set()
    _collect(body, once, again)
    return again


def _collect(body: tuple[Statement, ...], once: set[str], again: set[str]) -> None:
    for statement in body:
        kind = type(statement)
        if kind in _PASSED_OVER:
            continue
        for name in _bound(statement):
            (again if name in once else once).add(name)
        if isinstance(statement, Loop):  # twice: each turn binds them again
            _collect(statement.body, once, again)
        for block in blocks(statement):
            _collect(block, once, again)


def _bound(statement: Statement) -> Iterator[str]:
    if isinstance(statement, Assign):
        for target in statement.targets:
            yield from names_in(target)
    elif isinstance(statement, Augment):
        if not isinstance(statement.value, Items):
            yield from names_in(statement.target)
    elif isinstance(statement, Loop):
        if statement.target is not None:
            yield from (*names_in(statement.target), *names_in(statement.target))
    elif isinstance(statement, Evaluate):
        yield from deleted(statement)
    elif isinstance(statement, With):
        for item in statement.items:
            if item.target is not None:
                yield from names_in(item.target)


def deleted(statement: Evaluate) -> Iterator[str]:
    """The names that a `del` takes away."""
    value = statement.value
    if isinstance(value, Operation) and value.operator == "delete":
        for operand in value.operands:
            yield from names_in(operand)


def names_in(target: Expr) -> Iterator[str]:
    """The names that an assignment to a target binds: `a`, `(a, (b, c))`."""
    if isinstance(target, Name):
        yield target.name
    elif isinstance(target, Items):
        for item in target.items:
            yield from names_in(item)
