"""Lists that a migration does not write itself: imported from another module, or returned by a function.

What can be read without running it is put in its place, with the span of the name that stood there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from miglint.project.class_changes import changes
from miglint.syntax.evaluate import Values, module_values
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Augment,
    Call,
    Class,
    Either,
    Evaluate,
    Expr,
    Function,
    If,
    Import,
    Items,
    Keyword,
    Literal,
    Loop,
    ModuleFacts,
    Name,
    Node,
    Operation,
    Pair,
    Pairs,
    Return,
    Starred,
    Statement,
    Subscript,
    Template,
    dotted,
    walk,
)
from miglint.syntax.unpacking import has_starred, has_unnamed
from miglint.text import Span

_MAX_DEPTH = 6
# More parts than any migration has elsewhere; a list whose elements are that list has no end.
_MAX_PARTS = 50_000
# What a function may do besides returning, for its value to be known without its being run.
_STRAIGHT = (Assign, Augment, Evaluate, Import, Loop)


class Elsewhere:
    """What the names of one migration mean; `lookup` gives the facts of a module by the name it is imported by."""

    def __init__(self, facts: ModuleFacts, values: Values, lookup: Callable[[str], ModuleFacts | None]) -> None:
        self._facts = facts
        self._values = values
        self._lookup = lookup
        self._parts = 0

    def whole(self, value: Expr) -> Expr:
        """A list, a dictionary or a constant; the elements of a list that is written here stay as they are."""
        resolved = self._values.resolve(value)
        return resolved if is_written_here(resolved) else self.written_out(resolved)

    def spread(self, call: Call) -> Call:
        """A call whose `**given` of another module is written out."""
        if None not in [keyword.name for keyword in call.keywords]:
            return call
        keywords = tuple(k if k.name is not None else Keyword(None, self.whole(k.value), k.span) for k in call.keywords)
        spread = self._values.resolve(Call(call.function, call.arguments, keywords, call.span))
        return spread if isinstance(spread, Call) else call

    def written_out(self, value: Expr, depth: int = 0) -> Expr:
        """A list with its imported and returned parts in their places; what cannot be read stays as it is."""
        value = self._values.resolve(value)
        self._parts += 1
        if depth > _MAX_DEPTH or self._parts > _MAX_PARTS:
            return value
        if isinstance(value, Name):
            return self._imported(value) or value
        if isinstance(value, Template):
            return self._values.resolve(Template(tuple(map(self._given, value.parts)), value.span))
        if isinstance(value, Call):
            given = self._values.resolve(self._with_imported(value))
            if not isinstance(given, Call):
                return given
            value = given
            returned = self._returned(value)
            if isinstance(returned, Either):  # that the call chooses is said where it stands
                returned = Either(returned.test, returned.then, returned.otherwise, value.span)
            return self.written_out(returned, depth + 1) if returned is not None else value
        if isinstance(value, Attribute):  # `Base.operations` of a class of the file
            name, _, attribute = dotted(value).rpartition(".")
            return self._of_class(self._facts, name, attribute) or value
        if isinstance(value, Subscript):
            container = self.written_out(value.value, depth + 1)
            return value if container is value.value else self._values.resolve(Subscript(container, value.index))
        if isinstance(value, Pairs) and any(pair.key is None for pair in value.pairs):
            pairs = (Pair(p.key, p.value if p.key is not None else self.whole(p.value)) for p in value.pairs)
            return self._values.resolve(Pairs(tuple(pairs), value.span))
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

    def _with_imported(self, call: Call) -> Call:
        """A call with the constants, lists and dictionaries of other modules that it is given."""
        arguments = tuple(map(self._given, call.arguments))
        keywords = tuple(Keyword(k.name, self._given(k.value), k.span) for k in call.keywords)
        return Call(call.function, arguments, keywords, call.span)

    def _given(self, value: Expr) -> Expr:
        found = self._imported(value) if isinstance(value, Name) and value.scope == "imported" else None
        return found if isinstance(found, Literal | Items | Pairs) else value

    def _imported(self, name: Name) -> Expr | None:
        """The value that another module gives a name."""
        if name.scope != "imported" or name.name.startswith("django."):
            return None
        module, attribute = _split(name.name)
        facts = self._lookup(module)
        if facts is None:
            module, owner = _split(module)
            facts = self._lookup(module) if owner else None
            found = self._of_class(facts, owner, attribute) if facts is not None else None
            return placed(found, facts, module, name.span) if found is not None and facts is not None else None
        values = self._module(facts)
        found = values.get(attribute)
        return placed(values.resolve_all(found), facts, module, name.span) if found is not None else None

    def _module(self, facts: ModuleFacts, asked_by: Class | None = None) -> Values:
        return module_values(facts.body, self._values.around, asked_by, self._values.turns)

    def _of_class(self, facts: ModuleFacts, name: str, attribute: str) -> Expr | None:
        """What the body of a class gives a name."""
        definition = facts.class_named(name)
        if definition is None or attribute in changes(definition, facts):
            return None
        values = Values(self._module(facts, definition)).run(definition.body)
        found = values.names.get(attribute)
        return values.resolve_all(found) if found is not None else None

    def _returned(self, call: Call) -> Expr | None:
        """What a function returns that only puts a value together."""
        name = self._values.resolve(call.function)
        if not isinstance(name, Name) or name.name.startswith("django."):
            return None
        if name.scope == "free":
            return _result(_function(self._facts, name.name), call, self._values, self._values)
        module, attribute = _split(name.name)
        facts = self._lookup(module) if name.scope == "imported" else None
        if facts is None:
            return None
        found = _result(_function(facts, attribute), call, self._module(facts), self._values)
        return placed(found, facts, module, call.span) if found is not None else None


def is_written_here(value: Expr) -> bool:
    match value:
        case Literal():
            return True
        case Items(items=items):
            return Starred not in map(type, items)
        case Pairs(pairs=pairs):
            return None not in [pair.key for pair in pairs]
        case Call(function=Name(name=name)):
            return name.startswith("django.")
    return False


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
    if function is None or has_starred(call.arguments) or has_unnamed(call.keywords):
        return None
    names = _passed(function, call, caller)
    if names is None:
        return None
    result = _outcome(function.body, Values(own, names, calls=True))
    return own.resolve_all(result) if result is not None else None


def _passed(function: Function, call: Call, caller: Values) -> dict[str, Expr] | None:
    """What each parameter is in a call; None where one has no value."""
    positional = [caller.resolve_all(each) for each in call.arguments]
    keywords = {each.name: caller.resolve_all(each.value) for each in call.keywords if each.name is not None}
    names: dict[str, Expr] = {}
    for parameter in function.parameters:
        value: Expr | None
        if parameter.kind == "star":
            value, positional = Items("tuple", tuple(positional), call.span), []
        elif parameter.kind == "double-star":
            rest = ((Literal("str", name, call.span), each) for name, each in keywords.items())
            value, keywords = Pairs(tuple(Pair(name, each) for name, each in rest), call.span), {}
        elif positional and parameter.kind != "keyword-only":
            value = positional.pop(0)
        else:
            value = keywords.pop(parameter.name, parameter.default)
        if value is None:
            return None
        names[parameter.name] = value
    return names


def _outcome(body: tuple[Statement, ...], names: Values) -> Expr | None:
    """What a body returns; of two ways, one or the other."""
    for at, statement in enumerate(body):
        if isinstance(statement, Return):
            return names.fixed(statement.value) if statement.value is not None else None
        if isinstance(statement, If):
            rest = body[at + 1 :]
            ways = [_outcome((*branch, *rest), names.copy()) for branch in (statement.body, statement.otherwise)]
            then, otherwise = ways
            if then is None or otherwise is None:
                return None
            return Either(names.fixed(statement.test), then, otherwise, statement.span)
        if not isinstance(statement, _STRAIGHT) or _returns_within(statement):
            return None
        names.run((statement,))
    return None


def _returns_within(statement: Statement) -> bool:
    return isinstance(statement, Loop) and any(isinstance(each, Return) for each in walk(statement.body))


def placed(value: Expr, facts: ModuleFacts, module: str, span: Span) -> Expr:
    """An expression of another module as the importing one would write it, where the name stands."""
    values = module_values(facts.body)
    known = {function.name for function in facts.top(Function)} | set(values.names)

    def renamed(name: Name) -> Expr:
        if name.scope != "free" or name.name not in known:
            return name
        constant = values.resolve(name)
        if isinstance(constant, Literal):
            return constant
        return Name(module + ("" if module.endswith(".") else ".") + name.name, "imported")

    placed: Expr = moved(value, span, renamed)
    return placed


def _as_it_is(name: Name) -> Expr:
    return name


def moved(value: Any, span: Span, renamed: Callable[[Name], Expr] = _as_it_is) -> Any:
    """An expression with all its parts at one place, and what `renamed` makes of its names."""
    if isinstance(value, tuple):
        return tuple(moved(each, span, renamed) for each in value)
    if not isinstance(value, Node):
        return value
    node = renamed(value) if isinstance(value, Name) else value
    fields = type(node).__struct_fields__
    return type(node)(
        **{name: span if name == "span" else moved(getattr(node, name), span, renamed) for name in fields}
    )
