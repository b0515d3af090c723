"""What the database has: tables, columns, keys, indexes and constraints, folded from actions.

Values are immutable and shared: a fold makes one new table and a new mapping of tables, never a copy of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from miglint.project.action import (
    Action,
    AddCheck,
    AddColumn,
    AddExclusion,
    AddForeignKey,
    AddIdentity,
    AddPrimaryKey,
    AddUnique,
    AlterColumnType,
    Column,
    CreateIndex,
    CreateTable,
    DefineDomain,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropForeignKey,
    DropIdentity,
    DropIndex,
    DropNotNull,
    DropTable,
    RenameColumn,
    RenameIndex,
    RenameTable,
    SetDefault,
    SetNotNull,
    ValidateConstraint,
)
from miglint.project.columns import unnamed
from miglint.project.keys import ModelKey
from miglint.project.persistent import PersistentMap, extended, reduced
from miglint.project.truth import Truth

ConstraintKind = Literal["check", "unique", "primary key", "foreign key", "exclusion"]


class Constraint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A constraint; `to_table` is set for a foreign key, `not_null` for a CHECK that proves columns not null.

    `at_commit`: a foreign key that is checked when the transaction ends.
    """

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    validated: bool = True
    to_table: str = ""
    to_model: ModelKey | None = None
    not_null: tuple[str, ...] = ()
    at_commit: bool = False
    # It is added when the migration ends.
    waiting: bool = False


class Index(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An index that is no constraint's own."""

    name: str
    columns: tuple[str, ...] = ()
    unique: bool = False
    # Columns of its expressions and of its condition.
    uses: tuple[str, ...] = ()
    partial: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A table. `complete` is false where it was first seen in use: it has more than is known here."""

    name: str
    model: ModelKey | None = None
    columns: Mapping[str, Column] = {}
    indexes: tuple[Index, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    complete: bool = True
    # The columns by whose values its rows are spread over partitions.
    parted: tuple[str, ...] = ()
    materialized: bool = False

    @property
    def foreign_keys(self) -> tuple[Constraint, ...]:
        return tuple(constraint for constraint in self.constraints if constraint.kind == "foreign key")

    @property
    def index_columns(self) -> tuple[tuple[str, ...], ...]:
        """The columns that each index is about, those of constraints and of the primary key included."""
        keys = [(name,) for name, column in self.columns.items() if column.primary_key.certain]
        return (*keys, *self._named_columns())

    def index_columns_with(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Those of `index_columns` that have a column, found without a look at all others."""
        column = self.columns.get(name)
        key = [(name,)] if column is not None and column.primary_key.certain else []
        return (*key, *(columns for columns in self._named_columns() if name in columns))

    def _named_columns(self) -> Iterator[tuple[str, ...]]:
        yield from (found.columns for found in self.constraints if found.kind in ("unique", "primary key"))
        yield from ((*index.columns, *index.uses) for index in self.indexes)

    def constraint(self, name: str) -> Constraint | None:
        return next((constraint for constraint in self.constraints if constraint.name == name), None)

    def index(self, name: str) -> Index | None:
        return next((index for index in self.indexes if index.name == name), None)

    def is_checked(self, column: str) -> bool:
        """Whether a validated CHECK speaks of the column.

        A statement of its type, be it the same, has PostgreSQL add the CHECK again.
        Source: ATPostAlterTypeCleanup (src/backend/commands/tablecmds.c)
        """
        return any(found.kind == "check" and found.validated and column in found.columns for found in self.constraints)

    def proves_not_null(self, column: str) -> bool:
        """Whether a validated CHECK says that the column holds no NULL."""
        return any(column in found.not_null and found.validated for found in self.constraints)


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """A type of the project's own: the type that it is of, and whether it has a CHECK."""

    base: str | None
    checked: Truth


class Schema(msgspec.Struct, frozen=True, gc=False):
    """The tables, in two levels (what stands before a name's first underscore, then the name): steps share groups."""

    groups: PersistentMap[str, PersistentMap[str, Table]] = msgspec.field(default_factory=PersistentMap)
    domains: PersistentMap[str, Domain] = msgspec.field(default_factory=PersistentMap)

    def table(self, name: str) -> Table | None:
        """A table by its name, None where no action was seen on it."""
        return self.groups.get(_group(name), _NO_TABLES).get(name)

    def tables(self) -> Iterator[Table]:
        """All tables, in the order in which they came."""
        for group in self.groups.values():
            yield from group.values()

    def put(self, table: Table) -> Schema:
        """The schema with a table new or changed."""
        group = _group(table.name)
        tables: PersistentMap[str, Table] = self.groups.get(group) or PersistentMap()
        return Schema(self.groups.put(group, tables.put(table.name, table)), self.domains)

    def without(self, name: str) -> Schema:
        """The schema without a table."""
        group = _group(name)
        tables = self.groups.get(group)
        return self if tables is None else Schema(self.groups.put(group, tables.without(name)), self.domains)

    def referencing(self, table: str) -> Iterator[tuple[Table, Constraint]]:
        """The foreign keys that point to a table."""
        for found in self.tables():
            for key in found.foreign_keys:
                if key.to_table == table:
                    yield found, key

    def of_type(self, name: str) -> Iterator[tuple[Table, tuple[str, ...]]]:
        """The tables that have columns of a type, and these."""
        for found in self.tables():
            columns = tuple(column.name for column in found.columns.values() if column.type == name)
            if columns:
                yield found, columns

    def table_of_index(self, name: str) -> Table | None:
        """The table that has an index, or a constraint, of this name."""
        if not name:
            return None
        for found in self.tables():
            if found.index(name) is not None or found.constraint(name) is not None:
                return found
        return None


_NO_TABLES: PersistentMap[str, Table] = PersistentMap()


def _group(name: str) -> str:
    return name.partition("_")[0]


def fold(schema: Schema, action: Action) -> Schema:
    """The schema after an action."""
    if isinstance(action, DefineDomain):
        known = schema.domains.get(action.name)
        base = action.base if action.base is not None or known is None else known.base
        return replace(schema, domains=schema.domains.put(action.name, Domain(base=base, checked=action.checked)))
    if not action.table:
        return schema
    change = (_FOLDS if action.certain else _DOUBTS).get(type(action))
    return schema if change is None else change(schema, action)


def _get(schema: Schema, action: Action) -> Table:
    found = schema.table(action.table)
    return Table(name=action.table, model=action.model, complete=False) if found is None else found


def _create_table(schema: Schema, action: CreateTable) -> Schema:
    columns = {column.name: column for column in action.columns}
    checks = tuple(_check_of(action.table, column) for column in action.columns if column.checked.certain)
    made = Table(
        name=action.table,
        model=action.model,
        columns=columns,
        constraints=checks,
        complete=bool(columns) and action.complete,
        parted=action.parted,
        materialized=action.materialized,
    )
    return schema.put(made)


def _check_of(table: str, column: Column) -> Constraint:
    """The CHECK that is said with a column, without a name."""
    return Constraint(name=unnamed(table, (column.name,), "check"), kind="check", columns=(column.name,))


def _drop_table(schema: Schema, action: DropTable) -> Schema:
    return schema.without(action.table)


def _rename_table(schema: Schema, action: RenameTable) -> Schema:
    pointing = {other.name for other, _ in schema.referencing(action.table)}
    table = _repointed(_get(schema, action), action)
    renamed = schema.without(action.table).put(replace(table, name=action.new_table))
    for name in sorted(pointing - {action.table}):
        other = renamed.table(name)
        renamed = renamed if other is None else renamed.put(_repointed(other, action))
    return renamed


def _repointed(table: Table, action: RenameTable) -> Table:
    constraints = tuple(
        replace(found, to_table=action.new_table) if found.to_table == action.table else found
        for found in table.constraints
    )
    return replace(table, constraints=constraints)


def _column(name: str, change: Callable[[Column], Column]) -> Callable[[Table], Table]:
    def changed(table: Table) -> Table:
        column = change(table.columns.get(name, Column(name=name)))
        return replace(table, columns=extended(table.columns, name, column))

    return changed


def _on_column(**to: Any) -> Callable[[Schema, Any], Schema]:
    """A fold that changes properties of the action's column."""

    def change(schema: Schema, action: Any) -> Schema:
        return schema.put(_column(action.column, lambda column: replace(column, **to))(_get(schema, action)))

    return change


def _add_column(schema: Schema, action: AddColumn) -> Schema:
    column = action.column
    if action.python_default.certain and not action.skips_default:
        column = replace(column, default=Truth.YES)  # until the DROP DEFAULT that follows
    table = _get(schema, action)
    checks = (_check_of(action.table, column),) if column.checked.certain else ()
    columns = extended(table.columns, column.name, column)
    return schema.put(replace(table, columns=columns, constraints=(*table.constraints, *checks)))


def _drop_column(schema: Schema, action: DropColumn) -> Schema:
    table = _get(schema, action)
    columns = reduced(table.columns, action.column)
    indexes = tuple(_without(table.indexes, action))
    constraints = tuple(found for found in table.constraints if action.column not in found.columns)
    return schema.put(replace(table, columns=columns, indexes=indexes, constraints=constraints))


def _without(indexes: tuple[Index, ...], action: DropColumn) -> Iterator[Index]:
    """The indexes that are left: PostgreSQL drops each that has the column, MySQL takes the column out of it."""
    for index in indexes:
        if action.column not in (*index.columns, *index.uses):
            yield index
        elif action.trims and len(index.columns) > 1:
            yield replace(index, columns=tuple(name for name in index.columns if name != action.column))


def _rename_column(schema: Schema, action: RenameColumn) -> Schema:
    table = _get(schema, action)

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(action.new_column if name == action.column else name for name in names)

    columns = {
        action.new_column if name == action.column else name: (
            replace(column, name=action.new_column) if name == action.column else column
        )
        for name, column in table.columns.items()
    }
    indexes = tuple(replace(index, columns=renamed(index.columns)) for index in table.indexes)
    constraints = tuple(
        replace(
            found,
            columns=renamed(found.columns),
            not_null=renamed(found.not_null),
        )
        for found in table.constraints
    )
    return schema.put(replace(table, columns=columns, indexes=indexes, constraints=constraints))


def _alter_type(schema: Schema, action: AlterColumnType) -> Schema:
    change = _column(action.column, lambda column: replace(column, type=action.new_type))
    return schema.put(change(_get(schema, action)))


def _constrain(schema: Schema, action: Action, constraint: Constraint) -> Schema:
    table = _get(schema, action)
    return schema.put(replace(table, constraints=(*table.constraints, constraint)))


def _add_foreign_key(schema: Schema, action: AddForeignKey) -> Schema:
    key = Constraint(
        name=action.name,
        kind="foreign key",
        columns=action.columns,
        validated=action.validated,
        to_table=action.to_table,
        to_model=action.to_model,
        at_commit=action.at_commit,
        waiting=action.deferred,
    )
    return _constrain(schema, action, key)


def _drop_foreign_key(schema: Schema, action: DropForeignKey) -> Schema:
    table = _get(schema, action)
    kept = tuple(
        found
        for found in table.constraints
        if not (found.kind == "foreign key" and (found.columns == action.columns or found.name == action.name != ""))
    )
    return schema.put(replace(table, constraints=kept))


def _add_check(schema: Schema, action: AddCheck) -> Schema:
    if action.domain:
        return schema
    check = Constraint(
        name=action.name, kind="check", columns=action.columns, validated=action.validated, not_null=action.not_null
    )
    return _constrain(schema, action, check)


def _add_unique(schema: Schema, action: AddUnique | AddPrimaryKey) -> Schema:
    kind: ConstraintKind = "unique" if isinstance(action, AddUnique) else "primary key"
    table, columns = _get(schema, action), action.columns
    used = table.index(action.using_index) if action.using_index else None
    if used is not None:
        # The index becomes the constraint's own and takes its name.
        columns = used.columns
        schema = schema.put(replace(table, indexes=tuple(index for index in table.indexes if index is not used)))
    return _constrain(schema, action, Constraint(name=action.name, kind=kind, columns=columns))


def _add_exclusion(schema: Schema, action: AddExclusion) -> Schema:
    return _constrain(schema, action, Constraint(name=action.name, kind="exclusion"))


def _validate(schema: Schema, action: ValidateConstraint) -> Schema:
    table = _get(schema, action)
    # Where none has the name, it is a CHECK whose name is not known.
    name = action.name if table.constraint(action.name) is not None else ""
    constraints = tuple(
        replace(found, validated=True) if found.name == name and (name or found.kind == "check") else found
        for found in table.constraints
    )
    return schema.put(replace(table, constraints=constraints))


def _drop_constraint(schema: Schema, action: DropConstraint) -> Schema:
    table = _get(schema, action)
    named = [found for found in table.constraints if found.name == action.name]
    if not named and action.columns:
        named = [c for c in table.constraints if c.columns == action.columns and c.kind == action.constraint]
    kept = tuple(found for found in table.constraints if found not in named)
    return schema.put(replace(table, constraints=kept))


def _create_index(schema: Schema, action: CreateIndex) -> Schema:
    table = _get(schema, action)
    index = Index(
        name=action.name, columns=action.columns, unique=action.unique, uses=action.uses, partial=action.partial
    )
    return schema.put(replace(table, indexes=(*table.indexes, index)))


def _drop_index(schema: Schema, action: DropIndex) -> Schema:
    table = _get(schema, action)
    return schema.put(replace(table, indexes=tuple(index for index in table.indexes if index.name != action.name)))


def _rename_index(schema: Schema, action: RenameIndex) -> Schema:
    table = _get(schema, action)
    indexes = tuple(
        replace(index, name=action.new_name) if index.name == action.name else index for index in table.indexes
    )
    return schema.put(replace(table, indexes=indexes))


_FOLDS: dict[type[Action], Callable[[Schema, Any], Schema]] = {
    CreateTable: _create_table,
    DropTable: _drop_table,
    RenameTable: _rename_table,
    AddColumn: _add_column,
    DropColumn: _drop_column,
    RenameColumn: _rename_column,
    AlterColumnType: _alter_type,
    SetNotNull: _on_column(null=Truth.NO),
    DropNotNull: _on_column(null=Truth.YES),
    SetDefault: _on_column(default=Truth.YES),
    DropDefault: _on_column(default=Truth.NO),
    AddIdentity: _on_column(identity=Truth.YES),
    DropIdentity: _on_column(identity=Truth.NO),
    AddForeignKey: _add_foreign_key,
    DropForeignKey: _drop_foreign_key,
    AddCheck: _add_check,
    AddUnique: _add_unique,
    AddPrimaryKey: _add_unique,
    AddExclusion: _add_exclusion,
    ValidateConstraint: _validate,
    DropConstraint: _drop_constraint,
    CreateIndex: _create_index,
    DropIndex: _drop_index,
    RenameIndex: _rename_index,
}


def settled(schema: Schema, actions: Iterable[Action]) -> Schema:
    """The schema when a migration has ended: no key waits any more."""
    names: dict[str, None] = {}
    for action in actions:
        if isinstance(action, AddForeignKey) and action.deferred:
            names[action.table] = None
        elif isinstance(action, RenameTable) and action.table in names:
            names[action.new_table] = None
    for name in names:
        table = schema.table(name)
        if table is not None:
            keys = tuple(replace(found, waiting=False) if found.waiting else found for found in table.constraints)
            schema = schema.put(replace(table, constraints=keys))
    return schema


# What is left of knowledge after an action that may have happened.
_DOUBTS: dict[type[Action], Callable[[Schema, Any], Schema]] = {
    AlterColumnType: _alter_type,
    SetNotNull: _on_column(null=Truth.UNKNOWN),
}
