"""What findings give to paste runs on PostgreSQL, on tables with rows, and keeps what is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from django_migrate import migrate, write
from miglint.options import Options
from miglint.session import Session
from postgresql import database_of, server

_HEAD = "import uuid\n\nfrom django.db import migrations, models\n\n\n"
_KEY = '("id", models.BigAutoField(primary_key=True))'
START = f"""\


{_HEAD}class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Tag", [{_KEY}, ("name", models.CharField(max_length=20))]),
        migrations.CreateModel(
            "Customer",
            [
                {_KEY},
                ("number", models.IntegerField(unique=True)),
                ("since", models.DateField(null=True)),
                ("key", models.UUIDField(null=True)),
            ],
        ),
        migrations.CreateModel(
            "Order",
            [
                {_KEY},
                ("data", models.TextField()),
                ("paid", models.BooleanField(default=False)),
                ("weight_of_everything_that_is_in_it_when_it_leaves_us", models.IntegerField(null=True)),
                ("customer", models.ForeignKey("shop.customer", models.PROTECT, null=True)),
                ("tags", models.ManyToManyField("shop.tag")),
            ],
        ),
        migrations.CreateModel("Coupon", [{_KEY}, ("code", models.IntegerField())]),
        migrations.RemoveField("coupon", "id"),
        migrations.RunSQL("INSERT INTO shop_coupon VALUES (5), (7)", ""),
        migrations.RunSQL("INSERT INTO shop_tag VALUES (1, 'a')", ""),
        migrations.RunSQL("INSERT INTO shop_customer VALUES (1, 1, '2020-01-01'), (2, 2, NULL)", ""),
        migrations.RunSQL(
            "INSERT INTO shop_order VALUES (1, '{{\\"a\\": 1}}', true, 1, 1), (2, '[2]', false, 2, 2)", ""
        ),
        migrations.RunSQL("INSERT INTO shop_order_tags (order_id, tag_id) VALUES (1, 1)", ""),
    ]
"""
_MOVED = 'models.ForeignKey("shop.customer", models.PROTECT, null=True, to_field="number")'
_ANY = 'on_delete=models.CASCADE, related_name="+"'
_LONG = "weight_of_everything_that_is_in_it_when_it_leaves_us"
_CHECKED = """\
SELECT number_new::text FROM shop_customer
UNION SELECT convalidated::text FROM pg_constraint WHERE conname = 'shop_customer_number_new_check' ORDER BY 1"""
_REQUIRED = f"""\
SELECT attnotnull, (
    SELECT count(*) FROM pg_constraint WHERE conkey = ARRAY[attnum] AND conrelid = attrelid AND contype = 'f'
) FROM pg_attribute WHERE attrelid = 'shop_order'::regclass AND attname = '{_LONG}_id'"""
# The operation, the rule, and what the rows hold where its recipe has run.
CASES = {
    "text becomes JSON, in a new column": (
        'migrations.AlterField("order", "data", models.JSONField())', "MG301",
        "SELECT data_new->'a' FROM shop_order ORDER BY id", [(1,), (None,)],
    ),
    "text becomes JSON, row by row": (
        'migrations.AlterField("order", "data", models.JSONField())', "MG204",
        "SELECT data_new->'a' FROM shop_order ORDER BY id", [(1,), (None,)],
    ),
    "a number that is not negative, in a new column": (
        'migrations.AlterField("customer", "number", models.PositiveBigIntegerField())', "MG301",
        _CHECKED, [("1",), ("2",), ("true",)],
    ),
    "a number that is not negative, row by row": (
        'migrations.AlterField("customer", "number", models.PositiveIntegerField())', "MG204",
        _CHECKED, [("1",), ("2",), ("true",)],
    ),
    "a date with the time that Django fills in": (
        'migrations.AlterField("customer", "since", models.DateTimeField(auto_now_add=True, null=True))', "MG301",
        "SELECT since_new::date::text FROM shop_customer ORDER BY id", [("2020-01-01",), (None,)],
    ),
    "a key that becomes a number of the same column": (
        'migrations.AlterField("order", "customer", models.IntegerField(db_column="customer_id", null=True))',
        "MG204",
        "SELECT customer_new FROM shop_order ORDER BY id",
        [(1,), (2,)],
    ),
    "a name that is too long for the database": (
        f'migrations.AlterField("order", "{_LONG}", models.IntegerField(null=False))', "MG304",
        "SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid = 'shop_order'::regclass", [(0,)],
    ),
    "a CHECK of a column with a default": (
        'migrations.AddField("order", "rank", models.PositiveIntegerField(default=7))', "MG303",
        "SELECT rank FROM shop_order ORDER BY id", [(7,), (7,)],
    ),
    "a key that refers to another column": (
        f'migrations.AlterField("order", "customer", {_MOVED})',
        "MG315",
        "SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE conname ~ 'customer.*fk'",
        [("FOREIGN KEY (customer_id) REFERENCES shop_customer(number) DEFERRABLE INITIALLY DEFERRED", True)],
    ),
    "a key that becomes NOT NULL": (
        'migrations.AlterField("order", "customer", models.ForeignKey("shop.customer", models.PROTECT))', "MG315",
        "SELECT is_nullable FROM information_schema.columns WHERE column_name = 'customer_id'", [("NO",)],
    ),
    "a key that becomes NOT NULL and has a default": (
        'migrations.AlterField("order", "customer", models.ForeignKey("shop.customer", models.PROTECT, default=1))',
        "MG315",
        "SELECT customer_id FROM shop_order ORDER BY id", [(1,), (2,)],
    ),
    "a number that becomes a key, and NOT NULL": (
        f'migrations.AlterField("order", "{_LONG}", models.ForeignKey("shop.customer", {_ANY}))', "MG304",
        _REQUIRED, [(True, 1)],
    ),
    "a number that becomes a key with a default, and NOT NULL": (
        f'migrations.AlterField("order", "{_LONG}", models.ForeignKey("shop.customer", default=1, {_ANY}))',
        "MG305",
        _REQUIRED, [(True, 1)],
    ),
    "values that are another for each row": (
        'migrations.AlterField("customer", "key", models.UUIDField(default=uuid.uuid4))',
        "MG305",
        "SELECT count(DISTINCT key) FROM shop_customer", [(2,)],
    ),
    "values that are another for each row, and unique": (
        'migrations.AlterField("customer", "key", models.UUIDField(default=uuid.uuid4, unique=True))',
        "MG305",
        "SELECT count(DISTINCT key) FROM shop_customer", [(2,)],
    ),
    "a column that becomes the primary key": (
        'migrations.AlterField("coupon", "code", models.IntegerField(primary_key=True, serialize=False))', "MG302",
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'shop_coupon'::regclass",
        [("PRIMARY KEY (code)",)],
    ),
    "a model with links": (
        'migrations.RenameModel("Order", "Purchase")', "MG315",
        "SELECT count(purchase_id) FROM shop_order_tags", [(1,)],
    ),
}  # fmt: skip

# The removal, the rule, and what the new release may do as soon as the first of two steps is done.
LEAVING = {
    "a key": (
        'migrations.RemoveField("order", "customer")',
        "MG201",
        ["INSERT INTO shop_order (id, data, paid) VALUES (3, '', true)", "DELETE FROM shop_customer"],
    ),
    "a value": (
        'migrations.RemoveField("order", "data")', "MG201", ["INSERT INTO shop_order (id, paid) VALUES (3, true)"],
    ),
    "links": ('migrations.RemoveField("order", "tags")', "MG201", ["DELETE FROM shop_order", "DELETE FROM shop_tag"]),
    "a model": ('migrations.DeleteModel("Order")', "MG202", ["DELETE FROM shop_customer", "DELETE FROM shop_tag"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with server() as directory:
        yield directory


def recipe(text: str) -> dict[str, str]:
    """The migrations in a help, by path."""
    pasted = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    ") or not line)
    parts = re.split(r"^# (shop/migrations/\w+\.py)$", pasted, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def changed(operation: str, number: int = 2) -> dict[str, str]:
    """The migration of an operation."""
    before = "0001_initial" if number == 2 else f"{number - 1:04}_change"
    change = f'    dependencies = [("shop", "{before}")]\n    operations = [{operation}]\n'
    return {f"shop/migrations/{number:04}_change.py": f"{_HEAD}class Migration(migrations.Migration):\n{change}"}


def advice(operation: str, code: str, root: Path) -> str:
    """What a finding about an operation, in a migration after the first, says; the migration is gone then."""
    write(root, {"shop/migrations/0001_initial.py": START, **changed(operation)})
    report = Session(Options(cache=False, jobs=1, select=(code,), database="postgresql"), cwd=root).report([root])
    (found,) = [each for each in report.findings if each.code == code]
    (root / "shop/migrations/0002_change.py").unlink()
    return found.help


def database(socket: Path, name: str) -> dict[str, str]:
    """A new database, as an entry of DATABASES."""
    with psycopg.connect(host=str(socket), user="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return database_of(socket, name)


@pytest.mark.parametrize("case", CASES)
def test_it_runs_and_keeps_the_values(case: str, socket: Path, tmp_path: Path) -> None:
    operation, code, question, expected = CASES[case]
    files = recipe(advice(operation, code, tmp_path))
    assert files
    write(tmp_path, files)
    entry = database(socket, f"recipe_{list(CASES).index(case)}")
    assert migrate(tmp_path, database=entry) == ""
    with psycopg.connect(host=str(socket), user="postgres", dbname=entry["NAME"]) as connection:
        assert connection.execute(question).fetchall() == expected


@pytest.mark.parametrize("case", LEAVING)
def test_a_release_works_beside_what_the_database_still_has(case: str, socket: Path, tmp_path: Path) -> None:
    operation, code, statements = LEAVING[case]
    said = advice(operation, code, tmp_path)
    first, last = (
        ", ".join(re.findall(r"^    (migrations\..*?\))$(?!\n     )", part, re.M | re.S))
        for part in said.split("then, when no release uses it any more")
    )
    entry = database(socket, f"leaving_{list(LEAVING).index(case)}")
    write(tmp_path, changed(first))
    assert migrate(tmp_path, database=entry) == ""
    with psycopg.connect(host=str(socket), user="postgres", dbname=entry["NAME"]) as connection:
        for statement in statements:
            connection.execute(statement)
    write(tmp_path, changed(last, 3))
    assert migrate(tmp_path, database=entry, again=True) == ""
