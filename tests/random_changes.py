"""Makes up tables and one change of them, as sources that `measure` runs and `effects.Prediction` predicts."""

from __future__ import annotations

import random
from collections.abc import Callable

# Each class with the arguments that it may take, and a default.
FIELDS: dict[str, tuple[tuple[str, ...], str]] = {
    "CharField": (("max_length=20", "max_length=50", "max_length=255", "max_length=50, db_collation='C'"), "'1'"),
    "TextField": (("",), "'1'"),
    "SlugField": (("", "max_length=80"), "'1'"),
    "EmailField": (("",), "'1'"),
    "URLField": (("", "max_length=300"), "'1'"),
    "FileField": (("upload_to='x'",), "''"),
    "IntegerField": (("",), "1"),
    "SmallIntegerField": (("",), "1"),
    "BigIntegerField": (("",), "1"),
    "PositiveIntegerField": (("",), "1"),
    "PositiveSmallIntegerField": (("",), "1"),
    "PositiveBigIntegerField": (("",), "1"),
    "DecimalField": (("max_digits=10, decimal_places=2", "max_digits=12, decimal_places=2"), "1"),
    "FloatField": (("",), "1"),
    "BooleanField": (("",), "True"),
    "DateTimeField": (("", "auto_now=True", "auto_now_add=True"), "timezone.now"),
    "DateField": (("",), "datetime.date(2026, 1, 1)"),
    "TimeField": (("",), "datetime.time(1)"),
    "DurationField": (("",), "datetime.timedelta(1)"),
    "UUIDField": (("",), "uuid.uuid4"),
    "JSONField": (("",), "dict"),
    "BinaryField": (("",), "b''"),
    "GenericIPAddressField": (("",), "'1.1.1.1'"),
}
RELATIONS = ("ForeignKey", "OneToOneField")
# Classes between which values can be converted.
FAMILIES = (
    ("CharField", "TextField", "SlugField", "EmailField", "URLField", "FileField"),
    ("IntegerField", "SmallIntegerField", "BigIntegerField", "PositiveIntegerField", "PositiveSmallIntegerField",
     "PositiveBigIntegerField", "DecimalField", "FloatField"),
    ("DateTimeField", "DateField"),
    RELATIONS,
)  # fmt: skip
# What may be said of any field, and of a relation.
OPTIONS = ("null=True", "blank=True", "db_index=True", "unique=True", "db_comment='c'", "help_text='h'", "choices=None")
KEY_OPTIONS = (
    "null=True", "db_index=True", "db_index=False", "unique=True", "unique=False", "db_constraint=False", "default=1",
    "to_field='id'", "db_comment='c'", "related_name='+'", "swappable=True", "blank=True", "default=None",
)  # fmt: skip


class Made:
    """A field by its class and arguments."""

    def __init__(self, kind: str, positional: str, arguments: dict[str, str]) -> None:
        self.kind = kind
        self.positional = positional
        self.arguments = arguments

    def __str__(self) -> str:
        given = [*([self.positional] if self.positional else ()), *(f"{k}={v}" for k, v in self.arguments.items())]
        return f"models.{self.kind}({', '.join(given)})"


def case(rng: random.Random) -> dict[str, str]:
    """Tables with rows, and an operation on one of them."""
    return _Case(rng).sources()


class _Case:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.fields = {f"f{number}": self._field() for number in range(rng.randint(2, 4))}

    def sources(self) -> dict[str, str]:
        key = "('id', models.BigAutoField(primary_key=True))"
        fields = ", ".join(f"('{name}', {field})" for name, field in self.fields.items())
        before = [
            f"migrations.CreateModel('Target', [{key}, ('n', models.IntegerField(null=True))])",
            f"migrations.CreateModel('Other', [{key}])",
            f"migrations.CreateModel('Thing', [{key}, {fields}], options={{{self._options()}}})",
        ]
        if self._happens(0.5):
            relation = self.rng.choice(RELATIONS)
            thing = f"('thing', models.{relation}('app.Thing', models.CASCADE))"
            before.append(f"migrations.CreateModel('Child', [{key}, {thing}])")
        if self._happens(0.25):
            before.append("migrations.AddField('thing', 'tags', models.ManyToManyField('app.Other'))")
        return {"before": f"[{', '.join(before)}]", "operation": self._operation()}

    def _happens(self, share: float) -> bool:
        return self.rng.random() < share

    def _name(self) -> str:
        return self.rng.choice(list(self.fields))

    def _field(self, kind: str | None = None) -> Made:
        rng = self.rng
        kind = kind or (rng.choice(RELATIONS) if self._happens(0.3) else rng.choice(list(FIELDS)))
        if kind in RELATIONS:
            positional = f"'app.{rng.choice(('Target', 'Target', 'Other'))}', models.CASCADE"
            options = rng.sample(KEY_OPTIONS, rng.randint(0, 3))
        else:
            choices, default = FIELDS[kind]
            positional = rng.choice(choices)
            options = [*rng.sample(OPTIONS, rng.randint(0, 2)), *([f"default={default}"] if self._happens(0.5) else ())]
            if "auto_now" in positional:
                options = [option for option in options if not option.startswith("default=")]
        return Made(kind, positional, dict(option.split("=", 1) for option in options))

    def _changed(self, field: Made) -> Made:
        """The field with one argument more, less or another, or of a class that its values fit."""
        if self._happens(0.3):
            family = next((each for each in FAMILIES if field.kind in each), (field.kind,))
            return self._field(self.rng.choice(family))
        options = KEY_OPTIONS if field.kind in RELATIONS else (*OPTIONS, "db_column='other'")
        name, _, value = self.rng.choice(options).partition("=")
        arguments = dict(field.arguments)
        if arguments.pop(name, None) is None:
            arguments[name] = value
        return Made(field.kind, field.positional, arguments)

    def _options(self) -> str:
        name = self._name()
        found = {
            "indexes": f"[models.Index(fields=['{name}'], name='ix')]",
            "constraints": f"[models.CheckConstraint(condition=Q({name}__isnull=True) | Q(id__gt=0), name='ck')]",
            "unique_together": f"{{('{name}', 'id')}}",
            "db_table": "'my_table'",
        }
        return ", ".join(f"'{key}': {value}" for key, value in found.items() if self._happens(0.25))

    def _operation(self) -> str:
        make: Callable[[], str] = self.rng.choice((self._alter, self._alter, self._alter, self._add, self._other))
        return make()

    def _alter(self) -> str:
        name = self._name()
        return f"migrations.AlterField('thing', '{name}', {self._changed(self.fields[name])})"

    def _add(self) -> str:
        return f"migrations.AddField('thing', 'new', {self._field()})"

    def _other(self) -> str:
        name = self._name()
        return self.rng.choice(
            (
                f"migrations.RemoveField('thing', '{name}')",
                f"migrations.RenameField('thing', '{name}', 'renamed')",
                "migrations.RenameModel('Thing', 'Stuff')",
                "migrations.AlterModelTable('thing', 'elsewhere')",
                f"migrations.AlterUniqueTogether('thing', {{('{name}', 'id')}})",
                f"migrations.AddIndex('thing', models.Index(fields=['{name}', '-id'], name='new_ix'))",
                f"migrations.AddIndex('thing', models.Index(fields=['{name}'], condition=Q(id__gt=3), name='new_ix'))",
                f"migrations.AddConstraint('thing', models.UniqueConstraint(fields=['{name}', 'id'], name='new_uq'))",
                "migrations.AddConstraint('thing', models.CheckConstraint(condition=Q(id__gt=0), name='new_ck'))",
                "migrations.AddField('thing', 'others', models.ManyToManyField('app.Target'))",
                "migrations.AlterModelTableComment('thing', 'Things')",
            )
        )
