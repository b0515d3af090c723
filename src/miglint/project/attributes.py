"""What Django's own objects of a state say of themselves: the attributes of fields and models, by Django's names.

A rule asks what a field means to the database (`project.fields`, `project.columns`); this is what `field.db_index`
or `model._meta.db_table` would print. What cannot be known from the text is UNKNOWN, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from miglint.project.columns import SETTINGS, World, named_model, target_key
from miglint.project.fields import Field
from miglint.project.state import ModelState
from miglint.project.truth import Truth
from miglint.syntax.facts import Expr, dotted
from miglint.syntax.facts import Literal as Constant

UNKNOWN: Final = "unknown"
Attribute = bool | int | str | None

_MAX_HOPS = 20
# Source: the __init__ of each class; nothing that is passed changes these.
_FIXED_LENGTHS = {"UUIDField": 32, "GenericIPAddressField": 39, "IPAddressField": 15}


def field_attributes(field: Field, model: ModelState, world: World) -> Iterator[tuple[str, Attribute]]:
    """The attributes of a field, in a fixed order."""
    yield "type", field.path or UNKNOWN
    # The attribute is what is passed, although a generated column has no value that could be missing.
    null = field.flag("null") if field.kind == "GeneratedField" else field.null
    yield "null", _boolean(field, "null", null)
    yield "unique", _boolean(field, "unique", field.unique)
    yield "db_index", _boolean(field, "db_index", field.db_index)
    yield "primary_key", _boolean(field, "primary_key", field.primary_key)
    yield "max_length", _max_length(field)
    yield "to", _target(field, model, world)
    yield "has_default", _boolean(field, "default", field.has_default)
    yield "has_db_default", _boolean(field, "db_default", field.has_db_default)
    yield "db_column", _db_column(field)


def _boolean(field: Field, argument: str, value: Truth) -> Attribute:
    """A class of others may have its own default for what is not passed."""
    if value is Truth.UNKNOWN or (field.kind is None and argument not in field.arguments):
        return UNKNOWN
    return value is Truth.YES


def _max_length(field: Field) -> Attribute:
    if field.kind in _FIXED_LENGTHS:
        return _FIXED_LENGTHS[field.kind]
    if field.max_length is not None:
        return field.max_length
    given = field.arguments.get("max_length")
    if given is not None:
        return None if isinstance(given, Constant) and given.kind == "none" else UNKNOWN
    return None if field.kind is not None and field.complete else UNKNOWN


def _target(field: Field, model: ModelState, world: World) -> Attribute:
    if field.to is None:
        return None if field.is_relation is Truth.NO else UNKNOWN
    key = target_key(field, model.app, model.name, world)
    return str(key) if key is not None else UNKNOWN


def _db_column(field: Field) -> Attribute:
    if field.db_column is not None:
        return field.db_column
    given = field.arguments.get("db_column")
    if given is not None:
        return None if isinstance(given, Constant) and given.kind == "none" else UNKNOWN
    return None if field.kind is not None and field.complete else UNKNOWN


def table_of(model: ModelState, world: World) -> Attribute:
    """The model's table; that of a proxy is its concrete model's. Source: Options.setup_proxy"""
    for _ in range(_MAX_HOPS):
        if model.proxy is Truth.UNKNOWN:
            return UNKNOWN
        if model.proxy is Truth.NO:
            break
        parents = [found for base in model.bases if (found := _model_of(base, model, world)) is not None]
        if not parents:
            return UNKNOWN
        model = parents[0]
    return model.table or UNKNOWN


def _model_of(base: Expr, model: ModelState, world: World) -> ModelState | None:
    key = named_model(base, model.app, model.name, world)
    return world.model(*key) if key is not None else None


def bases_of(model: ModelState, world: World) -> list[Attribute]:
    """The bases: models as `app.model`, other classes by their path. Source: CreateModel and ModelState.__init__"""
    return [_base(base, model, world) for base in model.bases] or ["django.db.models.Model"]


def _base(base: Expr, model: ModelState, world: World) -> Attribute:
    path = dotted(base)
    if not path or path.startswith(SETTINGS):
        key = named_model(base, model.app, model.name, world)
        return str(key) if key is not None else UNKNOWN
    return "django.db.models.Model" if path == "django.db.models.base.Model" else path


def truth(value: Truth) -> Attribute:
    return UNKNOWN if value is Truth.UNKNOWN else value is Truth.YES
