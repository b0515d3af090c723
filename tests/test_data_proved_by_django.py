"""What rules of data say that Django raises, it raises: each bad case fails so when it is run, each good one passes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from django_migrate import write
from miglint.diagnostic import Diagnostic
from miglint.options import Options
from miglint.session import Session
from migrate_each import errors_of
from postgresql import database_of, server

HERE = Path(__file__).parent
_KEY = '("id", models.BigAutoField(primary_key=True))'
START = f"""\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Customer", [{_KEY}, ("name", models.CharField(max_length=20))]),
        migrations.CreateModel(
            "Order",
            [
                {_KEY},
                ("status", models.CharField(max_length=20, default="new")),
                ("customer", models.ForeignKey("APP.customer", models.CASCADE)),
            ],
        ),
        migrations.RunSQL("INSERT INTO APP_customer (id, name) VALUES (1, 'a')", ""),
        migrations.RunSQL("INSERT INTO APP_order (id, status, customer_id) VALUES (1, 'new', 1)", ""),
    ]
"""
NEXT = """\
from functools import partial

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


CODE


class Migration(migrations.Migration):
    ATOMICdependencies = [
        ("APP", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [OPERATIONS]
"""
RUN = "migrations.RunPython(forwards, migrations.RunPython.noop)"
INDEX = 'AddIndexConcurrently("order", models.Index(fields=["status"], name="APP_status"))'
IN_SQL = 'migrations.RunSQL("CREATE INDEX CONCURRENTLY APP_i ON APP_order (status)", migrations.RunSQL.noop)'


class Case(NamedTuple):
    """`error` is how what Django raises begins; "" for a good case. `said` is what of it the finding has to say."""

    code: str
    operations: str = RUN
    error: str = ""
    said: str = ""
    atomic: bool = True
    names_class: bool = True


def forwards(body: str) -> str:
    return f"def forwards(apps, schema_editor):\n    {body}"


def query(call: str, model: str = "Order") -> str:
    return forwards(f'list([apps.get_model("APP", "{model}").objects.{call}])')


LOST = "LookupError: App 'APP' doesn't have a '{}' model."
ON_SQLITE: dict[str, Case] = {
    "mg507_one": Case("def forwards(apps):\n    pass", error="TypeError: forwards() takes 1 positional argument but"),
    "mg507_none": Case("def forwards():\n    pass", error="TypeError: forwards() takes 0 positional arguments but 2"),
    "mg507_three": Case(
        "def forwards(apps, schema_editor, name):\n    pass",
        error="TypeError: forwards() missing 1 required positional argument: 'name'",
    ),
    "mg507_keyword": Case(
        "def forwards(apps, schema_editor, *, batch):\n    pass",
        error="TypeError: forwards() missing 1 required keyword-only argument: 'batch'",
    ),
    "mg507_lambda": Case(
        "", "migrations.RunPython(lambda apps: None)", "TypeError: ", "<lambda>() takes 1 positional argument but"
    ),
    "mg507_partial": Case(
        forwards("pass"), 'migrations.RunPython(partial(forwards, "a"))', "TypeError: forwards() takes 2 positional"
    ),
    "mg507_bound": Case(
        "class Fill:\n    def all(apps, schema_editor):\n        pass\nfill = Fill()",
        "migrations.RunPython(fill.all)",
        "TypeError: Fill.all() takes 2 positional arguments but 3 were given",
    ),
    "mg507_class": Case(
        "class Fill:\n    def __init__(self, apps):\n        pass",
        "migrations.RunPython(Fill)",
        "TypeError: Fill.__init__() takes 2 positional arguments but 3 were given",
    ),
    "mg507_empty_class": Case(
        "class Fill:\n    pass", "migrations.RunPython(Fill)", "TypeError: Fill() takes no arguments"
    ),
    "mg507_class_good": Case(
        "class Base:\n    def __init__(self, apps, schema_editor):\n        pass\nclass Fill(Base):\n    pass",
        "migrations.RunPython(Fill)",
    ),
    "mg507_made": Case(
        "def make():\n    def inner(apps):\n        pass\n    return inner",
        "migrations.RunPython(make())",
        "TypeError: make.<locals>.inner() takes 1 positional argument but 2 were given",
        "takes 1 positional argument but 2 were given",
    ),
    "mg507_inherited": Case(
        "class Base:\n    def __call__(self, apps):\n        pass\nclass Fill(Base):\n    pass",
        "migrations.RunPython(Fill())",
        "TypeError: Base.__call__() takes 2 positional arguments but 3 were given",
    ),
    "mg507_twice": Case(
        "def forwards(apps, schema_editor):\n    pass\ndef forwards(apps):\n    pass",
        error="TypeError: forwards() takes 1 positional argument but 2 were given",
    ),
    "mg507_wrapped": Case(
        "def forwards(apps):\n    pass\nforwards = (lambda f: lambda apps, schema_editor: f(apps))(forwards)"
    ),
    "mg507_else": Case(
        "try:\n    from operator import is_ as run\nexcept ImportError:\n    def run(apps):\n        pass",
        "migrations.RunPython(run)",
    ),
    "mg507_partial_stars": Case(
        "GIVEN = ()\ndef forwards(*args, name=1):\n    pass", "migrations.RunPython(partial(forwards, *GIVEN, **{}))"
    ),
    "mg507_bound_good": Case(
        "class Fill:\n    def all(self, apps, schema_editor):\n        pass\nfill = Fill()",
        "migrations.RunPython(fill.all)",
    ),
    "mg507_good": Case("def forwards(*args, batch=1):\n    pass"),
    "mg507_given": Case(
        "def forwards(apps, schema_editor, name):\n    pass", 'migrations.RunPython(partial(forwards, name="a"))'
    ),
    "mg511_misspelt": Case(query("count()", "Ordr"), error=LOST.format("Ordr")),
    "mg511_later_name": Case(
        query("count()", "Purchase"), f'{RUN}, migrations.RenameModel("Order", "Purchase")', LOST.format("Purchase")
    ),
    "mg511_gone": Case(query("count()"), f'migrations.DeleteModel("Order"), {RUN}', LOST.format("Order")),
    "mg511_good": Case(query("count()", "Purchase"), f'migrations.RenameModel("Order", "Purchase"), {RUN}'),
    "mg511_join_model": Case(
        query("count()", "Order_tags"),
        f'migrations.AddField("order", "tags", models.ManyToManyField("APP.customer")), {RUN}',
    ),
    "mg511_no_app": Case(
        forwards('apps.get_model("warehouse", "Shelf")'), error="LookupError: No installed app with label 'warehouse'."
    ),
    "mg511_asked_first": Case(
        forwards('apps.is_installed("warehouse") and apps.get_model("warehouse", "Shelf").objects.count()')
    ),
    "mg511_of_django": Case(
        forwards('apps.get_model("auth", "Users")'), error="LookupError: App 'auth' doesn't have a 'Users' model."
    ),
    "mg511_join_of_django": Case(forwards('apps.get_model("auth", "User_groups").objects.count()')),
    "mg511_setting": Case(
        "from django.conf import settings\n"
        + forwards('apps.get_model(*settings.AUTH_USER_MODEL.split(".")).objects.count()')
    ),
    "mg511_parts": Case(forwards('apps.get_model(*"APP.Ordr".split(".")).objects.count()'), error=LOST.format("Ordr")),
    "mg512_filter": Case(query('filter(state="new").count()'), error="FieldError: Cannot resolve keyword 'state'"),
    "mg512_update": Case(query("update(total=0)"), error="FieldDoesNotExist: ", said="Order"),
    "mg512_order": Case(query('order_by("-position").count()'), error="FieldError: Cannot resolve keyword 'position'"),
    "mg512_values": Case(query('values_list("title").count()'), error="FieldError: Cannot resolve keyword 'title'"),
    "mg512_along": Case(
        query('filter(customer__surname="a").count()'), error="FieldError: Unsupported lookup 'surname'", said="surname"
    ),
    "mg512_bulk": Case(
        forwards('apps.get_model("APP", "Order").objects.in_bulk(field_name="state")'),
        error="FieldDoesNotExist: Order has no field named 'state'",
    ),
    "mg512_bulk_good": Case(forwards('apps.get_model("APP", "Order").objects.in_bulk([1], field_name="pk")')),
    "mg512_named": Case(
        'NAME = "title"\n' + query("values_list(NAME).count()"), error="FieldError: Cannot resolve keyword 'title'"
    ),
    "mg512_q": Case(query('filter(Q(nick="a")).count()'), error="FieldError: Cannot resolve keyword 'nick'"),
    "mg512_f": Case(query('update(status=F("amount"))'), error="FieldError: Cannot resolve keyword 'amount'"),
    "mg512_create": Case(
        query('create(title="a", customer_id=1)'), error="TypeError: Order() got unexpected keyword arguments: 'title'"
    ),
    "mg512_later_name": Case(
        query('filter(label="new").count()'),
        f'{RUN}, migrations.RenameField("order", "status", "label")',
        "FieldError: Cannot resolve keyword 'label'",
    ),
    "mg512_good": Case(query('filter(Q(customer__name__startswith="a"), status=F("status")).count()')),
    "mg512_reverse": Case(query('filter(order__status="new").count()', "Customer")),
    "mg512_annotated": Case(query('annotate(n=F("id")).filter(n=1).count()')),
    "mg513_asked_first": Case(
        forwards('[o.close() for o in apps.get_model("APP", "Order").objects.all() if hasattr(o, "close")]')
    ),
    "mg513_of_django": Case(
        forwards('apps.get_model("auth", "User")(username="a").set_password("b")'),
        error="AttributeError: 'User' object has no attribute 'set_password'",
        said="set_password",
    ),
    "mg513_by_setting": Case(
        "from django.conf import settings\n"
        + forwards("apps.get_model(settings.AUTH_USER_MODEL)(username='a').get_full_name()"),
        error="AttributeError: 'User' object has no attribute 'get_full_name'",
        said="get_full_name",
    ),
    "mg513_manager_of_django": Case(forwards('apps.get_model("auth", "User").objects.create_user("APP")')),
    "mg513_private": Case(query("all()._raw_delete('default')")),
    "mg519_begin": Case(
        "",
        'migrations.RunSQL("BEGIN", migrations.RunSQL.noop)',
        error="OperationalError: cannot start a transaction within a transaction",
        said="BEGIN",
        names_class=False,
    ),
    "mg519_savepoint": Case("", 'migrations.RunSQL(["SAVEPOINT a", "RELEASE a"], migrations.RunSQL.noop)'),
    "mg521_type": Case(
        forwards('apps.get_model("contenttypes", "ContentType").objects.get(app_label="APP", model="order")'),
        error="DoesNotExist: ContentType matching query does not exist",
        said="DoesNotExist",
    ),
    "mg521_shortcut": Case(
        "from django.shortcuts import get_object_or_404\n"
        + forwards('get_object_or_404(apps.get_model("auth", "Permission"), codename="never")'),
        error="Http404: No Permission matches the given query.",
        said="Http404",
    ),
    "mg521_latest": Case(
        forwards('apps.get_model("auth", "Permission").objects.filter(codename="x").latest("pk")'),
        error="DoesNotExist: Permission matching query does not exist",
        said="DoesNotExist",
    ),
    "mg512_shortcut": Case(
        "from django.shortcuts import get_object_or_404\n"
        + forwards('get_object_or_404(apps.get_model("APP", "Order"), state="new")'),
        error="FieldError: Cannot resolve keyword 'state'",
    ),
    "mg521_good": Case(
        forwards('apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="APP", model="x")')
    ),
}
INSERT = "migrations.RunSQL(\"INSERT INTO APP_customer (id, name) VALUES (2, 'b')\", migrations.RunSQL.noop)"
FAIL = 'migrations.RunSQL("DELETE FROM nowhere", migrations.RunSQL.noop)'
# What MG519 says of rows: the operations, and how many customers there are in the end. There was one.
ROWS: dict[str, tuple[str, int]] = {
    "mg519_commit": (f'{INSERT}, migrations.RunSQL("COMMIT", migrations.RunSQL.noop), {FAIL}', 2),
    "mg519_rollback": (f'{INSERT}, migrations.RunSQL("ROLLBACK", migrations.RunSQL.noop)', 1),
    "mg519_fails": (f"{INSERT}, {FAIL}", 1),
    "mg519_passes": (INSERT, 2),
}
ON_POSTGRESQL: dict[str, Case] = {
    "mg307_add": Case("", INDEX, "NotSupportedError: ", "NotSupportedError"),
    "mg307_sql": Case(
        "",
        IN_SQL,
        "InternalError: CREATE INDEX CONCURRENTLY cannot run inside a transaction block",
        names_class=False,
    ),
    "mg307_good": Case("", INDEX, atomic=False),
    "mg307_sql_good": Case("", IN_SQL, atomic=False),
}


def _project(root: Path, cases: dict[str, Case]) -> Path:
    for app, case in cases.items():
        text = NEXT.replace("CODE", case.code).replace("OPERATIONS", case.operations)
        text = text.replace("ATOMIC", "" if case.atomic else "atomic = False\n    ")
        files = {f"{app}/migrations/0001_initial.py": START, f"{app}/migrations/0002_next.py": text}
        write(root, {path: each.replace("APP", app) for path, each in files.items()})
    apps = ["django.contrib.contenttypes", "django.contrib.auth", *cases]
    manage = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n'
    write(root, {"manage.py": manage, "settings.py": f"INSTALLED_APPS = {apps!r}\n"})
    return root


def _found(root: Path, vendor: str) -> dict[str, list[Diagnostic]]:
    """The errors and warnings of each case by its own rule."""
    found: dict[str, list[Diagnostic]] = {}
    for each in Session(Options(cache=False, jobs=1, database=vendor), cwd=root).report([root]).findings:
        app = each.subject.app or ""
        if app.startswith(each.code.lower()):
            found.setdefault(app, []).append(each)
    return found


class Judged(NamedTuple):
    """What Django says, what was found, and how many customers there are, where rows are counted."""

    error: str
    found: list[Diagnostic]
    customers: int


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judged]:
    """By case."""
    light, heavy = tmp_path_factory.mktemp("sqlite"), tmp_path_factory.mktemp("postgresql")
    on_sqlite = ON_SQLITE | {app: Case("", operations) for app, (operations, _) in ROWS.items()}
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(light / "db")}
    said = errors_of(_project(light, on_sqlite), on_sqlite, database)
    with closing(sqlite3.connect(light / "db")) as rows:
        customers = {app: rows.execute(f"SELECT count(*) FROM {app}_customer").fetchone()[0] for app in ROWS}
    with server() as socket:
        said |= errors_of(_project(heavy, ON_POSTGRESQL), ON_POSTGRESQL, database_of(socket))
    found = _found(light, "sqlite") | _found(heavy, "postgresql")
    return {app: Judged(said[app], found.get(app, []), customers.get(app, 0)) for app in said}


@pytest.mark.parametrize("app", [*ON_SQLITE, *ON_POSTGRESQL])
def test_what_is_found_fails_as_it_is_said_and_nothing_else_fails(app: str, judged: dict[str, Judged]) -> None:
    case = (ON_SQLITE | ON_POSTGRESQL)[app]
    error, found, _ = judged[app]
    expected = case.error.replace("APP", app)
    if not expected:
        assert (error, found) == ("", [])
        return
    assert error.startswith(expected), error
    (finding,) = found
    words = f"{finding.message}\n{finding.help}"
    assert error.partition(":")[0] in words or not case.names_class
    assert (case.said or expected.partition(": ")[2]) in words


@pytest.mark.parametrize("app", ROWS)
def test_a_transaction_that_is_ended_keeps_or_loses_what_it_is_said_to(app: str, judged: dict[str, Judged]) -> None:
    assert judged[app].customers == ROWS[app][1]
    assert bool(judged[app].error) == (FAIL in ROWS[app][0])
    assert [each.code for each in judged[app].found] == ["MG519"] * (app in ("mg519_commit", "mg519_rollback"))
