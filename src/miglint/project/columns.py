"""The column that a field becomes: its type, what it is related to, and what a change of type means."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from miglint.project.action import DIGITS, LENGTHS, Column, TypeChange
from miglint.project.contrib import CONTRIB_TABLES
from miglint.project.fields import SPATIAL, Field
from miglint.project.keys import UNREAD, ModelKey, model_key, setting_mark
from miglint.project.truth import Truth, either
from miglint.syntax.facts import Call, Expr, Literal, Name
from miglint.syntax.sql.columns import VOLATILE_FUNCTIONS

if TYPE_CHECKING:
    from miglint.project.state import ModelState, ProjectState

# Source: django.db.backends.postgresql.base.DatabaseWrapper.data_types; django.contrib.postgres.fields
_TYPES = {
    "AutoField": "integer", "BigAutoField": "bigint", "SmallAutoField": "smallint", "BinaryField": "bytea",
    "BooleanField": "boolean", "NullBooleanField": "boolean", "DateField": "date",
    "DateTimeField": "timestamp with time zone", "DurationField": "interval", "FloatField": "double precision",
    "IntegerField": "integer", "BigIntegerField": "bigint", "IPAddressField": "inet", "GenericIPAddressField": "inet",
    "JSONField": "jsonb", "PositiveBigIntegerField": "bigint", "PositiveIntegerField": "integer",
    "PositiveSmallIntegerField": "smallint", "SmallIntegerField": "smallint", "TextField": "text",
    "TimeField": "time", "UUIDField": "uuid", "CICharField": "citext", "CIEmailField": "citext",
    "CITextField": "citext", "HStoreField": "hstore", "BigIntegerRangeField": "int8range",
    "IntegerRangeField": "int4range", "DecimalRangeField": "numrange", "DateRangeField": "daterange",
    "DateTimeRangeField": "tstzrange", "SearchVectorField": "tsvector", "SearchQueryField": "tsquery",
}  # fmt: skip
_VARCHAR = {
    "CharField", "CommaSeparatedIntegerField", "EmailField", "FileField", "FilePathField", "ImageField", "SlugField",
    "URLField",
}  # fmt: skip
# Of these the column is text of some length.
TEXTS = _VARCHAR | {"TextField"}
_POSITIVE = {"PositiveBigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField"}
# Database functions by what PostgreSQL calls their volatility; all others are not known here.
_STABLE = {"Now", "TransactionNow", "Value", "Pi", "Cast", "Lower", "Upper", "Concat", "Coalesce", "JSONObject"}
_VOLATILE = {"Random", "RandomUUID"}
# What the type of a spatial column depends on. Source: django.contrib.gis.db.models.fields
_OF_SPACE = {"dim": Literal("int", "2"), "geography": Literal("bool", "False"), "srid": Literal("int", "4326")}
_MAX_HOPS = 8
SETTINGS = "django.conf.settings."


class Target(msgspec.Struct, frozen=True):
    """What a relation points to: the model (None where it is not known) and the column there ("" likewise).

    `setting` is the one that names the model, where that was not read.
    """

    key: ModelKey | None
    table: str = ""
    column: str = ""
    type: str | None = None
    setting: str = ""


class World(msgspec.Struct, frozen=True):
    """A state, and which model a swappable setting names (`AUTH_USER_MODEL` → `auth.User`)."""

    state: ProjectState
    swappable: Mapping[str, str]

    def model(self, app: str, name: str) -> ModelState | None:
        return self.state.model(app, name)

    def is_swapped(self, model: ModelState) -> bool:
        """Whether a setting is known to name another model in its place. Source: Options.swapped"""
        setting = text_of(model.options.get("swappable"))
        named = self.swappable.get(setting) if setting is not None else None
        return named is not None and not _is_model(named, model.key)

    def naming(self, key: ModelKey) -> Iterator[ModelState]:
        """The models with a relation that may point to a model, or with a base that is this model."""
        settings = (setting_mark(name) for name, text in self.swappable.items() if _is_model(text, key))
        found = {model.key: model for mark in (key, *settings) for model in self.state.marked(mark)}
        return (model for _, model in sorted(found.items()))

    def naming_somewhere(self) -> Iterator[ModelState]:
        """The models with a relation of which it cannot be read where it points, or what it is called there."""
        for mark in (UNREAD, *map(setting_mark, self.state.settings() - self.swappable.keys())):
            yield from self.state.marked(mark)


def _is_model(text: str, key: ModelKey) -> bool:
    """Whether a setting's `app.Model` is a model."""
    app, _, name = text.rpartition(".")
    return model_key(app, name) == key


def text_of(value: Expr | None) -> str | None:
    """A text constant, None for all else."""
    return value.text if isinstance(value, Literal) and value.kind == "str" else None


def target_key(field: Field, app: str, model: str, world: World) -> ModelKey | None:
    """The model that a relation names: "self", "Model", "app.Model" and a swappable setting."""
    return named_model(field.to, app, model, world)


def named_model(value: Expr | None, app: str, model: str, world: World) -> ModelKey | None:
    """The model that a relation or a base of a model names."""
    setting = _setting(value)
    text = world.swappable.get(setting) if setting else text_of(value)
    if text is None:
        return None
    if text.lower() == "self":
        return model_key(app, model)
    label, dot, name = text.rpartition(".")
    return model_key(label if dot else app, name)


def _setting(value: Expr | None) -> str:
    """The setting that names a model: `AUTH_USER_MODEL`, "" where the model is named itself."""
    return value.name.rpartition(".")[2] if isinstance(value, Name) and value.name.startswith(SETTINGS) else ""


def target_of(field: Field, app: str, model: str, world: World, hops: int = 0) -> Target:
    """The table and column that a foreign key refers to."""
    key = target_key(field, app, model, world)
    found = world.model(*key) if key is not None else None
    if key is not None and found is None:
        return Target(key, CONTRIB_TABLES.get(key, ""))
    if found is None:
        return Target(None, setting=_setting(field.to))
    while found.proxy.certain and hops < _MAX_HOPS:
        base = next((text for base in found.bases if (text := text_of(base)) is not None), "")
        label, _, name = base.rpartition(".")
        parent = world.model(label or found.app, name)
        hops += 1
        if parent is None:
            return Target(key)
        found = parent
    to_field = field.arguments.get("to_field")
    if to_field is not None and not isinstance(to_field, Literal):
        return Target(key, found.table)
    name_of_field = text_of(to_field) or primary_key_of(found)
    remote = found.field(name_of_field) if name_of_field else None
    if remote is None or hops >= _MAX_HOPS:
        return Target(key, found.table)
    remote_type = column_type(remote.field, found.app, found.name, world, hops + 1)
    return Target(key, found.table, found.column(remote.name), remote_type)


def primary_key_of(model: ModelState) -> str | None:
    """The name of the field that is the primary key."""
    for name, state in model.fields.items():
        if state.field.primary_key.certain:
            return name
    return None


def column_type(field: Field, app: str, model: str, world: World, hops: int = 0) -> str | None:
    """The type of a field's column as PostgreSQL spells it; None where it has none or it is not known."""
    kind = field.kind if field.is_foreign_key else field.column_kind
    if kind is None or not field.complete or field.has_column.refuted:
        return None
    if kind in _VARCHAR:
        return _varchar(field)
    if kind == "DecimalField":
        digits, places = (field.arguments.get(name) for name in ("max_digits", "decimal_places"))
        numbers = [part.text for part in (digits, places) if isinstance(part, Literal) and part.kind == "int"]
        if digits is None and places is None:
            return "numeric"
        return f"numeric({numbers[0]}, {numbers[1]})" if len(numbers) == 2 else None
    if kind in ("ForeignKey", "OneToOneField"):
        return target_of(field, app, model, world, hops).type
    if kind == "ArrayField":
        return _array(field, app, model, world, hops)
    if kind == "GeneratedField":
        output = field.arguments.get("output_field")
        return column_type(Field(output), app, model, world, hops) if isinstance(output, Call) else None
    return _spatial(field, kind) if kind in SPATIAL else _TYPES.get(kind)


def _spatial(field: Field, kind: str) -> str | None:
    """The type of a spatial column. Source: django.contrib.gis.db.backends.postgis.operations, `geo_db_type`"""
    if kind == "RasterField":
        return "raster"
    given = (field.arguments.get(name, usual) for name, usual in _OF_SPACE.items())
    known = [each.value if isinstance(each, Literal) else None for each in given]
    match known:
        case [int(dimensions), bool(is_geography), int(srid)]:
            called = "geography" if is_geography else "geometry"
            return f"{called}({SPATIAL[kind]}{'Z' if dimensions == 3 else ''},{srid})"
    return None


def _varchar(field: Field) -> str | None:
    given = field.arguments.get("max_length")
    if field.max_length is not None:
        return f"varchar({field.max_length})"
    if text_of(given) is not None:
        return f"varchar({text_of(given)})"  # Django puts it there as it is
    return "varchar" if given is None or (isinstance(given, Literal) and given.kind == "none") else None


def _array(field: Field, app: str, model: str, world: World, hops: int) -> str | None:
    base, size = field.arguments.get("base_field"), field.arguments.get("size")
    inner = (
        column_type(Field(base), app, model, world, hops + 1) if isinstance(base, Call) and hops < _MAX_HOPS else None
    )
    if inner is None or not (size is None or isinstance(size, Literal)):
        return None
    return f"{inner}[{size.text if isinstance(size, Literal) and size.kind == 'int' else ''}]"


def column_of(name: str, field: Field, model: ModelState, world: World) -> Column:
    """The column that a field of a model becomes."""
    return Column(
        name=model.column(name),
        type=column_type(field, model.app, model.name, world),
        null=field.null,
        default=field.has_db_default,
        primary_key=field.primary_key,
        unique=field.unique,
        identity=field.is_auto,
        generated=field.is_generated,
        checked=is_checked(field),
    )


def is_checked(field: Field) -> Truth:
    """Whether the column carries a CHECK of its own. Source: PostgreSQL's data_type_check_constraints."""
    if field.kind is None:
        return Truth.UNKNOWN
    return Truth.of(field.kind in _POSITIVE)


def is_volatile(field: Field) -> Truth:
    """Whether adding the column gives every row a value of its own, so that the table is written anew.

    Source: https://www.postgresql.org/docs/current/sql-altertable.html (Notes)
    """
    if field.kind is None:
        return Truth.UNKNOWN
    if field.is_auto.certain:
        return Truth.YES
    if field.is_generated.certain:
        return field.flag("db_persist", default=Truth.UNKNOWN)
    value = field.arguments.get("db_default")
    if value is None or isinstance(value, Literal):
        return Truth.NO if field.complete else Truth.UNKNOWN
    function = value.callee.rpartition(".")[2] if isinstance(value, Call) else ""
    if function in _VOLATILE or _called_by_name(value).upper() in VOLATILE_FUNCTIONS:
        return Truth.YES
    return Truth.NO if function in _STABLE else Truth.UNKNOWN


def _called_by_name(value: Expr) -> str:
    """The database's function of `Func(function="gen_random_uuid")`, "" for any other value."""
    is_func = isinstance(value, Call) and value.callee.rpartition(".")[2] == "Func"
    return (text_of(value.keyword("function")) or "") if isinstance(value, Call) and is_func else ""


def has_effective_default(field: Field) -> Truth:
    """Whether Django gives existing rows a value it computes itself.

    Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor._effective_default
    """
    if field.has_default.certain:
        return field.gives_value
    if field.kind in ("DateField", "DateTimeField", "TimeField") or field.null.refuted:
        return field.filled_when_blank if field.has_default.refuted else Truth.UNKNOWN
    return Truth.UNKNOWN if field.null is Truth.UNKNOWN else field.has_default


def comes_back(field: Field) -> Truth:
    """Whether the column, added again to a table with rows, has a value for them."""
    return either(field.null, field.has_db_default, has_effective_default(field), field.is_auto, field.is_generated)


_LENGTH = re.compile(rf"varchar(?:\(({DIGITS})\))?$")
_NUMERIC = re.compile(rf"numeric{LENGTHS}$")
# Types that PostgreSQL stores alike. Source: pg_cast, castmethod 'b'
_ALIKE = {frozenset({"text", "varchar"}), frozenset({"text", "citext"}), frozenset({"varchar", "citext"})}


def type_change(old: str | None, new: str | None) -> TypeChange:
    """What a change of type means for the rows that are there (PostgreSQL).

    Source: https://www.postgresql.org/docs/current/sql-altertable.html: no rewrite where the old type is binary
    coercible to the new one and the contents stay, as for varchar and numeric that only grow.
    """
    if old is None or new is None:
        return "unknown"
    if old == new:
        return "same"
    if old.endswith("]") and new.endswith("]"):
        return "compatible" if old.rpartition("[")[0] == new.rpartition("[")[0] else "rewrite"
    narrow, wide = _LENGTH.match(old), _LENGTH.match(new)
    if narrow and wide:
        return _grows(narrow[1], wide[1])
    before, after = _NUMERIC.match(old), _NUMERIC.match(new)
    if before and after:
        same_scale = after[1] is None or before[2] == after[2]
        return _grows(before[1], after[1]) if same_scale else "rewrite"
    pair = frozenset({"varchar" if narrow else old, "varchar" if wide else new})
    unlimited = not wide or wide[1] is None
    return "compatible" if pair in _ALIKE and unlimited else "rewrite"


def _grows(old: str | None, new: str | None) -> TypeChange:
    if new is None:
        return "compatible"
    return "compatible" if old is not None and int(new) >= int(old) else "rewrite"


# What takes the values of what, where PostgreSQL's types are meant; whole numbers by how many fit.
_FAMILIES = {
    "text": "text", "varchar": "text", "char": "text", "character": "text", "citext": "text", "boolean": "boolean",
    "numeric": "number", "double precision": "number", "real": "number", "date": "date", "time": "time",
    "timestamp": "timestamp", "timestamp with time zone": "timestamp", "timestamp without time zone": "timestamp",
    "interval": "interval", "uuid": "uuid", "json": "json", "jsonb": "json", "bytea": "bytes", "smallint": "integer",
    "smallserial": "integer", "integer": "integer", "serial": "integer", "bigint": "integer", "bigserial": "integer",
}  # fmt: skip
_WHOLE = {"smallint": 2, "smallserial": 2, "integer": 4, "serial": 4, "bigint": 8, "bigserial": 8}


def holds_less(stated: str | None, built: str | None) -> bool:
    """Whether a column certainly cannot hold what the stated type says, or holds something else (PostgreSQL)."""
    families = [_FAMILIES.get((kind or "").partition("(")[0]) for kind in (stated, built)]
    if stated is None or built is None or None in families:
        return False
    if families[0] != families[1]:
        return families != ["integer", "number"]
    if stated in _WHOLE and built in _WHOLE:
        return _WHOLE[built] < _WHOLE[stated]
    wide, narrow = _LENGTH.match(stated), _LENGTH.match(built)
    if narrow is None or narrow[1] is None:
        return False
    return stated == "text" or (wide is not None and (wide[1] is None or int(wide[1]) > int(narrow[1])))


def index_name(table: str, columns: tuple[str, ...], suffix: str = "") -> str:
    """The name Django gives an index. Source: BaseDatabaseSchemaEditor._create_index_name, limit of PostgreSQL."""
    digest = hashlib.md5(table.encode(), usedforsecurity=False)
    for column in columns:
        digest.update(column.encode())
    ending = digest.hexdigest()[:8] + suffix
    longest = 63
    name = "{}_{}_{}".format(table, "_".join(columns), ending)
    if len(name) <= longest:
        return name
    if len(ending) > longest / 3:
        ending = ending[: longest // 3]
    other = (longest - len(ending)) // 2 - 1
    name = "{}_{}_{}".format(table[:other], "_".join(columns)[:other], ending)
    return f"D{name[:-1]}" if name[0] == "_" or name[0].isdigit() else name


def truncated(name: str, longest: int | None) -> str:
    """A name that Django makes up, cut to what the database takes. Source: django.db.backends.utils.truncate_name"""
    if longest is None or len(name) <= longest:
        return name
    return name[: longest - 4] + hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:4]


def unnamed(table: str, columns: tuple[str, ...], label: str) -> str:
    """The name PostgreSQL gives a constraint that is said without one: `table_column_key`, `table_pkey`.

    Source: makeObjectName in PostgreSQL's src/backend/commands/indexcmds.c: of two parts the longer is cut first.
    """
    first, second = table, "_".join(columns)
    longest = 63 - len(label) - (2 if columns else 1)
    while len(first.encode()) + len(second.encode()) > longest:
        if len(first.encode()) > len(second.encode()):
            first = first[:-1]
        else:
            second = second[:-1]
    return "_".join(filter(None, (first, second, label)))


def join_table(name: str, field: Field, model: ModelState) -> str:
    """The table of a many-to-many relation. Source: django.db.models.ManyToManyField._get_m2m_db_table."""
    given = text_of(field.arguments.get("db_table"))
    if given is not None:
        return given
    return truncated(f"{model.table}_{name}", model.longest_name) if model.table else ""


def owner_of(table: str, state: ProjectState) -> ModelState | None:
    """The model that a table belongs to: its own one, or the join table of one of its many-to-many fields."""
    return next((model for model in state.with_table(table) if not model.proxy.certain), None)
