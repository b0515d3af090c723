"""Which names a scope binds: Python's own scoping, as far as resolving imports needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst


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
            yield f"{module}{'' if module.endswith('.') else '.'}{name}", bound, module, alias.name


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


class Bindings:
    """The names bound by a body: imports with their path, and everything else."""

    def __init__(self) -> None:
        self.imports: dict[str, str] = {}
        self.others: set[str] = set()
        self.outer: set[str] = set()

    def resolve_imports(self) -> dict[str, str | None]:
        """Name → imported path, or None for what is bound in another way (or both ways: then it is unknown)."""
        resolved: dict[str, str | None] = dict.fromkeys(self.others)
        resolved.update((name, path) for name, path in self.imports.items() if name not in self.others)
        return {name: path for name, path in resolved.items() if name not in self.outer}

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


class ModuleScope:
    """The names of a module's own level."""

    def __init__(self, module: cst.Module) -> None:
        bindings = Bindings()
        bindings.add(module.body)
        self.names = bindings.resolve_imports()


class Scope:
    """What a name means at one place: the enclosing functions' names, then the class body's, then the module's."""

    __slots__ = ("_class_names", "_frames", "_module")

    def __init__(
        self,
        module: ModuleScope,
        frames: tuple[dict[str, str | None], ...] = (),
        class_names: dict[str, str | None] | None = None,
    ) -> None:
        self._module = module
        self._frames = frames
        self._class_names = class_names

    def function(self, names: dict[str, str | None]) -> Scope:
        """The scope inside a function, lambda or comprehension that binds these names."""
        return Scope(self._module, (*self._frames, names))

    def comprehension(self, names: dict[str, str | None]) -> Scope:
        """As `function`, but the class body's imports stay visible (its first iterable runs there)."""
        return Scope(self._module, (*self._frames, names), self._class_names)

    def in_class(self, names: dict[str, str | None]) -> Scope:
        """The scope of a class body."""
        return Scope(self._module, self._frames, names)

    def resolve(self, name: str) -> tuple[str, str]:
        """(scope word, name or imported path) as `facts.Name` has them."""
        for frame in reversed(self._frames):
            if name in frame:
                path = frame[name]
                return ("local", name) if path is None else ("imported", path)
        if self._class_names is not None and name in self._class_names:
            path = self._class_names[name]
            return ("free", name) if path is None else ("imported", path)
        path = self._module.names.get(name)
        return ("free", name) if path is None else ("imported", path)
