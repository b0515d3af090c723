"""What a name means: in a function, in a file, where it is imported from."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.project.code import Code, lambda_code
from miglint.project.flow.constants import OF_STRINGS, constant_of
from miglint.project.flow.definitions import File
from miglint.project.flow.following import MAX_CALLS, Follower, Frame
from miglint.project.flow.foreign import makes_path
from miglint.project.source_module import SourceModule
from miglint.project.usage import Bound, Connection, Constant, Foreign, Instance, Kind, Routine, Several, Value
from miglint.syntax.facts import Call, Expr, Lambda, Literal, Name

_CONNECTIONS = ("django.db.connection", "django.db.backends.connection")
# The registry of today's models, which code may pass on as it does that of RunPython.
_REGISTRIES = ("django.apps.apps", "django.apps.registry.apps")
_SETTINGS = "django.conf.settings."
_MAX_HOPS = 8


def name_value(flow: Follower, expression: Name, frame: Frame) -> Value:
    if expression.scope == "imported":
        return _imported(flow, expression.name, frame.file.module)
    if expression.name in frame.scope:
        return frame.scope[expression.name]
    if expression.scope == "local":
        return None
    return _global(flow, expression.name, frame.file)


def _global(flow: Follower, name: str, file: File, hops: int = 0) -> Value:
    """What a name of a file's own level holds."""
    routines = [_decorated(flow, routine, file) for routine in file.routines(name)]
    if routines:
        return routines[0] if len(routines) == 1 else Several(tuple(routines))
    if name in file.classes:
        return Kind(file.classes[name], file.module)
    value = file.values.get(name)
    if isinstance(value, Lambda):
        return Routine(lambda_code(value), file.module)
    if isinstance(value, Name) and hops < _MAX_HOPS:
        if value.scope == "imported":
            return _imported(flow, value.name, file.module)
        return _global(flow, value.name, file, hops + 1)
    if value is not None and (isinstance(value, Call) or makes_path(value)) and hops < _MAX_HOPS:
        # A `partial`, an instance or a path that is made once, on import.
        made = _made(flow, value, name, file)
        return made if isinstance(made, Routine | Instance | Foreign) else None
    if name in file.unpacked and hops < _MAX_HOPS:
        call, at = file.unpacked[name]
        made = _made(flow, call, name, file)
        return made.values[at] if isinstance(made, Several) and at < len(made.values) else None
    return constant_of(value) if value is not None else None


def _made(flow: Follower, value: Expr, name: str, file: File) -> Value:
    """What a name's value gives on import; one that is made of itself (`names = names.copy()`) is not known."""
    made = (id(file), name)
    if made in flow.in_making:
        return None
    flow.in_making.add(made)
    try:
        return flow.value(value, _on_import(file))
    finally:
        flow.in_making.discard(made)


def _on_import(file: File) -> Frame:
    """Where the statements of a module itself are run."""
    return Frame(Code(name="", parameters=(), nodes=()), file, {})


def _decorated(flow: Follower, routine: Routine, file: File) -> Value:
    """What the decorators of the project make of a function; those of others are taken to call it as it is."""
    value = routine
    frame = _on_import(file)
    for decorator in reversed(routine.code.decorators):
        around = flow.value(decorator, frame)
        made = flow.run(around, (value,), (), frame) if isinstance(around, Routine) else None
        value = made if isinstance(made, Routine) else value
    return value


def _imported(flow: Follower, path: str, module: SourceModule) -> Value:
    """What an imported name means: a function or constant of the project, a connection."""
    if path in _CONNECTIONS:
        return Connection(given=False, of_default=True)
    if path.startswith(_SETTINGS):
        setting, _, method = path.removeprefix(_SETTINGS).partition(".")
        model = flow.settings.get(setting)
        if model is None or (method and method not in OF_STRINGS):
            return None
        value = Constant(Literal("str", model))
        return Bound(value, method) if method else value
    if path in _REGISTRIES:
        return Foreign(path)
    for prefix in _CONNECTIONS:
        if path.startswith(f"{prefix}."):
            return Bound(Connection(given=False, of_default=True), path[len(prefix) + 1 :])
    for holder, rest in _splits(path):
        found = module.imported(holder)
        if found is None:
            continue
        first, _, attribute = rest.partition(".")
        file = flow.file(found)
        if attribute:
            return _attribute_of(flow, first, attribute, file)
        if first not in file.functions and first not in file.values and first not in file.classes:
            return _reexported(flow, first, file)
        return _global(flow, first, file)
    return None


def _attribute_of(flow: Follower, name: str, attribute: str, file: File) -> Value:
    """A method of a class, or of an object that is made once, on import."""
    if name in file.classes:
        return file.method(name, attribute)
    owner = _global(flow, name, file) if name in file.values else None
    return flow.method(owner, attribute) if isinstance(owner, Instance) else None


def _reexported(flow: Follower, name: str, file: File) -> Value:
    for statement in file.module.facts.imports():
        for alias in statement.aliases:
            if alias.bound == name and alias.path != name and len(flow.stack) < MAX_CALLS:
                flow.stack.append((file.module.path, alias.span))
                found = _imported(flow, alias.path, file.module)
                flow.stack.pop()
                return found
    return None


def _splits(path: str) -> Iterator[tuple[str, str]]:
    """The ways in which a path is a module and what is in it, the longest module first."""
    name = path.lstrip(".")
    dots = path[: len(path) - len(name)]
    parts = name.split(".")
    for at in range(len(parts) - 1, 0 if not dots else -1, -1):
        yield dots + ".".join(parts[:at]), ".".join(parts[at:])
