"""Operation classes of a project or a package: which of Django's they extend, and what they do otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from miglint.project.operations import operation_class
from miglint.syntax.facts import Class, Evaluate, Flow, Function, Literal, ModuleFacts, Return, dotted

# Where a class is written: its definition, and the facts of the module that it is in.
Find = Callable[[str, ModuleFacts], "tuple[Class, ModuleFacts] | None"]

_PLAIN = frozenset({"django.db.migrations.operations.base.Operation"})
# Bases that change nothing of the state.
_ASIDE = frozenset({"object", "django.contrib.postgres.operations.NotInTransactionMixin"})
# Methods that make a subclass of a Django operation another operation.
_MEANING = frozenset({"state_forwards", "database_forwards", "database_backwards"})
# Methods that decide what its arguments mean.
_ARGUMENTS = frozenset({"__init__", "__new__", "deconstruct"})
_MAX_DEPTH = 8


class OperationClass(msgspec.Struct, frozen=True):
    """A class, read with its bases: `base` is the class of Django that it extends, "" where that is `Operation`.

    `methods` are its own and those of the classes between, by name.
    """

    base: str
    methods: Mapping[str, Function]

    @property
    def is_base(self) -> bool:
        """Whether it does what its base does."""
        return self.base != "" and not self.methods.keys() & (_MEANING | _ARGUMENTS)

    @property
    def is_base_in_state(self) -> bool:
        """Whether it does to the state what its base does, whatever it does to the database."""
        return self.base != "" and not self.methods.keys() & ({"state_forwards"} | _ARGUMENTS)

    @property
    def leaves_state(self) -> bool:
        """Whether it does nothing to the state."""
        own = self.methods.get("state_forwards")
        return own is not None and all(map(_does_nothing, own.body))


def read_class(path: str, facts: ModuleFacts, find: Find, depth: int = 0) -> OperationClass | None:
    """The class of a name in a module; None where it, or one of its bases, cannot be read."""
    if operation_class(path) is not None:
        return OperationClass(path, {})
    if path in _PLAIN or path in _ASIDE:
        return OperationClass("", {})
    found = find(path, facts) if depth < _MAX_DEPTH else None
    if found is None:
        return None
    definition, where = found
    bases = [read_class(dotted(base), where, find, depth + 1) for base in definition.bases]
    methods: dict[str, Function] = {}
    named: set[str] = set()
    for base in reversed(bases):
        if base is None:
            return None
        methods |= base.methods
        named |= {base.base} - {""}
    methods |= {each.name: each for each in definition.body if isinstance(each, Function)}
    return OperationClass("".join(named), methods) if len(named) < 2 else None


def _does_nothing(statement: object) -> bool:
    match statement:
        case Return(value=None) | Return(value=Literal(kind="none")) | Evaluate(value=Literal()):
            return True
        case Flow(keyword="pass"):
            return True
    return False
