"""Django's migration operations as values.

Each class has the name and the parameters of Django's, in Django's order; a text that could not be read is None.
Source: django.db.migrations.operations and django.contrib.postgres.operations, Django 4.2 to 6.x.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from miglint.project.fields import Field
from miglint.project.truth import Truth
from miglint.syntax.facts import Call, Expr, Literal
from miglint.text import NOWHERE, Span
from miglint.value import Value

OperationPath = tuple[int | str, ...]


class Operation(Value, frozen=True, kw_only=True, eq=False, gc=False):
    """What all operations share. `call` is the expression it was read from; it and `span` are not compared."""

    span: Span = NOWHERE
    call: Expr | None = None
    # Arguments that could not be told (`*pair`, `**kwargs`): a parameter that looks absent may be there.
    uncertain: bool = False

    # Which parameters hold operations, in order.
    nested_in: ClassVar[tuple[str, ...]] = ()
    # Where and how it is written: the same operation written otherwise is equal.
    not_compared: ClassVar[frozenset[str]] = frozenset({"span", "call", "uncertain"})

    @property
    def class_name(self) -> str:
        """The class as Django, or the project, calls it."""
        name = self.call.callee.rpartition(".")[2] if isinstance(self.call, Call) else ""
        return name or type(self).__name__

    @property
    def model(self) -> str | None:
        """The name of the model it works on, as written; None where there is none or it is unknown."""
        return None


class ModelOperation(Operation, frozen=True, kw_only=True, eq=False):
    """An operation on a model it calls `name`."""

    name: str | None

    @property
    def model(self) -> str | None:
        return self.name


class FieldOperation(Operation, frozen=True, kw_only=True, eq=False):
    """An operation on a part of a model it calls `model_name`."""

    model_name: str | None

    @property
    def model(self) -> str | None:
        return self.model_name


# -- models ---------------------------------------------------------------------------------------------


class CreateModel(ModelOperation, frozen=True, kw_only=True, eq=False):
    """`fields` are (name, field) pairs; `complete` is false where some could not be read."""

    fields: tuple[tuple[str, Field], ...] = ()
    options: Expr | None = None
    bases: Expr | None = None
    managers: Expr | None = None
    complete: bool = True


class DeleteModel(ModelOperation, frozen=True, kw_only=True, eq=False):
    pass


class RenameModel(Operation, frozen=True, kw_only=True, eq=False):
    old_name: str | None
    new_name: str | None

    @property
    def model(self) -> str | None:
        return self.old_name


class AlterModelTable(ModelOperation, frozen=True, kw_only=True, eq=False):
    table: Expr | None = None


class AlterModelTableComment(ModelOperation, frozen=True, kw_only=True, eq=False):
    table_comment: Expr | None = None


class AlterUniqueTogether(ModelOperation, frozen=True, kw_only=True, eq=False):
    unique_together: Expr | None = None


class AlterIndexTogether(ModelOperation, frozen=True, kw_only=True, eq=False):
    index_together: Expr | None = None


class AlterOrderWithRespectTo(ModelOperation, frozen=True, kw_only=True, eq=False):
    order_with_respect_to: Expr | None = None


class AlterModelOptions(ModelOperation, frozen=True, kw_only=True, eq=False):
    options: Expr | None = None


class AlterModelManagers(ModelOperation, frozen=True, kw_only=True, eq=False):
    managers: Expr | None = None


# -- fields ---------------------------------------------------------------------------------------------


class AddField(FieldOperation, frozen=True, kw_only=True, eq=False):
    name: str | None
    field: Field
    preserve_default: Expr | None = None


class RemoveField(FieldOperation, frozen=True, kw_only=True, eq=False):
    name: str | None


class AlterField(FieldOperation, frozen=True, kw_only=True, eq=False):
    name: str | None
    field: Field
    preserve_default: Expr | None = None


class RenameField(FieldOperation, frozen=True, kw_only=True, eq=False):
    old_name: str | None
    new_name: str | None


# -- indexes and constraints ----------------------------------------------------------------------------


class AddIndex(FieldOperation, frozen=True, kw_only=True, eq=False):
    index: Expr | None = None


class RemoveIndex(FieldOperation, frozen=True, kw_only=True, eq=False):
    name: str | None


class RenameIndex(FieldOperation, frozen=True, kw_only=True, eq=False):
    new_name: str | None
    old_name: str | None = None
    old_fields: Expr | None = None


class AddConstraint(FieldOperation, frozen=True, kw_only=True, eq=False):
    constraint: Expr | None = None


class RemoveConstraint(FieldOperation, frozen=True, kw_only=True, eq=False):
    name: str | None


class AlterConstraint(FieldOperation, frozen=True, kw_only=True, eq=False):
    name: str | None
    constraint: Expr | None = None


# -- special --------------------------------------------------------------------------------------------


class SeparateDatabaseAndState(Operation, frozen=True, kw_only=True, eq=False):
    database_operations: tuple[Operation, ...] = ()
    state_operations: tuple[Operation, ...] = ()

    nested_in: ClassVar[tuple[str, ...]] = ("database_operations", "state_operations")


# What RunSQL is given: a text, or a list of texts and of pairs of text and parameters. Constants are written out.
SQL = Expr


class RunSQL(Operation, frozen=True, kw_only=True, eq=False):
    """`reverse_sql` is None only where the argument is absent; an explicit `None` is a Literal."""

    sql: SQL | None
    reverse_sql: SQL | None = None
    state_operations: tuple[Operation, ...] = ()
    hints: Expr | None = None
    elidable: Expr | None = None

    nested_in: ClassVar[tuple[str, ...]] = ("state_operations",)


# What RunPython calls: a name stays one, unless it is that of a constant.
Callback = Expr


class RunPython(Operation, frozen=True, kw_only=True, eq=False):
    """`reverse_code` is None only where the argument is absent; an explicit `None` is a Literal."""

    code: Callback | None
    reverse_code: Callback | None = None
    atomic: Expr | None = None
    hints: Expr | None = None
    elidable: Expr | None = None

    @property
    def has_transaction(self) -> Truth:
        """Whether it runs in a transaction of its own where the migration is none.

        Source: django.db.migrations.migration.Migration.apply
        """
        if self.atomic is None:
            return Truth.NO
        return Truth.of(self.atomic.text == "True") if isinstance(self.atomic, Literal) else Truth.UNKNOWN


# -- django.contrib.postgres ----------------------------------------------------------------------------


class CreateExtension(Operation, frozen=True, kw_only=True, eq=False):
    """Also the classes that name their extension themselves (`HStoreExtension()`)."""

    name: str | None = None
    hints: Expr | None = None


class AddIndexConcurrently(AddIndex, frozen=True, kw_only=True, eq=False):
    pass


class RemoveIndexConcurrently(RemoveIndex, frozen=True, kw_only=True, eq=False):
    pass


class CreateCollation(Operation, frozen=True, kw_only=True, eq=False):
    name: str | None
    locale: Expr | None = None
    provider: Expr | None = None
    deterministic: Expr | None = None


class RemoveCollation(Operation, frozen=True, kw_only=True, eq=False):
    name: str | None
    locale: Expr | None = None
    provider: Expr | None = None
    deterministic: Expr | None = None


class AddConstraintNotValid(AddConstraint, frozen=True, kw_only=True, eq=False):
    pass


class ValidateConstraint(FieldOperation, frozen=True, kw_only=True, eq=False):
    name: str | None


# -- what is not Django's -------------------------------------------------------------------------------


class Custom(Operation, frozen=True, kw_only=True, eq=False):
    """An operation class of the project or of a package: what it does to the database is not known.

    `in_state` are the operations of Django that it is to the state; None where that is not known, either.
    """

    callee: str
    in_state: tuple[Operation, ...] | None = None

    def mentions(self, *names: str) -> bool:
        """Whether one of the names is among the texts it is given, in any case."""
        if not isinstance(self.call, Call):
            return False
        given = (*self.call.arguments, *(keyword.value for keyword in self.call.keywords))
        wanted = {name.lower() for name in names}
        return any(isinstance(each, Literal) and each.kind == "str" and each.text.lower() in wanted for each in given)


class Unread(Operation, frozen=True, kw_only=True, eq=False):
    """An element of an operation list that could not be read.

    `like` is what each of its operations is made by, where they are made in one place: what depends on the loop is
    not known in it.
    """

    why: str
    like: Operation | None = None


class Alternative(Operation, frozen=True, kw_only=True, eq=False):
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
