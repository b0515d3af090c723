"""What a call does and gives."""

from __future__ import annotations

from msgspec.structs import replace

from miglint.project.flow.constants import (
    OF_STRINGS,
    are_same,
    filled,
    formatted,
    is_no_data,
    is_written_out,
    of_pairs,
    split,
    string_of,
)
from miglint.project.flow.following import Follower, Frame
from miglint.project.flow.foreign import given_by, made_by
from miglint.project.flow.querysets import builtin, element_of, queried, source_of
from miglint.project.flow.sql import EXPRESSIONS, note_executed, note_taken_along
from miglint.project.keys import model_key
from miglint.project.usage import (
    Bound,
    Called,
    Connection,
    Constant,
    Cursor,
    Each,
    Editor,
    Foreign,
    GetModel,
    Instance,
    Kind,
    Model,
    ModelField,
    Options,
    Query,
    Registry,
    Routine,
    Row,
    Rows,
    SchemaChange,
    Several,
    Text,
    Value,
    Written,
)
from miglint.syntax.facts import Call, Expr, Literal, Name, Pairs, Starred

# What the schema editor's methods take. Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor
_SCHEMA_CHANGES = {
    "create_model": ("model",), "delete_model": ("model",), "remove_field": ("model", "field"),
    "alter_db_table": ("model", "old_db_table", "new_db_table"), "add_index": ("model", "index"),
    "remove_index": ("model", "index"), "add_constraint": ("model", "constraint"),
    "remove_constraint": ("model", "constraint"),
}  # fmt: skip
_SHORTCUTS = ("django.shortcuts.get_object_or_404", "django.shortcuts.aget_object_or_404")
# What gives back the function it is given, to be called in another manner.
_SAME_FUNCTION = ("asgiref.sync.async_to_sync", "asgiref.sync.sync_to_async")


def call_value(flow: Follower, call: Call, frame: Frame) -> Value:
    if call.callee.startswith("functools.partial") and call.arguments:
        return _partial(flow, call, frame)
    function = flow.value(call.function, frame)
    arguments = _arguments(flow, call, frame)
    _note_called(flow, call, function, frame)
    named = tuple((each.name, flow.value(each.value, frame)) for each in call.keywords if each.name is not None)
    for each in call.keywords:
        if each.name is None:
            flow.value(each.value, frame)
    if isinstance(function, Bound):
        return _method_called(flow, function, call, arguments, dict(named), frame)
    if isinstance(function, Model):
        flow.note(Query, call.span, frame, on=function, method="__init__", call=call)
        has_key = any(each.name in ("pk", "id") for each in call.keywords)
        return Row(key=function.key, is_new=True, is_unsaved=True, has_key=has_key)
    if isinstance(function, Routine):
        return flow.run(function, arguments, named, frame)
    if isinstance(function, Several) and all(isinstance(each, Routine) for each in function.values):
        return _any_called(flow, function.values, arguments, named, frame)
    if isinstance(function, Kind):
        made = Instance(function.definition, function.module)
        prepare = flow.method(made, "__init__")
        if prepare is not None:
            flow.run(prepare, arguments, named, frame)
        return made
    if isinstance(function, Constant | Text):
        return None
    if call.callee in EXPRESSIONS:
        note_taken_along(flow, "RawSQL", call, frame)
    if call.callee in _SHORTCUTS and arguments and isinstance(arguments[0], Model | Rows):
        return _got(flow, arguments[0], call, frame)
    flow.handed_out |= {value.key for value in arguments if isinstance(value, Model) and function is None}
    if isinstance(call.function, Name) and call.function.scope == "free":
        if call.function.name in ("map", "filter") and len(arguments) == len(call.arguments) == 2:
            return _applied(flow, call, arguments, frame)
        return builtin(call.function.name, arguments)
    if call.callee.startswith("django.db.") and call.callee.endswith("connection.cursor"):
        return Cursor()
    if function is None and _defines_schema(call):
        return Constant(call)
    if call.callee in _SAME_FUNCTION:
        return arguments[0] if arguments else None
    return made_by(call.callee) if function is None else None


def _got(flow: Follower, owner: Model | Rows, call: Call, frame: Frame) -> Value:
    """The row that `get_object_or_404(Order, pk=1)` gets, as `Order.objects.get(pk=1)` does."""
    rows = owner if isinstance(owner, Rows) else Rows(key=owner.key, manager="_default_manager")
    flow.note(Query, call.span, frame, on=rows, method="get", call=replace(call, arguments=call.arguments[1:]))
    return Row(key=rows.key)


def _defines_schema(call: Call) -> bool:
    """Whether a call is an index or a constraint, as a migration writes it in an operation."""
    return call.callee.startswith("django.") and call.callee.endswith(("Index", "Constraint"))


def _any_called(
    flow: Follower,
    functions: tuple[Value, ...],
    arguments: tuple[Value, ...],
    named: tuple[tuple[str, Value], ...],
    frame: Frame,
) -> Value:
    """What each of several functions gives, of which a condition chooses one."""
    frame.guards += 1
    found = [flow.run(each, arguments, named, frame) for each in functions if isinstance(each, Routine)]
    frame.guards -= 1
    return found[0] if found and all(are_same(found[0], other) for other in found) else None


def _applied(flow: Follower, call: Call, arguments: tuple[Value, ...], frame: Frame) -> Value:
    """`map(function, rows)`: what is given first is called with each of the others."""
    function, elements = arguments
    _note_called(flow, _first_called(call), function, frame)
    loops, source = frame.loops, source_of(elements)
    frame.loops = (*loops, source)
    made = flow.run(function, (element_of(elements),), (), frame) if isinstance(function, Routine) else None
    frame.loops = loops
    return Each(made if call.callee == "map" else element_of(elements), source)


def _first_called(call: Call) -> Call:
    """The call that is made of a function and its arguments: `print("x")` of `partial(print, "x")`."""
    return replace(call, function=call.arguments[0], arguments=call.arguments[1:])


def _note_called(flow: Follower, call: Call, function: Value, frame: Frame) -> None:
    name = call.function
    if not isinstance(name, Name) or name.scope == "local" or name.name in frame.scope:
        return
    if name.scope == "imported" or function is None:
        target = function.module if isinstance(function, Routine | Kind) else None
        definition = function.definition if isinstance(function, Kind) else None
        flow.note(Called, call.span, frame, path=name.name, call=call, target=target, definition=definition)


def _arguments(flow: Follower, call: Call, frame: Frame) -> tuple[Value, ...]:
    found: list[Value] = []
    for argument in call.arguments:
        value = flow.value(argument.value if isinstance(argument, Starred) else argument, frame)
        if isinstance(argument, Starred):
            found.extend(value.values if isinstance(value, Several) else ())
        else:
            found.append(value)
    return tuple(found)


def _partial(flow: Follower, call: Call, frame: Frame) -> Value:
    function = flow.value(call.arguments[0], frame)
    arguments = tuple(flow.value(each, frame) for each in call.arguments[1:])
    named = tuple((each.name, flow.value(each.value, frame)) for each in call.keywords if each.name is not None)
    _note_called(flow, _first_called(call), function, frame)
    if isinstance(function, Routine):
        is_known = len(named) == len(call.keywords) and not any(isinstance(each, Starred) for each in call.arguments)
        return replace(
            function,
            given=(*function.given, *arguments),
            named=(*function.named, *named),
            is_certain=function.is_certain and is_known,
        )
    return None


def _method_called(
    flow: Follower, bound: Bound, call: Call, arguments: tuple[Value, ...], named: dict[str, Value], frame: Frame
) -> Value:
    owner, name = bound.value, bound.name
    if name == "quote_name" and isinstance(owner, Connection | Editor):
        return Written()  # what is quoted is a name, and no data
    if isinstance(owner, Registry):
        return _asked_registry(flow, owner, name, call, arguments, named, frame)
    if isinstance(owner, Connection):
        return Cursor(owner.of_default) if name == "cursor" else None
    if isinstance(owner, Cursor | Editor):
        if name in ("execute", "executemany"):
            note_executed(flow, owner, call, frame)
        elif isinstance(owner, Editor) and name in _SCHEMA_CHANGES:
            given = (*arguments, *(named.get(each) for each in _SCHEMA_CHANGES[name][len(arguments) :]))
            if isinstance(given[0], Model):
                flow.note(SchemaChange, call.span, frame, key=given[0].key, method=name, given=given[1:])
        return None
    if isinstance(owner, Options):
        field = string_of(arguments[0] if arguments else named.get("field_name")) if name == "get_field" else None
        return ModelField(owner.key, field) if field is not None else None
    if isinstance(owner, Foreign):
        flow.note(Called, call.span, frame, path=f"{owner.path}.{name}", call=call)
        return given_by(owner, name)
    if isinstance(owner, Instance):
        method = flow.method(owner, name)
        return flow.run(method, arguments, tuple(named.items()), frame) if method is not None else None
    if isinstance(owner, Constant) and isinstance(owner.expr, Pairs):
        return of_pairs(owner, name)
    if isinstance(owner, Constant | Text) and name == "split":
        return split(owner, arguments) if not named else None
    if isinstance(owner, Constant | Text) and name in OF_STRINGS:
        whole = formatted(owner, name, call, arguments, named)
        if whole is not None:
            return Constant(Literal("str", whole, call.span))
        parts = zip((*arguments, *named.values()), _parts(call), strict=False)
        written = all(is_written_out(value) or is_no_data(part) for value, part in parts)
        return Text(call, is_written_out(owner) and written)
    if isinstance(owner, Model) and name == "add_to_class":
        flow.handed_out.add(owner.key)
        return None
    if isinstance(owner, Rows | Row | Model):
        call = filled(call, arguments, named)
        flow.note(Query, call.span, frame, on=owner, method=name, call=call)
        if isinstance(owner, Rows):
            note_taken_along(flow, name, call, frame)
        return queried(owner, name, call, arguments) if isinstance(owner, Rows) else None
    return None


def _asked_registry(
    flow: Follower, owner: Registry, name: str, call: Call, arguments: tuple[Value, ...], named: dict[str, Value],
    frame: Frame,
) -> Value:  # fmt: skip
    if name == "get_app_config":
        return Registry(app=string_of(arguments[0] if arguments else named.get("app_label")))
    if name not in ("get_model", "get_registered_model"):
        return None
    texts = [_label(flow, value) for value in arguments]
    app = owner.app if owner.app is not None else (texts.pop(0) if texts else _label(flow, named.get("app_label")))
    model = texts[0] if texts else _label(flow, named.get("model_name"))
    if app is not None and owner.app is None and len(arguments) + len(named.keys() - {"require_ready"}) == 1:
        app, _, model = app.partition(".")
    flow.note(GetModel, call.span, frame, app=app, name=model or None)
    return Model(model_key(app, model)) if app and model else None


def _label(flow: Follower, value: Value) -> str | None:
    """A name: a string, or what a setting such as AUTH_USER_MODEL holds."""
    if isinstance(value, Constant) and isinstance(value.expr, Name):
        return flow.settings.get(value.expr.name.rpartition(".")[2])
    return string_of(value)


def _parts(call: Call) -> tuple[Expr, ...]:
    return (*call.arguments, *(keyword.value for keyword in call.keywords))
