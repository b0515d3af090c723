"""The index that a UniqueConstraint with a condition is: what is given to paste makes the one that Django makes."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import psycopg
import pytest

from django_migrate import migrate, write
from miglint.options import Options
from miglint.session import Session
from postgresql import database_of, server

_START = """\


from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Shop", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel(
            "Order",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("number", models.CharField(max_length=20, db_column="Number")),
                ("status", models.CharField(max_length=20, null=True)),
                ("count", models.IntegerField(null=True)),
                ("left", models.PositiveSmallIntegerField(default=0)),
                ("paid", models.BooleanField(default=False)),
                ("sent", models.BooleanField(null=True)),
                ("shop", models.ForeignKey("shop.shop", models.CASCADE)),
                ("due", models.DateField(null=True)),
            ],
        ),
    ]
"""
READ = (
    'fields=["number"], condition=models.Q(paid=True)',
    'fields=["number"], condition=models.Q(paid=False)',
    'fields=["number", "shop"], condition=models.Q(("status__isnull", False))',
    'fields=["number", "shop"], condition=models.Q(status__isnull=False)',
    'fields=["number"], condition=models.Q(status=None)',
    """fields=["number"], condition=models.Q(status="it's", paid=True)""",
    'fields=["number"], condition=models.Q(status="100%")',
    'fields=["number"], condition=models.Q(status__in=["a", "b", "a"])',
    'fields=["number"], condition=models.Q(count__gte=3) | models.Q(left__lt=2, paid=True)',
    'fields=["number"], condition=models.Q(count=-3) & (models.Q(left=2) | models.Q(paid=True))',
    'fields=["number"], condition=~models.Q(status="a")',
    'fields=["number"], condition=~models.Q(number="a")',
    'fields=["number"], condition=~models.Q(status="a", count__gt=1)',
    'fields=["number"], condition=~models.Q(status__in=["a", "b"]) & models.Q(sent=True)',
    'fields=["number"], condition=~models.Q(sent=True)',
    'fields=["number"], condition=~models.Q(paid=True)',
    'fields=["number"], condition=~models.Q(status__isnull=True)',
    'fields=["number"], condition=~(models.Q(count=1) | ~models.Q(status="a"))',
    'fields=["number"], condition=models.Q(models.Q(count=1), ~models.Q(paid=True), status="a")',
    'fields=["number"], condition=models.Q(shop__isnull=False)',
    'fields=["number"], condition=models.Q(paid=True, _negated=True)',
    'fields=["number"], condition=models.Q(("paid", True), ("status", "a"), _connector="OR", _negated=True)',
    'fields=["number"], condition=models.Q(("paid", True), models.Q(("count", 1), ("left", 2), _connector="OR"))',
    'fields=["shop"], include=["number", "status"]',
    'fields=["shop", "number"], opclasses=["int8_ops", "varchar_pattern_ops"]',
    'fields=["shop"], include=["number"], nulls_distinct=False, condition=models.Q(paid=True)',
    'fields=["status"], nulls_distinct=True, condition=models.Q(paid=True)',
)
# What this cannot spell is said in words.
UNREAD = (
    'models.functions.Lower("number")',
    'fields=["number"], condition=models.Q(due__gt="2020-01-01")',
    'fields=["number"], condition=models.Q(count=models.F("left"))',
    'fields=["number"], condition=models.Q(number__startswith="a")',
    'fields=["number"], condition=models.Q(count="3")',
    'fields=["number"], condition=models.Q(paid=True) ^ models.Q(sent=True)',
    'fields=["number"], condition=models.Q(shop=1)',
    'fields=["number"], condition=models.Q(paid=True, _negated=NEGATED)',
    'fields=["number"], condition=models.Q(("paid", True), ("sent", True), _connector="XOR")',
    'fields=["number"], condition=models.Q(shop__id=1)',
    'fields=["number"], condition=models.Q(count__in=[])',
    'fields=["number"], condition=models.Q(pk__gt=1)',
    'fields=["number"], condition=models.Q(status__in=[None, "a"])',
    'fields=["number"], condition=PAID',
)


def _write(root: Path, constraints: tuple[str, ...]) -> None:
    made = ",\n".join(
        f'        migrations.AddConstraint("order", models.UniqueConstraint({each}, name="u{number}"))'
        for number, each in enumerate(constraints)
    )
    head = "from django.db import migrations, models\nimport django.db.models.functions\n\n"
    body = f'    dependencies = [("shop", "0001_initial")]\n    operations = [\n{made}\n    ]\n'
    files = {
        "shop/migrations/0001_initial.py": _START,
        "shop/migrations/0002_unique.py": f"{head}class Migration(migrations.Migration):\n{body}",
    }
    write(root, files)


def _helps(root: Path) -> list[str]:
    options = Options(cache=False, jobs=1, select=("MG302",), database="postgresql")
    return [each.help for each in Session(options, cwd=root).report([root]).findings if each.code == "MG302"]


def _pasted(text: str) -> str:
    """The SQL of the one RunSQL in a help."""
    code = textwrap.dedent("\n".join(line for line in text.splitlines() if line.startswith("    ") or not line))
    calls = [each for each in ast.walk(ast.parse(code)) if isinstance(each, ast.Call)]
    (run,) = [each for each in calls if ast.unparse(each.func) == "migrations.RunSQL"]
    return str(ast.literal_eval(run.args[0]))


def test_it_makes_the_index_that_django_makes(tmp_path: Path) -> None:
    _write(tmp_path, READ)
    helps = _helps(tmp_path)
    assert len(helps) == len(READ)
    with server() as socket:
        assert migrate(tmp_path, database=database_of(socket)) == ""
        with psycopg.connect(host=str(socket), user="postgres", autocommit=True) as connection:
            for text in helps:
                sql = _pasted(text)
                name = sql.partition('"')[2].partition('"')[0]
                connection.execute(sql.replace(f'"{name}"', f'"pasted_{name}"', 1).encode())
            defined = dict(
                connection.execute(
                    "SELECT relname, pg_get_indexdef(oid) FROM pg_class WHERE relname ~ '^(pasted_)?u[0-9]+$'"
                ).fetchall()
            )
    theirs = {READ[int(name[1:])]: said for name, said in defined.items() if name.startswith("u")}
    ours = {
        READ[int(name.removeprefix("pasted_u"))]: said.replace("pasted_", "")
        for name, said in defined.items()
        if name.startswith("pasted_")
    }
    assert ours == theirs


@pytest.mark.parametrize("constraint", UNREAD)
def test_what_cannot_be_read_is_said_in_words(constraint: str, tmp_path: Path) -> None:
    _write(tmp_path, (constraint,))
    (text,) = _helps(tmp_path)
    assert "`python manage.py sqlmigrate shop 0002_unique` prints what it is on" in text
    assert _pasted(text) == 'CREATE UNIQUE INDEX CONCURRENTLY "u0" ON "shop_order" (…)  -- as sqlmigrate prints it'
