"""What names hold after a body has run, as far as a reader can tell without running it.

Assignments, `+=`, `.append` and `.extend`, `if`/`else`, unpacking, concatenation, `**{…}`, loops and comprehensions
over literals are followed; another loop or a computed part makes a value partly `Opaque`, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from miglint.syntax.binding_again import bound_again, deleted
from miglint.syntax.builtin_calls import elements
from miglint.syntax.changing import CHANGING_METHODS, changed_by, copied_of, root_of
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Augment,
    Call,
    Class,
    Either,
    Evaluate,
    Expr,
    Flow,
    Function,
    If,
    Import,
    Items,
    Literal,
    Loop,
    Name,
    Opaque,
    Operation,
    Pairs,
    Raise,
    Starred,
    Statement,
    Subscript,
    Try,
    With,
    expressions,
    walk,
)
from miglint.syntax.names import MAX_WEIGHT, TOO_LARGE, Names, Outside
from miglint.syntax.resolving import WAYS
from miglint.syntax.substituting import substitute
from miglint.syntax.unpacking import has_starred

# Why a name is not known that only one of two ways sets.
UNSET = "set under a condition only"

# So many turns of loops are taken in one body.
_MAX_TURNS = 2_000
# What may stand in a loop that is gone through turn by turn.
_IN_LOOPS = frozenset({Assign, Augment, Evaluate, If, Loop, Flow})

# What of itself does nothing.
_WITHOUT_PARTS = frozenset({Literal, Name})


class Values(Names):
    """The values of a body's names; names it does not bind are asked of `outer`, what no name tells of `around`.

    A name that means one thing only is looked up when its meaning is asked for; one that is bound again, and each name
    of a function (`calls`), is replaced where it is used by what it holds there.
    """

    __slots__ = ("_again", "_calls", "_functions", "turns")

    ways = WAYS

    def __init__(
        self,
        outer: Values | None = None,
        names: dict[str, Expr] | None = None,
        around: Outside | None = None,
        *,
        calls: bool = False,
        turns: list[int] | None = None,
    ) -> None:
        super().__init__(outer, names, around)
        self._calls = calls
        self._again: set[str] = set()
        self._functions: dict[str, Function] = {}
        # How many turns are left, for all copies and all functions that are called together.
        self.turns: list[int] = turns or ([_MAX_TURNS] if outer is None else outer.turns)

    def copy(self) -> Values:
        copied = Values(None, dict(self.names), self.around, calls=self._calls, turns=self.turns)
        copied.outer, copied.weights = self.outer, dict(self.weights)
        copied._again, copied._functions = self._again, self._functions
        return copied

    def run(self, body: Iterable[Statement]) -> Values:
        """Takes in the effects of statements, in order; returns itself."""
        body = tuple(body)
        self._again = self._again | bound_again(body)
        return self._follow(body)

    def _follow(self, body: Iterable[Statement]) -> Values:
        for statement in body:
            effect = _EFFECTS.get(type(statement))
            if effect is not None:
                effect(self, statement)
        return self

    def _define(self, statement: Function) -> None:
        self._functions[statement.name] = statement
        self._define_class(statement)

    def _define_class(self, statement: Function | Class) -> None:
        """The name of a definition; within a class or a function it hides what the module calls so."""
        if self.outer is None:
            self.names.pop(statement.name, None)
        else:
            self.put(statement.name, Name(statement.name, "local", statement.span))

    def fixed(self, value: Expr) -> Expr:
        """A value with the names that will hold something else later replaced by what they hold now."""
        return self._fixed(value)[0]

    def _fixed(self, value: Expr) -> tuple[Expr, int]:
        """Also of how many values it is made."""
        if not self._again and not self._calls:
            return value, 0
        held = self.names if self._calls else {name: self.names[name] for name in self._again & self.names.keys()}
        if not held:
            return value, 0
        used = [part.name for part in expressions(value) if isinstance(part, Name) and part.scope != "imported"]
        weight = sum(self.weight_of(name) for name in used if name in held)
        if not weight:
            return value, 0
        if weight > MAX_WEIGHT:
            return Opaque(TOO_LARGE, value.span), 1
        return substitute(value, held), weight

    def _import(self, statement: Import) -> None:
        """Asked for where the name is bound in another way, too: else its uses say themselves what was imported."""
        for alias in statement.aliases:
            self.names[alias.bound] = Name(alias.path, "imported", statement.span)

    def _with(self, statement: With) -> None:
        for item in statement.items:
            if item.target is not None:
                self._bind(item.target, item.value)
        self._follow(statement.body)

    def _now(self, value: Expr) -> Expr:
        """A value with the names it starts from replaced by what they hold now."""
        if isinstance(value, Name) and value.scope == "free":
            found = self.get(value.name)
            return value if found is None else found
        if isinstance(value, Operation) and value.operator == "+":
            return Operation("+", tuple(map(self._now, value.operands)), value.span)
        if isinstance(value, Items) and has_starred(value.items):
            return Items(value.kind, tuple(map(self._now, value.items)), value.span)
        if isinstance(value, Starred):
            return Starred(self._now(value.value), value.span)
        copied = copied_of(value)
        if isinstance(copied, Name):  # what is copied may change later, the copy does not
            return substitute(value, {copied.name: self._now(copied)}) if self.get(copied.name) is not None else value
        return value

    def _weight(self, value: Expr) -> int:
        """Of how many values `_now` makes a value."""
        if isinstance(value, Name) and value.scope == "free":
            return self.weight_of(value.name)
        if isinstance(value, Operation) and value.operator == "+":
            return sum(map(self._weight, value.operands))
        if isinstance(value, Items) and has_starred(value.items):
            return sum(map(self._weight, value.items))
        if isinstance(value, Starred):
            return self._weight(value.value)
        copied = copied_of(value)
        return self._weight(copied) if copied is not None else 1

    def _assign(self, statement: Assign) -> None:
        value, weight = self._taken(statement.value)
        if type(statement.value) is Call or (type(value) is Operation and value.operator == ":="):
            value = self._result(statement.value, value)
        for target in statement.targets:
            self._bind(target, value, weight)

    def _result(self, given: Expr, value: Expr) -> Expr:
        """What is assigned of a call that also changes something, `last = operations.pop()`, and of `name := value`."""
        if isinstance(value, Operation):
            value = value.operands[1]
        self._evaluate_parts(given)
        return value

    def _taken(self, value: Expr) -> tuple[Expr, int]:
        """What a statement makes of a value, and of how many values it is made."""
        fixed, weight = self._fixed(value)
        return self._now(fixed), weight + self._weight(value if not weight else fixed)

    def _bind(self, target: Expr, value: Expr, weight: int = 1) -> None:
        if isinstance(target, Name):
            self.put(target.name, value, weight)
        elif isinstance(target, Items):
            parts = value.items if isinstance(value, Items) else ()
            if len(parts) != len(target.items) or any(isinstance(part, Starred) for part in parts):
                why = "a part of an unpacked value"
                parts = tuple(
                    Subscript(value, Literal("int", str(index)), value.span) for index in range(len(target.items))
                )
                if not isinstance(value, Call):
                    parts = (Opaque(why, value.span),) * len(target.items)
            for name, part in zip(target.items, parts, strict=True):
                self._bind(name, part, weight)
        else:
            self._change_part(target)

    def _augment(self, statement: Augment) -> None:
        if isinstance(statement.target, Name):
            name = statement.target.name
            old = self.get(name)
            if statement.operator == "+" and old is not None:
                addition, weight = self._taken(statement.value)
                self.change(name, old, Operation("+", (old, addition), statement.span), weight + self.weight_of(name))
            else:
                self.put(name, Opaque("computed", statement.span))

    def _evaluate(self, statement: Evaluate) -> None:
        value = statement.value
        if isinstance(value, Operation) and value.operator == "delete":
            for name in deleted(statement):
                self.names.pop(name, None)
            for operand in value.operands:
                self._change_part(operand)
        elif isinstance(value, Call):
            self._call(value)
        else:
            self._evaluate_parts(value)

    def _evaluate_parts(self, value: Expr) -> None:
        """What an expression does on the way to its value: calls that may not come to pass, `name := value`."""
        if isinstance(value, Operation) and value.operator == ":=":
            self._bind(value.operands[0], *self._taken(value.operands[1]))
        for part in expressions(value) if type(value) not in _WITHOUT_PARTS else ():
            if isinstance(part, Call):
                for name in self._changed_by_call(part):
                    self.lose(name, f"changed by {part.callee}()", part)

    def _changed_by_call(self, call: Call) -> Iterator[str]:
        """The names of this body that a call within an expression changes, as far as that is seen."""
        function = call.function
        if isinstance(function, Attribute) and function.name in CHANGING_METHODS:
            yield from filter(None, (root_of(function.value),))
        elif isinstance(function, Name) and function.scope == "free" and function.name in self._functions:
            yield from changed_by(self._functions[function.name], call)

    def _change_part(self, target: Expr) -> None:
        """A part of what a name holds becomes another: `operations[0]`, `operations[0].name`."""
        name = root_of(target) if isinstance(target, Attribute | Subscript) else None
        if name is not None:
            self.lose(name, "changed item by item", target)

    def _call(self, value: Call) -> None:
        function = value.function
        if isinstance(function, Name) and function.scope != "imported":
            found = self.get(function.name)
            function = found if isinstance(found, Attribute) else function  # `add = operations.append`
        if isinstance(function, Attribute):
            self._call_method(value, function)
        elif isinstance(function, Name):
            self._call_function(value, function)

    def _call_function(self, value: Call, function: Name) -> None:
        """What a function is given, or knows of this body, it may change."""
        given = [argument.name for argument in value.arguments if isinstance(argument, Name)]
        changed = [name for name in given if isinstance(self.get(name), Items | Pairs | Operation)]
        definition = self._functions.get(function.name)
        if definition is not None and function.scope != "imported":
            changed += changed_by(definition, value)
        for name in changed:
            self.lose(name, f"changed by {function.name}()", value)

    def _call_method(self, value: Call, function: Attribute) -> None:
        receiver, method = function.value, function.name
        if method not in CHANGING_METHODS:
            return
        old = self.get(receiver.name) if isinstance(receiver, Name) else None
        if old is None or not isinstance(receiver, Name):  # `lists["a"].append(…)`, `list.append(operations, …)`
            given = value.arguments[0] if value.arguments else None
            for name in filter(None, (root_of(receiver), given.name if isinstance(given, Name) else None)):
                self.lose(name, f"changed by .{method}()", value)
            return
        old_first = True
        if method == "append" and len(value.arguments) == 1:
            fixed, weight = self._fixed(value.arguments[0])
            addition: Expr = Items("list", (fixed,), value.span)
            weight = max(weight, 1)
        elif method == "extend" and len(value.arguments) == 1:
            addition, weight = self._taken(value.arguments[0])
        elif method == "insert" and len(value.arguments) == 2 and value.arguments[0] == Literal("int", "0"):
            fixed, weight = self._fixed(value.arguments[1])
            addition, old_first = Items("list", (fixed,), value.span), False
            weight = max(weight, 1)
        else:
            self.lose(receiver.name, f"changed by .{method}()", value)
            return
        weight += self.weight_of(receiver.name)
        both = (old, addition) if old_first else (addition, old)
        self.change(receiver.name, old, Operation("+", both, value.span), weight)

    def _branch(self, statement: If) -> None:
        test = self.fixed(statement.test)
        self._evaluate_parts(statement.test)
        holds = self.holds(test)
        if holds is not None:
            self._follow(statement.body if holds else statement.otherwise)
            return
        then = self.copy()._follow(statement.body)
        otherwise = self.copy()._follow(statement.otherwise)
        asked = {part.name for part in expressions(test) if isinstance(part, Name)}
        if any(way.get(name) is not self.get(name) for name in asked for way in (then, otherwise)):
            # `if x not in a: a.append(x)`: of what `a` is afterwards, that was not asked.
            test = Opaque("a condition on what it changes", test.span)
        self._merge(test, then, otherwise)

    def _merge(self, test: Expr, then: Values, otherwise: Values) -> None:
        for name in {**then.names, **otherwise.names}:
            first, second = then.get(name), otherwise.get(name)
            unset = Opaque(UNSET, test.span)
            weight = then.weight_of(name) + (otherwise.weight_of(name) if first is not second else 0)
            if weight > MAX_WEIGHT:  # what cannot be joined need not be compared
                self.put(name, unset, weight)
                continue
            either = _either(test, first if first is not None else unset, second if second is not None else unset)
            self.put(name, either, weight)

    def _loop(self, statement: Loop) -> None:
        turns = self._turns_of(statement)
        if turns is None or statement.target is None:
            self._loop_somehow(statement)
            return
        self.turns[0] -= len(turns)
        before = dict(self.names)
        for item in turns:
            self._bind(statement.target, self.resolve(item))
            self._follow(statement.body)
            self._shorten(before)
        self._follow(statement.otherwise)

    def _turns_of(self, statement: Loop) -> tuple[Expr, ...] | None:
        """The elements that a loop goes through one after the other; None where that is not known."""
        inside = walk(statement.body, into_definitions=False)
        if statement.target is None or any(type(each) not in _IN_LOOPS or _leaves(each) for each in inside):
            return None
        found = elements(self.resolve(self.fixed(statement.iterable)))
        return found if found is not None and len(found) <= self.turns[0] else None

    def _shorten(self, before: Mapping[str, Expr]) -> None:
        """Lists as what they were and all that a loop has added: else they would nest deeper with each turn."""
        for name, value in self.names.items():
            old, added = before.get(name), list[Expr]()
            while value is not old and isinstance(value, Operation) and value.operator == "+":
                added = [*value.operands[1:], *added]
                value = value.operands[0]
            if value is old and old is not None and len(added) > 1 and all(isinstance(each, Items) for each in added):
                items = tuple(item for each in added if isinstance(each, Items) for item in each.items)
                self.names[name] = Operation("+", (old, Items("list", items, added[0].span)), added[-1].span)

    def _loop_somehow(self, statement: Loop) -> None:
        before = dict(self.names)
        inside = self.copy()
        for part in expressions(statement.target) if statement.target is not None else ():
            if isinstance(part, Name):
                inside.put(part.name, Opaque("a loop's variable", part.span))
        inside._follow((*statement.body, *statement.otherwise))
        for name, value in inside.names.items():
            old = before.get(name)
            if old is value:
                continue
            built = Opaque("built in a loop", statement.span)
            keeps = old is not None and isinstance(value, Operation) and value.operands and value.operands[0] is old
            if keeps and old is not None:
                self.put(name, Operation("+", (old, built), statement.span), self.weight_of(name) + 1)
            else:
                self.put(name, built)

    def _try(self, statement: Try) -> None:
        before = self.copy()
        self._follow(statement.body)
        self._follow(statement.otherwise)
        for handler in statement.handlers:
            instead = before.copy()._follow(handler.body)
            if not any(isinstance(each, Raise) for each in handler.body):
                self._doubt(statement, before, instead)
            changed = {name: value for name, value in instead.names.items() if before.names.get(name) is not value}
            for name, value in changed.items():
                mine, weight = self.names.get(name), instead.weight_of(name)
                test = Opaque("an exception", statement.span)
                if mine is not None:
                    weight += self.weight_of(name)
                    value = _either(test, mine, value) if weight <= MAX_WEIGHT else test
                self.put(name, value, weight)
        self._follow(statement.finally_)

    def _doubt(self, statement: Try, before: Values, instead: Values) -> None:
        """What the body of a `try` has changed, and a handler has not, may be as it was before."""
        for name, value in list(self.names.items()):
            old = before.names.get(name)
            kept = instead.names.get(name) is old and value is not old
            if kept and not (isinstance(value, Name) and value.scope == "imported"):
                test = Opaque("an exception", statement.span)
                weight = self._weight_of_both(name, before)
                unset = Opaque(UNSET, statement.span)
                either = _either(test, value, old if old is not None else unset) if weight <= MAX_WEIGHT else test
                self.put(name, either, weight)

    def _weight_of_both(self, name: str, other: Values) -> int:
        return self.weight_of(name) + other.weight_of(name)


_EFFECTS: dict[type, Callable[[Values, Any], None]] = {
    Assign: Values._assign,
    Augment: Values._augment,
    Evaluate: Values._evaluate,
    If: Values._branch,
    Loop: Values._loop,
    With: Values._with,
    Class: Values._define_class,
    Try: Values._try,
    Function: Values._define,
    Import: Values._import,
}


def module_values(
    body: Iterable[Statement],
    around: Outside | None = None,
    asked_by: Statement | None = None,
    turns: list[int] | None = None,
) -> Values:
    """The values of a module's own names; those that a class of it finds are what they are where it stands.

    `turns` are those of the module that asks: all together have so many.
    """
    body = tuple(body)
    if asked_by is None or (body and body[-1] is asked_by):
        return Values(around=around, turns=turns).run(body)
    place = next((at for at, statement in enumerate(body) if statement is asked_by), len(body))
    values = Values(around=around, turns=turns).run(body[:place])
    found = dict(values.names)
    values.run(body[place:])
    for statement in body[place:]:
        for target in statement.targets if isinstance(statement, Assign) else ():
            if isinstance(target, Name) and target.name in found:
                values.names[target.name] = found[target.name]
    for name in found.keys() - values.names.keys():  # deleted since
        values.names[name] = found[name]
    return values


def _leaves(statement: Statement) -> bool:
    """Whether a loop may end, or go on with its next turn, here."""
    return isinstance(statement, Flow) and statement.keyword != "pass"


def _either(test: Expr, first: Expr, second: Expr) -> Expr:
    """What a name holds after an `if`; what both ways have in common stays known."""
    if first is second or first == second:
        return first
    for long, short, then in ((first, second, True), (second, first, False)):
        if isinstance(long, Operation) and long.operator == "+" and long.operands and long.operands[0] is short:
            added = long.operands[1] if len(long.operands) == 2 else Operation("+", long.operands[1:], long.span)
            empty = Items("list", (), test.span)
            choice = Either(test, added, empty, test.span) if then else Either(test, empty, added, test.span)
            return Operation("+", (short, choice), long.span)
    return Either(test, first, second, test.span)


def items_of(value: Expr, values: Values) -> Iterator[Expr]:
    """The elements of a list, in order; a part that is no list is one `Starred` element."""
    resolved = values.resolve(value)
    if isinstance(resolved, Items):
        yield from resolved.items
    else:
        yield Starred(resolved, resolved.span)
