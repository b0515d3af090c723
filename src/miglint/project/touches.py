"""What an operation does to which part of which model: what two branches can disagree about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal as Choice

from miglint.project.keys import ModelKey, model_key
from miglint.project.lookups import lookups_of
from miglint.project.migration import Migration
from miglint.project.needs import needs_of
from miglint.project.operations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterConstraint,
    AlterField,
    AlterIndexTogether,
    AlterModelManagers,
    AlterModelOptions,
    AlterModelTable,
    AlterModelTableComment,
    AlterOrderWithRespectTo,
    AlterUniqueTogether,
    CreateModel,
    DeleteModel,
    Operation,
    RemoveConstraint,
    RemoveField,
    RemoveIndex,
    RenameField,
    RenameIndex,
    RenameModel,
    walk_operations,
)
from miglint.syntax.facts import Call, Expr, Literal

Deed = Choice["makes", "sets", "removes", "renames", "uses"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One deed on a part of a model: `kind` and `name` are "" for the model itself, else `field`, `index` and so on.

    `model` is the model's name as written. `value` is what is set: two that are equal do not contradict each other.
    """

    key: ModelKey
    model: str
    kind: Choice["", "field", "index", "constraint", "option"]
    name: str
    deed: Deed
    operation: Operation
    migration: Migration
    value: object = None

    @property
    def part(self) -> tuple[str, str]:
        return self.kind, self.name.lower()


def touches_of(migration: Migration, swappable: Mapping[str, str]) -> tuple[Touch, ...]:
    """The deeds of all operations of a migration, nested ones included, as far as their names can be read; what code
    does is not among them.
    """
    # Kept with the migration: each merge asks for those of whole branches.
    known: tuple[Mapping[str, str], tuple[Touch, ...]] | None = vars(migration).get("_touches")
    if known is None or known[0] is not swappable:
        known = vars(migration)["_touches"] = (swappable, tuple(_touches(migration, swappable)))
    return known[1]


def _touches(migration: Migration, swappable: Mapping[str, str]) -> Iterator[Touch]:
    for _, operation in walk_operations(migration.operations):
        for model, kind, name, deed, value in _deeds(operation):
            yield Touch(
                key=model_key(migration.app, model), model=model, kind=kind, name=name, deed=deed, value=value,
                operation=operation, migration=migration,
            )  # fmt: skip
        for need in needs_of(operation, migration, swappable):
            yield Touch(
                key=need.key, model=need.name, kind="", name="", deed="uses", operation=operation, migration=migration
            )


_Found = tuple[str, Choice["", "field", "index", "constraint", "option"], str, Deed, object]


def _deeds(operation: Operation) -> Iterator[_Found]:
    model = operation.model
    if model is None:
        return
    match operation:
        case CreateModel():
            yield model, "", "", "makes", None
        case DeleteModel():
            yield model, "", "", "removes", None
        case RenameModel(new_name=str(new)):
            yield model, "", "", "renames", None
            yield new, "", "", "makes", None
        case AddField(name=str(name)):
            yield model, "field", name, "makes", None
        case AlterField(name=str(name), field=field):
            yield model, "field", name, "sets", field
        case RemoveField(name=str(name)):
            yield model, "field", name, "removes", None
        case RenameField(old_name=str(old), new_name=str(new)):
            yield model, "field", old, "renames", None
            yield model, "field", new, "makes", None
        case AddIndex(index=index) if name := _name(index):
            yield model, "index", name, "makes", None
        case RemoveIndex(name=str(name)):
            yield model, "index", name, "removes", None
        case RenameIndex(new_name=str(new), old_name=old):
            yield model, "index", new, "makes", None
            if old is not None:
                yield model, "index", old, "renames", None
        case AddConstraint(constraint=constraint) if name := _name(constraint):
            yield model, "constraint", name, "makes", None
        case RemoveConstraint(name=str(name)):
            yield model, "constraint", name, "removes", None
        case AlterConstraint(name=str(name), constraint=constraint):
            yield model, "constraint", name, "sets", constraint
        case AlterUniqueTogether(unique_together=value):
            yield model, "option", "unique_together", "sets", value
        case AlterIndexTogether(index_together=value):
            yield model, "option", "index_together", "sets", value
        case AlterOrderWithRespectTo(order_with_respect_to=value):
            yield model, "option", "order_with_respect_to", "sets", value
        case AlterModelTable(table=value):
            yield model, "option", "db_table", "sets", value
        case AlterModelTableComment(table_comment=value):
            yield model, "option", "db_table_comment", "sets", value
        case AlterModelOptions(options=value):
            yield model, "option", "options", "sets", value
        case AlterModelManagers(managers=value):
            yield model, "option", "managers", "sets", value
    for lookup in lookups_of(operation):
        if lookup.relation is None:
            yield model, "field", lookup.name, "uses", None


def _name(value: Expr | None) -> str:
    name = value.keyword("name") if isinstance(value, Call) else None
    return name.text if isinstance(name, Literal) and name.kind == "str" else ""
