"""Which names a scope binds, and what a name means: Python's own scoping, as far as resolving imports needs it."""

from __future__ import annotations

Names = dict[str, str | None]


class Bindings:
    """The names bound by a body: imports with their path, and everything else."""

    def __init__(self) -> None:
        self.imports: dict[str, str] = {}
        self.others: set[str] = set()
        self.outer: set[str] = set()

    def resolve_imports(self) -> Names:
        """Name → imported path, or None for what is bound in another way (or both ways: then it is unknown)."""
        resolved: Names = dict.fromkeys(self.others)
        resolved.update((name, path) for name, path in self.imports.items() if name not in self.others)
        return {name: path for name, path in resolved.items() if name not in self.outer}


class Scope:
    """What a name means at one place: the enclosing functions' names, then the class body's, then the module's."""

    __slots__ = ("_class_names", "_frames", "_module")

    def __init__(self, module: Names, frames: tuple[Names, ...] = (), class_names: Names | None = None) -> None:
        self._module = module
        self._frames = frames
        self._class_names = class_names

    def function(self, names: Names) -> Scope:
        """The scope inside a function, lambda or comprehension that binds these names."""
        return Scope(self._module, (*self._frames, names))

    def comprehension(self, names: Names) -> Scope:
        """As `function`, but the class body's imports stay visible (its first iterable runs there)."""
        return Scope(self._module, (*self._frames, names), self._class_names)

    def in_class(self, names: Names) -> Scope:
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
        path = self._module.get(name)
        return ("free", name) if path is None else ("imported", path)


def member(module: str, name: str) -> str:
    """The path of what a module has under a name; a module of dots alone is where a relative import starts."""
    return f"{module}{name}" if module.endswith(".") else f"{module}.{name}"
