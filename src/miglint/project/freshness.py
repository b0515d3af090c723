"""Whether a callable gives another value each time it is called."""

from __future__ import annotations

from collections.abc import Callable

from miglint.project.code import module_assignments, references
from miglint.project.truth import Truth
from miglint.syntax.facts import Call, Expr, Function, Lambda, Literal, ModuleFacts, Name, dotted

FactsOf = Callable[[str], "ModuleFacts | None"]

_FRESH = {
    "uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "os.urandom", "shortuuid.uuid", "shortuuid.random",
    "ulid.new", "nanoid.generate", "django.utils.crypto.get_random_string",
    "django.core.management.utils.get_random_secret_key",
}  # fmt: skip
_FRESH_MODULES = ("random.", "secrets.")
# Built-in and standard callables that give the same, or for a migration as good as the same, each time.
_SAME = {
    "dict", "list", "set", "tuple", "str", "int", "float", "bool", "django.utils.timezone.now",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today", "datetime.datetime.today",
}  # fmt: skip
_NOW = {
    "django.utils.timezone.now", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today",
}  # fmt: skip
_PARTIAL = ("functools.partial", "partial")
_MAX_CALLS = 4


def differs(default: Expr) -> bool:
    """Whether a default that is asked for twice, one time right after the other, is known to give two values."""
    name = dotted(default)
    return bool(name) and (name in _FRESH or name in _NOW or name.startswith(_FRESH_MODULES))


def is_fresh(value: Expr, facts: ModuleFacts, facts_of: FactsOf, *, depth: int = 0) -> Truth:
    """Whether what a default calls gives a new value each time: `uuid.uuid4`, a function that calls it, a partial.

    A constant does not; of a callable that cannot be read it is unknown. `facts` are those of the file that names it,
    `facts_of` those of a module that this file imports.
    """
    if isinstance(value, Literal) or depth > _MAX_CALLS:
        return Truth.of(False if isinstance(value, Literal) else None)
    if isinstance(value, Call):
        if value.callee in _PARTIAL and value.arguments:
            return is_fresh(value.arguments[0], facts, facts_of, depth=depth + 1)
        return Truth.NO  # called once, when the file is imported
    if isinstance(value, Lambda):
        return _any_fresh((value.body,), facts, facts_of, depth)
    name = dotted(value)
    if not name:
        return Truth.UNKNOWN
    if name in _FRESH or name.startswith(_FRESH_MODULES):
        return Truth.YES
    if name in _SAME:
        return Truth.NO
    return _defined(name, value, facts, facts_of, depth)


def _defined(name: str, value: Expr, facts: ModuleFacts, facts_of: FactsOf, depth: int) -> Truth:
    """What the definition of a name says, in this file or in the module that it is imported from."""
    if isinstance(value, Name) and value.scope == "imported":
        module, _, name = name.rpartition(".")
        found = facts_of(module)
        if found is None:
            return Truth.UNKNOWN
        facts, facts_of = found, _nothing
    function = next((each for each in facts.top(Function) if each.name == name), None)
    if function is not None:
        return _any_fresh(tuple(function.statements()), facts, facts_of, depth)
    assigned = module_assignments(facts).get(name)
    return is_fresh(assigned, facts, facts_of, depth=depth + 1) if assigned is not None else Truth.UNKNOWN


def _nothing(module: str) -> ModuleFacts | None:
    return None


def _any_fresh(nodes: tuple[object, ...], facts: ModuleFacts, facts_of: FactsOf, depth: int) -> Truth:
    for node in nodes:
        for reference in references(node):  # type: ignore[arg-type]
            if reference.name in _FRESH or reference.name.startswith(_FRESH_MODULES):
                return Truth.YES
            local = reference.scope == "free" and any(each.name == reference.name for each in facts.top(Function))
            if local and is_fresh(Name(reference.name), facts, facts_of, depth=depth + 1).certain:
                return Truth.YES
    return Truth.UNKNOWN
