"""`ast` expressions → facts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, cast

from miglint.syntax.building import MAX_DIGITS, attribute, comparison, name_in, string_literal, text_between, unary
from miglint.syntax.facts import (
    MAX_DEPTH,
    Call,
    Clause,
    Comprehension,
    Either,
    Expr,
    Items,
    Keyword,
    Lambda,
    Literal,
    Operation,
    Pair,
    Pairs,
    Parameter,
    Starred,
    Subscript,
    Template,
)
from miglint.syntax.quick.names import target_names
from miglint.syntax.quick.places import Places, Unsure, inside, is_parenthesized
from miglint.syntax.quick.strings import Field, fields, pieces
from miglint.syntax.scopes import Scope
from miglint.text import Span

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitOr: "|",
    ast.BitAnd: "&",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.And: "and",
    ast.Or: "or",
    ast.Not: "not",
    ast.USub: "-x",
    ast.UAdd: "+x",
    ast.Invert: "~x",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}


class ExpressionReader:
    """Turns expressions into facts; one for each file. Raises Unsure."""

    def __init__(self, text: str, places: Places) -> None:
        self._text = text
        self._places = places
        self._depth = 0
        self._readers: dict[type[ast.expr], Callable[[Any, Scope], Expr]] = {
            ast.Name: lambda node, scope: name_in(scope, node.id, self.span(node)),
            ast.Constant: self._constant,
            ast.JoinedStr: self._template,
            ast.Attribute: lambda node, scope: attribute(self.read(node.value, scope), node.attr, self.span(node)),
            ast.Call: self._call,
            ast.List: lambda node, scope: Items("list", self._elements(node.elts, scope), self.span(node)),
            ast.Tuple: lambda node, scope: Items("tuple", self._elements(node.elts, scope), self.span(node)),
            ast.Set: lambda node, scope: Items("set", self._elements(node.elts, scope), self.span(node)),
            ast.Dict: self._dict,
            ast.BinOp: self._binary,
            ast.BoolOp: self._boolean,
            ast.UnaryOp: self._unary,
            ast.Compare: self._comparison,
            ast.IfExp: self._either,
            ast.Subscript: self._subscript,
            ast.Lambda: self._lambda,
            ast.ListComp: lambda node, scope: self._comprehension("list", node, scope),
            ast.SetComp: lambda node, scope: self._comprehension("set", node, scope),
            ast.GeneratorExp: lambda node, scope: self._comprehension("generator", node, scope),
            ast.DictComp: lambda node, scope: self._comprehension("dict", node, scope),
            ast.NamedExpr: lambda node, scope: self._operation(":=", (node.target, node.value), node, scope),
            ast.Await: lambda node, scope: self._operation("await", (node.value,), node, scope),
            ast.Yield: self._yield,
            ast.YieldFrom: lambda node, scope: self._operation("yield from", (node.value,), node, scope),
        }
        self.span = places.span

    def read(self, node: ast.expr, scope: Scope) -> Expr:
        """The facts of an expression."""
        reader = self._readers.get(type(node))
        # LibCST's tree can be twice as deep: it has nodes for the pieces of a string.
        if reader is None or self._depth >= MAX_DEPTH // 2:
            raise Unsure
        self._depth += 1
        found = reader(node, scope)
        self._depth -= 1
        return found

    def bare(self, node: ast.expr) -> Span:
        """A node's span as LibCST has it: a generator expression's without parentheses."""
        return self._inside_generator(node) if type(node) is ast.GeneratorExp else self.span(node)

    # -- atoms ----------------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant, scope: Scope) -> Expr:
        value: Any = node.value
        kind = type(value)
        if kind is str or kind is bytes:
            return string_literal(value, self.span(node))
        if kind is bool:
            return Literal("bool", str(value), self.span(node))
        if value is None:
            return Literal("none", "None", self.span(node))
        if kind is int:
            if value.bit_length() >= 3 * MAX_DIGITS:
                raise Unsure
            return Literal("int", str(value), self.span(node))
        if kind is float:
            return Literal("float", repr(value), self.span(node))
        if kind is complex:
            return Literal("complex", repr(value), self.span(node))
        return Literal("ellipsis", "...", self.span(node))

    def _template(self, node: ast.JoinedStr, scope: Scope) -> Expr:
        span = self.span(node)
        values = iter([value for value in node.values if type(value) is ast.FormattedValue])
        parts: list[Expr] = []
        for piece in pieces(self._text, span):
            if "f" not in piece.prefix:
                written = self._text[piece.span.start : piece.span.end]
                parts.append(string_literal(ast.literal_eval(written), piece.span))
                continue
            for part in fields(self._text, piece):
                if isinstance(part, str):
                    parts.append(string_literal(text_between(part, raw="r" in piece.prefix), piece.span))
                else:
                    value = self._field(part, next(values, None), scope)
                    parts.append(Operation("format", (value,), piece.span) if part.formatted else value)
        if next(values, None) is not None:
            raise Unsure
        return Template(tuple(parts), span)

    def _field(self, field: Field, expected: Any, scope: Scope) -> Expr:
        """An expression within braces, parsed again: before 3.12, Python says wrongly where its parts are."""
        start, end = field.expression.start, field.expression.end
        parsed = f"({self._text[start:end]})"
        node = ast.parse(parsed, mode="eval").body
        whole = node.lineno == 1 and node.col_offset == 0
        if whole or expected is None or type(expected.value) is not type(node):
            raise Unsure
        places = self._places
        self._places = Places(parsed, start - 1)
        self.span = self._places.span
        value = self.read(node, scope)
        self._places = places
        self.span = places.span
        return value

    # -- calls ----------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, scope: Scope) -> Expr:
        read = self.read
        function = read(node.func, scope)
        arguments = tuple([self._element(argument, scope) for argument in node.args])
        keywords = tuple([self._keyword(keyword, scope) for keyword in node.keywords])
        return Call(function, arguments, keywords, self.span(node))

    def _keyword(self, node: ast.keyword, scope: Scope) -> Keyword:
        value = self.read(node.value, scope)
        span = self.bare(node.value)
        return Keyword(node.arg, value, span if node.arg is None else Span(self.span(node).start, span.end))

    def parameters(self, node: ast.arguments, scope: Scope) -> tuple[Parameter, ...]:
        """The parameters of a function or lambda; defaults are read in the scope around it."""
        found: list[Parameter] = []

        def add(kind: str, arguments: Sequence[ast.arg], defaults: Sequence[ast.expr | None]) -> None:
            for argument, default in zip(arguments, defaults, strict=True):
                start = self.span(argument).start
                value = None if default is None else self.read(default, scope)
                span = Span(start, start + len(argument.arg))
                found.append(Parameter(argument.arg, cast(Any, kind), value, span))

        count = len(node.posonlyargs)
        missing = count + len(node.args) - len(node.defaults)
        defaults = [None] * missing + node.defaults
        add("positional-only", node.posonlyargs, defaults[:count])
        add("positional", node.args, defaults[count:])
        if node.vararg is not None:
            add("star", [node.vararg], [None])
        add("keyword-only", node.kwonlyargs, node.kw_defaults)
        if node.kwarg is not None:
            add("double-star", [node.kwarg], [None])
        return tuple(found)

    def _lambda(self, node: ast.Lambda, scope: Scope) -> Expr:
        parameters = self.parameters(node.args, scope)
        within = scope.function({parameter.name: None for parameter in parameters})
        return Lambda(parameters, self.read(node.body, within), self.span(node))

    # -- displays -------------------------------------------------------------------------------------

    def _element(self, node: ast.expr, scope: Scope) -> Expr:
        if type(node) is ast.Starred:
            return Starred(self.read(node.value, scope), self.bare(node.value))
        return self.read(node, scope)

    def _elements(self, nodes: Sequence[ast.expr], scope: Scope) -> tuple[Expr, ...]:
        return tuple([self._element(node, scope) for node in nodes])

    def _dict(self, node: ast.Dict, scope: Scope) -> Expr:
        read = self.read
        pairs = [
            Pair(None if key is None else read(key, scope), read(value, scope))
            for key, value in zip(node.keys, node.values, strict=True)
        ]
        return Pairs(tuple(pairs), self.span(node))

    def _comprehension(self, kind: str, node: Any, scope: Scope) -> Expr:
        clauses: list[Clause] = []
        within = scope
        for clause in node.generators:
            iterable = self.read(clause.iter, within)
            within = within.comprehension(dict.fromkeys(target_names(clause.target)))
            target = self.read(clause.target, within)
            conditions = tuple([self.read(condition, within) for condition in clause.ifs])
            clauses.append(Clause(target, iterable, conditions))
        if kind == "dict":
            element, value = self.read(node.key, within), self.read(node.value, within)
        else:
            element, value = self.read(node.elt, within), None
        return Comprehension(cast(Any, kind), element, value, tuple(clauses), self.bare(node))

    def _inside_generator(self, node: ast.GeneratorExp) -> Span:
        last = node.generators[-1]
        end = self.span(last.ifs[-1] if last.ifs else last.iter)
        return inside(self._text, self.span(node), self.span(node.elt), end)

    # -- operators ------------------------------------------------------------------------------------

    def _operation(self, operator: str, operands: Sequence[ast.expr], node: ast.expr, scope: Scope) -> Expr:
        return Operation(operator, tuple([self.read(operand, scope) for operand in operands]), self.span(node))

    def _binary(self, node: ast.BinOp, scope: Scope) -> Expr:
        operator = type(node.op)
        operands: list[ast.expr] = [node.right]
        left = node.left
        while type(left) is ast.BinOp and type(left.op) is operator:
            operands.append(left.right)
            left = left.left
        operands.append(left)
        return self._operation(OPERATORS[operator], operands[::-1], node, scope)

    def _boolean(self, node: ast.BoolOp, scope: Scope) -> Expr:
        operator = type(node.op)
        operands = node.values
        # `(a and b) and c` is one chain, as `a and b and c` is.
        while type(operands[0]) is ast.BoolOp and type(operands[0].op) is operator:
            operands = [*operands[0].values, *operands[1:]]
        return self._operation(OPERATORS[operator], operands, node, scope)

    def _unary(self, node: ast.UnaryOp, scope: Scope) -> Expr:
        return unary(OPERATORS[type(node.op)], self.read(node.operand, scope), self.span(node))

    def _comparison(self, node: ast.Compare, scope: Scope) -> Expr:
        rest = [
            (OPERATORS[type(operator)], self.read(right, scope))
            for operator, right in zip(node.ops, node.comparators, strict=True)
        ]
        return comparison(self.read(node.left, scope), rest, self.span(node))

    def _either(self, node: ast.IfExp, scope: Scope) -> Expr:
        test, then, otherwise = (self.read(part, scope) for part in (node.test, node.body, node.orelse))
        return Either(test, then, otherwise, self.span(node))

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Expr:
        return Subscript(self.read(node.value, scope), self._index(node.slice, scope), self.span(node))

    def _index(self, node: ast.expr, scope: Scope) -> Expr:
        if type(node) is ast.Slice:
            return Operation("slice", tuple([self._bound(part, scope) for part in (node.lower, node.upper, node.step)]))
        if type(node) is ast.Tuple and not self._is_parenthesized(node):
            indexes = tuple([self._index(part, scope) for part in node.elts])
            return indexes[0] if len(indexes) == 1 else Items("tuple", indexes)
        return self.read(node, scope)

    def _is_parenthesized(self, node: ast.Tuple) -> bool:
        return not node.elts or is_parenthesized(self._text, self.span(node), self.span(node.elts[0]))

    def _bound(self, node: ast.expr | None, scope: Scope) -> Expr:
        return Literal("none", "None") if node is None else self.read(node, scope)

    def _yield(self, node: ast.Yield, scope: Scope) -> Expr:
        return self._operation("yield", () if node.value is None else (node.value,), node, scope)
