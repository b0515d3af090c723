"""Lists that a migration imports from another module, or has a function put together."""

from __future__ import annotations

import pytest

from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.operations import AddField, RunPython
from miglint.syntax.facts import Name
from miglint.syntax.reader import read

LISTS = """\
from django.db import migrations, models

LENGTH = 20
DEPENDENCIES = [("shop", "0001_initial")]


def fill(apps, schema_editor):
    pass


OPERATIONS = [
    migrations.AddField("order", "note", models.CharField(max_length=LENGTH, null=True)),
    migrations.RunPython(fill, migrations.RunPython.noop),
]


def fields(model, *, null=True):
    \"\"\"The same field for several models.\"\"\"
    found = [migrations.AddField(model, "note", models.TextField(null=null))]
    found.append(migrations.AddField(model, "text", models.TextField(null=null)))
    return found


def one():
    return migrations.AddField("order", "one", models.TextField(null=True))


def computed():
    if LENGTH:
        return []
    return OPERATIONS
"""


def migration(operations: str, dependencies: str = "[]", before: str = "") -> Migration:
    text = (
        "from django.db import migrations, models\nfrom . import lists\nfrom .lists import *\n"
        "from .lists import DEPENDENCIES, OPERATIONS, computed, fields, one\n"
        f"{before}\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = {dependencies}\n    operations = {operations}\n"
    )
    modules = {".lists": read(LISTS)}
    return interpret(MigrationKey("shop", "0002_x"), "0002_x.py", read(text), modules.get)


def added(found: Migration) -> list[tuple[str | None, str | None]]:
    assert found.unreadable == ()
    return [(each.model_name, each.name) for each in found.operations if isinstance(each, AddField)]


def test_imported_lists_are_read_with_their_own_constants() -> None:
    found = migration("OPERATIONS", "DEPENDENCIES")
    assert [each.key for each in found.dependencies] == [MigrationKey("shop", "0001_initial")]
    assert added(found) == [("order", "note")]
    field, code = found.operations
    assert isinstance(field, AddField)
    assert field.field.max_length == 20
    assert isinstance(code, RunPython)
    assert code.code == Name(".lists.fill", "imported")
    assert field.span == code.span


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        (
            "lists.OPERATIONS + [migrations.AddField('item', 'x', models.TextField())]",
            [("order", "note"), ("item", "x")],
        ),
        ("[*OPERATIONS]", [("order", "note")]),
        ("fields('item')", [("item", "note"), ("item", "text")]),
        ("fields(model='item', null=False)", [("item", "note"), ("item", "text")]),
        ("[one(), *fields('item')]", [("order", "one"), ("item", "note"), ("item", "text")]),
        ("own()", [("item", "own")]),
        ("[*many('item', 'a', 'b')]", [("item", "a"), ("item", "b")]),
        ("many('item')", []),
        ("[either(model_name='item', name='c')]", [("item", "c")]),
    ],
)
def test_lists_are_joined_unpacked_and_returned(operations: str, expected: list[tuple[str, str]]) -> None:
    before = (
        "def own():\n    return [migrations.AddField('item', 'own', models.TextField(null=True))]\n\n"
        "def many(model, *names):\n"
        "    return [migrations.AddField(model, name, models.TextField(null=True)) for name in names]\n\n"
        "def either(**given):\n    return migrations.AddField(**given, field=models.TextField(null=True))\n"
    )
    assert added(migration(operations, before=before)) == expected


@pytest.mark.parametrize("operations", ["computed()", "lists.MISSING", "fields(*names)", "fields()", "elsewhere.LIST"])
def test_what_must_be_run_is_said_to_be_unread(operations: str) -> None:
    found = migration(operations, before="from . import elsewhere\n")
    assert [each.what for each in found.unreadable] == ["operations"]
    assert not found.operations_known


def test_functions_that_call_each_other_end() -> None:
    before = "def a():\n    return [*b()]\n\ndef b():\n    return [*a()]\n"
    assert not migration("a()", before=before).operations_known
