"""Operations in Django's words, as `sqlmigrate` and `migrate --plan` print them.

Source: `describe()` of django.db.migrations.operations and django.contrib.postgres.operations, Django 5.2
"""

from __future__ import annotations

from miglint.project import operations as ops
from miglint.project.actions.indexes import groups_of
from miglint.project.columns import text_of
from miglint.project.fields import truth_of
from miglint.project.operations import Operation
from miglint.syntax.facts import Call, Expr, Items, Literal, Pairs

_UNKNOWN = "…"


def describe(operation: Operation) -> str:
    """What Django says of the operation; "…" stands for what could not be read."""
    match operation:
        case ops.CreateModel():
            proxy = "proxy " if _is_proxy(operation.options) else ""
            return f"Create {proxy}model {_word(operation.name)}"
        case ops.DeleteModel():
            return f"Delete model {_word(operation.name)}"
        case ops.RenameModel():
            return f"Rename model {_word(operation.old_name)} to {_word(operation.new_name)}"
        case ops.AlterModelTable():
            none = operation.table is None or (isinstance(operation.table, Literal) and operation.table.kind == "none")
            return f"Rename table for {_word(operation.name)} to {'(default)' if none else _text(operation.table)}"
        case ops.AlterModelTableComment():
            return f"Alter {_word(operation.name)} table comment"
        case ops.AlterUniqueTogether():
            return f"Alter unique_together for {_word(operation.name)} {_constraints(operation.unique_together)}"
        case ops.AlterIndexTogether():
            return f"Alter index_together for {_word(operation.name)} {_constraints(operation.index_together)}"
        case ops.AlterOrderWithRespectTo():
            field = text_of(operation.order_with_respect_to)
            return f"Set order_with_respect_to on {_word(operation.name)} to {field}"
        case ops.AlterModelOptions():
            return f"Change Meta options on {_word(operation.name)}"
        case ops.AlterModelManagers():
            return f"Change managers on {_word(operation.name)}"
        case ops.AddField():
            return f"Add field {_word(operation.name)} to {_word(operation.model_name)}"
        case ops.RemoveField():
            return f"Remove field {_word(operation.name)} from {_word(operation.model_name)}"
        case ops.AlterField():
            return f"Alter field {_word(operation.name)} on {_word(operation.model_name)}"
        case ops.RenameField():
            names = f"{_word(operation.old_name)} on {_word(operation.model_name)} to {_word(operation.new_name)}"
            return f"Rename field {names}"
        case _:
            return _describe_rest(operation)


def _describe_rest(operation: Operation) -> str:
    match operation:
        case ops.AddIndex():
            verb = "Concurrently create" if isinstance(operation, ops.AddIndexConcurrently) else "Create"
            return f"{verb} index {_index(operation.index)} of model {_word(operation.model_name)}"
        case ops.RemoveIndex():
            verb = "Concurrently remove" if isinstance(operation, ops.RemoveIndexConcurrently) else "Remove"
            return f"{verb} index {_word(operation.name)} from {_word(operation.model_name)}"
        case ops.RenameIndex():
            old = "unnamed index" if operation.old_name is None else f"index {operation.old_name}"
            return f"Rename {old} on {_word(operation.model_name)} to {_word(operation.new_name)}"
        case ops.AddConstraint():
            kind = "not valid constraint" if isinstance(operation, ops.AddConstraintNotValid) else "constraint"
            return f"Create {kind} {_name(operation.constraint)} on model {_word(operation.model_name)}"
        case ops.RemoveConstraint():
            return f"Remove constraint {_word(operation.name)} from model {_word(operation.model_name)}"
        case ops.AlterConstraint():
            return f"Alter constraint {_word(operation.name)} on {_word(operation.model_name)}"
        case ops.ValidateConstraint():
            return f"Validate constraint {_word(operation.name)} on model {_word(operation.model_name)}"
        case ops.SeparateDatabaseAndState():
            return "Custom state/database change combination"
        case ops.RunSQL():
            return "Raw SQL operation"
        case ops.RunPython():
            return "Raw Python operation"
        case ops.CreateExtension():
            return f"Creates extension {_word(operation.name)}"
        case ops.CreateCollation():
            return f"Create collation {_word(operation.name)}"
        case ops.RemoveCollation():
            return f"Remove collation {_word(operation.name)}"
        case ops.Alternative():
            return "Operations that depend on a condition"
        case ops.Unread():
            return f"Operation that could not be read: {operation.why}"
        case _:
            return f"{operation.class_name}, which is not Django's"


def _word(name: str | None) -> str:
    return _UNKNOWN if name is None else name


def _text(value: Expr | None) -> str:
    return _word(text_of(value))


def _name(value: Expr | None) -> str:
    return _text(value.keyword("name")) if isinstance(value, Call) else _UNKNOWN


def _is_proxy(options: Expr | None) -> bool:
    pairs = options.pairs if isinstance(options, Pairs) else ()
    return any(text_of(pair.key) == "proxy" and truth_of(pair.value).certain for pair in pairs)


def _constraints(value: Expr | None) -> str:
    groups = groups_of(value)
    return f"({_UNKNOWN if groups is None else len(groups)} constraint(s))"


def _index(value: Expr | None) -> str:
    fields = value.keyword("fields") if isinstance(value, Call) else None
    if isinstance(fields, Items) and fields.items:
        return f"{_name(value)} on field(s) {', '.join(_text(item) for item in fields.items)}"
    return f"{_name(value)} on expressions"
