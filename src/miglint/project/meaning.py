"""Whether two readings of a migration mean the same to Django, however they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from miglint.project.fields import Field
from miglint.project.keys import MigrationKey
from miglint.project.migration import Dependency, Migration
from miglint.project.operations import Alternative, Custom, Operation, Unread, walk_operations
from miglint.project.truth import Truth
from miglint.syntax.facts import (
    Assign,
    Augment,
    Call,
    Class,
    Evaluate,
    Expr,
    Flow,
    Function,
    Handler,
    Import,
    Items,
    Lambda,
    Literal,
    Name,
    Parameter,
    Return,
    Statement,
    dotted,
    expressions,
    walk,
)
from miglint.value import Value

_EDGES = ("dependencies", "run_before", "replaces")
_PASS = Flow("pass")
_READ = frozenset({*_EDGES, "operations"})


def differences(old: Migration, new: Migration, replaced_by: Mapping[MigrationKey, MigrationKey]) -> tuple[str, ...]:
    """What differs in meaning, in words (`its operations`); nothing where one of the two cannot be read.

    `replaced_by` are the squashes by what they replace: to depend on a squash is to depend on what it replaces, and a
    squash that no longer says what it replaced is the same, as Django's own steps have it.
    Source: https://docs.djangoproject.com/en/stable/topics/migrations/#migration-squashing
    """
    if old.facts.problem is not None or new.facts.problem is not None:
        return ()
    return tuple(_differences(old, new, replaced_by))


def _differences(old: Migration, new: Migration, replaced_by: Mapping[MigrationKey, MigrationKey]) -> Iterator[str]:
    if old.facts.body == new.facts.body:
        return
    if any(_edges(old, name, replaced_by) != _edges(new, name, replaced_by) for name in ("dependencies", "run_before")):
        yield "its dependencies"
    if new.replaces and {d.key for d in old.replaces} != {d.key for d in new.replaces}:
        yield "what it replaces"
    if _operations(old) != _operations(new):
        yield "its operations"
    before, after = _attributes(old), _attributes(new)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"`{name}`"
    theirs, ours = _code(old), _code(new)
    for name in sorted(theirs.keys() | ours.keys()):
        if theirs.get(name) != ours.get(name):
            yield f"`{name}`" if name else "the code of its module"


def _edges(migration: Migration, name: str, replaced_by: Mapping[MigrationKey, MigrationKey]) -> frozenset[object]:
    entries: tuple[Dependency, ...] = getattr(migration, name)
    known = {entry.setting if entry.key is None else _final(entry.key, replaced_by) for entry in entries}
    # What cannot be read is compared as it is written.
    raw = () if migration.dependencies_known else map(_canonical, _assigned(migration, name))
    return frozenset((*known, *raw))


def _final(key: MigrationKey, replaced_by: Mapping[MigrationKey, MigrationKey]) -> MigrationKey:
    for _ in range(len(replaced_by)):
        if key not in replaced_by:
            break
        key = replaced_by[key]
    return key


def _operations(migration: Migration) -> list[object]:
    """The operations with their places; what is not understood is compared as it is written."""
    found: list[object] = [
        (path, _canonical(operation), _canonical(operation.call) if _is_opaque(operation) else None)
        for path, operation in walk_operations(migration.operations)
    ]
    return found if migration.operations_known else [*found, *map(_canonical, _assigned(migration, "operations"))]


def _is_opaque(operation: Operation) -> bool:
    return operation.uncertain or isinstance(operation, Custom | Unread | Alternative)


def _assigned(migration: Migration, name: str) -> Iterator[Statement]:
    """The statements of the class that set an attribute."""
    for statement in migration.definition.body if migration.definition is not None else ():
        if name in _targets(statement) or not (_targets(statement) or isinstance(statement, Function | Class)):
            yield statement


def _targets(statement: Statement) -> tuple[str, ...]:
    if isinstance(statement, Assign):
        return tuple(name for target in statement.targets if (name := dotted(target)))
    return (dotted(statement.target),) if isinstance(statement, Augment) else ()


def _attributes(migration: Migration) -> dict[str, object]:
    """What else the class says, by name: `atomic`, `initial`, constants, methods."""
    found: dict[str, object] = {"the base classes": migration.bases}
    read = _READ
    if migration.atomic is not Truth.UNKNOWN:
        found["atomic"], read = migration.atomic, read | {"atomic"}
    for statement in migration.definition.body if migration.definition is not None else ():
        if isinstance(statement, Function | Class):
            found[statement.name] = _canonical(statement)
        else:
            for name in _targets(statement):
                if name not in read:
                    found[name] = _canonical(statement)
    return found


def _code(migration: Migration) -> dict[str, object]:
    """What of the module the class uses, directly or not, by name; "" for what runs when it is imported."""
    definitions: dict[str, list[Statement]] = {}
    loose: list[object] = []
    for statement in migration.facts.body:
        if isinstance(statement, Function | Class):
            definitions.setdefault(statement.name, []).append(statement)
        elif isinstance(statement, Assign | Augment) and _targets(statement):
            for name in _targets(statement):
                definitions.setdefault(name, []).append(statement)
        elif not isinstance(statement, Import) and not _is_text(statement):
            loose.append(_canonical(statement))
    definitions.pop("Migration", None)
    used = _used(migration, definitions)
    found: dict[str, object] = {name: [_canonical(each) for each in definitions[name]] for name in used}
    if loose:
        found[""] = loose
    return found


def _used(migration: Migration, definitions: Mapping[str, list[Statement]]) -> set[str]:
    """The names of the module that `Migration` reaches; all of them where it is not defined there."""
    if migration.definition is None:
        return set(definitions)
    found: set[str] = set()
    pending: list[Statement] = [migration.definition]
    while pending:
        for name in _names(pending.pop()):
            if name in definitions and name not in found:
                found.add(name)
                pending.extend(definitions[name])
    return found


def _names(statement: Statement) -> Iterator[str]:
    for inner in walk((statement,)):
        for expression in (*_headers(inner), inner):
            for each in expressions(expression):
                if isinstance(each, Name) and each.scope == "free":
                    yield each.name.partition(".")[0]


def _headers(statement: Statement) -> tuple[Expr, ...]:
    """What a definition evaluates besides its body."""
    if isinstance(statement, Function):
        return statement.decorators
    return (*statement.bases, *statement.decorators) if isinstance(statement, Class) else ()


def _canonical(value: object, names: dict[str, int] | None = None) -> object:
    """A value as something comparable in which it does not matter how the same is written.

    Keywords have no order, `set([…])` is a set, `pass` is nothing, and a function ends where it ends, with or without
    `return None`. `names` are those that a function binds, numbered: what it calls them is its own affair.
    """
    match value:
        case tuple():
            return tuple(_canonical(each, names) for each in value if each != _PASS)
        case Call(function=Name(name="set" | "list" | "tuple" as kind, scope="free"), arguments=(Items() as items,)):
            return _canonical(Items(kind, items.items), names)
        case Items(kind="set"):
            return ("set", frozenset(_canonical(item, names) for item in value.items))
        case Call():
            keywords = sorted(value.keywords, key=lambda keyword: keyword.name or "")
            parts = (value.function, value.arguments, *((keyword.name, keyword.value) for keyword in keywords))
            return ("call", *(_canonical(part, names) for part in parts))
        case Name(scope="local"):
            return ("local", _number(value.name, names))
        case Parameter():
            return (_number(value.name, names), value.kind, _canonical(value.default, names))
        case Handler():
            name = _number(value.name, names) if value.name is not None else None
            return ("except", _canonical(value.exception, names), name, _canonical(value.body, names))
        case Function():
            # One within a function has a name that is bound there.
            number = _number(value.name, names) if names is not None else None
            inside = names if names is not None else {}
            known = (value.parameters, _body(value.body), value.decorators, value.is_async)
            return ("def", number, *(_canonical(part, inside) for part in known))
        case Lambda():
            inside = names if names is not None else {}
            return ("lambda", _canonical(value.parameters, inside), _canonical(value.body, inside))
        case Class():
            said = (value.bases, value.keywords, _body(value.body), value.decorators)
            return ("class", *(_canonical(part, names) for part in said))
        case Field():
            return _canonical(value.call, names)
        case Value():
            found = (getattr(value, name) for name in value.__struct_fields__ if _counts(value, name))
            return (type(value).__name__, *(_canonical(each, names) for each in found))
        case _:
            return value


def _number(name: str, names: dict[str, int] | None) -> object:
    return names.setdefault(name, len(names)) if names is not None else name


def _counts(value: Value, name: str) -> bool:
    """Whether a part of a value has a meaning: squashing alone asks for `elidable`, and some say what Django takes."""
    if name in value.not_compared or name == "elidable":
        return False
    return name != "preserve_default" or getattr(value, name) not in (None, Literal("bool", "True"))


def _body(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """Without docstrings, and without a last `return None`."""
    kept = [each for each in statements if not _is_text(each)]
    while kept and isinstance(kept[-1], Return) and kept[-1].value in (None, Literal("none", "None")):
        kept.pop()
    return tuple(kept)


def _is_text(statement: Statement) -> bool:
    """A docstring, or another constant that is evaluated and dropped."""
    return isinstance(statement, Evaluate) and isinstance(statement.value, Literal)
