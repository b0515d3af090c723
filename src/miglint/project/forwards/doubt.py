"""What is left to be known of models that an operation may have changed."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from miglint.project import operations as ops
from miglint.project.fields import Field
from miglint.project.forwards.indexes_and_constraints import named
from miglint.project.operations import Operation
from miglint.project.state import FieldState, ModelState
from miglint.syntax.facts import Call, Opaque


def may_change(operation: Operation | None, model: ModelState) -> Iterable[str]:
    """The fields of a model that an operation may change of which some names are not known; of None, all."""
    if operation is not None and operation.model is not None and operation.model.lower() != model.name.lower():
        return ()
    match operation:
        case ops.AddField(name=str(name)) | ops.AlterField(name=str(name)) | ops.RemoveField(name=str(name)):
            return {name} & model.fields.keys()
        case ops.AddField() | ops.AlterField() | ops.RemoveField() | ops.RenameField() | ops.DeleteModel():
            return model.fields
        case (
            None | ops.RenameModel() | ops.SeparateDatabaseAndState() | ops.Custom() | ops.Unread() | ops.Alternative()
        ):
            return model.fields
    return ()


def doubted(model: ModelState, names: Iterable[str], why: str) -> ModelState:
    """A model of which nothing is known of some fields but that they are, or were, there."""
    doubted = {
        name: replace(state, field=Field(Opaque(why, state.origin.span)))
        for name in names
        if (state := model.fields[name]).field.kind is not None or isinstance(state.field.call, Call)
    }
    return replace(model, fields={**model.fields, **doubted}) if doubted else model


_UNDER_A_CONDITION = "changed under a condition"


def common(one: ModelState, other: ModelState, before: ModelState | None) -> ModelState:
    """What two versions of a model have in common; what the one has and the other has not is left out if it is new."""
    if one is other:
        return one
    there = before.fields if before is not None else {}
    fields: dict[str, FieldState] = {}
    for name in (*one.fields, *(name for name in other.fields if name not in one.fields)):
        mine, theirs = one.fields.get(name), other.fields.get(name)
        if mine is not None and theirs is not None:
            same = mine.field == theirs.field
            fields[name] = mine if same else replace(mine, field=Field(Opaque(_UNDER_A_CONDITION, mine.origin.span)))
        elif name in there:
            fields[name] = replace(there[name], field=Field(Opaque(_UNDER_A_CONDITION, there[name].origin.span)))
    known = before.options if before is not None else {}
    options = {
        name: value if other.options.get(name) == value else Opaque(_UNDER_A_CONDITION, value.span)
        for name, value in {**other.options, **one.options}.items()
        if (name in one.options and name in other.options) or name in known
    }
    indexes = tuple(each for each in one.indexes if named(other.indexes, each.name))
    constraints = tuple(each for each in one.constraints if named(other.constraints, each.name))
    common = replace(one, fields=fields, options=options, indexes=indexes, constraints=constraints)
    whole = _sizes(common) == tuple(map(max, _sizes(one), _sizes(other)))
    return replace(common, complete=one.complete and other.complete and whole)


def _sizes(model: ModelState) -> tuple[int, ...]:
    return tuple(map(len, (model.fields, model.options, model.indexes, model.constraints)))
