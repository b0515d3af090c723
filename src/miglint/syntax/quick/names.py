"""Which names `ast` statements bind."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from miglint.syntax import scopes
from miglint.syntax.scopes import member


def import_aliases(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str, str, ast.alias]]:
    """(path, bound name, module, node) of each name that an import statement binds."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            root = alias.name.partition(".")[0]
            path, bound = (root, root) if alias.asname is None else (alias.name, alias.asname)
            yield path, bound, alias.name, alias
        return
    module = "." * node.level + (node.module or "")
    for alias in node.names:
        if alias.name == "*":
            yield module, "*", module, alias
        else:
            yield member(module, alias.name), alias.asname or alias.name, module, alias


def target_names(node: ast.expr) -> Iterator[str]:
    """The names that an assignment target binds."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Tuple | ast.List):
        for element in node.elts:
            yield from target_names(element)
    elif isinstance(node, ast.Starred):
        yield from target_names(node.value)


class Bindings(scopes.Bindings):
    """The names that a body of `ast` statements binds."""

    def add(self, statements: Sequence[ast.stmt]) -> None:
        """Collects from statements, not from the bodies of functions and classes."""
        for statement in statements:
            collect = _COLLECT.get(type(statement))
            if collect is not None:
                collect(self, statement)

    def bind(self, target: ast.expr) -> None:
        """Adds what a target binds."""
        if type(target) is ast.Name:
            self.others.add(target.id)
        else:
            self.others.update(target_names(target))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for path, bound, _, _ in import_aliases(node):
            self.imports.setdefault(bound, path)

    def _assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.bind(target)

    def _one_target(self, node: ast.AnnAssign | ast.AugAssign) -> None:
        self.bind(node.target)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.others.add(node.name)

    def _outer(self, node: ast.Global | ast.Nonlocal) -> None:
        self.outer.update(node.names)

    def _branches(self, node: ast.If | ast.While) -> None:
        # An `elif` chain is as long as its text: it is not followed by recursion.
        self.add(node.body)
        while len(node.orelse) == 1 and type(node.orelse[0]) is ast.If:
            node = node.orelse[0]
            self.add(node.body)
        self.add(node.orelse)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.bind(node.target)
        self.add(node.body)
        self.add(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                self.bind(item.optional_vars)
        self.add(node.body)

    def _try(self, node: ast.Try) -> None:
        self.add(node.body)
        for handler in node.handlers:
            if handler.name is not None:
                self.others.add(handler.name)
            self.add(handler.body)
        self.add(node.orelse)
        self.add(node.finalbody)

    def _match(self, node: ast.Match) -> None:
        for case in node.cases:
            self.add(case.body)


_COLLECT: dict[type[ast.stmt], Callable[[Bindings, Any], None]] = {
    ast.Import: Bindings._import,
    ast.ImportFrom: Bindings._import,
    ast.Assign: Bindings._assign,
    ast.AnnAssign: Bindings._one_target,
    ast.AugAssign: Bindings._one_target,
    ast.FunctionDef: Bindings._definition,
    ast.AsyncFunctionDef: Bindings._definition,
    ast.ClassDef: Bindings._definition,
    ast.Global: Bindings._outer,
    ast.Nonlocal: Bindings._outer,
    ast.If: Bindings._branches,
    ast.While: Bindings._branches,
    ast.For: Bindings._for,
    ast.AsyncFor: Bindings._for,
    ast.With: Bindings._with,
    ast.AsyncWith: Bindings._with,
    ast.Try: Bindings._try,
    ast.Match: Bindings._match,
}
# Python 3.11 has a node of its own for `except*`.
if hasattr(ast, "TryStar"):
    _COLLECT[ast.TryStar] = Bindings._try
