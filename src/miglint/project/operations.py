"""Django's migration operations as values.

Each class has the name and the parameters of Django's, in Django's order; a text that could not be read is None.
Source: django.db.migrations.operations and django.contrib.postgres.operations, Django 4.2 to 6.x.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from miglint.project.fields import Field
from miglint.syntax.facts import Call, Expr
from miglint.text import NOWHERE, Span

OperationPath = tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What all operations share. `call` is the expression it was read from; it and `span` are not compared."""

    span: Span = field(default=NOWHERE, compare=False)
    call: Expr | None = field(default=None, compare=False, repr=False)
    # Arguments that could not be told (`*pair`, `**kwargs`): a parameter that looks absent may be there.
    uncertain: bool = field(default=False, compare=False)

    # Which parameters hold operations, in order.
    nested_in: ClassVar[tuple[str, ...]] = ()

    @property
    def class_name(self) -> str:
        """The class as Django, or the project, calls it."""
        name = self.call.callee.rpartition(".")[2] if isinstance(self.call, Call) else ""
        return name or type(self).__name__

    @property
    def model(self) -> str | None:
        """The name of the model it works on, as written; None where there is none or it is unknown."""
        return None

    def argument_span(self, name: str) -> Span:
        """Where a keyword argument stands, else the whole operation."""
        if isinstance(self.call, Call):
            for keyword in self.call.keywords:
                if keyword.name == name:
                    return keyword.span
        return self.span


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOperation(Operation):
    """An operation on a model it calls `name`."""

    name: str | None

    @property
    def model(self) -> str | None:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOperation(Operation):
    """An operation on a part of a model it calls `model_name`."""

    model_name: str | None

    @property
    def model(self) -> str | None:
        return self.model_name


# -- models ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateModel(ModelOperation):
    """`fields` are (name, field) pairs; `complete` is false where some could not be read."""

    fields: tuple[tuple[str, Field], ...] = ()
    options: Expr | None = None
    bases: Expr | None = None
    managers: Expr | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteModel(ModelOperation):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameModel(Operation):
    old_name: str | None
    new_name: str | None

    @property
    def model(self) -> str | None:
        return self.old_name


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterModelTable(ModelOperation):
    table: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterModelTableComment(ModelOperation):
    table_comment: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterUniqueTogether(ModelOperation):
    unique_together: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterIndexTogether(ModelOperation):
    index_together: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterOrderWithRespectTo(ModelOperation):
    order_with_respect_to: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterModelOptions(ModelOperation):
    options: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterModelManagers(ModelOperation):
    managers: Expr | None = None


# -- fields ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AddField(FieldOperation):
    name: str | None
    field: Field
    preserve_default: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveField(FieldOperation):
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterField(FieldOperation):
    name: str | None
    field: Field
    preserve_default: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameField(FieldOperation):
    old_name: str | None
    new_name: str | None


# -- indexes and constraints ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AddIndex(FieldOperation):
    index: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveIndex(FieldOperation):
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameIndex(FieldOperation):
    new_name: str | None
    old_name: str | None = None
    old_fields: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddConstraint(FieldOperation):
    constraint: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveConstraint(FieldOperation):
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterConstraint(FieldOperation):
    name: str | None
    constraint: Expr | None = None


# -- special --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateDatabaseAndState(Operation):
    database_operations: tuple[Operation, ...] = ()
    state_operations: tuple[Operation, ...] = ()

    nested_in: ClassVar[tuple[str, ...]] = ("database_operations", "state_operations")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSQL(Operation):
    """`reverse_sql` is None only where the argument is absent; an explicit `None` is a Literal."""

    sql: Expr | None
    reverse_sql: Expr | None = None
    state_operations: tuple[Operation, ...] = ()
    hints: Expr | None = None
    elidable: Expr | None = None

    nested_in: ClassVar[tuple[str, ...]] = ("state_operations",)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPython(Operation):
    """`reverse_code` is None only where the argument is absent; an explicit `None` is a Literal."""

    code: Expr | None
    reverse_code: Expr | None = None
    atomic: Expr | None = None
    hints: Expr | None = None
    elidable: Expr | None = None


# -- django.contrib.postgres ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateExtension(Operation):
    """Also the classes that name their extension themselves (`HStoreExtension()`)."""

    name: str | None = None
    hints: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddIndexConcurrently(AddIndex):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveIndexConcurrently(RemoveIndex):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCollation(Operation):
    name: str | None
    locale: Expr | None = None
    provider: Expr | None = None
    deterministic: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveCollation(Operation):
    name: str | None
    locale: Expr | None = None
    provider: Expr | None = None
    deterministic: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddConstraintNotValid(AddConstraint):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateConstraint(FieldOperation):
    name: str | None


# -- what is not Django's -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom(Operation):
    """An operation class of the project or of a package: what it does is not known."""

    callee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread(Operation):
    """An element of an operation list that could not be read."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative(Operation):
    """Operations that depend on a condition: one of the two lists runs, which is not known."""

    then: tuple[Operation, ...] = ()
    otherwise: tuple[Operation, ...] = ()

    nested_in: ClassVar[tuple[str, ...]] = ("then", "otherwise")


_MIGRATIONS = {
    kind.__name__: kind
    for kind in (
        CreateModel, DeleteModel, RenameModel, AlterModelTable, AlterModelTableComment, AlterUniqueTogether,
        AlterIndexTogether, AlterOrderWithRespectTo, AlterModelOptions, AlterModelManagers, AddField, RemoveField,
        AlterField, RenameField, AddIndex, RemoveIndex, RenameIndex, AddConstraint, RemoveConstraint, AlterConstraint,
        SeparateDatabaseAndState, RunSQL, RunPython,
    )
}  # fmt: skip
_POSTGRES: dict[str, type[Operation]] = {
    kind.__name__: kind
    for kind in (
        CreateExtension, AddIndexConcurrently, RemoveIndexConcurrently, CreateCollation, RemoveCollation,
        AddConstraintNotValid, ValidateConstraint,
    )
}  # fmt: skip
_EXTENSIONS = {
    "BloomExtension", "BtreeGinExtension", "BtreeGistExtension", "CITextExtension", "CryptoExtension",
    "HStoreExtension",
    "TrigramExtension", "UnaccentExtension",
}  # fmt: skip


def operation_class(callee: str) -> type[Operation] | None:
    """The class a qualified name means, None where it is not Django's."""
    prefix, _, name = callee.rpartition(".")
    if prefix == "django.db.migrations" or prefix.startswith("django.db.migrations.operations"):
        return _MIGRATIONS.get(name)
    if prefix.startswith("django.contrib.postgres.operations"):
        return CreateExtension if name in _EXTENSIONS else _POSTGRES.get(name)
    return None


def nested(operation: Operation) -> Iterator[tuple[str, tuple[Operation, ...]]]:
    """The lists of operations inside an operation, with the parameter that holds them."""
    for name in operation.nested_in:
        yield name, getattr(operation, name)


def walk_operations(
    operations: tuple[Operation, ...], prefix: OperationPath = ()
) -> Iterator[tuple[OperationPath, Operation]]:
    """All operations with their paths, nested ones after the one that holds them."""
    for index, operation in enumerate(operations):
        path = (*prefix, index)
        yield path, operation
        for name, inner in nested(operation):
            yield from walk_operations(inner, (*path, name))
