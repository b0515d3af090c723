"""What the operations on constraints add, drop and validate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from miglint.database import Database
from miglint.project import operations as ops
from miglint.project.action import (
    Action,
    AddCheck,
    AddExclusion,
    AddUnique,
    CreateIndex,
    DropConstraint,
    DropIndex,
    Execute,
    ValidateConstraint,
)
from miglint.project.actions.indexes import asked, columns_of, groups_of, names_in, uses_of
from miglint.project.actions.scene import Scene, place
from miglint.project.columns import (
    index_name,
    text_of,
)
from miglint.project.left_out import is_given, left_out
from miglint.project.proven import proven_not_null
from miglint.project.state import ModelState
from miglint.syntax.facts import Call, Expr, Items

# Arguments that make Django build a unique index instead of a constraint.
# Source: BaseDatabaseSchemaEditor._create_unique_sql
_INDEX_ARGUMENTS = ("condition", "include", "opclasses")


def constraint_of(
    value: Expr, name: str | None, model: ModelState, database: Database, **more: Any
) -> Iterator[Action]:
    where = place(model, **more)
    callee = value.callee.rpartition(".")[2] if isinstance(value, Call) else ""
    if not isinstance(value, Call) or not callee.endswith("Constraint"):
        yield Execute(verb="add constraint", understood=False, certain=False, **where)
    elif left_out(value, database):
        return
    elif callee == "CheckConstraint":
        proven = proven_not_null(value.keyword("condition") or value.keyword("check"), model)
        yield AddCheck(name=name or "", columns=uses_of(value, model), not_null=proven, **where)
    elif callee == "UniqueConstraint":
        yield _unique(value, name, model, **more)
    elif callee == "ExclusionConstraint":
        yield AddExclusion(name=name or "", **where)
    else:
        yield Execute(verb="add constraint", understood=False, certain=False, **where)


def _unique(value: Call, name: str | None, model: ModelState, **more: Any) -> AddUnique | CreateIndex:
    fields = value.keyword("fields")
    columns = columns_of(model, (names_in(fields.items) or ()) if isinstance(fields, Items) else ())
    if value.arguments or any(is_given(value.keyword(name)) for name in _INDEX_ARGUMENTS):
        reason = "UniqueConstraint"
        where = place(model, uses=uses_of(value, model), partial=is_given(value.keyword("condition")), **more)
        return CreateIndex(name=name or "", columns=columns, unique=True, reason=reason, **where)
    return AddUnique(name=name or "", columns=columns, reason="UniqueConstraint", **place(model, **more))


def add_constraint(operation: ops.AddConstraint, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.constraint is None:
        return
    name = text_of(operation.constraint.keyword("name")) if isinstance(operation.constraint, Call) else None
    not_valid = isinstance(operation, ops.AddConstraintNotValid)
    for action in constraint_of(operation.constraint, name, model, scene.database):
        yield replace(action, validated=False) if not_valid and isinstance(action, AddCheck) else action


def remove_constraint(operation: ops.RemoveConstraint, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is None or operation.name is None:
        return
    value = next((found.expr for found in model.constraints if found.name == operation.name), None)
    made = next(iter(constraint_of(value, operation.name, model, scene.database)), None) if value is not None else None
    if value is not None and made is None:
        return
    if isinstance(made, CreateIndex):
        yield DropIndex(name=operation.name, columns=made.columns, reason="UniqueConstraint", **place(model))
        return
    kinds = {AddCheck: "check", AddUnique: "unique", AddExclusion: "exclusion"}
    kind = next((word for made_by, word in kinds.items() if isinstance(made, made_by)), "")
    columns = made.columns if isinstance(made, AddCheck | AddUnique) else ()
    yield DropConstraint(name=operation.name, columns=columns, constraint=kind, **place(model))


def validate_constraint(operation: ops.ValidateConstraint, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.model_name)
    if model is not None and operation.name is not None:
        yield ValidateConstraint(name=operation.name, **place(model))


def alter_unique_together(operation: ops.AlterUniqueTogether, scene: Scene) -> Iterator[Action]:
    model = scene.model(operation.name)
    if model is None:
        return
    old, new = groups_of(model.options.get("unique_together")), groups_of(operation.unique_together)
    if old is None or new is None:
        yield AddUnique(reason="unique_together", certain=False, **place(model))
        return
    for group in [group for group in old if group not in new]:
        columns = columns_of(model, group)
        name = index_name(model.table, columns, "_uniq")
        yield DropConstraint(name=name, columns=columns, constraint="unique", **asked(model), **place(model))
    for group in [group for group in new if group not in old]:
        yield unique_together(model, group)


def unique_together(model: ModelState, group: tuple[str, ...], **more: Any) -> AddUnique:
    columns = columns_of(model, group)
    name = index_name(model.table, columns, "_uniq")
    return AddUnique(columns=columns, name=name, reason="unique_together", **place(model, **more))
