"""What a field class of others is to Django is read from its source, and is what Django's own objects say."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django.contrib.postgres.fields as pgfields
import django.contrib.postgres.search as pgsearch
import pytest
from django.core.exceptions import AppRegistryNotReady
from django.db import models

from miglint.modules import Modules
from miglint.project.attributes import field_attributes
from miglint.project.columns import World, column_type
from miglint.project.fields import Field, canonical_class
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.operations import AddField
from miglint.project.state import ModelState, Origin, ProjectState
from miglint.syntax.facts import Call, Keyword, Literal, ModuleFacts, Name
from miglint.syntax.reader import read
from miglint.text import NOWHERE

FIELDS = """
import functools
from django.core.exceptions import AppRegistryNotReady
from django.db import models
from django.db.models import NOT_PROVIDED
from .mixins import Renamed, Short
from .moved import *
LENGTH = 12


class Plain(models.CharField):
    pass


class Typed(models.CharField):
    def db_type(self, connection):
        return "citext"


class Defaults(models.CharField):
    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_length", 63)
        kwargs["null"] = True
        super().__init__(*args, **kwargs)


class Parameter(models.CharField):
    def __init__(self, prefix, max_length=7, **kwargs):
        self.prefix = prefix
        super().__init__(max_length=max_length, **kwargs)


class Kept(models.CharField):
    def __init__(self, prefix, **kwargs):
        self._null = kwargs.get("_null", False)
        super().__init__(max_length=len(prefix) + LENGTH, unique=True, null=self._null)


class Positional(models.DecimalField):
    def __init__(self, verbose_name=None, *args, **kwargs):
        super(Positional, self).__init__(verbose_name, None, 9, 2, *args, **kwargs)


class Popped(models.CharField):
    def __init__(self, *args, **kwargs):
        length = kwargs.pop("length", 5)
        unique = kwargs.pop("unique", False)
        if "default" not in kwargs:
            kwargs["default"] = ""
        models.CharField.__init__(self, *args, max_length=length, unique=unique, **kwargs)


class Afterwards(models.TextField):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.null = True


class Mixed(Short, models.CharField):
    pass


class Deep(Defaults):
    def __init__(self, **kwargs):
        kwargs["max_length"] = 4
        super().__init__(**kwargs)


class Relation(models.ForeignKey):
    def __init__(self, to, on_delete=models.CASCADE, **kwargs):
        super().__init__(to, on_delete, **kwargs)


class Other(models.TextField):
    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        path = "django.db.models.TextField"
        return name, path, args, kwargs


class Trimmed(models.CharField):
    def __init__(self, *args, **kwargs):
        kwargs["max_length"] = 3
        super().__init__(*args, **kwargs)

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_length"]
        return name, path, args, kwargs


class Collected(models.CharField):
    default_length = 21

    def __init__(self, enum, *args, **kwargs):
        if len(args) > 3:
            raise ValueError("too many")
        for name in ["least", "most"]:
            if name in kwargs:
                kwargs.pop(name)
        choices = enum
        defaults = {"choices": choices, "max_length": self.default_length, "null": True}
        defaults.update(kwargs)
        super().__init__(*args, **defaults)


class Joined(models.CharField):
    def __init__(self, unique=None, **options):
        if unique is None:
            unique = False
        given = dict(options, db_index=True)
        super().__init__(unique=unique, **{"max_length": 6, **given})


class Returned(Parameter):
    def __init__(self, *args, **kwargs):
        if not args:
            args = [[]]
        return super().__init__(*args, **kwargs)


class Conditional(models.CharField):
    def __init__(self, *args, **kwargs):
        if LENGTH > 3:
            kwargs["max_length"] = 8
        super().__init__(*args, **kwargs)


class Handed(models.CharField):
    def __init__(self, *args, **kwargs):
        changed(kwargs)
        super().__init__(*args, **kwargs)


def changed(kwargs):
    kwargs["unique"] = True
    kwargs["max_length"] = 2
"""
MIXINS = """
from django.core.exceptions import AppRegistryNotReady
from django.db import models


class Short:
    def __init__(self, *args, max_length=11, **kwargs):
        super().__init__(*args, max_length=max_length, **kwargs)


class Original(models.SlugField):
    pass


Renamed = Original
"""
MOVED = "from django.db import models\n\n\nclass Moved(models.UUIDField):\n    pass\n"
CALLS = [
    "Typed(max_length=3)",
    "Plain(max_length=3, unique=True)", "Plain('a name', 'column', False, 9)", "Defaults()", "Defaults(max_length=5)",
    "Parameter('p')", "Parameter('p', 4, null=True)", "Positional(db_index=True)", "Popped()", "Popped(unique=True)",
    "Popped(length=9, default='x')", "Afterwards()", "Mixed()", "Mixed(max_length=2, db_column='m')", "Deep()",
    "Relation('shop.Order', null=True)", "Relation(to='self', db_index=False)", "Other(null=True)", "Trimmed()",
    "Collected([])", "Collected([], 'a name', least=2, null=False)", "Joined()",
    "Joined(True, max_length=8, null=True)", "Returned()", "Returned('p', unique=True)",
    "Renamed()", "Moved(primary_key=True)", "Conditional()", "Handed()",
]  # fmt: skip
# What only running the class would tell, by call.
UNKNOWN = {
    "Conditional()": {"max_length"},
    "Handed()": {"max_length", "unique", "null", "db_index", "primary_key", "has_default", "has_db_default",
                 "db_column"},
}  # fmt: skip
DJANGO = """
import json, sys
from django.conf import settings
settings.configure()
import django
django.setup()
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations.utils import resolve_relation
from shop import fields

connection = DatabaseWrapper({"TIME_ZONE": None}, "default")


def told(call):
    each = eval(call, vars(fields))
    to = each.remote_field and ".".join(resolve_relation(each.remote_field.model, "shop", "order"))
    return {
        "type": each.deconstruct()[1], "null": each.null, "unique": each.unique, "db_index": each.db_index,
        "primary_key": each.primary_key, "max_length": each.max_length, "to": to,
        "has_default": each.has_default(), "has_db_default": each.has_db_default(), "db_column": each.db_column,
        "column": None if to else each.db_type(connection),
    }


print(json.dumps({call: told(call) for call in json.load(sys.stdin)}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fields")
    (root / "shop" / "migrations").mkdir(parents=True)
    files = {"__init__": "", "fields": FIELDS, "mixins": MIXINS, "moved": MOVED, "migrations/__init__": ""}
    for name, text in files.items():
        (root / "shop" / f"{name}.py").write_text(text)
    return root


@pytest.fixture(scope="module")
def django(project: Path) -> dict[str, dict[str, Any]]:
    command = [sys.executable, "-W", "ignore", "-c", DJANGO]
    done = subprocess.run(command, input=json.dumps(CALLS), capture_output=True, text=True, check=False, cwd=project)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def facts_of(file: str) -> ModuleFacts | None:
    return read(Path(file).read_text()) if Path(file).exists() else None


def adding(root: Path, call: str, environment: str | None = None, module: str = "shop.fields") -> Migration:
    """A migration of the project that adds a field."""
    file = root / "shop" / "migrations" / "0002_x.py"
    file.write_text(
        f"""\
from django.db import migrations
import {module}


class Migration(migrations.Migration):
    operations = [migrations.AddField("order", "x", {module}.{call})]
"""
    )
    modules = Modules(root.as_posix(), facts_of, {}, environment)
    path = file.as_posix()
    facts = read(file.read_text())
    return interpret(MigrationKey("shop", "0002_x"), path, facts, modules.lookup(path), modules.field_class(path))


def field(root: Path, call: str, environment: str | None = None, module: str = "shop.fields") -> Field:
    """A field as a migration of the project adds it."""
    operation = adding(root, call, environment, module).operations[0]
    assert isinstance(operation, AddField)
    return operation.field


def told(root: Path, call: str) -> dict[str, Any]:
    origin = Origin(MigrationKey("shop", "0001_initial"), (0,), NOWHERE)
    order, world = ModelState(app="shop", name="Order", fields={}, options={}, origin=origin), World(ProjectState(), {})
    found = field(root, call)
    return {**dict(field_attributes(found, order, world)), "column": column_type(found, "shop", "Order", world)}


@pytest.mark.parametrize("call", [*CALLS, "Kept(prefix='a')"])
def test_what_a_field_class_computes_is_no_part_of_the_migration(call: str, project: Path) -> None:
    assert adding(project, call).unreadable == ()


@pytest.mark.parametrize("call", CALLS)
def test_a_field_class_says_what_its_objects_say(call: str, project: Path, django: dict[str, dict[str, Any]]) -> None:
    unknown = UNKNOWN.get(call, set())
    wanted = {name: "unknown" if name in unknown else value for name, value in django[call].items()}
    if unknown or "Typed" in call:  # a column whose type the class says itself, or whose length is not known
        wanted["column"] = None
    assert told(project, call) == wanted


def test_nothing_is_known_of_a_class_whose_bases_lead_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "shop" / "migrations").mkdir(parents=True)
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "fields.py").write_text("from elsewhere import Base\n\n\nclass Derived(Base):\n    pass\n")
    found = field(tmp_path, "Derived()")
    assert (found.kind, found.path) == (None, "shop.fields.Derived")


def test_classes_of_packages_are_read_in_the_environment_alone(tmp_path: Path) -> None:
    packages = tmp_path / "venv" / "lib" / "python3.12" / "site-packages" / "short"
    packages.mkdir(parents=True)
    (packages / "__init__.py").write_text("from .fields import Code\n")
    text = "from django.db import models\n\n\nclass Code(models.CharField):\n    pass\n"
    (packages / "fields.py").write_text(text)
    root = tmp_path / "project"
    (root / "shop" / "migrations").mkdir(parents=True)
    found = field(root, "Code()", f"{tmp_path}/venv", module="short")
    assert (found.kind, found.path) == ("CharField", "short.fields.Code")
    found = field(root, "Code()", module="short")
    assert (found.kind, found.path) == (None, "short.Code")


def test_a_directory_without_an_init_is_in_the_name_that_it_is_imported_by(tmp_path: Path) -> None:
    (tmp_path / "shop" / "migrations").mkdir(parents=True)
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "parts").mkdir()
    text = "from django.db import models\n\n\nclass Code(models.CharField):\n    pass\n"
    (tmp_path / "shop" / "parts" / "codes.py").write_text(text)
    (tmp_path / "shop" / "parts" / "again.py").write_text("from .codes import Code\n")
    for module in ("shop.parts.codes", "shop.parts.again"):
        assert field(tmp_path, "Code()", module=module).path == "shop.parts.codes.Code"


# Never a field of a model that a migration writes.
NO_COLUMNS = ("OrderWrt", "SearchQueryField")


def own_classes() -> Iterator[tuple[str, str]]:
    """Django's field classes as migrations may import them, and where they say that they are."""
    one = models.IntegerField()
    for module in (models, pgfields, pgsearch):
        for name, each in vars(module).items():
            if not (inspect.isclass(each) and issubclass(each, models.Field)) or name.startswith("_"):
                continue
            if name in NO_COLUMNS or not each.__module__.startswith(module.__name__):
                continue
            for arguments in ({}, {"base_field": one}):
                try:
                    yield f"{module.__name__}.{name}", each(**arguments).deconstruct()[1]
                    break
                except (TypeError, ValueError, AppRegistryNotReady):
                    continue


def own_kinds() -> Iterator[tuple[str, type[models.Field]]]:
    """Django's field classes that have a column which a value can be put into."""
    no_values = (models.ManyToManyField, models.GeneratedField, models.CompositePrimaryKey, models.ForeignObject)
    for module in (models, pgfields, pgsearch):
        for name, kind in vars(module).items():
            path = f"{module.__name__}.{name}"
            is_known = inspect.isclass(kind) and issubclass(kind, models.Field) and canonical_class(path) is not None
            if is_known and kind not in no_values:
                yield path, kind


@pytest.mark.parametrize(("written", "said"), list(own_classes()))
def test_a_field_of_django_s_is_where_django_says_it_is(written: str, said: str) -> None:
    assert canonical_class(written) == said
    assert canonical_class(said) == said


def test_a_name_that_a_condition_gives_another_class_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "shop" / "migrations").mkdir(parents=True)
    for text, kind in {
        "from somewhere import OLD\nif OLD:\n    from django.db.models import JSONField\nelse:\n"
        "    from django.contrib.postgres.fields import JSONField\n": "JSONField",
        "from django.db import models\nfrom somewhere import OLD\nif OLD:\n    from django.db.models import JSONField\n"
        "else:\n    JSONField = models.TextField\n": None,
        "try:\n    from django.db.models import JSONField\nexcept ImportError:\n"
        "    from other import JSONField\n": "JSONField",
    }.items():
        (tmp_path / "shop" / "fields.py").write_text(text)
        assert field(tmp_path, "JSONField()").kind == kind


@pytest.mark.parametrize(("written", "kind"), list(own_kinds()))
def test_a_blank_field_is_filled_where_django_fills_it(written: str, kind: type[models.Field]) -> None:
    """Source: django.db.backends.base.schema.BaseDatabaseSchemaEditor._effective_default"""
    added = Field(Call(Name(written, "imported"), keywords=(Keyword("blank", Literal("bool", "True")),)))
    assert added.filled_when_blank.certain is kind.empty_strings_allowed
