"""Follows the code of a RunPython without running it.

Django passes `apps` and `schema_editor`, whatever they are called; from there values flow through assignments,
functions of the project, loops and comprehensions. What is not understood is None, and nothing is said of it.
Source: django.db.migrations.operations.special.RunPython, django.db.models.query.QuerySet
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from miglint.database import Vendor
from miglint.project.code import (
    Code,
    Direction,
    code_of,
    is_noop,
    lambda_code,
    methods_of,
    module_assignments,
    unpacked,
)
from miglint.project.keys import ModelKey, model_key
from miglint.project.migration import Migration
from miglint.project.operations import RunPython
from miglint.project.relations import Relations
from miglint.project.source_module import SourceModule
from miglint.project.usage import (
    ANNOTATING,
    Assigned,
    Bound,
    Called,
    Connection,
    Constant,
    Cursor,
    Each,
    Editor,
    GetModel,
    Instance,
    Kind,
    Model,
    Query,
    RawSQL,
    Registry,
    Routine,
    Row,
    Rows,
    Several,
    Text,
    Usage,
    Use,
    Value,
    Written,
)
from miglint.syntax.composing import format_text, percent_text, template_text
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Augment,
    Call,
    Class,
    Comprehension,
    Either,
    Evaluate,
    Expr,
    Flow,
    Function,
    If,
    Items,
    Lambda,
    Literal,
    Loop,
    ModuleFacts,
    Name,
    Operation,
    Parameter,
    Raise,
    Return,
    Starred,
    Statement,
    Subscript,
    Template,
    Try,
    With,
    children,
    dotted,
    is_none,
)
from miglint.text import Span

# Calls within calls, and expressions in all, before the rest is given up: code that calls itself has no end.
_MAX_CALLS = 12
_MAX_EXPRESSIONS = 50_000
_MAX_HOPS = 8
# The longest list that is gone through one by one.
_MAX_TURNS = 12

# `connection.vendor`, where it differs. Source: django.db.backends.mysql.base.DatabaseWrapper
_DJANGO_VENDOR = {"mariadb": "mysql"}

MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})

# What a queryset's methods give. Source: the QuerySet API reference of Django 6.0
_ROWS = frozenset({
    "all", "filter", "exclude", "complex_filter", "order_by", "reverse", "distinct", "select_related",
    "prefetch_related", "defer", "only", "using", "annotate", "alias", "select_for_update", "extra", "union",
    "intersection", "difference", "none", "iterator", "get_queryset", "db_manager", "raw",
    "values", "values_list", "dates", "datetimes",
})  # fmt: skip
_NARROWING = frozenset({"filter", "exclude", "complex_filter", "none", "extra", "raw"})
_NO_INSTANCES = frozenset({"values", "values_list", "dates", "datetimes", "raw"})
_ONE = frozenset({"get", "create", "first", "last", "latest", "earliest"})
_ONE_AND_FLAG = frozenset({"get_or_create", "update_or_create"})
# Functions that give back the elements they are given.
_SAME_ELEMENTS = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter", "frozenset"})
_CLASS_MEMBERS = frozenset({"DoesNotExist", "MultipleObjectsReturned", "_meta", "__name__", "__class__"})
_OF_STRINGS = frozenset({"format", "strip", "join"})
_SUPPRESS = "contextlib.suppress"
_OPTIONS = ("_meta", "opts", "field")
_CONNECTIONS = ("django.db.connection", "django.db.backends.connection")


def usage_of(
    operation: RunPython,
    module: SourceModule,
    migration: Migration,
    relations: Relations,
    settings: Mapping[str, str],
    *,
    vendor: Vendor | None = None,
) -> Usage:
    """What the operation's code does, forwards and backwards, on a database of the vendor, where it is given.

    `settings` are model names such as AUTH_USER_MODEL.
    """
    flow = _Flow(module, migration, relations, settings, vendor)
    directions: tuple[tuple[Expr | None, Direction], ...] = (
        (operation.code, "forward"),
        (operation.reverse_code, "reverse"),
    )
    for argument, direction in directions:
        if argument is not None and not is_noop(argument):
            flow.start(argument, direction)
    return Usage(uses=tuple(flow.uses), is_complete=flow.is_complete)


class _File:
    """The definitions of one file."""

    def __init__(self, module: SourceModule) -> None:
        facts = module.facts
        self.module = module
        self.values = module_assignments(facts)
        self.functions: dict[str, Function] = {each.name: each for each in facts.top(Function)}
        self.classes: dict[str, Class] = {each.name: each for each in facts.top(Class)}
        self.unpacked = unpacked(facts)

    def routine(self, name: str) -> Routine | None:
        function = self.functions.get(name)
        return Routine(code_of(function), self.module) if function is not None else None

    def method(self, owner: str, name: str) -> Routine | None:
        """A method of a class or of its bases, as far as they stand in the file."""
        for definition in self._family(owner):
            for method in methods_of(definition):
                if method.name == name:
                    return Routine(code_of(method, owner=definition.name), self.module)
        return None

    def class_value(self, owner: str, name: str) -> Expr | None:
        """What a class or one of its bases assigns to a name, once."""
        for definition in self._family(owner):
            found = module_assignments(ModuleFacts(body=definition.body)).get(name)
            if found is not None:
                return found
        return None

    def _family(self, owner: str) -> list[Class]:
        found: list[Class] = []
        pending = [owner]
        while pending:
            definition = self.classes.get(pending.pop(0))
            if definition is not None and definition not in found:
                found.append(definition)
                pending.extend(dotted(base) for base in definition.bases)
        return found


Scope = dict[str, Value]


class _Frame(msgspec.Struct):
    """One call of a function: where it stands, what its names hold, and what it has returned."""

    code: Code
    file: _File
    scope: Scope
    returned: list[Value] = msgspec.field(default_factory=list)
    loops: tuple[Rows | None, ...] = ()
    guards: int = 0
    tries: int = 0


class _Flow:
    """Follows one RunPython."""

    def __init__(
        self,
        module: SourceModule,
        migration: Migration,
        relations: Relations,
        settings: Mapping[str, str],
        vendor: Vendor | None,
    ) -> None:
        self.uses: list[Use] = []
        self.is_complete = True
        self._files: dict[str, _File] = {}
        self._module = module
        self._migration = migration
        self._relations = relations
        self._settings = settings
        self._vendor = vendor
        self._direction: Direction = "forward"
        self._stack: list[tuple[str, Span]] = []
        self._left = _MAX_EXPRESSIONS
        # Attributes that the code sets on models and rows, and models that code elsewhere may set some on.
        self._added: set[tuple[ModelKey, str]] = set()
        self._handed_out: set[ModelKey] = set()

    def start(self, argument: Expr, direction: Direction) -> None:
        """Follows what Django calls when it calls `argument(apps, schema_editor)`."""
        self._direction = direction
        file = self._file(self._module)
        own = self._migration.definition
        frame = _Frame(Code(name="", parameters=(), nodes=(argument,)), file, {})
        # Names of the class's body come before those of the module.
        if own is not None:
            for method in methods_of(own):
                frame.scope[method.name] = Routine(code_of(method, owner=own.name), self._module)
            for statement in own.body:
                if isinstance(statement, Assign):
                    for target in statement.targets:
                        if isinstance(target, Name) and target.name not in file.functions:
                            frame.scope.setdefault(target.name, Constant(statement.value))
        called = self._value(argument, frame)
        if not self._call_value(called, (Registry(), Editor()), (), frame):
            self.is_complete = False

    def _file(self, module: SourceModule) -> _File:
        found = self._files.get(module.path)
        if found is None:
            found = self._files[module.path] = _File(module)
        return found

    # -- calls -----------------------------------------------------------------------------------------

    def _call_value(
        self, called: Value, arguments: tuple[Value, ...], named: tuple[tuple[str, Value], ...], frame: _Frame
    ) -> bool:
        """Whether what is called was followed."""
        if isinstance(called, Several):  # the two sides of a condition
            followed = [self._call_value(each, arguments, named, frame) for each in called.values]
            return all(followed)
        if isinstance(called, Constant):
            inner = self._value(called.expr, frame)
            return not isinstance(inner, Constant) and self._call_value(inner, arguments, named, frame)
        if isinstance(called, Instance):
            called = Bound(called, "__call__")
        if isinstance(called, Bound) and isinstance(called.value, Instance):
            called = self._method(called.value, called.name)
        if not isinstance(called, Routine):
            return False
        self._run(called, arguments, named, frame)
        return True

    def _method(self, owner: Instance | Kind, name: str) -> Routine | None:
        """A method as the attribute of an instance or of its class: with what Python gives it first."""
        method = self._file(owner.module).method(owner.definition.name, name)
        if method is None:
            return None
        decorators = {dotted(each) for each in method.code.decorators}
        if "classmethod" in decorators:
            return replace(method, given=(Kind(owner.definition, owner.module),))
        bound = isinstance(owner, Instance) and "staticmethod" not in decorators
        return replace(method, given=(owner,)) if bound else method

    def _run(
        self, routine: Routine, arguments: tuple[Value, ...], named: tuple[tuple[str, Value], ...], caller: _Frame
    ) -> Value:
        """What a function returns; all that it does is noted."""
        place = (routine.module.path, routine.code.span)
        if place in self._stack or len(self._stack) >= _MAX_CALLS:
            self.is_complete = False
            return None
        scope: Scope = dict(routine.scope or {})
        given = (*routine.given, *arguments)
        by_name = dict((*routine.named, *named))
        positional = [each for each in routine.code.parameters if each.kind in ("positional", "positional-only")]
        for index, parameter in enumerate(positional):
            scope[parameter.name] = given[index] if index < len(given) else _passed(parameter, by_name)
        for parameter in routine.code.parameters:
            if parameter.kind == "keyword-only":
                scope[parameter.name] = _passed(parameter, by_name)
            elif parameter.kind == "star":
                scope[parameter.name] = Several(given[len(positional) :])
            elif parameter.kind == "double-star":
                scope[parameter.name] = None
        frame = _Frame(
            routine.code,
            self._file(routine.module),
            scope,
            loops=caller.loops,
            guards=min(caller.guards, 1),
            tries=min(caller.tries, 1),
        )
        self._stack.append(place)
        for node in routine.code.nodes:
            if not isinstance(node, Statement):
                frame.returned.append(self._value(node, frame))
        self._body(tuple(node for node in routine.code.nodes if isinstance(node, Statement)), frame)
        self._stack.pop()
        first, *others = frame.returned or [None]
        return first if all(_same(first, other) for other in others) else None

    # -- statements ------------------------------------------------------------------------------------

    def _body(self, body: tuple[Statement, ...], frame: _Frame) -> bool:
        """Whether it certainly leaves what it stands in: nothing after it runs."""
        guards = frame.guards
        for statement in body:
            if self._statement(statement, frame):
                frame.guards = guards
                return True
        frame.guards = guards
        return False

    def _statement(self, statement: Statement, frame: _Frame) -> bool:
        """Whether it certainly leaves the body it stands in."""
        run = _STATEMENTS.get(type(statement))
        return run(self, statement, frame) if run is not None else False

    def _assign(self, statement: Assign, frame: _Frame) -> bool:
        value = self._value(statement.value, frame)
        for target in statement.targets:
            self._bind(target, value, frame)
        return False

    def _augment(self, statement: Augment, frame: _Frame) -> bool:
        before, added = self._value(statement.target, frame), self._value(statement.value, frame)
        value: Value = None
        if isinstance(before, Several) and isinstance(added, Several) and statement.operator == "+":
            value = Several((*before.values, *added.values))
        elif isinstance(before, Constant | Written | Text):
            value = Text(statement.value, _is_written(before) and _is_written(added))
        self._bind(statement.target, value, frame)
        return False

    def _evaluate(self, statement: Evaluate, frame: _Frame) -> bool:
        self._value(statement.value, frame)
        return False

    def _return(self, statement: Return, frame: _Frame) -> bool:
        frame.returned.append(self._value(statement.value, frame) if statement.value is not None else None)
        return True

    def _raise(self, statement: Raise, frame: _Frame) -> bool:
        if statement.value is not None:
            self._value(statement.value, frame)
        return True

    def _if(self, statement: If, frame: _Frame) -> bool:
        truth = _truth(self._value(statement.test, frame))
        if truth is not None:
            return self._body(statement.body if truth else statement.otherwise, frame)
        left = self._branches((statement.body, statement.otherwise), frame)
        if _leaves(statement.body) and not statement.otherwise:
            frame.guards += 1  # `if …: return` is a condition of all that follows
        return left

    def _with(self, statement: With, frame: _Frame) -> bool:
        for item in statement.items:
            value = self._value(item.value, frame)
            if item.target is not None:
                self._bind(item.target, value, frame)
        if any(isinstance(item.value, Call) and item.value.callee == _SUPPRESS for item in statement.items):
            frame.tries, frame.guards = frame.tries + 1, frame.guards + 1
            self._body(statement.body, frame)
            frame.tries, frame.guards = frame.tries - 1, frame.guards - 1
            return False
        return self._body(statement.body, frame)

    def _try(self, statement: Try, frame: _Frame) -> bool:
        body = (*statement.body, *statement.otherwise)
        handlers = tuple(handler.body for handler in statement.handlers)
        if handlers:
            frame.tries += 1
            left = self._branches((body, *handlers), frame)
            frame.tries -= 1
        else:
            left = self._body(body, frame)
        return self._body(statement.finally_, frame) or left

    def _define(self, statement: Function, frame: _Frame) -> bool:
        frame.scope[statement.name] = Routine(code_of(statement), frame.file.module, frame.scope)
        return False

    def _branches(self, bodies: Iterable[tuple[Statement, ...]], frame: _Frame) -> bool:
        """Each body from the same start; a name that they leave with different values holds nothing known."""
        before = frame.scope
        ends: list[Scope] = []
        frame.guards += 1
        for body in bodies:
            frame.scope = dict(before)
            if not self._body(body, frame):
                ends.append(frame.scope)
        frame.guards -= 1
        frame.scope = before
        for end in ends:
            for name, value in end.items():
                known = all(_same(other.get(name), value) for other in ends)
                before[name] = value if known else None
        return not ends

    def _loop(self, statement: Loop, frame: _Frame) -> bool:
        iterable = self._value(statement.iterable, frame)
        source = _source(iterable)
        before = dict(frame.scope)
        frame.loops = (*frame.loops, source)
        for element in _elements(iterable):
            if statement.target is not None:
                self._bind(statement.target, element, frame)
            self._body(statement.body, frame)
        frame.loops = frame.loops[:-1]
        for name, value in before.items():
            if not _same(frame.scope.get(name), value):
                frame.scope[name] = None
        self._body(statement.otherwise, frame)
        return False

    def _bind(self, target: Expr, value: Value, frame: _Frame) -> None:
        if isinstance(target, Name):
            frame.scope[target.name] = value
        elif isinstance(target, Items):
            starred = any(isinstance(item, Starred) for item in target.items)
            values = value.values if isinstance(value, Several) and not starred else ()
            for index, item in enumerate(target.items):
                inner = item.value if isinstance(item, Starred) else item
                same = value.value if isinstance(value, Each) else None
                self._bind(inner, values[index] if index < len(values) else same, frame)
        elif isinstance(target, Attribute | Subscript):
            owner = self._value(target.value, frame)
            if isinstance(owner, Model | Row) and isinstance(target, Attribute):
                self._added.add((owner.key, target.name))
                if isinstance(owner, Row):
                    self._note(Assigned, target.span, frame, on=owner, name=target.name, is_none=_is_none(value))
            elif isinstance(owner, Instance) and isinstance(target, Attribute):
                # What two places set differently is not known.
                known = owner.attributes.setdefault(target.name, value)
                owner.attributes[target.name] = value if _same(known, value) else None

    # -- expressions -----------------------------------------------------------------------------------

    def _value(self, expression: Expr, frame: _Frame) -> Value:
        """What an expression holds; all that it does is noted."""
        self._left -= 1
        if self._left < 0:
            self.is_complete = False
            return None
        kind = type(expression)
        if kind is Literal:
            return Constant(expression)
        evaluate = _EVALUATORS.get(kind)
        if evaluate is not None:
            return evaluate(self, expression, frame)
        for child in children(expression):
            self._value(child, frame)
        return None

    def _name(self, expression: Name, frame: _Frame) -> Value:
        if expression.scope == "imported":
            return self._imported(expression.name, frame.file.module)
        if expression.name in frame.scope:
            return frame.scope[expression.name]
        if expression.scope == "local":
            return None
        return self._global(expression.name, frame.file)

    def _global(self, name: str, file: _File, hops: int = 0) -> Value:
        """What a name of a file's own level holds."""
        routine = file.routine(name)
        if routine is not None:
            return self._decorated(routine, file)
        if name in file.classes:
            return Kind(file.classes[name], file.module)
        value = file.values.get(name)
        if isinstance(value, Lambda):
            return Routine(lambda_code(value), file.module)
        if isinstance(value, Name) and hops < _MAX_HOPS:
            if value.scope == "imported":
                return self._imported(value.name, file.module)
            return self._global(value.name, file, hops + 1)
        if isinstance(value, Call) and hops < _MAX_HOPS:
            # A `partial` or an instance that is made once, on import.
            frame = _Frame(Code(name="", parameters=(), nodes=()), file, {})
            made = self._value(value, frame)
            return made if isinstance(made, Routine | Instance) else None
        if name in file.unpacked and hops < _MAX_HOPS:
            call, at = file.unpacked[name]
            made = self._value(call, _Frame(Code(name="", parameters=(), nodes=()), file, {}))
            return made.values[at] if isinstance(made, Several) and at < len(made.values) else None
        return _constant(value) if value is not None else None

    def _decorated(self, routine: Routine, file: _File) -> Value:
        """What the decorators of the project make of a function; those of others are taken to call it as it is."""
        value = routine
        frame = _Frame(Code(name="", parameters=(), nodes=()), file, {})
        for decorator in reversed(routine.code.decorators):
            around = self._value(decorator, frame)
            made = self._run(around, (value,), (), frame) if isinstance(around, Routine) else None
            value = made if isinstance(made, Routine) else value
        return value

    def _imported(self, path: str, module: SourceModule) -> Value:
        """What an imported name means: a function or constant of the project, a connection."""
        if path in _CONNECTIONS:
            return Connection(given=False)
        for prefix in _CONNECTIONS:
            if path.startswith(f"{prefix}."):
                return Bound(Connection(given=False), path[len(prefix) + 1 :])
        for holder, rest in _splits(path):
            found = module.imported(holder)
            if found is None:
                continue
            first, _, attribute = rest.partition(".")
            file = self._file(found)
            if attribute:
                return file.method(first, attribute) if first in file.classes else None
            if first not in file.functions and first not in file.values and first not in file.classes:
                return self._reexported(first, file)
            return self._global(first, file)
        return None

    def _reexported(self, name: str, file: _File) -> Value:
        for statement in file.module.facts.imports():
            for alias in statement.aliases:
                if alias.bound == name and alias.path != name and len(self._stack) < _MAX_CALLS:
                    self._stack.append((file.module.path, alias.span))
                    found = self._imported(alias.path, file.module)
                    self._stack.pop()
                    return found
        return None

    def _attribute(self, expression: Attribute, frame: _Frame) -> Value:
        if expression.name in ("db_table", "column") and getattr(expression.value, "name", "") in _OPTIONS:
            return self._table(expression, frame) or Written()  # a name of the schema, and no data
        return self._member(self._value(expression.value, frame), expression.name)

    def _table(self, expression: Attribute, frame: _Frame) -> Value:
        """The table's name of `Order._meta.db_table`, as a constant."""
        holder = expression.value
        if expression.name != "db_table" or not isinstance(holder, Attribute) or holder.name != "_meta":
            return None
        owner = self._value(holder.value, frame)
        model = self._relations.model(owner.key) if isinstance(owner, Model | Row) else None
        return Constant(Literal("str", model.table, expression.span)) if model is not None and model.table else None

    def _member(self, value: Value, name: str) -> Value:
        if isinstance(value, Model | Row):
            if value.key in self._handed_out or (value.key, name) in self._added:
                return Rows(key=value.key, manager=name, names=None) if name in MANAGERS else None
            model = self._relations.model(value.key)
        if isinstance(value, Editor) and name == "connection":
            return Connection(given=True)
        if isinstance(value, Connection) and name == "vendor" and self._vendor is not None:
            return Constant(Literal("str", _DJANGO_VENDOR.get(self._vendor, self._vendor)))
        if isinstance(value, Bound) and isinstance(value.value, Model) and value.name not in _CLASS_MEMBERS:
            # `Order.published.filter(…)`: an attribute that is asked for more is most likely a manager.
            return Bound(Rows(key=value.value.key, manager=value.name), name)
        if isinstance(value, Model):
            if name in MANAGERS:
                return Rows(key=value.key, manager=name)
            if name in _CLASS_MEMBERS or (model is not None and self._relations.has_attribute(model, name).certain):
                return None  # the descriptor of a field: `Order.tags.through`
            return Bound(value, name)
        if isinstance(value, Row):
            relation = self._relations.attribute(model, name) if model is not None else None
            if relation is not None:
                if relation.target is None:
                    return None
                if relation.many:
                    return Rows(key=relation.target, manager="", is_filtered=True)
                return Row(key=relation.target)
            return Bound(value, name)
        if isinstance(value, Instance | Kind):
            return self._of_class(value, name)
        if isinstance(value, Registry | Editor | Connection | Cursor | Rows):
            return Bound(value, name)
        return Bound(value, name) if isinstance(value, Constant | Text) and name in _OF_STRINGS else None

    def _of_class(self, value: Instance | Kind, name: str) -> Value:
        """An attribute of an instance or of a class of the project."""
        if isinstance(value, Instance) and name in value.attributes:
            return value.attributes[name]
        method = self._method(value, name)
        if method is not None:
            return method
        constant = self._file(value.module).class_value(value.definition.name, name)
        return _constant(constant) if isinstance(constant, Literal | Items) else None

    def _called(self, call: Call, frame: _Frame) -> Value:
        if call.callee.startswith("functools.partial") and call.arguments:
            return self._partial(call, frame)
        function = self._value(call.function, frame)
        arguments = self._arguments(call, frame)
        self._note_called(call, function, frame)
        named = tuple((each.name, self._value(each.value, frame)) for each in call.keywords if each.name is not None)
        for each in call.keywords:
            if each.name is None:
                self._value(each.value, frame)
        if isinstance(function, Bound):
            return self._method_called(function, call, arguments, dict(named), frame)
        if isinstance(function, Model):
            self._note(Query, call.span, frame, on=function, method="__init__", call=call)
            return Row(key=function.key, is_new=True)
        if isinstance(function, Routine):
            return self._run(function, arguments, named, frame)
        if isinstance(function, Kind):
            made = Instance(function.definition, function.module)
            prepare = self._method(made, "__init__")
            if prepare is not None:
                self._run(prepare, arguments, named, frame)
            return made
        if isinstance(function, Constant | Text):
            return None
        self._handed_out |= {value.key for value in arguments if isinstance(value, Model) and function is None}
        if isinstance(call.function, Name) and call.function.scope == "free":
            return _builtin(call.function.name, arguments)
        if call.callee.startswith("django.db.") and call.callee.endswith("connection.cursor"):
            return Cursor()
        return None

    def _note_called(self, call: Call, function: Value, frame: _Frame) -> None:
        name = call.function
        if not isinstance(name, Name) or name.scope == "local" or name.name in frame.scope:
            return
        if name.scope == "imported" or function is None:
            target = function.module if isinstance(function, Routine | Kind) else None
            definition = function.definition if isinstance(function, Kind) else None
            self._note(Called, call.span, frame, path=name.name, call=call, target=target, definition=definition)

    def _arguments(self, call: Call, frame: _Frame) -> tuple[Value, ...]:
        found: list[Value] = []
        for argument in call.arguments:
            value = self._value(argument.value if isinstance(argument, Starred) else argument, frame)
            if isinstance(argument, Starred):
                found.extend(value.values if isinstance(value, Several) else ())
            else:
                found.append(value)
        return tuple(found)

    def _partial(self, call: Call, frame: _Frame) -> Value:
        function = self._value(call.arguments[0], frame)
        arguments = tuple(self._value(each, frame) for each in call.arguments[1:])
        named = tuple((each.name, self._value(each.value, frame)) for each in call.keywords if each.name is not None)
        if isinstance(function, Routine):
            return replace(function, given=(*function.given, *arguments), named=(*function.named, *named))
        return None

    def _method_called(
        self, bound: Bound, call: Call, arguments: tuple[Value, ...], named: dict[str, Value], frame: _Frame
    ) -> Value:
        owner, name = bound.value, bound.name
        if isinstance(owner, Registry):
            return self._asked_registry(owner, name, call, arguments, named, frame)
        if isinstance(owner, Connection):
            return Cursor() if name == "cursor" else None
        if isinstance(owner, Cursor | Editor):
            if name in ("execute", "executemany") and (call.arguments or call.keyword("sql") is not None):
                text = call.arguments[0] if call.arguments else call.keyword("sql")
                assert text is not None
                value = self._value(text, frame)
                # Names that hold nothing known may come from anywhere; a call may well be a query builder's.
                is_written = _is_written(value) or isinstance(text, Call) or (value is None and isinstance(text, Name))
                known = value.expr if isinstance(value, Constant | Text) else text
                self._note(RawSQL, call.span, frame, text=known, call=call, is_written=is_written)
            return None
        if isinstance(owner, Instance):
            method = self._method(owner, name)
            return self._run(method, arguments, tuple(named.items()), frame) if method is not None else None
        if isinstance(owner, Constant | Text) and name in _OF_STRINGS:
            whole = _formatted(owner, name, call, arguments, named)
            if whole is not None:
                return Constant(Literal("str", whole, call.span))
            parts = zip((*arguments, *named.values()), _parts(call), strict=False)
            filled = all(_is_written(value) or _is_name_of_table(part) for value, part in parts)
            return Text(call, _is_written(owner) and filled)
        if isinstance(owner, Model) and name == "add_to_class":
            self._handed_out.add(owner.key)
            return None
        if isinstance(owner, Rows | Row | Model):
            self._note(Query, call.span, frame, on=owner, method=name, call=_filled(call, arguments))
            return _queried(owner, name, call, arguments) if isinstance(owner, Rows) else None
        return None

    def _asked_registry(
        self, owner: Registry, name: str, call: Call, arguments: tuple[Value, ...], named: dict[str, Value],
        frame: _Frame,
    ) -> Value:  # fmt: skip
        if name == "get_app_config":
            return Registry(app=_string(arguments[0] if arguments else named.get("app_label")))
        if name not in ("get_model", "get_registered_model"):
            return None
        texts = [self._label(value) for value in arguments]
        app = owner.app if owner.app is not None else (texts.pop(0) if texts else self._label(named.get("app_label")))
        model = texts[0] if texts else self._label(named.get("model_name"))
        if app is not None and owner.app is None and len(arguments) + len(named) == 1:
            app, _, model = app.partition(".")
        self._note(GetModel, call.span, frame, app=app, name=model or None)
        return Model(model_key(app, model)) if app and model else None

    def _label(self, value: Value) -> str | None:
        """A name: a string, or what a setting such as AUTH_USER_MODEL holds."""
        if isinstance(value, Constant) and isinstance(value.expr, Name):
            return self._settings.get(value.expr.name.rpartition(".")[2])
        return _string(value)

    def _template(self, expression: Template, frame: _Frame) -> Value:
        values = [self._value(part, frame) for part in expression.parts]
        text = template_text(replace(expression, parts=_literals(values, expression.parts)))
        if text is not None:
            return Constant(Literal("str", text, expression.span))
        known = (_is_written(v) or _is_name_of_table(part) for v, part in zip(values, expression.parts, strict=True))
        return Text(expression, all(known))

    def _items(self, expression: Items, frame: _Frame) -> Value:
        return Several(tuple(self._value(item, frame) for item in expression.items))

    def _starred(self, expression: Starred, frame: _Frame) -> Value:
        self._value(expression.value, frame)
        return None

    def _either(self, expression: Either, frame: _Frame) -> Value:
        self._value(expression.test, frame)
        frame.guards += 1
        then, otherwise = self._value(expression.then, frame), self._value(expression.otherwise, frame)
        frame.guards -= 1
        if isinstance(then, Routine) and isinstance(otherwise, Routine):
            return Several((then, otherwise))
        if _same(then, otherwise):
            return then
        return Written() if _is_written(then) and _is_written(otherwise) else None

    def _operation(self, expression: Operation, frame: _Frame) -> Value:
        if expression.operator == ":=" and len(expression.operands) == 2:
            value = self._value(expression.operands[1], frame)
            self._bind(expression.operands[0], value, frame)
            return value
        values = [self._value(operand, frame) for operand in expression.operands]
        if expression.operator in ("|", "&") and values and isinstance(values[0], Rows):
            return replace(values[0], is_filtered=all(isinstance(each, Rows) and each.is_filtered for each in values))
        text = _added_text(expression, values)
        if text is not None:
            return Constant(Literal("str", text, expression.span))
        if all(isinstance(each, Constant) for each in values):
            return _compared(expression, values) or Constant(expression)
        if expression.operator == "not" or expression.operator in ("in", "not in"):
            return _compared(expression, values)
        if expression.operator in ("+", "%") and any(isinstance(each, Constant | Text) for each in values):
            known = zip(values, expression.operands, strict=True)
            return Text(expression, all(_is_written(value) or _is_name_of_table(part) for value, part in known))
        return None

    def _subscript(self, expression: Subscript, frame: _Frame) -> Value:
        value = self._value(expression.value, frame)
        self._value(expression.index, frame)
        if isinstance(expression.value, Name) and expression.value.name == "django.db.connections":
            return Connection(given=False)
        is_slice = isinstance(expression.index, Operation) and expression.index.operator == "slice"
        if isinstance(value, Rows):
            return replace(value, is_sliced=True, is_manager=False) if is_slice else _row(value)
        if isinstance(value, Each):
            return value if is_slice else value.value
        index = expression.index
        if isinstance(value, Several) and isinstance(index, Literal) and index.kind == "int":
            at = int(index.text) if index.text.lstrip("-").isdecimal() and len(index.text) < 6 else len(value.values)
            return value.values[at] if -len(value.values) <= at < len(value.values) else None
        return None

    def _lambda(self, expression: Lambda, frame: _Frame) -> Value:
        return Routine(lambda_code(expression), frame.file.module, frame.scope)

    def _comprehension(self, expression: Comprehension, frame: _Frame) -> Value:
        outer, loops = frame.scope, frame.loops
        frame.scope = dict(outer)
        source: Rows | None = None
        for clause in expression.clauses:
            iterable = self._value(clause.iterable, frame)
            source = _source(iterable)
            self._bind(clause.target, _element(iterable), frame)
            frame.loops = (*frame.loops, source)
            for condition in clause.conditions:
                self._value(condition, frame)
        element = self._value(expression.element, frame)
        if expression.value is not None:
            self._value(expression.value, frame)
        frame.scope, frame.loops = outer, loops
        return Each(element, source) if expression.kind != "dict" else None

    # -- what is noted ---------------------------------------------------------------------------------

    def _note(self, kind: type[Use], span: Span, frame: _Frame, **what: object) -> None:
        self.uses.append(
            kind(
                span=span,
                code=frame.code,
                module=frame.file.module,
                direction=self._direction,
                is_looped=bool(frame.loops),
                loop=next((rows for rows in reversed(frame.loops) if rows is not None), None),
                is_guarded=frame.guards > 0,
                is_tried=frame.tries > 0,
                **what,
            )
        )


_STATEMENTS: dict[type, Callable[[_Flow, Any, _Frame], bool]] = {
    Assign: _Flow._assign,
    Augment: _Flow._augment,
    Evaluate: _Flow._evaluate,
    Return: _Flow._return,
    Raise: _Flow._raise,
    Flow: lambda flow, statement, frame: statement.keyword in ("continue", "break"),
    If: _Flow._if,
    Loop: _Flow._loop,
    With: _Flow._with,
    Try: _Flow._try,
    Function: _Flow._define,
}
_EVALUATORS: dict[type, Callable[[_Flow, Any, _Frame], Value]] = {
    Name: _Flow._name,
    Attribute: _Flow._attribute,
    Call: _Flow._called,
    Items: _Flow._items,
    Starred: _Flow._starred,
    Either: _Flow._either,
    Operation: _Flow._operation,
    Subscript: _Flow._subscript,
    Template: _Flow._template,
    Lambda: _Flow._lambda,
    Comprehension: _Flow._comprehension,
}


def _splits(path: str) -> Iterator[tuple[str, str]]:
    """The ways in which a path is a module and what is in it, the longest module first."""
    name = path.lstrip(".")
    dots = path[: len(path) - len(name)]
    parts = name.split(".")
    for at in range(len(parts) - 1, 0 if not dots else -1, -1):
        yield dots + ".".join(parts[:at]), ".".join(parts[at:])


def _queried(owner: Rows, method: str, call: Call, arguments: tuple[Value, ...]) -> Value:
    """What a queryset's method gives."""
    if method in _ONE:
        return Row(key=owner.key, is_new=method == "create") if owner.are_rows else None
    if method in _ONE_AND_FLAG:
        return Several((Row(key=owner.key), None))
    if method == "bulk_create":
        return arguments[0] if arguments else None
    if method not in _ROWS:
        return None
    rows = replace(
        owner,
        is_manager=method == "db_manager" and owner.is_manager,
        is_filtered=owner.is_filtered or method in _NARROWING,
        conditions=(*owner.conditions, call) if method in _NARROWING else owner.conditions,
        is_batched=owner.is_batched or method == "iterator",
        has_alias=owner.has_alias or method in ("using", "db_manager"),
        are_rows=owner.are_rows and method not in _NO_INSTANCES,
    )
    if method == "extra" or (method == "raw"):
        return replace(rows, names=None)
    return replace(rows, names=_annotated(rows, call)) if method in ANNOTATING else rows


def _annotated(rows: Rows, call: Call) -> frozenset[str] | None:
    """The names of annotations once more were added; positional ones get theirs from the expression."""
    names = [keyword.name for keyword in call.keywords]
    # Strings name fields in values() and values_list(); an expression makes a name of its own.
    opaque = any(not (isinstance(each, Literal) and each.kind == "str") for each in call.arguments)
    if rows.names is None or None in names or opaque:
        return None
    return rows.names | {name for name in names if name is not None}


def _row(rows: Rows) -> Value:
    return Row(key=rows.key) if rows.are_rows else None


def _element(iterable: Value) -> Value:
    """What a loop's variable holds."""
    if isinstance(iterable, Rows):
        return _row(iterable)
    if isinstance(iterable, Each):
        return iterable.value
    return _common(iterable.values) if isinstance(iterable, Several) else None


def _elements(iterable: Value) -> tuple[Value, ...]:
    """What a loop's variable holds, one after the other where that is written out: once for all else."""
    if isinstance(iterable, Several) and 0 < len(iterable.values) <= _MAX_TURNS:
        return iterable.values
    return (_element(iterable),)


def _common(values: tuple[Value, ...]) -> Value:
    """What is known of each of several values: that they are the same, or constants, or tuples of such."""
    if not values:
        return None
    first, *others = values
    if all(_same(first, other) for other in others):
        return first
    if all(isinstance(each, Constant | Written) for each in values):
        return Written()
    if all(isinstance(each, Several) for each in values):
        rows = [each.values for each in values if isinstance(each, Several)]
        return Several(tuple(_common(column) for column in zip(*rows, strict=False)))
    return None


def _source(iterable: Value) -> Rows | None:
    """The rows that a loop goes through."""
    if isinstance(iterable, Rows):
        return iterable
    return iterable.source if isinstance(iterable, Each) else None


def _builtin(name: str, arguments: tuple[Value, ...]) -> Value:
    """What Python's own functions give back of their arguments."""
    first = arguments[0] if arguments else None
    if name in _SAME_ELEMENTS:
        # A list of all rows: they are no longer a queryset, but the same instances.
        return Each(_element(first), _source(first)) if isinstance(first, Rows) else first
    if name == "enumerate":
        return Each(Several((None, _element(first))), _source(first))
    if name == "zip":
        return Each(Several(tuple(_element(each) for each in arguments)), _source(first))
    if name in ("next", "min", "max"):
        return _element(first)
    return None


def _constant(expression: Expr) -> Value:
    """A constant, or a list of them that is written out."""
    if isinstance(expression, Items):
        return Several(tuple(_constant(item) for item in expression.items))
    return Constant(expression)


def _string(value: Value) -> str | None:
    expression = value.expr if isinstance(value, Constant) else None
    return expression.text if isinstance(expression, Literal) and expression.kind == "str" else None


def _literals(values: Sequence[Value], parts: Sequence[Expr]) -> tuple[Expr, ...]:
    """Expressions with those in the place of names whose value is known."""
    pairs = zip(values, parts, strict=True)
    return tuple(v.expr if isinstance(v, Constant) and isinstance(v.expr, Literal) else part for v, part in pairs)


def _filled(call: Call, arguments: tuple[Value, ...]) -> Call:
    """A call with the lists of names that are constants elsewhere, in its own place: `bulk_update(rows, FIELDS)`."""
    if len(call.arguments) == 1 and isinstance(call.arguments[0], Starred):
        names = _written_out(arguments, call.arguments[0].span)
        return replace(call, arguments=names) if names else call
    if len(arguments) != len(call.arguments):
        return call
    return replace(call, arguments=tuple(map(_listed, arguments, call.arguments)))


def _listed(value: Value, argument: Expr) -> Expr:
    names = _written_out(value.values, argument.span) if isinstance(value, Several) else ()
    return Items("list", names, argument.span) if names and isinstance(argument, Name) else argument


def _written_out(values: tuple[Value, ...], span: Span) -> tuple[Expr, ...]:
    """Texts that the code writes out, as if they stood at a place; nothing where one of them is not known."""
    texts = [_string(value) for value in values]
    return tuple(Literal("str", text, span) for text in texts if text is not None) if None not in texts else ()


def _formatted(
    owner: Constant | Text, name: str, call: Call, arguments: tuple[Value, ...], named: Mapping[str, Value]
) -> str | None:
    """The text that `format` and `strip` make of a text and constants, None for all else."""
    text = _string(owner)
    if text is None or len(arguments) != len(call.arguments) or len(named) != len(call.keywords):
        return None
    if name == "strip":
        return text.strip() if not arguments else None
    if name != "format":
        return None
    keywords = dict(zip(named, _literals(tuple(named.values()), [each.value for each in call.keywords]), strict=True))
    return format_text(text, _literals(arguments, call.arguments), keywords)


def _added_text(expression: Operation, values: Sequence[Value]) -> str | None:
    """The text that `+` and `%` make of texts and constants, None for all else."""
    first = _string(values[0]) if values else None
    if first is None or len(values) < 2:
        return None
    if expression.operator == "+":
        texts = [_string(each) for each in values]
        return "".join(filter(None, texts)) if None not in texts else None
    if expression.operator != "%" or len(values) != 2:
        return None
    given, part = values[1], expression.operands[1]
    if isinstance(given, Several) and isinstance(part, Items):
        return percent_text(first, replace(part, items=_literals(given.values, part.items)))
    return percent_text(first, *_literals((given,), (part,)))


def _same(one: Value, other: Value) -> bool:
    return one is other or (type(one) is type(other) and one == other)


def _leaves(body: tuple[Statement, ...]) -> bool:
    """Whether a body ends by leaving what it stands in."""
    last = body[-1] if body else None
    return isinstance(last, Return | Raise) or (isinstance(last, Flow) and last.keyword in ("continue", "break"))


def _passed(parameter: Parameter, by_name: Mapping[str, Value]) -> Value:
    """What a parameter holds that was not given by position."""
    if parameter.name in by_name:
        return by_name[parameter.name]
    return _constant(parameter.default) if parameter.default is not None else None


def _is_written(value: Value) -> bool:
    """Whether a value is one that the code writes out."""
    if isinstance(value, Several):
        return all(_is_written(each) for each in value.values)
    if isinstance(value, Each):
        return _is_written(value.value)
    return isinstance(value, Constant | Written) or (isinstance(value, Text) and value.is_written)


def _is_name_of_table(expression: Expr) -> bool:
    """`Order._meta.db_table`, a field's `column` and what `quote_name` quotes: names, and no data."""
    if isinstance(expression, Call):
        return isinstance(expression.function, Name | Attribute) and expression.callee.endswith("quote_name")
    return isinstance(expression, Attribute) and expression.name in ("db_table", "column")


def _parts(call: Call) -> tuple[Expr, ...]:
    return (*call.arguments, *(keyword.value for keyword in call.keywords))


def _compared(expression: Operation, values: Sequence[Value]) -> Value:
    """What a comparison of constants gives, as a constant; None where it is none or not known."""
    operator = expression.operator
    if operator == "not" and (truth := _truth(values[0])) is not None:
        return _boolean(not truth)
    if operator in ("==", "!=") and len(values) == 2:
        one, other = (value.expr if isinstance(value, Constant) else None for value in values)
        if isinstance(one, Literal) and isinstance(other, Literal):
            return _boolean((one == other) is (operator == "=="))
    if operator in ("in", "not in") and len(values) == 2 and isinstance(values[0], Constant):
        choices = values[1].values if isinstance(values[1], Several) else ()
        if choices and isinstance(values[0].expr, Literal) and all(isinstance(each, Constant) for each in choices):
            return _boolean((values[0] in choices) is (operator == "in"))
    return None


def _boolean(value: bool) -> Constant:
    return Constant(Literal("bool", str(value)))


def _is_none(value: Value) -> bool:
    return isinstance(value, Constant) and is_none(value.expr)


def _truth(value: Value) -> bool | None:
    """The truth of a boolean constant, None for all else."""
    expression = value.expr if isinstance(value, Constant) else None
    return bool(expression.value) if isinstance(expression, Literal) and expression.kind == "bool" else None
