"""Models whose fields follow a model, or a field, that gets another name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from miglint.project.fields import Field
from miglint.project.keys import ModelKey, model_key
from miglint.project.state import ModelState
from miglint.syntax.facts import COLLECTIONS, Call, Expr, Items, Keyword, Literal


def repointed(model: ModelState, old: ModelKey, to: str) -> ModelState:
    """A model whose relations follow a renamed model; names within the app count, `self` stays."""

    def change(name: str, value: Expr) -> Expr:
        return Literal("str", to, value.span) if name in ("to", "through") and refers(value, old, model) else value

    return with_fields(
        model,
        {
            state.name: rewritten(state.field, change)
            for state in model.naming_others
            if state.field.to is not None or state.field.through is not None
        },
    )


def own_names(model: ModelState, old: str, new: str) -> ModelState:
    """A model whose fields that are made of others (`CompositePrimaryKey`, `from_fields`) follow a renamed one."""

    def change(name: str, value: Expr) -> Expr:
        return renamed(value, old, new) if name == "from_fields" else value

    def follow(field: Field) -> Field:
        call = field.call
        if field.kind == "CompositePrimaryKey" and isinstance(call, Call):
            names = tuple(renamed(argument, old, new) for argument in call.arguments)
            return (
                field
                if names == call.arguments
                else field.written(Call(call.function, names, call.keywords, call.span))
            )
        return rewritten(field, change) if "from_fields" in field.arguments else field

    return with_fields(model, {name: follow(state.field) for name, state in model.fields.items()})


def foreign_names(model: ModelState, key: ModelKey, old: str, new: str) -> ModelState:
    """A model whose relations to another (or to itself) name a renamed field in `to_field`."""

    def change(name: str, value: Expr) -> Expr:
        return renamed(value, old, new) if name in ("to_field", "to_fields") else value

    def points(field: Field) -> bool:
        if not ("to_field" in field.arguments or "to_fields" in field.arguments):
            return False
        to = field.to
        itself = model.key == key and isinstance(to, Literal) and to.value == "self"
        return itself or refers(to, key, model)

    pointing = {state.name: state.field for state in model.naming_others if points(state.field)}
    return with_fields(model, {name: rewritten(field, change) for name, field in pointing.items()})


def renamed(value: Expr, old: str, new: str) -> Expr:
    if isinstance(value, Literal):
        return Literal("str", new, value.span) if value.kind == "str" and value.text == old else value
    if isinstance(value, Items):
        return Items(value.kind, tuple(renamed(item, old, new) for item in value.items), value.span)
    if isinstance(value, Call) and value.callee in COLLECTIONS:  # as old Pythons' Django wrote
        arguments = tuple(renamed(argument, old, new) for argument in value.arguments)
        return Call(value.function, arguments, value.keywords, value.span)
    return value


def refers(value: Expr | None, key: ModelKey, model: ModelState) -> bool:
    if not isinstance(value, Literal) or value.kind != "str" or value.text == "self":
        return False
    app, _, name = value.text.rpartition(".")
    return model_key(app or model.app, name) == key


def rewritten(field: Field, change: Callable[[str, Expr], Expr]) -> Field:
    """A field with each argument, by its parameter's name, as `change` wants it."""
    call = field.call
    if not isinstance(call, Call):
        return field
    names = {id(value): name for name, value in field.arguments.items()}
    arguments = tuple(change(names.get(id(argument), ""), argument) for argument in call.arguments)
    keywords = tuple(Keyword(k.name, change(k.name or "", k.value), k.span) for k in call.keywords)
    if arguments == call.arguments and keywords == call.keywords:
        return field
    return field.written(Call(call.function, arguments, keywords, call.span))


def with_fields(model: ModelState, fields: Mapping[str, Field]) -> ModelState:
    """A model with some of its fields rewritten; the model itself where none is another than before."""
    changed = {
        name: replace(model.fields[name], field=field)
        for name, field in fields.items()
        if field is not model.fields[name].field
    }
    return replace(model, fields={**model.fields, **changed}) if changed else model
