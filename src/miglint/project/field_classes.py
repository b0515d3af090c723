"""Field classes of the project and of packages: which Django field each one derives from, as its source says.

Nothing is imported: a class is looked for where the import leads, through modules that only pass a name on, and its
bases likewise, in the order in which Python would ask them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from miglint.project.fields import FieldClass, canonical_class, known_kind
from miglint.project.source_module import SourceModule
from miglint.syntax.facts import (
    Assign,
    Class,
    Expr,
    Function,
    If,
    Import,
    Items,
    Literal,
    Name,
    Return,
    Statement,
    dotted,
    walk,
)

_MAX_HOPS = 12


@dataclass(frozen=True, slots=True)
class _Place:
    """A class where it is defined; `definition` is None where only its path is known."""

    path: str
    module: SourceModule | None = None
    definition: Class | None = None


class FieldClasses:
    """The classes of one run, each looked up once. `name_of` gives the dotted name of a file."""

    def __init__(self, module_of: Callable[[str], SourceModule | None], name_of: Callable[[str], str]) -> None:
        self._module_of = module_of
        self._name_of = name_of
        self._found: dict[tuple[str, str], FieldClass | None] = {}
        self._by_setting: dict[str, str] = {}
        # What each module said of a name while one is looked up; None while it is asked.
        self._asked: dict[tuple[str, str], _Place | None] = {}

    def set(self, setting: str, path: str) -> None:
        """A setting that names a class, as Django's DEFAULT_AUTO_FIELD does."""
        self._by_setting[f"django.conf.settings.{setting}"] = path

    def seen_from(self, file: str) -> Callable[[str], FieldClass | None]:
        """The class that a name in a file means, None where nothing more is known than the name."""

        def find(name: str) -> FieldClass | None:
            # Where a migration stands makes no difference to what an absolute name means, as far as anyone does it.
            key = ("", name) if "." in name and name[0] != "." else (file, name)
            if key not in self._found:
                self._found[key] = self._class(file, name)
            return self._found[key]

        return find

    def origin(self, file: str) -> Callable[[str], str]:
        """The path of the class that a name in a file means, where it is defined."""

        def find(name: str) -> str:
            module = self._module_of(file)
            place = self._looked_up(module, name) if module is not None else None
            return place.path if place is not None else name

        return find

    def _class(self, file: str, name: str) -> FieldClass | None:
        module = self._module_of(file)
        place = self._looked_up(module, self._by_setting.get(name, name)) if module is not None else None
        if place is None:
            return None
        order = self._order(place, {})
        definitions: list[Class] = []
        for each in order:
            kind = (canonical_class(each.path) or "").rpartition(".")[2] or known_kind(each.path)
            if kind == "Field":
                kind = next(filter(None, (known_kind(other.path) for other in order)), kind)
            if each.definition is None or canonical_class(each.path):
                return FieldClass(_deconstructed(place.path, definitions), kind, tuple(definitions))
            definitions.append(each.definition)
            if kind is not None and not any(canonical_class(other.path) for other in order):
                return FieldClass(_deconstructed(place.path, definitions), kind, tuple(definitions))
        return FieldClass(_deconstructed(place.path, definitions), None, tuple(definitions))

    def _order(self, place: _Place, known: dict[str, list[_Place]], depth: int = 0) -> list[_Place]:
        """A class and its bases, each before what it derives from; of a base that several share the last counts.

        `known` has the orders of classes by their paths: each is found once, also of a class that derives from itself.
        """
        if place.path not in known:
            known[place.path] = [place]
            reached: list[_Place] = [place]
            for base in self._bases(place) if depth < _MAX_HOPS else ():
                reached.extend(self._order(base, known, depth + 1))
            last = {each.path: index for index, each in enumerate(reached)}
            known[place.path] = [
                each for index, each in enumerate(reached) if last[each.path] == index and each.path != "object"
            ]
        return known[place.path]

    def _bases(self, place: _Place) -> Iterator[_Place]:
        if place.definition is None or place.module is None:
            return
        for base in place.definition.bases:
            path = dotted(base)
            found = self._looked_up(place.module, path) if path else None
            yield found if found is not None else _Place(path or "?")

    def _looked_up(self, module: SourceModule, name: str) -> _Place | None:
        """Where a name that a module uses is defined. Each module is asked once for a name: modules that import all of
        each other would be gone through again and again.
        """
        self._asked.clear()
        return self._place(module, name, 0)

    def _place(self, module: SourceModule, name: str, hops: int) -> _Place | None:
        if canonical_class(name) is not None or name == "object":
            return _Place(name)
        if hops > _MAX_HOPS:
            return None
        if "." not in name:
            return self._in_module(module, name, hops)
        owner, _, last = name.rpartition(".")
        if not owner.strip("."):
            owner = name[: len(name) - len(last)]
        inner = module.imported(owner)
        if inner is None:
            absolute = self._absolute(module, name)
            return _Place(absolute) if absolute else None
        return self._in_module(inner, last, hops + 1) or _Place(self._absolute(module, name) or name)

    def _in_module(self, module: SourceModule, name: str, hops: int) -> _Place | None:
        asked = (module.path, name)
        if asked not in self._asked:
            self._asked[asked] = None
            self._asked[asked] = self._found_in(module, name, hops)
        return self._asked[asked]

    def _found_in(self, module: SourceModule, name: str, hops: int) -> _Place | None:
        definition = module.facts.class_named(name)
        if definition is not None:
            return _Place(f"{self._name_of(module.path)}.{name}", module, definition)
        for statement in module.facts.body:
            if isinstance(statement, If) and self._is_one_of_several(module, statement, name, hops):
                return None
        return next(self._bound(module, module.facts.body, name, hops), None)

    def _bound(self, module: SourceModule, body: tuple[Statement, ...], name: str, hops: int) -> Iterator[_Place]:
        """What imports and assignments give a name, what is known to be a class first."""
        passed_on: list[_Place] = []
        for statement in walk(body, into_definitions=False):
            for alias in statement.aliases if isinstance(statement, Import) else ():
                if alias.bound == name:
                    found = self._place(module, alias.path, hops + 1)
                    if found is not None and (found.definition is not None or canonical_class(found.path)):
                        yield found
                    elif found is not None:
                        passed_on.append(found)
                elif alias.bound == "*":
                    inner = module.imported(alias.module)
                    found = self._in_module(inner, name, hops + 1) if inner is not None and hops < _MAX_HOPS else None
                    if found is not None:
                        yield found
            if isinstance(statement, Assign) and any(isinstance(t, Name) and t.name == name for t in statement.targets):
                path = dotted(statement.value)
                assigned = self._place(module, path, hops + 1) if path and path != name else None
                passed_on += [assigned] if assigned is not None else []
        yield from reversed(passed_on)

    def _is_one_of_several(self, module: SourceModule, statement: If, name: str, hops: int) -> bool:
        """Whether a condition, which is not looked into, decides of which kind of class a name is."""
        kinds = {place.path.rpartition(".")[2] for place in self._bound(module, (statement,), name, hops)}
        return len(kinds) > 1

    def _absolute(self, module: SourceModule, name: str) -> str | None:
        """A name as any module would write it."""
        if not name.startswith("."):
            return name
        tail = name.lstrip(".")
        package = self._name_of(module.path).split(".")
        up = len(name) - len(tail) - (1 if module.path.endswith("/__init__.py") else 0)
        return ".".join([*package[: len(package) - up], tail]) if up < len(package) else None


def _deconstructed(path: str, definitions: list[Class]) -> str | None:
    """The path that `deconstruct()` gives: the class's own, if no `deconstruct` puts another in its place."""
    for definition in definitions:
        for function in definition.body:
            if isinstance(function, Function) and function.name == "deconstruct":
                return _stated_path(function, path)
    return path


def _stated_path(function: Function, path: str) -> str | None:
    found: str | None = path
    for statement in function.statements():
        if isinstance(statement, Assign) and any(isinstance(t, Name) and t.name == "path" for t in statement.targets):
            found = _text(statement.value)
        elif isinstance(statement, Return):
            parts = statement.value.items if isinstance(statement.value, Items) else ()
            stated = parts[1] if len(parts) == 4 else None
            found = _text(stated) if isinstance(stated, Literal) else found
    return found


def _text(value: Expr) -> str | None:
    return value.text if isinstance(value, Literal) and value.kind == "str" else None
