"""Which attributes of a class are not what its body says: `__init__` sets them, or code outside of the class does."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.syntax.facts import (
    Assign,
    Attribute,
    Augment,
    Call,
    Class,
    Evaluate,
    Expr,
    Function,
    Import,
    Literal,
    ModuleFacts,
    Name,
    Operation,
    Statement,
    Subscript,
    walk,
)

_BY_INIT = "set in `__init__`"
_AFTER = "changed after the class"
_BY_DECORATOR = "what a decorator of the class leaves"
# What Django asks of a migration's class.
_ATTRIBUTES = ("dependencies", "run_before", "replaces", "operations", "atomic")


def changes(definition: Class, facts: ModuleFacts) -> dict[str, str]:
    """The attributes of a class that are set elsewhere, and why they are not known, as words that follow "it is"."""
    found: dict[str, str] = {}
    if definition.decorators:
        found = dict.fromkeys(_ATTRIBUTES, _BY_DECORATOR)
    methods = [each for each in definition.body if isinstance(each, Function)]
    for function in methods:
        if function.name == "__init__" and function.parameters:
            own = {function.parameters[0].name}
            found |= dict.fromkeys(_changed(function.statements(), own), _BY_INIT)
    # Most files are imports and the class, which has no name yet within its own body.
    around = [each for each in facts.body if not isinstance(each, Import) and (each is not definition or methods)]
    statements = walk(tuple(around)) if around else []
    called = {definition.name, *_other_names(definition.name, statements)}
    return found | dict.fromkeys(_changed(statements, called), _AFTER)


def _other_names(name: str, statements: list[Statement]) -> Iterator[str]:
    """`Other = Migration`"""
    for statement in statements:
        match statement:
            case Assign(targets=targets, value=Name(name=given)) if given == name:
                yield from (target.name for target in targets if isinstance(target, Name))


def _changed(statements: list[Statement], owners: set[str]) -> Iterator[str]:
    """The attributes of what one of these names stands for that statements set or change."""
    for statement in statements:
        for target in _targets(statement):
            name = _attribute(target, owners)
            if name is not None:
                yield name


def _targets(statement: Statement) -> tuple[Expr, ...]:
    match statement:
        case Assign(targets=targets):
            return targets
        case Augment(target=target):
            return (target,)
        case Evaluate(value=Operation(operator="delete", operands=operands)):
            return operands
        case Evaluate(value=Call(function=Name(name="setattr" | "delattr"), arguments=(of, Literal(text=name), *_))):
            return (Attribute(of, name),)
        # `Migration.operations.append(…)`; calling a method of the class itself changes no attribute that is seen.
        case Evaluate(value=Call(function=Attribute(value=Attribute() | Subscript() as target))):
            return (target,)
    return ()


def _attribute(target: Expr, owners: set[str]) -> str | None:
    """`operations` of `Migration.operations`, `Migration.operations[0]` and `Migration.operations[0].name`."""
    name = None
    while isinstance(target, Attribute | Subscript):
        name = target.name if isinstance(target, Attribute) else None
        target = target.value
    return name if isinstance(target, Name) and target.scope != "imported" and target.name in owners else None
