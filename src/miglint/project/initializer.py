"""What the `__init__` of a field class passes on to the class it derives from."""

from __future__ import annotations

from dataclasses import dataclass, field

from miglint.syntax.facts import (
    Assign,
    Attribute,
    Call,
    Class,
    Evaluate,
    Expr,
    Function,
    If,
    Keyword,
    Literal,
    Name,
    Opaque,
    Operation,
    Pairs,
    Parameter,
    Starred,
    Statement,
    Subscript,
    expressions,
    walk,
)

_COMPUTED = "computed by the field's class"


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
    for statement in definition.body:
        if isinstance(statement, Function) and statement.name == "__init__":
            return _Run(statement, given).result()
    return given


class _Run:
    """One call of one `__init__`, followed without running it."""

    def __init__(self, function: Function, given: Arguments) -> None:
        self._body = function.body
        self._names: dict[str, Expr] = {}
        self._star: str | None = None
        self._stars: str | None = None
        self._rest: list[Expr] = []
        self._more: dict[str, Expr] = {}
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
                self._stars, self._more, keywords = name, keywords, {}
            elif parameter.kind != "keyword-only" and positional:
                self._names[name] = positional.pop(0)
            else:
                absent = parameter.default if parameter.default is not None else Opaque(_COMPUTED)
                self._names[name] = keywords.pop(name, absent if given.whole else Opaque(_COMPUTED))
        self._whole = self._whole and not positional and not keywords

    def result(self) -> Arguments:
        for statement in self._body:
            self._do(statement)
        return self._passed if self._passed is not None else Arguments(whole=False)

    # -- statements ----------------------------------------------------------------------------------

    def _do(self, statement: Statement) -> None:
        match statement:
            case Evaluate(value=Call() as call):
                self._call(call)
            case Evaluate(value=Operation(operator="delete", operands=targets)):
                for target in targets:
                    self._delete(target)
            case Assign(targets=(target,), value=value):
                self._assign(target, self._value(value))
            case If():
                self._branch(statement)
            case _:
                self._lose(statement)

    def _call(self, call: Call) -> None:
        if _is_init(call):
            self._passed = self._pass(call)
            return
        match call:
            case Call(function=Attribute(value=Name(name=receiver), name=method)) if receiver == self._stars:
                self._change(call, method)
            case _:
                if self._mentions(call):
                    self._whole = False

    def _change(self, call: Call, method: str) -> None:
        """`kwargs.setdefault(…)`, `kwargs.pop(…)`, `kwargs.update(…)`."""
        if method == "update":
            given = {keyword.name: keyword.value for keyword in call.keywords}
            for value in call.arguments:
                pairs = value.pairs if isinstance(value, Pairs) else ()
                given |= {_key(pair.key): pair.value for pair in pairs} if pairs else {None: value}
            for name, value in given.items():
                if name is None:
                    self._whole = False
                else:
                    self._more[name] = self._value(value)
            return
        self._value(call)
        key = _key(call.arguments[0]) if call.arguments else None
        if key is None:
            self._whole = False
        elif method == "setdefault" and len(call.arguments) > 1 and self._whole:
            self._more.setdefault(key, self._value(call.arguments[1]))
        elif method == "setdefault":
            self._more.setdefault(key, Opaque(_COMPUTED))

    def _delete(self, target: Expr) -> None:
        match target:
            case Subscript(value=Name(name=receiver), index=index) if receiver == self._stars:
                self._more.pop(_key(index) or "", None)

    def _assign(self, target: Expr, value: Expr) -> None:
        match target:
            case Name(name=name) if name == self._stars:
                self._more, self._whole = {}, False
            case Name(name=name):
                self._names[name] = value
            case Subscript(value=Name(name=receiver), index=index) if receiver == self._stars:
                key = _key(index)
                if key is None:
                    self._whole = False
                else:
                    self._more[key] = value
            case Attribute(value=Name(name="self"), name=name) if self._passed is not None:
                # What the class says after its base has set it up.
                if name in self._passed.keywords or name in ("null", "blank", "max_length", "db_index", "default"):
                    self._passed.keywords[name] = value

    def _branch(self, statement: If) -> None:
        match statement.test:
            case Operation(operator="in" | "not in" as operator, operands=(Literal() as key, Name(name=receiver))) if (
                receiver == self._stars and self._whole
            ):
                holds = (key.text in self._more) is (operator == "in")
                for inner in statement.body if holds else statement.otherwise:
                    self._do(inner)
                return
            case Name(name=name) if isinstance(self._names.get(name), Literal):
                known = self._names[name]
                for inner in statement.body if isinstance(known, Literal) and known.value else statement.otherwise:
                    self._do(inner)
                return
        self._lose(statement)

    def _lose(self, statement: Statement) -> None:
        """Whatever a statement that is not understood may change is not known any more."""
        for inner in walk((statement,)):
            for expression in expressions(inner):
                if isinstance(expression, Call) and _is_init(expression):
                    self._passed = Arguments(whole=False)
            match inner:
                case Assign(targets=targets):
                    for target in targets:
                        self._assign(target, Opaque(_COMPUTED))
                case Evaluate(value=Call(function=Attribute(value=Name(name=receiver), name=method)) as call) if (
                    receiver == self._stars
                ):
                    key = _key(call.arguments[0]) if call.arguments and method in ("pop", "setdefault") else None
                    if key is None:
                        self._whole = False
                    else:
                        self._more[key] = Opaque(_COMPUTED)
                case Evaluate(value=Operation(operator="delete", operands=targets)):
                    for target in targets:
                        if isinstance(target, Subscript) and (key := _key(target.index)) in self._more:
                            self._more[key or ""] = Opaque(_COMPUTED)

    def _mentions(self, call: Call) -> bool:
        """Whether the keyword arguments are handed to something else, which may change them."""
        return any(isinstance(part, Name) and part.name == self._stars for part in expressions(call))

    # -- values --------------------------------------------------------------------------------------

    def _value(self, value: Expr) -> Expr:
        match value:
            case Literal():
                return value
            case Name(scope="local", name=name):
                return self._names.get(name, Opaque(_COMPUTED))
            case Name(scope="imported"):
                return value
            case Call(function=Attribute(value=Name(name=receiver), name="get" | "pop" as method), arguments=given) if (
                receiver == self._stars and given and self._stars is not None
            ):
                key = _key(given[0])
                if key is None or not self._whole:
                    return Opaque(_COMPUTED)
                absent = self._value(given[1]) if len(given) > 1 else Literal("none", "None")
                return self._more.pop(key, absent) if method == "pop" else self._more.get(key, absent)
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
        passed = isinstance(keyword.value, Name) and keyword.value.name == self._stars
        into.update(self._more if passed else {})
        return passed


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
