"""The functions, classes and names of one file, as code finds them."""

from __future__ import annotations

from collections import Counter

from miglint.project.code import code_of, methods_of, module_assignments, unpacked
from miglint.project.source_module import SourceModule
from miglint.project.usage import Routine
from miglint.syntax.facts import (
    Assign,
    Class,
    Expr,
    Function,
    Import,
    ModuleFacts,
    Name,
    Statement,
    dotted,
    expressions,
    walk,
)


def times_bound(body: tuple[Statement, ...]) -> Counter[str]:
    """How often a body of statements gives each name a value; a function that surely replaces another counts alone."""
    found: Counter[str] = Counter()
    certain = {id(each) for each in body}
    for statement in walk(body, into_definitions=False):
        if isinstance(statement, Function) and id(statement) in certain:
            found[statement.name] = 1
        elif isinstance(statement, Function | Class):
            found[statement.name] += 1
        elif isinstance(statement, Import):
            found.update(alias.bound for alias in statement.aliases)
        elif isinstance(statement, Assign):
            found.update(
                each.name for target in statement.targets for each in expressions(target) if isinstance(each, Name)
            )
    return found


class File:
    """The definitions of one file."""

    def __init__(self, module: SourceModule) -> None:
        facts = module.facts
        self.module = module
        self.values = module_assignments(facts)
        self.functions: dict[str, tuple[Function, ...]] = {}
        certain = {id(each) for each in facts.body}
        for each in facts.top(Function):
            # One that stands under no condition takes the place of those before it.
            before = self.functions.get(each.name, ()) if id(each) not in certain else ()
            self.functions[each.name] = (*before, each)
        self.classes: dict[str, Class] = {each.name: each for each in facts.top(Class)}
        self.unpacked = unpacked(facts)
        self._times = times_bound(facts.body)

    def routines(self, name: str) -> tuple[Routine, ...]:
        """The functions of a name: several where it depends on a condition which of them it is."""
        is_certain = self._times.get(name) == 1
        found = self.functions.get(name, ())
        return tuple(Routine(code_of(function), self.module, is_certain=is_certain) for function in found)

    def method(self, owner: str, name: str) -> Routine | None:
        """A method of a class or of its bases, as far as they stand in the file."""
        for definition in self.family(owner):
            for method in methods_of(definition):
                if method.name == name:
                    is_certain = times_bound(definition.body)[name] == 1
                    return Routine(code_of(method, owner=definition.name), self.module, is_certain=is_certain)
        return None

    def class_value(self, owner: str, name: str) -> Expr | None:
        """What a class or one of its bases assigns to a name, once."""
        for definition in self.family(owner):
            found = module_assignments(ModuleFacts(body=definition.body)).get(name)
            if found is not None:
                return found
        return None

    def family(self, owner: str) -> list[Class]:
        """A class and its bases, as far as they stand in the file."""
        found: list[Class] = []
        pending = [owner]
        while pending:
            definition = self.classes.get(pending.pop(0))
            if definition is not None and definition not in found:
                found.append(definition)
                pending.extend(dotted(base) for base in definition.bases)
        return found
