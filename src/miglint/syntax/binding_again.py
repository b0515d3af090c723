"""Which names of a body mean one thing at one place and another at the next."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.syntax.facts import (
    Assign,
    Augment,
    Class,
    Expr,
    Function,
    Import,
    Items,
    Loop,
    Name,
    Statement,
    With,
    blocks,
)

# A definition has names of its own.
_PASSED_OVER = frozenset({Function, Class, Import})


def bound_again(body: tuple[Statement, ...]) -> set[str]:
    """The names that are assigned more than once, a loop's and what is assigned in it included."""
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
            yield from _names(target)
    elif isinstance(statement, Augment):
        if not isinstance(statement.value, Items):
            yield from _names(statement.target)
    elif isinstance(statement, Loop):
        if statement.target is not None:
            yield from (*_names(statement.target), *_names(statement.target))
    elif isinstance(statement, With):
        for item in statement.items:
            if item.target is not None:
                yield from _names(item.target)


def _names(target: Expr) -> Iterator[str]:
    if isinstance(target, Name):
        yield target.name
    elif isinstance(target, Items):
        for item in target.items:
            yield from _names(item)
