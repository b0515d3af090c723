"""A model field as its migration writes it: what Django would build from the call."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from functools import cache

from miglint.lazy import lazy
from miglint.project.initializer import Arguments, passed_on
from miglint.project.truth import Truth, either
from miglint.syntax.facts import Call, Class, Expr, Function, Literal, Name, Return, Starred
from miglint.text import Span

_FIELD = (
    "verbose_name", "name", "primary_key", "max_length", "unique", "blank", "null", "db_index", "rel", "default",
    "editable", "serialize", "unique_for_date", "unique_for_month", "unique_for_year", "choices", "help_text",
    "db_column", "db_tablespace", "auto_created", "validators", "error_messages", "db_comment", "db_default",
)  # fmt: skip

# Positional parameters, where a class has others than Field. Source: the __init__ of each class, Django 4.2 to 6.x.
_SIGNATURES: dict[str, tuple[str, ...]] = {
    "ForeignKey": (
        "to", "on_delete", "related_name", "related_query_name", "limit_choices_to", "parent_link", "to_field",
        "db_constraint",
    ),
    "OneToOneField": ("to", "on_delete", "to_field"),
    "ForeignObject": (
        "to", "on_delete", "from_fields", "to_fields", "rel", "related_name", "related_query_name", "limit_choices_to",
        "parent_link", "swappable",
    ),
    "ManyToManyField": (
        "to", "related_name", "related_query_name", "limit_choices_to", "symmetrical", "through", "through_fields",
        "db_constraint", "db_table", "swappable",
    ),
    "DecimalField": ("verbose_name", "name", "max_digits", "decimal_places"),
    "DateField": ("verbose_name", "name", "auto_now", "auto_now_add"),
    "DateTimeField": ("verbose_name", "name", "auto_now", "auto_now_add"),
    "TimeField": ("verbose_name", "name", "auto_now", "auto_now_add"),
    "FileField": ("verbose_name", "name", "upload_to", "storage"),
    "ImageField": ("verbose_name", "name", "width_field", "height_field"),
    "FilePathField": ("verbose_name", "name", "path", "match", "recursive", "allow_files", "allow_folders"),
    "GenericIPAddressField": ("verbose_name", "name", "protocol", "unpack_ipv4"),
    "JSONField": ("verbose_name", "name", "encoder", "decoder"),
    "UUIDField": ("verbose_name",),
    "ArrayField": ("base_field", "size"),
    "RasterField": ("verbose_name", "srid", "spatial_index"),
}  # fmt: skip

# django.db.models' own field classes.
_MODELS = {
    "AutoField", "BigAutoField", "SmallAutoField", "BigIntegerField", "BinaryField", "BooleanField", "CharField",
    "CommaSeparatedIntegerField", "DateField", "DateTimeField", "DecimalField", "DurationField", "EmailField", "Field",
    "FileField", "FilePathField", "FloatField", "ForeignKey", "ForeignObject", "GeneratedField",
    "GenericIPAddressField", "IPAddressField",
    "ImageField", "IntegerField", "JSONField", "ManyToManyField", "NullBooleanField", "OneToOneField",
    "PositiveBigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField", "SlugField", "SmallIntegerField",
    "TextField", "TimeField", "URLField", "UUIDField", "CompositePrimaryKey",
}  # fmt: skip
# Where each class says that it is, which for most is not where it is imported from. Source: Field.deconstruct
_POSTGRES = {
    name: f"django.contrib.postgres.{module}{name}"
    for module, names in {
        "fields.": ("ArrayField",),
        "fields.citext.": ("CICharField", "CIEmailField", "CITextField"),
        "fields.hstore.": ("HStoreField",),
        "fields.jsonb.": ("JSONField",),
        "fields.ranges.": (
            "BigIntegerRangeField", "DateRangeField", "DateTimeRangeField", "DecimalRangeField", "FloatRangeField",
            "IntegerRangeField", "RangeField",
        ),
        "search.": ("SearchQueryField", "SearchVectorField"),
    }.items()
    for name in names
}  # fmt: skip

# The OpenGIS names of the types. Source: `geom_type` in django.contrib.gis.db.models.fields
SPATIAL = {
    "GeometryField": "GEOMETRY", "PointField": "POINT", "LineStringField": "LINESTRING", "PolygonField": "POLYGON",
    "MultiPointField": "MULTIPOINT", "MultiLineStringField": "MULTILINESTRING", "MultiPolygonField": "MULTIPOLYGON",
    "GeometryCollectionField": "GEOMETRYCOLLECTION", "RasterField": "RASTER",
}  # fmt: skip
_SIGNATURES |= dict.fromkeys(SPATIAL.keys() - {"RasterField"}, ("verbose_name", "dim", "geography"))

# Well-known classes outside Django that are nullable, or no column at all, whatever their arguments say:
# without this a NOT NULL check would accuse them.
_WELL_KNOWN: dict[str, str] = {
    "taggit.managers.TaggableManager": "ManyToManyField",
    "modelcluster.contrib.taggit.ClusterTaggableManager": "ManyToManyField",
    "sortedm2m.fields.SortedManyToManyField": "ManyToManyField",
    "modelcluster.fields.ParentalManyToManyField": "ManyToManyField",
    "modelcluster.fields.ParentalKey": "ForeignKey",
    "mptt.fields.TreeForeignKey": "ForeignKey",
    "mptt.fields.TreeOneToOneField": "OneToOneField",
    "mptt.fields.TreeManyToManyField": "ManyToManyField",
    "timezone_field.fields.TimeZoneField": "CharField",
    "django_countries.fields.CountryField": "CharField",
    "jsonfield.fields.JSONField": "TextField",
}

# Of these, fields whose texts are JSON, all of them.
_HOLDS_JSON = {"jsonfield.fields.JSONField"}

# Of these, many-to-many fields whose table Django makes as it makes its own's.
_PLAIN_JOINS = {"modelcluster.fields.ParentalManyToManyField", "mptt.fields.TreeManyToManyField"}

# Arguments that say what a relation points to even where its class keeps them from Django's.
_KEPT = frozenset({"to", "through"})
# Whose `db_index` is True by default.
_INDEXED = {"ForeignKey", "OneToOneField", "SlugField"}
_AUTO = {"AutoField", "BigAutoField", "SmallAutoField"}
RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField", "ForeignObject"}
# Field.empty_strings_allowed and not None by get_default: what BaseDatabaseSchemaEditor._effective_default fills
# with "" where blank=True. Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor._effective_default
_FILLED_WHEN_BLANK = {
    "CharField", "CommaSeparatedIntegerField", "EmailField", "FileField", "FilePathField", "ImageField", "SlugField",
    "TextField", "URLField", "BinaryField", "Field", "CICharField", "CIEmailField", "CITextField", "SearchVectorField",
    "SearchQueryField",
}  # fmt: skip


def canonical_class(path: str) -> str | None:
    """The path Django's `deconstruct()` gives for its own field classes, None for all others.

    `django.db.models.fields.related.ForeignKey` → `django.db.models.ForeignKey`.
    """
    prefix, _, name = path.rpartition(".")
    if prefix.startswith("django.db.models") and name in _MODELS:
        return f"django.db.models.{name}"
    if prefix.startswith("django.contrib.gis.db.models"):
        # `from django.contrib.gis.db import models` has all of Django's, too.
        if name in SPATIAL:
            return f"django.contrib.gis.db.models.fields.{name}"
        return f"django.db.models.{name}" if name in _MODELS else None
    if prefix.startswith(("django.contrib.postgres.fields", "django.contrib.postgres.search")):
        return _POSTGRES.get(name)
    return None


def known_kind(path: str) -> str | None:
    """The Django class that a well-known class of others is like."""
    return _WELL_KNOWN.get(path)


def truth_of(value: Expr | None, *, default: Truth = Truth.NO) -> Truth:
    """The truth of an argument: of a constant it is known."""
    if value is None:
        return default
    if isinstance(value, Literal):
        return Truth.of(bool(value.value))
    return Truth.UNKNOWN


_INTERNAL_TYPE = "get_internal_type"
# The methods that decide a column's type. Source: django.db.models.fields.Field
_COLUMN_METHODS = frozenset(
    {"db_type", "db_parameters", "db_type_parameters", "db_type_suffix", "rel_db_type", _INTERNAL_TYPE}
)


@dataclass(frozen=True, slots=True)
class FieldClass:
    """What is known of a field class of others from its source.

    `path` is what `deconstruct()` gives for it, None where that is computed; `kind` the bare name of the Django class
    it derives from, None where its bases lead to what was not read; `definitions` the classes in between, in the order
    of their `__init__`.
    """

    path: str | None
    kind: str | None
    definitions: tuple[Class, ...] = ()

    @property
    def column_kind(self) -> str | None:
        """The Django class that has the same column: `kind`, or what `get_internal_type` says; None where not known.

        Source: django.db.models.Field.db_type, which looks the type up by `get_internal_type`
        """
        own = self._methods
        if not own.keys() & _COLUMN_METHODS:
            return self.kind
        if own.keys() & _COLUMN_METHODS != {_INTERNAL_TYPE}:
            return None
        for statement in own[_INTERNAL_TYPE].body:
            if isinstance(statement, Return):
                value = statement.value
                text = value.text if isinstance(value, Literal) and value.kind == "str" else None
                return text if text in _MODELS else None
        return None

    @property
    def keeps_join_table(self) -> bool:
        """Whether a many-to-many field of it has the table that Django's has: nothing in between may say otherwise."""
        return self.path in _PLAIN_JOINS or "contribute_to_class" not in self._methods

    @property
    def _methods(self) -> dict[str, Function]:
        """The methods of the classes in between, each of the first one that has it."""
        found = [each for definition in self.definitions for each in definition.body if isinstance(each, Function)]
        return {each.name: each for each in reversed(found)}

    def arguments(self, given: Call) -> Arguments:
        """What reaches Django's class in the end."""
        arguments = Arguments.of(given)
        for definition in self.definitions:
            arguments = passed_on(definition, arguments)
        return arguments


class _Class:
    """What follows from a field's class alone; there are far fewer classes than fields."""

    __slots__ = (
        "callee", "has_column", "is_auto", "is_foreign_key", "is_generated", "is_many_to_many", "is_relation", "kind",
        "type",
    )  # fmt: skip

    def __init__(self, callee: str, derived_from: str | None) -> None:
        self.callee = callee
        self.type = canonical_class(callee)
        self.kind = self.type.rpartition(".")[2] if self.type is not None else derived_from or known_kind(callee)
        self.is_foreign_key = self.kind in ("ForeignKey", "OneToOneField")
        self.is_relation = self._is_one_of(RELATIONS)
        self.is_many_to_many = self._is_one_of({"ManyToManyField"})
        self.is_auto = self._is_one_of(_AUTO)
        self.is_generated = self._is_one_of({"GeneratedField"})
        self.has_column = ~self._is_one_of({"ManyToManyField", "ForeignObject", "CompositePrimaryKey"})

    def _is_one_of(self, kinds: Set[str]) -> Truth:
        return Truth.UNKNOWN if self.kind is None else Truth.of(self.kind in kinds)


_class_of = cache(_Class)


class Field:
    """A field's call, and the questions rules ask of it. Two fields are equal when their calls are.

    `of` is what is known of its class where that is not Django's own.
    """

    def __init__(self, call: Expr, of: FieldClass | None = None) -> None:
        self.call = call
        self.of = of

    def written(self, call: Expr) -> Field:
        """The same field with its call written otherwise."""
        return Field(call, self.of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Field) and self.call == other.call

    def __hash__(self) -> int:
        return hash(self.call)

    def __repr__(self) -> str:
        return f"Field({self.callee or self.call!r})"

    @property
    def span(self) -> Span:
        return self.call.span

    @lazy
    def _class(self) -> _Class:
        callee = self.call.callee if isinstance(self.call, Call) else ""
        return _class_of(callee, self.of.kind if self.of is not None else None)

    @property
    def callee(self) -> str:
        """The qualified class as written, "" where the field is no plain call."""
        return self._class.callee

    @property
    def type(self) -> str | None:
        """The Django class (`django.db.models.CharField`), None for classes of others."""
        return self._class.type

    @property
    def column_kind(self) -> str | None:
        """The bare name of the Django class that has a column of the same type, None where that is not known."""
        return self.kind if self.type is not None else self.of.column_kind if self.of is not None else None

    @property
    def kind(self) -> str | None:
        """The bare name of the Django class it is or is known to derive from (`CharField`), None if unknown."""
        return self._class.kind

    @lazy
    def path(self) -> str | None:
        """The path that `deconstruct()` gives; as written for a class that was not read, None for what is no name."""
        if self.type is not None:
            return self.type
        if self.of is not None:
            return self.of.path
        return self.callee if "." in self.callee.strip(".") and not self.callee.startswith(".") else None

    @property
    def class_name(self) -> str:
        """The class's bare name, for messages."""
        return self.callee.rpartition(".")[2] or "a field"

    @lazy
    def arguments(self) -> dict[str, Expr]:
        """The arguments by parameter name; of a class of others that was read what it passes on to Django's."""
        if not isinstance(self.call, Call):
            return {}
        passed_on = self._passed_on if self.of is not None else None
        if passed_on is not None:
            own = {keyword.name: keyword.value for keyword in self.call.keywords if keyword.name in _KEPT}
            return {**own, **passed_on.bound(_SIGNATURES.get(self.kind or "", _FIELD))}
        found: dict[str, Expr] = {}
        signature = _SIGNATURES.get(self.kind or "", _FIELD)
        for name, argument in zip(signature, self.call.arguments, strict=False):
            if isinstance(argument, Starred):
                break
            found[name] = argument
        for keyword in self.call.keywords:
            if keyword.name is not None:
                found[keyword.name] = keyword.value
        return found

    @lazy
    def _passed_on(self) -> Arguments | None:
        if self.of is None or self.of.kind is None or not isinstance(self.call, Call):
            return None
        return self.of.arguments(self.call)

    @lazy
    def complete(self) -> bool:
        """Whether all arguments are known: no `*args`, no `**kwargs`."""
        passed_on = self._passed_on if self.of is not None else None
        if passed_on is not None:
            return passed_on.whole
        return isinstance(self.call, Call) and not (
            any(keyword.name is None for keyword in self.call.keywords)
            or any(isinstance(argument, Starred) for argument in self.call.arguments)
        )

    def flag(self, name: str, *, default: Truth = Truth.NO) -> Truth:
        """A boolean argument; unknown where it may hide in `**kwargs`."""
        value = self.arguments.get(name)
        if value is None and not self.complete:
            return Truth.UNKNOWN
        return truth_of(value, default=default)

    def _given(self, name: str) -> Truth:
        """Whether an argument is passed."""
        if name in self.arguments:
            return Truth.YES
        return Truth.NO if self.complete else Truth.UNKNOWN

    @property
    def holds_json(self) -> bool:
        """Whether its class writes nothing but JSON into a column of text."""
        return self.callee in _HOLDS_JSON

    # -- what kind of field -----------------------------------------------------------------------------

    @property
    def is_relation(self) -> Truth:
        return self._class.is_relation

    @property
    def is_many_to_many(self) -> Truth:
        return self._class.is_many_to_many

    @property
    def is_auto(self) -> Truth:
        """A key that the database numbers itself."""
        return self._class.is_auto

    @property
    def is_generated(self) -> Truth:
        return self._class.is_generated

    @property
    def has_column(self) -> Truth:
        """Whether the model's own table has a column for it."""
        return self._class.has_column

    # -- what it says -----------------------------------------------------------------------------------

    @lazy
    def null(self) -> Truth:
        """Whether NULL is allowed; a class of others that says nothing is unknown."""
        if self.kind == "NullBooleanField":
            return Truth.YES
        if self.kind == "GeneratedField":
            return Truth.YES
        given = self.arguments.get("null")
        if given is None and (self.kind is None or (self.of is None and self.callee in _WELL_KNOWN)):
            return Truth.UNKNOWN
        return self.flag("null")

    @lazy
    def blank(self) -> Truth:
        return self.flag("blank") if self.kind is not None else self.flag("blank", default=Truth.UNKNOWN)

    @lazy
    def primary_key(self) -> Truth:
        """Whether the field is the primary key; a composite one is, said or not (CompositePrimaryKey.__init__)."""
        return Truth.YES if self.kind == "CompositePrimaryKey" else self.flag("primary_key")

    @lazy
    def unique(self) -> Truth:
        """Whether the column is unique; a primary key and a one-to-one relation are."""
        if self.kind == "OneToOneField" or self.primary_key is Truth.YES:
            return Truth.YES
        return self.flag("unique")

    @lazy
    def db_index(self) -> Truth:
        """Whether `db_index` holds: relations and slugs say so by default, though a unique column needs no index."""
        default = Truth.of(self.kind in _INDEXED) if self.kind else Truth.UNKNOWN
        return self.flag("db_index", default=default)

    @lazy
    def has_default(self) -> Truth:
        """Whether Python knows a default; an explicit `NOT_PROVIDED` is none."""
        value = self.arguments.get("default")
        if isinstance(value, Name) and value.name.endswith("NOT_PROVIDED"):
            return Truth.NO
        return self._given("default")

    @lazy
    def gives_value(self) -> Truth:
        """Whether Python's default is a value for rows that have none: `default=None` leaves them as they are."""
        value = self.arguments.get("default")
        return Truth.NO if isinstance(value, Literal) and value.kind == "none" else self.has_default

    @lazy
    def spatial_index(self) -> Truth:
        """Whether the column has an index of PostGIS that comes by itself: all spatial fields say so by default."""
        if self.kind is None:
            return Truth.UNKNOWN
        return self.flag("spatial_index", default=Truth.YES) if self.kind in SPATIAL else Truth.NO

    @lazy
    def has_db_default(self) -> Truth:
        """Whether the database knows a default (Django 5.0)."""
        value = self.arguments.get("db_default")
        if isinstance(value, Name) and value.name.endswith("NOT_PROVIDED"):
            return Truth.NO
        return self._given("db_default")

    @lazy
    def filled_when_blank(self) -> Truth:
        """Whether Django itself fills existing rows: "" for `blank=True` strings, now for auto_now(_add)."""
        if self.kind is None:
            return Truth.UNKNOWN
        if self.kind in ("DateField", "DateTimeField", "TimeField"):
            return either(self.flag("auto_now"), self.flag("auto_now_add"))
        return self.blank if self.kind in _FILLED_WHEN_BLANK else Truth.NO

    @lazy
    def max_length(self) -> int | None:
        value = self.arguments.get("max_length")
        if value is None and self.kind in _DEFAULT_LENGTHS:
            return _DEFAULT_LENGTHS[self.kind]
        return (
            value.value if isinstance(value, Literal) and value.kind == "int" and isinstance(value.value, int) else None
        )

    @lazy
    def to(self) -> Expr | None:
        """The target of a relation, as written."""
        return self.arguments.get("to") if self.kind in RELATIONS or "to" in self.arguments else None

    @property
    def has_join_table(self) -> bool:
        """Whether it is a many-to-many field that is known to have a table that Django makes by itself."""
        if not self.is_many_to_many.certain or self.through is not None:
            return False
        if self.of is not None:
            return self.of.keeps_join_table
        return self.type is not None or self.callee in _PLAIN_JOINS

    @property
    def through(self) -> Expr | None:
        """The explicit intermediate model of a many-to-many relation, as written."""
        value = self.arguments.get("through")
        return None if isinstance(value, Literal) and value.kind == "none" else value

    @lazy
    def db_column(self) -> str | None:
        value = self.arguments.get("db_column")
        return value.text if isinstance(value, Literal) and value.kind == "str" else None

    @property
    def is_foreign_key(self) -> bool:
        """Whether it is known to be a relation whose column is named after it, with `_id`."""
        return self._class.is_foreign_key

    @lazy
    def is_hidden(self) -> bool:
        """Whether the model that it points to is known not to show it. Source: ForeignObjectRel.is_hidden"""
        name = self.arguments.get("related_name")
        return isinstance(name, Literal) and name.kind == "str" and name.text.endswith("+")

    @lazy
    def names_others(self) -> bool:
        """Whether it is, or may be, a relation: its arguments name another model, or fields of one."""
        return self.kind in RELATIONS or not _NAMING.isdisjoint(self.arguments)

    @lazy
    def database_arguments(self) -> dict[str, Expr]:
        """The arguments that make Django alter a field when they change.

        Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor._field_should_be_altered
        """
        kept: dict[str, Expr] = {}
        for name, value in self.arguments.items():
            if name in _NOT_FOR_THE_DATABASE:
                # Django 6.1: the database does it.
                if name == "on_delete" and isinstance(value, Name) and value.name.rpartition(".")[2].startswith("DB_"):
                    kept[name] = value
                continue
            if name == "unique" and self.kind == "OneToOneField":
                continue  # which is unique, whatever is said
            default = _DEFAULTS.get(name)
            if name == "db_index":
                default = "True" if self.kind in _INDEXED else "False"
            if isinstance(value, Literal):
                if value.kind != "str" and value.text == default:
                    continue
                if name == "to" and value.kind == "str":
                    value = Literal("str", value.text.lower())
            kept[name] = value
        return kept


# max_length where the call does not give it. Source: the __init__ of each class.
_DEFAULT_LENGTHS = {
    "SlugField": 50,
    "EmailField": 254,
    "URLField": 200,
    "FileField": 100,
    "ImageField": 100,
    "FilePathField": 100,
}

# Arguments that no database sees. Source: django.db.models.Field.non_db_attrs
_NOT_FOR_THE_DATABASE = {
    "blank", "choices", "db_column", "editable", "error_messages", "help_text", "limit_choices_to", "on_delete",
    "related_name", "related_query_name", "validators", "verbose_name", "name",
}  # fmt: skip
_DEFAULTS = {
    "primary_key": "False", "unique": "False", "null": "False", "serialize": "True", "auto_created": "False",
    "db_constraint": "True", "parent_link": "False", "auto_now": "False", "auto_now_add": "False", "db_comment": "None",
    "db_tablespace": "None", "max_length": "None", "unique_for_date": "None", "unique_for_month": "None",
    "unique_for_year": "None", "db_collation": "None", "through": "None", "through_fields": "None", "db_table": "None",
    "to_field": "None", "swappable": "True",
}  # fmt: skip
# Arguments that name another model, or fields of it.
_NAMING = frozenset({"to", "through", "to_field", "to_fields"})
