"""What code does that calls the schema editor's methods on historical models: what an operation does with them.

Source: the `database_forwards` of django.db.migrations.operations, each of which calls one of these methods.
"""

from __future__ import annotations

from miglint.project import operations as ops
from miglint.project.action import RenameTable
from miglint.project.actions.scene import Scene, with_table
from miglint.project.columns import text_of
from miglint.project.flow.constants import string_of
from miglint.project.state import ModelState
from miglint.project.usage import Constant, ModelField, SchemaChange, Value
from miglint.syntax.facts import Call, Expr


def operation_of(use: SchemaChange, model: ModelState) -> ops.Operation | None:
    """The operation that calls the method so; None where what the method gets is not known."""
    given = use.given[0] if use.given else None
    match use.method:
        case "create_model":
            return ops.CreateModel(name=model.name)
        case "delete_model":
            return ops.DeleteModel(name=model.name)
        case "remove_field" if isinstance(given, ModelField) and given.key == use.key:
            return ops.RemoveField(model_name=model.name, name=given.name)
        case "add_index":
            return ops.AddIndex(model_name=model.name, index=_definition(given))
        case "remove_index":
            return ops.RemoveIndex(model_name=model.name, name=_name(given))
        case "add_constraint":
            return ops.AddConstraint(model_name=model.name, constraint=_definition(given))
        case "remove_constraint":
            return ops.RemoveConstraint(model_name=model.name, name=_name(given))
    return None


def renamed_table(use: SchemaChange, scene: Scene) -> RenameTable | None:
    """What `alter_db_table` does, which no operation can do while the state stays as it is."""
    if use.method != "alter_db_table":
        return None
    model = with_table(scene.before.state.model(*use.key), scene.before)
    old, new = (string_of(each) for each in use.given)
    if model is None or not old or not new or old == new:
        return None
    return RenameTable(table=old, model=model.key if model.table == old else None, new_table=new)


def _definition(value: Value) -> Expr | None:
    return value.expr if isinstance(value, Constant) else None


def _name(value: Value) -> str | None:
    definition = _definition(value)
    return text_of(definition.keyword("name")) if isinstance(definition, Call) else None
