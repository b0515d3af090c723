"""What the `__init__` of a class of fields or operations passes on to the class it derives from."""

from __future__ import annotations

from dataclasses import dataclass, field

from miglint.syntax.facts import (
    Assign,
    Attribute,
    Augment,
    Call,
    Class,
    Evaluate,
    Expr,
    Function,
    If,
    Items,
    Keyword,
    Literal,
    Loop,
    Name,
    Opaque,
    Operation,
    Pairs,
    Parameter,
    Raise,
    Return,
    Starred,
    Statement,
    Subscript,
    expressions,
    walk,
)

_COMPUTED = "computed by the field's class"
# What a field keeps under the name of the argument. Source: django.db.models.fields.Field.__init__
_ATTRIBUTES = frozenset(
    {"primary_key", "max_length", "blank", "null", "db_index", "default", "db_column", "db_default"}
)


@dataclass(slots=True)
class Arguments:
    """The arguments of a call; `whole` is false where there may be more, or others."""

    positional: list[Expr] = field(default_factory=list)
    keywords: dict[str, Expr] = field(default_factory=dict)
    whole: bool = True

    @classmethod
    def of(cls, call: Call) -> Arguments:
        starred = any(isinstance(argument, Starred) for argument in call.arguments)
        keywords = {keyword.name: keyword.value for keyword in call.keywords if keyword.name is not None}
        whole = not starred and len(keywords) == len(call.keywords)
        return cls([] if starred else list(call.arguments), keywords, whole)

    def bound(self, parameters: tuple[str, ...]) -> dict[str, Expr]:
        """By the names of parameters."""
        return {**dict(zip(parameters, self.positional, strict=False)), **self.keywords}


def passed_on(definition: Class, given: Arguments) -> Arguments:
    """What a class passes to the next one's `__init__`; its own is given `given`."""
    constants: dict[str, Expr] = {}
    found: Function | None = None
    for statement in definition.body:
        if isinstance(statement, Function) and statement.name == "__init__":
            found = statement
        elif isinstance(statement, Assign):
            constants.update((t.name, statement.value) for t in statement.targets if isinstance(t, Name))
    return given if found is None else _Run(found, given, constants).result()


class _Run:
    """One call of one `__init__`, followed without running it.

    `dicts` are the local names that hold keyword arguments; of `whole` false there may be more in any of them.
    """

    def __init__(self, function: Function, given: Arguments, constants: dict[str, Expr]) -> None:
        self._body = function.body
        self._constants = constants
        self._names: dict[str, Expr] = {}
        self._star: str | None = None
        self._rest: list[Expr] = []
        self._dicts: dict[str, dict[str, Expr]] = {}
        self._whole = given.whole
        self._passed: Arguments | None = None
        self._bind(function.parameters[1:], given)

    def _bind(self, parameters: tuple[Parameter, ...], given: Arguments) -> None:
        positional, keywords = list(given.positional), dict(given.keywords)
        for parameter in parameters:
            name = parameter.name
            if parameter.kind == "star":
                self._star, self._rest, positional = name, positional, []
            elif parameter.kind == "double-star":
                self._dicts[name], keywords = keywords, {}
            elif parameter.kind != "keyword-only" and positional:
                self._names[name] = positional.pop(0)
            else:
                absent = parameter.default if parameter.default is not None else Opaque(_COMPUTED)
                self._names[name] = keywords.pop(name, absent if given.whole else Opaque(_COMPUTED))
        self._whole = self._whole and not positional and not keywords

    def result(self) -> Arguments:
        self._run(self._body)
        return self._passed if self._passed is not None else Arguments(whole=False)

    # -- statements ----------------------------------------------------------------------------------

    def _run(self, body: tuple[Statement, ...]) -> None:
        for statement in body:
            self._do(statement)

    def _do(self, statement: Statement) -> None:
        match statement:
            case Evaluate(value=Call() as call) | Return(value=Call() as call):
                self._call(call)
            case Evaluate(value=Operation(operator="delete", operands=targets)):
                for target in targets:
                    self._delete(target)
            case Assign(targets=(Name(name=name),), value=value) if (made := self._dict(value)) is not None:
                self._dicts[name] = made
            case Assign(targets=targets, value=value) if not any(isinstance(target, Items) for target in targets):
                known = self._value(value)
                for target in targets:
                    self._assign(target, known)
            case If():
                self._branch(statement)
            case Loop(target=Name(name=name), iterable=Items(items=items), otherwise=()) if all(map(_key, items)):
                for item in items:
                    self._names[name] = item
                    self._run(statement.body)
            case _:
                self._lose(statement)

    def _call(self, call: Call) -> None:
        if _is_init(call):
            self._passed = self._pass(call)
            return
        match call:
            case Call(function=Attribute(value=Name(name=receiver), name=method)) if receiver in self._dicts:
                self._change(call, receiver, method)
            case _:
                # Handed to something else, which may change them.
                if any(isinstance(part, Name) and part.name in self._dicts for part in expressions(call)):
                    self._whole = False

    def _change(self, call: Call, receiver: str, method: str) -> None:
        """`kwargs.setdefault(…)`, `kwargs.pop(…)`, `kwargs.update(…)`."""
        into = self._dicts[receiver]
        if method == "update":
            made = self._dict(Call(Name("dict"), call.arguments, call.keywords))
            self._whole = self._whole and made is not None
            into.update(made or {})
            return
        key = self._key(call.arguments[0]) if call.arguments else None
        if key is None:
            self._whole = False
        elif method == "setdefault":
            known = self._whole and len(call.arguments) > 1
            into.setdefault(key, self._value(call.arguments[1]) if known else Opaque(_COMPUTED))
        elif method == "pop":
            into.pop(key, None)

    def _delete(self, target: Expr) -> None:
        match target:
            case Subscript(value=Name(name=receiver), index=index) if receiver in self._dicts:
                self._dicts[receiver].pop(self._key(index) or "", None)

    def _assign(self, target: Expr, value: Expr) -> None:
        match target:
            case Name(name=name) if name in self._dicts:
                self._dicts[name], self._whole = {}, False
            case Name(name=name) if name == self._star:
                self._rest = list(value.items) if isinstance(value, Items) else []
                self._whole = self._whole and isinstance(value, Items)
            case Name(name=name):
                self._names[name] = value
            case Subscript(value=Name(name=receiver), index=index) if receiver in self._dicts:
                key = self._key(index)
                if key is None:
                    self._whole = False
                else:
                    self._dicts[receiver][key] = value
            case Attribute(value=Name(name="self"), name=name) if self._passed is not None and name in _ATTRIBUTES:
                # What the class says after its base has set it up.
                self._passed.keywords[name] = value

    def _branch(self, statement: If) -> None:
        holds = self._holds(statement.test)
        if holds is None:
            self._lose(statement)
        else:
            self._run(statement.body if holds else statement.otherwise)

    def _holds(self, test: Expr) -> bool | None:
        match test:
            case Operation(operator="in" | "not in" as operator, operands=(key, Name(name=receiver))) if (
                receiver in self._dicts and self._whole and self._key(key) is not None
            ):
                return (self._key(key) in self._dicts[receiver]) is (operator == "in")
            case Operation(operator="not", operands=(operand,)):
                inner = self._holds(operand)
                return None if inner is None else not inner
            case Name(name=name) if name == self._star:
                return bool(self._rest) if self._whole else None
            case Name():
                value = self._value(test)
                return bool(value.value) if isinstance(value, Literal) else None
            case Operation(operator="is" | "is not" as operator, operands=(operand, Literal(kind="none"))):
                value = self._value(operand)
                return (value.value is None) is (operator == "is") if isinstance(value, Literal) else None
        return None

    def _lose(self, statement: Statement) -> None:
        """Whatever a statement that is not understood may change is not known any more."""
        if isinstance(statement, Raise):
            return
        for inner in walk((statement,)):
            for expression in expressions(inner):
                self._lose_in(expression)
            match inner:
                case Assign(targets=targets):
                    for target in targets:
                        self._assign(target, Opaque(_COMPUTED))
                case Augment(target=target):
                    self._assign(target, Opaque(_COMPUTED))
                case Evaluate(value=Operation(operator="delete", operands=targets)):
                    for target in targets:
                        self._assign(target, Opaque(_COMPUTED))

    def _lose_in(self, expression: Expr) -> None:
        match expression:
            case Call() if _is_init(expression):
                self._passed = Arguments(whole=False)
            case Call(function=Attribute(value=Name(name=receiver), name=method), arguments=given) if (
                receiver in self._dicts
            ):
                if method in ("get", "keys", "items", "values"):
                    return
                key = self._key(given[0]) if given and method in ("pop", "setdefault") else None
                if key is None:
                    self._whole = False
                else:
                    self._dicts[receiver][key] = Opaque(_COMPUTED)

    # -- values --------------------------------------------------------------------------------------

    def _key(self, value: Expr) -> str | None:
        return _key(self._names.get(value.name) if isinstance(value, Name) else value)

    def _dict(self, value: Expr) -> dict[str, Expr] | None:
        """The keyword arguments that a display, a copy or a name holds; None where it is none of these."""
        match value:
            case Name(name=name):
                return dict(self._dicts[name]) if name in self._dicts else None
            case Call(function=Attribute(value=receiver, name="copy"), arguments=()):
                return self._dict(receiver)
            case Call(function=Name(name="dict"), arguments=given, keywords=keywords) if len(given) < 2:
                found = self._dict(given[0]) if given else {}
                for keyword in keywords if found is not None else ():
                    if found is None or not self._keyword(keyword, found):
                        return None
                return found
            case Pairs(pairs=pairs):
                made: dict[str, Expr] = {}
                for pair in pairs:
                    key = self._key(pair.key) if pair.key is not None else None
                    inner = self._dict(pair.value) if pair.key is None else None
                    if key is None and inner is None:
                        return None
                    made.update(inner if inner is not None else {key or "": self._value(pair.value)})
                return made
        return None

    def _value(self, value: Expr) -> Expr:
        match value:
            case Literal() | Items(items=()):
                return value
            case Items(items=items):
                return Items(value.kind, tuple(map(self._value, items)), value.span)
            case Name(scope="local", name=name):
                return self._names.get(name, Opaque(_COMPUTED))
            case Name(scope="imported"):
                return value
            case Attribute(value=Name(name="self" | "cls"), name=name):
                found = self._constants.get(name)
                return found if isinstance(found, Literal) else Opaque(_COMPUTED)
            case Call(function=Attribute(value=Name(name=receiver), name="get" | "pop" as method), arguments=given) if (
                receiver in self._dicts and given
            ):
                key, into = self._key(given[0]), self._dicts[receiver]
                if key is None or not self._whole:
                    self._whole = False
                    return Opaque(_COMPUTED)
                absent = self._value(given[1]) if len(given) > 1 else Literal("none", "None")
                return into.pop(key, absent) if method == "pop" else into.get(key, absent)
        return Opaque(_COMPUTED)

    def _pass(self, call: Call) -> Arguments:
        positional: list[Expr] = []
        keywords: dict[str, Expr] = {}
        whole = True
        explicit = call.arguments[1:] if not _is_super(call) else call.arguments
        for argument in explicit:
            if isinstance(argument, Starred):
                passed = isinstance(argument.value, Name) and argument.value.name == self._star
                positional.extend(self._rest if passed else ())
                whole = whole and passed
            else:
                positional.append(self._value(argument))
        for keyword in call.keywords:
            whole = self._keyword(keyword, keywords) and whole
        return Arguments(positional, keywords, whole and self._whole)

    def _keyword(self, keyword: Keyword, into: dict[str, Expr]) -> bool:
        if keyword.name is not None:
            into[keyword.name] = self._value(keyword.value)
            return True
        made = self._dict(keyword.value)
        into.update(made or {})
        return made is not None


def _key(value: Expr | None) -> str | None:
    return value.text if isinstance(value, Literal) and value.kind == "str" else None


def _is_init(call: Call) -> bool:
    return isinstance(call.function, Attribute | Name) and (
        _is_super(call) or (isinstance(call.function, Name) and call.function.name.endswith(".__init__"))
    )


def _is_super(call: Call) -> bool:
    function = call.function
    if not isinstance(function, Attribute) or function.name != "__init__" or not isinstance(function.value, Call):
        return False
    return isinstance(function.value.function, Name) and function.value.function.name == "super"
