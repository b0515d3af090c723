"""What miglint says of the graph and the state is what Django does: the seeded case fails so, the mended one passes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from django_migrate import migrate, write
from miglint.diagnostic import Diagnostic
from miglint.options import Options
from miglint.session import Session
from postgresql import database_of, server

_KEY = '("id", models.BigAutoField(primary_key=True))'


def migration(operations: str, dependencies: str = "", code: str = "") -> str:
    return (
        f"from django.db import migrations, models\n\n\n{code}\n\n"
        f"class Migration(migrations.Migration):\n    dependencies = [{dependencies}]\n\n"
        f"    operations = [\n        {operations}\n    ]\n"
    )


def findings(root: Path, code: str, database: str = "sqlite") -> list[Diagnostic]:
    (root / "manage.py").touch()
    options = Options(cache=False, jobs=1, select=(code,), database=database)
    return [each for each in Session(options, cwd=root).report([root]).findings if each.code == code]


def said(finding: Diagnostic) -> str:
    """The error that a finding quotes."""
    return finding.message.partition(" raises ")[2]


# -- MG108 --------------------------------------------------------------------------------------------

SHOP = migration(
    f'migrations.CreateModel("Order", [{_KEY}, ("note", models.TextField(default=""))]),\n'
    f'        migrations.CreateModel("Tag", [{_KEY}]),\n'
    f'        migrations.CreateModel("Tagging", [{_KEY}, ("tag", models.ForeignKey("shop.Tag", models.CASCADE))]),'
)
GET = 'def look(apps, schema_editor):\n    apps.get_model("shop", "Order").objects.count()\n'
# What an app whose name sorts before `shop` needs of it: on a new database Django runs it first.
CROSS_APP = {
    "get_model": ("migrations.RunPython(look),", GET),
    "get_model under another name": (
        "migrations.RunPython(look),",
        'def look(registry, editor):\n    registry.get_model("shop.Tag")\n',
    ),
    "get_model in a helper": (
        "migrations.RunPython(start),",
        f"{GET}\n\ndef start(apps, schema_editor):\n    look(apps, schema_editor)\n",
    ),
    "get_model in database_operations": (
        "migrations.SeparateDatabaseAndState(database_operations=[migrations.RunPython(look)]),",
        GET,
    ),
    "foreign key": (
        f'migrations.CreateModel("Report", [{_KEY}, ("order", models.ForeignKey("shop.Order", models.CASCADE))]),',
        "",
    ),
    "added foreign key": (
        (
            f'migrations.CreateModel("Report", [{_KEY}]),\n'
            '        migrations.AddField("report", "o", models.OneToOneField("shop.order", models.CASCADE, null=True)),'
        ),
        "",
    ),
    "altered foreign key": (
        (
            f'migrations.CreateModel("Report", [{_KEY}, ("number", models.BigIntegerField(null=True))]),\n'
            '        migrations.AlterField("report", "number", models.ForeignKey("shop.order", models.CASCADE)),'
        ),
        "",
    ),
    "many-to-many": (
        f'migrations.CreateModel("Report", [{_KEY}, ("tags", models.ManyToManyField("shop.Tag"))]),',
        "",
    ),
    "through": (
        (
            f'migrations.CreateModel("Report", [{_KEY}]),\n'
            '        migrations.AddField("report", "r", models.ManyToManyField("self", through="shop.Tagging")),'
        ),
        "",
    ),
    "proxy": ('migrations.CreateModel("Copy", [], options={"proxy": True}, bases=("shop.order",)),', ""),
}


@pytest.mark.parametrize("case", CROSS_APP)
def test_without_the_dependency_django_fails_as_the_message_says_and_with_it_passes(case: str, tmp_path: Path) -> None:
    operations, code = CROSS_APP[case]
    path = "analytics/migrations/0001_initial.py"
    write(tmp_path, {"shop/migrations/0001_initial.py": SHOP, path: migration(operations, code=code)})
    (found,) = findings(tmp_path, "MG108")
    assert migrate(tmp_path) == said(found)

    added = re.search(r'\("shop", "0001_initial"\),', found.help)
    assert added is not None, "the help names the dependency, ready to paste"
    write(tmp_path, {path: migration(operations, added[0], code)})
    assert findings(tmp_path, "MG108") == []
    assert migrate(tmp_path) == ""


# What is silent because Django does not fail, even where this app alone is migrated.
NO_NEED = {
    "unmanaged": (
        (
            f'migrations.CreateModel("Report", [{_KEY}, ("order", models.ForeignKey("shop.Order", models.CASCADE))], '
            'options={"managed": False}),'
        ),
        "",
    ),
    "state alone": (
        (
            "migrations.SeparateDatabaseAndState(state_operations=["
            f'migrations.CreateModel("Report", [{_KEY}, ("order", models.ForeignKey("shop.Order", models.CASCADE))])]),'
        ),
        "",
    ),
    "an expected absence": (
        "migrations.RunPython(look),",
        (
            "def look(apps, schema_editor):\n    try:\n        apps.get_model('shop', 'Order')\n"
            "    except LookupError:\n        pass\n"
        ),
    ),
    "a handler that runs later": (
        "migrations.RunPython(look),",
        "def look(apps, schema_editor):\n    def handler(apps, **rest):\n        apps.get_model('shop', 'Order')\n",
    ),
    "the reverse": ("migrations.RunPython(migrations.RunPython.noop, look),", GET),
}


@pytest.mark.parametrize("case", NO_NEED)
def test_what_django_does_not_need_is_not_asked_for(case: str, tmp_path: Path) -> None:
    operations, code = NO_NEED[case]
    files = {
        "shop/migrations/0001_initial.py": SHOP,
        "analytics/migrations/0001_initial.py": migration(operations, code=code),
    }
    write(tmp_path, files)
    assert findings(tmp_path, "MG108") == []
    assert migrate(tmp_path, "analytics") == ""


def test_a_dependency_that_happens_to_hold_today_fails_when_the_app_is_migrated_alone(tmp_path: Path) -> None:
    files = {
        "shop/migrations/0001_initial.py": SHOP,
        "zoo/migrations/0001_initial.py": migration("migrations.RunPython(look),", code=GET),
    }
    write(tmp_path, files)
    (found,) = findings(tmp_path, "MG108")
    assert "Today shop.0001_initial happens to come first" in found.help
    assert migrate(tmp_path) == ""
    assert migrate(tmp_path, "zoo") == said(found)


def test_a_model_that_comes_after_the_migration_itself_is_no_dependency_to_add(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "analytics/migrations/0001_initial.py": migration("migrations.RunPython(look),", code=GET),
            "shop/migrations/0001_initial.py": SHOP.replace(
                "dependencies = []", 'dependencies = [("analytics", "0001_initial")]'
            ),
        },
    )
    (found,) = findings(tmp_path, "MG108")
    assert "comes after this migration" in found.help
    assert "Add to" not in found.help
    assert migrate(tmp_path) == said(found)


RENAMES = (
    'migrations.RenameModel("Order", "Purchase"), migrations.RenameModel("Tag", "Label"),'
    'migrations.RenameModel("Tagging", "Labelling"),'
)


@pytest.mark.parametrize("case", CROSS_APP)
def test_what_renames_a_model_first_fails_as_the_message_says_and_not_when_it_waits(case: str, tmp_path: Path) -> None:
    operations, code = CROSS_APP[case]
    operations, code = (text.replace("analytics", "zoo") for text in (operations, code))
    path, first = "shop/migrations/0002_renames.py", '("shop", "0001_initial"),'
    files = {
        "shop/migrations/0001_initial.py": SHOP,
        path: migration(RENAMES, first),
        "zoo/migrations/0001_initial.py": migration(operations, first, code),
    }
    write(tmp_path, files)
    (found,) = findings(tmp_path, "MG108")
    assert "shop.0002_renames, which calls it" in found.message
    assert migrate(tmp_path) == said(found)

    assert 'Add to `dependencies` of shop.0002_renames:\n    ("zoo", "0001_initial"),' in found.help
    write(tmp_path, {path: migration(RENAMES, f'{first} ("zoo", "0001_initial"),')})
    assert findings(tmp_path, "MG108") == []
    # Django writes no bases anew: MG109.
    assert (migrate(tmp_path) == "") == (case != "proxy")


def test_what_deletes_a_model_waits_for_the_migration_that_lets_go_of_it(tmp_path: Path) -> None:
    path, first = "shop/migrations/0002_delete.py", '("shop", "0001_initial"),'
    write(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": SHOP,
            path: migration('migrations.DeleteModel("Order"),', first),
            "zoo/migrations/0001_initial.py": migration(CROSS_APP["foreign key"][0], first),
            "zoo/migrations/0002_let_go.py": migration(
                'migrations.RemoveField("report", "order"),', '("zoo", "0001_initial"),'
            ),
        },
    )
    (found,) = findings(tmp_path, "MG108")
    assert migrate(tmp_path) == said(found)

    added = '("zoo", "0002_let_go"),'
    assert f"Add to `dependencies` of shop.0002_delete:\n    {added}" in found.help
    write(tmp_path, {path: migration('migrations.DeleteModel("Order"),', first + added)})
    assert findings(tmp_path, "MG108") == []
    assert migrate(tmp_path) == ""


def test_a_model_that_goes_later_in_any_order_or_is_made_again_is_there(tmp_path: Path) -> None:
    first = '("shop", "0001_initial"),'
    again = f'migrations.DeleteModel("Order"), migrations.CreateModel("Order", [{_KEY}]),'
    files = {
        "shop/migrations/0001_initial.py": SHOP,
        "shop/migrations/0002_again.py": migration(again, first),
        "shop/migrations/0003_rename.py": migration(
            'migrations.RenameModel("Tag", "Label"),', '("shop", "0002_again"),'
        ),
        "analytics/migrations/0001_initial.py": migration(CROSS_APP["many-to-many"][0], first),
        "zoo/migrations/0001_initial.py": migration(CROSS_APP["foreign key"][0], first),
    }
    write(tmp_path, files)
    assert findings(tmp_path, "MG108") == []
    assert migrate(tmp_path) == ""


def test_models_of_djangos_own_apps_need_a_dependency_too(tmp_path: Path) -> None:
    code = 'def group(apps, schema_editor):\n    apps.get_model("auth", "Group").objects.count()\n'
    path = "shop/migrations/0001_initial.py"
    installed = "INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth', 'shop']\n"
    manage = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n'
    write(tmp_path, {path: migration("migrations.RunPython(group),", code=code)})
    (tmp_path / "settings.py").write_text(installed)
    (tmp_path / "manage.py").write_text(manage)
    (found,) = findings(tmp_path, "MG108")
    assert migrate(tmp_path, "shop") == said(found)

    write(tmp_path, {path: migration("migrations.RunPython(group),", '("auth", "0001_initial")', code)})
    assert findings(tmp_path, "MG108") == []
    assert migrate(tmp_path, "shop") == ""


# -- MG109 and MG110 ----------------------------------------------------------------------------------

BASE = migration(
    f'migrations.CreateModel("Customer", [{_KEY}]),\n'
    f"""        migrations.CreateModel(
            "Order",
            [
                {_KEY},
                ("note", models.TextField(default="")),
                ("number", models.IntegerField(default=0)),
                ("tags", models.ManyToManyField("shop.Customer")),
            ],
            options={{
                "indexes": [models.Index(fields=["number"], name="number_idx")],
                "constraints": [
                    models.UniqueConstraint(fields=["number"], condition=models.Q(number__gt=0), name="positive"),
                ],
            }},
        ),"""
)
_FK = 'models.ForeignKey("{}", models.CASCADE, null=True)'
_LATE = f'migrations.CreateModel("Late", [{_KEY}])'
_TWO = ", ".join(f'migrations.AddIndex("order", models.Index(fields=["note"], name="{name}"))' for name in "ab")
_SOME = 'models.UniqueConstraint(fields=["id"], condition=models.Q(id=1), name="{}")'
_CHECK = 'migrations.AddConstraint("order", models.CheckConstraint(condition=models.Q(number__lt=9), name="{}"))'
_UNIQUE = 'migrations.AddConstraint("order", models.UniqueConstraint(fields=["number", "id"], name="{}"))'
_DATABASE = "migrations.SeparateDatabaseAndState(database_operations=[{}])"
_STATE = "migrations.SeparateDatabaseAndState(state_operations=[{}])"

_PROXY = 'migrations.CreateModel("Copy", [], {"proxy": True}, ("shop.order",))'
_PROXY_OF_SALE = _PROXY.replace("shop.order", "shop.sale")
_DELETE = 'migrations.DeleteModel("Order")'
_LINK = (
    '("order_ptr", models.OneToOneField("shop.order", models.CASCADE, auto_created=True, parent_link=True, '
    "primary_key=True, serialize=False))"
)
_CHILD = f'migrations.CreateModel("Child", [{_LINK}], bases=("shop.order",))'
_PARTS = (
    f'migrations.CreateModel("Part", [{_KEY}, ("order", models.ForeignKey("shop.Order", models.CASCADE))], '
    '{"order_with_respect_to": "order"})'
)
_UNORDERED = 'migrations.AlterOrderWithRespectTo("part", None)'

# What fails, and what to write instead.
UNKNOWN = [
    (
        'migrations.AddField("ordr", "x", models.TextField(null=True))',
        'migrations.AddField("order", "x", models.TextField(null=True))',
    ),
    (
        'migrations.AlterField("order", "nte", models.TextField())',
        'migrations.AlterField("order", "note", models.TextField())',
    ),
    ('migrations.RemoveField("order", "nte")', 'migrations.RemoveField("order", "note")'),
    ('migrations.RemoveField("order", "Note")', 'migrations.RemoveField("Order", "note")'),
    ('migrations.RemoveField("ordr", "note")', 'migrations.RemoveField("ORDER", "note")'),
    ('migrations.RenameField("order", "nte", "text")', 'migrations.RenameField("order", "note", "text")'),
    ('migrations.RenameModel("Ordr", "Purchase")', 'migrations.RenameModel("Order", "Purchase")'),
    ('migrations.DeleteModel("Ordr")', 'migrations.DeleteModel("Order")'),
    ('migrations.RenameModel("Order", "ORDER")', 'migrations.RenameModel("Order", "Orders")'),
    (
        _STATE.format('migrations.RenameModel("Order", "oRder")') + ', migrations.RemoveField("order", "note")',
        'migrations.RemoveField("oRder", "note")',
    ),
    (
        f'{_PROXY}, migrations.RenameModel("Order", "Sale")',
        f'migrations.RenameModel("Order", "Sale"), {_PROXY_OF_SALE}',
    ),
    (f'{_PROXY}, migrations.DeleteModel("Order")', f'{_PROXY}, migrations.DeleteModel("Copy"), {_DELETE}'),
    (f'{_CHILD}, migrations.RenameModel("Order", "Sale")', f'{_CHILD}, migrations.RenameModel("Child", "Sale")'),
    (f'{_CHILD}, migrations.DeleteModel("Order")', f'{_CHILD}, migrations.DeleteModel("Child"), {_DELETE}'),
    (
        f'{_PARTS}, migrations.RenameField("part", "order", "sale")',
        f'{_PARTS}, {_UNORDERED}, migrations.RenameField("part", "order", "sale")',
    ),
    (
        f'{_PARTS}, migrations.RemoveField("part", "order"), {_UNORDERED}',
        f'{_PARTS}, {_UNORDERED}, migrations.RemoveField("part", "order")',
    ),
    (
        'migrations.AlterModelOptions("ordr", {"ordering": ["id"]})',
        'migrations.AlterModelOptions("order", {"ordering": ["id"]})',
    ),
    ('migrations.AlterModelTable("ordr", "orders")', 'migrations.AlterModelTable("order", "orders")'),
    (
        'migrations.AlterUniqueTogether("order", {("note", "nr")})',
        'migrations.AlterUniqueTogether("order", {("note", "number")})',
    ),
    ('migrations.AlterOrderWithRespectTo("order", "customer")', 'migrations.AlterOrderWithRespectTo("order", None)'),
    (
        'migrations.AddIndex("order", models.Index(fields=["nte"], name="i"))',
        'migrations.AddIndex("order", models.Index(fields=["-note"], name="i"))',
    ),
    (
        'migrations.AddConstraint("order", models.UniqueConstraint(fields=["nte"], name="u"))',
        'migrations.AddConstraint("order", models.UniqueConstraint(fields=["note"], name="u"))',
    ),
    ('migrations.RemoveIndex("order", "nr_idx")', 'migrations.RemoveIndex("order", "number_idx")'),
    (
        'migrations.RenameIndex("order", new_name="i", old_name="nr_idx")',
        'migrations.RenameIndex("order", new_name="i", old_name="number_idx")',
    ),
    ('migrations.RemoveConstraint("order", "negative")', 'migrations.RemoveConstraint("order", "positive")'),
    (
        f'migrations.AddField("order", "c", {_FK.format("shop.Late")}), {_LATE}',
        f'{_LATE}, migrations.AddField("order", "c", {_FK.format("shop.Late")})',
    ),
    (
        f'migrations.AddField("order", "c", {_FK.format("Late")})',
        f'migrations.AddField("order", "c", {_FK.format("Customer")})',
    ),
    (
        'migrations.AddField("order", "m", models.ManyToManyField("shop.Late"))',
        'migrations.AddField("order", "m", models.ManyToManyField("self"))',
    ),
    (
        'migrations.CreateModel("Copy", [], options={"proxy": True}, bases=("shop.late",))',
        'migrations.CreateModel("Copy", [], options={"proxy": True}, bases=("shop.order",))',
    ),
    (
        f'{_STATE.format("""migrations.RemoveField("order", "note")""")}, migrations.RemoveField("order", "note")',
        _STATE.format('migrations.RemoveField("order", "note")'),
    ),
    (
        f'{_STATE.format("""migrations.RemoveField("order", "nte")""")}',
        _STATE.format('migrations.RemoveField("order", "note")'),
    ),
    (
        'migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("order", "nte")])',
        'migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("order", "note")])',
    ),
]
EXISTING = [
    (
        'migrations.AddField("order", "note", models.TextField(null=True))',
        'migrations.AddField("order", "text", models.TextField(null=True))',
    ),
    (
        'migrations.AddField("order", "tags", models.ManyToManyField("shop.Customer"))',
        'migrations.AddField("order", "labels", models.ManyToManyField("shop.Customer", related_name="+"))',
    ),
    (f'migrations.CreateModel("Order", [{_KEY}])', f'migrations.CreateModel("Purchase", [{_KEY}])'),
    (
        'migrations.AddIndex("order", models.Index(fields=["note"], name="number_idx"))',
        'migrations.AddIndex("order", models.Index(fields=["note"], name="note_idx"))',
    ),
    (
        f'migrations.AddConstraint("order", {_SOME.format("positive")})',
        f'migrations.AddConstraint("order", {_SOME.format("one")})',
    ),
    ('migrations.RenameField("order", "note", "number")', 'migrations.RenameField("order", "note", "text")'),
    ('migrations.RenameModel("Order", "Customer")', 'migrations.RenameModel("Order", "Purchase")'),
    (
        f'{_TWO}, migrations.RenameIndex("order", new_name="b", old_name="a")',
        f'{_TWO}, migrations.RenameIndex("order", new_name="c", old_name="a")',
    ),
    (
        _DATABASE.format('migrations.AddField("order", "note", models.TextField(null=True))'),
        _STATE.format('migrations.AddField("order", "note", models.TextField(null=True))'),
    ),
    # What only the database has: the state lost it, SQL made it, or another name brings it.
    (
        _STATE.format('migrations.RemoveField("order", "note")')
        + ', migrations.AddField("order", "note", models.TextField(null=True))',
        'migrations.RemoveField("order", "note"), migrations.AddField("order", "note", models.TextField(null=True))',
    ),
    (
        _STATE.format('migrations.DeleteModel("Order")') + f', migrations.CreateModel("Order", [{_KEY}])',
        _STATE.format('migrations.DeleteModel("Order")') + f', migrations.CreateModel("Purchase", [{_KEY}])',
    ),
    (
        (
            'migrations.RunSQL("CREATE INDEX by_note ON shop_order (note)"),'
            'migrations.AddIndex("order", models.Index(fields=["note"], name="by_note"))'
        ),
        (
            'migrations.RunSQL("CREATE INDEX by_note ON shop_order (note)"), migrations.RunSQL("DROP INDEX by_note"),'
            'migrations.AddIndex("order", models.Index(fields=["note"], name="by_note"))'
        ),
    ),
    (
        'migrations.AddField("order", "text", models.TextField(null=True, db_column="note"))',
        'migrations.AddField("order", "text", models.TextField(null=True, db_column="noted"))',
    ),
    (
        f'migrations.CreateModel("Other", [{_KEY}], options={{"db_table": "shop_customer"}})',
        f'migrations.CreateModel("Other", [{_KEY}], options={{"db_table": "shop_client"}})',
    ),
]
# SQLite makes the table anew, and has no names of constraints that could clash.
TWICE = [f"{_CHECK.format('most')}, {_CHECK.format('most')}", f"{_UNIQUE.format('once')}, {_UNIQUE.format('once')}"]
# What Django and SQLite let pass, doubtful as it looks.
PASSING = [
    'migrations.AddField("order", "note", models.TextField(default="x"))',
    'migrations.AddConstraint("order", models.UniqueConstraint(fields=["note"], name="positive"))',
    _STATE.format('migrations.AlterField("order", "nte", models.TextField())'),
    _STATE.format('migrations.RemoveIndex("order", "nr_idx")'),
    _STATE.format('migrations.RemoveConstraint("order", "negative")'),
    _STATE.format('migrations.AddIndex("order", models.Index(fields=["nte"], name="number_idx"))'),
    _STATE.format(f'migrations.AddField("order", "c", {_FK.format("shop.Late")}), {_LATE}'),
    _STATE.format('migrations.AddField("order", "note", models.TextField(null=True))'),
    _STATE.format('migrations.RenameField("order", "note", "number")'),
    f'migrations.RunSQL("DROP TABLE shop_order"), migrations.CreateModel("Order", [{_KEY}])',
    (
        'migrations.CreateModel("Stock", [("id", models.IntegerField(primary_key=True))], options={"managed": False}),'
        'migrations.AddIndex("stock", models.Index(fields=["amount"], name="i")),'
        'migrations.RemoveIndex("stock", "i"),'
    ),
    'migrations.AddIndex("order", models.Index(fields=["id"], name="id_idx"))',
    f'{_PROXY}, {_DELETE}, migrations.DeleteModel("copy")',
    f'{_CHILD}, {_DELETE}, migrations.RunSQL("SELECT 1"), migrations.DeleteModel("Child")',
]


def shop(root: Path, operations: str) -> None:
    write(
        root,
        {
            "shop/migrations/0001_initial.py": BASE,
            "shop/migrations/0002_next.py": migration(operations, '("shop", "0001_initial")'),
        },
    )


def proved(root: Path, code: str, bad: str, good: str) -> None:
    shop(root, bad)
    (found,) = findings(root, code)
    assert migrate(root) == said(found)
    shop(root, good)
    assert findings(root, "MG109") + findings(root, "MG110") == []
    assert migrate(root) == ""


@pytest.mark.parametrize(("bad", "good"), UNKNOWN)
def test_an_unknown_target_fails_as_the_message_says(bad: str, good: str, tmp_path: Path) -> None:
    proved(tmp_path, "MG109", bad, good)


_PART = (
    'migrations.CreateModel("Part", [("id", models.BigAutoField(primary_key=True)), ("note", models.TextField()), '
    '("order", models.ForeignKey("shop.Order", models.CASCADE))], options={"OPTION": VALUE})'
)
_CONSTRAINT = 'migrations.AddConstraint("order", models.{})'
_INDEX = 'migrations.AddIndex("order", models.Index({}, name="i"))'


def part(option: str, value: str) -> str:
    return _PART.replace("OPTION", option).replace("VALUE", value)


# Fields of its own model that an operation names, `NAME`: one that is there, and one that is not.
LOOKED_UP = [
    _CONSTRAINT.format('CheckConstraint(condition=~models.Q(NAME__gt="a"), name="c")'),
    _CONSTRAINT.format('CheckConstraint(condition=models.Q(("NAME__gt", "a")), name="c")'),
    _CONSTRAINT.format('CheckConstraint(condition=models.Q(models.Q(number=1), models.Q(NAME="a")), name="c")'),
    _CONSTRAINT.format('CheckConstraint(condition=models.Q(number__lt=models.F("NAME")), name="c")'),
    _CONSTRAINT.format('UniqueConstraint(fields=["number"], name="u", condition=models.Q(id=1) & models.Q(NAME="a"))'),
    _CONSTRAINT.format('UniqueConstraint(fields=["number"], include=["NAME"], name="u")'),
    _CONSTRAINT.format('UniqueConstraint(models.functions.Lower("NAME"), name="u")'),
    _INDEX.format('fields=["number"], condition=models.Q(NAME="a")'),
    _INDEX.format('models.F("NAME").desc()'),
    _INDEX.format('"NAME"'),
    _INDEX.format('models.functions.Concat(models.Value("n"), "NAME")'),
    _INDEX.format('models.Func("NAME", function="lower")'),
    _INDEX.format('models.Case(models.When(NAME="a", then=models.Value(1)), default="number")'),
    (
        'migrations.AddField("order", "copy", models.GeneratedField(expression=models.F("NAME"),'
        " output_field=models.TextField(), db_persist=True))"
    ),
    'migrations.AlterUniqueTogether("order", set([("number", "NAME")]))',
    part("unique_together", '{("id", "NAME")}'),
    part("unique_together", '("order_id", "NAME")'),
    part("order_with_respect_to", '"NAME"'),
    part("indexes", '[models.Index(fields=["-NAME"], name="i")]'),
    part("indexes", '[models.Index(fields=["id"], condition=models.Q(NAME="a"), name="i")]'),
    part("constraints", '[models.UniqueConstraint(fields=["NAME"], name="u")]'),
    part("constraints", '[models.CheckConstraint(condition=models.Q(NAME="a") | models.Q(pk=1), name="c")]'),
    _STATE.format(part("order_with_respect_to", '"NAME"')),
    part("order_with_respect_to", '"NAME"').replace('"NAME"}', '"NAME", "managed": False}'),
    (
        'migrations.AlterIndexTogether("order", {("note", "number")}), '
        'migrations.RenameIndex("order", new_name="i", old_fields=("NAME", "number"))'
    ),
    # A model that derives from another one has its fields, and those that Django adds.
    f'{_CHILD.replace(", bases", """, options={"order_with_respect_to": "NAME"}, bases""")}',
]


@pytest.mark.parametrize("name", ["nte", "note"])
@pytest.mark.parametrize("operation", LOOKED_UP)
def test_a_field_that_an_index_a_constraint_or_an_option_names_is_looked_up(
    operation: str, name: str, tmp_path: Path
) -> None:
    shop(tmp_path, operation.replace("NAME", name))
    found = findings(tmp_path, "MG109")
    # Django goes on to list all fields that there are.
    assert [said(each) for each in found] == [migrate(tmp_path).partition(" Choices")[0]] * (name == "nte")
    text = (tmp_path / "shop/migrations/0002_next.py").read_text()
    pointed_at = [text[each.span.start : each.span.end] for each in found if each.span is not None]
    assert all("nte" in text and "migrations" not in text for text in pointed_at)


# What get_field does not find although queries, or other models, know it by that name.
@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (part("unique_together", '{("note", "pk")}'), part("unique_together", '{("note", "id")}')),
        (
            part("unique_together", '{("note", "id")}').replace('("id", models.BigAuto', '("code", models.BigAuto'),
            part("unique_together", '{("note", "id")}').replace('("id", models.BigAutoField(primary_key=True)), ', ""),
        ),
        (
            part("indexes", '[models.Index(fields=["_order"], name="i")]'),
            part("indexes", '[models.Index(fields=["_order"], name="i")], "order_with_respect_to": "order"'),
        ),
        (_INDEX.format('models.F("-note")'), _INDEX.format('models.F("note")')),
        (_INDEX.format('fields=["Note"]'), _INDEX.format('fields=["customer_id"]')),
    ],
)
def test_a_name_is_one_of_a_field_only_where_django_takes_it_for_one(wrong: str, right: str, tmp_path: Path) -> None:
    base = BASE.replace('("note",', '("customer", models.ForeignKey("shop.Customer", models.CASCADE)), ("note",')
    for operations in (wrong, right):
        shop(tmp_path, operations)
        write(tmp_path, {"shop/migrations/0001_initial.py": base})
        expected = migrate(tmp_path).partition(" Choices")[0]
        assert [said(each) for each in findings(tmp_path, "MG109")] == [expected] * (operations == wrong)


_TO_FIELD = 'models.ForeignKey("{}", models.CASCADE, null=True, related_name="+", to_field="NAME")'


@pytest.mark.parametrize("name", ["nr", "Number", "pk", "number"])
@pytest.mark.parametrize(
    "operations",
    [
        f'migrations.AddField("order", "c", {_TO_FIELD.format("shop.Customer")})',
        (
            'migrations.AddField("order", "c", models.IntegerField(null=True)), '
            f'migrations.AlterField("order", "c", {_TO_FIELD.format("Customer")})'
        ),
        (
            'migrations.CreateModel("Part", [("number", models.IntegerField(unique=True)), '
            f'("c", {_TO_FIELD.format("self")})])'
        ),
        f'{_STATE.format("""migrations.AddField("order", "c", KEY)""")}'.replace(
            "KEY", _TO_FIELD.format("shop.Customer").replace("NAME", "state")
        ),
    ],
)
def test_the_field_that_a_key_refers_to_is_looked_up_in_its_target(operations: str, name: str, tmp_path: Path) -> None:
    base = BASE.replace("primary_key=True))])", 'primary_key=True)), ("number", models.IntegerField(unique=True))])')
    shop(tmp_path, operations.replace("NAME", name))
    write(tmp_path, {"shop/migrations/0001_initial.py": base})
    expected = migrate(tmp_path)
    assert [said(each) for each in findings(tmp_path, "MG109")] == [expected] * (expected != "")
    assert (expected == "") == (name == "number" or "state" in operations)


def test_an_expression_index_is_not_looked_into_where_the_database_has_none(tmp_path: Path) -> None:
    """Source: BaseDatabaseSchemaEditor.add_index"""
    index, constraint = _INDEX.format('models.F("nte")'), _CONSTRAINT.format('UniqueConstraint("nte", name="u")')
    shop(tmp_path, f"{index}, {constraint}")
    (found,) = findings(tmp_path, "MG109", "mariadb")
    assert found.subject.operation == (1,)


@pytest.mark.parametrize(("bad", "good"), EXISTING)
def test_what_is_there_already_fails_as_the_message_says(bad: str, good: str, tmp_path: Path) -> None:
    proved(tmp_path, "MG110", bad, good)


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with server() as directory:
        yield directory


def _new_database(socket: Path, label: str) -> dict[str, str]:
    name = f"existing_{abs(hash(label))}"
    with psycopg.connect(host=str(socket), user="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return database_of(socket, name)


@pytest.mark.parametrize("operations", [*(bad for bad, _ in EXISTING), *TWICE])
def test_postgresql_says_so_in_its_own_words(operations: str, socket: Path, tmp_path: Path) -> None:
    shop(tmp_path, operations)
    (found,) = findings(tmp_path, "MG110", "postgresql")
    assert migrate(tmp_path, database=_new_database(socket, operations)) == said(found)


@pytest.mark.parametrize("operations", PASSING)
def test_what_django_lets_pass_is_no_finding(operations: str, tmp_path: Path) -> None:
    shop(tmp_path, operations)
    assert migrate(tmp_path) == ""
    assert findings(tmp_path, "MG109") + findings(tmp_path, "MG110") == []


# -- MG110, of names of indexes ---------------------------------------------------------------------------

_ON_CUSTOMER = 'migrations.AddIndex("customer", models.Index(fields=["id"], name="{}"))'
_NEW_CUSTOMER = (
    'migrations.CreateModel("Customer", [("id", models.BigAutoField(primary_key=True)), '
    '("name", models.CharField(max_length=9, {})), ("order", models.ForeignKey("shop.Order", models.CASCADE))])'
)
_INDEXED = 'migrations.AddField("customer", "name", models.CharField(max_length=9, null=True, {}))'
# Before, what makes a name, and what takes it away or wants it again: whether SQLite and PostgreSQL refuse it.
NAMES = [
    ("", _ON_CUSTOMER.format("number_idx"), True, True),
    ("", _ON_CUSTOMER.format("NUMBER_idx"), True, False),
    ("", _ON_CUSTOMER.format("other_idx"), False, False),
    ('migrations.RemoveIndex("order", "number_idx")', _ON_CUSTOMER.format("number_idx"), False, False),
    ('migrations.DeleteModel("Order")', _ON_CUSTOMER.format("number_idx"), False, False),
    ('migrations.RemoveField("order", "number")', _ON_CUSTOMER.format("positive"), None, False),
    (_STATE.format('migrations.RemoveIndex("order", "number_idx")'), _ON_CUSTOMER.format("number_idx"), True, True),
    (_UNIQUE.format("once"), _ON_CUSTOMER.format("once"), False, True),
    (_CHECK.format("most"), _ON_CUSTOMER.format("most"), False, False),
    (
        _ON_CUSTOMER.format("i"),
        'migrations.RenameIndex("customer", new_name="number_idx", old_name="i")',
        True,
        True,
    ),
    (
        "",
        f'migrations.CreateModel("New", [{_KEY}], {{"indexes": [models.Index(fields=["id"], name="number_idx")]}})',
        True,
        True,
    ),
    # Names that Django makes up stay as they are when the column, or the table, is renamed.
    (
        f"{_INDEXED.format('db_index=True')}",
        f'migrations.RenameField("customer", "name", "old"), {_INDEXED.format("db_index=True")}',
        True,
        True,
    ),
    (
        f"{_INDEXED.format('unique=True')}",
        f'migrations.RenameField("customer", "name", "old"), {_INDEXED.format("db_index=False")}',
        False,
        False,
    ),
    (
        f"{_INDEXED.format('db_index=True')}",
        (
            'migrations.RenameField("customer", "name", "old"), migrations.RemoveField("customer", "old"), '
            f"{_INDEXED.format('db_index=True')}"
        ),
        False,
        False,
    ),
    (
        f"{_INDEXED.format('db_index=True')}",
        f'migrations.RenameModel("Customer", "Client"), {_NEW_CUSTOMER.format("db_index=True")}',
        True,
        True,
    ),
    (
        'migrations.AlterUniqueTogether("order", {("id", "number")})',
        (
            'migrations.RenameModel("Order", "Sale"), migrations.CreateModel("Order", ['
            f'{_KEY}, ("number", models.IntegerField())], {{"unique_together": {{("id", "number")}}}})'
        ),
        True,
        True,
    ),
    # What is deferred is named when the migration ends.
    (
        # SQLite makes the index of the old name, which is a text to it.
        f'{_INDEXED.format("db_index=True")}, migrations.RenameField("customer", "name", "old")',
        _INDEXED.format("db_index=True"),
        None,
        False,
    ),
    (
        f'{_INDEXED.format("db_index=True")}, migrations.RenameModel("Customer", "Client")',
        _NEW_CUSTOMER.format("db_index=True"),
        False,
        False,
    ),
    (
        'migrations.RunSQL("CREATE INDEX by_note ON shop_order (note)")',
        _ON_CUSTOMER.format("by_note"),
        True,
        True,
    ),
    (
        'migrations.RunSQL("CREATE INDEX by_note ON shop_order (note)"), migrations.RunSQL("DROP INDEX by_note")',
        _ON_CUSTOMER.format("by_note"),
        False,
        False,
    ),
]


def in_three(root: Path, before: str, operations: str) -> None:
    shop(root, before)
    write(root, {"shop/migrations/0003_again.py": migration(operations, '("shop", "0002_next")')})


@pytest.mark.parametrize(("before", "operations", "sqlite", "postgresql"), NAMES)
def test_an_index_has_its_name_alone_among_all_tables(
    before: str, operations: str, sqlite: bool | None, postgresql: bool, socket: Path, tmp_path: Path
) -> None:
    in_three(tmp_path, before, operations)
    for vendor, refused in (("sqlite", sqlite), ("postgresql", postgresql)):
        if refused is not None:
            told = [said(each) for each in findings(tmp_path, "MG110", vendor)]
            database = _new_database(socket, before + operations) if vendor == "postgresql" else None
            assert [migrate(tmp_path, database=database)] == (told or [""])
            assert bool(told) is refused
    assert findings(tmp_path, "MG110", "mariadb") == []


def test_a_name_that_is_written_is_pointed_at(tmp_path: Path) -> None:
    in_three(tmp_path, "", _ON_CUSTOMER.format("number_idx"))
    (found,) = findings(tmp_path, "MG110")
    text = (tmp_path / "shop/migrations/0003_again.py").read_text()
    assert found.span is not None
    assert text[found.span.start : found.span.end] == '"number_idx"'
    assert "Give this one another name" in found.help


@pytest.mark.parametrize("between", ['migrations.RunSQL("ALTER INDEX", "")', "Drop()"])
def test_a_name_may_be_gone_where_not_all_is_known(between: str, tmp_path: Path) -> None:
    in_three(tmp_path, between, _ON_CUSTOMER.format("number_idx"))
    assert findings(tmp_path, "MG110", "postgresql") == []


# -- MG109, of a model that goes while others name it -----------------------------------------------------

_CLIENTS = migration(
    f'migrations.CreateModel("Client", [{_KEY}]),\n'
    f'        migrations.CreateModel("Sale", [{_KEY}]),\n'
    f'        migrations.CreateModel("Order", [{_KEY}, ("client", {_FK.format("shop.Client")})]),\n'
    f'        migrations.CreateModel("Link", [{_KEY}, ("client", {_FK.format("Client")}), '
    f'("order", {_FK.format("shop.Order")})]),\n'
    '        migrations.AddField("order", "clients", models.ManyToManyField("Client", "+", through="shop.Link")),'
)
_GONE = 'migrations.DeleteModel("Client")'
_FREE = (
    'migrations.RemoveField("order", "clients"), migrations.DeleteModel("Link"), '
    'migrations.RemoveField("order", "client")'
)


@pytest.mark.parametrize(
    ("operations", "fields"),
    [
        (_GONE, ["Link.client", "Order.client", "Order.clients"]),
        (_STATE.format(_GONE), ["Link.client", "Order.client", "Order.clients"]),
        ('migrations.DeleteModel("Link")', ["Order.clients"]),
        (f"{_FREE}, {_GONE}", []),
        (f'{_FREE.rpartition(", migr")[0]}, {_GONE}, migrations.RemoveField("order", "client")', []),
        (_DATABASE.format(f"{_FREE}, {_GONE}"), []),
        (f'{_FREE}, {_GONE}, migrations.DeleteModel("Sale"), migrations.DeleteModel("Order")', []),
        (f'{_GONE}, migrations.CreateModel("Client", [{_KEY}])', []),
        ('migrations.DeleteModel("Sale")', []),
        ('migrations.RenameModel("Client", "Customer")', []),
    ],
)
def test_a_model_goes_for_good_only_with_all_that_names_it(operations: str, fields: list[str], tmp_path: Path) -> None:
    shop(tmp_path, operations)
    write(tmp_path, {"shop/migrations/0001_initial.py": _CLIENTS})
    found = findings(tmp_path, "MG109")
    assert [each.subject.detail.removeprefix("shop.") for each in found] == fields
    told = re.sub(r"<function .*>", "<function …>", migrate(tmp_path))
    assert told in [said(each) for each in found] if fields else told == ""


def test_a_model_of_another_app_is_gone_with_its_app(tmp_path: Path) -> None:
    files = {
        "crm/migrations/0001_initial.py": migration(f'migrations.CreateModel("Client", [{_KEY}])'),
        "crm/migrations/0002_gone.py": migration(_GONE, '("crm", "0001_initial"), ("shop", "0001_initial")'),
        "shop/migrations/0001_initial.py": migration(
            f'migrations.CreateModel("Order", [{_KEY}, ("client", {_FK.format("crm.Client")})])',
            '("crm", "0001_initial")',
        ),
    }
    write(tmp_path, files)
    (found,) = findings(tmp_path, "MG109")
    assert migrate(tmp_path) == said(found)
    assert "in a migration of shop" in found.help

    removed = migration('migrations.RemoveField("order", "client")', '("shop", "0001_initial"), ("crm", "0002_gone")')
    write(tmp_path, {"shop/migrations/0002_removed.py": removed})
    assert findings(tmp_path, "MG109") == []
    assert migrate(tmp_path) == ""


# -- MG109, of what the database alone is asked for ------------------------------------------------------

_VALIDATE = 'ValidateConstraint("order", "{}")'
_NOT_VALID = f"AddConstraintNotValid{_CHECK.removeprefix('migrations.AddConstraint')}"
_BY_COLUMNS = 'migrations.RenameIndex("order", new_name="i", old_fields=({}))'
_TOGETHER = 'migrations.AlterIndexTogether("order", {("note", "number")})'
_SQL_CHECK = "ALTER TABLE shop_order ADD CONSTRAINT few CHECK (number < 9) NOT VALID"


@pytest.mark.parametrize(
    ("operations", "fails"),
    [
        (_VALIDATE.format("few"), True),
        (_VALIDATE.format("positive"), True),
        (f"{_NOT_VALID.format('few')}, {_VALIDATE.format('Few')}", True),
        (f"{_NOT_VALID.format('few')}, {_VALIDATE.format('few')}", False),
        (
            f"""{_NOT_VALID.format("few")}, migrations.RemoveConstraint("order", "few"), {_VALIDATE.format("few")}""",
            True,
        ),
        (
            (
                f"""{_NOT_VALID.format("few")}, {_STATE.format('migrations.RemoveConstraint("order", "few")')}, """
                f"""migrations.AlterModelTable("order", "orders"), {_VALIDATE.format("few")}"""
            ),
            False,
        ),
        (f"migrations.RunSQL('{_SQL_CHECK}'), {_VALIDATE.format('few')}", False),
        (
            f"migrations.RunPython(lambda apps, editor: editor.execute('{_SQL_CHECK}')), {_VALIDATE.format('few')}",
            False,
        ),
        (_STATE.format(_VALIDATE.format("few")), False),
        (_BY_COLUMNS.format('"note", "number"'), True),
        (_BY_COLUMNS.format('"number",'), False),
        (_TOGETHER + ", " + _BY_COLUMNS.format('"note", "number"'), False),
        (_TOGETHER + ", " + _BY_COLUMNS.format('"number", "note"'), True),
        (_TOGETHER + ', migrations.RenameField("order", "note", "n"), ' + _BY_COLUMNS.format('"n", "number"'), False),
    ],
)
def test_what_only_the_database_knows_is_not_there(operations: str, fails: bool, socket: Path, tmp_path: Path) -> None:
    shop(tmp_path, operations)
    text = migration(
        operations,
        '("shop", "0001_initial")',
        "from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint",
    )
    write(tmp_path, {"shop/migrations/0002_next.py": text})
    told = [said(each) for each in findings(tmp_path, "MG109", "postgresql")]
    assert [migrate(tmp_path, database=_new_database(socket, operations))] == (told or [""])
    assert bool(told) is fails


_UNIQUE_TOGETHER = 'migrations.AlterUniqueTogether("order", {})'
_NOTE_GOES = 'migrations.RemoveField("order", "note")'


@pytest.mark.parametrize(
    ("then", "fails"),
    [
        (f"{_NOTE_GOES}, {_UNIQUE_TOGETHER.format('set()')}", True),
        (f"{_NOTE_GOES}, {_UNIQUE_TOGETHER.format('None')}", True),
        (_NOTE_GOES + ", " + _UNIQUE_TOGETHER.format('{("number", "id")}'), True),
        (f"{_STATE.format(_NOTE_GOES)}, {_UNIQUE_TOGETHER.format('set()')}", True),
        (_NOTE_GOES + ", " + _UNIQUE_TOGETHER.format('[["note", "number"]]'), False),
        (f"{_UNIQUE_TOGETHER.format('set()')}, {_NOTE_GOES}", False),
        (f"{_NOTE_GOES}, migrations.DeleteModel('Order')", False),
        (f"migrations.RenameField('order', 'note', 'text'), {_UNIQUE_TOGETHER.format('set()')}", False),
    ],
)
def test_the_fields_of_what_is_taken_away_are_looked_up(then: str, fails: bool, socket: Path, tmp_path: Path) -> None:
    in_three(tmp_path, _UNIQUE_TOGETHER.format('set([("note", "number")])'), then)
    told = [said(each) for each in findings(tmp_path, "MG109", "postgresql")]
    assert [migrate(tmp_path, database=_new_database(socket, then))] == (told or [""])
    assert bool(told) is fails


# -- MG115, of what two branches do -----------------------------------------------------------------------


def merged(root: Path, one: str, other: str) -> None:
    write(
        root,
        {
            "shop/migrations/0001_initial.py": BASE,
            "shop/migrations/0002_a.py": migration(one, '("shop", "0001_initial")'),
            "shop/migrations/0002_b.py": migration(other, '("shop", "0001_initial")'),
            "shop/migrations/0003_merge.py": migration("", '("shop", "0002_a"), ("shop", "0002_b")'),
        },
    )


_NOTES = f'migrations.CreateModel("Note", [{_KEY}], options={{{{"db_table": "{{}}"}}}})'
_REMARKS = _NOTES.replace("Note", "Remark")


@pytest.mark.parametrize(
    ("one", "other", "fails"),
    [
        (_NOTES.format("notes"), _REMARKS.format("notes"), True),
        (_NOTES.format("notes"), 'migrations.AlterModelTable("customer", "notes")', True),
        (
            'migrations.AddField("order", "m", models.ManyToManyField("self", db_table="notes"))',
            _REMARKS.format("notes"),
            True,
        ),
        (_NOTES.format("notes"), _REMARKS.format("remarks"), False),
        (f"{_NOTES.format('notes')}, migrations.DeleteModel('Note')", _REMARKS.format("notes"), True),
        (_STATE.format(_NOTES.format("notes")), _REMARKS.format("notes"), False),
        (_NOTES.format("notes"), _REMARKS.format("notes").replace("{", '{"managed": False, '), False),
        # What a condition speaks of is used as well.
        ('migrations.RemoveField("order", "note")', _CHECK.format("few").replace("number__lt=9", 'note="a"'), True),
        ('migrations.RemoveField("order", "note")', _CHECK.format("few"), False),
    ],
)
def test_two_branches_that_cannot_both_run_are_no_merge(one: str, other: str, fails: bool, tmp_path: Path) -> None:
    merged(tmp_path, one, other)
    assert (migrate(tmp_path) != "") is fails
    assert [each.subject.migration for each in findings(tmp_path, "MG115")] == ["0003_merge"] * fails


def test_options_are_several(tmp_path: Path) -> None:
    options = 'migrations.AlterModelOptions("order", {{"ordering": ["{}"]}})'
    merged(tmp_path, options.format("id"), options.format("number"))
    (found,) = findings(tmp_path, "MG115")
    assert "0002_a, where the options of shop.order are set, and 0002_b, where they are set" in found.message


# -- MG103 and MG104 --------------------------------------------------------------------------------------


def test_a_circle_is_pointed_at_where_it_is_said(tmp_path: Path) -> None:
    crm = migration("", '("shop", "0002_b")').replace(
        "dependencies", 'run_before = [("shop", "0002_a")]\n    dependencies'
    )
    write(
        tmp_path,
        {
            "crm/migrations/0001_initial.py": crm,
            "shop/migrations/0001_initial.py": BASE,
            "shop/migrations/0002_a.py": migration("", '("shop", "0001_initial")'),
            "shop/migrations/0002_b.py": migration("", '("shop", "0002_a")'),
        },
    )
    (found,) = findings(tmp_path, "MG103")
    places = [(found.path, found.span), *((each.path, each.span) for each in found.related)]
    said_at = [(tmp_path / path).read_text()[span.start : span.end] for path, span in places if path and span]
    assert said_at == ['("shop", "0002_b")', '("shop", "0002_a")', '("shop", "0002_a")']
    assert [Path(path).parts[-3] for path, _ in places if path] == ["crm", "shop", "crm"]
    # Django begins somewhere in the circle.
    assert sorted(re.findall(r"\w+\.\w+", migrate(tmp_path))) == sorted(re.findall(r"\w+\.\w+", found.message))


@pytest.mark.parametrize("name", ["Migrations", "migration"])
def test_a_migration_under_another_name_is_to_be_called_as_django_calls_it(name: str, tmp_path: Path) -> None:
    shop(tmp_path, "")
    path = tmp_path / "shop/migrations/0002_next.py"
    path.write_text(path.read_text().replace("class Migration", f"class {name}"))
    (found,) = findings(tmp_path, "MG104")
    assert migrate(tmp_path) == f"BadMigrationError: {found.message}"
    assert "Call the class `Migration`" in found.help
    assert found.span is not None
    assert path.read_text()[found.span.start :].startswith(f"class {name}")
