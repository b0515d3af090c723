"""What a call, or a part that is set, changes of what names hold."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.syntax.facts import Attribute, Augment, Call, Evaluate, Expr, Flow, Function, Name, Operation, Subscript

CHANGING_METHODS = frozenset({
    "append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "setdefault", "__iadd__",
    "__setitem__", "__delitem__",
})  # fmt: skip


def root_of(value: Expr) -> str | None:
    """The name that attributes and items are taken of."""
    while isinstance(value, Attribute | Subscript):
        value = value.value
    return value.name if isinstance(value, Name) and value.scope != "imported" else None


def copied_of(value: Expr) -> Expr | None:
    """The list that a value is a copy of: `list(names)`, `names[:]`, `names.copy()`."""
    match value:
        case Call(function=Name(name="list" | "tuple" | "sorted" | "dict", scope="free"), arguments=(copied,)):
            return copied
        case Call(function=Attribute(value=copied, name="copy"), arguments=()):
            return copied
        case Subscript(value=copied, index=Operation(operator="slice")):
            return copied
    return None


def changed_by(function: Function, call: Call) -> Iterator[str]:
    """The names from around a function, and those that it is given, that it may change when it is called."""
    given = dict(zip((parameter.name for parameter in function.parameters), call.arguments, strict=False))
    given |= {keyword.name: keyword.value for keyword in call.keywords if keyword.name is not None}
    for name in _changed_within(function):
        passed = given.get(name)
        if passed is None:
            yield name
        elif isinstance(passed, Name):
            yield passed.name


def _changed_within(function: Function) -> Iterator[str]:
    for statement in function.statements():
        if isinstance(statement, Flow) and statement.keyword == "global":
            yield from statement.names
        elif isinstance(statement, Augment) and isinstance(statement.target, Name):
            yield statement.target.name
        elif isinstance(statement, Evaluate) and isinstance(statement.value, Call):
            method = statement.value.function
            if isinstance(method, Attribute) and method.name in CHANGING_METHODS and isinstance(method.value, Name):
                yield method.value.name
