"""MG508 is an error exactly where a real PostgreSQL says "pending trigger events": each case is run, and judged."""

from __future__ import annotations

from pathlib import Path

import pytest

import early_errors
from django_migrate import write

_KEY = '("id", models.BigAutoField(primary_key=True))'
START = f"""\
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Other", [{_KEY}, ("n", models.IntegerField(default=0))]),
        migrations.CreateModel("P", [{_KEY}, ("n", models.IntegerField(default=0))]),
        migrations.CreateModel(
            "T",
            [
                {_KEY},
                ("x", models.IntegerField(default=0)),
                ("y", models.IntegerField(default=0, db_index=True)),
                ("p", models.ForeignKey("P", models.CASCADE, null=True)),
                ("me", models.ForeignKey("T", models.SET_NULL, null=True)),
                ("loose", models.ForeignKey("P", models.CASCADE, null=True, db_constraint=False, related_name="+")),
            ],
        ),
        migrations.CreateModel("Leaf", [{_KEY}, ("t", models.ForeignKey("T", models.CASCADE, null=True))]),
        migrations.RunSQL("INSERT INTO APP_p (id, n) VALUES (101, 1), (102, 2), (109, 9)"),
        migrations.RunSQL("INSERT INTO APP_t (id, x, y, p_id) VALUES (101, 1, 1, 101), (102, 2, 2, NULL)"),
        migrations.RunSQL("INSERT INTO APP_leaf (id, t_id) VALUES (101, 101)"),
    ]
"""
NEXT = """\
from django.db import migrations, models


def code(apps, schema_editor):
    Leaf = apps.get_model("APP", "Leaf")
    P = apps.get_model("APP", "P")
    T = apps.get_model("APP", "T")
    BODY


class Migration(migrations.Migration):
    dependencies = [("APP", "0001_initial")]
    operations = [
        OPERATIONS
    ]
"""
RUN = "migrations.RunPython(code)"
ADD_T, ADD_P, ADD_OTHER, ADD_LEAF = (
    f'migrations.AddField("{model}", "z", models.IntegerField(null=True))' for model in ("t", "p", "other", "leaf")
)
INDEXED = 'migrations.AddField("t", "z", models.IntegerField(null=True, db_index=True))'
IMMEDIATE = 'migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE")'
INSERT = "T.objects.create(x=1, p_id=101)"
EACH = "for t in T.objects.all():\n        t.{} = {}\n        t.save()"
NEW_KEY = 'migrations.AddField("t", "new", models.ForeignKey("P", models.CASCADE, null=True, related_name="+"))'

# The code of RunPython, the operations, and the statement that PostgreSQL refuses ("": none) with its table.
CASES: dict[str, tuple[str, list[str], str]] = {
    "insert": (INSERT, [RUN, ADD_T], "ALTER TABLE t"),
    "insert_without_keys": ("T.objects.create(x=1)", [RUN, ADD_T], "ALTER TABLE t"),
    "insert_save": ("t = T(x=1)\n    t.save()", [RUN, ADD_T], "ALTER TABLE t"),
    "insert_many": ("T.objects.bulk_create([T(x=1), T(x=2)])", [RUN, ADD_T], "ALTER TABLE t"),
    "insert_or_get": ("T.objects.get_or_create(x=77)", [RUN, ADD_T], "ALTER TABLE t"),
    "insert_sql": ("pass", ['migrations.RunSQL("INSERT INTO APP_t (x, y) VALUES (1, 1)")', ADD_T], "ALTER TABLE t"),
    "insert_cursor": (
        'schema_editor.execute("INSERT INTO APP_t (x, y) VALUES (1, 1)")', [RUN, ADD_T], "ALTER TABLE t",
    ),
    "insert_referenced": ("P.objects.create(n=5)", [RUN, ADD_P], ""),
    "insert_then_other": (INSERT, [RUN, ADD_OTHER], ""),
    "insert_then_referenced": (INSERT, [RUN, ADD_P], ""),
    "insert_deferred_index": (INSERT, [INDEXED, RUN], "CREATE INDEX t"),
    "insert_add_index": (
        INSERT, [RUN, 'migrations.AddIndex("t", models.Index(fields=["x"], name="APP_x"))'], "CREATE INDEX t",
    ),
    "insert_remove_index": (INSERT, [RUN, 'migrations.RunSQL("DROP INDEX APP_plain")'], ""),
    "insert_rename_field": (INSERT, [RUN, 'migrations.RenameField("t", "x", "renamed")'], ""),
    "insert_rename_table": (INSERT, [RUN, 'migrations.AlterModelTable("t", "APP_renamed")'], ""),
    "insert_renamed_then_add": (
        INSERT, [RUN, 'migrations.AlterModelTable("t", "APP_renamed")', ADD_T], "ALTER TABLE renamed",
    ),
    "insert_drop_field": (INSERT, [RUN, 'migrations.RemoveField("t", "x")'], "ALTER TABLE t"),
    "insert_delete_model": (
        "Leaf.objects.create(t_id=101)", [RUN, 'migrations.DeleteModel("Leaf")'], "DROP TABLE leaf",
    ),
    "insert_no_sql": (INSERT, [RUN, 'migrations.AlterField("t", "x", models.IntegerField(default=9))'], ""),
    "insert_constraint": (
        INSERT,
        [RUN, 'migrations.AddConstraint("t", models.UniqueConstraint(fields=["x", "y", "id"], name="APP_u"))'],
        "ALTER TABLE t",
    ),
    "update_plain": ("T.objects.update(x=5)", [RUN, ADD_T], ""),
    "update_key": ("T.objects.update(p_id=102)", [RUN, ADD_T], "ALTER TABLE t"),
    "update_key_to_null": ("T.objects.update(p=None)", [RUN, ADD_T], ""),
    "update_loose_key": ("T.objects.update(loose_id=102)", [RUN, ADD_T], ""),
    "update_by_save": (EACH.format("p_id", 102), [RUN, ADD_T], "ALTER TABLE t"),
    "update_by_save_plain": (EACH.format("x", 2), [RUN, ADD_T], ""),
    "update_by_save_none": (EACH.format("p", None), [RUN, ADD_T], ""),
    "update_many": (
        't = T.objects.first()\n    t.p_id = 102\n    T.objects.bulk_update([t], ["p"])',
        [RUN, ADD_T],
        "ALTER TABLE t",
    ),
    "update_sql": ("pass", ['migrations.RunSQL("UPDATE APP_t SET p_id = 102")', ADD_T], "ALTER TABLE t"),
    "update_sql_to_null": ("pass", ['migrations.RunSQL("UPDATE APP_t SET p_id = NULL")', ADD_T], ""),
    "update_sql_plain": ("pass", ['migrations.RunSQL("UPDATE APP_t SET x = 2")', ADD_T], ""),
    "delete_referenced": ("P.objects.filter(id=109).delete()", [RUN, ADD_P], "ALTER TABLE p"),
    "delete_referencing": ("Leaf.objects.all().delete()", [RUN, ADD_LEAF], ""),
    "delete_sql": ("pass", ['migrations.RunSQL("DELETE FROM APP_p WHERE id = 109")', ADD_P], "ALTER TABLE p"),
    "delete_then_referencing": ("P.objects.filter(id=109).delete()", [RUN, ADD_T], ""),
    "truncate_referencing": ("pass", ['migrations.RunSQL("TRUNCATE APP_leaf")', ADD_LEAF], ""),
    "ddl_first": (INSERT, [ADD_T, RUN], ""),
    "new_key_filled": (
        "T.objects.update(new_id=101)",
        [NEW_KEY, RUN, 'migrations.AlterField("t", "new", models.ForeignKey("P", models.CASCADE, related_name="+"))'],
        "",
    ),
    "new_key_and_insert": (INSERT, [NEW_KEY, RUN], "CREATE INDEX t"),
    "drop_the_key": ("Leaf.objects.create(t_id=101)", [RUN, 'migrations.RemoveField("leaf", "t")'], ""),
    "drop_one_of_two_keys": (INSERT, [RUN, 'migrations.RemoveField("t", "p")'], "ALTER TABLE t"),
    "immediate_before": (INSERT, [IMMEDIATE, RUN, ADD_T], ""),
    "immediate_after": (INSERT, [RUN, IMMEDIATE, ADD_T], ""),
    "immediate_in_code": (f'{INSERT}\n    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")', [RUN, ADD_T], ""),
    "filled_by_django": (
        INSERT,
        [
            'migrations.AddField("other", "note", models.IntegerField(null=True))', RUN,
            'migrations.AlterField("other", "note", models.IntegerField(default=3))', ADD_T,
        ],
        "",
    ),
    "new_table": (
        'New = apps.get_model("APP", "New")\n    New.objects.create(p_id=101)',
        [f'migrations.CreateModel("New", [{_KEY}, ("p", models.ForeignKey("P", models.CASCADE))])', RUN,
         'migrations.AddField("new", "z", models.IntegerField(null=True, db_index=True))'],
        "",
    ),
    "separate": (INSERT, [RUN, f"migrations.SeparateDatabaseAndState(state_operations=[{ADD_T}])"], ""),
}  # fmt: skip


def _project(root: Path) -> Path:
    for app, (body, operations, _) in CASES.items():
        text = NEXT.replace("BODY", body).replace("OPERATIONS", ",\n        ".join(operations))
        start = START.replace(
            "    ]\n", '        migrations.RunSQL("CREATE INDEX APP_plain ON APP_other (n)"),\n    ]\n'
        )
        files = {f"{app}/migrations/0001_initial.py": start, f"{app}/migrations/0002_next.py": text}
        write(root, {path: each.replace("APP", app) for path, each in files.items()})
    (root / "manage.py").touch()
    return root


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    return early_errors.judged(_project(tmp_path_factory.mktemp("pending")), CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_error_is_claimed_where_postgresql_refuses_and_nowhere_else(
    case: str, judged: dict[str, tuple[str, str]]
) -> None:
    statement, _, table = CASES[case][2].rpartition(" ")
    error = f'OperationalError: cannot {statement} "{case}_{table}" because it has pending trigger events'
    expected = error if statement else ""
    assert judged[case] == (expected, expected)
