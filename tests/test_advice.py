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
from django.conf import settings
from django.db import migrations, models


def make_key():
    return uuid.uuid4()


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_item")]
    operations = [
        {}
    ]
"""
_AGAIN = """\
migrations.DeleteModel("Item"), migrations.CreateModel("ItemLine", [
    ("id", models.BigAutoField(primary_key=True)),
    ("name", models.CharField(max_length=100)),
    ("quantity", models.PositiveIntegerField(default=1)),
    ("price", models.DecimalField(decimal_places=2, max_digits=8)),
    ("order", models.ForeignKey(on_delete=models.CASCADE, to="shop.order")),
]),"""
# The operation, the rule, what its help says and what it does not.
CASES = {
    "a primary key cannot be left behind without values": (
        'migrations.RemoveField("order", "id"),', "MG201", "It is the primary key", "DROP NOT NULL",
    ),
    "what is left of a key takes NULL and refers to nothing": (
        'migrations.RemoveField("order", "customer"),', "MG201",
        'on_delete=models.PROTECT, to="shop.customer", null=True, db_constraint=False)', "NOT NULL",
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
    "each row gets a value of its own": (
        'migrations.AddField("item", "tag", models.ForeignKey("shop.tag", models.CASCADE, default=uuid.uuid4)),',
        "MG402", "row.tag_id = uuid.uuid4()", ".update(",
    ),
    "a function of the migration itself": (
        'migrations.AddField("order", "key", models.UUIDField(default=make_key, unique=True)),', "MG407",
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
