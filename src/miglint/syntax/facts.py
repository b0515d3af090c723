"""What a Python file says, as values: JSON-shaped, and equal when they mean the same.

A `ModuleFacts` is the whole file as a compact tree of statements and expressions. Names are already resolved
through the file's own imports and scopes. Every node has a span, which equality and hashing ignore: the same
operation written elsewhere, or formatted otherwise, is equal.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeGuard, get_args
from typing import Literal as Choice

import msgspec

from miglint.lazy import lazy
from miglint.text import NOWHERE, Span
from miglint.value import Value

# Raised whenever the shape or the meaning of facts changes: cached facts of another version are not used.
FACTS_VERSION = 5

# An expression nested deeper than this is stored as Opaque: codec and comparison recurse.
MAX_DEPTH = 100
TOO_DEEP = "too deep"

# A file larger than this (in bytes, or in characters once it is decoded) is not read.
MAX_SIZE = 4 * 1024 * 1024
TOO_LARGE = f"the file is larger than {MAX_SIZE // 1024**2} MB"


class Node(Value, frozen=True, eq=False, array_like=True, gc=False):
    """What all expressions and statements share: equality and hash that ignore spans.

    They are trees: the collector, which looks for cycles, would only take memory and time.
    """


# -- expressions --------------------------------------------------------------------------------------

LiteralKind = Choice["str", "bytes", "int", "float", "complex", "bool", "none", "ellipsis", "escaped"]


class Literal(Node, frozen=True, eq=False, array_like=True, tag="L"):
    """A constant. `text` is canonical, so that quotes, digits' grouping and prefixes do not matter.

    For "str" it is the value itself; a string with lone surrogates is "escaped" and its text is `ascii(value)`.
    For the other kinds it is Python's own repr (a number too long for Python to convert keeps its digits).
    """

    kind: LiteralKind
    text: str
    span: Span = NOWHERE

    @property
    def value(self) -> Any:
        """The Python value."""
        if self.kind == "str":
            return self.text
        if self.kind == "bool":
            return self.text == "True"
        if self.kind == "none":
            return None
        if self.kind == "ellipsis":
            return ...
        if self.kind == "int" and len(self.text) < 19 and self.text.lstrip("-").isdecimal():
            return int(self.text)
        try:
            return ast.literal_eval(self.text)
        except (ValueError, SyntaxError):  # nan, inf and numbers of more digits than Python converts
            return float(self.text) if self.kind == "float" else self.text


class Name(Node, frozen=True, eq=False, array_like=True, tag="N"):
    """A name, resolved as far as the file alone allows.

    `scope` is "imported" (`name` is the qualified path, attributes folded in: `django.db.models.CharField`; a
    relative import keeps its dots: `..models.Invoice`), "local" (bound in an enclosing function, lambda or
    comprehension) or "free" (bound in the module or class body, or a builtin).
    """

    name: str
    scope: Choice["imported", "local", "free"] = "free"
    span: Span = NOWHERE


class Attribute(Node, frozen=True, eq=False, array_like=True, tag="A"):
    """`value.name`, where `value` is not an imported module or name."""

    value: Expr
    name: str
    span: Span = NOWHERE


class Keyword(Node, frozen=True, eq=False, array_like=True):
    """`name=value` in a call or class header; `name` is None for `**value`. The span covers both."""

    name: str | None
    value: Expr
    span: Span = NOWHERE


class Call(Node, frozen=True, eq=False, array_like=True, tag="C"):
    """A call. Starred arguments are `Starred`."""

    function: Expr
    arguments: tuple[Expr, ...] = ()
    keywords: tuple[Keyword, ...] = ()
    span: Span = NOWHERE

    @property
    def callee(self) -> str:
        """The dotted name that is called, "" where it is no plain name (`factory()()`)."""
        return dotted(self.function)

    def keyword(self, name: str) -> Expr | None:
        """The value of a keyword argument."""
        for keyword in self.keywords:
            if keyword.name == name:
                return keyword.value
        return None


class Starred(Node, frozen=True, eq=False, array_like=True, tag="*"):
    """`*value` in a call or a display."""

    value: Expr
    span: Span = NOWHERE


class Items(Node, frozen=True, eq=False, array_like=True, tag="I"):
    """A list, tuple or set display."""

    kind: Choice["list", "tuple", "set"]
    items: tuple[Expr, ...] = ()
    span: Span = NOWHERE


# What Python makes a collection with of a display: `set([…])`.
COLLECTIONS = ("set", "frozenset", "list", "tuple")


class Pair(Node, frozen=True, eq=False, array_like=True):
    """A dictionary's entry; `key` is None for `**value`."""

    key: Expr | None
    value: Expr


class Pairs(Node, frozen=True, eq=False, array_like=True, tag="P"):
    """A dictionary display."""

    pairs: tuple[Pair, ...] = ()
    span: Span = NOWHERE


class Operation(Node, frozen=True, eq=False, array_like=True, tag="O"):
    """An operator and its operands, chains stored flat: `a + b + c` is `("+", (a, b, c))`.

    Also comparisons ("<", "in", "not in", "is not" …; a chained one is "and" of its parts), "and", "or",
    "not", unary operators ("-x", "+x", "~x"), ":=", "await", "yield", "yield from", "slice" and "format".
    """

    operator: str
    operands: tuple[Expr, ...]
    span: Span = NOWHERE


class Template(Node, frozen=True, eq=False, array_like=True, tag="T"):
    """An f-string (or t-string): literal texts and the expressions between them.

    An expression with a format or a conversion is the operand of a "format" Operation, which leaves out which.
    """

    parts: tuple[Expr, ...]
    span: Span = NOWHERE


class Either(Node, frozen=True, eq=False, array_like=True, tag="E"):
    """`then if test else otherwise`; also what an attribute is after an `if` statement set it both ways."""

    test: Expr
    then: Expr
    otherwise: Expr
    span: Span = NOWHERE


class Subscript(Node, frozen=True, eq=False, array_like=True, tag="S"):
    """`value[index]`."""

    value: Expr
    index: Expr
    span: Span = NOWHERE


class Parameter(Node, frozen=True, eq=False, array_like=True):
    """A parameter of a function; `kind` tells how it is passed, `default` is None where it must be given."""

    name: str
    kind: Choice["positional-only", "positional", "star", "keyword-only", "double-star"]
    default: Expr | None = None
    span: Span = NOWHERE


class Lambda(Node, frozen=True, eq=False, array_like=True, tag="F"):
    """A lambda."""

    parameters: tuple[Parameter, ...]
    body: Expr
    span: Span = NOWHERE


class Clause(Node, frozen=True, eq=False, array_like=True):
    """`for target in iterable if conditions` in a comprehension."""

    target: Expr
    iterable: Expr
    conditions: tuple[Expr, ...] = ()


class Comprehension(Node, frozen=True, eq=False, array_like=True, tag="G"):
    """A comprehension or generator expression; `value` is the value of a dict comprehension."""

    kind: Choice["list", "set", "dict", "generator"]
    element: Expr
    value: Expr | None
    clauses: tuple[Clause, ...]
    span: Span = NOWHERE


class Opaque(Node, frozen=True, eq=False, array_like=True, tag="?"):
    """What cannot be read, and why, in a few words that finish the sentence "it is …"."""

    why: str
    span: Span = NOWHERE


Expr = (
    Literal
    | Name
    | Attribute
    | Call
    | Starred
    | Items
    | Pairs
    | Operation
    | Template
    | Either
    | Subscript
    | Lambda
    | Comprehension
    | Opaque
)

# -- statements ---------------------------------------------------------------------------------------


class Assign(Node, frozen=True, eq=False, array_like=True, tag="="):
    """`a = b = value`; an annotated assignment without a value is left out of the facts."""

    targets: tuple[Expr, ...]
    value: Expr
    span: Span = NOWHERE


class Augment(Node, frozen=True, eq=False, array_like=True, tag="+="):
    """`target operator= value`; the operator without its `=`."""

    target: Expr
    operator: str
    value: Expr
    span: Span = NOWHERE


class Evaluate(Node, frozen=True, eq=False, array_like=True, tag="e"):
    """An expression statement; also `del` ("delete" Operation) and `assert` ("assert" Operation)."""

    value: Expr
    span: Span = NOWHERE


class Alias(Node, frozen=True, eq=False, array_like=True):
    """One imported name: the qualified path, and the name it is bound to ("*" for a star import).

    `import a.b` binds `a`: its path is `a`, and `module` says what was imported, `a.b`.
    """

    path: str
    bound: str
    module: str
    span: Span = NOWHERE


class Import(Node, frozen=True, eq=False, array_like=True, tag="i"):
    """An import statement. `typing_only` is true under `if TYPE_CHECKING:`."""

    aliases: tuple[Alias, ...]
    typing_only: bool = False
    span: Span = NOWHERE


class Function(Node, frozen=True, eq=False, array_like=True, tag="f"):
    """A function definition. The span is its header, `def name`."""

    name: str
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    decorators: tuple[Expr, ...] = ()
    is_async: bool = False
    span: Span = NOWHERE

    def statements(self) -> list[Statement]:
        """All statements of the body, nested ones included, those of nested functions and classes too."""
        return walk(self.body)


class Class(Node, frozen=True, eq=False, array_like=True, tag="c"):
    """A class definition. The span is its header, `class Name`."""

    name: str
    bases: tuple[Expr, ...]
    keywords: tuple[Keyword, ...]
    body: tuple[Statement, ...]
    decorators: tuple[Expr, ...] = ()
    span: Span = NOWHERE


class If(Node, frozen=True, eq=False, array_like=True, tag="if"):
    """An `if` statement; `elif` is an If alone in `otherwise`. A `match` is a chain of them with Opaque tests."""

    test: Expr
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    span: Span = NOWHERE


class Loop(Node, frozen=True, eq=False, array_like=True, tag="for"):
    """A `for` (`target` in `iterable`) or `while` (`target` is None, `iterable` is the test)."""

    target: Expr | None
    iterable: Expr
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    span: Span = NOWHERE


class WithItem(Node, frozen=True, eq=False, array_like=True):
    """`value as target`."""

    value: Expr
    target: Expr | None = None


class With(Node, frozen=True, eq=False, array_like=True, tag="with"):
    """A `with` statement."""

    items: tuple[WithItem, ...]
    body: tuple[Statement, ...]
    span: Span = NOWHERE


class Handler(Node, frozen=True, eq=False, array_like=True):
    """`except exception as name:`."""

    exception: Expr | None
    name: str | None
    body: tuple[Statement, ...]


class Try(Node, frozen=True, eq=False, array_like=True, tag="try"):
    """A `try` statement; `body` includes nothing of its `else`, which is `otherwise`."""

    body: tuple[Statement, ...]
    handlers: tuple[Handler, ...] = ()
    otherwise: tuple[Statement, ...] = ()
    finally_: tuple[Statement, ...] = ()
    span: Span = NOWHERE


class Return(Node, frozen=True, eq=False, array_like=True, tag="ret"):
    """`return value`."""

    value: Expr | None = None
    span: Span = NOWHERE


class Raise(Node, frozen=True, eq=False, array_like=True, tag="raise"):
    """`raise value`."""

    value: Expr | None = None
    span: Span = NOWHERE


class Flow(Node, frozen=True, eq=False, array_like=True, tag="flow"):
    """`pass`, `break`, `continue`, `global …` and `nonlocal …`: the keyword, and the names."""

    keyword: str
    names: tuple[str, ...] = ()
    span: Span = NOWHERE


Statement = Assign | Augment | Evaluate | Import | Function | Class | If | Loop | With | Try | Return | Raise | Flow

# -- the module ---------------------------------------------------------------------------------------


class Comment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A comment that speaks to miglint: its text from `#` on, and whether it stands alone on its line."""

    text: str
    span: Span
    alone: bool


class ReadProblem(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why a file, or a part of it, could not be read."""

    message: str
    span: Span


class ModuleFacts(msgspec.Struct, frozen=True, array_like=True, dict=True):
    """All that is known of one file. `problem` is set where it could not be parsed at all (`body` is empty).

    The meaning of the file is `body` (equality ignores spans); comments are not part of it.
    """

    body: tuple[Statement, ...] = ()
    comments: tuple[Comment, ...] = ()
    problem: ReadProblem | None = None

    def __hash__(self) -> int:
        return hash(self.body)

    def imports(self) -> Iterator[Import]:
        """Every import of the file, those in functions and class bodies too."""
        return iter(self._imports)

    @lazy
    def _imports(self) -> tuple[Import, ...]:
        return tuple(statement for statement in walk(self.body) if isinstance(statement, Import))

    @lazy
    def top_level(self) -> tuple[Statement, ...]:
        """The statements of the module's own level, those under `if`, `try` and `with` too."""
        return tuple(walk(self.body, into_definitions=False))

    def top(self, kind: type[Function] | type[Class]) -> Iterator[Any]:
        """The functions or classes of the module's own level, those under `if`, `try` and `with` too."""
        return (statement for statement in self.top_level if type(statement) is kind)

    def class_named(self, name: str) -> Class | None:
        """The last class of that name at the module's level."""
        found = None
        for statement in self.top(Class):
            if statement.name == name:
                found = statement
        return found


# -- walking ------------------------------------------------------------------------------------------


_DEFINITIONS: frozenset[type] = frozenset({Function, Class})
_COMPOUND: frozenset[type] = frozenset({Function, Class, With, If, Loop, Try})


def blocks(statement: Statement) -> tuple[tuple[Statement, ...], ...]:
    """The bodies inside a statement, in source order."""
    kind = type(statement)
    if kind not in _COMPOUND:
        return ()
    if isinstance(statement, If | Loop):
        return (statement.body, statement.otherwise)
    if isinstance(statement, Try):
        handlers = tuple(handler.body for handler in statement.handlers)
        return (statement.body, *handlers, statement.otherwise, statement.finally_)
    assert isinstance(statement, Function | Class | With)
    return (statement.body,)


def walk(body: tuple[Statement, ...], *, into_definitions: bool = True) -> list[Statement]:
    """Every statement of a body in source order, nested ones included."""
    found: list[Statement] = []
    _walk(body, _COMPOUND if into_definitions else _COMPOUND - _DEFINITIONS, found)
    return found


# One list that grows: generators within generators take several times as long.
def _walk(body: tuple[Statement, ...], entered: frozenset[type], found: list[Statement]) -> None:
    for statement in body:
        found.append(statement)
        if type(statement) in entered:
            for block in blocks(statement):
                _walk(block, entered, found)


# Code of data migrations is walked by several rules: the types are looked up, not asked one after the other.
_EXPRESSIONS: frozenset[type] = frozenset(get_args(Expr))
_STATEMENTS: frozenset[type] = frozenset(get_args(Statement))
_PARTS: frozenset[type] = frozenset({Keyword, Pair, Clause, Parameter, WithItem, Handler})


def is_statement(node: Expr | Statement) -> TypeGuard[Statement]:
    """Whether a node is a statement, and no expression."""
    return type(node) in _STATEMENTS


def _fields(kind: type[Node]) -> tuple[str, ...]:
    """The fields of a class that can hold expressions; the bodies of statements are not among them."""
    left_out = {"span"} if kind in _EXPRESSIONS else {"span", "body", "otherwise", "finally_"}
    plain = ("str", "bool", "LiteralKind")
    return tuple(
        name
        for name in kind.__struct_fields__
        if name not in left_out and str(kind.__annotations__.get(name)) not in plain
    )


_CHILDREN: dict[type, tuple[str, ...]] = {
    kind: _fields(kind) for kind in (*get_args(Expr), *get_args(Statement), *_PARTS)
}


def _add_values(value: Any, found: list[Expr]) -> None:
    """The expressions directly inside a field's value."""
    kind = type(value)
    if kind in _EXPRESSIONS:
        found.append(value)
    elif kind is tuple:
        for item in value:
            _add_values(item, found)
    elif kind in _PARTS:
        for name in _CHILDREN[kind]:
            _add_values(getattr(value, name), found)


def children(node: Expr | Statement) -> list[Expr]:
    """The expressions directly inside an expression, or inside a statement (not in its nested statements)."""
    found: list[Expr] = []
    for name in _CHILDREN[type(node)]:
        _add_values(getattr(node, name), found)
    return found


def expressions(node: Expr | Statement) -> list[Expr]:
    """All expressions of a node, itself included, from the outside in."""
    found: list[Expr] = []
    _add_expressions(node, found)
    return found


def _add_expressions(node: Any, found: list[Expr]) -> None:
    if type(node) in _EXPRESSIONS:
        found.append(node)
    for child in children(node):
        _add_expressions(child, found)


def is_none(expression: Expr | None) -> bool:
    """Whether an expression is the constant `None`."""
    return isinstance(expression, Literal) and expression.kind == "none"


def dotted(expression: Expr) -> str:
    """`a.b.c` for a name or attributes of a name, "" for everything else."""
    if type(expression) is Name:
        return expression.name
    parts: list[str] = []
    while isinstance(expression, Attribute):
        parts.append(expression.name)
        expression = expression.value
    if not isinstance(expression, Name):
        return ""
    parts.append(expression.name)
    return ".".join(reversed(parts))


def scope_of(expression: Expr) -> str:
    """The scope of the name that attributes are taken of, "" where it is no name."""
    while isinstance(expression, Attribute):
        expression = expression.value
    return expression.scope if isinstance(expression, Name) else ""
