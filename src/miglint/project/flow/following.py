"""Calls functions without running them, and notes what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from miglint.database import Vendor
from miglint.project.code import Code, Direction, code_of, methods_of
from miglint.project.flow.constants import are_same, constant_of
from miglint.project.flow.definitions import File, times_bound
from miglint.project.keys import ModelKey
from miglint.project.migration import Migration
from miglint.project.relations import Relations
from miglint.project.source_module import SourceModule
from miglint.project.usage import (
    Bound,
    Called,
    Constant,
    Editor,
    Instance,
    Kind,
    Registry,
    Routine,
    Rows,
    Several,
    Started,
    Use,
    Value,
)
from miglint.syntax.facts import Assign, Call, Expr, Literal, Name, Parameter, Statement, children, dotted
from miglint.text import Span

# Calls within calls, and expressions in all, before the rest is given up: code that calls itself has no end.
MAX_CALLS = 12
_MAX_EXPRESSIONS = 50_000
# Expressions and bodies within each other, those of a chain of `elif` and of calls too: a level takes up to six of the
# thousand frames that Python has.
_MAX_DEPTH = 100


Scope = dict[str, Value]
# The files that code was followed into, by path.
Files = dict[str, File]


class Frame(msgspec.Struct):
    """One call of a function: where it stands, what its names hold, and what it has returned."""

    code: Code
    file: File
    scope: Scope
    returned: list[Value] = msgspec.field(default_factory=list)
    loops: tuple[Rows | None, ...] = ()
    guards: int = 0
    tries: int = 0
    choices: int = 0


class Follower:
    """Follows one RunPython."""

    def __init__(
        self,
        module: SourceModule,
        migration: Migration,
        relations: Relations,
        settings: Mapping[str, str],
        files: Files,
        vendor: Vendor | None,
        *,
        statements: Mapping[type, Callable[[Follower, Any, Frame], bool]],
        evaluators: Mapping[type, Callable[[Follower, Any, Frame], Value]],
    ) -> None:
        self.uses: list[Use] = []
        self.is_complete = True
        self._files = files
        self._module = module
        self._migration = migration
        self.relations = relations
        self.settings = settings
        self.vendor = vendor
        # What each kind of statement does, and each kind of expression: looked up by the type.
        self._statements = statements
        self._evaluators = evaluators
        self._direction: Direction = "forward"
        self.stack: list[tuple[str, Span]] = []
        # The values of files' own names that are being made, by file and name.
        self.in_making: set[tuple[int, str]] = set()
        self._left = _MAX_EXPRESSIONS
        self._depth = 0
        # Attributes that the code sets on models and rows, and models that code elsewhere may set some on.
        self.added: set[tuple[ModelKey, str]] = set()
        self.handed_out: set[ModelKey] = set()

    def start(self, argument: Expr, direction: Direction) -> None:
        """Follows what Django calls when it calls `argument(apps, schema_editor)`."""
        self._direction = direction
        file = self.file(self._module)
        own = self._migration.definition
        frame = Frame(Code(name="", parameters=(), nodes=(argument,)), file, {})
        # Names of the class's body come before those of the module.
        if own is not None:
            times = times_bound(own.body)
            for method in methods_of(own):
                code, is_certain = code_of(method, owner=own.name), times[method.name] == 1
                frame.scope[method.name] = Routine(code, self._module, is_certain=is_certain)
            for statement in own.body:
                if isinstance(statement, Assign):
                    for target in statement.targets:
                        if isinstance(target, Name) and target.name not in file.functions:
                            frame.scope.setdefault(target.name, Constant(statement.value))
        called = self.value(argument, frame)
        if isinstance(argument, Name) and argument.scope == "imported":
            module = called.module if isinstance(called, Routine) else None
            self.note(Called, argument.span, frame, path=argument.name, call=Call(argument), target=module)
        started = list(self._started(called, frame))
        for routine in started:
            self.note(Started, argument.span, frame, routine=routine)
        called = started[0] if isinstance(called, Kind) and started else called
        if not self._call(called, (Registry(), Editor()), (), frame):
            self.is_complete = False

    def file(self, module: SourceModule) -> File:
        found = self._files.get(module.path)
        if found is None:
            found = self._files[module.path] = File(module)
        return found

    def _call(
        self, called: Value, arguments: tuple[Value, ...], named: tuple[tuple[str, Value], ...], frame: Frame
    ) -> bool:
        """Whether what is called was followed."""
        if isinstance(called, Several):  # the two sides of a condition
            frame.guards += 1
            followed = [self._call(each, arguments, named, frame) for each in called.values]
            frame.guards -= 1
            return all(followed)
        if isinstance(called, Constant):
            inner = self.value(called.expr, frame)
            return not isinstance(inner, Constant) and self._call(inner, arguments, named, frame)
        if isinstance(called, Instance):
            called = Bound(called, "__call__")
        if isinstance(called, Bound) and isinstance(called.value, Instance):
            called = self.method(called.value, called.name)
        if not isinstance(called, Routine):
            return False
        self.run(called, arguments, named, frame)
        return True

    def _started(self, called: Value, frame: Frame) -> Iterator[Routine]:
        """The functions of which one is run when something is called."""
        if isinstance(called, Constant):
            called = self.value(called.expr, frame)
        if isinstance(called, Several):  # the two sides of a condition
            yield from (each for each in called.values if isinstance(each, Routine))
        if isinstance(called, Kind):
            called = self._constructor(called)
        if isinstance(called, Instance):
            called = Bound(called, "__call__")
        if isinstance(called, Bound) and isinstance(called.value, Instance):
            called = self.method(called.value, called.name)
        if isinstance(called, Routine):
            yield called

    def _constructor(self, kind: Kind) -> Routine | None:
        """What a class is called with goes to its `__init__`; None where that is not all, or its file does not say."""
        family = self.file(kind.module).family(kind.definition.name)
        names = {each.name for each in family}
        if any(
            each.decorators
            or each.keywords
            or any(method.name == "__new__" for method in methods_of(each))
            or any(dotted(base) not in {*names, "object"} for base in each.bases)
            for each in family
        ):
            return None
        definition = kind.definition
        prepare = self.method(Instance(definition, kind.module), "__init__")
        nothing = Code(name=definition.name, parameters=(), nodes=(), span=definition.span)
        return prepare or Routine(nothing, kind.module)

    def method(self, owner: Instance | Kind, name: str) -> Routine | None:
        """A method as the attribute of an instance or of its class: with what Python gives it first."""
        method = self.file(owner.module).method(owner.definition.name, name)
        if method is None:
            return None
        decorators = {dotted(each) for each in method.code.decorators}
        if "classmethod" in decorators:
            return replace(method, given=(Kind(owner.definition, owner.module),))
        bound = isinstance(owner, Instance) and "staticmethod" not in decorators
        return replace(method, given=(owner,)) if bound else method

    def run(
        self, routine: Routine, arguments: tuple[Value, ...], named: tuple[tuple[str, Value], ...], caller: Frame
    ) -> Value:
        """What a function returns; all that it does is noted."""
        place = (routine.module.path, routine.code.span)
        if place in self.stack or len(self.stack) >= MAX_CALLS:
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
        frame = Frame(
            routine.code,
            self.file(routine.module),
            scope,
            loops=caller.loops,
            guards=min(caller.guards, 1),
            tries=min(caller.tries, 1),
            choices=min(caller.choices, 1),
        )
        self.stack.append(place)
        for node in routine.code.nodes:
            if not isinstance(node, Statement):
                frame.returned.append(self.value(node, frame))
        self.body(tuple(node for node in routine.code.nodes if isinstance(node, Statement)), frame)
        self.stack.pop()
        first, *others = frame.returned or [None]
        return first if all(are_same(first, other) for other in others) else None

    def body(self, body: tuple[Statement, ...], frame: Frame) -> bool:
        """Whether it certainly leaves what it stands in: nothing after it runs."""
        if self._depth == _MAX_DEPTH:
            self.is_complete = False
            return False
        before = frame.guards, frame.tries, frame.choices
        self._depth += 1
        left = any(self._statement(statement, frame) for statement in body)
        self._depth -= 1
        frame.guards, frame.tries, frame.choices = before
        return left

    def _statement(self, statement: Statement, frame: Frame) -> bool:
        """Whether it certainly leaves the body it stands in."""
        run = self._statements.get(type(statement))
        return run(self, statement, frame) if run is not None else False

    def value(self, expression: Expr, frame: Frame) -> Value:
        """What an expression holds; all that it does is noted."""
        self._left -= 1
        if self._left < 0 or self._depth == _MAX_DEPTH:
            self.is_complete = False
            return None
        kind = type(expression)
        if kind is Literal:
            return Constant(expression)
        self._depth += 1
        found = self._evaluated(expression, kind, frame)
        self._depth -= 1
        return found

    def _evaluated(self, expression: Expr, kind: type[Expr], frame: Frame) -> Value:
        evaluate = self._evaluators.get(kind)
        if evaluate is not None:
            return evaluate(self, expression, frame)
        for child in children(expression):
            self.value(child, frame)
        return None

    def note(self, kind: type[Use], span: Span, frame: Frame, **what: object) -> None:
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
                is_chosen=frame.choices > 0,
                **what,
            )
        )


def _passed(parameter: Parameter, by_name: Mapping[str, Value]) -> Value:
    """What a parameter holds that was not given by position."""
    if parameter.name in by_name:
        return by_name[parameter.name]
    return constant_of(parameter.default) if parameter.default is not None else None
