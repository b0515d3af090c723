"""Expressions with names replaced by what they hold."""

from __future__ import annotations

from collections.abc import Mapping

from miglint.syntax.binding_again import names_in
from miglint.syntax.facts import (
    Attribute,
    Call,
    Clause,
    Comprehension,
    Either,
    Expr,
    Items,
    Keyword,
    Literal,
    Name,
    Opaque,
    Operation,
    Pair,
    Pairs,
    Starred,
    Subscript,
    Template,
    expressions,
)


def substitute(value: Expr, names: Mapping[str, Expr]) -> Expr:
    """An expression with names replaced by values; what a lambda asks for when it is called stays as it is."""
    if not names:
        return value
    if isinstance(value, Name):
        return names.get(value.name, value) if value.scope != "imported" else value
    if isinstance(value, Literal | Opaque):
        return value
    if isinstance(value, Call):
        return Call(
            substitute(value.function, names),
            tuple(substitute(argument, names) for argument in value.arguments),
            tuple(Keyword(k.name, substitute(k.value, names), k.span) for k in value.keywords),
            value.span,
        )
    if isinstance(value, Items):
        return Items(value.kind, tuple(substitute(item, names) for item in value.items), value.span)
    if isinstance(value, Pairs):
        pairs = tuple(
            Pair(None if pair.key is None else substitute(pair.key, names), substitute(pair.value, names))
            for pair in value.pairs
        )
        return Pairs(pairs, value.span)
    if isinstance(value, Operation):
        return Operation(value.operator, tuple(substitute(part, names) for part in value.operands), value.span)
    if isinstance(value, Starred):
        return Starred(substitute(value.value, names), value.span)
    if isinstance(value, Attribute):
        return Attribute(substitute(value.value, names), value.name, value.span)
    if isinstance(value, Subscript):
        return Subscript(substitute(value.value, names), substitute(value.index, names), value.span)
    if isinstance(value, Either):
        then, otherwise = substitute(value.then, names), substitute(value.otherwise, names)
        return Either(substitute(value.test, names), then, otherwise, value.span)
    if isinstance(value, Comprehension):
        return _in_comprehension(value, names)
    if any(isinstance(part, Name) and part.name in names and _is_asked(part, value) for part in expressions(value)):
        return _in_template(value, names)
    return value


def _is_asked(name: Name, value: Expr) -> bool:
    return name.scope == "local" or (name.scope == "free" and isinstance(value, Template))


def _in_comprehension(value: Comprehension, names: Mapping[str, Expr]) -> Expr:
    """A comprehension with the names from around it replaced; its own hide them."""
    own = {name for clause in value.clauses for name in names_in(clause.target)}
    left = {name: given for name, given in names.items() if name not in own}
    return Comprehension(
        value.kind,
        substitute(value.element, left),
        None if value.value is None else substitute(value.value, left),
        tuple(
            Clause(
                clause.target,
                substitute(clause.iterable, left),
                tuple(substitute(condition, left) for condition in clause.conditions),
            )
            for clause in value.clauses
        ),
        value.span,
    )


def _in_template(value: Expr, names: Mapping[str, Expr]) -> Expr:
    """An f-string whose names are known constants is a constant."""
    if not isinstance(value, Template):
        return Opaque("computed from a loop's variable", value.span)
    parts = tuple(substitute(part, names) for part in value.parts)
    if all(isinstance(part, Literal) and part.kind in ("str", "int") for part in parts):
        return Literal("str", "".join(part.text for part in parts if isinstance(part, Literal)), value.span)
    return Template(parts, value.span)
