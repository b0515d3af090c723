"""Operation classes of a project or a package: which of Django's they extend, and what they do otherwise."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec

from miglint.project.initializer import Arguments, passed_on
from miglint.project.operations import operation_class
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Call,
    Class,
    Evaluate,
    Expr,
    Flow,
    Function,
    Items,
    Keyword,
    Literal,
    ModuleFacts,
    Raise,
    Return,
    dotted,
    walk,
)

# Where a class is written: its definition, and the facts of the module that it is in.
Find = Callable[[str, ModuleFacts], "tuple[Class, ModuleFacts] | None"]

_PLAIN = frozenset({"django.db.migrations.operations.base.Operation"})
# Bases that change nothing of the state.
_ASIDE = frozenset({"object", "django.contrib.postgres.operations.NotInTransactionMixin"})
# Methods that make a subclass of a Django operation another operation.
_MEANING = frozenset({"state_forwards", "database_forwards", "database_backwards"})
# A method that decides what it is.
_MAKER = "__new__"
_MAX_DEPTH = 8


class OperationClass(msgspec.Struct, frozen=True):
    """A class, read with its bases: `base` is the class of Django that it extends, "" where that is `Operation`.

    `methods` are its own and those of the classes between, by name; `initializers` are those of them that have an
    `__init__`, in the order in which these are called.
    """

    base: str
    methods: Mapping[str, Function]
    initializers: tuple[Class, ...] = ()

    @property
    def is_base(self) -> bool:
        """Whether it does what its base does."""
        return self.base != "" and not self.methods.keys() & {*_MEANING, _MAKER}

    @property
    def is_base_in_state(self) -> bool:
        """Whether it does to the state what its base does, whatever it does to the database."""
        return self.base != "" and not self.methods.keys() & {"state_forwards", _MAKER}

    def passed_on(self, call: Call, parameters: Collection[str]) -> Call | None:
        """The call of its base, which has these parameters, that a call of it amounts to; None where its `__init__`
        cannot be followed.
        """
        if not self.initializers:
            return call
        arguments = Arguments.of(call)
        for definition in self.initializers:
            arguments = passed_on(definition, arguments)
        given = {id(value) for value in (*call.arguments, *(keyword.value for keyword in call.keywords))}
        passed = (*arguments.positional, *arguments.keywords.values())
        known = arguments.whole and all(id(value) in given or _is_written_out(value) for value in passed)
        if not known or not arguments.keywords.keys() <= set(parameters) or self._sets() & set(parameters):
            return None
        keywords = tuple(Keyword(name, value, call.span) for name, value in arguments.keywords.items())
        return Call(call.function, tuple(arguments.positional), keywords, call.span)

    def _sets(self) -> set[str]:
        """The attributes that its `__init__` gives values of its own."""
        return {
            target.name
            for definition in self.initializers
            for method in definition.body
            if isinstance(method, Function) and method.name == "__init__"
            for statement in walk(method.body)
            if isinstance(statement, Assign)
            for target in statement.targets
            if isinstance(target, Attribute)
        }

    @property
    def leaves_state(self) -> bool:
        """Whether it does nothing to the state."""
        return self._is_empty("state_forwards")

    @property
    def leaves_database(self) -> bool:
        """Whether it does nothing to the database, nor when it is undone."""
        return self._is_empty("database_forwards") and self._is_empty("database_backwards")

    def _is_empty(self, method: str) -> bool:
        own = self.methods.get(method)
        return own is not None and all(map(_does_nothing, own.body))


def _methods(**empty: bool) -> Mapping[str, Function]:
    """Methods, and whether they do nothing."""
    something = Raise(None)
    return {name: Function(name, (), () if nothing else (something,)) for name, nothing in empty.items()}


_ASIDE_FROM_STATE = OperationClass("", _methods(state_forwards=True, database_forwards=False, database_backwards=False))
_ALTER_FIELD = OperationClass(
    "django.db.migrations.AlterField", _methods(database_forwards=False, database_backwards=False)
)
_IGNORE = OperationClass("", _methods(state_forwards=True, database_forwards=True, database_backwards=True))
# Classes of packages, which need not be installed where migrations are read. Source: django-migration-linter 6.0,
# django-pgtrigger 4.17 (of the state it changes an option that no query sees), django-add-default-value 0.10,
# django-sortedm2m 4.0, django-pictures 1.8
_OF_PACKAGES: Mapping[str, OperationClass] = {
    "django_migration_linter.IgnoreMigration": _IGNORE,
    "django_migration_linter.operations.IgnoreMigration": _IGNORE,
    "pgtrigger.migrations.AddTrigger": _ASIDE_FROM_STATE,
    "pgtrigger.migrations.RemoveTrigger": _ASIDE_FROM_STATE,
    "django_add_default_value.AddDefaultValue": _ASIDE_FROM_STATE,
    "django_add_default_value.add_default_value.AddDefaultValue": _ASIDE_FROM_STATE,
    "sortedm2m.operations.AlterSortedManyToManyField": _ALTER_FIELD,
    "pictures.migrations.AlterPictureField": _ALTER_FIELD,
}


def read_class(path: str, facts: ModuleFacts, find: Find, depth: int = 0) -> OperationClass | None:
    """The class of a name in a module; None where it, or one of its bases, cannot be read."""
    if operation_class(path) is not None:
        return OperationClass(path, {})
    if path in _OF_PACKAGES:
        return _OF_PACKAGES[path]
    if path in _PLAIN or path in _ASIDE:
        return OperationClass("", {})
    found = find(path, facts) if depth < _MAX_DEPTH else None
    if found is None:
        return None
    definition, where = found
    bases = [read_class(dotted(base), where, find, depth + 1) for base in definition.bases]
    methods: dict[str, Function] = {}
    named: set[str] = set()
    initializers = [base.initializers for base in bases if base is not None and base.initializers]
    if len(initializers) > 1:
        return None  # which of them calls which is not followed
    for base in reversed(bases):
        if base is None:
            return None
        methods |= base.methods
        named |= {base.base} - {""}
    own = {each.name: each for each in definition.body if isinstance(each, Function)}
    calls = ((definition,) if "__init__" in own else (), *initializers)
    if len(named) > 1:
        return None
    return OperationClass("".join(named), methods | own, tuple(each for some in calls for each in some))


def _is_written_out(value: Expr) -> bool:
    """Whether a value means the same in the module of the class and in that of the call."""
    return isinstance(value, Literal) or (isinstance(value, Items) and all(map(_is_written_out, value.items)))


def _does_nothing(statement: object) -> bool:
    match statement:
        case Return(value=None) | Return(value=Literal(kind="none")) | Evaluate(value=Literal()):
            return True
        case Flow(keyword="pass"):
            return True
    return False
