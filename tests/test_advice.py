"""What findings advise fits the case: words and pieces of code that are there, or are not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from miglint.options import Options
from miglint.session import Session
from page_examples import EXAMPLE, PRELUDE

_MIGRATION = """\
import uuid

import django.contrib.postgres.search
from django.apps import apps as registry
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

from shop.models import Customer


def make_key():
    return uuid.uuid4()


def by_configuration(apps, schema_editor):
    shop = registry.get_app_config("shop")
    shop.get_model("Order").objects.filter(total=0).delete()


def by_method(apps, schema_editor):
    Customer.forget(apps)


def save_all(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.all():
        order.save()


def update_all(apps, schema_editor):
    apps.get_model("shop", "Order").objects.update(note="")


def delete_all(apps, schema_editor):
    apps.get_model("shop", "Order").objects.all().delete()


def empty(apps, schema_editor):
    schema_editor.execute("TRUNCATE shop_order")


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_item")]
    operations = [
        {}
    ]
"""
_GUEST = """\
migrations.CreateModel("Guest", [
    ("customer_ptr", models.OneToOneField("shop.customer", models.CASCADE, parent_link=True, primary_key=True)),
], bases=("shop.customer",))"""
_AGAIN = """\
migrations.DeleteModel("Item"), migrations.CreateModel("ItemLine", [
    ("id", models.BigAutoField(primary_key=True)),
    ("name", models.CharField(max_length=100)),
    ("quantity", models.PositiveIntegerField(default=1)),
    ("price", models.DecimalField(decimal_places=2, max_digits=8)),
    ("order", models.ForeignKey(on_delete=models.CASCADE, to="shop.order")),
]),"""
_A = 'migrations.AddField("tag", "a", models.IntegerField(null=True))'
_B = 'migrations.AddField("tag", "b", models.IntegerField(null=True))'
_CONCURRENTLY = 'AddIndexConcurrently("tag", models.Index(fields=["{}"], name="{}"))'
_COST = """migrations.AddField("item", "cost", models.GeneratedField(
    expression=models.F("price"), output_field=models.FloatField(), db_persist=True
))"""
_CREATES = 'migrations.RunPython(lambda apps, editor: apps.get_model("shop", "Tag").objects.create(name="x"){}),'
_NON_ATOMIC = """
    ]
    atomic = False
    others = ["""
# The operation, the rule, what its help says and what it does not.
CASES = {
    "a model that is made anew is not renamed to its own name": (
        _AGAIN.replace("ItemLine", "Item").replace("CharField(max_length=100)", "TextField()"), "MG203",
        "Change the model in place", "RenameModel",
    ),
    "code is undone by code": (
        "migrations.RunPython(empty, migrations.RunPython.noop),", "MG205", "backwards code cannot", "reverse_sql",
    ),
    "a primary key cannot be left behind without values": (
        'migrations.RemoveField("order", "id"),', "MG201", "It is the primary key", "DROP NOT NULL",
    ),
    "what is left of a key takes NULL and refers to nothing": (
        'migrations.RemoveField("order", "customer"),', "MG201",
        'on_delete=models.PROTECT, to="shop.customer", null=True, db_constraint=False)', "DROP NOT NULL",
    ),
    "a column that must have a value does not come back": (
        'migrations.RemoveField("order", "customer"),', "MG201", "Undoing the migration fails on a table with rows",
        "comes back",
    ),
    "a column that has a default comes back empty": (
        'migrations.RemoveField("order", "quantity"),', "MG201", "Undoing the migration brings the column back empty",
        "fails on a table with rows",
    ),
    "relations that go before their model come back into the recipe": (
        'migrations.RemoveField("item", "order"), migrations.DeleteModel("Item"),', "MG202",
        'could not delete rows that it refers to),\n    migrations.AlterField(\n        model_name="item",', "…,",
    ),
    "links that go before their model are a table": (
        'migrations.RemoveField("order", "tags"), migrations.DeleteModel("Order"),', "MG202",
        "RunSQL('DROP TABLE \"shop_order_tags\"'", "…,",
    ),
    "the links of a relation that names another model have a table of their own": (
        'migrations.AlterField("order", "tags", models.ManyToManyField("shop.customer")),', "MG206",
        'insert or update on table "shop_order_tags" violates', 'table "shop_order" ',
    ),
    "a key is validated when its values are right": (
        'migrations.AlterField("order", "customer", models.ForeignKey("shop.tag", models.PROTECT)),', "MG303",
        "When its values are those of the other table (MG206): add the key", "the key can stay",
    ),
    "a model of an app's configuration is asked for by both names": (
        "migrations.RunPython(by_configuration),", "MG504", '    apps.get_model("shop", "Order")', "…",
    ),
    "a table that no migration made is nobody's state": (
        'migrations.RunSQL("DROP TABLE IF EXISTS legacy", ""),', "MG205",
        'ALTER TABLE "legacy" RENAME TO "legacy_old"', "DeleteModel",
    ),
    "a new column is made without the index of the old one": (
        'migrations.AlterField("order", "number", models.UUIDField(unique=True, db_index=True)),', "MG204",
        "field=models.UUIDField(null=True)", "unique=True",
    ),
    "what becomes JSON was a text": (
        'migrations.AlterField("order", "note", models.JSONField()),', "MG204", "json.loads(row.note)", "JSONField to",
    ),
    "no field stands beside a primary key": (
        'migrations.AlterField("item", "id", models.UUIDField(primary_key=True)),', "MG301",
        "swap the two", "AddField",
    ),
    "a primary key is no place to mend": (
        'migrations.AlterField("tag", "id", models.AutoField(primary_key=True)),', "MG204",
        "Ask first whether a row has such a key", "AddField",
    ),
    "one value for all is none for a unique column": (
        'migrations.AlterField("order", "status", models.CharField(default="", max_length=20, unique=True)),', "MG305",
        "row.status = …", ".update(",
    ),
    "a function of the migration itself fills NULLs": (
        'migrations.AlterField("order", "status", models.CharField(default=make_key, max_length=36)),', "MG305",
        "Take make_key along", "uuid.uuid4()",
    ),
    "a historical model has no methods of the project": (
        "migrations.RunPython(by_method, migrations.RunPython.noop),", "MG503", "It has no forget", "dependencies",
    ),
    "a child of the old target has its ids": (
        """migrations.CreateModel("Company", [
            ("customer_ptr", models.OneToOneField("shop.customer", models.CASCADE, parent_link=True, primary_key=True)),
        ], bases=("shop.customer",)),
        migrations.AlterField("order", "customer", models.ForeignKey("shop.company", models.PROTECT)),""", "MG206",
        "Where a shop.Customer is no shop.Company", "stranger",
    ),
    "a key is not filled with nothing": (
        """migrations.AddField("order", "giver", models.ForeignKey("shop.customer", models.CASCADE, null=True)),
        migrations.RunSQL("SELECT 1", ""),
        migrations.AlterField("order", "giver", models.ForeignKey("shop.customer", models.CASCADE, default=None)),""",
        "MG315", "a validated CHECK proves", "fill_giver",
    ),
    "nothing is concurrent": (
        f"{_A}, {_B},{_NON_ATOMIC}", "MG308",
        "Take `atomic = False` out", "concurrent",
    ),
    "all is concurrent": (
        f'{_CONCURRENTLY.format("name", "a")}, {_CONCURRENTLY.format("-name", "b")},{_NON_ATOMIC}',
        "MG308", "One concurrent index to a migration", "rolls back whole",
    ),
    "rows and schema": (
        f"{_A}, migrations.RunPython(lambda apps, editor: apps),{_NON_ATOMIC}",
        "MG308", "Leave the RunPython alone in it", "concurrent",
    ),
    "rows without a transaction": (
        f"{_CREATES.format('')}{_NON_ATOMIC}", "MG510", "The migration is not atomic", "atomic=True",
    ),
    "rows in a transaction of their own": (
        f"{_CREATES.format(', atomic=True')}{_NON_ATOMIC}", "MG510", "Write it so that", "not atomic",
    ),
    "something may fail after rows in a transaction of their own": (
        f"{_CREATES.format(', atomic=True')} {_A},{_NON_ATOMIC}", "MG510", "The migration is not atomic", "atomic=True",
    ),
    "a call is spelled": (
        'migrations.RunPython(fill("Order", 2)),', "MG501", 'RunPython(fill("Order", 2), migrations.', "…,",
    ),
    "a default of the model stays one": (
        'migrations.AddField("order", "key", models.UUIDField(default=make_key)),', "MG402",
        "field=models.UUIDField(default=", "default=make_key, null=True",
    ),
    "a default for once does not": (
        'migrations.AddField("order", "key", models.UUIDField(default=make_key), preserve_default=False),', "MG402",
        "field=models.UUIDField()", "default=",
    ),
    "it is not known what the rows are to hold": (
        'migrations.AlterField("order", "status", models.CharField(max_length=20)),', "MG410",
        "update(status=…)  # what these rows are to hold", "update(status=…)\n",
    ),
    "what a loop saves is computed row by row": (
        "migrations.RunPython(save_all),", "MG509", "bulk_update(changed, […])", "update(…)",
    ),
    "every row is updated in batches, whatever its key is": (
        "migrations.RunPython(update_all),", "MG509", "rows.filter(pk__gt=pks[-1])", "range(",
    ),
    "every row is deleted in batches": (
        "migrations.RunPython(delete_all),", "MG509", "rows.filter(pk__in=pks).delete()", "update(",
    ),
    "nobody inserts into a table that no model has": (
        'migrations.DeleteModel("Item"),', "MG202", 'to="shop.order", db_constraint=False)', "null=True",
    ),
    "a model is renamed, not a field": (
        _AGAIN,
        "MG203", "a model was renamed only while its fields stay the same", "whether a field",
    ),
    "a constraint that is an index": (
        'migrations.AddConstraint("order", models.UniqueConstraint(models.F("number"), name="u")),', "MG302",
        "`python manage.py sqlmigrate shop 0003_example` prints", "that comes after",
    ),
    "one of two indexes waits for the end": (
        'migrations.AddField("order", "code", models.CharField(max_length=9, unique=True, null=True)),', "MG302",
        "_like to the end of the migration. Build", "Reads wait too",
    ),
    "a table that a setting names": (
        'migrations.AddField("item", "by", models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)),', "MG306",
        "leave the operation alone in its migration", "…",
    ),
    "no default is the key of all rows' own": (
        'migrations.AddField("item", "tag", models.OneToOneField("shop.tag", models.CASCADE)),', "MG401",
        "Write\n    tag = models.OneToOneField(…, null=True)", "db_default",
    ),
    "links are a table": (
        'migrations.RemoveField("order", "tags"),', "MG201", "brings the join table back empty", "the column",
    ),
    "join tables go before the table they refer to": (
        'migrations.DeleteModel("Order"),', "MG202",
        "\"shop_order_tags\"', migrations.RunSQL.noop)\n\n    migrations.RunSQL('DROP TABLE \"shop_order\"'", "…\n",
    ),
    "a class is spelled with its module": (
        'migrations.AddField("order", "words", django.contrib.postgres.search.SearchVectorField()),', "MG401",
        "words = django.contrib.postgres.search.SearchVectorField(…", "models.SearchVectorField",
    ),
    "a one-off default is none of the model's": (
        'migrations.AddField("order", "rank", models.IntegerField(default=7), preserve_default=False),', "MG402",
        "models.IntegerField(db_default=7)", "(default=7",
    ),
    "what is no relation any more has no name for the way back": (
        'migrations.AlterField("order", "tags", models.TextField()),', "MG207",
        "field=models.TextField(null=True)", "related_name",
    ),
    "what the database computes is computed again": (
        f'migrations.SeparateDatabaseAndState([], [{_COST}]), migrations.RemoveField("item", "cost"),', "MG201",
        "brings the column back, computed again", "empty",
    ),
    "what the database computes takes no default": (
        f"{_COST},", "MG301", "With `db_persist=False`", "its default",
    ),
    "an order gets its default from SQL": (
        'migrations.AlterOrderWithRespectTo("item", "order"),', "MG402",
        "'ALTER TABLE \"shop_item\" ALTER COLUMN \"_order\" SET DEFAULT 0'", "db_default",
    ),
    "each row gets a value of its own": (
        'migrations.AddField("item", "tag", models.ForeignKey("shop.tag", models.CASCADE, default=uuid.uuid4)),',
        "MG402", "row.tag_id = uuid.uuid4()", ".update(",
    ),
    "a function of the migration itself": (
        'migrations.AddField("order", "key", models.UUIDField(default=make_key, unique=True)),', "MG407",
        "Take make_key along", "…",
    ),
    "a function of the migration itself, once for each row": (
        'migrations.AddField("order", "key", models.CharField(default=make_key, max_length=36)),', "MG402",
        "Take make_key along", "…",
    ),
    "a date that fills itself": (
        'migrations.AddField("order", "day", models.DateField(auto_now_add=True)),', "MG402",
        "update(day=datetime.date.today())", '""',
    ),
    "all values cannot be mended before": (
        'migrations.AlterField("order", "placed_at", models.DateField()),', "MG204",
        "Keep the old column", "Mend such rows",
    ),
    "a base that is renamed was not misspelt": (
        f'{_GUEST}, migrations.RenameModel("Customer", "Person"),',
        "MG109", "Django writes no bases anew.", "Did you mean",
    ),
    "links keep their table, not their column": (
        'migrations.RenameModel("Order", "Purchase"),', "MG404", "renames shop_order_tags.order_id all the same", "…",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_advice_fits(case: str, tmp_path: Path) -> None:
    operation, code, said, unsaid = CASES[case]
    shutil.copytree(PRELUDE, tmp_path, dirs_exist_ok=True)
    (tmp_path / EXAMPLE).write_text(_MIGRATION.format(operation))
    options = Options(cache=False, jobs=1, select=(code,), database="postgresql")
    findings = Session(options, cwd=tmp_path).report([tmp_path]).findings
    texts = [each.help for each in findings if each.code == code and (each.path or "").endswith(EXAMPLE)]
    assert len(texts) == 1
    assert said in texts[0]
    assert unsaid not in texts[0]


def test_the_folder_of_migrations_is_called_what_it_is_called(tmp_path: Path) -> None:
    shutil.copytree(PRELUDE / "shop", tmp_path / "shop")
    (tmp_path / "shop/migrations").rename(tmp_path / "shop/db_migrations")
    target = tmp_path / "shop/db_migrations/0003_example.py"
    target.write_text(_MIGRATION.format('migrations.AlterField("order", "number", models.CharField(max_length=5)),'))
    options = Options(cache=False, jobs=1, select=("MG204",), database="postgresql")
    (found,) = [each for each in Session(options, cwd=tmp_path).report([tmp_path]).findings if each.code == "MG204"]
    assert "# shop/db_migrations/0003_order_number_new.py" in found.help


# What a reader of one operation is told, by rules as they are on by default.
ALONE = {
    "a column that may be empty": ('migrations.RemoveField("order", "weight"),', {"MG201"}),
    "a column that must have a value": ('migrations.RemoveField("order", "note"),', {"MG201"}),
    "a column that undoing cannot fill": ('migrations.RemoveField("order", "total"),', {"MG201", "MG209"}),
    "links": ('migrations.RemoveField("order", "tags"),', {"MG201"}),
    "another name": ('migrations.RenameField("order", "total", "sum"),', {"MG403"}),
    "another name of links": ('migrations.RenameField("order", "tags", "labels"),', {"MG403"}),
    "another name of a key, which is checked again": (
        'migrations.RenameField("order", "customer", "payer"),', {"MG315", "MG403"},
    ),
    "another column": (
        'migrations.AlterField("order", "total", models.DecimalField(10, decimal_places=2, db_column="sum")),',
        {"MG409"},
    ),
    "a column that fails": (
        'migrations.AddField("order", "tag", models.ForeignKey("shop.tag", models.CASCADE)),', {"MG401"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ALONE)
def test_one_operation_is_not_told_of_twice(case: str, tmp_path: Path) -> None:
    operation, codes = ALONE[case]
    shutil.copytree(PRELUDE, tmp_path, dirs_exist_ok=True)
    (tmp_path / EXAMPLE).write_text(_MIGRATION.format(operation))
    findings = Session(Options(cache=False, jobs=1, database="postgresql"), cwd=tmp_path).report([tmp_path]).findings
    assert sorted(each.code for each in findings if (each.path or "").endswith(EXAMPLE)) == sorted(codes)


def test_a_dependency_that_is_there_is_not_asked_for(tmp_path: Path) -> None:
    shutil.copytree(PRELUDE, tmp_path, dirs_exist_ok=True)
    text = (
        "from django.db import migrations\nfrom shop.models import Order\n\n\n"
        "def fill(apps, schema_editor):\n    Order.objects.count()\n\n\n"
        "class Migration(migrations.Migration):\n    dependencies = [{}]\n"
        "    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]\n"
    )
    own = '("billing", "0002_invoice_comment")'
    (tmp_path / "billing/migrations/0003_a.py").write_text(text.format(own))
    (tmp_path / "other/migrations").mkdir(parents=True)
    for folder in ("other", "other/migrations"):
        (tmp_path / folder / "__init__.py").write_text("")
    (tmp_path / "other/migrations/0001_initial.py").write_text(text.format(""))
    options = Options(cache=False, jobs=1, select=("MG503",), database="postgresql")
    helps = {each.subject.app: each.help for each in Session(options, cwd=tmp_path).report([tmp_path]).findings}
    asked = {app: "It needs a migration of shop" in said for app, said in helps.items()}
    assert asked == {"billing": False, "other": True}


def test_a_finding_about_an_operation_on_a_field_says_which(tmp_path: Path) -> None:
    operations = (
        'migrations.AddField("order", "slug", models.SlugField(null=True)),'
        'migrations.AlterField("order", "quantity", models.BigIntegerField()),'
        'migrations.RenameField("order", "customer", "buyer"),'
        'migrations.RemoveField("item", "order"),'
        'migrations.AddIndex("order", models.Index(fields=["number"], name="n")),'
    )
    shutil.copytree(PRELUDE, tmp_path, dirs_exist_ok=True)
    (tmp_path / EXAMPLE).write_text(_MIGRATION.format(operations))
    options = Options(cache=False, jobs=1, select=("MG3",), database="postgresql")
    findings = Session(options, cwd=tmp_path).report([tmp_path]).findings
    here = [each.subject for each in findings if (each.path or "").endswith(EXAMPLE)]
    said = {(each.operation_name, each.field) for each in here if each.operation is not None}
    assert said >= {
        ("AddField", "slug"), ("AlterField", "quantity"), ("RenameField", "customer"), ("RemoveField", "order"),
        ("AddIndex", None),
    }  # fmt: skip
    assert len(said) == 5
