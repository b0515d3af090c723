"""What the code of a RunPython does with models and SQL: the values that flow through it, and what it asks of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from miglint.project.code import Code, Direction
from miglint.project.keys import ModelKey
from miglint.project.source_module import SourceModule
from miglint.syntax.facts import Call, Class, Expr
from miglint.text import Span

# -- values ---------------------------------------------------------------------------------------------


class Registry(msgspec.Struct, frozen=True):
    """`apps`, as RunPython passes it; `app` is set for what `apps.get_app_config(app)` gives."""

    app: str | None = None


class Editor(msgspec.Struct, frozen=True):
    """`schema_editor`."""


class Connection(msgspec.Struct, frozen=True):
    """A database connection: the editor's (`given`), or a global one: that of the default database, or one of all."""

    given: bool
    of_default: bool = False


class Cursor(msgspec.Struct, frozen=True):
    """A cursor; `of_default`: of the global connection."""

    of_default: bool = False


class Model(msgspec.Struct, frozen=True):
    """A historical model."""

    key: ModelKey


class Options(msgspec.Struct, frozen=True):
    """`Order._meta`."""

    key: ModelKey


class ModelField(msgspec.Struct, frozen=True):
    """A field of a historical model: `Order._meta.get_field("total")`."""

    key: ModelKey
    name: str


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """A manager or a queryset.

    `manager` is the attribute of the model that it was got by, "" for the manager of a relation. `names` are those
    of annotations, None where they cannot be known. `are_rows` is false after `values()`, which gives no instances.
    `conditions` are the calls that narrowed it down.
    """

    key: ModelKey
    manager: str = "objects"
    is_manager: bool = True
    is_filtered: bool = False
    conditions: tuple[Call, ...] = ()
    is_sliced: bool = False
    is_batched: bool = False
    has_alias: bool = False
    are_rows: bool = True
    names: frozenset[str] | None = frozenset()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An instance; `is_new` says that the code made it, `is_unsaved` that no database has it yet.

    `has_key` where the code has given it its primary key: saving it twice makes one row.
    """

    key: ModelKey
    is_new: bool = False
    is_unsaved: bool = False
    has_key: bool = False


class Several(msgspec.Struct, frozen=True):
    """A tuple or list that is written out."""

    values: tuple[Value, ...]


class Each(msgspec.Struct, frozen=True):
    """A sequence of unknown length whose elements are alike; `source` is the queryset they come from."""

    value: Value
    source: Rows | None = None


class Constant(msgspec.Struct, frozen=True):
    """An expression that means the same everywhere."""

    expr: Expr


class Written(msgspec.Struct, frozen=True):
    """One of several constants that the code writes out; which one is not known."""


class Text(msgspec.Struct, frozen=True):
    """A string that is put together; `is_written` says from constants of the code, and from names of tables, alone."""

    expr: Expr
    is_written: bool


class Foreign(msgspec.Struct, frozen=True):
    """An object of a class that is no code of the project: `pathlib.Path`."""

    path: str


class Bound(msgspec.Struct, frozen=True):
    """An attribute of a value, most likely a method."""

    value: Value
    name: str


class Routine(msgspec.Struct, frozen=True, eq=False):
    """A function of the project; `scope` are the values around a nested one, `given` those that are bound already.

    `is_certain` is false where more may be bound, by `*arguments` or `**options`, and where its name may mean another.
    """

    code: Code
    module: SourceModule
    scope: dict[str, Value] | None = None
    given: tuple[Value, ...] = ()
    named: tuple[tuple[str, Value], ...] = ()
    is_certain: bool = True


class Kind(msgspec.Struct, frozen=True, eq=False):
    """A class of the project."""

    definition: Class
    module: SourceModule


class Instance(msgspec.Struct, frozen=True, eq=False):
    """An instance of a class of the project; `attributes` is what its code sets on it, filled as it goes."""

    definition: Class
    module: SourceModule
    attributes: dict[str, Value] = msgspec.field(default_factory=dict)


Value = (
    Registry | Editor | Connection | Cursor | Model | Options | ModelField | Rows | Row | Several | Each | Constant
    | Written | Text | Bound | Routine | Kind | Instance | Foreign | None
)  # fmt: skip

# The methods whose keywords are names of annotations.
ANNOTATING = frozenset({"annotate", "alias", "values", "values_list"})
# The methods of managers, querysets and instances that change rows which are there.
SAVES = frozenset({"save", "asave"})
UPDATES = frozenset({"update", "aupdate"})
BULK_UPDATES = frozenset({"bulk_update", "abulk_update"})
DELETES = frozenset({"delete", "adelete", "_raw_delete"})
# The lookups that find rows by a value of a field, or by a part of its text.
VALUE_LOOKUPS = frozenset({
    "exact", "iexact", "in", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "regex",
    "iregex",
})  # fmt: skip

# -- what is seen ---------------------------------------------------------------------------------------


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the code does.

    `span` is in the file of `module`, `code` the function it stands in. `is_looped` tells that it is done again and
    again, `loop` through which rows. `is_guarded` is true under a condition or in a `try`, `is_tried` in a `try` that
    catches something or where the code has asked what is there, `is_chosen` where it has asked which database it is.
    """

    span: Span
    code: Code
    module: SourceModule
    direction: Direction
    is_looped: bool = False
    loop: Rows | None = None
    is_guarded: bool = False
    is_tried: bool = False
    is_chosen: bool = False


class Started(Use, frozen=True, kw_only=True):
    """What Django calls: the operation's function, or the `__init__` of its class.

    A class without one is a function without parameters and statements.
    """

    routine: Routine


class GetModel(Use, frozen=True, kw_only=True):
    """`apps.get_model(…)`; app and name as they are written, None where they cannot be read."""

    app: str | None
    name: str | None


class Query(Use, frozen=True, kw_only=True):
    """A method called on a manager or queryset (`on` is a Rows), on an instance (a Row) or on the class (a Model).

    Making an instance, `Order(…)`, is the method `__init__` of the class.
    """

    on: Rows | Row | Model
    method: str
    call: Call

    @property
    def key(self) -> ModelKey:
        return self.on.key

    @property
    def annotated(self) -> frozenset[str] | None:
        """The names that are no fields: of annotations made before, and in this call. None: they cannot be known."""
        before = self.on.names if isinstance(self.on, Rows) else frozenset()
        if before is None or self.method not in ANNOTATING:
            return before
        return before | {keyword.name for keyword in self.call.keywords if keyword.name is not None}


class Assigned(Use, frozen=True, kw_only=True):
    """A value given to an attribute of a row: `order.customer = …`; `is_none` where it is None, `is_written` where it
    is a constant, `is_step` where it is computed from the one before.

    That of `order._state.db = …` is called `_state.db`.
    """

    on: Row
    name: str
    is_none: bool = False
    is_written: bool = False
    is_step: bool = False


class RawSQL(Use, frozen=True, kw_only=True):
    """SQL that is handed to a cursor or to `schema_editor.execute`; `text` as it is written.

    `is_written` is false where something is put into it that the code does not write out. `of_default`: it goes to the
    default database, whichever is migrated.
    """

    text: Expr
    call: Call
    is_written: bool = True
    of_default: bool = False


class Fragment(Use, frozen=True, kw_only=True):
    """SQL that a query takes along, of `raw()`, `extra()` or the expression `RawSQL()`; for `is_written` see RawSQL."""

    method: str
    is_written: bool = True


class SchemaChange(Use, frozen=True, kw_only=True):
    """A method of `schema_editor` called on a historical model: `schema_editor.remove_field(Order, field)`.

    `given` is what it gets after the model.
    """

    key: ModelKey
    method: str
    given: tuple[Value, ...] = ()


class Called(Use, frozen=True, kw_only=True):
    """A call of what is imported, or of one of Python's own functions: `path` is `shop.services.recalculate`, `open`;

    of a method of what is made so: `pathlib.Path.unlink`.

    `target` is the module of the project that defines it, None where the project has none; `definition` the class
    that is instantiated.
    """

    path: str
    call: Call
    target: SourceModule | None = None
    definition: Class | None = None


U = TypeVar("U", bound=Use)


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """All that a RunPython does, in the order of the code; `is_complete` is false where some of it was not followed."""

    uses: tuple[Use, ...] = ()
    is_complete: bool = True

    def of(self, kind: type[U], direction: Direction = "forward") -> Iterator[U]:
        """The uses of one kind in one direction."""
        return (use for use in self.uses if isinstance(use, kind) and use.direction == direction)

    def saved(self) -> frozenset[ModelKey]:
        """The models of which instances are written into the database."""
        return frozenset(use.key for use in self.of(Query) if use.method in SAVES | BULK_UPDATES)
