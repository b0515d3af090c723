"""What miglint says of rows is what Django does on SQLite: the seeded case fails so, the mended one passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from django_migrate import migrate, write
from miglint.options import Options
from miglint.session import Session

_KEY = '("id", models.BigAutoField(primary_key=True))'
# Two customers, and two orders of which one has no status.
START = f"""\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Tag", [{_KEY}, ("name", models.CharField(max_length=20))]),
        migrations.CreateModel("Customer", [{_KEY}, ("name", models.CharField(max_length=20))]),
        migrations.CreateModel(
            "Order",
            [
                {_KEY},
                ("number", models.CharField(max_length=20)),
                ("quantity", models.IntegerField(default=1)),
                ("status", models.CharField(max_length=20, null=True)),
                ("customer", models.ForeignKey("shop.customer", models.PROTECT)),
                ("tags", models.ManyToManyField("shop.tag")),
            ],
        ),
        migrations.RunSQL("INSERT INTO shop_customer VALUES (1, 'a'), (2, 'b')", ""),
        migrations.RunSQL(
            "INSERT INTO shop_order (id, number, quantity, status, customer_id) "
            "VALUES (1, 'a', -1, NULL, 1), (2, 'b', 2, 'paid', 2)",
            "",
        ),
    ]
"""
NEXT = """\
import uuid

from django.db import migrations, models, transaction


def insert(apps, schema_editor):
    customer = apps.get_model("shop", "Customer").objects.get(name="a")
    with transaction.atomic():
        apps.get_model("shop", "Order").objects.create(status="new", customer=customer)


def empty(apps, schema_editor):
    apps.get_model("shop", "Order").objects.all().delete()


def empty_in_part(apps, schema_editor):
    apps.get_model("shop", "Order").objects.filter(status="paid").delete()


def empty_perhaps(apps, schema_editor):
    if not apps.get_model("shop", "Tag").objects.count():
        return
    apps.get_model("shop", "Order").objects.all().delete()


def make_anew(apps, schema_editor):
    order, customer = apps.get_model("shop", "Order"), apps.get_model("shop", "Customer")
    order.objects.all().delete()
    order.objects.create(number="c", customer=customer.objects.get(name="a"))


def keys(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.all():
        order.key = uuid.uuid4()
        order.save()


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [OPERATIONS]
"""
ADD_KEY = "migrations.AddField('order', 'key', models.UUIDField({}))"
ALTER = "migrations.AlterField('order', '{}', models.{})"
FORGET = "migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField('order', 'number')])"
INSERT = "migrations.RunPython(insert, migrations.RunPython.noop)"
ADD_CODE = "migrations.AddField('order', 'code', models.CharField(max_length=10))"
NO_CODE = "IntegrityError: NOT NULL constraint failed: new__shop_order.code"
RUN = "migrations.RunPython({}, migrations.RunPython.noop)"
REQUIRED = ALTER.format("status", "CharField(max_length=20)")
OPTIONAL = ALTER.format("number", "CharField(max_length=20, null=True)")
TO_TAG = ALTER.format("customer", "ForeignKey('shop.tag', models.PROTECT)")
NOT_COMPATIBLE = "they are not compatible types"

# What it is about: the code, the operations that fail, Django's error, the operations that do not.
CASES: dict[str, tuple[str, list[str], str, list[str]]] = {
    "an address, for which there is no empty string": (
        "MG401",
        ["migrations.AddField('order', 'sent_from', models.GenericIPAddressField(blank=True))"],
        "IntegrityError: NOT NULL constraint failed: new__shop_order.sent_from",
        ["migrations.AddField('order', 'sent_from', models.GenericIPAddressField(blank=True, null=True))"],
    ),
    "a NOT NULL column without a default": (
        "MG401",
        ["migrations.AddField('order', 'code', models.CharField(max_length=10))"],
        "IntegrityError: NOT NULL constraint failed: new__shop_order.code",
        ["migrations.AddField('order', 'code', models.CharField(max_length=10, null=True))"],
    ),
    "rows of which some are deleted before": (
        "MG401",
        [RUN.format("empty_in_part"), ADD_CODE],
        NO_CODE,
        [RUN.format("empty"), ADD_CODE],
    ),
    "rows that are perhaps deleted before": (
        "MG401",
        [RUN.format("empty_perhaps"), ADD_CODE],
        NO_CODE,
        ["migrations.RunSQL('DELETE FROM shop_order', '')", ADD_CODE],
    ),
    "rows that are made anew": (
        "MG401",
        [RUN.format("make_anew"), ADD_CODE],
        NO_CODE,
        [RUN.format("make_anew"), RUN.format("empty"), ADD_CODE],
    ),
    "rows that come after": (
        "MG401",
        [RUN.format("empty"), INSERT, ADD_CODE],
        NO_CODE,
        [RUN.format("empty"), "migrations.AddField('tag', 'kind', models.IntegerField(null=True))", ADD_CODE],
    ),
    "one value in a unique column": (
        "MG407",
        [ADD_KEY.format("default=uuid.uuid4, unique=True")],
        "IntegrityError: UNIQUE constraint failed: new__shop_order.key",
        [
            ADD_KEY.format("null=True"),
            "migrations.RunPython(keys, migrations.RunPython.noop)",
            ALTER.format("key", "UUIDField(default=uuid.uuid4, unique=True)"),
        ],
    ),
    "an empty text in a unique column": (
        "MG407",
        ["migrations.AddField('order', 'slug', models.SlugField(blank=True, unique=True))"],
        "IntegrityError: UNIQUE constraint failed: new__shop_order.slug",
        ["migrations.AddField('order', 'slug', models.SlugField(blank=True, null=True, unique=True))"],
    ),
    "one value, and a constraint after it": (
        "MG407",
        [
            ADD_KEY.format("default=uuid.uuid4"),
            "migrations.AddConstraint('order', models.UniqueConstraint(fields=['key'], name='order_key'))",
        ],
        "IntegrityError: UNIQUE constraint failed: new__shop_order.key",
        [
            "migrations.AddField('order', 'rank', models.IntegerField(default=1))",
            "migrations.AddConstraint('order', models.UniqueConstraint(fields=['rank', 'number'], name='order_rank'))",
        ],
    ),
    "NULLs that nothing has filled": (
        "MG410",
        [REQUIRED],
        "IntegrityError: NOT NULL constraint failed: new__shop_order.status",
        ["""migrations.RunSQL("UPDATE shop_order SET status = '' WHERE status IS NULL", "")""", REQUIRED],
    ),
    "NULLs that SQLite fills while it copies": (
        "MG410",
        [REQUIRED],
        "IntegrityError: NOT NULL constraint failed: new__shop_order.status",
        [ALTER.format("status", "CharField(blank=True, max_length=20)")],
    ),
    "a column that the code does not know any more": (
        "MG405",
        [FORGET, INSERT],
        "IntegrityError: NOT NULL constraint failed: shop_order.number",
        [OPTIONAL, FORGET, INSERT],
    ),
    "another target": (
        "MG206",
        [TO_TAG],
        "IntegrityError: The row in table 'shop_order' with primary key '1' has an invalid foreign key",
        ["migrations.RunSQL('INSERT INTO shop_tag (id, name) SELECT id, name FROM shop_customer', '')", TO_TAG],
    ),
    "a through model": (
        "MG207",
        [ALTER.format("tags", "ManyToManyField('shop.tag', through='shop.customer')")],
        f"ValueError: Cannot alter field shop.Order.tags into shop.Order.tags - {NOT_COMPATIBLE}",
        [ALTER.format("tags", "ManyToManyField('shop.tag', blank=True)")],
    ),
    "from a key to many": (
        "MG207",
        [ALTER.format("customer", "ManyToManyField('shop.customer')")],
        f"ValueError: Cannot alter field shop.Order.customer into shop.Order.customer - {NOT_COMPATIBLE}",
        ["migrations.AddField('order', 'customers', models.ManyToManyField('shop.customer', related_name='+'))"],
    ),
    "from many to a key": (
        "MG207",
        [ALTER.format("tags", "ForeignKey('shop.tag', models.CASCADE, null=True)")],
        f"ValueError: Cannot alter field shop.Order.tags into shop.Order.tags - {NOT_COMPATIBLE}",
        ["migrations.AddField('order', 'tag', models.ForeignKey('shop.tag', models.CASCADE, null=True))"],
    ),
    "negative numbers": (
        "MG204",
        [ALTER.format("quantity", "PositiveIntegerField(default=1)")],
        "IntegrityError: CHECK constraint failed: quantity",
        [ALTER.format("quantity", "SmallIntegerField(default=1)")],
    ),
    "texts that are not JSON": (
        "MG204",
        [ALTER.format("number", "JSONField()")],
        "IntegrityError: CHECK constraint failed: (JSON_VALID(",
        [ALTER.format("number", "CharField(max_length=2)")],
    ),
}


def project(root: Path, operations: list[str]) -> Path:
    text = NEXT.replace("OPERATIONS", ",\n        ".join(operations))
    write(root, {"shop/migrations/0001_initial.py": START, "shop/migrations/0002_next.py": text})
    (root / "manage.py").touch()
    return root


def codes(root: Path, code: str) -> list[str]:
    options = Options(cache=False, jobs=1, select=(code,), database="sqlite")
    return [each.code for each in Session(options, cwd=root).report([root]).findings]


@pytest.mark.parametrize("case", CASES)
def test_what_fails_on_rows_is_found_and_what_does_not_is_not(case: str, tmp_path: Path) -> None:
    code, wrong, error, right = CASES[case]
    failing, passing = project(tmp_path / "failing", wrong), project(tmp_path / "passing", right)
    assert migrate(failing)[: len(error)] == error
    assert migrate(passing) == ""
    assert (codes(failing, code), codes(passing, code)) == ([code], [])


@pytest.mark.parametrize(
    ("field", "error", "found"),
    [
        ("number", "IntegrityError: NOT NULL constraint failed: new__shop_order.number", ["MG209"]),
        ("customer", "IntegrityError: NOT NULL constraint failed: new__shop_order.customer_id", ["MG209"]),
        ("status", "", []),
        ("quantity", "", []),
        ("tags", "", []),
    ],
)
def test_a_removal_that_rows_do_not_let_be_undone_is_found(
    field: str, error: str, found: list[str], tmp_path: Path
) -> None:
    root = project(tmp_path, [f"migrations.RemoveField('order', '{field}')"])
    assert migrate(root) == ""
    assert migrate(root, "shop", "0001", again=True) == error
    assert codes(root, "MG209") == found


def test_another_through_model_is_no_error_and_is_found(tmp_path: Path) -> None:
    def model(name: str) -> str:
        ends = "('order', models.ForeignKey('shop.order', models.CASCADE)), "
        ends += "('tag', models.ForeignKey('shop.tag', models.CASCADE))"
        return f"migrations.CreateModel('{name}', [{_KEY}, {ends}])"

    field = "models.ManyToManyField('shop.tag', related_name='+', through='shop.{}')"
    added = f"migrations.AddField('order', 'labels', {field.format('label')})"
    altered = f"migrations.AlterField('order', 'labels', {field.format('mark')})"
    root = project(tmp_path, [model("Label"), model("Mark"), added, altered])
    assert migrate(root) == ""
    assert codes(root, "MG207") == ["MG207"]
