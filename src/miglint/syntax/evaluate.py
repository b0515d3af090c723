"""What names hold after a body has run, as far as a reader can tell without running it.

Assignments, `+=`, `.append` and `.extend`, `if`/`else`, unpacking, concatenation, `**{…}`, loops and comprehensions
over literals are followed; another loop or a computed part makes a value partly `Opaque`, and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Protocol
from typing import Literal as Choice

from miglint.syntax.binding_again import bound_again, names_in
from miglint.syntax.builtin_calls import BUILTINS, called, elements
from miglint.syntax.composing import format_text, join_text, percent_text, template_text
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Augment,
    Call,
    Clause,
    Comprehension,
    Either,
    Evaluate,
    Expr,
    Flow,
    Function,
    If,
    Import,
    Items,
    Keyword,
    Literal,
    Loop,
    Name,
    Opaque,
    Operation,
    Pair,
    Pairs,
    Starred,
    Statement,
    Subscript,
    Template,
    Try,
    With,
    expressions,
    walk,
)

# More elements than any written list has; a comprehension over more is left as it is.
_MAX_EXPANSION = 2_000
_MAX_RESOLUTION = 60
# Why a name is not known that only one of two ways sets.
UNSET = "set under a condition only"
# `a = b + b`, `c = a + a` and so on double with each line, and names that stand for each other have no end: so many
# values may be joined into one, and so many steps be made for one question.
_MAX_WEIGHT = 4_000
_MAX_STEPS = 100_000
_STEPS_A_TEXT = 20
_CHARACTERS_A_STEP = 100
_TOO_LARGE = "too large to be put together"

# So many turns of loops are taken in one body.
_MAX_TURNS = 2_000
# What may stand in a loop that is gone through turn by turn.
_IN_LOOPS = frozenset({Assign, Augment, Evaluate, If, Loop, Flow})

_CHANGING_METHODS = {
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "clear",
    "sort",
    "reverse",
    "update",
    "setdefault",
}


class Outside(Protocol):
    """What is known of the place where a body runs, and the body itself does not tell."""

    def holds(self, test: Expr, values: Values) -> bool | None:
        """Whether a condition holds there; None where that is not known."""

    def attribute(self, of: Expr, name: str) -> Expr | bool:
        """The value of an attribute of something imported; False where it certainly has none, True where it may."""


class _Unknown:
    """Knows nothing of the place."""

    def holds(self, test: Expr, values: Values) -> bool | None:
        return None

    def attribute(self, of: Expr, name: str) -> Expr | bool:
        return True


NOTHING_KNOWN: Outside = _Unknown()


class _Steps:
    """How many steps are left of those that one question may take."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _MAX_STEPS

    def spend(self, number: int) -> bool:
        """Whether so many are left."""
        self.left -= number
        return self.left >= 0


_steps = _Steps()


def _is_affordable(text: str) -> bool:
    """Whether a text that was put together is not too long."""
    return _steps.spend(len(text) // _CHARACTERS_A_STEP)


class Values:
    """The values of a body's names; names it does not bind are asked of `outer`, what no name tells of `around`.

    A name that means one thing only is looked up when its meaning is asked for; one that is bound again, and each name
    of a function (`calls`), is replaced where it is used by what it holds there.
    """

    __slots__ = ("_again", "_calls", "_functions", "_weights", "around", "names", "outer", "turns")

    def __init__(
        self,
        outer: Values | None = None,
        names: dict[str, Expr] | None = None,
        around: Outside | None = None,
        *,
        calls: bool = False,
        turns: list[int] | None = None,
    ) -> None:
        self.outer = outer
        self.names = {} if names is None else names
        self.around: Outside = around or (NOTHING_KNOWN if outer is None else outer.around)
        self._calls = calls
        self._again: set[str] = set()
        self._functions: dict[str, Function] = {}
        # How many turns are left, for all copies and all functions that are called together.
        self.turns: list[int] = turns or ([_MAX_TURNS] if outer is None else outer.turns)
        # Of how many values those are made that are made of others.
        self._weights: dict[str, int] = {}

    def get(self, name: str) -> Expr | None:
        found = self.names.get(name)
        if found is None and self.outer is not None:
            return self.outer.get(name)
        return found

    def copy(self) -> Values:
        copied = Values(self.outer, dict(self.names), self.around, calls=self._calls)
        copied._weights = dict(self._weights)
        copied._again, copied._functions, copied.turns = self._again, self._functions, self.turns
        return copied

    # -- running a body -------------------------------------------------------------------------------

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
        self.names.pop(statement.name, None)
        self._functions[statement.name] = statement

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
        weight = sum(self._weight_of(name) for name in used if name in held)
        if not weight:
            return value, 0
        if weight > _MAX_WEIGHT:
            return Opaque(_TOO_LARGE, value.span), 1
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
        if isinstance(value, Items) and _has_starred(value.items):
            return Items(value.kind, tuple(map(self._now, value.items)), value.span)
        if isinstance(value, Starred):
            return Starred(self._now(value.value), value.span)
        return value

    def _weight(self, value: Expr) -> int:
        """Of how many values `_now` makes a value."""
        if isinstance(value, Name) and value.scope == "free":
            return self._weight_of(value.name)
        if isinstance(value, Operation) and value.operator == "+":
            return sum(map(self._weight, value.operands))
        if isinstance(value, Items) and _has_starred(value.items):
            return sum(map(self._weight, value.items))
        return self._weight(value.value) if isinstance(value, Starred) else 1

    def _weight_of(self, name: str) -> int:
        if name in self.names or self.outer is None:
            return self._weights.get(name, 1)
        return self.outer._weight_of(name)

    def _set(self, name: str, value: Expr, weight: int = 1) -> None:
        self.names[name] = value if weight <= _MAX_WEIGHT else Opaque(_TOO_LARGE, value.span)
        self._weights[name] = weight if weight <= _MAX_WEIGHT else 1

    def _assign(self, statement: Assign) -> None:
        value, weight = self._taken(statement.value)
        for target in statement.targets:
            self._bind(target, value, weight)

    def _taken(self, value: Expr) -> tuple[Expr, int]:
        """What a statement makes of a value, and of how many values it is made."""
        fixed, weight = self._fixed(value)
        return self._now(fixed), weight + self._weight(value if not weight else fixed)

    def _bind(self, target: Expr, value: Expr, weight: int = 1) -> None:
        if isinstance(target, Name):
            self._set(target.name, value, weight)
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
        elif isinstance(target, Subscript) and isinstance(target.value, Name):
            self._lose(target.value.name, "changed item by item", target)

    def _augment(self, statement: Augment) -> None:
        if isinstance(statement.target, Name):
            name = statement.target.name
            old = self.get(name)
            if statement.operator == "+" and old is not None:
                addition, weight = self._taken(statement.value)
                self._change(name, old, Operation("+", (old, addition), statement.span), weight + self._weight_of(name))
            else:
                self._set(name, Opaque("computed", statement.span))

    def _evaluate(self, statement: Evaluate) -> None:
        value = statement.value
        if isinstance(value, Operation) and value.operator == "delete":
            for operand in value.operands:
                if isinstance(operand, Subscript) and isinstance(operand.value, Name):
                    self._lose(operand.value.name, "changed item by item", operand)
        if not isinstance(value, Call):
            return
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
            changed += _changed_by(definition)
        for name in changed:
            self._lose(name, f"changed by {function.name}()", value)

    def _call_method(self, value: Call, function: Attribute) -> None:
        receiver, method = function.value, function.name
        if not isinstance(receiver, Name) or method not in _CHANGING_METHODS:
            return
        old = self.get(receiver.name)
        if old is None:
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
            self._lose(receiver.name, f"changed by .{method}()", value)
            return
        weight += self._weight_of(receiver.name)
        both = (old, addition) if old_first else (addition, old)
        self._change(receiver.name, old, Operation("+", both, value.span), weight)

    def _change(self, name: str, old: Expr, new: Expr, weight: int) -> None:
        """A list changes where it lives, under each name that it has: also a module's that a class body adds to."""
        owner = self._owner(name)
        owner._set(name, new, weight)
        scope: Values | None = self
        while scope is not None and _is_list(old):
            for other in [other for other, value in scope.names.items() if value is old]:
                scope._set(other, new, weight)
            scope = scope.outer

    def _owner(self, name: str) -> Values:
        if name in self.names or self.outer is None:
            return self
        return self.outer._owner(name)

    def _lose(self, name: str, why: str, place: Expr) -> None:
        if self.get(name) is not None:
            self._set(name, Opaque(why, place.span))

    def _branch(self, statement: If) -> None:
        test = self.fixed(statement.test)
        holds = self._holds(test)
        if holds is not None:
            self._follow(statement.body if holds else statement.otherwise)
            return
        then = self.copy()._follow(statement.body)
        otherwise = self.copy()._follow(statement.otherwise)
        self._merge(test, then, otherwise)

    def _holds(self, test: Expr) -> bool | None:
        if isinstance(test, Name) and test.name.endswith("TYPE_CHECKING"):
            return False
        return self.around.holds(test, self)

    def _merge(self, test: Expr, then: Values, otherwise: Values) -> None:
        for name in {**then.names, **otherwise.names}:
            first, second = then.get(name), otherwise.get(name)
            unset = Opaque(UNSET, test.span)
            weight = then._weight_of(name) + (otherwise._weight_of(name) if first is not second else 0)
            if weight > _MAX_WEIGHT:  # what cannot be joined need not be compared
                self._set(name, unset, weight)
                continue
            either = _either(test, first if first is not None else unset, second if second is not None else unset)
            self._set(name, either, weight)

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
                inside._set(part.name, Opaque("a loop's variable", part.span))
        inside._follow((*statement.body, *statement.otherwise))
        for name, value in inside.names.items():
            old = before.get(name)
            if old is value:
                continue
            built = Opaque("built in a loop", statement.span)
            keeps = old is not None and isinstance(value, Operation) and value.operands and value.operands[0] is old
            if keeps and old is not None:
                self._set(name, Operation("+", (old, built), statement.span), self._weight_of(name) + 1)
            else:
                self._set(name, built)

    def _try(self, statement: Try) -> None:
        before = self.copy()
        self._follow(statement.body)
        self._follow(statement.otherwise)
        for handler in statement.handlers:
            instead = before.copy()._follow(handler.body)
            changed = {name: value for name, value in instead.names.items() if before.names.get(name) is not value}
            for name, value in changed.items():
                mine, weight = self.names.get(name), instead._weight_of(name)
                test = Opaque("an exception", statement.span)
                if mine is not None:
                    weight += self._weight_of(name)
                    value = _either(test, mine, value) if weight <= _MAX_WEIGHT else test
                self._set(name, value, weight)
        self._follow(statement.finally_)

    # -- asking ---------------------------------------------------------------------------------------

    def resolve(self, value: Expr, depth: int = 0) -> Expr:
        """A value with its outer shape known as far as possible: names replaced, lists joined, `*` unpacked.

        Only the outer shape: elements of a list are resolved when they are asked for.
        """
        way = _WAYS.get(type(value))
        if way is None or depth > _MAX_RESOLUTION:
            return value
        if not depth:
            _steps.left = _MAX_STEPS
        return way(self, value, depth) if _steps.spend(1) else Opaque(_TOO_LARGE, value.span)

    def _name(self, value: Name, depth: int) -> Expr:
        found = self.get(value.name) if value.scope == "free" else None
        if found is None or (isinstance(found, Name) and found.name == value.name):
            return value
        return self._unless_too_large(value, self.resolve(found, depth + 1))

    def _unless_too_large(self, value: Expr, resolved: Expr) -> Expr:
        """What a value was resolved to. Of a name for which there were too few steps nobody need ask again."""
        if _steps.left >= 0:
            return resolved
        if isinstance(value, Name) and value.scope == "free" and self.get(value.name) is not None:
            self._owner(value.name)._set(value.name, Opaque(_TOO_LARGE, value.span))
        return Opaque(_TOO_LARGE, value.span)

    def _unpack(self, value: Items, depth: int) -> Expr:
        if not _has_starred(value.items):
            return value
        items: list[Expr] = []
        for item in value.items:
            inner = self.resolve(item.value, depth + 1) if isinstance(item, Starred) else item
            if isinstance(item, Starred) and isinstance(inner, Items) and _steps.spend(len(inner.items)):
                items.extend(inner.items)
            elif isinstance(item, Starred):
                items.append(Starred(inner, item.span))
            else:
                items.append(item)
        return Items(value.kind, tuple(items), value.span)

    def _operation(self, value: Operation, depth: int) -> Expr:
        if value.operator not in ("+", "%", "|"):
            return value
        operands = [self.resolve(operand, depth + 1) for operand in value.operands]
        if value.operator == "%":
            return self._percent(operands, value, depth)
        if value.operator == "|":
            pairs = [operand.pairs for operand in operands if isinstance(operand, Pairs)]
            return Pairs(tuple(chain.from_iterable(pairs)), value.span) if len(pairs) == len(operands) else value
        first = operands[0]
        texts = [operand for operand in operands if isinstance(operand, Literal) and operand.kind == "str"]
        if len(texts) == len(operands):
            text = "".join(each.text for each in texts)
            return Literal("str", text, value.span) if _is_affordable(text) else Opaque(_TOO_LARGE, value.span)
        lists = [operand for operand in operands if isinstance(operand, Items)]
        if not lists:
            return Operation("+", tuple(operands), value.span)
        items: list[Expr] = []
        for operand in operands:
            if isinstance(operand, Items) and _steps.spend(len(operand.items)):
                items.extend(operand.items)
            else:
                items.append(Starred(operand, operand.span))
        return Items(first.kind if isinstance(first, Items) else lists[0].kind, tuple(items), value.span)

    def _percent(self, operands: list[Expr], value: Operation, depth: int) -> Expr:
        left, right = operands[0], self.resolve_all(operands[-1], depth + 1)
        if len(operands) == 2 and isinstance(left, Literal) and left.kind == "str":
            text = percent_text(left.text, right)
            if text is not None and _is_affordable(text):
                return Literal("str", text, value.span)
        return Operation("%", (left, *operands[1:-1], right), value.span)

    def _template(self, value: Template, depth: int) -> Expr:
        if not _steps.spend(_STEPS_A_TEXT):
            return value
        parts = Template(tuple(self.resolve(part, depth + 1) for part in value.parts), value.span)
        text = template_text(parts)
        return Literal("str", text, value.span) if text is not None and _is_affordable(text) else parts

    def resolve_all(self, value: Expr, depth: int = 0) -> Expr:
        """A value resolved, and the elements of its lists, tuples and dictionaries too."""
        resolved = self.resolve(value, depth)
        if depth > _MAX_RESOLUTION:
            return resolved
        if isinstance(resolved, Items | Pairs) and not depth:
            _steps.left = _MAX_STEPS
        if isinstance(resolved, Items) and _steps.spend(len(resolved.items)):
            items = tuple(self.resolve_all(item, depth + 1) for item in resolved.items)
            resolved = Items(resolved.kind, items, resolved.span)
        elif isinstance(resolved, Pairs) and _steps.spend(len(resolved.pairs)):
            pairs = tuple(Pair(pair.key, self.resolve_all(pair.value, depth + 1)) for pair in resolved.pairs)
            resolved = Pairs(pairs, resolved.span)
        return self._unless_too_large(value, resolved) if isinstance(resolved, Items | Pairs) else resolved

    def _choice(self, value: Either, depth: int) -> Expr:
        holds = self._holds(value.test)
        return value if holds is None else self.resolve(value.then if holds else value.otherwise, depth + 1)

    def _expand(self, value: Comprehension, depth: int) -> Expr:
        rounds: list[dict[str, Expr]] = [{}]
        for clause in value.clauses:
            following: list[dict[str, Expr]] = []
            for names in rounds:
                found = elements(self.resolve(substitute(clause.iterable, names), depth + 1))
                if found is None or len(found) * len(rounds) > _MAX_EXPANSION:
                    return value
                for item in found:
                    bound = _bound(clause.target, self.resolve(item, depth + 1))
                    if bound is None:
                        return value
                    inner = {**names, **bound}
                    held = [self._holds(substitute(condition, inner)) for condition in clause.conditions]
                    if None in held:
                        return value
                    if all(held):
                        following.append(inner)
            rounds = following
        if value.kind == "dict" and value.value is not None:
            return Pairs(
                tuple(Pair(substitute(value.element, names), substitute(value.value, names)) for names in rounds),
                value.span,
            )
        kind = "set" if value.kind == "set" else "list"
        return Items(kind, tuple(substitute(value.element, names) for names in rounds), value.span)  # type: ignore[arg-type]

    def _call(self, value: Call, depth: int) -> Expr:
        function = value.function
        if isinstance(function, Name) and function.name in BUILTINS and function.scope == "free":
            arguments = tuple(self.resolve(argument, depth + 1) for argument in value.arguments)
            found = called(function.name, arguments, value, _MAX_EXPANSION) if self.get(function.name) is None else None
            if found is not None:
                return self.resolve(found, depth + 1)
        if isinstance(function, Name) and function.name == "getattr" and len(value.arguments) == 3:
            return self._getattr(value, depth)
        if isinstance(function, Attribute) and function.name in ("format", "join"):
            return self._composed(value, function, depth)
        if isinstance(function, Attribute) and not value.keywords:
            return self._method(value, function, depth)
        if _has_unnamed(value.keywords) or _has_starred(value.arguments):
            return self._spread(value, depth)
        return value

    def _getattr(self, value: Call, depth: int) -> Expr:
        """`getattr(settings, "X", absent)`, where it is known whether there is such a setting."""
        of, name, absent = value.arguments
        name = self.resolve(name, depth + 1)
        if not isinstance(name, Literal) or name.kind != "str":
            return value
        found = self.around.attribute(of, name.text)
        if isinstance(found, bool):
            return value if found else self.resolve(absent, depth + 1)
        return found

    def _method(self, value: Call, function: Attribute, depth: int) -> Expr:
        receiver = self.resolve(function.value, depth + 1)
        if function.name == "copy" and not value.arguments and isinstance(receiver, Items | Pairs):
            return receiver
        if isinstance(receiver, Pairs) and function.name in ("items", "keys", "values") and not value.arguments:
            if any(pair.key is None for pair in receiver.pairs):
                return value
            entries: list[Expr] = []
            for pair in receiver.pairs:
                assert pair.key is not None
                both = Items("tuple", (pair.key, pair.value))
                entries.append({"items": both, "keys": pair.key, "values": pair.value}[function.name])
            return Items("list", tuple(entries), value.span)
        return value

    def _composed(self, value: Call, function: Attribute, depth: int) -> Expr:
        """`"…".format(…)` and `", ".join(…)` of constants."""
        receiver = self.resolve(function.value, depth + 1)
        arguments = tuple(self.resolve_all(each, depth + 1) for each in value.arguments)
        keywords = tuple(Keyword(k.name, self.resolve(k.value, depth + 1), k.span) for k in value.keywords)
        text: str | None = None
        if isinstance(receiver, Literal) and receiver.kind == "str":
            if function.name == "format" and not _has_unnamed(keywords) and not _has_starred(arguments):
                text = format_text(receiver.text, arguments, {k.name: k.value for k in keywords if k.name is not None})
            elif function.name == "join" and len(arguments) == 1 and isinstance(arguments[0], Items):
                text = join_text(receiver.text, arguments[0].items)
        if text is not None and _is_affordable(text):
            return Literal("str", text, value.span)
        return Call(Attribute(receiver, function.name, function.span), arguments, keywords, value.span)

    def _spread(self, value: Call, depth: int) -> Call:
        """A call with `*[…]` and `**{…}` of known values written out."""
        keywords: list[Keyword] = []
        for keyword in value.keywords:
            inner = self.resolve(keyword.value, depth + 1) if keyword.name is None else None
            if isinstance(inner, Pairs) and all(_is_text(pair.key) for pair in inner.pairs):
                keywords.extend(
                    Keyword(pair.key.text, pair.value, keyword.span)
                    for pair in inner.pairs
                    if isinstance(pair.key, Literal)
                )
            else:
                keywords.append(keyword)
        arguments = self._unpack(Items("list", value.arguments), depth)
        assert isinstance(arguments, Items)
        return Call(value.function, arguments.items, tuple(keywords), value.span)

    def _merge_pairs(self, value: Pairs, depth: int) -> Pairs:
        if not any(pair.key is None for pair in value.pairs):
            return value
        pairs: list[Pair] = []
        for pair in value.pairs:
            inner = self.resolve(pair.value, depth + 1) if pair.key is None else None
            pairs.extend(inner.pairs if isinstance(inner, Pairs) else (pair,))
        return Pairs(tuple(pairs), value.span)

    def _item(self, value: Subscript, depth: int) -> Expr:
        container, index = self.resolve(value.value, depth + 1), self.resolve(value.index, depth + 1)
        if isinstance(container, Pairs):
            for pair in reversed(container.pairs):
                if pair.key is None:
                    break
                if pair.key == index:
                    return self.resolve(pair.value, depth + 1)
        if isinstance(container, Items) and isinstance(index, Operation) and index.operator == "slice":
            bounds = [_bound_of(each) for each in index.operands]
            if _has_starred(container.items) or any(bound is False for bound in bounds):
                return value
            return Items(container.kind, container.items[slice(*bounds)], value.span)
        if isinstance(container, Items) and isinstance(index, Literal) and index.kind == "int":
            place = int(index.text) if len(index.text) < 6 else len(container.items)
            known = not any(isinstance(item, Starred) for item in container.items)
            if known and -len(container.items) <= place < len(container.items):
                return self.resolve(container.items[place], depth + 1)
        return value


# Looked up by the type, not asked one after the other: every expression of every migration comes by here.
_EFFECTS: dict[type, Callable[[Values, Any], None]] = {
    Assign: Values._assign,
    Augment: Values._augment,
    Evaluate: Values._evaluate,
    If: Values._branch,
    Loop: Values._loop,
    With: Values._with,
    Try: Values._try,
    Function: Values._define,
    Import: Values._import,
}
_WAYS: dict[type, Callable[[Values, Any, int], Expr]] = {
    Name: Values._name,
    Items: Values._unpack,
    Operation: Values._operation,
    Comprehension: Values._expand,
    Either: Values._choice,
    Call: Values._call,
    Pairs: Values._merge_pairs,
    Subscript: Values._item,
    Template: Values._template,
}


def _has_starred(items: tuple[Expr, ...]) -> bool:
    return Starred in map(type, items)


def _has_unnamed(keywords: tuple[Keyword, ...]) -> bool:
    return None in [keyword.name for keyword in keywords]


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
    return values


def _is_list(value: Expr) -> bool:
    while isinstance(value, Operation) and value.operator == "+":
        value = value.operands[0]
    return isinstance(value, Items)


def _leaves(statement: Statement) -> bool:
    """Whether a loop may end, or go on with its next turn, here."""
    return isinstance(statement, Flow) and statement.keyword != "pass"


def _changed_by(function: Function) -> Iterator[str]:
    """The names from around a function that it may change when it is called."""
    for statement in function.statements():
        if isinstance(statement, Flow) and statement.keyword == "global":
            yield from statement.names
        elif isinstance(statement, Augment) and isinstance(statement.target, Name):
            yield statement.target.name
        elif isinstance(statement, Evaluate) and isinstance(statement.value, Call):
            method = statement.value.function
            if isinstance(method, Attribute) and method.name in _CHANGING_METHODS and isinstance(method.value, Name):
                yield method.value.name


def _bound_of(value: Expr) -> int | Choice[False] | None:
    """A bound of a slice, None where it is left out; False where it is not known."""
    if not isinstance(value, Literal):
        return False
    number = value.value
    return None if number is None else number if isinstance(number, int) and value.kind == "int" else False


def _is_text(key: Expr | None) -> bool:
    return isinstance(key, Literal) and key.kind == "str"


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


def _bound(target: Expr, value: Expr) -> dict[str, Expr] | None:
    """The names a comprehension's target binds to a value, None where that is not known."""
    if isinstance(target, Name):
        return {target.name: value}
    if isinstance(target, Items) and isinstance(value, Items) and len(target.items) == len(value.items):
        names: dict[str, Expr] = {}
        for part, item in zip(target.items, value.items, strict=True):
            inner = _bound(part, item)
            if inner is None:
                return None
            names.update(inner)
        return names
    return None


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


def items_of(value: Expr, values: Values) -> Iterator[Expr]:
    """The elements of a list, in order; a part that is no list is one `Starred` element."""
    resolved = values.resolve(value)
    if isinstance(resolved, Items):
        yield from resolved.items
    else:
        yield Starred(resolved, resolved.span)
