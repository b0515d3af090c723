"""Whether the models of one state can work on the schema of another: old code after a migration, new code before it.

The old release runs on while a migration is applied, and the new one may start before it. What either of them asks of
the database follows from its models alone: Django names every column in SELECT and INSERT, sends what the field's
class makes of a value, and knows nothing of columns that are not in its models.
Source: django.db.models.sql.compiler.SQLInsertCompiler; measured on PostgreSQL, MariaDB and SQLite.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from miglint.database import Database, Vendor, Version
from miglint.project.action import LENGTHS, Action, Column, Execute, RenameTable
from miglint.project.actions.relations import is_constrained, join_columns
from miglint.project.columns import World, column_of, join_table, target_of, text_of
from miglint.project.fields import Field
from miglint.project.keys import ModelKey
from miglint.project.schema import Schema, Table
from miglint.project.state import FieldState, ModelState, ProjectState
from miglint.project.truth import Truth
from miglint.syntax.facts import Name

# What a release does with a model's table. "edge": inserting a value at the limit of what its field allows (NULL, the
# longest text, the largest number); "filter": WHERE column = value; "join": reading or writing a many-to-many relation.
Statement = Literal["select", "filter", "insert", "edge", "update", "delete", "join"]
STATEMENTS: tuple[Statement, ...] = ("select", "filter", "insert", "edge", "update", "delete", "join")
_ALL: tuple[Statement, ...] = ("select", "filter", "insert", "edge", "update", "delete")


class Refusal(msgspec.Struct, frozen=True):
    """A statement of a model's code that fails; `column` is the one at fault, "" for the whole table."""

    statement: Statement
    model: ModelKey
    table: str
    column: str
    why: str


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where code runs: the database, Django's version, what swappable settings name."""

    database: Database
    django_version: Version
    swappable: Mapping[str, str]
    # Whether the models are newer than the schema: their values were never there.
    newer: bool = False


class Compatibility(msgspec.Struct, frozen=True, kw_only=True):
    """What a release can do. `refusals` say what fails; nothing is certain where `unknown` is true."""

    refusals: tuple[Refusal, ...] = ()
    unknown: bool = False

    def can(self, statement: Statement) -> Truth:
        """Whether every statement of a kind works."""
        asked = {statement, "insert"} if statement == "edge" else {statement}
        if any(refusal.statement in asked for refusal in self.refusals):
            return Truth.NO
        return Truth.UNKNOWN if self.unknown else Truth.YES

    @property
    def works(self) -> Truth:
        """Whether all works but values at the limit."""
        if any(refusal.statement != "edge" for refusal in self.refusals):
            return Truth.NO
        return Truth.UNKNOWN if self.unknown else Truth.YES


def old_code(
    models: ProjectState, before: Schema, after: Schema, actions: Collection[Action], setting: Setting
) -> Compatibility:
    """What the release of the state `models`, which worked on the schema `before`, can do on the schema `after`.

    `actions` are what led from the one to the other: only the tables that they touch are looked at.
    """
    touched = _touched(actions)
    known = set(_refusals(models, before, touched, setting))
    return Compatibility(
        refusals=tuple(refusal for refusal in _refusals(models, after, touched, setting) if refusal not in known),
        unknown=_is_unknown(actions),
    )


def new_code_before(models: ProjectState, before: Schema, changed: Collection[ModelKey], setting: Setting) -> Truth:
    """Whether the release of the state `models` works on the schema `before`; `changed` are the models in question."""
    newer = replace(setting, newer=True)
    refusals = [
        refusal
        for model in _these(models, changed)
        for refusal in _of_model(model, before, newer, World(models, setting.swappable))
        if refusal.statement != "edge"
    ]
    return Truth.of(not refusals)


def changed_models(before: ProjectState, after: ProjectState) -> tuple[ModelKey, ...]:
    """The models that are not the same in the second state."""
    return tuple(
        model.key
        for _, models in after.changed_since(before)
        for model in models.values()
        if before.model(*model.key) is not model
    )


def _these(models: ProjectState, keys: Collection[ModelKey]) -> Iterator[ModelState]:
    for key in keys:
        model = models.model(*key)
        if model is not None:
            yield model


def _touched(actions: Collection[Action]) -> frozenset[str]:
    renamed = {action.new_table for action in actions if isinstance(action, RenameTable)}
    return frozenset({action.table for action in actions if action.table} | renamed)


def _is_unknown(actions: Collection[Action]) -> bool:
    """Whether some action may have done anything."""
    return any(not action.certain or (isinstance(action, Execute) and not action.understood) for action in actions)


def _refusals(models: ProjectState, schema: Schema, touched: frozenset[str], setting: Setting) -> Iterator[Refusal]:
    world = World(models, setting.swappable)
    found = {model.key: model for table in touched for model in models.with_table(table)}
    for _, model in sorted(found.items()):
        yield from _of_model(model, schema, setting, world)


def _of_model(model: ModelState, schema: Schema, setting: Setting, world: World) -> Iterator[Refusal]:
    if not model.table or model.proxy.possible or not model.managed.certain:
        return
    table = schema.table(model.table)
    if table is None:
        yield from _everything(model, "", f"the table {model.table} is not there")
        yield from _joins(model, schema, world)
        return
    fields = {model.column(state.name): state for state in model.fields.values() if state.field.has_column.certain}
    for name, state in fields.items():
        found = table.columns.get(name)
        if found is not None:
            wanted = column_of(state.name, state.field, model, world)
            for statement, why in _differences(wanted, found, state.field, setting):
                yield Refusal(statement, model.key, model.table, name, why)
        elif name and table.complete:
            yield from _everything(model, name, f"the column {model.table}.{name} is not there")
    ordered = text_of(model.options.get("order_with_respect_to")) is not None
    if ordered and table.complete and "_order" not in table.columns:
        yield from _everything(model, "_order", f"the column {model.table}._order is not there")
    yield from _surplus(model, table, {*fields, *(("_order",) if ordered else ())})
    yield from _keys(model, table, fields, world, newer=setting.newer)
    yield from _joins(model, schema, world)


def _everything(model: ModelState, column: str, why: str) -> Iterator[Refusal]:
    for statement in _ALL:
        yield Refusal(statement, model.key, model.table, column, why)


def _surplus(model: ModelState, table: Table, known: Collection[str]) -> Iterator[Refusal]:
    """Columns that an INSERT of the model does not name, and that must have a value."""
    if not model.complete or any(state.field.has_column is Truth.UNKNOWN for state in model.fields.values()):
        return
    for name, column in table.columns.items():
        filled = column.default.possible or column.identity.possible or column.generated.possible
        if name not in known and column.null.refuted and not filled:
            why = f"{table.name}.{name} is NOT NULL without a default, and is not named"
            yield Refusal("insert", model.key, table.name, name, why)


def _keys(
    model: ModelState, table: Table, fields: Mapping[str, FieldState], world: World, *, newer: bool
) -> Iterator[Refusal]:
    """Constraints of the table that the model does not know. A column that is new holds nothing yet."""
    for found in table.constraints:
        if len(found.columns) != 1:
            continue
        name = found.columns[0]
        state = fields.get(name)
        if found.kind == "unique" and state is not None and state.field.kind == "ForeignKey":
            if state.field.unique.refuted:
                why = f"{table.name}.{name} is unique: a second row for one {_word(state.field)} is refused"
                yield Refusal("insert", model.key, table.name, name, why)
        elif found.kind == "foreign key" and state is None and newer and model.complete:
            why = f"{table.name}.{name}, which is not known, keeps rows of {found.to_table} from being deleted"
            yield Refusal("delete", model.key, table.name, name, why)
        elif found.kind == "foreign key" and state is not None and is_constrained(state.field):
            wanted = target_of(state.field, model.app, model.name, world)
            if wanted.table and found.to_table and wanted.table != found.to_table:
                why = f"{table.name}.{name} points to {found.to_table}, not to {wanted.table}"
                yield Refusal("delete", model.key, table.name, name, why)


def _word(field: Field) -> str:
    return (text_of(field.to) or "row").rpartition(".")[2]


def _joins(model: ModelState, schema: Schema, world: World) -> Iterator[Refusal]:
    """Join tables, which deleting a row of the model reads too."""
    for name, state in model.fields.items():
        field = state.field
        if not field.has_join_table:
            continue
        table = join_table(name, field, model)
        found = schema.table(table)
        columns = join_columns(field, model, world)
        if found is None:
            why = f"the table {table} is not there"
        elif found.complete and not set(columns) <= set(found.columns) and all(columns):
            why = f"the table {table} has other columns"
        else:
            continue
        yield Refusal("join", model.key, table, "", why)
        yield Refusal("delete", model.key, table, "", why)


# -- one column -----------------------------------------------------------------------------------------

Difference = tuple[Statement, str]


def _differences(wanted: Column, found: Column, field: Field, setting: Setting) -> Iterator[Difference]:
    """What a model that knows the column as `wanted` cannot do with it as it was `found`."""
    name = wanted.name
    if wanted.identity.certain and found.identity.refuted:
        yield "insert", f"{name} is not numbered by the database"
    if wanted.default.certain and found.default.refuted and found.null.refuted and not _sends_default(field, setting):
        yield "insert", f"{name} has no default, and DEFAULT is sent for it"
    if wanted.null.certain and found.null.refuted:
        yield "edge", f"{name} is NOT NULL"
        if _sets_null(field):
            yield "delete", f"{name} is NOT NULL, and deleting what it points to sets it to NULL"
    numbered = wanted.identity.certain and found.identity.certain
    if wanted.type is not None and found.type is not None and wanted.type != found.type and not numbered:
        differences = list(_type_differences(wanted.type, found.type, name, setting))
        yield from differences
        if wanted.primary_key.certain:
            # A row is found by its key.
            reasons = [why for statement, why in differences if statement == "filter"]
            yield from ((statement, why) for why in reasons for statement in _BY_KEY)


def _sends_default(field: Field, setting: Setting) -> bool:
    """SQLite has no DEFAULT keyword in INSERT: Django before 6.0 sends the expression itself there."""
    return setting.database.vendor == "sqlite" and setting.django_version < (6, 0)


def _sets_null(field: Field) -> bool:
    on_delete = field.arguments.get("on_delete")
    return isinstance(on_delete, Name) and on_delete.name.rpartition(".")[2] in ("SET_NULL", "DB_SET_NULL")


_BY_KEY: tuple[Statement, ...] = ("update", "delete")
_INTEGERS = {"smallint": 1, "integer": 2, "bigint": 3}
_SIZED = re.compile(rf"(varchar|numeric){LENGTHS}$")


def _family(kind: str) -> str:
    base = kind.partition("(")[0]
    if kind.endswith("]"):
        return "array"
    if base in _INTEGERS:
        return "integer"
    return "text" if base in ("varchar", "text", "citext") else base


def _type_differences(wanted: str, found: str, name: str, setting: Setting) -> Iterator[Difference]:
    """Source: PostgreSQL finds no operator for a value of one type and a column of another, and has no assignment
    cast for some; MariaDB and SQLite convert, and refuse a value only where it does not fit.
    """
    families, vendor = (_family(wanted), _family(found)), setting.database.vendor
    refused = _uncast(wanted, found) if vendor == "postgresql" else ()
    if setting.newer and _is_new_value(families, vendor):
        refused = ("insert", *refused)
    if not setting.newer:
        refused = (*refused, *_UNREADABLE[vendor].get(families, ()))
    for statement in refused:
        yield statement, f"{name} is {found}, and {wanted} is expected"
    if vendor == "sqlite":
        return
    if families[0] == families[1]:
        yield from _sizes(wanted, found, name)
        return
    if families[1] == "text" and (length := _SIZED.match(found)) and length[2] and families[0] == "text":
        yield "edge", f"{name} holds no more than {length[2]} characters"
    if families == ("numeric", "integer") or families == ("double precision", "integer"):
        yield "edge", f"{name} holds whole numbers only"


# What values do not fit though the types convert, where it is the new release that sends them. (What the old one sends
# is what was there already, and was converted.)
_NEW_VALUES: dict[Vendor, frozenset[tuple[str, str]]] = {
    "postgresql": frozenset(),
    "mysql": frozenset({("integer", "boolean"), ("timestamp with time zone", "date")}),
    "mariadb": frozenset({("integer", "boolean"), ("timestamp with time zone", "date")}),
    "sqlite": frozenset({("timestamp with time zone", "date"), ("text", "jsonb")}),
}


def _uncast(wanted: str, found: str) -> tuple[Statement, ...]:
    """What PostgreSQL refuses of a column. Arrays are compared where their elements are of one type, or text."""
    families = (_family(wanted), _family(found))
    if families != ("array", "array"):
        return _NO_CAST.get(families, ())
    one, other = wanted.removesuffix("[]"), found.removesuffix("[]")
    elements = (_family(one), _family(other))
    if one.partition("(")[0] == other.partition("(")[0] or elements == ("text", "text"):
        return ()
    written: tuple[Statement, ...] = ("insert", "edge", "update") if _is_text_alone(elements) else ()
    return tuple(dict.fromkeys(("filter", *written, *_NO_CAST.get(elements, ()))))


def _is_text_alone(families: tuple[str, str]) -> bool:
    """Whether text is sent for something else: nothing but a literal becomes that by itself."""
    return families[0] == "text" and families[1] != "text"


# What Django does not read as a value of the model's type.
_DATES: dict[tuple[str, str], tuple[Statement, ...]] = {
    ("timestamp with time zone", "date"): ("select", "update", "delete")
}
_UNREADABLE: dict[Vendor, dict[tuple[str, str], tuple[Statement, ...]]] = {
    "postgresql": {
        ("boolean", "text"): ("update",),
        ("inet", "text"): ("update",),  # "10.0.0.1/32" is what the cast makes of it
        ("timestamp with time zone", "time"): ("update",),
        ("text", "array"): ("update",),
    },
    "mysql": _DATES,
    "mariadb": _DATES,
    "sqlite": {("timestamp with time zone", "date"): ("update",)},
}


def _is_new_value(families: tuple[str, str], vendor: Vendor) -> bool:
    return (_is_text_alone(families) and vendor != "sqlite") or families in _NEW_VALUES[vendor]


# What PostgreSQL refuses where the model's type (first) is not the column's (second).
# Source: pg_cast (assignment casts) and pg_operator; measured.
_NO_CAST: dict[tuple[str, str], tuple[Statement, ...]] = {
    ("integer", "boolean"): ("filter", "insert", "edge", "update"),
    ("boolean", "integer"): ("filter", "insert", "edge", "update"),
    ("integer", "text"): ("filter",),
    ("uuid", "text"): ("filter",),
    ("numeric", "text"): ("filter",),
    ("double precision", "text"): ("filter",),
    ("date", "text"): ("filter",),
    ("timestamp with time zone", "text"): ("filter",),
    ("boolean", "text"): ("filter",),
    ("time", "text"): ("filter",),
    ("interval", "text"): ("filter",),
    ("inet", "text"): ("filter",),
    ("array", "text"): ("filter",),
    # The value that is read is none that can be written again, either.
    ("bytea", "text"): ("filter", "update"),
    ("time", "interval"): ("update",),
    ("timestamp with time zone", "time"): ("filter",),
    ("time", "timestamp with time zone"): ("filter", "insert", "edge", "update"),
}


def _sizes(wanted: str, found: str, name: str) -> Iterator[Difference]:
    if wanted in _INTEGERS and found in _INTEGERS and _INTEGERS[found] < _INTEGERS[wanted]:
        yield "edge", f"{name} is {found}: larger numbers are refused"
        if found == "smallint":
            yield "insert", f"{name} is smallint: numbers above 32767 are refused"
        return
    one, other = _SIZED.match(wanted), _SIZED.match(found)
    if other is None or other[2] is None:
        return
    asked = one[2] if one is not None else None
    if other[1] == "numeric":
        digits = int(other[2]) - int(other[3] or 0)
        more = asked is None or int(asked) - int((one[3] if one is not None else None) or 0) > digits
        if more:
            yield "edge", f"{name} holds no more than {digits} digits before the point"
    elif asked is None or int(asked) > int(other[2]):
        yield "edge", f"{name} holds no more than {other[2]} characters"
