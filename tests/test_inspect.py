"""`miglint inspect`: one migration, operation by operation, as a user meets it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from commands import migration, run, write

PRELUDE = Path(__file__).parent / "pages" / "prelude"
MIGRATION = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_invoice_comment")]
    operations = [
        migrations.AddField("invoice", "payer", models.ForeignKey("shop.Customer", models.PROTECT, null=True)),
        migrations.AddField("invoice", "copies", models.PositiveIntegerField(default=1)),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL("DROP TABLE billing_old")],
            state_operations=[migrations.RemoveField("invoice", "comment")],
        ),
        migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))]),
        migrations.AddIndex("tag", models.Index(fields=["id"], name="tag_id")),
    ]
"""
TEXT = """\
billing.0003_payer
billing/migrations/0003_payer.py
  PostgreSQL 15, assumed: no database is set. One transaction: all of it
  happens, or nothing.
Django 5.2

0  Add field payer to invoice                                             line 7
   billing_invoice  add column payer_id bigint NULL
                    add foreign key (payer_id) to shop_customer
   shop_customer    a foreign key is pointed here (from billing_invoice)
   billing_invoice  build index billing_invoice_payer_id_5cf538d6 (payer_id), at
                        the end of the migration

   billing_invoice: ACCESS EXCLUSIVE: reads and writes wait while an index is
     built.
   shop_customer: SHARE ROW EXCLUSIVE: writes wait, reads go on for an instant.
   Writes wait until the index is built. Reads wait, too: the lock that was
     taken before is kept.

   undo         possible, but what was written since is lost
   new release  cannot work before it
   data kept; old release goes on working

1  Add field copies to invoice                                            line 8
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for file in PRELUDE.rglob("*.py"):
        target = tmp_path / file.relative_to(PRELUDE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "billing" / "migrations" / "0003_payer.py").write_text(MIGRATION, encoding="utf-8")
    return tmp_path


def inspect(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run("inspect", *arguments, cwd=cwd)


def document(*arguments: str, cwd: Path) -> dict[str, Any]:
    done = inspect(*arguments, "--output-format", "json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_migration_is_named_by_its_path_or_by_the_beginning_of_its_name(project: Path) -> None:
    by_path = inspect("billing/migrations/0003_payer.py", cwd=project)
    by_name = inspect("billing.0003", cwd=project)
    assert by_path.stdout == by_name.stdout != ""


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("billing.0009", "has no migration '0009'"),
        ("nothing.0001", "there is no app 'nothing'"),
        ("billing", "names no migration"),
        ("billing/migrations/0009_no.py", "does not exist"),
        ("billing/models.py", "is not a migration"),
    ],
)
def test_what_is_no_migration_ends_in_a_sentence(project: Path, target: str, said: str) -> None:
    done = inspect(target, cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_text_says_what_the_database_sees_and_what_waits(project: Path) -> None:
    text = inspect("billing.0003", cwd=project).stdout
    assert text.startswith(TEXT)
    assert max(map(len, text.splitlines())) <= 80
    assert (
        "   data         LOST (2.database_operations.0)\n   undo         impossible (2.database_operations.0)\n" in text
    )
    assert text.endswith("   python manage.py sqlmigrate billing 0003_payer\n")


def test_an_operation_for_programs(project: Path) -> None:
    found = document("billing.0003", cwd=project)
    assert {key: found[key] for key in ("version", "app", "migration", "atomic", "database")} == {
        "version": 1,
        "app": "billing",
        "migration": "0003_payer",
        "atomic": True,
        "database": {"name": "postgresql", "version": "15", "source": "default"},
    }
    first = found["operations"][0]
    assert first["actions"] == [
        {"action": "add-column", "table": "billing_invoice", "object": "payer_id", "deferred": False},
        {
            "action": "add-foreign-key",
            "table": "billing_invoice",
            "object": "billing_invoice_payer_id_5cf538d6_fk_shop_customer_id",
            "deferred": False,
        },
        {"action": "reference", "table": "shop_customer", "object": "billing_invoice", "deferred": False},
        {
            "action": "create-index",
            "table": "billing_invoice",
            "object": "billing_invoice_payer_id_5cf538d6",
            "deferred": True,
        },
    ]
    assert first["effect"]["tables"] == [
        {
            "table": "billing_invoice",
            "lock": "ACCESS EXCLUSIVE",
            "blocks": ["reads", "writes"],
            "duration": "rows",
            "scans": True,
            "rewrites": False,
            "indexes": 1,
            "writes_rows": False,
        },
        {
            "table": "shop_customer",
            "lock": "SHARE ROW EXCLUSIVE",
            "blocks": ["writes"],
            "duration": "instant",
            "scans": False,
            "rewrites": False,
            "indexes": 0,
            "writes_rows": False,
        },
    ]
    assert first["range"] == {"start": {"line": 7, "column": 9}, "end": {"line": 7, "column": 111}}
    assert first["compatible"] == {
        "old_code": {"select": True, "insert": True, "update": True, "delete": True},
        "new_code_before": False,
    }


def test_the_parts_of_an_operation_have_their_own_place(project: Path) -> None:
    operations = document("billing.0003", cwd=project)["operations"]
    assert [(each["path"], each["name"]) for each in operations[2:5]] == [
        ([2], "SeparateDatabaseAndState"),
        ([2, "database_operations", 0], "RunSQL"),
        ([2, "state_operations", 0], "RemoveField"),
    ]
    assert [each["reversible"] for each in operations[2:5]] == [False, False, True]
    assert operations[4]["actions"] == []


def test_tables_that_are_new_in_the_migration_are_not_listed(project: Path) -> None:
    operations = document("billing.0003", cwd=project)["operations"]
    assert [each["effect"]["tables"] for each in operations if each["name"] in ("CreateModel", "AddIndex")] == [[], []]


def test_backwards_it_is_the_undoing_last_operation_first(project: Path) -> None:
    operations = document("billing.0003", "--backwards", cwd=project)["operations"]
    assert [each["name"] for each in operations][-2:] == ["AddField", "AddField"]
    dropped = [action["action"] for action in operations[-1]["actions"]]
    assert dropped == ["drop-foreign-key", "reference", "drop-column"]
    text = inspect("billing.0003", "--backwards", cwd=project).stdout
    assert text.endswith("sqlmigrate billing 0003_payer --backwards\n")


def test_several_databases_stand_side_by_side(project: Path) -> None:
    found = document("billing.0003", "--database", "sqlite", "--database", "mariadb", cwd=project)
    assert [each["database"]["name"] for each in found["databases"]] == ["sqlite", "mariadb"]
    assert found["operations"] == found["databases"][0]["operations"]
    text = inspect("billing.0003", "--database", "sqlite", "--database", "mariadb", cwd=project).stdout
    assert "Together on SQLite" in text
    assert "Together on MariaDB" in text


def test_a_version_goes_with_one_database(project: Path) -> None:
    arguments = ("--database", "sqlite", "--database", "mariadb", "--database-version", "3")
    done = inspect("billing.0003", *arguments, cwd=project)
    assert done.returncode == 2
    assert "--database-version" in done.stderr


def test_a_table_that_is_not_known_and_a_condition_are_said(project: Path) -> None:
    (project / "billing" / "migrations" / "0004_sometimes.py").write_text(
        """from django.db import connection, migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0003_payer")]
    operations = [
        migrations.AddField("invoice", "site", models.ForeignKey("geoip.Site", models.CASCADE, null=True)),
    ]
    if connection.features.has_case_insensitive_like:
        operations.append(migrations.RunSQL("DROP TABLE billing_old"))
"""
    )
    text = inspect("billing.0004", cwd=project).stdout
    assert "   the table of geoip.site  a foreign key is pointed here (from billing_invoice)" in text
    assert "Which of the operations in it run depends on a condition that is not known here." in " ".join(text.split())


OTHERS = """from django.db import migrations, models


def fill(apps, schema_editor):
    apps.get_model("shop", "Order").objects.update(status="new")


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_item")]
    operations = [
        migrations.AddField("order", "code", models.PositiveIntegerField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL("ALTER TABLE shop_order ALTER COLUMN code SET DEFAULT 1", migrations.RunSQL.noop),
        migrations.AddConstraint(
            "order", models.UniqueConstraint(fields=["code"], condition=models.Q(status="new"), name="order_code")
        ),
    ]
"""


def test_what_code_does_keeps_the_locks_and_what_does_nothing_loses_nothing(project: Path) -> None:
    (project / "shop" / "migrations" / "0003_code.py").write_text(OTHERS, encoding="utf-8")
    text = " ".join(inspect("shop.0003", cwd=project).stdout.split())
    assert "which comes when the work on shop_order and the Python code (1) are done." in text
    assert "add column code integer NULL with a CHECK" in text
    assert "build unique index order_code (code), of the rows that its condition names" in text
    assert "set the default of code" in text
    assert "whether anything is lost" not in text.partition("2 Raw SQL")[2]
    undone = " ".join(inspect("shop.0003", "--backwards", cwd=project).stdout.split())
    assert "which comes when" not in undone


def test_what_code_does_is_not_taken_for_nothing(project: Path) -> None:
    code = OTHERS.partition("        migrations.AddField")[0] + "        migrations.RunPython(fill),\n    ]\n"
    (project / "shop" / "migrations" / "0003_code.py").write_text(code, encoding="utf-8")
    text = inspect("shop.0003", cwd=project).stdout
    assert "Together: no table that was there before is locked, but for what the Python code\n(0) does.\n" in text


def test_without_a_transaction_what_lasts_keeps_no_lock_of_what_went_before(project: Path) -> None:
    file = project / "billing" / "migrations" / "0003_payer.py"
    file.write_text(MIGRATION.replace("    dependencies", "    atomic = False\n    dependencies"), encoding="utf-8")
    text = inspect("billing.0003", cwd=project).stdout
    assert (
        "   billing_invoice: ACCESS EXCLUSIVE: reads and writes wait for an instant.\n"
        "   billing_invoice: SHARE: writes wait, reads go on while an index is built.\n"
        "   shop_customer: SHARE ROW EXCLUSIVE: writes wait, reads go on for an instant.\n"
        "   Writes wait until the index is built.\n\n"
    ) in text


def test_where_a_table_s_name_leaves_no_room_its_line_is_a_sentence(tmp_path: Path) -> None:
    name = "a" * 60
    model = f"migrations.CreateModel('{name}', [('id', models.AutoField(primary_key=True)), ('n', models.TextField())])"
    changed = ", ".join(f"migrations.AlterField('{name}', 'n', models.TextField({null}))" for null in ("null=True", ""))
    write(
        tmp_path,
        {
            "shop.0001_initial": migration(operations=model),
            "shop.0002_n": migration("shop.0001_initial", operations=changed),
        },
    )
    text = " ".join(
        run("inspect", "shop.0002", "--database", "mysql", "--database", "postgresql", cwd=tmp_path).stdout.split()
    )
    assert "ALGORITHM=INPLACE, LOCK=NONE, reads and writes go on, it is written anew" in text
