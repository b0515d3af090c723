"""LibCST expressions → facts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, cast

import libcst as cst

from miglint.syntax.bindings import target_names
from miglint.syntax.building import MAX_DIGITS, attribute, comparison, name_in, string_literal, text_between, unary
from miglint.syntax.facts import (
    MAX_DEPTH,
    TOO_DEEP,
    Call,
    Clause,
    Comprehension,
    Either,
    Expr,
    Items,
    Keyword,
    Lambda,
    Literal,
    Opaque,
    Operation,
    Pair,
    Pairs,
    Parameter,
    Starred,
    Subscript,
    Template,
)
from miglint.syntax.positions import Positions
from miglint.syntax.scopes import Scope
from miglint.text import Span

_CONSTANTS = {"True": ("bool", "True"), "False": ("bool", "False"), "None": ("none", "None")}

_OPERATORS: dict[type[cst.CSTNode], str] = {
    cst.Add: "+",
    cst.Subtract: "-",
    cst.Multiply: "*",
    cst.Divide: "/",
    cst.FloorDivide: "//",
    cst.Modulo: "%",
    cst.Power: "**",
    cst.MatrixMultiply: "@",
    cst.BitOr: "|",
    cst.BitAnd: "&",
    cst.BitXor: "^",
    cst.LeftShift: "<<",
    cst.RightShift: ">>",
    cst.And: "and",
    cst.Or: "or",
    cst.Not: "not",
    cst.Minus: "-x",
    cst.Plus: "+x",
    cst.BitInvert: "~x",
    cst.Equal: "==",
    cst.NotEqual: "!=",
    cst.LessThan: "<",
    cst.LessThanEqual: "<=",
    cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=",
    cst.In: "in",
    cst.NotIn: "not in",
    cst.Is: "is",
    cst.IsNot: "is not",
}


class ExpressionReader:
    """Turns expressions into facts; one for each file."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self._depth = 0
        self._readers: dict[type[cst.CSTNode], Callable[[Any, Scope], Expr]] = {
            cst.Name: self._name,
            cst.SimpleString: self._string,
            cst.ConcatenatedString: self._adjacent_strings,
            cst.FormattedString: self._template,
            cst.Integer: self._integer,
            cst.Float: self._float,
            cst.Imaginary: lambda node, scope: Literal("complex", repr(ast.literal_eval(node.value)), self.span(node)),
            cst.Ellipsis: lambda node, scope: Literal("ellipsis", "...", self.span(node)),
            cst.Attribute: self._attribute,
            cst.Call: self._call,
            cst.List: lambda node, scope: self._items("list", node, scope),
            cst.Tuple: lambda node, scope: self._items("tuple", node, scope),
            cst.Set: lambda node, scope: self._items("set", node, scope),
            cst.Dict: self._dict,
            cst.BinaryOperation: self._binary,
            cst.BooleanOperation: self._binary,
            cst.UnaryOperation: self._unary,
            cst.Comparison: self._comparison,
            cst.IfExp: self._either,
            cst.Subscript: self._subscript,
            cst.Lambda: self._lambda,
            cst.ListComp: lambda node, scope: self._comprehension("list", node, scope),
            cst.SetComp: lambda node, scope: self._comprehension("set", node, scope),
            cst.GeneratorExp: lambda node, scope: self._comprehension("generator", node, scope),
            cst.DictComp: lambda node, scope: self._comprehension("dict", node, scope),
            cst.NamedExpr: lambda node, scope: self._operation(":=", (node.target, node.value), node, scope),
            cst.Await: lambda node, scope: self._operation("await", (node.expression,), node, scope),
            cst.Yield: self._yield,
            cst.StarredElement: lambda node, scope: Starred(self.read(node.value, scope), self.span(node)),
        }
        for name in ("TemplatedString",):  # t-strings, in the LibCST releases that know them
            kind = getattr(cst, name, None)
            if kind is not None:
                self._readers[kind] = self._template

    def span(self, node: cst.CSTNode) -> Span:
        return self._positions.span(node)

    def close(self) -> None:
        """Lets go of the tree when all is read."""
        self._readers.clear()

    def read(self, node: cst.CSTNode, scope: Scope) -> Expr:
        """The facts of an expression."""
        reader = self._readers.get(type(node))
        if reader is None:
            return Opaque(f"a {type(node).__name__}", self.span(node))
        if self._depth >= MAX_DEPTH:
            return Opaque(TOO_DEEP, self.span(node))
        self._depth += 1
        try:
            return reader(node, scope)
        finally:
            self._depth -= 1

    # -- atoms ----------------------------------------------------------------------------------------

    def _name(self, node: cst.Name, scope: Scope) -> Expr:
        constant = _CONSTANTS.get(node.value)
        if constant is not None:
            return Literal(cast(Any, constant[0]), constant[1], self.span(node))
        return name_in(scope, node.value, self.span(node))

    def _string(self, node: cst.SimpleString, scope: Scope) -> Expr:
        text = node.value
        quote = text[0]
        if quote in "'\"" and "\\" not in text:
            width = 3 if text[:3] == quote * 3 else 1
            value: str | bytes = text[width:-width]
            if "\r" in text:
                value = ast.literal_eval(text)
        else:
            try:
                value = node.evaluated_value
            except (ValueError, SyntaxError):
                return Opaque("a string that Python cannot read", self.span(node))
        return string_literal(value, self.span(node))

    def _adjacent_strings(self, node: cst.ConcatenatedString, scope: Scope) -> Expr:
        parts: list[cst.CSTNode] = []
        current: cst.CSTNode = node
        while isinstance(current, cst.ConcatenatedString):
            parts.append(current.left)
            current = current.right
        parts.append(current)
        read = [self.read(part, scope) for part in parts]
        span = self.span(node)
        if all(isinstance(part, Literal) for part in read):
            values = [cast(Literal, part).value for part in read]
            if all(isinstance(value, str) for value in values):
                return string_literal("".join(values), span)
            if all(isinstance(value, bytes) for value in values):
                return string_literal(b"".join(values), span)
        flat: list[Expr] = []
        for part in read:
            flat.extend(part.parts if isinstance(part, Template) else (part,))
        return Template(tuple(flat), span)

    def _template(self, node: Any, scope: Scope) -> Expr:
        parts: list[Expr] = []
        for part in node.parts:
            if hasattr(part, "expression"):
                value = self.read(part.expression, scope)
                plain = part.format_spec is None and part.conversion is None
                parts.append(value if plain else Operation("format", (value,), self.span(node)))
            elif part.value:
                text = text_between(part.value, raw="r" in node.start.lower())
                parts.append(string_literal(text, self.span(node)))
        return Template(tuple(parts), self.span(node))

    def _integer(self, node: cst.Integer, scope: Scope) -> Expr:
        text = node.value
        if not text.isdigit() or (text[0] == "0" and len(text) > 1):
            try:
                number = int(text, 0)
                text = str(number) if number.bit_length() < 3 * MAX_DIGITS else text.lower().replace("_", "")
            except ValueError:
                text = text.lower().replace("_", "")
        return Literal("int", text, self.span(node))

    def _float(self, node: cst.Float, scope: Scope) -> Expr:
        return Literal("float", repr(float(node.value.replace("_", ""))), self.span(node))

    # -- names and calls ------------------------------------------------------------------------------

    def _attribute(self, node: cst.Attribute, scope: Scope) -> Expr:
        return attribute(self.read(node.value, scope), node.attr.value, self.span(node))

    def _call(self, node: cst.Call, scope: Scope) -> Expr:
        function = self.read(node.func, scope)
        arguments: list[Expr] = []
        keywords: list[Keyword] = []
        for argument in node.args:
            value = self.read(argument.value, scope)
            if argument.keyword is not None:
                span = Span(self.span(argument.keyword).start, self.span(argument.value).end)
                keywords.append(Keyword(argument.keyword.value, value, span))
            elif argument.star == "**":
                keywords.append(Keyword(None, value, self.span(argument.value)))
            elif argument.star == "*":
                arguments.append(Starred(value, self.span(argument.value)))
            else:
                arguments.append(value)
        return Call(function, tuple(arguments), tuple(keywords), self.span(node))

    def parameters(self, node: cst.Parameters, scope: Scope) -> tuple[Parameter, ...]:
        """The parameters of a function or lambda; defaults are read in the scope around it."""
        found: list[Parameter] = []

        def add(params: Sequence[cst.Param], kind: str) -> None:
            for param in params:
                default = self.read(param.default, scope) if param.default is not None else None
                found.append(Parameter(param.name.value, cast(Any, kind), default, self.span(param.name)))

        add(node.posonly_params, "positional-only")
        add(node.params, "positional")
        if isinstance(node.star_arg, cst.Param):
            add([node.star_arg], "star")
        add(node.kwonly_params, "keyword-only")
        if node.star_kwarg is not None:
            add([node.star_kwarg], "double-star")
        return tuple(found)

    def _lambda(self, node: cst.Lambda, scope: Scope) -> Expr:
        parameters = self.parameters(node.params, scope)
        inside = scope.function({parameter.name: None for parameter in parameters})
        return Lambda(parameters, self.read(node.body, inside), self.span(node))

    # -- displays -------------------------------------------------------------------------------------

    def _items(self, kind: str, node: Any, scope: Scope) -> Expr:
        items = tuple(
            Starred(self.read(element.value, scope), self.span(element.value))
            if isinstance(element, cst.StarredElement)
            else self.read(element.value, scope)
            for element in node.elements
        )
        return Items(cast(Any, kind), items, self.span(node))

    def _dict(self, node: cst.Dict, scope: Scope) -> Expr:
        pairs = tuple(
            Pair(self.read(element.key, scope), self.read(element.value, scope))
            if isinstance(element, cst.DictElement)
            else Pair(None, self.read(element.value, scope))
            for element in node.elements
        )
        return Pairs(pairs, self.span(node))

    def _comprehension(self, kind: str, node: Any, scope: Scope) -> Expr:
        clauses: list[Clause] = []
        inside = scope
        current = node.for_in
        while current is not None:
            iterable = self.read(current.iter, inside)
            inside = inside.comprehension(dict.fromkeys(target_names(current.target)))
            target = self.read(current.target, inside)
            conditions = tuple(self.read(condition.test, inside) for condition in current.ifs)
            clauses.append(Clause(target, iterable, conditions))
            current = current.inner_for_in
        if kind == "dict":
            element, value = self.read(node.key, inside), self.read(node.value, inside)
        else:
            element, value = self.read(node.elt, inside), None
        return Comprehension(cast(Any, kind), element, value, tuple(clauses), self.span(node))

    # -- operators ------------------------------------------------------------------------------------

    def _operation(self, operator: str, operands: Sequence[cst.CSTNode], node: cst.CSTNode, scope: Scope) -> Expr:
        return Operation(operator, tuple(self.read(operand, scope) for operand in operands), self.span(node))

    def _binary(self, node: cst.BinaryOperation | cst.BooleanOperation, scope: Scope) -> Expr:
        operator = type(node.operator)
        operands: list[cst.CSTNode] = [node.right]
        left: cst.CSTNode = node.left
        while isinstance(left, type(node)) and type(left.operator) is operator:
            operands.append(left.right)
            left = left.left
        operands.append(left)
        word = _OPERATORS.get(operator, operator.__name__)
        return self._operation(word, operands[::-1], node, scope)

    def _unary(self, node: cst.UnaryOperation, scope: Scope) -> Expr:
        return unary(_OPERATORS.get(type(node.operator), "?"), self.read(node.expression, scope), self.span(node))

    def _comparison(self, node: cst.Comparison, scope: Scope) -> Expr:
        rest = [
            (_OPERATORS.get(type(part.operator), "?"), self.read(part.comparator, scope)) for part in node.comparisons
        ]
        return comparison(self.read(node.left, scope), rest, self.span(node))

    def _either(self, node: cst.IfExp, scope: Scope) -> Expr:
        test, then, otherwise = (self.read(part, scope) for part in (node.test, node.body, node.orelse))
        return Either(test, then, otherwise, self.span(node))

    def _subscript(self, node: cst.Subscript, scope: Scope) -> Expr:
        indexes = tuple(self._index(element.slice, scope) for element in node.slice)
        index = indexes[0] if len(indexes) == 1 else Items("tuple", indexes)
        return Subscript(self.read(node.value, scope), index, self.span(node))

    def _index(self, node: cst.BaseSlice, scope: Scope) -> Expr:
        if isinstance(node, cst.Index):
            return self.read(node.value, scope)
        if not isinstance(node, cst.Slice):
            return Opaque("a subscript")
        nothing = Literal("none", "None")
        parts = (node.lower, node.upper, node.step)
        return Operation("slice", tuple(self.read(part, scope) if part is not None else nothing for part in parts))

    def _yield(self, node: cst.Yield, scope: Scope) -> Expr:
        if isinstance(node.value, cst.From):
            return self._operation("yield from", (node.value.item,), node, scope)
        return self._operation("yield", () if node.value is None else (node.value,), node, scope)
