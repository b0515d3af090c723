"""What undoing an operation does: the operation that Django's `database_backwards` amounts to.

Source: `database_backwards` and `reversible` of django.db.migrations.operations and django.contrib.postgres.operations
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from miglint.project import operations as ops
from miglint.project.fields import Field
from miglint.project.operations import Operation
from miglint.project.state import ConstraintState, IndexState, ModelState, ProjectState
from miglint.project.truth import Truth, all_of
from miglint.syntax.facts import Expr, Literal


def is_reversible(operation: Operation) -> Truth:
    """Whether Django can undo an operation; of one with operations inside, whether it can undo those."""
    if isinstance(operation, ops.Custom | ops.Unread | ops.Alternative):
        return Truth.UNKNOWN
    if isinstance(operation, ops.SeparateDatabaseAndState):
        return all_of(*(is_reversible(part) for part in operation.database_operations))
    if isinstance(operation, ops.RunPython):
        return _is_given(operation.reverse_code, operation)
    if isinstance(operation, ops.RunSQL):
        return _is_given(operation.reverse_sql, operation)
    return Truth.YES


def _is_given(value: Expr | None, operation: Operation) -> Truth:
    if value is None:
        return Truth.UNKNOWN if operation.uncertain else Truth.NO
    return Truth.of(not (isinstance(value, Literal) and value.kind == "none"))


def reversed_operation(operation: Operation, before: ProjectState, after: ProjectState, app: str) -> Operation | None:
    """The operation that, run from the state `after` to the state `before`, does what undoing does to the database.

    None where undoing does nothing to it, or where what it does is not known.
    """
    make = _REVERSED.get(type(operation))
    return None if make is None else make(operation, before, after, app)


_Maker = Callable[[Any, ProjectState, ProjectState, str], "Operation | None"]


def _drop_model(operation: ops.CreateModel, before: ProjectState, after: ProjectState, app: str) -> Operation:
    return ops.DeleteModel(name=operation.name, span=operation.span)


def _create_model(operation: ops.DeleteModel, before: ProjectState, after: ProjectState, app: str) -> Operation:
    # What it has is read from the state that it leads to.
    return ops.CreateModel(name=operation.name, span=operation.span)


def _rename_model(operation: ops.RenameModel, before: ProjectState, after: ProjectState, app: str) -> Operation:
    return replace(operation, old_name=operation.new_name, new_name=operation.old_name)


def _remove_field(operation: ops.AddField, before: ProjectState, after: ProjectState, app: str) -> Operation:
    return ops.RemoveField(model_name=operation.model_name, name=operation.name, span=operation.span)


def _field_before(operation: Any, before: ProjectState, app: str) -> Field | None:
    model = before.model(app, operation.model_name) if operation.model_name is not None else None
    state = model.field(operation.name) if model is not None and operation.name is not None else None
    return state.field if state is not None else None


def _add_field(operation: ops.RemoveField, before: ProjectState, after: ProjectState, app: str) -> Operation | None:
    field = _field_before(operation, before, app)
    if field is None:
        return None
    return ops.AddField(model_name=operation.model_name, name=operation.name, field=field, span=operation.span)


def _alter_field(operation: ops.AlterField, before: ProjectState, after: ProjectState, app: str) -> Operation | None:
    field = _field_before(operation, before, app)
    if field is None:
        return None
    return ops.AlterField(model_name=operation.model_name, name=operation.name, field=field, span=operation.span)


def _rename_field(operation: ops.RenameField, before: ProjectState, after: ProjectState, app: str) -> Operation:
    return replace(operation, old_name=operation.new_name, new_name=operation.old_name)


def _same(operation: Operation, before: ProjectState, after: ProjectState, app: str) -> Operation:
    """Operations that read from the two states what they do."""
    return operation


def _old_option(name: str, argument: str) -> _Maker:
    def make(operation: Any, before: ProjectState, after: ProjectState, app: str) -> Operation:
        model = before.model(app, operation.name) if operation.name is not None else None
        value = model.options.get(name) if model is not None else None
        reversed_one: Operation = replace(operation, **{argument: value})
        return reversed_one

    return make


def _remove_index(operation: ops.AddIndex, before: ProjectState, after: ProjectState, app: str) -> Operation | None:
    added = _added(operation, before, after, app, "indexes")
    if added is None or added.name is None:
        return None
    kind = ops.RemoveIndexConcurrently if isinstance(operation, ops.AddIndexConcurrently) else ops.RemoveIndex
    return kind(model_name=operation.model_name, name=added.name, span=operation.span)


def _add_index(operation: ops.RemoveIndex, before: ProjectState, after: ProjectState, app: str) -> Operation | None:
    removed = _added(operation, after, before, app, "indexes")
    if removed is None:
        return None
    kind = ops.AddIndexConcurrently if isinstance(operation, ops.RemoveIndexConcurrently) else ops.AddIndex
    return kind(model_name=operation.model_name, index=removed.expr, span=operation.span)


def _rename_index(operation: ops.RenameIndex, before: ProjectState, after: ProjectState, app: str) -> Operation | None:
    if operation.old_name is None:
        return None  # Django does nothing: RenameIndex.database_backwards
    return replace(operation, old_name=operation.new_name, new_name=operation.old_name)


def _remove_constraint(
    operation: ops.AddConstraint, before: ProjectState, after: ProjectState, app: str
) -> Operation | None:
    added = _added(operation, before, after, app, "constraints")
    if added is None or added.name is None:
        return None
    return ops.RemoveConstraint(model_name=operation.model_name, name=added.name, span=operation.span)


def _add_constraint(
    operation: ops.RemoveConstraint, before: ProjectState, after: ProjectState, app: str
) -> Operation | None:
    removed = _added(operation, after, before, app, "constraints")
    if removed is None:
        return None
    return ops.AddConstraint(model_name=operation.model_name, constraint=removed.expr, span=operation.span)


def _added(
    operation: Any, before: ProjectState, after: ProjectState, app: str, kind: str
) -> IndexState | ConstraintState | None:
    """The index, or the constraint, that the second state has and the first has not."""
    models: list[ModelState | None] = [
        state.model(app, operation.model_name) if operation.model_name is not None else None
        for state in (before, after)
    ]
    old: tuple[Any, ...] = getattr(models[0], kind, ())
    new: tuple[Any, ...] = getattr(models[1], kind, ())
    # The states share all that the operation leaves alone: of thousands, nearly none is compared by its value.
    shared = set(map(id, old))
    return next((found for found in new if id(found) not in shared and found not in old), None)


def _reverse_sql(operation: ops.RunSQL, before: ProjectState, after: ProjectState, app: str) -> Operation | None:
    if not _is_given(operation.reverse_sql, operation).certain:
        return None
    return replace(operation, sql=operation.reverse_sql, reverse_sql=operation.sql)


def _reverse_code(operation: ops.RunPython, before: ProjectState, after: ProjectState, app: str) -> Operation | None:
    if not _is_given(operation.reverse_code, operation).certain:
        return None
    return replace(operation, code=operation.reverse_code, reverse_code=operation.code)


_REVERSED: Mapping[type[Operation], _Maker] = {
    ops.CreateModel: _drop_model,
    ops.DeleteModel: _create_model,
    ops.RenameModel: _rename_model,
    ops.AlterModelTable: _same,
    ops.AlterModelTableComment: _old_option("db_table_comment", "table_comment"),
    ops.AlterUniqueTogether: _old_option("unique_together", "unique_together"),
    ops.AlterIndexTogether: _old_option("index_together", "index_together"),
    ops.AlterOrderWithRespectTo: _old_option("order_with_respect_to", "order_with_respect_to"),
    ops.AddField: _remove_field,
    ops.RemoveField: _add_field,
    ops.AlterField: _alter_field,
    ops.RenameField: _rename_field,
    ops.AddIndex: _remove_index,
    ops.AddIndexConcurrently: _remove_index,
    ops.RemoveIndex: _add_index,
    ops.RemoveIndexConcurrently: _add_index,
    ops.RenameIndex: _rename_index,
    ops.AddConstraint: _remove_constraint,
    ops.AddConstraintNotValid: _remove_constraint,
    ops.RemoveConstraint: _add_constraint,
    ops.RunSQL: _reverse_sql,
    ops.RunPython: _reverse_code,
    ops.CreateExtension: _same,
    ops.CreateCollation: _same,
    ops.RemoveCollation: _same,
    ops.Custom: _same,
    ops.Unread: _same,
}
