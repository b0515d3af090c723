"""`ast` statements → facts."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

from miglint.syntax.building import is_for_types_only, match
from miglint.syntax.facts import (
    Alias,
    Assign,
    Augment,
    Class,
    Evaluate,
    Expr,
    Flow,
    Function,
    Handler,
    If,
    Import,
    Items,
    Keyword,
    Loop,
    Operation,
    Raise,
    Return,
    Statement,
    Try,
    With,
    WithItem,
)
from miglint.syntax.layout import after_trivia
from miglint.syntax.quick.expressions import OPERATORS, ExpressionReader
from miglint.syntax.quick.names import Bindings, import_aliases
from miglint.syntax.quick.places import Places, Unsure
from miglint.syntax.scopes import Scope
from miglint.text import Span

_BETWEEN = r"(?:[ \t\f]|\\\r?\n)+"
_HEADER = re.compile(rf"(?:async{_BETWEEN})?(def|class){_BETWEEN}(\w+)")

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class StatementReader:
    """Turns statements into facts; one for each file. Raises Unsure."""

    def __init__(self, text: str, places: Places) -> None:
        self._text = text
        self._span = places.span
        self._expressions = ExpressionReader(text, places)
        self._read = self._expressions.read
        self._typing_only = False
        self._readers: dict[type[ast.stmt], Callable[[Any, Scope], Statement | None]] = {
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augment,
            ast.Expr: lambda node, scope: Evaluate(self._read(node.value, scope), self._span(node)),
            ast.Import: self._import,
            ast.ImportFrom: self._import,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.If: self._if,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Try: self._try,
            ast.Return: lambda node, scope: Return(self._optional(node.value, scope), self._span(node)),
            ast.Raise: lambda node, scope: Raise(self._optional(node.exc, scope), self._span(node)),
            ast.Delete: self._delete,
            ast.Assert: self._assert,
            ast.Global: lambda node, scope: Flow("global", tuple(node.names), self._span(node)),
            ast.Nonlocal: lambda node, scope: Flow("nonlocal", tuple(node.names), self._span(node)),
            ast.Pass: lambda node, scope: Flow("pass", (), self._span(node)),
            ast.Break: lambda node, scope: Flow("break", (), self._span(node)),
            ast.Continue: lambda node, scope: Flow("continue", (), self._span(node)),
            ast.Match: self._match,
        }
        if hasattr(ast, "TryStar"):
            self._readers[ast.TryStar] = self._try
        if hasattr(ast, "TypeAlias"):
            self._readers[ast.TypeAlias] = lambda node, scope: None

    def block(self, statements: Sequence[ast.stmt], scope: Scope) -> tuple[Statement, ...]:
        """The facts of a body."""
        found: list[Statement] = []
        for node in statements:
            reader = self._readers.get(type(node))
            if reader is None:
                raise Unsure
            statement = reader(node, scope)
            if statement is not None:
                found.append(statement)
        return tuple(found)

    def _optional(self, node: ast.expr | None, scope: Scope) -> Expr | None:
        return None if node is None else self._read(node, scope)

    # -- simple statements ----------------------------------------------------------------------------

    def _assign(self, node: ast.Assign, scope: Scope) -> Statement:
        targets = tuple([self._read(target, scope) for target in node.targets])
        return Assign(targets, self._read(node.value, scope), self._span(node))

    def _annotated(self, node: ast.AnnAssign, scope: Scope) -> Statement | None:
        if node.col_offset != node.target.col_offset:
            raise Unsure  # `(x): int`, a syntax error for LibCST
        if node.value is None:
            return None
        return Assign((self._read(node.target, scope),), self._read(node.value, scope), self._span(node))

    def _augment(self, node: ast.AugAssign, scope: Scope) -> Statement:
        target, value = self._read(node.target, scope), self._read(node.value, scope)
        return Augment(target, OPERATORS[type(node.op)], value, self._span(node))

    def _delete(self, node: ast.Delete, scope: Scope) -> Statement:
        span = self._span(node)
        targets = tuple([self._read(target, scope) for target in node.targets])
        if len(targets) > 1 or self._text[span.end - 1] == ",":
            # `ast` leaves out the tuple that `del a, b` is written with.
            start = after_trivia(self._text, span.start + len("del"))
            targets = (Items("tuple", targets, Span(start, span.end)),)
        return Evaluate(Operation("delete", targets, span), span)

    def _assert(self, node: ast.Assert, scope: Scope) -> Statement:
        span = self._span(node)
        return Evaluate(Operation("assert", (self._read(node.test, scope),), span), span)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> Statement:
        span = self._span(node)
        aliases = tuple(
            [
                Alias(path, bound, module, span if bound == "*" else self._imported(place))
                for path, bound, module, place in import_aliases(node)
            ]
        )
        return Import(aliases, self._typing_only, span)

    def _imported(self, node: ast.alias) -> Span:
        """What is imported, without the name it gets."""
        start = self._span(node).start
        if not self._text.startswith(node.name, start):
            raise Unsure
        return Span(start, start + len(node.name))

    # -- definitions ----------------------------------------------------------------------------------

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> Statement:
        decorators = tuple([self._read(decorator, scope) for decorator in node.decorator_list])
        parameters = self._expressions.parameters(node.args, scope)
        bindings = Bindings()
        bindings.others.update(parameter.name for parameter in parameters)
        bindings.add(node.body)
        body = self.block(node.body, scope.function(bindings.resolve_imports()))
        is_async = type(node) is ast.AsyncFunctionDef
        return Function(node.name, parameters, body, decorators, is_async, self._header(node))

    def _class(self, node: ast.ClassDef, scope: Scope) -> Statement:
        decorators = tuple([self._read(decorator, scope) for decorator in node.decorator_list])
        bases = tuple([self._read(base.value if isinstance(base, ast.Starred) else base, scope) for base in node.bases])
        keywords = tuple([Keyword(keyword.arg, self._read(keyword.value, scope)) for keyword in node.keywords])
        if keywords and bases and self._span(node.bases[-1]).start > self._span(node.keywords[0]).start:
            raise Unsure  # `class A(key=value, *bases)`: LibCST has the bases among the keywords
        bindings = Bindings()
        bindings.add(node.body)
        body = self.block(node.body, scope.in_class(bindings.resolve_imports()))
        return Class(node.name, bases, keywords, body, decorators, self._header(node))

    def _header(self, node: Definition) -> Span:
        """From the keyword to the name: what a finding about a whole definition points at."""
        found = _HEADER.match(self._text, self._span(node).start)
        if found is None or found[2] != node.name:
            raise Unsure
        return Span(found.start(1), found.end(2))

    # -- compound statements --------------------------------------------------------------------------

    def _if(self, node: ast.If, scope: Scope) -> Statement:
        # An `elif` chain is as long as its text: it is read from the end, not by recursion.
        chain = [node]
        while len(node.orelse) == 1 and type(node.orelse[0]) is ast.If:
            node = node.orelse[0]
            chain.append(node)
        otherwise = self.block(node.orelse, scope)
        for part in reversed(chain):
            test = self._read(part.test, scope)
            before = self._typing_only
            self._typing_only = before or is_for_types_only(test)
            body = self.block(part.body, scope)
            self._typing_only = before
            statement = If(test, body, otherwise, self._expressions.bare(part.test))
            otherwise = (statement,)
        return statement

    def _for(self, node: ast.For | ast.AsyncFor, scope: Scope) -> Statement:
        target, iterable = self._read(node.target, scope), self._read(node.iter, scope)
        return self._loop(node, target, iterable, self._expressions.bare(node.iter).end, scope)

    def _while(self, node: ast.While, scope: Scope) -> Statement:
        return self._loop(node, None, self._read(node.test, scope), self._expressions.bare(node.test).end, scope)

    def _loop(
        self, node: ast.For | ast.AsyncFor | ast.While, target: Expr | None, iterable: Expr, end: int, scope: Scope
    ) -> Statement:
        span = Span(self._span(node).start, end)
        return Loop(target, iterable, self.block(node.body, scope), self.block(node.orelse, scope), span)

    def _with(self, node: ast.With | ast.AsyncWith, scope: Scope) -> Statement:
        items = tuple(
            [
                WithItem(self._read(item.context_expr, scope), self._optional(item.optional_vars, scope))
                for item in node.items
            ]
        )
        return With(items, self.block(node.body, scope), self._expressions.bare(node.items[0].context_expr))

    def _try(self, node: ast.Try, scope: Scope) -> Statement:
        handlers = tuple([self._handler(handler, scope) for handler in node.handlers])
        start = self._span(node).start
        body, otherwise, finally_ = (self.block(block, scope) for block in (node.body, node.orelse, node.finalbody))
        return Try(body, handlers, otherwise, finally_, Span(start, start + len("try")))

    def _handler(self, node: ast.ExceptHandler, scope: Scope) -> Handler:
        return Handler(self._optional(node.type, scope), node.name, self.block(node.body, scope))

    def _match(self, node: ast.Match, scope: Scope) -> Statement | None:
        bodies = [self.block(case.body, scope) for case in node.cases]
        return match(self._read(node.subject, scope), bodies, self._expressions.bare(node.subject))
