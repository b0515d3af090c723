"""The actions that change a database: what a schema editor emits, or SQL says, one table at a time."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import msgspec

from miglint.project.keys import ModelKey
from miglint.project.truth import Truth
from miglint.text import NOWHERE, Span
from miglint.value import Value

# How a column's old values become the new type's: untouched, checked only, written anew.
TypeChange = Literal["same", "compatible", "rewrite", "unknown"]
# A length in a type, as a regular expression. No database takes a longer one, and Python reads none of 4,300 digits.
DIGITS = r"\d{1,18}"
# The lengths after a type's name: none, one or two.
LENGTHS = rf"(?:\(({DIGITS})(?:, ?({DIGITS}))?\))?"


class Column(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A table's column. `type` is spelled as PostgreSQL spells it, None where it is not known."""

    name: str
    type: str | None = None
    null: Truth = Truth.UNKNOWN
    # Whether the *database* knows a default.
    default: Truth = Truth.NO
    primary_key: Truth = Truth.NO
    unique: Truth = Truth.NO
    identity: Truth = Truth.NO
    generated: Truth = Truth.NO
    # Whether it has a CHECK without a name: that of Django's fields for positive numbers.
    checked: Truth = Truth.NO


# The name of each class that was asked for.
_kinds: dict[type, str] = {}


class Action(Value, frozen=True, kw_only=True, eq=False, gc=False):
    """What all actions share.

    `table` is "" where its name is not known; `model` is None where no model of the state has the table.
    `deferred` actions run at the end of the migration. `on_new_table` is true where the same operation made
    the table. `certain` is false where it is not known whether, or how, the action happens. `guarded`: SQL that says
    IF (NOT) EXISTS, ON CONFLICT or the like may run twice. `part` counts the strings of a RunSQL; `alone` is false
    where the action's string holds a second statement.
    """

    table: str
    model: ModelKey | None = None
    deferred: bool = False
    on_new_table: bool = False
    certain: bool = True
    guarded: bool = False
    part: int = 0
    alone: bool = True
    span: Span = NOWHERE

    @property
    def conditions(self) -> frozenset[str]:
        """The words that a cost table may ask of this action."""
        return frozenset()

    @classmethod
    def kind(cls) -> str:
        """The class as a cost table spells it: `create-index`."""
        found = _kinds.get(cls)
        if found is None:
            found = _kinds[cls] = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()
        return found


def _words(**flags: bool) -> frozenset[str]:
    return frozenset(name.replace("_", "-") for name, holds in flags.items() if holds)


# -- tables ---------------------------------------------------------------------------------------------


class CreateTable(Action, frozen=True, kw_only=True, eq=False):
    """`complete`: it has no other columns, as where SQL says LIKE. `parted`: the columns by whose values its rows are
    spread over partitions. `materialized`: it is the result of a query, which nobody writes.
    """

    columns: tuple[Column, ...] = ()
    complete: bool = True
    parted: tuple[str, ...] = ()
    materialized: bool = False
    # "" where the table is a model's, else the many-to-many field it joins.
    joins: str = ""


class DropTable(Action, frozen=True, kw_only=True, eq=False):
    """`cascade`: SQL that says so; the foreign keys that point to the table go with it."""

    joins: str = ""
    cascade: bool = False


class RenameTable(Action, frozen=True, kw_only=True, eq=False):
    new_table: str


class TruncateTable(Action, frozen=True, kw_only=True, eq=False):
    """`cascade`: the tables that refer to it are emptied with it."""

    cascade: bool = False


class AttachPartition(Action, frozen=True, kw_only=True, eq=False):
    """`table` becomes a partition of `parent`; `proven`: a validated CHECK speaks of the columns that decide it."""

    parent: str
    proven: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        return _words(validated_check=self.proven)


class RemakeTable(Action, frozen=True, kw_only=True, eq=False):
    """SQLite: the table is copied to a new one. `fills` is the column whose NULLs get a value on the way.

    Source: django.db.backends.sqlite3.schema.DatabaseSchemaEditor._remake_table
    """

    reason: str = ""
    fills: str = ""


# -- columns --------------------------------------------------------------------------------------------


class AddColumn(Action, frozen=True, kw_only=True, eq=False):
    """`volatile`: each row gets a value of its own (identity, stored generated, volatile default).

    `python_default`: Django gives a default for this statement and drops it after.
    """

    column: Column
    field: str = ""
    volatile: Truth = Truth.NO
    python_default: Truth = Truth.NO
    # The database fills the rows by itself, without that default: MySQL gives whole texts "".
    skips_default: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        return _words(
            volatile=self.volatile.certain,
            unknown=self.volatile is Truth.UNKNOWN or self.column.checked is Truth.UNKNOWN,
            check=self.column.checked.certain,
            not_null=self.column.null.refuted,
            default=self.column.default.certain or self.python_default.certain,
        )


class DropColumn(Action, frozen=True, kw_only=True, eq=False):
    """`cascade`: what depends on the column, views included, goes too. `indexed`: an index on it goes with it;

    `shared`: there is an index on it and other columns (the schema knows), which `trims` says is only cut by it.
    """

    column: str
    field: str = ""
    cascade: bool = False
    indexed: bool = False
    shared: bool = False
    trims: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        return _words(indexed=self.indexed, shared=self.shared)


class RenameColumn(Action, frozen=True, kw_only=True, eq=False):
    column: str
    new_column: str


class AlterColumnType(Action, frozen=True, kw_only=True, eq=False):
    """`cascades`: it is the column of another table that follows a changed key. `utc`: the session's time zone is UTC,

    so that a timestamp with a time zone and one without are kept alike.
    """

    column: str
    old_type: str | None = None
    new_type: str | None = None
    change: TypeChange = "unknown"
    # Whether SQL says to cast the values (USING); None where it is Django that says it where it has to.
    casts: bool | None = None
    cascades: bool = False
    utc: bool = False
    # The whole column, which MySQL's MODIFY says again, whatever of it changes.
    stated: Column | None = None
    # Whether the collation changes with it, or alone.
    collated: bool = False
    # How many indexes are built anew though the table is not: those of a new collation, and those on expressions.
    rebuilds: int = 0
    # Whether a CHECK speaks of the column, which is then proved anew for every row.
    rechecks: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        return frozenset({self.change}) | _words(indexed=bool(self.rebuilds), checked=self.rechecks)


class SetNotNull(Action, frozen=True, kw_only=True, eq=False):
    column: str
    # Whether a validated CHECK (column IS NOT NULL) stands: the schema knows, see schema.proven.
    proven: bool = False
    # It is NOT NULL: SQL said so before.
    already: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        return _words(validated_check=self.proven, not_null=self.already)

    @property
    def is_kept_already(self) -> bool:
        """Whether no row can hold NULL, and none could before."""
        return self.proven or self.already


class DropNotNull(Action, frozen=True, kw_only=True, eq=False):
    column: str


class SetDefault(Action, frozen=True, kw_only=True, eq=False):
    column: str
    # Dropped again by the same operation.
    temporary: bool = False


class DropDefault(Action, frozen=True, kw_only=True, eq=False):
    column: str
    temporary: bool = False


class AddIdentity(Action, frozen=True, kw_only=True, eq=False):
    column: str


class DropIdentity(Action, frozen=True, kw_only=True, eq=False):
    column: str


class Comment(Action, frozen=True, kw_only=True, eq=False):
    """A comment on a column, or ("") on the table."""

    column: str = ""


# -- constraints ----------------------------------------------------------------------------------------


class AddForeignKey(Action, frozen=True, kw_only=True, eq=False):
    """`inline`: part of ADD COLUMN. `empty`: no row has a value yet, so there is nothing to validate.

    `at_commit`: it is DEFERRABLE INITIALLY DEFERRED: what is written is checked when the transaction ends.
    """

    columns: tuple[str, ...]
    to_table: str
    to_model: ModelKey | None = None
    name: str = ""
    validated: bool = True
    inline: bool = False
    empty: bool = False
    recreated: bool = False
    at_commit: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        return _words(not_valid=not self.validated, inline=self.inline, empty=self.empty)


class DropForeignKey(Action, frozen=True, kw_only=True, eq=False):
    columns: tuple[str, ...]
    to_table: str
    to_model: ModelKey | None = None
    name: str = ""
    recreated: bool = False


class Reference(Action, frozen=True, kw_only=True, eq=False):
    """The lock on the table that a foreign key points to: `table` is that table, `from_table` the key's own."""

    cause: Literal["add", "drop", "alter", "validate"]
    from_table: str
    # Rows of the referencing table are looked up here.
    scans: bool = False
    # The setting that names the table's model, where that was not read: `AUTH_USER_MODEL`.
    setting: str = ""

    @property
    def conditions(self) -> frozenset[str]:
        return frozenset({self.cause, *(("scans",) if self.scans else ())})


class AddCheck(Action, frozen=True, kw_only=True, eq=False):
    """`domain`: the CHECK is that of the columns' type, not of the table."""

    columns: tuple[str, ...] = ()
    domain: str = ""
    name: str = ""
    validated: bool = True
    # The columns that the check proves to be not null.
    not_null: tuple[str, ...] = ()

    @property
    def conditions(self) -> frozenset[str]:
        return _words(not_valid=not self.validated, domain=bool(self.domain))


class AddUnique(Action, frozen=True, kw_only=True, eq=False):
    """A unique constraint; `using_index` where it takes an index that exists; `inline`: part of ADD COLUMN."""

    columns: tuple[str, ...] = ()
    name: str = ""
    using_index: str = ""
    inline: bool = False
    reason: str = "unique"

    @property
    def conditions(self) -> frozenset[str]:
        return _words(using_index=bool(self.using_index), inline=self.inline)


class AddPrimaryKey(Action, frozen=True, kw_only=True, eq=False):
    columns: tuple[str, ...] = ()
    name: str = ""
    using_index: str = ""

    @property
    def conditions(self) -> frozenset[str]:
        return _words(using_index=bool(self.using_index))


class AddExclusion(Action, frozen=True, kw_only=True, eq=False):
    name: str = ""


class ValidateConstraint(Action, frozen=True, kw_only=True, eq=False):
    name: str
    # The type of columns whose CHECK it is, "" where it is the table's.
    domain: str = ""

    @property
    def conditions(self) -> frozenset[str]:
        return _words(domain=bool(self.domain))


class DropConstraint(Action, frozen=True, kw_only=True, eq=False):
    """`constraint`: "check", "unique", "primary key", "exclusion", "" where not known.

    `asked`: Django asks the database which one there is on these columns, `besides` those of Meta; `name` is the one
    that it would give.
    """

    name: str = ""
    columns: tuple[str, ...] = ()
    constraint: str = ""
    asked: bool = False
    besides: tuple[str, ...] = ()

    @property
    def conditions(self) -> frozenset[str]:
        return frozenset({self.constraint} & {"check", "unique"})


# -- indexes --------------------------------------------------------------------------------------------


class CreateIndex(Action, frozen=True, kw_only=True, eq=False):
    """`reason`: "AddIndex", "db_index", "foreign key", "unique", "like", "UniqueConstraint", "Meta.indexes", "SQL" …

    `columns` is empty for an index on expressions; `method` is None where it is not known.
    """

    name: str = ""
    columns: tuple[str, ...] = ()
    unique: bool = False
    concurrently: bool = False
    method: str | None = "btree"
    reason: str = "AddIndex"
    # Other columns, in expressions and in the condition.
    uses: tuple[str, ...] = ()
    # Only rows of which a condition holds are in it.
    partial: bool = False
    # Not on the table's partitions, which have the rows.
    only: bool = False
    # On a materialized view.
    of_view: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        return _words(concurrently=self.concurrently, unique=self.unique, only=self.only, of_view=self.of_view)


class DropIndex(Action, frozen=True, kw_only=True, eq=False):
    """`asked`: Django asks the database which one there is on these columns, `besides` those of Meta.

    `name` is then the one that it would give.
    """

    name: str = ""
    columns: tuple[str, ...] = ()
    concurrently: bool = False
    reason: str = "RemoveIndex"
    asked: bool = False
    besides: tuple[str, ...] = ()

    @property
    def conditions(self) -> frozenset[str]:
        return _words(concurrently=self.concurrently)


class RenameIndex(Action, frozen=True, kw_only=True, eq=False):
    """`columns` are given where Django asks the database which index there is on them; `name` is what it would give."""

    name: str = ""
    new_name: str = ""
    columns: tuple[str, ...] = ()


class Reindex(Action, frozen=True, kw_only=True, eq=False):
    """`whole`: what of which all indexes are built anew: "schema", "database", "system"."""

    name: str = ""
    concurrently: bool = False
    whole: str | None = None

    @property
    def conditions(self) -> frozenset[str]:
        return _words(concurrently=self.concurrently, whole=self.whole is not None)


# -- rows -----------------------------------------------------------------------------------------------


class UpdateRows(Action, frozen=True, kw_only=True, eq=False):
    """`filtered`: it has a WHERE, `by_value`: one that picks rows by a value of a column that is set.

    `column` is set where Django fills one column's NULLs; `emptied` are the columns that are set to NULL. `stepped`: a
    column is set to something computed from itself, `total = total + 1`.
    """

    filtered: bool = False
    by_value: bool = False
    column: str = ""
    columns: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()
    stepped: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        return _words(filtered=self.filtered)


class InsertRows(Action, frozen=True, kw_only=True, eq=False):
    pass


class DeleteRows(Action, frozen=True, kw_only=True, eq=False):
    filtered: bool = False

    @property
    def conditions(self) -> frozenset[str]:
        return _words(filtered=self.filtered)


# -- types ----------------------------------------------------------------------------------------------


class DefineDomain(Action, frozen=True, kw_only=True, eq=False):
    """What is known of a domain from here on: the type that it is of (None: as before), and whether it has a CHECK."""

    name: str
    base: str | None = None
    checked: Truth = Truth.UNKNOWN


class DropType(Action, frozen=True, kw_only=True, eq=False):
    """A type or a domain; `cascade`: the columns that are of it go, too."""

    name: str
    cascade: bool = False


# -- the rest -------------------------------------------------------------------------------------------


class Execute(Action, frozen=True, kw_only=True, eq=False):
    """A statement that is none of the others. `verb` are its first words in lower case; `understood` is false

    where it could not be read, or where what it does to tables is not known.
    """

    verb: str = ""
    text: str = ""
    understood: bool = True

    # What a cost table may ask: the statement's class.
    WORDS: ClassVar[dict[str, str]] = {
        "alter table": "alter-table",
        "lock": "lock-table",
        "lock share": "lock-share",
        "lock share row exclusive": "lock-share-row-exclusive",
        "lock exclusive": "lock-exclusive",
        "lock share update exclusive": "maintenance",
        "cluster": "rewrite",
        "set unlogged": "rewrite",
        "set tablespace": "rewrite",
        "vacuum full": "vacuum-full",
        "cluster all": "cluster-all",
        "detach partition concurrently": "detach-concurrently",
        "alter type add value": "add-value",
        "discard all": "outside",
        "create database": "outside",
        "drop database": "outside",
        "alter database set tablespace": "outside",
        "create tablespace": "outside",
        "drop tablespace": "outside",
        "alter system": "outside",
        "set storage parameters": "maintenance",
        "analyze": "maintenance",
        "vacuum": "vacuum",
        "create statistics": "maintenance",
        "create trigger": "trigger",
        "enable trigger": "trigger",
        "alter trigger": "alter-table",
        "drop trigger": "alter-table",
        "create policy": "alter-table",
        "alter policy": "alter-table",
        "drop policy": "alter-table",
        "create rule": "alter-table",
        "alter rule": "alter-table",
        "drop rule": "alter-table",
        "create partition": "alter-table",
        "attach partition": "attach",
        "refresh": "refresh",
        "refresh concurrently": "refresh-concurrently",
        "read rows": "read",
        "lock rows": "lock-rows",
    }

    @property
    def conditions(self) -> frozenset[str]:
        if not self.understood:
            return frozenset({"unknown"})
        word = self.WORDS.get(self.verb)
        return frozenset({word} if word else ())


ACTIONS: tuple[type[Action], ...] = (
    CreateTable, DropTable, RenameTable, TruncateTable, RemakeTable, AddColumn, DropColumn, RenameColumn,
    AlterColumnType, SetNotNull, DropNotNull, SetDefault, DropDefault, AddIdentity, DropIdentity, Comment,
    AddForeignKey, DropForeignKey, Reference, AddCheck, AddUnique, AddPrimaryKey, AddExclusion, ValidateConstraint,
    DropConstraint, CreateIndex, DropIndex, RenameIndex, Reindex, UpdateRows, InsertRows, DeleteRows,
    AttachPartition, DefineDomain, DropType, Execute,
)  # fmt: skip


def object_of(action: Action) -> str | None:
    """What of its table an action is about: the column, the constraint, the index, the new name. None: the whole."""
    match action:
        case AddColumn():
            return action.column.name
        case RenameTable():
            return action.new_table
        case RenameColumn():
            return f"{action.column} to {action.new_column}"
        case RenameIndex():
            return f"{action.name or ', '.join(action.columns)} to {action.new_name}"
        case Reference():
            return action.from_table
        case Execute():
            return action.verb or None
        case Comment() | DropColumn() | AlterColumnType() | SetNotNull() | DropNotNull() | SetDefault():
            return action.column or None
        case DropDefault() | AddIdentity() | DropIdentity():
            return action.column
        case UpdateRows():
            return ", ".join(action.columns) or None
        case CreateTable() | DropTable() | TruncateTable() | RemakeTable():
            return None
        case _:
            name: str = getattr(action, "name", "")
            return name or ", ".join(getattr(action, "columns", ())) or None
