"""LibCST statements → facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from miglint.syntax.bindings import Bindings, import_aliases
from miglint.syntax.building import is_for_types_only, match
from miglint.syntax.expressions import ExpressionReader
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
from miglint.syntax.positions import Positions
from miglint.syntax.scopes import Scope
from miglint.text import Span

_AUGMENTED = {
    cst.AddAssign: "+",
    cst.SubtractAssign: "-",
    cst.MultiplyAssign: "*",
    cst.DivideAssign: "/",
    cst.FloorDivideAssign: "//",
    cst.ModuloAssign: "%",
    cst.PowerAssign: "**",
    cst.MatrixMultiplyAssign: "@",
    cst.BitOrAssign: "|",
    cst.BitAndAssign: "&",
    cst.BitXorAssign: "^",
    cst.LeftShiftAssign: "<<",
    cst.RightShiftAssign: ">>",
}

_KEYWORDS: dict[type[cst.CSTNode], str] = {cst.Pass: "pass", cst.Break: "break", cst.Continue: "continue"}


class StatementReader:
    """Turns statements into facts; one for each file."""

    def __init__(self, expressions: ExpressionReader, positions: Positions, text: str) -> None:
        self._expressions = expressions
        self._positions = positions
        self._text = text
        self._typing_only = False
        self._readers: dict[type[cst.CSTNode], Callable[[Any, Scope], Statement | None]] = {
            cst.Assign: self._assign,
            cst.AnnAssign: self._annotated,
            cst.AugAssign: self._augment,
            cst.Expr: lambda node, scope: Evaluate(self._read(node.value, scope), self._span(node)),
            cst.Import: self._import,
            cst.ImportFrom: self._import,
            cst.FunctionDef: self._function,
            cst.ClassDef: self._class,
            cst.If: self._if,
            cst.For: self._for,
            cst.While: self._while,
            cst.With: self._with,
            cst.Try: self._try,
            cst.TryStar: self._try,
            cst.Return: lambda node, scope: Return(self._optional(node.value, scope), self._span(node)),
            cst.Raise: lambda node, scope: Raise(self._optional(node.exc, scope), self._span(node)),
            cst.Del: lambda node, scope: self._evaluate("delete", (node.target,), node, scope),
            cst.Assert: lambda node, scope: self._evaluate("assert", (node.test,), node, scope),
            cst.Global: lambda node, scope: self._names("global", node),
            cst.Nonlocal: lambda node, scope: self._names("nonlocal", node),
            cst.Match: self._match,
        }

    def close(self) -> None:
        """Lets go of the tree when all is read: it leads back to itself by the methods, and no collector is running."""
        self._readers.clear()
        self._expressions.close()

    def block(self, statements: Sequence[cst.CSTNode], scope: Scope) -> tuple[Statement, ...]:
        """The facts of a body."""
        found: list[Statement] = []
        for node in statements:
            if isinstance(node, cst.SimpleStatementLine | cst.SimpleStatementSuite):
                found.extend(self.block(node.body, scope))
                continue
            keyword = _KEYWORDS.get(type(node))
            if keyword is not None:
                found.append(Flow(keyword, (), self._span(node)))
                continue
            reader = self._readers.get(type(node))
            statement = reader(node, scope) if reader is not None else None
            if statement is not None:
                found.append(statement)
        return tuple(found)

    def _span(self, node: cst.CSTNode) -> Span:
        return self._positions.span(node)

    def _read(self, node: cst.CSTNode, scope: Scope) -> Expr:
        return self._expressions.read(node, scope)

    def _optional(self, node: cst.CSTNode | None, scope: Scope) -> Expr | None:
        return None if node is None else self._read(node, scope)

    def _suite(self, node: Any, scope: Scope) -> tuple[Statement, ...]:
        """The body of a compound statement, `else` and `finally` included."""
        if node is None:
            return ()
        if isinstance(node, cst.Else | cst.Finally):
            node = node.body
        return self.block(node.body, scope)

    # -- simple statements ----------------------------------------------------------------------------

    def _assign(self, node: cst.Assign, scope: Scope) -> Statement:
        targets = tuple(self._read(target.target, scope) for target in node.targets)
        return Assign(targets, self._read(node.value, scope), self._span(node))

    def _annotated(self, node: cst.AnnAssign, scope: Scope) -> Statement | None:
        if node.value is None:
            return None
        return Assign((self._read(node.target, scope),), self._read(node.value, scope), self._span(node))

    def _augment(self, node: cst.AugAssign, scope: Scope) -> Statement:
        operator = _AUGMENTED.get(type(node.operator), "?")
        return Augment(self._read(node.target, scope), operator, self._read(node.value, scope), self._span(node))

    def _evaluate(self, word: str, operands: tuple[cst.CSTNode, ...], node: cst.CSTNode, scope: Scope) -> Statement:
        values = tuple(self._read(operand, scope) for operand in operands)
        return Evaluate(Operation(word, values, self._span(node)), self._span(node))

    def _names(self, keyword: str, node: cst.Global | cst.Nonlocal) -> Statement:
        return Flow(keyword, tuple(item.name.value for item in node.names), self._span(node))

    def _import(self, node: cst.Import | cst.ImportFrom, scope: Scope) -> Statement:
        aliases = tuple(
            Alias(path, bound, module, self._span(place)) for path, bound, module, place in import_aliases(node)
        )
        return Import(aliases, self._typing_only, self._span(node))

    # -- definitions ----------------------------------------------------------------------------------

    def _function(self, node: cst.FunctionDef, scope: Scope) -> Statement:
        decorators = tuple(self._read(decorator.decorator, scope) for decorator in node.decorators)
        parameters = self._expressions.parameters(node.params, scope)
        bindings = Bindings()
        bindings.others.update(parameter.name for parameter in parameters)
        bindings.add(node.body.body)
        body = self.block(node.body.body, scope.function(bindings.resolve_imports()))
        is_async = node.asynchronous is not None
        return Function(node.name.value, parameters, body, decorators, is_async, self._header("def", node.name))

    def _class(self, node: cst.ClassDef, scope: Scope) -> Statement:
        decorators = tuple(self._read(decorator.decorator, scope) for decorator in node.decorators)
        bases = tuple(self._read(base.value, scope) for base in node.bases)
        keywords = tuple(
            Keyword(keyword.keyword.value if keyword.keyword else None, self._read(keyword.value, scope))
            for keyword in node.keywords
        )
        bindings = Bindings()
        bindings.add(node.body.body)
        body = self.block(node.body.body, scope.in_class(bindings.resolve_imports()))
        return Class(node.name.value, bases, keywords, body, decorators, self._header("class", node.name))

    def _header(self, keyword: str, name: cst.Name) -> Span:
        """From the keyword to the name: what a finding about a whole definition points at."""
        span = self._span(name)
        start = self._text.rfind(keyword, 0, span.start)
        return Span(start, span.end) if start >= 0 and span.end else span

    # -- compound statements --------------------------------------------------------------------------

    def _if(self, node: cst.If, scope: Scope) -> Statement:
        # An `elif` chain is as long as its text: it is read from the end, not by recursion.
        chain = [node]
        while isinstance(chain[-1].orelse, cst.If):
            chain.append(chain[-1].orelse)
        last = chain[-1].orelse
        otherwise = self._suite(last, scope)
        statement: Statement | None = None
        for part in reversed(chain):
            test = self._read(part.test, scope)
            before = self._typing_only
            self._typing_only = before or is_for_types_only(test)
            body = self._suite(part.body, scope)
            self._typing_only = before
            statement = If(test, body, otherwise, self._span(part.test))
            otherwise = (statement,)
        assert statement is not None
        return statement

    def _for(self, node: cst.For, scope: Scope) -> Statement:
        target, iterable = self._read(node.target, scope), self._read(node.iter, scope)
        span = Span(self._span(node).start, self._span(node.iter).end)
        return Loop(target, iterable, self._suite(node.body, scope), self._suite(node.orelse, scope), span)

    def _while(self, node: cst.While, scope: Scope) -> Statement:
        test = self._read(node.test, scope)
        span = Span(self._span(node).start, self._span(node.test).end)
        return Loop(None, test, self._suite(node.body, scope), self._suite(node.orelse, scope), span)

    def _with(self, node: cst.With, scope: Scope) -> Statement:
        items = tuple(
            WithItem(
                self._read(item.item, scope),
                self._read(item.asname.name, scope) if item.asname is not None else None,
            )
            for item in node.items
        )
        return With(items, self._suite(node.body, scope), self._span(node.items[0].item))

    def _try(self, node: cst.Try | cst.TryStar, scope: Scope) -> Statement:
        handlers = tuple(
            Handler(
                self._optional(handler.type, scope),
                handler.name.name.value
                if handler.name is not None and isinstance(handler.name.name, cst.Name)
                else None,
                self._suite(handler.body, scope),
            )
            for handler in node.handlers
        )
        start = self._span(node).start
        return Try(
            self._suite(node.body, scope),
            handlers,
            self._suite(node.orelse, scope),
            self._suite(node.finalbody, scope),
            Span(start, start + len("try")),
        )

    def _match(self, node: cst.Match, scope: Scope) -> Statement | None:
        bodies = [self._suite(case.body, scope) for case in node.cases]
        return match(self._read(node.subject, scope), bodies, self._span(node.subject))
