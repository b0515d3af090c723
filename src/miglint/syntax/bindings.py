"""Which names LibCST statements bind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from miglint.syntax import scopes
from miglint.syntax.scopes import member


def import_module(node: cst.BaseExpression | None) -> str:
    """The dotted name in an import statement."""
    if isinstance(node, cst.Attribute):
        return f"{import_module(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def import_aliases(node: cst.BaseSmallStatement) -> Iterator[tuple[str, str, str, cst.CSTNode]]:
    """(path, bound name, module, node) of each name that an import statement binds."""
    if isinstance(node, cst.Import):
        for alias in node.names:
            module = import_module(alias.name)
            if alias.asname is not None:
                yield module, _target_name(alias.asname.name), module, alias.name
            else:
                root = module.split(".", 1)[0]
                yield root, root, module, alias.name
    elif isinstance(node, cst.ImportFrom):
        module = "." * len(node.relative) + import_module(node.module)
        if isinstance(node.names, cst.ImportStar):
            yield module, "*", module, node
            return
        for alias in node.names:
            name = import_module(alias.name)
            bound = _target_name(alias.asname.name) if alias.asname is not None else name
            yield member(module, name), bound, module, alias.name


def _target_name(node: cst.BaseExpression) -> str:
    return node.value if isinstance(node, cst.Name) else ""


def target_names(node: cst.CSTNode | None) -> Iterator[str]:
    """The names that an assignment target binds."""
    if isinstance(node, cst.Name):
        yield node.value
    elif isinstance(node, cst.Tuple | cst.List):
        for element in node.elements:
            yield from target_names(element.value)
    elif isinstance(node, cst.StarredElement):
        yield from target_names(node.value)


class Bindings(scopes.Bindings):
    """The names that a body of LibCST statements binds."""

    def add(self, statements: Sequence[cst.BaseStatement | cst.BaseSmallStatement]) -> None:
        """Collects from statements, not from the bodies of functions and classes."""
        for statement in statements:
            self._add(statement)

    def _add(self, node: cst.CSTNode) -> None:
        if isinstance(node, cst.SimpleStatementLine | cst.SimpleStatementSuite | cst.IndentedBlock):
            self.add(node.body)
        elif isinstance(node, cst.Import | cst.ImportFrom):
            for path, bound, _, _ in import_aliases(node):
                self.imports.setdefault(bound, path)
        elif isinstance(node, cst.Assign):
            for target in node.targets:
                self.others.update(target_names(target.target))
        elif isinstance(node, cst.AnnAssign | cst.AugAssign):
            self.others.update(target_names(node.target))
        elif isinstance(node, cst.FunctionDef | cst.ClassDef):
            self.others.add(node.name.value)
        elif isinstance(node, cst.Global | cst.Nonlocal):
            self.outer.update(item.name.value for item in node.names)
        elif isinstance(node, cst.If):
            self._add(node.body)
            if node.orelse is not None:
                self._add(node.orelse)
        elif isinstance(node, cst.Else | cst.Finally):
            self._add(node.body)
        elif isinstance(node, cst.For):
            self.others.update(target_names(node.target))
            self._block(node.body, node.orelse)
        elif isinstance(node, cst.While):
            self._block(node.body, node.orelse)
        elif isinstance(node, cst.With):
            for item in node.items:
                if item.asname is not None:
                    self.others.update(target_names(item.asname.name))
            self._add(node.body)
        elif isinstance(node, cst.Try | cst.TryStar):
            self._add(node.body)
            for handler in node.handlers:
                if handler.name is not None:
                    self.others.update(target_names(handler.name.name))
                self._add(handler.body)
            self._block(node.orelse, node.finalbody)
        elif isinstance(node, cst.Match):
            for case in node.cases:
                self._add(case.body)

    def _block(self, *parts: cst.CSTNode | None) -> None:
        for part in parts:
            if part is not None:
                self._add(part)
