"""MG508 says "unsafe use of new value" where a real PostgreSQL says it: each case is run, and judged."""

from __future__ import annotations

import pytest

import early_errors
from django_migrate import write

START = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("T", [("id", models.BigAutoField(primary_key=True)), ("mood", models.TextField())]),
        migrations.CreateModel("Log", [("id", models.BigAutoField(primary_key=True)), ("text", models.TextField())]),
        migrations.RunSQL(
            "CREATE TYPE APP_mood AS ENUM ('ok');"
            "ALTER TABLE APP_t ALTER COLUMN mood TYPE APP_mood USING mood::APP_mood"
        ),
        migrations.RunSQL("INSERT INTO APP_t (mood) VALUES ('ok')"),
    ]
"""
NEXT = """\
from django.db import migrations, models


def code(apps, schema_editor):
    T = apps.get_model("APP", "T")
    BODY


class Migration(migrations.Migration):
    ATOMIC
    dependencies = [("APP", "0001_initial")]
    operations = [
        OPERATIONS
    ]
"""
RUN = "migrations.RunPython(code)"
ADD = """migrations.RunSQL("ALTER TYPE APP_mood ADD VALUE 'new'")"""
LIST = """migrations.RunSQL([
    "ALTER TYPE APP_mood ADD VALUE IF NOT EXISTS 'new' BEFORE 'ok'", ("UPDATE APP_t SET mood = %s", ["new"])
])"""


def sql(text: str) -> str:
    return f"migrations.RunSQL({text!r})"


# The code of RunPython, the operations, and whether PostgreSQL refuses them.
CASES: dict[str, tuple[str, list[str], bool]] = {
    "updated": ("pass", [ADD, sql("UPDATE APP_t SET mood = 'new'")], True),
    "inserted": ("pass", [ADD, sql("INSERT INTO APP_t (mood) VALUES ('new')")], True),
    "selected": ("pass", [ADD, sql("SELECT * FROM APP_t WHERE mood = 'new'")], True),
    "cast": ("pass", [ADD, sql("SELECT 'new'::APP_mood")], True),
    "cast_by_word": ("pass", [ADD, sql("SELECT CAST('new' AS APP_mood)")], True),
    "default": ("pass", [ADD, sql("ALTER TABLE APP_t ALTER COLUMN mood SET DEFAULT 'new'")], True),
    "index": ("pass", [ADD, sql("CREATE INDEX APP_i ON APP_t (id) WHERE mood = 'new'")], True),
    "one_string": ("pass", [sql("ALTER TYPE APP_mood ADD VALUE 'new'; UPDATE APP_t SET mood = 'new'")], True),
    "a_list": ("pass", [LIST], True),
    "queried": ('T.objects.filter(id=1).update(mood="new")', [ADD, RUN], True),
    "created": ('T.objects.create(mood="new")', [ADD, RUN], True),
    "by_cursor": ("schema_editor.execute(\"UPDATE APP_t SET mood = 'new'\")", [ADD, RUN], True),
    "before": ("pass", [sql("UPDATE APP_log SET text = 'new'"), ADD], False),
    "another": ("pass", [ADD, sql("UPDATE APP_t SET mood = 'ok'")], False),
    "next_value": ("pass", [ADD, sql("ALTER TYPE APP_mood ADD VALUE 'more' AFTER 'new'")], False),
    "renamed": ("pass", [sql("ALTER TYPE APP_mood RENAME VALUE 'ok' TO 'new'"), sql("SELECT 'new'::APP_mood")], False),
    "new_type": ("pass", [sql("CREATE TYPE APP_way AS ENUM ('new')"), sql("SELECT 'new'::APP_way")], False),
    "in_a_comment": ("pass", [ADD, sql("UPDATE APP_t /* not 'new' */ SET mood = 'ok'")], False),
    "commented": ("pass", [ADD, sql("COMMENT ON TYPE APP_mood IS 'new'")], False),
    "in_a_function": (
        "pass",
        [ADD, sql("CREATE FUNCTION APP_f() RETURNS APP_mood LANGUAGE plpgsql AS $$ BEGIN RETURN 'new'; END $$")],
        False,
    ),
    "not_atomic": ("pass", [ADD, sql("UPDATE APP_t SET mood = 'new'")], False),
    "a_field_of_that_name": ('list(T.objects.values("mood"))', [ADD.replace("'new'", "'mood'"), RUN], False),
}  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    root = tmp_path_factory.mktemp("values")
    for app, (body, operations, _) in CASES.items():
        text = NEXT.replace("BODY", body).replace("OPERATIONS", ",\n        ".join(operations))
        text = text.replace("ATOMIC", f"atomic = {app != 'not_atomic'}")
        files = {f"{app}/migrations/0001_initial.py": START, f"{app}/migrations/0002_next.py": text}
        write(root, {path: each.replace("APP", app) for path, each in files.items()})
    (root / "manage.py").touch()
    return early_errors.judged(root, CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_error_is_claimed_where_postgresql_refuses_and_nowhere_else(
    case: str, judged: dict[str, tuple[str, str]]
) -> None:
    error = f'OperationalError: unsafe use of new value "new" of enum type {case}_mood'
    expected = error if CASES[case][2] else ""
    assert judged[case] == (expected, expected)
