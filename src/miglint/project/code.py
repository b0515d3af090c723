"""Which code a RunPython runs: the functions it is given, and those of the same file that they use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal as Choice

import msgspec

from miglint.lazy import lazy
from miglint.project.by_name import NOTHING, Names, names_bound, names_kept, path_of
from miglint.project.migration import Migration
from miglint.project.operations import RunPython
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Call,
    Class,
    Either,
    Expr,
    Function,
    Items,
    Lambda,
    Literal,
    ModuleFacts,
    Name,
    Pairs,
    Parameter,
    Statement,
    children,
    dotted,
    is_none,
    is_statement,
    scope_of,
    walk,
)
from miglint.syntax.unpacking import has_starred
from miglint.text import NOWHERE, Span

Direction = Choice["forward", "reverse"]

_PARTIAL = ("functools.partial", "functools.partialmethod")
_NOOP = ".RunPython.noop"
_SQL_NOTHING = re.compile(r"(?:\s|;|--[^\n]*|/\*.*?\*/)*(?:select\s+1\s*;?\s*)?", re.I | re.S)
# How many names may stand for another name before it is given up.
_MAX_ALIASES = 10


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A dotted name that code uses. `scope` is that of its first part; a resolved import is "imported".

    So is what is got by its name: `getattr(models, "Order")` is a reference to `shop.models.Order`.
    """

    name: str
    scope: str
    span: Span
    call: Call | None = None


class Code(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A function, or a lambda's expression, that a RunPython reaches.

    `name` is what Python calls it in an error: `forwards`, `Migration.forwards`, `<lambda>`.
    """

    name: str
    parameters: tuple[Parameter, ...]
    nodes: tuple[Statement | Expr, ...]
    decorators: tuple[Expr, ...] = ()
    span: Span = NOWHERE
    # What names that are not imported stand for, of its file and its class.
    names: Names = NOTHING

    def statements(self) -> list[Statement]:
        """All statements, nested ones included; none of a lambda."""
        return walk(tuple(filter(is_statement, self.nodes)))

    def roots(self) -> list[Statement | Expr]:
        """Statements and, of a lambda, its body: what `children` and `expressions` begin with."""
        return [root for node in self.nodes for root in (walk((node,)) if is_statement(node) else (node,))]

    def references(self) -> tuple[Reference, ...]:
        """All names that the code uses, in source order, attributes included (`shop.models.Order.objects`)."""
        return self._references

    @lazy
    def _references(self) -> tuple[Reference, ...]:
        names = names_bound(self.statements(), self.names)
        return tuple(reference for root in self.roots() for reference in references(root, names))


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a RunPython calls: the code, and what a `partial` or a bound method gives it already."""

    code: Code
    direction: Direction
    argument: Expr
    given: int = 0


def references(node: Statement | Expr, names: Names = NOTHING) -> list[Reference]:
    """The dotted names in an expression, or in a statement without its nested statements.

    `names` tells what those stand for that are not imported.
    """
    found: list[Reference] = []
    _add_references(node, names, found)
    return found


def _add_references(node: Statement | Expr, names: Names, found: list[Reference]) -> None:
    if isinstance(node, Call):
        if path := path_of(node, names):
            found.append(Reference(name=path, scope="imported", span=node.span))
        _add_name(node.function, names, found, call=node)
        for argument in node.arguments:
            _add_references(argument, names, found)
        for keyword in node.keywords:
            _add_references(keyword.value, names, found)
    elif isinstance(node, (Name, Attribute)):
        _add_name(node, names, found)
    elif not isinstance(node, Literal):
        targets = node.targets if isinstance(node, Assign) else ()
        for child in children(node):
            if not (isinstance(child, Name) and any(child is target for target in targets)):
                _add_references(child, names, found)


def _add_name(expression: Expr, names: Names, found: list[Reference], call: Call | None = None) -> None:
    """Adds an expression that is a dotted name, or stands for one; else what is in it."""
    name = dotted(expression)
    if path := path_of(expression, names):
        found.append(Reference(name=path, scope="imported", span=expression.span, call=call))
    elif name:
        found.append(Reference(name=name, scope=scope_of(expression), span=expression.span, call=call))
    if not name:
        while path and isinstance(expression, Attribute):
            expression = expression.value
        for inner in (expression,) if isinstance(expression, Call) else children(expression):
            _add_references(inner, names, found)


def is_noop(expression: Expr | None) -> bool:
    """Whether it is `migrations.RunPython.noop`."""
    return expression is not None and f".{dotted(expression)}".endswith(_NOOP)


def is_noop_sql(expression: Expr | None) -> bool:
    """Whether it is SQL that does nothing: `migrations.RunSQL.noop`, "", an empty list, a comment, `SELECT 1`."""
    if isinstance(expression, Items):
        return all(is_noop_sql(item) for item in expression.items)
    if isinstance(expression, Literal):
        return expression.kind == "str" and _SQL_NOTHING.fullmatch(expression.text) is not None
    return expression is not None and f".{dotted(expression)}".endswith(".RunSQL.noop")


def entries(operation: RunPython, migration: Migration) -> tuple[Entry, ...]:
    """What the operation calls forwards and backwards, as far as this file says it."""
    return _analysis(operation, migration).entries


def reached(operation: RunPython, migration: Migration) -> tuple[Code, ...]:
    """All code of the file that the operation reaches, each once, in the order in which it is found."""
    return _analysis(operation, migration).reached


def given_names(operation: RunPython, migration: Migration) -> tuple[Reference, ...]:
    """The names that a `partial`, a class or a factory is given which makes what the operation calls."""
    return _analysis(operation, migration).given


def module_assignments(facts: ModuleFacts) -> dict[str, Expr]:
    """The values of names that are assigned once at the module's level; others have no entry."""
    found: dict[str, list[Expr]] = {}
    for statement in facts.top_level:
        if isinstance(statement, Assign):
            for name, value in (each for target in statement.targets for each in _assigned(target, statement.value)):
                found.setdefault(name, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _assigned(target: Expr, value: Expr) -> Iterator[tuple[str, Expr]]:
    """The names that an assignment binds to what is written out: `APP, MODEL = "shop", "Order"` binds two."""
    if isinstance(target, Name):
        yield target.name, value
    elif isinstance(target, Items) and isinstance(value, Items) and len(target.items) == len(value.items):
        starred = has_starred((*target.items, *value.items))
        for one, its in zip(target.items, value.items, strict=True) if not starred and value.kind != "set" else ():
            yield from _assigned(one, its)


def unpacked(facts: ModuleFacts) -> dict[str, tuple[Call, int]]:
    """The calls of the module's level whose results get several names (`a, b = make()`), by name, with the place."""
    return {
        item.name: (statement.value, at)
        for statement in facts.top_level
        if isinstance(statement, Assign) and isinstance(statement.value, Call)
        for target in statement.targets
        if isinstance(target, Items)
        for at, item in enumerate(target.items)
        if isinstance(item, Name)
    }


class _Analysis:
    """What one RunPython of a migration runs."""

    def __init__(self, operation: RunPython, reader: _Reader) -> None:
        self._operation = operation
        self._reader = reader

    @lazy
    def entries(self) -> tuple[Entry, ...]:
        found: list[Entry] = []
        directions: tuple[tuple[Expr | None, Direction], ...] = (
            (self._operation.code, "forward"),
            (self._operation.reverse_code, "reverse"),
        )
        for argument, direction in directions:
            if argument is not None and not is_noop(argument) and not is_none(argument):
                found.extend(self._reader.entries(argument, direction))
        return tuple(found)

    @lazy
    def given(self) -> tuple[Reference, ...]:
        calls = [
            made
            for argument in (self._operation.code, self._operation.reverse_code)
            if argument is not None and (made := self._reader.made(argument)) is not None
        ]
        values = [value for call in calls for value in (*call.arguments, *(k.value for k in call.keywords))]
        return tuple(reference for value in values for reference in references(value))

    @lazy
    def reached(self) -> tuple[Code, ...]:
        found: dict[tuple[str, Span], Code] = {}
        pending = [entry.code for entry in self.entries]
        for argument in (self._operation.code, self._operation.reverse_code):
            # A factory runs when the file is imported; the functions inside it run in the migration.
            made = self._reader.made(argument) if argument is not None else None
            if made is not None:
                pending.extend(code for reference in references(made) for code in self._reader.named(reference))
        while pending:
            code = pending.pop(0)
            if (code.name, code.span) not in found:
                found[code.name, code.span] = code
                # What a decorator puts around the function runs with it.
                around = [each for decorator in code.decorators for each in references(decorator)]
                named = (*code.references(), *around)
                pending.extend(inner for each in named for inner in self._reader.named(each))
        return tuple(found.values())


def _analysis(operation: RunPython, migration: Migration) -> _Analysis:
    """The analysis of an operation, kept with the migration: most rules on RunPython ask for it."""
    reader: _Reader | None = vars(migration).get("_reader")
    if reader is None:
        reader = vars(migration)["_reader"] = _Reader(migration)
    return reader.analysis(operation)


class _Reader:
    """The definitions of one migration's file."""

    def __init__(self, migration: Migration) -> None:
        facts = migration.facts
        self._functions: dict[str, list[Function]] = {}
        self._classes: dict[str, Class] = {each.name: each for each in facts.top(Class)}
        self._values = module_assignments(facts)
        for function in facts.top(Function):
            self._functions.setdefault(function.name, []).append(function)
        self._own = migration.definition
        self._methods: dict[str, list[Function]] = {}
        if self._own is not None:
            self._values = {**self._values, **module_assignments(ModuleFacts(body=self._own.body))}
            for method in methods_of(self._own):
                self._methods.setdefault(method.name, []).append(method)

        self._names = names_bound(facts.top_level)
        for definition in self._classes.values():
            self._names = {**self._names, **names_kept(definition, definition.name, "free")}
        self._made = {**self._values, **{name: call for name, (call, _) in unpacked(facts).items()}}
        self._analyses: dict[int, _Analysis] = {}

    def analysis(self, operation: RunPython) -> _Analysis:
        # An analysis holds its operation, so that no other one can get its id.
        found = self._analyses.get(id(operation))
        if found is None:
            found = self._analyses[id(operation)] = _Analysis(operation, self)
        return found

    def entries(self, argument: Expr, direction: Direction, *, depth: int = 0) -> Iterator[Entry]:
        """What is called when `argument` is called."""
        if depth > _MAX_ALIASES:
            return
        if isinstance(argument, Lambda):
            yield Entry(code=lambda_code(argument, self._names), direction=direction, argument=argument)
        elif isinstance(argument, Either):
            for side in (argument.then, argument.otherwise):
                yield from self.entries(side, direction, depth=depth + 1)
        elif isinstance(argument, Call):
            yield from self._called(argument, direction, depth)
        elif isinstance(argument, Name | Attribute):
            yield from self._named_entries(argument, direction, depth)

    def _named_entries(self, argument: Name | Attribute, direction: Direction, depth: int) -> Iterator[Entry]:
        name = dotted(argument)
        definitions = list(self._definitions(name)) if scope_of(argument) != "imported" else []
        for code in definitions:
            # Asked of its class, a class method is given the class already.
            is_bound = isinstance(argument, Attribute) and list(map(dotted, code.decorators)) == ["classmethod"]
            yield Entry(code=code, direction=direction, argument=argument, given=int(is_bound))
        made = self.made(argument.value) if not definitions and isinstance(argument, Attribute) else None
        if made is not None and isinstance(argument, Attribute):
            yield from self._bound(made, argument.name, direction, argument)
        if not definitions and name in self._values:
            yield from self.entries(self._values[name], direction, depth=depth + 1)

    def _called(self, argument: Call, direction: Direction, depth: int) -> Iterator[Entry]:
        """A `partial`, or an instance of a class that can be called."""
        if argument.callee in _PARTIAL and argument.arguments:
            for entry in self.entries(argument.arguments[0], direction, depth=depth + 1):
                given = entry.given + len(argument.arguments) - 1
                yield Entry(code=entry.code, direction=direction, argument=argument, given=given)
        else:
            yield from self._bound(argument, "__call__", direction, argument)

    def _bound(self, instance: Call, method: str, direction: Direction, argument: Expr) -> Iterator[Entry]:
        definition = self._classes.get(instance.callee)
        for function in methods_of(definition) if definition is not None else ():
            if function.name == method and definition is not None:
                code = self._method_code(function, definition)
                yield Entry(code=code, direction=direction, argument=argument, given=1)

    def made(self, argument: Expr) -> Call | None:
        """The call that makes what is called: the argument itself, or the value of the name that it is."""
        for _ in range(_MAX_ALIASES):
            if isinstance(argument, Call):
                return argument
            value = self._made.get(dotted(argument)) if isinstance(argument, Name) else None
            if value is None:
                return None
            argument = value
        return None

    def named(self, reference: Reference) -> Iterator[Code]:
        """The code of this file that a name may mean."""
        if reference.scope != "free":
            return
        parts = reference.name.split(".")
        yield from self._definitions(reference.name if len(parts) < 3 else ".".join(parts[:2]))
        if parts[0] in self._classes and self._classes[parts[0]] is not self._own:
            definition = self._classes[parts[0]]
            yield from (self._method_code(method, definition) for method in methods_of(definition))
        value = self._values.get(parts[0])
        if isinstance(value, Lambda):
            yield lambda_code(value, self._names)
        elif isinstance(value, Items | Pairs | Name) or (isinstance(value, Call) and value.callee in _PARTIAL):
            # A table of functions, of which any may be taken out, another name for one, or a part of its call.
            yield from (code for each in references(value) for code in self._definitions(each.name))

    def _definitions(self, name: str) -> Iterator[Code]:
        first, _, attribute = name.partition(".")
        if not attribute:
            for method in self._methods.get(name, ()):
                yield code_of(method, owner="Migration", names=self._names)
            if name not in self._methods:
                yield from self._function_codes(name)
        elif self._own is not None and first == self._own.name:
            found = self._methods.get(attribute, ())
            yield from (code_of(method, owner="Migration", names=self._names) for method in found)
        elif first in self._classes:
            methods = methods_of(self._classes[first])
            yield from (self._method_code(each, self._classes[first]) for each in methods if each.name == attribute)
        elif first in self._functions:
            yield from self._function_codes(first)

    def _function_codes(self, name: str) -> Iterator[Code]:
        return (code_of(function, names=self._names) for function in self._functions.get(name, ()))

    def _method_code(self, method: Function, definition: Class) -> Code:
        kept = names_kept(definition, method.parameters[0].name, "local") if method.parameters else {}
        return code_of(method, owner=definition.name, names={**self._names, **kept})


def methods_of(definition: Class) -> Iterator[Function]:
    return (each for each in walk(definition.body, into_definitions=False) if isinstance(each, Function))


def code_of(function: Function, *, owner: str = "", names: Names = NOTHING) -> Code:
    return Code(
        name=f"{owner}.{function.name}" if owner else function.name,
        parameters=function.parameters,
        nodes=function.body,
        decorators=function.decorators,
        span=function.span,
        names=names,
    )


def lambda_code(expression: Lambda, names: Names = NOTHING) -> Code:
    nodes: tuple[Statement | Expr, ...] = (expression.body,)
    return Code(name="<lambda>", parameters=expression.parameters, nodes=nodes, span=expression.span, names=names)
