"""Ways to write a migration: they are read as Django understands them, or said to be unreadable."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as django_settings

if not django_settings.configured:
    django_settings.configure()

from django.db import migrations

from miglint.project import operations as ops
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.truth import Truth
from miglint.syntax.facts import Literal
from miglint.syntax.reader import read

HEADER = """\
import copy
import functools
from django.db import migrations, models

A, B = migrations.DeleteModel("A"), migrations.DeleteModel("B")
def fill(apps, schema_editor):
    pass
"""
CLASS = "class Migration(migrations.Migration):\n"


def asked(text: str) -> Any:
    """What Django has before it when it has imported the file and made an instance of its class."""
    module = ModuleType("shop.migrations.0002_x")
    exec(compile(HEADER + text, "0002_x.py", "exec"), vars(module))
    migration = module.Migration("0002_x", "shop")
    return (
        [_of_django(each) for each in migration.operations],
        [tuple(each) for each in migration.dependencies],
        bool(migration.atomic),
    )


def _of_django(operation: migrations.operations.base.Operation) -> tuple[object, ...]:
    name = type(operation).__name__
    match operation:
        case migrations.DeleteModel():
            return (name, operation.name)
        case migrations.RemoveField():
            return (name, operation.model_name, operation.name)
        case migrations.RunSQL():
            return (name, operation.sql)
        case migrations.SeparateDatabaseAndState():
            return (name, *map(_of_django, operation.state_operations))
    return (name,)


def reading(text: str) -> Migration:
    return interpret(MigrationKey("shop", "0002_x"), "0002_x.py", read(HEADER + text))


def as_read(text: str) -> Any:
    found = reading(text)
    assert found.unreadable == ()
    edges = [each.key for each in found.dependencies]
    return ([_of_ours(each) for each in found.operations], edges, found.atomic.certain)


def _of_ours(operation: ops.Operation) -> tuple[object, ...]:
    name = type(operation).__name__
    match operation:
        case ops.DeleteModel():
            return (name, operation.name)
        case ops.RemoveField():
            return (name, operation.model_name, operation.name)
        case ops.RunSQL():
            return (name, operation.sql.text if isinstance(operation.sql, Literal) else operation.sql)
        case ops.SeparateDatabaseAndState():
            return (name, *map(_of_ours, operation.state_operations))
    return (name,)


def listed(operations: str, before: str = "", inside: str = "") -> str:
    """A migration whose operations are an expression."""
    return f"{before}\n" + built(*inside.splitlines(), f"operations = {operations}")


def built(*lines: str, after: str = "") -> str:
    """A migration whose class body is these lines."""
    return CLASS + "".join(f"    {line}\n" for line in lines) + after


READ = {
    "a partial": listed(
        "[remove('a'), remove(name='b')]", "remove = functools.partial(migrations.RemoveField, 'order')"
    ),
    "a partial whose keyword is given again": listed(
        "[remove(name='b')]", "remove = functools.partial(migrations.RemoveField, 'order', name='a')"
    ),
    "a partial called where it is made": listed("[functools.partial(migrations.DeleteModel, 'A')()]"),
    "a class by getattr": listed("[getattr(migrations, 'DeleteModel')('A')]"),
    "a generator unpacked": listed("[*(migrations.DeleteModel(n) for n in ['A', 'B'])]"),
    "a generator made a list": listed("list(migrations.DeleteModel(n) for n in ['A', 'B'])"),
    "arguments of a dictionary": listed("[migrations.RunSQL(**GIVEN)]", "GIVEN = {'sql': 'SELECT 1'}"),
    "a class's name before the module's": listed("[migrations.DeleteModel(NAME)]", "NAME = 'A'", "NAME = 'B'"),
    "a class's name that is deleted": listed("[migrations.DeleteModel(NAME)]", "NAME = 'A'", "NAME = 'B'\ndel NAME"),
    "a name deleted after its use": built("name = 'A'", "operations = [migrations.DeleteModel(name)]", "del name"),
    "a module's name deleted after the class": listed("LIST", "LIST = [A]") + "del LIST\n",
    "a module's name that is a class later": listed("[migrations.DeleteModel(NAME)]", "NAME = 'A'")
    + "class NAME:\n    pass\n",
    "operations deleted": built("operations = [A]", "del operations"),
    "dependencies deleted": built("dependencies = [('shop', '0001_a')]", "del dependencies"),
    "a walrus": built("(operations := [A])"),
    "a walrus within an assignment": built("x = (operations := [A])"),
    "a walrus in a condition": listed("[migrations.DeleteModel(NAME)]", "NAME = 'A'\nif (NAME := 'B'):\n    pass"),
    "a copy by list()": built("given = [A]", "operations = list(given)", "given.append(B)"),
    "a copy by a slice": built("given = [A]", "operations = given[:]", "given.append(B)"),
    "a copy by .copy()": built("given = [A]", "operations = given.copy()", "given.append(B)"),
    "no copy": built("given = [A]", "operations = given", "given.append(B)"),
    "a base after Django's": "class Base:\n    operations = [A]\n    atomic = False\n"
    "class Migration(migrations.Migration, Base):\n    pass\n",
    "a base before Django's": "class Base:\n    operations = [A]\n    atomic = False\n"
    "class Migration(Base, migrations.Migration):\n    pass\n",
}
UNREADABLE = {
    "RunPython and a dictionary": listed("[migrations.RunPython(**GIVEN)]", "GIVEN = dict([('code', fill)])"),
    "RunPython and a list": listed("[migrations.RunPython(*GIVEN)]", "GIVEN = list(iter([fill]))"),
    "RunSQL and a dictionary": listed("[migrations.RunSQL(**GIVEN)]", "GIVEN = {}\nGIVEN['sql'] = 'SELECT 1'"),
    "RunSQL and a list": listed("[migrations.RunSQL(*GIVEN)]", "GIVEN = list(iter(['SELECT 1']))"),
    "a function that hides a constant": listed(
        "[migrations.DeleteModel(NAME)]", "NAME = 'A'", "def NAME():\n    pass"
    ),
    "a function that hides a function": listed(
        "make()", "def make():\n    return [A]", "def make():\n    return [B]"
    ),
    "a class that hides a constant": listed("[migrations.DeleteModel(NAME)]", "NAME = 'A'", "class NAME:\n    pass"),
    "a pop within an assignment": built("operations = [A, B]", "last = operations.pop()"),
    "an append within an assignment": built("operations = [A]", "x = operations.append(B)"),
    "an append after and": built("operations = [A]", "True and operations.append(B)"),
    "an append in an assertion": built("operations = [A]", "assert operations.append(B) is None"),
    "an append through the list's class": built("operations = [A]", "list.append(operations, B)"),
    "an append through an operator": built("operations = [A]", "operations.__iadd__([B])"),
    "an append to a part": listed("LISTS['a']", "LISTS = {'a': [A]}\nLISTS['a'].append(B)"),
    "an append by a function that is asked": listed(
        "LIST", "LIST = [A]\ndef more():\n    LIST.append(B)\n    return True\nif more():\n    pass"
    ),
    "an append by a function that is given it": listed(
        "LIST", "LIST = [A]\ndef more(to):\n    to.append(B)\n    return to\nx = more(LIST)"
    ),
    "an attribute of an operation": built("operations = [migrations.DeleteModel('A')]", "operations[0].name = 'B'"),
    "an attribute of a named operation": listed("[one]", "one = migrations.DeleteModel('A')\none.name = 'B'"),
    "an append in a try": built(
        "operations = [A]", "try:", "    1 / 0", "    operations.append(B)", "except ZeroDivisionError:", "    pass"
    ),
    "a list of a class that is changed": listed("Lists.ONE", "class Lists:\n    ONE = [A]\nLists.ONE.append(B)"),
    "a list of a class that is set": listed("Lists.ONE", "class Lists:\n    ONE = [A]\nLists.ONE = [B]"),
    "a base that is changed": "class Base(migrations.Migration):\n    operations = [A]\n"
    "class Migration(Base):\n    pass\nBase.operations.append(B)\n",
    "a base whose __init__ sets it": "class Base(migrations.Migration):\n    def __init__(self, *given):\n"
    "        super().__init__(*given)\n        self.operations = [A]\nclass Migration(Base):\n    pass\n",
    "a base that is another name of one": "class Base(migrations.Migration):\n    operations = [A]\nOther = Base\n"
    "class Migration(Other):\n    pass\n",
    "an append in __init__": built(
        "operations = [A]", "def __init__(self, *given):", "    super().__init__(*given)",
        "    self.operations.append(B)",
    ),
    "setattr in __init__": built(
        "operations = [A]", "def __init__(self, *given):", "    super().__init__(*given)",
        "    setattr(self, 'operations', [B])",
    ),
    "setattr after the class": built("operations = [A]", after="setattr(Migration, 'operations', [B])\n"),
    "an item after the class": built("operations = [A]", after="Migration.operations[0] = B\n"),
    "an item deleted after the class": built("operations = [A, B]", after="del Migration.operations[0]\n"),
    "another name of the class": built("operations = [A]", after="m = Migration\nm.operations.append(B)\n"),
    "a function that changes the class": built(
        "operations = [A]", after="def change():\n    Migration.operations = [B]\nchange()\n"
    ),
    "a decorator": "def more(given):\n    given.operations = [*given.operations, B]\n    return given\n@more\n"
    + built("operations = [A]"),
}  # fmt: skip
ATOMIC = {
    "set in __init__": built("def __init__(self, *given):", "    super().__init__(*given)", "    self.atomic = False"),
    "set after the class": built("pass", after="Migration.atomic = False\n"),
}


def named(forms: dict[str, str]) -> list[Any]:
    return [pytest.param(text, id=name) for name, text in forms.items()]


@pytest.mark.parametrize("text", named(READ))
def test_a_form_is_read_as_django_reads_it(text: str) -> None:
    assert as_read(text) == asked(text)


@pytest.mark.parametrize("text", named(UNREADABLE))
def test_a_form_that_cannot_be_read_is_said_to_be(text: str) -> None:
    operations, *_ = asked(text)
    found = reading(text)
    assert operations
    assert {part.what.partition(".")[0] for part in found.unreadable} & {
        "operations", "DeleteModel", "RunPython", "RunSQL"
    }  # fmt: skip


@pytest.mark.parametrize("text", named(ATOMIC))
def test_whether_a_migration_is_atomic_may_be_set_elsewhere(text: str) -> None:
    *_, atomic = asked(text)
    assert (atomic, reading(text).atomic) == (False, Truth.UNKNOWN)
