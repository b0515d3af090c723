"""What a file means as a migration."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import pytest

from miglint.project.circumstances import Circumstances
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.operations import (
    AddField,
    AddIndex,
    AlterField,
    AlterModelTable,
    Alternative,
    CreateModel,
    Custom,
    DeleteModel,
    RemoveField,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    Unread,
    walk_operations,
)
from miglint.project.truth import Truth
from miglint.syntax.facts import Items, Literal, ModuleFacts, dotted
from miglint.syntax.reader import read

HEADER = "from django.conf import settings\nfrom django.db import migrations, models\n"


def migration(text: str, *, others: dict[str, str] | None = None) -> Migration:
    modules = {name: read(content) for name, content in (others or {}).items()}

    def lookup(module: str) -> ModuleFacts | None:
        return modules.get(module)

    return interpret(MigrationKey("shop", "0002_x"), "/p/shop/migrations/0002_x.py", read(HEADER + text), lookup)


def test_dependencies_run_before_and_replaces_are_read() -> None:
    found = migration(
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('shop', '0001_initial'), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]\n"
        "    run_before = (('billing', '0004_x'),)\n"
        "    replaces = [('shop', '0001_a')] + [('shop', '0001_b')]\n"
    )
    assert [d.key or d.setting for d in found.dependencies] == [("shop", "0001_initial"), "AUTH_USER_MODEL"]
    assert [d.key for d in found.run_before] == [("billing", "0004_x")]
    assert [d.key for d in found.replaces] == [("shop", "0001_a"), ("shop", "0001_b")]
    assert found.dependencies_known


@pytest.mark.parametrize(
    "imported, call",
    [
        ("from django.db.migrations import AddField as Add", "Add"),
        ("import django.db.migrations.operations.fields", "django.db.migrations.operations.fields.AddField"),
        ("from django.db import migrations as m", "m.AddField"),
        ("AddField = migrations.AddField", "AddField"),
    ],
)
def test_an_operation_is_known_by_any_name(imported: str, call: str) -> None:
    found = migration(
        f"{imported}\nclass Migration(migrations.Migration):\n"
        f"    operations = [{call}(model_name='order', name='total', field=models.IntegerField(null=True))]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, AddField)
    assert (operation.model_name, operation.name, operation.field.type) == (
        "order",
        "total",
        "django.db.models.IntegerField",
    )


@pytest.mark.parametrize(
    "body",
    [
        "    operations = [ONE] + [TWO]\n",
        "    operations = [ONE]\n    operations += [TWO]\n",
        "    operations = [ONE]\n    operations.append(TWO)\n",
        "    operations = [TWO]\n    operations.insert(0, ONE)\n",
        "    operations = []\n    for one in BOTH:\n        operations.append(one)\n",
        "    operations = []\n    operations.extend([ONE, TWO])\n",
        "    operations = [*FIRST, TWO]\n",
        "    operations = BOTH\n",
        "    operations = [migrations.DeleteModel(name) for name in ('A', 'B')]\n",
    ],
)
def test_lists_built_in_steps_are_followed(body: str) -> None:
    found = migration(
        "ONE = migrations.DeleteModel('A')\nTWO = migrations.DeleteModel('B')\nFIRST = [ONE]\nBOTH = [ONE, TWO]\n"
        f"class Migration(migrations.Migration):\n{body}"
    )
    assert [operation.model for operation in found.operations] == ["A", "B"]
    assert found.unreadable == ()


@pytest.mark.parametrize(
    "body",
    [
        "for name in names():\n    LIST.append(migrations.DeleteModel(name))",
        "for name in {**names(), 'A': 1}:\n    LIST.append(migrations.DeleteModel(name))",
        "for name in ('A', 'B'):\n    if name == 'B':\n        break\n    LIST.append(migrations.DeleteModel(name))",
        "while LIST:\n    LIST.append(migrations.DeleteModel('A'))",
        "for one in range(2000):\n    for two in range(2000):\n        LIST.append(migrations.DeleteModel('A'))",
        "for name in range(10 ** 9):\n    LIST.append(migrations.DeleteModel(name))",
        "for name in range(1000000000000000000):\n    LIST.append(migrations.DeleteModel(name))",
        "del LIST[0]",
        "LIST[:] = []",
        "def fill():\n    LIST.append(migrations.DeleteModel('A'))\nfill()",
        "fill(LIST)",
        "LIST = [migrations.DeleteModel(n) for n in ('A', 'B') if n in names]",
        "LIST = LIST[:END]",
    ],
)
def test_a_list_that_must_be_run_to_be_known_is_unread(body: str) -> None:
    found = migration(
        f"LIST = [migrations.DeleteModel('Z')]\n{body}\nclass Migration(migrations.Migration):\n    operations = LIST\n"
    )
    assert not found.operations_known


def test_a_loop_s_name_is_not_known_after_a_loop_that_is_not() -> None:
    found = migration(
        "name = 'A'\nfor name in names():\n    pass\n"
        "class Migration(migrations.Migration):\n    operations = [migrations.DeleteModel(name)]\n"
    )
    assert [operation.model for operation in found.operations] == [None]


def test_a_long_loop_is_gone_through() -> None:
    found = migration(
        "class Migration(migrations.Migration):\n    operations = []\n"
        "    for number in range(1500):\n        operations.append(migrations.DeleteModel(f'M{number}'))\n"
    )
    assert [operation.model for operation in found.operations] == [f"M{number}" for number in range(1500)]


@pytest.mark.parametrize(
    "text",
    [
        "if settings.X:\n    class Migration(migrations.Migration): pass\nelse:\n    class Migration(Other): pass\n",
        "from elsewhere import Other\nMigration = Other\n",
        "Migration = type('Migration', (migrations.Migration,), {})\n",
    ],
)
def test_a_migration_that_is_one_of_several_classes_is_not_known(text: str) -> None:
    found = migration(text)
    assert (found.dependencies_known, found.operations_known) == (False, False)


def test_what_a_base_class_of_another_module_says_is_placed_where_the_class_is() -> None:
    found = migration(
        "from ..base import Base\nNAME = 'wrong'\nclass Migration(Base):\n    pass\n",
        others={
            "..base": HEADER + "NAME = 'A'\nclass Base(migrations.Migration):\n"
            "    operations = [migrations.DeleteModel(NAME)]\n"
        },
    )
    assert [(operation.model, operation.span) for operation in found.operations] == [("A", found.class_span)]


def test_a_condition_is_unreadable_and_both_ways_are_kept() -> None:
    found = migration(
        "class Migration(migrations.Migration):\n"
        "    if settings.X:\n        operations = [migrations.DeleteModel('A')]\n"
        "    else:\n        operations = []\n"
    )
    assert [type(operation) for operation in found.operations] == [Alternative]
    assert [type(o) for _, o in walk_operations(found.operations)] == [Alternative, DeleteModel]
    assert not found.operations_known


def test_a_computed_element_leaves_the_rest_readable() -> None:
    found = migration("class Migration(migrations.Migration):\n    operations = [migrations.DeleteModel('A'), *f()]\n")
    assert [type(operation) for operation in found.operations] == [DeleteModel, Unread]
    assert [part.what for part in found.unreadable] == ["operations"]


def test_a_computed_dependency_is_unknown() -> None:
    found = migration("class Migration(migrations.Migration):\n    dependencies = [('shop', NAME)]\n")
    assert not found.dependencies_known


def test_dependencies_set_in_init_are_unknown() -> None:
    found = migration(
        "class Migration(migrations.Migration):\n"
        "    def __init__(self, *args):\n        self.dependencies = list(args)\n"
    )
    assert not found.dependencies_known


@pytest.mark.parametrize(
    "after",
    ["Migration.{} = []", "Migration.{} += [more]", "Migration.{}.append(more)", "if more:\n    Migration.{} = [more]"],
)
def test_what_is_changed_after_the_class_is_unknown(after: str) -> None:
    body = "class Migration(migrations.Migration):\n    dependencies = []\n    operations = []\n"
    found = migration(body + after.format("dependencies"))
    assert (found.dependencies_known, found.operations_known) == (False, True)
    found = migration(body + after.format("operations"))
    assert (found.dependencies_known, found.operations_known) == (True, False)


def test_positional_arguments_follow_djangos_order() -> None:
    found = migration(
        "class Migration(migrations.Migration):\n"
        "    operations = [migrations.RunPython(f, migrations.RunPython.noop), migrations.RunSQL('A', 'B')]\n"
        "def f(apps, schema_editor): pass\n"
    )
    code, sql = found.operations
    assert isinstance(code, RunPython)
    assert isinstance(sql, RunSQL)
    assert code.reverse_code is not None
    assert sql.reverse_sql is not None


def test_starred_arguments_are_uncertain() -> None:
    found = migration("class Migration(migrations.Migration):\n    operations = [migrations.RunPython(*pair)]\n")
    assert [operation.uncertain for operation in found.operations] == [True]


def test_nested_lists_given_by_name_are_read() -> None:
    found = migration(
        "class Migration(migrations.Migration):\n"
        "    state_operations = [migrations.DeleteModel('A')]\n"
        "    operations = [migrations.SeparateDatabaseAndState(state_operations=state_operations)]\n"
    )
    (outer,) = found.operations
    assert isinstance(outer, SeparateDatabaseAndState)
    assert [path for path, _ in walk_operations(found.operations)] == [(0,), (0, "state_operations", 0)]


def test_a_foreign_class_is_custom_and_a_plain_subclass_is_its_base() -> None:
    found = migration(
        "import pgtrigger.migrations\n"
        "class Quiet(migrations.DeleteModel):\n    reversible = False\n"
        "class Migration(migrations.Migration):\n"
        "    operations = [pgtrigger.migrations.AddTrigger(model_name='a'), Quiet('A')]\n"
    )
    assert [type(operation) for operation in found.operations] == [Custom, DeleteModel]


REMEMBERS = """def __init__(self, name, why):
        self.why = why
        super().__init__("a", name)
    def deconstruct(self):
        return "Own", [self.name, self.why], {}
"""


@pytest.mark.parametrize(
    ("body", "call"),
    [
        ("def __init__(self, *args, **kwargs):\n        super().__init__(*args, **kwargs)", "Own('a', 'b')"),
        ("def __init__(self, model_name, name):\n        super().__init__(model_name, name)", "Own('a', 'b')"),
        ("def __init__(self, name, model_name='a'):\n        super().__init__(model_name, name)", "Own('b')"),
        ("def __init__(self, name):\n        super().__init__(model_name='a', name=name)", "Own(name='b')"),
        (REMEMBERS, "Own('b', 'unused')"),
    ],
)
def test_what_an_operation_passes_on_to_its_base_is_followed(body: str, call: str) -> None:
    found = migration(
        f"class Own(migrations.RemoveField):\n    {body}\n"
        f"class Migration(migrations.Migration):\n    operations = [{call}]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, RemoveField)
    assert (operation.model, operation.name) == ("a", "b")


@pytest.mark.parametrize(
    "body",
    [
        "super().__init__(model_name, name.lower())",
        "super().__init__(model_name, name)\n        self.name = FIELD",
        "super().__init__(model_name, FIELD)",
        "self.model_name = model_name",
    ],
)
def test_an_operation_that_computes_what_it_passes_on_is_custom(body: str) -> None:
    found = migration(
        f"class Own(migrations.RemoveField):\n    def __init__(self, model_name, name):\n        {body}\n"
        "class Migration(migrations.Migration):\n    operations = [Own('a', 'b')]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, Custom)


@pytest.mark.parametrize(
    "body", ["pass", "return", "return None", '"""Nothing to do."""', '"""Nothing."""\n        pass']
)
def test_an_operation_whose_state_forwards_does_nothing_leaves_the_state_as_it_is(body: str) -> None:
    found = migration(
        "class Quiet(migrations.operations.base.Operation):\n"
        f"    def state_forwards(self, app_label, state):\n        {body}\n"
        "class Migration(migrations.Migration):\n    operations = [Quiet()]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, Custom)
    assert operation.in_state == ()


def test_constants_in_a_field_are_written_out() -> None:
    found = migration(
        "LENGTH = 40\nextra = {'null': True}\n"
        "class Migration(migrations.Migration):\n"
        "    operations = [migrations.AddField('a', 'b', models.CharField(max_length=LENGTH, **extra))]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, AddField)
    assert (operation.field.max_length, operation.field.null) == (40, Truth.YES)


def test_fields_of_a_new_model_are_complete_unless_one_is_unreadable() -> None:
    found = migration(
        "class Migration(migrations.Migration):\n"
        "    operations = [migrations.CreateModel('A', [('id', models.AutoField()), (NAME, models.TextField())])]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, CreateModel)
    assert [name for name, _ in operation.fields] == ["id"]
    assert not operation.complete


def test_atomic_is_inherited_from_a_base_class_of_the_project() -> None:
    found = migration(
        "from ..base import Unsafe\nclass Migration(Unsafe):\n    operations = []\n",
        others={"..base": HEADER + "class Unsafe(migrations.Migration):\n    atomic = False\n"},
    )
    assert found.atomic is Truth.NO


GIVEN = """\
from django.conf import settings
def model_name():
    "The model."
    return getattr(settings, "A_MODEL", "a.B")
"""


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (lambda name, absent: absent, (MigrationKey("a", "__first__"), Literal("str", "a.B"))),
        (lambda name, absent: "c.D", (MigrationKey("c", "__first__"), Literal("str", "c.D"))),
        (lambda name, absent: None, (None, None)),
    ],
    ids=["what stands for the setting", "the setting", "settings that are not known"],
)
def test_a_model_that_a_function_of_a_package_names(setting: Any, expected: Any) -> None:
    text = (
        "from package import model_name\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [migrations.swappable_dependency(model_name())]\n"
        "    operations = [migrations.AddField('x', 'y', models.ForeignKey(model_name(), models.CASCADE))]\n"
    )
    lookup = {"package": read(GIVEN)}.get
    key = MigrationKey("shop", "0002_x")
    found = interpret(key, "/p/shop/migrations/0002_x.py", read(HEADER + text), lookup, setting=setting)
    dependency = found.dependencies[0].key if found.dependencies else None
    (operation,) = found.operations
    assert isinstance(operation, AddField)
    to = operation.field.to
    assert (dependency, to if isinstance(to, Literal) else None) == expected


@pytest.mark.parametrize("dots", [".", ".."])
def test_a_base_class_may_be_a_package_s_own(dots: str) -> None:
    found = migration(
        f"from {dots} import Unsafe\nclass Migration(Unsafe):\n    operations = []\n",
        others={dots: HEADER + "class Unsafe(migrations.Migration):\n    atomic = False\n"},
    )
    assert found.atomic is Truth.NO


def test_atomic_of_an_unreadable_base_class_is_unknown() -> None:
    assert migration("from other import Base\nclass Migration(Base): pass\n").atomic is Truth.UNKNOWN


def test_the_same_operations_written_otherwise_are_equal() -> None:
    one = migration(
        "class Migration(migrations.Migration):\n    operations = [migrations.AddIndex('a', models.Index())]"
    )
    two = migration(
        "class Migration(migrations.Migration):\n  operations = [\n migrations.AddIndex( 'a',models.Index() ),]"
    )
    assert one.operations == two.operations
    assert isinstance(one.operations[0], AddIndex)


def test_a_broken_file_is_a_migration_of_which_nothing_is_known() -> None:
    found = migration("class Migration(:\n")
    assert (found.dependencies_known, found.operations_known, found.operations) == (False, False, ())


def test_a_computed_swappable_dependency_leaves_the_edges_of_the_app_known() -> None:
    found = migration(
        "from images import model\nclass Migration(migrations.Migration):\n"
        "    dependencies = [('shop', '0001_a'), migrations.swappable_dependency(model())]\n"
    )
    assert found.dependencies_known
    assert [part.what for part in found.unreadable] == ["swappable_dependency"]


# -- the text of SQL ------------------------------------------------------------------------------------


def sql_of(argument: str, before: str = "", files: dict[str, str] | None = None) -> object:
    """The text that RunSQL's first argument comes to; the expression where it does not come to one."""
    text = (
        "import os\nfrom pathlib import Path\nfrom django.db import migrations\n"
        f"{before}\nclass Migration(migrations.Migration):\n"
        f'    INNER = "DROP INDEX inner_idx"\n    operations = [migrations.RunSQL({argument})]\n'
    )
    key = MigrationKey("shop", "0001_x")
    found = interpret(key, "0001_x.py", read(text), read_text=lambda path: (files or {}).get(path))
    (operation,) = found.operations
    assert isinstance(operation, RunSQL)
    return operation.sql.text if isinstance(operation.sql, Literal) else operation.sql


@pytest.mark.parametrize(
    "argument",
    [
        "DROP",
        'f"DROP INDEX {NAME}"',
        '"DROP INDEX %s" % NAME',
        '"DROP INDEX %(name)s" % {"name": NAME}',
        '"DROP INDEX {}".format(NAME)',
        '"DROP INDEX {name}".format(name=NAME)',
        '" ".join(["DROP", "INDEX", NAME])',
        '"DROP " + "INDEX " + NAME',
    ],
)
def test_sql_is_read_through_constants_and_composition(argument: str) -> None:
    assert sql_of(argument, 'NAME = "order_idx"\nDROP = "DROP INDEX order_idx"\n') == "DROP INDEX order_idx"


def test_sql_of_the_class_body_and_in_lists_is_written_out() -> None:
    assert sql_of("INNER") == "DROP INDEX inner_idx"
    found = sql_of('[INNER, (f"SELECT %s, {N}", [N])]', "N = 3\n")
    assert isinstance(found, Items)
    first, second = found.items
    assert isinstance(second, Items)
    assert (first.text, second.items[0].text) == ("DROP INDEX inner_idx", "SELECT %s, 3")


@pytest.mark.parametrize(
    "argument",
    [
        'f"DROP INDEX {name()}"',
        '"%(a)s" % {}',
        '"{:>10}".format("x")',
        '"%10s" % "x"',
        'f"{3:03d}"',
        '"{0.real}".format(1)',
    ],
)
def test_what_is_no_plain_composition_is_not_guessed(argument: str) -> None:
    assert not isinstance(sql_of(argument), str)


@pytest.mark.parametrize(
    "argument",
    [
        'open(os.path.join(os.path.dirname(__file__), "sql", "x.sql")).read()',
        '(Path(__file__).resolve().parent / "sql" / "x.sql").read_text(encoding="utf-8")',
        'Path(__file__).parent.joinpath("sql/x.sql").open().read()',
        '(BASE / "x.sql").read_text()',
        "FROM_WITH",
    ],
)
def test_sql_of_files_beside_the_migration_is_read(argument: str) -> None:
    before = (
        'BASE = Path(__file__).parent / "sql"\n'
        'with open(os.path.join(os.path.dirname(__file__), "sql/x.sql")) as f:\n    FROM_WITH = f.read()\n'
    )
    assert sql_of(argument, before, {"sql/x.sql": "SELECT 1"}) == "SELECT 1"
    assert not isinstance(sql_of(argument, before), str)


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        ("RemoveField(*GIVEN)", "RemoveField.model_name"),
        ("RemoveField('order', **GIVEN)", "RemoveField.name"),
        ("AddField('order', 'total', **GIVEN)", "AddField.field"),
        ("AddField('order', 'total', GIVEN)", "AddField.field"),
        ("DeleteModel(**GIVEN)", "DeleteModel.name"),
        ("AddField('order', 'total', models.IntegerField(**GIVEN))", "AddField.field"),
        ("AddField('order', 'total', models.IntegerField(*GIVEN))", "AddField.field"),
        ("AlterField('order', 'total', models.IntegerField(null=GIVEN))", "AlterField.field"),
        ("AddField('order', 'total', shop.fields.Money(unique=GIVEN))", "AddField.field"),
        ("CreateModel('Order', [('id', models.AutoField(**GIVEN))])", "CreateModel.fields"),
        ("CreateModel('Order', [], options=GIVEN)", "CreateModel.options"),
        ("AlterModelTable('order', GIVEN)", "AlterModelTable.table"),
        ("AlterUniqueTogether('order', GIVEN)", "AlterUniqueTogether.unique_together"),
        ("AddIndex('order', GIVEN)", "AddIndex.index"),
        ("AddConstraint('order', GIVEN)", "AddConstraint.constraint"),
        ("CreateModel('Order', GIVEN)", "CreateModel.fields"),
        ("CreateModel('Order', [('id', models.AutoField(primary_key=True)), *GIVEN])", "CreateModel.fields"),
        ("SeparateDatabaseAndState(**GIVEN)", "SeparateDatabaseAndState"),
    ],
)
def test_what_an_argument_hides_is_unreadable(operation: str, what: str) -> None:
    found = migration(
        "import shop.fields\nfrom shop.parts import GIVEN\nclass Migration(migrations.Migration):\n"
        f"    operations = [migrations.{operation}]\n"
    )
    assert [(part.what, part.why) for part in found.unreadable] == [
        (what, "the name `shop.parts.GIVEN`, whose value this file does not tell")
    ]


@pytest.mark.parametrize(
    "operation",
    [
        "AddField('order', 'total', models.IntegerField(default=GIVEN, help_text=GIVEN, validators=GIVEN))",
        "AddField('order', 'total', models.IntegerField(**{'null': True}))",
        "AddField('order', 'total', models.IntegerField(unique=None, null=1))",
        "AddField('order', 'total', models.CharField(max_length=GIVEN, null=True))",
        "AlterField('order', 'total', shop.fields.Money(GIVEN, null=True))",
        "CreateModel('Order', [('id', models.AutoField(primary_key=True))], None, None)",
        "AlterModelTable('order', None)",
        "AlterUniqueTogether('order', set())",
        "AlterUniqueTogether('order', {})",
        "AddConstraint('order', models.UniqueConstraint(fields=GIVEN, name='u'))",
        "AlterModelOptions('order', GIVEN)",
    ],
)
def test_arguments_that_decide_nothing_of_the_column_may_hide(operation: str) -> None:
    found = migration(
        "import shop.fields\nfrom shop.parts import GIVEN\nclass Migration(migrations.Migration):\n"
        f"    operations = [migrations.{operation}]\n"
    )
    assert found.unreadable == ()


def test_operations_that_an_argument_hides_may_change_anything() -> None:
    found = migration(
        "from shop.parts import GIVEN\nclass Migration(migrations.Migration):\n"
        "    operations = [migrations.SeparateDatabaseAndState([migrations.DeleteModel('A')], **GIVEN)]\n"
    )
    assert [type(each) for _, each in walk_operations(found.operations)] == [
        SeparateDatabaseAndState,
        DeleteModel,
        Unread,
    ]


@pytest.mark.parametrize(
    "given",
    [
        "**dict(model_name='order', name='total')",
        "**dict({'name': 'total'}, model_name='order')",
        "**dict(NAMED, name='total')",
        "**NAMED | {'name': 'total'}",
        "**(NAMED | dict(name='total'))",
    ],
)
def test_dictionaries_that_are_put_together_are_read(given: str) -> None:
    found = migration(
        "NAMED = {'model_name': 'order'}\nclass Migration(migrations.Migration):\n"
        f"    operations = [migrations.RemoveField({given})]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, RemoveField)
    assert (operation.model_name, operation.name) == ("order", "total")
    assert found.unreadable == ()


@pytest.mark.parametrize(
    ("value", "operation", "parameter"),
    [
        ("{('a', 'b')}", "AlterUniqueTogether('order', NAMED)", "unique_together"),
        ("models.Index(fields=['a'], name='i')", "AddIndex('order', NAMED)", "index"),
        ("models.UniqueConstraint(fields=['a'], name='u')", "AddConstraint('order', constraint=NAMED)", "constraint"),
        ("{'managed': False}", "CreateModel('Order', [], options=NAMED)", "options"),
        ("None", "RunPython(print, NAMED)", "reverse_code"),
    ],
)
def test_what_a_constant_is_is_what_an_operation_is_given(value: str, operation: str, parameter: str) -> None:
    named, written = (
        migration(
            f"NAMED = {value}\nclass Migration(migrations.Migration):\n    operations = [migrations.{each}]\n"
        ).operations[0]
        for each in (operation, operation.replace("NAMED", value))
    )
    assert getattr(named, parameter) == getattr(written, parameter) != None  # noqa: E711


@pytest.mark.parametrize(
    "value", ["NAME", "'a' + '_' + 'b'", "f'a_{B}'", "'_'.join(['a', B])", "'a_%s' % B", "'a_b' * 1"]
)
def test_the_constants_in_indexes_constraints_and_options_are_written_out(value: str) -> None:
    operations = (
        "AddIndex('order', models.Index(fields=['n'], name=VALUE))",
        "AddConstraint('order', models.UniqueConstraint(fields=['n'], name=VALUE))",
        "CreateModel('Order', [], options={'db_table': VALUE, 'indexes': [models.Index(fields=['n'], name=VALUE)]})",
        "AddField('order', 'n', models.TextField(db_column=VALUE))",
    )
    given, written = (
        migration(
            "NAME = 'a_b'\nB = 'b'\nclass Migration(migrations.Migration):\n    operations = [\n"
            + "".join(f"        migrations.{each.replace('VALUE', text)},\n" for each in operations)
            + "    ]\n"
        ).operations
        for text in (value, "'a_b'")
    )
    for one, other, name in zip(given, written, ("index", "constraint", "options", "field"), strict=True):
        assert getattr(one, name) == getattr(other, name)


@pytest.mark.parametrize("value", ["'a' * 100_000", "'a' * -1 * N", "'a' * 'b'", "['a'] * 3", "'a' * N", "2 * 3"])
def test_what_is_repeated_too_often_or_an_unknown_number_of_times_stays_as_it_is(value: str) -> None:
    found = migration(
        "from shop.parts import N\nclass Migration(migrations.Migration):\n"
        f"    operations = [migrations.AlterModelTable('order', {value})]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, AlterModelTable)
    assert not isinstance(operation.table, Literal)


@pytest.mark.parametrize("name", ["apply", "unapply", "mutate_state"])
@pytest.mark.parametrize("where", ["the class", "a base class"])
def test_a_migration_with_its_own_way_to_run_is_said_to_be_unreadable(name: str, where: str) -> None:
    method = f"    def {name}(self, project_state, *given, **named):\n        return project_state\n"
    base = f"class Base(migrations.Migration):\n{method if where == 'a base class' else '    pass'}\n"
    own = method if where == "the class" else ""
    operations = "    operations = [migrations.DeleteModel('Order')]\n"
    found = migration(f"{base}class Migration(Base):\n{operations}{own}")
    assert [part.what for part in found.unreadable] == [name]
    assert len(found.operations) == 1


def test_a_function_of_a_migration_of_another_name_hides_nothing() -> None:
    found = migration(
        "class Migration(migrations.Migration):\n    def forwards(apps, schema_editor):\n        pass\n"
        "    operations = [migrations.RunPython(forwards)]\n"
    )
    assert found.unreadable == ()


@pytest.mark.parametrize(
    "sql",
    [
        "os.environ['SQL']",
        "['SELECT 1', make()]",
        "[(make(), [])]",
        "f'DROP TABLE {make()}'",
        "'x'.strip('a', 'b')",
        "'x'.replace('x', 'y', 1)",
        "('a' * 9000).replace('a', 'b' * 9000)",
        "('a' * 9000).replace('', 'b' * 9000)",
        "make().strip()",
        "textwrap.dedent(make())",
    ],
)
def test_sql_that_is_computed_is_said_to_be_unreadable(sql: str) -> None:
    found = migration(
        "import os, textwrap\nfrom shop.sql import make\nclass Migration(migrations.Migration):\n"
        f"    operations = [migrations.RunSQL({sql}, '')]\n"
    )
    assert [part.what for part in found.unreadable] == ["RunSQL.sql"]


@pytest.mark.parametrize(
    "sql",
    [
        r"textwrap.dedent('\n    SELECT a\n      FROM b\n')",
        r"inspect.cleandoc('SELECT a\n      FROM b\n')",
        "'  SELECT a '.strip()",
        "'SELECT a;;'.rstrip(';').lower()",
        "'SELECT NAME'.replace('NAME', 'a' + 'b')",
        "'x SELECT a'.removeprefix('x ').upper()",
        "migrations.RunSQL.noop",
        "[]",
        "[('SELECT %s', [1])]",
    ],
)
def test_methods_of_texts_give_what_python_makes_of_them(sql: str) -> None:
    found = migration(
        "import inspect, textwrap\nclass Migration(migrations.Migration):\n"
        f"    operations = [migrations.RunSQL({sql}, '')]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, RunSQL)
    assert found.unreadable == ()
    if isinstance(operation.sql, Literal):
        assert operation.sql.text == eval(sql, {"textwrap": textwrap, "inspect": inspect})


def test_the_name_of_a_function_stays_a_name() -> None:
    found = migration(
        "from functools import partial\ndef fill(batch, apps, editor):\n    pass\nforwards = partial(fill, 5)\n"
        "class Migration(migrations.Migration):\n    operations = [migrations.RunPython(forwards, fill)]\n"
    )
    (operation,) = found.operations
    assert isinstance(operation, RunPython)
    assert [dotted(each) for each in (operation.code, operation.reverse_code) if each is not None] == [
        "forwards",
        "fill",
    ]


def test_a_condition_on_the_list_that_it_changes_comes_to_an_end_where_the_surroundings_are_known() -> None:
    text = (
        "A = migrations.AddField('x', 'y', models.TextField())\n"
        "class Migration(migrations.Migration):\n"
        "    operations = []\n"
        "    for each in (A, A):\n"
        "        if each not in operations:\n"
        "            operations.append(each)\n"
    )
    key, around = MigrationKey("shop", "0002_x"), Circumstances(vendor="postgresql")
    found = interpret(key, "/p/shop/migrations/0002_x.py", read(HEADER + text), around=around)
    assert found.unreadable


@pytest.mark.parametrize(
    ("imported", "call", "in_state"),
    [
        ("pgtrigger.migrations", "pgtrigger.migrations.AddTrigger(model_name='a', trigger=x)", ()),
        ("django_add_default_value", "django_add_default_value.AddDefaultValue('a', 'b', 1)", ()),
        ("sortedm2m.operations", "sortedm2m.operations.AlterSortedManyToManyField('a', 'b', x())", (AlterField,)),
        ("pictures.migrations", "pictures.migrations.AlterPictureField('a', 'b', x())", (AlterField,)),
    ],
)
def test_operations_of_packages_are_known_to_the_state(imported: str, call: str, in_state: tuple[type, ...]) -> None:
    (found,) = migration(
        f"import {imported}\nclass Migration(migrations.Migration):\n    operations = [{call}]\n"
    ).operations
    assert isinstance(found, Custom)
    assert found.in_state is not None
    assert tuple(map(type, found.in_state)) == in_state


def test_a_mark_of_a_package_does_nothing() -> None:
    text = "class Migration(migrations.Migration):\n    operations = [m.IgnoreMigration()]\n"
    (found,) = migration(f"import django_migration_linter as m\n{text}").operations
    assert isinstance(found, SeparateDatabaseAndState)
    assert (found.database_operations, found.state_operations) == ((), ())
