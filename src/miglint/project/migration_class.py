"""The class that a file calls `Migration`: where it stands, and what it says, its base classes included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from miglint.lazy import lazy
from miglint.project.arguments import truth_of
from miglint.project.class_changes import changes
from miglint.project.elsewhere import placed
from miglint.project.truth import Truth
from miglint.syntax.evaluate import UNSET, Values, module_values
from miglint.syntax.facts import (
    Assign,
    Class,
    Either,
    Expr,
    Function,
    If,
    Import,
    Items,
    ModuleFacts,
    Name,
    Opaque,
    Statement,
    blocks,
    dotted,
)
from miglint.syntax.names import Outside

Lookup = Callable[[str], "ModuleFacts | None"]

_DJANGO_BASES = ("django.db.migrations.Migration", "django.db.migrations.migration.Migration")
_MAX_BASES = 8


def migration_class(facts: ModuleFacts, lookup: Lookup, around: Outside) -> Class | str:
    """The class that a module calls `Migration`; why it is not known, as words that follow "it is".

    Of one that stands elsewhere (`Migration = Other`) it is a class that only derives from it.
    """
    classes: list[Class] = [each for each in facts.top(Class) if each.name == "Migration"]
    if len(classes) == 1:
        return classes[0]
    bound = list(_binding("Migration", facts.body, module_values(facts.body, around)))
    if not bound:
        return "`Migration`, which is not defined in this file"
    statement = bound[-1][0]
    if len(bound) > 1 and not all(sure for _, sure in bound):
        return "`Migration`, which is chosen by a condition"
    if isinstance(statement, Class):
        return statement
    base = _base_of("Migration", statement)
    if base is None or class_of(base.name, facts, lookup) is None:
        return "`Migration`, which is not defined in this file"
    return Class("Migration", (base,), (), (), (), statement.span)


def _binding(name: str, body: Sequence[Statement], values: Values) -> Iterator[tuple[Statement, bool]]:
    """The statements that bind a name, in order, and whether they are certainly reached."""
    for statement in body:
        holds = values.around.holds(statement.test, values) if isinstance(statement, If) else None
        if isinstance(statement, If) and holds is not None:
            yield from _binding(name, statement.body if holds else statement.otherwise, values)
        elif isinstance(statement, Class):
            if statement.name == name:
                yield statement, True
        elif isinstance(statement, Import | Assign):
            if _base_of(name, statement) is not None:
                yield statement, True
        elif not isinstance(statement, Function):
            for block in blocks(statement):
                yield from ((inner, False) for inner, _ in _binding(name, block, values))


def _base_of(name: str, statement: Statement) -> Name | None:
    """What an import or an assignment binds a name to."""
    match statement:
        case Import(aliases=aliases):
            return next((Name(a.path, "imported", statement.span) for a in aliases if a.bound == name), None)
        case Assign(targets=targets, value=Name() as value) if any(dotted(target) == name for target in targets):
            return value
    return None


def class_of(path: str, facts: ModuleFacts, lookup: Lookup) -> tuple[Class, ModuleFacts] | None:
    """A class by the name that a module has for it, and where it stands; None where that is Django or not known."""
    module, name = _module_of(path)
    if path in _DJANGO_BASES or not name:
        return None
    where = lookup(module) if module else facts
    definition = where.class_named(name) if where is not None else None
    return (definition, where) if definition is not None and where is not None else None


def before_django(definition: Class) -> Iterator[Expr]:
    """The bases that come before Django's own, which has a value for each attribute."""
    return takewhile(lambda base: dotted(base) not in _DJANGO_BASES, definition.bases)


def _module_of(path: str) -> tuple[str, str]:
    """The module of a name, as it is imported, and the name in it: of `..Base` the dots are the module."""
    name = path.rpartition(".")[2]
    module = path[: -len(name)] if name else path
    return (module[:-1] if module.strip(".") else module), name


class _Base(NamedTuple):
    """A base class of the project, where it stands, how the module is imported there, and what its body says."""

    definition: Class
    facts: ModuleFacts
    module: str
    values: Values


class Attributes:
    """What a `Migration` class says of itself, in its own body and in those of the project's base classes."""

    def __init__(self, definition: Class, facts: ModuleFacts, lookup: Lookup, around: Outside) -> None:
        self.definition = definition
        self._facts = facts
        self._lookup = lookup
        self._around = around
        self.values = Values(module_values(facts.body, around, definition)).run(definition.body)
        # Why an attribute is not what the bodies say, by its name: something changes it afterwards.
        self.computed = changes(definition, facts)
        for base in reversed(self._bases):
            self.computed = changes(base.definition, base.facts) | self.computed

    @property
    def methods(self) -> set[str]:
        """The names of the methods that the class has, or a base class of the project."""
        definitions = (self.definition, *(base.definition for base in self._bases))
        return {each.name for definition in definitions for each in definition.body if isinstance(each, Function)}

    @property
    def atomic(self) -> Truth:
        """Whether the migration runs in a transaction."""
        return self._atomic(self.definition, self.values, self._facts)

    @property
    def unknown_base(self) -> Expr | None:
        """A base class that cannot be read."""
        classes = [(self.definition, self._facts), *((base.definition, base.facts) for base in self._bases)]
        for definition, facts in classes:
            for base in before_django(definition):
                if dotted(base) != "object" and class_of(dotted(base), facts, self._lookup) is None:
                    return base
        return None

    def get(self, name: str) -> Expr | None:
        """An attribute of the class, or of a base class of the project that can be read."""
        given = self.values.names.get(name)
        return self._inherited(name) if given is None else self._filled(given, name)

    def _inherited(self, name: str) -> Expr | None:
        for base in self._bases:
            found = base.values.names.get(name)
            if found is not None:
                found = base.values.resolve_all(found)
                here = base.facts is self._facts
                return found if here else placed(found, base.facts, base.module, self.definition.span)
        return None

    def _filled(self, value: Expr, name: str) -> Expr:
        """An attribute that the class sets under a condition only is its base's otherwise. Source: Migration, `[]`"""
        if isinstance(value, Opaque) and value.why == UNSET:
            return self._inherited(name) or Items("list", (), value.span)
        if isinstance(value, Either):
            then, otherwise = (self._filled(way, name) for way in (value.then, value.otherwise))
            return Either(value.test, then, otherwise, value.span)
        return value

    @lazy
    def _bases(self) -> tuple[_Base, ...]:
        """The project's own base classes that can be read, the nearest first."""
        found: list[_Base] = []
        pending = [(base, self._facts) for base in before_django(self.definition)]
        for _ in range(_MAX_BASES):
            if not pending:
                break
            base, facts = pending.pop(0)
            read = class_of(dotted(base), facts, self._lookup)
            if read is not None:
                definition, where = read
                values = Values(module_values(where.body, self._around, definition)).run(definition.body)
                found.append(_Base(definition, where, _module_of(dotted(base))[0], values))
                pending.extend((each, where) for each in before_django(definition))
        return tuple(found)

    def _atomic(self, definition: Class, values: Values, facts: ModuleFacts, depth: int = 0) -> Truth:
        if "atomic" in self.computed:
            return Truth.UNKNOWN
        given = values.names.get("atomic")
        if given is not None:
            return Truth.of(truth_of(values.resolve(given)))
        for base in before_django(definition) if depth <= _MAX_BASES else ():
            found = class_of(dotted(base), facts, self._lookup)
            if found is None:
                return Truth.UNKNOWN
            inner, where = found
            inherited = Values(module_values(where.body, self._around)).run(inner.body)
            atomic = self._atomic(inner, inherited, where, depth + 1)
            if atomic is not Truth.YES:
                return atomic
        return Truth.YES
