"""What only the schema knows of an action: a proven NOT NULL, an index's table, a foreign key's other table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

from msgspec.structs import replace

from miglint.project import mysql
from miglint.project.action import (
    Action,
    AddCheck,
    AddColumn,
    AddForeignKey,
    AlterColumnType,
    AttachPartition,
    Column,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropForeignKey,
    DropIndex,
    DropNotNull,
    DropTable,
    DropType,
    Reference,
    Reindex,
    RenameIndex,
    SetDefault,
    SetNotNull,
    TruncateTable,
    ValidateConstraint,
)
from miglint.project.columns import type_change
from miglint.project.schema import Constraint, Schema, Table, fold
from miglint.project.truth import Truth


def inform(schema: Schema, actions: tuple[Action, ...]) -> tuple[tuple[Action, ...], Schema]:
    """The actions with what only the schema knows (a proven NOT NULL, an index's table, a key's other table), and the
    schema after them. Each action sees the ones before it.
    """
    result: list[Action] = []
    actions = tuple(_but_waiting_keys(schema, actions))
    for action in actions:
        completed = _INFORMS.get(type(action))
        found = (action,) if completed is None else tuple(completed(schema, action, actions))
        result.extend(found)
        for each in found:
            schema = fold(schema, each)
    return tuple(result), schema


def _but_waiting_keys(schema: Schema, actions: tuple[Action, ...]) -> Iterator[Action]:
    """The actions without those about keys that are only added when the migration ends.

    Django asks the database which keys to drop: there are none yet, and so none is added again.
    """
    passed: set[tuple[str, str]] = set()
    for action in actions:
        match action:
            case DropForeignKey(table=table, to_table=to) if _all_wait(schema, table, to, action.columns):
                passed.add((table, to))
            case Reference(cause="drop", from_table=table, table=to) if _all_wait(schema, table, to):
                pass
            case AddForeignKey(table=table) if table in {each for each, _ in passed}:
                passed.add((table, action.to_table))
            case Reference(cause="add", from_table=table, table=to) if (table, to) in passed:
                pass
            case _:
                yield action


def _all_wait(schema: Schema, table: str, to: str, columns: tuple[str, ...] = ()) -> bool:
    """Whether a table has keys to another one (on these columns), all of which are still to be added."""
    found = schema.table(table)
    keys = [key.waiting for key in _keys(found) if (key.columns == columns if columns else key.to_table == to)]
    return bool(keys) and all(keys)


def _set_not_null(schema: Schema, action: SetNotNull, beside: tuple[Action, ...]) -> Iterator[Action]:
    table = schema.table(action.table)
    column = table.columns.get(action.column) if table is not None else None
    proven = table is not None and table.proves_not_null(action.column)
    # Source: ATExecSetNotNull (src/backend/commands/tablecmds.c) has nothing to do where attnotnull is set.
    yield replace(action, proven=proven, already=column is not None and column.null.refuted)


def _added_column(schema: Schema, action: AddColumn, beside: tuple[Action, ...]) -> Iterator[Action]:
    """A column of a domain with a CHECK is checked row by row, which writes the table anew."""
    domain = schema.domains.get(action.column.type or "")
    checked = domain is not None and domain.checked.certain
    yield replace(action, volatile=Truth.YES) if checked else action


def _of_domain(schema: Schema, action: Any, beside: tuple[Action, ...]) -> Iterator[Action]:
    """A domain's CHECK is one of every table that has a column of it."""
    found = list(schema.of_type(action.domain)) if action.domain else []
    for table, columns in found:
        of_columns = {"columns": columns} if isinstance(action, AddCheck) else {}
        yield replace(action, table=table.name, model=table.model, **of_columns)
    if not found:
        yield action


def _drops_type(schema: Schema, action: DropType, beside: tuple[Action, ...]) -> Iterator[Action]:
    yield action
    for table, columns in schema.of_type(action.name) if action.cascade else ():
        for column in columns:
            yield DropColumn(table=table.name, model=table.model, column=column, cascade=True, span=action.span)


def _attached(schema: Schema, action: AttachPartition, beside: tuple[Action, ...]) -> Iterator[Action]:
    """A validated CHECK that speaks of the columns by which the rows are spread is taken for one that proves it."""
    parent, table = schema.table(action.parent), schema.table(action.table)
    parted = set(parent.parted) if parent is not None else set()
    proofs = [
        each
        for each in (table.constraints if table is not None else ())
        if each.kind == "check" and each.validated and parted <= set(each.columns)
    ]
    yield replace(action, proven=bool(proofs))


def _built_index(schema: Schema, action: CreateIndex, beside: tuple[Action, ...]) -> Iterator[Action]:
    table = schema.table(action.table)
    if table is not None and table.materialized:
        action = replace(action, of_view=True)
    if action.only and table is not None and table.complete and not table.parted:
        action = replace(action, only=False)  # it has no partitions
    yield action


def _emptied(schema: Schema, action: TruncateTable, beside: tuple[Action, ...]) -> Iterator[Action]:
    """TRUNCATE … CASCADE empties what refers to the table, and what refers to that."""
    yield action
    seen, waiting = {each.table for each in beside if isinstance(each, TruncateTable)}, [action.table]
    while action.cascade and waiting:
        for other, _ in schema.referencing(waiting.pop()):
            if other.name not in seen:
                seen.add(other.name)
                waiting.append(other.name)
                yield replace(action, table=other.name, model=other.model, cascade=False)


def _by_index_name(schema: Schema, action: Any, beside: tuple[Action, ...]) -> Iterator[Action]:
    found = schema.table_of_index(action.name) if not action.table else None
    yield action if found is None else replace(action, table=found.name, model=found.model)


def _named(action: DropIndex | RenameIndex | DropConstraint, candidates: list[str]) -> str:
    """The name of what Django asks the database for; as it would be called where not exactly one thing answers."""
    return candidates[0] if len(candidates) == 1 and action.name not in candidates else action.name


def _indexes_on(table: Table | None, columns: tuple[str, ...]) -> list[str]:
    """The indexes that `_constraint_names` finds, without the twins for LIKE that each have a name of their own."""
    indexes = table.indexes if table is not None else ()
    found = (index for index in indexes if index.columns == columns and not index.unique and not index.uses)
    return [index.name for index in found if not index.name.endswith("_like")]


def _dropped_index(schema: Schema, action: DropIndex, beside: tuple[Action, ...]) -> Iterator[Action]:
    if action.asked:
        found = _indexes_on(schema.table(action.table), action.columns)
        action = replace(action, name=_named(action, [name for name in found if name not in action.besides]))
    yield from _by_index_name(schema, action, beside)


def _renamed_index(schema: Schema, action: RenameIndex, beside: tuple[Action, ...]) -> Iterator[Action]:
    if action.columns:
        table = schema.table(action.table)
        found = _indexes_on(table, action.columns)
        # One that is not known was made by what could not be read.
        there = bool(found) or table is None or not table.complete
        action = replace(action, name=_named(action, found) if there else "")
        if action.name == action.new_name:
            return
    yield from _by_index_name(schema, action, beside)


def _rebuilt(table: Table, action: AlterColumnType) -> int:
    """The indexes that a change which leaves the rows alone builds anew.

    Source: PostgreSQL's CheckIndexCompatible (src/backend/commands/indexcmds.c): the collation must be the same, and
    an index with an expression or a condition is never taken to be, whatever column that speaks of.
    """
    if action.collated:
        return len(table.index_columns_with(action.column))
    if action.change != "compatible":
        return 0
    special = (index for index in table.indexes if index.uses or index.partial)
    return sum(action.column in (*index.columns, *index.uses) for index in special)


def _keys(table: Table | None) -> tuple[Constraint, ...]:
    return table.foreign_keys if table is not None else ()


_TIMESTAMPS = {"timestamp with time zone", "timestamp"}


def _known_type(schema: Schema, action: AlterColumnType, beside: tuple[Action, ...]) -> Iterator[Action]:
    table = schema.table(action.table)
    column = table.columns.get(action.column) if table is not None else None
    if action.old_type is None and action.change == "unknown" and column is not None:
        domain = schema.domains.get(action.new_type or "")
        plain = domain is not None and domain.checked.refuted
        change = type_change(column.type, domain.base if domain is not None and plain else action.new_type)
        if action.utc and {column.type, action.new_type} == _TIMESTAMPS:
            change = "compatible"  # since PostgreSQL 12
        action = replace(action, old_type=column.type, change=change)
    if table is not None and action.change in ("same", "compatible"):
        action = replace(action, rebuilds=_rebuilt(table, action), rechecks=table.is_checked(action.column))
    if action.stated is not None:
        yield from _restated(column, action, action.stated)
        return
    yield action
    # A foreign key of the column, if it was not dropped before, is made again, though nothing may change; so are those
    # that point to it.
    found = [(key.to_table, key.to_model, key) for key in _keys(table) if action.column in key.columns]
    if column is not None and column.primary_key.certain:
        pointing = schema.referencing(action.table)
        found = [*((other.name, other.model, key) for other, key in pointing if other.name != action.table), *found]
    for other_table, model, key in found:
        yield Reference(
            table=other_table,
            model=model,
            cause="alter",
            from_table=action.table,
            scans=key.validated and action.change not in ("same", "compatible"),
            deferred=action.deferred,
            certain=action.certain,
        )


def _restated(known: Column | None, action: AlterColumnType, stated: Column) -> Iterator[Action]:
    """What MODIFY changes of a column that it says again; not certain where it is not known what the column was.

    What is left out goes: the default, and NOT NULL but of a key.
    """
    change = mysql.restated(known, stated) if known is not None and not action.collated else "unknown"
    kept = known.type if known is not None and change == "same" else action.new_type
    yield replace(action, change=change, new_type=kept, collated=False, certain=action.certain and change != "unknown")
    where: dict[str, Any] = {"table": action.table, "model": action.model, "column": action.column, "part": action.part}
    null = known.null if known is not None else Truth.UNKNOWN
    default = known.default if known is not None else Truth.UNKNOWN
    if stated.null.refuted and not null.refuted:
        yield SetNotNull(**where, certain=action.certain and null.certain)
    elif stated.null.certain and null.refuted and known is not None and known.primary_key.refuted:
        yield DropNotNull(**where, certain=action.certain)
    if stated.default.certain and not default.certain:
        yield SetDefault(**where, certain=action.certain and default.refuted)
    elif stated.default.refuted and default.certain:
        yield DropDefault(**where, certain=action.certain)


def _drops_key(schema: Schema, action: DropConstraint, beside: tuple[Action, ...]) -> Iterator[Action]:
    """SQL's DROP CONSTRAINT of a foreign key locks the other table too."""
    table = schema.table(action.table)
    if action.asked and table is not None:
        like = (each for each in table.constraints if (each.kind, each.columns) == (action.constraint, action.columns))
        names = [each.name for each in like if each.name not in action.besides]
        action = replace(action, name=_named(action, names))
    found = table.constraint(action.name) if table is not None else None
    if found is not None and not action.constraint:
        action = replace(action, constraint=found.kind, columns=found.columns)
    yield action
    if found is not None and found.kind == "foreign key":
        yield _other(found, action, "drop", scans=False)


def _validated(schema: Schema, action: ValidateConstraint, beside: tuple[Action, ...]) -> Iterator[Action]:
    yield from (_of_domain if action.domain else _validates_key)(schema, action, beside)


def _validates_key(schema: Schema, action: ValidateConstraint, beside: tuple[Action, ...]) -> Iterator[Action]:
    table = schema.table(action.table)
    found = table.constraint(action.name) if table is not None else None
    yield action
    if found is not None and found.kind == "foreign key":
        yield _other(found, action, "validate", scans=True)


def _drops_keys(schema: Schema, action: DropTable, beside: tuple[Action, ...]) -> Iterator[Action]:
    """DROP TABLE in SQL: the tables that its foreign keys point to."""
    yield action
    table = schema.table(action.table)
    said = {other.table for other in beside if isinstance(other, Reference)}
    for key in table.foreign_keys if table is not None else ():
        if key.to_table not in said and key.to_table != action.table and not key.waiting:
            said.add(key.to_table)
            yield _other(key, action, "drop", scans=False)
    gone = {each.table for each in beside if isinstance(each, DropTable)}
    for other, key in schema.referencing(action.table) if action.cascade else ():
        if other.name not in gone:
            yield DropForeignKey(
                table=other.name, model=other.model, columns=key.columns, to_table=action.table, name=key.name,
                span=action.span,
            )  # fmt: skip


def _drops_indexes(schema: Schema, action: DropColumn, beside: tuple[Action, ...]) -> Iterator[Action]:
    table = schema.table(action.table)
    on_it = table.index_columns_with(action.column) if table is not None else ()
    alone = action.indexed or any(len(columns) == 1 for columns in on_it)
    yield replace(action, indexed=alone, shared=any(len(columns) > 1 for columns in on_it))


def _named_key(schema: Schema, action: DropForeignKey, beside: tuple[Action, ...]) -> Iterator[Action]:
    """Django asks the database for the name of the key it drops."""
    table = schema.table(action.table)
    keys = table.foreign_keys if table is not None else ()
    name = next((key.name for key in keys if key.columns == action.columns), action.name)
    yield replace(action, name=name)


def _other(key: Constraint, action: Action, cause: Literal["drop", "validate"], *, scans: bool) -> Reference:
    return Reference(
        table=key.to_table, model=key.to_model, from_table=action.table, cause=cause, scans=scans, span=action.span
    )


_INFORMS: dict[type[Action], Callable[[Schema, Any, tuple[Action, ...]], Iterator[Action]]] = {
    AddCheck: _of_domain,
    AddColumn: _added_column,
    AttachPartition: _attached,
    CreateIndex: _built_index,
    DropType: _drops_type,
    TruncateTable: _emptied,
    SetNotNull: _set_not_null,
    DropIndex: _dropped_index,
    RenameIndex: _renamed_index,
    Reindex: _by_index_name,
    AlterColumnType: _known_type,
    DropConstraint: _drops_key,
    ValidateConstraint: _validated,
    DropForeignKey: _named_key,
    DropTable: _drops_keys,
    DropColumn: _drops_indexes,
}
