"""Where the nodes of a LibCST tree stand in its text: its tokens are found in the text one after the other.

LibCST's own metadata wrapper copies the tree and renders it, which costs more than the parse. Between two tokens
there are only white space, comments and punctuation, so the next place of a token behind the one before it is the
token itself, if each keyword and name is looked for in the order of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import libcst as cst

from miglint.text import NOWHERE, Span

_NONE = 1 << 62
_UNARY: dict[type[cst.CSTNode], str] = {cst.Minus: "-", cst.Plus: "+", cst.BitInvert: "~", cst.Not: "not"}
_WORDS: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.In: ("in",),
    cst.NotIn: ("not", "in"),
    cst.Is: ("is",),
    cst.IsNot: ("is", "not"),
    cst.And: ("and",),
    cst.Or: ("or",),
}
_SIGNS: dict[type[cst.CSTNode], str] = {cst.Add: "+", cst.Subtract: "-"}


class _Lost(Exception):
    """The tree does not say what the text says."""


class Positions:
    """The spans of a tree's expressions and statements, without surrounding white space.

    An expression's span leaves out parentheses around it, save those of a tuple, which make it one for a reader. A
    compound statement's is its first word. The tree must be kept alive as long as this is used: nodes are told apart by
    identity. `start` is where the text that was parsed starts in `text`.
    """

    def __init__(self, module: cst.Module, text: str, start: int = 0) -> None:
        follower = _Follower(module, text, start)
        try:
            follower.block(module.body)
            self.exact = follower.is_at_end()
        except _Lost:
            self.exact = False
        follower.close()
        # With one token in another place than it seems, all behind it are: then no place is given.
        self._spans = follower.spans if self.exact else {}

    def span(self, node: object) -> Span:
        return self._spans.get(id(node), NOWHERE)


class _Follower:
    """Goes through a tree in the order of its text. `at` is where the last token ended.

    It refers to itself by its methods: `close` lets go of the tree, which only a collector would do else.
    """

    def __init__(self, module: cst.Module, text: str, start: int) -> None:
        self._module = module
        self._text = text
        self._comment = -1
        self.at = start
        self.spans: dict[int, Span] = {}
        self._readers: dict[type[cst.CSTNode], Callable[[Any], int]] = {
            cst.Name: self._leaf,
            cst.SimpleString: self._leaf,
            cst.Integer: self._leaf,
            cst.Float: self._leaf,
            cst.Imaginary: self._leaf,
            cst.Ellipsis: lambda node: self.find("..."),
            cst.ConcatenatedString: lambda node: self._both(node.left, node.right),
            cst.FormattedString: self._template,
            cst.Attribute: lambda node: self._both(node.value, node.attr),
            cst.Call: self._call,
            cst.List: lambda node: self._display("[", node.elements, "]"),
            cst.Set: lambda node: self._display("{", node.elements, "}"),
            cst.Dict: lambda node: self._display("{", node.elements, "}"),
            cst.Tuple: self._tuple,
            cst.BinaryOperation: self._binary,
            cst.BooleanOperation: self._boolean,
            cst.UnaryOperation: self._unary,
            cst.Comparison: self._comparison,
            cst.IfExp: self._either,
            cst.Subscript: self._subscript,
            cst.Lambda: self._lambda,
            cst.ListComp: lambda node: self._comprehension("[", node, "]"),
            cst.SetComp: lambda node: self._comprehension("{", node, "}"),
            cst.DictComp: lambda node: self._comprehension("{", node, "}"),
            cst.GeneratorExp: lambda node: self._comprehension("", node, ""),
            cst.NamedExpr: lambda node: self._both(node.target, node.value),
            cst.Await: lambda node: self._after("await", node.expression),
            cst.Yield: self._yield,
            cst.StarredElement: lambda node: self._after("*", node.value),
        }
        templated = getattr(cst, "TemplatedString", None)  # t-strings, in the LibCST releases that know them
        if templated is not None:
            self._readers[templated] = self._template
        self._statements: dict[type[cst.CSTNode], Callable[[Any], int]] = {
            cst.Assign: self._assign,
            cst.AnnAssign: self._annotated,
            cst.AugAssign: self._augment,
            cst.Expr: lambda node: self.visit(node.value),
            cst.Import: self._import,
            cst.ImportFrom: self._import_from,
            cst.Pass: lambda node: self.find("pass"),
            cst.Break: lambda node: self.find("break"),
            cst.Continue: lambda node: self.find("continue"),
            cst.Return: lambda node: self._after("return", node.value),
            cst.Raise: self._raise,
            cst.Del: lambda node: self._after("del", node.target),
            cst.Assert: self._assert,
            cst.Global: lambda node: self._names("global", node),
            cst.Nonlocal: lambda node: self._names("nonlocal", node),
            cst.FunctionDef: self._function,
            cst.ClassDef: self._class,
            cst.If: self._if,
            cst.Else: lambda node: self._compound("else", node.body),
            cst.For: self._for,
            cst.While: self._while,
            cst.With: self._with,
            cst.Try: self._try,
            cst.TryStar: self._try,
            cst.Finally: lambda node: self._compound("finally", node.body),
            cst.Match: self._match,
        }

    # -- tokens ---------------------------------------------------------------------------------------

    def close(self) -> None:
        self._readers.clear()
        self._statements.clear()

    def find(self, token: str) -> int:
        """Where the next token starts, which is this one; `at` is then its end."""
        start = self._text.find(token, self.at)
        if start < 0:
            raise _Lost
        if start > self._comment:
            start = self._behind_comments(token, start)
        self.at = start + len(token)
        return start

    def _behind_comments(self, token: str, start: int) -> int:
        """As it was found, or behind the comments in between."""
        text = self._text
        while start > self._comment:
            if self._comment >= self.at:
                ends = [end for end in (text.find("\n", self._comment), text.find("\r", self._comment)) if end >= 0]
                self.at = min(ends, default=len(text))
                start = text.find(token, self.at)
                if start < 0:
                    raise _Lost
            # A `#` before the last token's end was one inside of a string.
            found = text.find("#", self.at)
            self._comment = found if found >= 0 else _NONE
        return start

    def is_at_end(self) -> bool:
        """Whether nothing but white space, comments and semicolons is left."""
        for line in self._text[self.at :].splitlines():
            code = line.partition("#")[0].strip(" \t\f;\\")
            if code:
                return False
        return True

    def _find_words(self, words: Iterable[str]) -> None:
        for word in words:
            self.find(word)

    # -- expressions ----------------------------------------------------------------------------------

    def visit(self, node: Any) -> int:
        """Notes where an expression is, and all that is in it; where it starts with the parentheses around it."""
        reader = self._readers.get(type(node))
        if reader is None:
            return self._skip(node)
        opened = node.lpar
        if not opened:
            start = reader(node)
            self.spans[id(node)] = Span(start, self.at)
            return start
        outer = inner = self.find("(")
        for _ in opened[1:]:
            inner = self.find("(")
        start = reader(node)
        end = self.at
        for index, _ in enumerate(opened):
            self.find(")")
            if index == 0 and type(node) is cst.Tuple:
                start, end = inner, self.at
        self.spans[id(node)] = Span(start, end)
        return outer

    def _skip(self, node: cst.CSTNode) -> int:
        """Passes what no facts are made of (patterns, type parameters), as LibCST writes it, save the indentation."""
        words = self._module.code_for_node(node).split()
        start = self.find(words[0])
        self._find_words(words[1:])
        return start

    def _leaf(self, node: Any) -> int:
        return self.find(node.value)

    def _both(self, left: Any, right: Any) -> int:
        start = self.visit(left)
        self.visit(right)
        return start

    def _after(self, word: str, node: Any) -> int:
        start = self.find(word)
        if node is not None:
            self.visit(node)
        return start

    def _template(self, node: Any) -> int:
        start = self.find(node.start)
        for part in node.parts:
            if not hasattr(part, "expression"):
                self.find(part.value)
            else:
                self._replacement(part)
        self.find(node.end)
        return start

    def _replacement(self, part: Any) -> None:
        self.find("{")
        self.visit(part.expression)
        if part.conversion is not None:
            self.find(part.conversion)
        for inner in part.format_spec or ():
            if hasattr(inner, "expression"):
                self._replacement(inner)
            else:
                self.find(inner.value)
        self.find("}")

    def _call(self, node: cst.Call) -> int:
        start = self.visit(node.func)
        self.find("(")
        for argument in node.args:
            self._argument(argument)
        self.find(")")
        return start

    def _argument(self, argument: cst.Arg) -> None:
        if argument.keyword is not None:
            self.visit(argument.keyword)
        self.visit(argument.value)

    def _display(self, opening: str, elements: Iterable[Any], closing: str) -> int:
        start = self.find(opening)
        for element in elements:
            self._element(element)
        self.find(closing)
        return start

    def _element(self, node: Any) -> int:
        kind = type(node)
        if kind is cst.DictElement:
            return self._both(node.key, node.value)
        # What is starred is an expression of its own, `**` in a dictionary is none.
        return self.visit(node if kind is cst.StarredElement else node.value)

    def _tuple(self, node: cst.Tuple) -> int:
        start = self.at
        for index, element in enumerate(node.elements):
            found = self._element(element)
            start = start if index else found
        if node.elements and isinstance(node.elements[-1].comma, cst.Comma):
            self.find(",")
        return start

    def _binary(self, node: cst.BinaryOperation) -> int:
        start = self.visit(node.left)
        # The others are no unary operators, too.
        self._find_words(_SIGNS.get(type(node.operator), ()))
        self.visit(node.right)
        return start

    def _boolean(self, node: cst.BooleanOperation) -> int:
        start = self.visit(node.left)
        self._find_words(_WORDS[type(node.operator)])
        self.visit(node.right)
        return start

    def _unary(self, node: cst.UnaryOperation) -> int:
        return self._after(_UNARY[type(node.operator)], node.expression)

    def _comparison(self, node: cst.Comparison) -> int:
        start = self.visit(node.left)
        for target in node.comparisons:
            self._find_words(_WORDS.get(type(target.operator), ()))
            self.visit(target.comparator)
        return start

    def _either(self, node: cst.IfExp) -> int:
        start = self.visit(node.body)
        self._after("if", node.test)
        self._after("else", node.orelse)
        return start

    def _subscript(self, node: cst.Subscript) -> int:
        start = self.visit(node.value)
        self.find("[")
        for element in node.slice:
            index: Any = element.slice
            for part in (index.value,) if isinstance(index, cst.Index) else (index.lower, index.upper, index.step):
                if part is not None:
                    self.visit(part)
        self.find("]")
        return start

    def _lambda(self, node: cst.Lambda) -> int:
        start = self.find("lambda")
        self._parameters(node.params)
        self.visit(node.body)
        return start

    def _parameters(self, node: cst.Parameters) -> None:
        parameters = [*node.posonly_params, *node.params]
        if isinstance(node.star_arg, cst.Param):
            parameters.append(node.star_arg)
        parameters += node.kwonly_params
        if node.star_kwarg is not None:
            parameters.append(node.star_kwarg)
        for parameter in parameters:
            self.visit(parameter.name)
            if parameter.annotation is not None:
                self.visit(parameter.annotation.annotation)
            if parameter.default is not None:
                self.visit(parameter.default)

    def _comprehension(self, opening: str, node: Any, closing: str) -> int:
        start = self.find(opening) if opening else -1
        if isinstance(node, cst.DictComp):
            self._both(node.key, node.value)
        else:
            found = self.visit(node.elt)
            start = start if opening else found
        current = node.for_in
        while current is not None:
            self._find_words(("async", "for") if current.asynchronous is not None else ("for",))
            self.visit(current.target)
            self._after("in", current.iter)
            for condition in current.ifs:
                self._after("if", condition.test)
            current = current.inner_for_in
        if closing:
            self.find(closing)
        return start

    def _yield(self, node: cst.Yield) -> int:
        start = self.find("yield")
        if isinstance(node.value, cst.From):
            self._after("from", node.value.item)
        elif node.value is not None:
            self.visit(node.value)
        return start

    # -- simple statements ----------------------------------------------------------------------------

    def _assign(self, node: cst.Assign) -> int:
        starts = [self.visit(target.target) for target in node.targets]
        self.visit(node.value)
        return starts[0]

    def _annotated(self, node: cst.AnnAssign) -> int:
        start = self._both(node.target, node.annotation.annotation)
        if node.value is not None:
            self.visit(node.value)
        return start

    def _augment(self, node: cst.AugAssign) -> int:
        start = self.visit(node.target)
        self._after("=", node.value)
        return start

    def _import(self, node: cst.Import) -> int:
        start = self.find("import")
        self._aliases(node.names)
        return start

    def _import_from(self, node: cst.ImportFrom) -> int:
        start = self.find("from")
        if node.module is not None:
            self.visit(node.module)
        self.find("import")
        if isinstance(node.names, cst.ImportStar):
            self.find("*")
        else:
            self._aliases(node.names)
        if node.rpar is not None:
            self.find(")")
        return start

    def _aliases(self, names: Iterable[cst.ImportAlias]) -> None:
        for alias in names:
            self.visit(alias.name)
            self._as(alias.asname)

    def _as(self, node: cst.AsName | None) -> None:
        if node is not None:
            self._after("as", node.name)

    def _raise(self, node: cst.Raise) -> int:
        start = self._after("raise", node.exc)
        if node.cause is not None:
            self._after("from", node.cause.item)
        return start

    def _assert(self, node: cst.Assert) -> int:
        start = self._after("assert", node.test)
        if node.msg is not None:
            self.visit(node.msg)
        return start

    def _names(self, word: str, node: cst.Global | cst.Nonlocal) -> int:
        start = self.find(word)
        for item in node.names:
            self.visit(item.name)
        return start

    # -- compound statements --------------------------------------------------------------------------

    def block(self, statements: Iterable[Any]) -> None:
        """Goes through a body."""
        for statement in statements:
            if isinstance(statement, cst.SimpleStatementLine):
                for each in statement.body:
                    self._statement(each)
            else:
                self._statement(statement)

    def _statement(self, node: Any) -> None:
        reader = self._statements.get(type(node))
        if reader is None:
            self._skip(node)
        else:
            start = reader(node)
            self.spans[id(node)] = Span(start, self.at)

    def _body(self, suite: Any) -> None:
        if isinstance(suite, cst.SimpleStatementSuite):
            for each in suite.body:
                self._statement(each)
        else:
            self.block(suite.body)

    def _compound(self, word: str, body: Any) -> int:
        start = self.find(word)
        self._body(body)
        return start

    def _otherwise(self, node: Any) -> None:
        if node is not None:
            self._statement(node)

    def _decorators(self, node: cst.FunctionDef | cst.ClassDef) -> None:
        for decorator in node.decorators:
            self.visit(decorator.decorator)

    def _opening(self, node: cst.LeftParen | cst.MaybeSentinel) -> None:
        """Passes the parenthesis of a statement, lest it be taken for that of its first expression."""
        if isinstance(node, cst.LeftParen):
            self.find("(")

    def _function(self, node: cst.FunctionDef) -> int:
        self._decorators(node)
        start = self.find("async" if node.asynchronous is not None else "def")
        self._after("def", node.name) if node.asynchronous is not None else self.visit(node.name)
        if node.type_parameters is not None:
            self._skip(node.type_parameters)
        self.find("(")
        self._parameters(node.params)
        self.find(")")
        if node.returns is not None:
            self.visit(node.returns.annotation)
        self._body(node.body)
        return start

    def _class(self, node: cst.ClassDef) -> int:
        self._decorators(node)
        start = self._after("class", node.name)
        if node.type_parameters is not None:
            self._skip(node.type_parameters)
        self._opening(node.lpar)
        for argument in (*node.bases, *node.keywords):
            self._argument(argument)
        self._body(node.body)
        return start

    def _if(self, node: cst.If) -> int:
        start = self._after("if", node.test)
        self._body(node.body)
        # An `elif` chain is as long as its text: it is followed without recursion.
        part: Any = node.orelse
        while isinstance(part, cst.If):
            self._after("elif", part.test)
            self._body(part.body)
            part = part.orelse
        self._otherwise(part)
        return start

    def _for(self, node: cst.For) -> int:
        start = self.find("async" if node.asynchronous is not None else "for")
        if node.asynchronous is not None:
            self.find("for")
        self.visit(node.target)
        self._after("in", node.iter)
        self._body(node.body)
        self._otherwise(node.orelse)
        return start

    def _while(self, node: cst.While) -> int:
        start = self._after("while", node.test)
        self._body(node.body)
        self._otherwise(node.orelse)
        return start

    def _with(self, node: cst.With) -> int:
        start = self.find("async" if node.asynchronous is not None else "with")
        if node.asynchronous is not None:
            self.find("with")
        self._opening(node.lpar)
        for item in node.items:
            self.visit(item.item)
            self._as(item.asname)
        self._body(node.body)
        return start

    def _try(self, node: cst.Try | cst.TryStar) -> int:
        start = self._compound("try", node.body)
        for handler in node.handlers:
            self._after("except", handler.type)
            self._as(handler.name)
            self._body(handler.body)
        self._otherwise(node.orelse)
        self._otherwise(node.finalbody)
        return start

    def _match(self, node: cst.Match) -> int:
        start = self._after("match", node.subject)
        for case in node.cases:
            self.find("case")
            self._skip(case.pattern)
            if case.guard is not None:
                self._after("if", case.guard)
            self._body(case.body)
        return start
