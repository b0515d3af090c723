"""The models that an operation needs to be there, besides the one that it works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal as Choice

from miglint.project.fields import Field
from miglint.project.keys import ModelKey, model_key
from miglint.project.migration import Migration
from miglint.project.operations import (
    AddField,
    AlterField,
    CreateModel,
    Operation,
)
from miglint.project.usage import GetModel, Usage
from miglint.syntax.facts import Expr, Items, Literal, Name
from miglint.text import Span

_SETTINGS = "django.conf.settings."


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A model that must be there, `by` what it is needed, and where that is written.

    `written` is how it is named there, `name` the model's part of that. `field` is the relation's, `code` the
    function's that gets the model, `use` the place in it. `setting` is the swappable setting that names it. `sure` is
    false in code that runs under a condition, and for a field whose class is not known to be a relation.
    """

    key: ModelKey
    name: str
    written: str
    by: Choice["to", "through", "bases", "code"]
    span: Span
    field: str = ""
    code: str = ""
    setting: str = ""
    sure: bool = True
    use: GetModel | None = None


def needs_of(operation: Operation, migration: Migration, swappable: Mapping[str, str]) -> tuple[Need, ...]:
    """The models that relations and bases name, as far as they can be read; never the model itself."""
    # Kept with the migration: rules ask for those of whole branches. An entry holds its operation, so that no other
    # one can get its id.
    kept: dict[int, tuple[Operation, Mapping[str, str], tuple[Need, ...]]] = vars(migration).setdefault("_needs", {})
    known = kept.get(id(operation))
    if known is None or known[1] is not swappable:
        known = kept[id(operation)] = (operation, swappable, tuple(_needs(operation, migration, swappable)))
    return known[2]


def _needs(operation: Operation, migration: Migration, swappable: Mapping[str, str]) -> Iterator[Need]:
    own = model_key(migration.app, operation.model) if operation.model is not None else None
    found: list[Need] = []
    if isinstance(operation, CreateModel):
        found = [n for name, field in operation.fields for n in field_needs(name, field, migration.app, swappable)]
        found += _base_needs(operation, migration.app)
    elif isinstance(operation, AddField | AlterField) and operation.name is not None:
        found = list(field_needs(operation.name, operation.field, migration.app, swappable))
    yield from (need for need in found if need.key != own)


# -- relations ----------------------------------------------------------------------------------------


def field_needs(name: str, field: Field, app: str, swappable: Mapping[str, str]) -> Iterator[Need]:
    """The models that a relation of an app names: its target, and the explicit model of its join table."""
    to, sure = field.to, field.kind is not None
    setting = to.name.removeprefix(_SETTINGS) if isinstance(to, Name) and to.name.startswith(_SETTINGS) else ""
    value = Literal("str", swappable[setting]) if setting in swappable else to
    target = _named(value, app)
    if target is not None and to is not None:
        yield Need(
            key=model_key(*target[:2]),
            name=target[1],
            written=target[2],
            by="to",
            span=to.span,
            field=name,
            setting=setting,
            sure=sure,
        )
    through = field.through
    target = _named(through, app)
    if target is not None and through is not None:
        yield Need(
            key=model_key(*target[:2]),
            name=target[1],
            written=target[2],
            by="through",
            span=through.span,
            field=name,
            sure=sure,
        )


def _base_needs(operation: CreateModel, app: str) -> Iterator[Need]:
    for base in operation.bases.items if isinstance(operation.bases, Items) else ():
        target = _named(base, app)
        if target is not None:
            yield Need(key=model_key(*target[:2]), name=target[1], written=target[2], by="bases", span=base.span)


def _named(value: Expr | None, app: str) -> tuple[str, str, str] | None:
    """App, model and the whole of `"app.Model"` and of `"Model"`; None for `"self"` and what cannot be read."""
    if not isinstance(value, Literal) or value.kind != "str" or value.text.lower() == "self":
        return None
    label, dot, name = value.text.rpartition(".")
    return (label if dot else app, name, value.text) if name else None


# -- code ---------------------------------------------------------------------------------------------


def code_needs(usage: Usage) -> Iterator[Need]:
    """What the forward code of a RunPython gets from its registry; what it expects to be missing is no need."""
    for use in usage.of(GetModel):
        if use.app and use.name and not use.is_tried:
            yield Need(
                key=model_key(use.app, use.name),
                name=use.name,
                written=f"{use.app}.{use.name}",
                by="code",
                span=use.span,
                code=use.code.name,
                sure=not (use.is_guarded or use.is_looped),
                use=use,
            )
