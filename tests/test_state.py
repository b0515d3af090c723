"""The replayed state is the one that Django itself computes, at every migration."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from miglint.database import Database
from miglint.project.fields import Field
from miglint.project.graph import Graph
from miglint.project.history import History, replay
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.state import ModelState, ProjectState
from miglint.project.truth import Truth
from miglint.syntax.facts import Call, Literal
from miglint.syntax.reader import read

# Migrations by `app.name`: what they depend on, and their operations.
Written = Mapping[str, tuple[str, str]]

MODULE = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    operations = [{operations}]
"""
ID = "('id', models.BigAutoField(primary_key=True))"
ORDER = f"migrations.CreateModel('Order', [{ID}, ('code', models.CharField(max_length=9, unique=True)), {{more}}])"
PLAIN = ORDER.format(more="")


def model(name: str, *fields: str, **options: str) -> str:
    given = ", ".join(f"'{key}': {value}" for key, value in options.items())
    return f"migrations.CreateModel('{name}', [{', '.join((ID, *fields))}], options={{{given}}})"


def one_app(*operations: str) -> Written:
    """The operations as migrations that follow each other in one app."""
    names = [f"shop.{number:04}_step" for number in range(1, len(operations) + 1)]
    parents = ["", *names]
    return {name: (parent, text) for name, parent, text in zip(names, parents, operations, strict=False)}


def source(dependencies: str, operations: str) -> str:
    pairs = ", ".join(repr(tuple(name.split("."))) for name in dependencies.split())
    return MODULE.format(dependencies=pairs, operations=operations)


def graph(written: Written) -> Graph:
    migrations = []
    for name, (dependencies, operations) in written.items():
        key = MigrationKey(*name.split("."))
        migrations.append(interpret(key, f"/{key}.py", read(source(dependencies, operations))))
    return Graph.build(migrations)


def replayed(written: Written) -> History:
    return replay(graph(written), database=Database())


# -- the same, as Django has it ---------------------------------------------------------------------------

DJANGO = """
import importlib, json, sys
import django
from django.conf import settings
settings.configure(DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
django.setup()
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.utils import resolve_relation


def field(key, name, each):
    to = getattr(each.remote_field, "model", None)
    to = list(resolve_relation(to, *key)) if to else None
    through = getattr(each.remote_field, "through", None)
    to_field = (getattr(each, "to_fields", None) or [None])[0]
    through = list(resolve_relation(through, *key)) if through else None
    names = list(getattr(each, "field_names", None) or ())
    return [name, to, through, to_field, each.null, each.has_default(), names]


def together(value):
    return sorted(list(names) for names in value)


def model(key, state):
    options = {name: value for name, value in state.options.items() if name not in ("indexes", "constraints")}
    groups = {name: together(options.pop(name, None) or ()) for name in ("unique_together", "index_together")}
    return {
        "name": state.name,
        "fields": [field(key, name, each) for name, each in state.fields.items()],
        "options": sorted(state.options.keys() - {"indexes", "constraints"}),
        "ordering": options.get("ordering") and list(options["ordering"]),
        "order_with_respect_to": options.get("order_with_respect_to"),
        "table": options.get("db_table") or f"{key[0]}_{key[1]}",
        "indexes": [each.name for each in state.options["indexes"]],
        "constraints": [each.name for each in state.options["constraints"]],
        **groups,
    }


def described(state):
    return {".".join(key): model(key, each) for key, each in state.models.items()}


def fresh(labels):
    # All is imported anew: RenameField changes the fields of the migrations themselves.
    for name in [name for name in sys.modules if name.partition(".")[0] in labels]:
        del sys.modules[name]
    return MigrationLoader(None, ignore_no_migrations=True)


def case(folder, labels):
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    apps.set_installed_apps(labels)
    nodes = list(fresh(labels).graph.nodes)
    found = {".".join(node): described(fresh(labels).project_state(node, at_end=False)) for node in nodes}
    found["final"] = described(fresh(labels).project_state())
    apps.unset_installed_apps()
    sys.path.remove(folder)
    return found


print(json.dumps({name: case(folder, labels) for name, (folder, labels) in json.load(sys.stdin).items()}))
"""


def write(folder: Path, written: Written) -> list[str]:
    """Writes a history as packages that Django can import, and gives their labels."""
    labels = sorted({name.partition(".")[0] for name in written})
    for label in labels:
        (folder / label / "migrations").mkdir(parents=True)
        (folder / label / "__init__.py").touch()
        (folder / label / "migrations" / "__init__.py").touch()
    for name, (dependencies, operations) in written.items():
        app, _, module = name.partition(".")
        (folder / app / "migrations" / f"{module}.py").write_text(source(dependencies, operations))
    return labels


@pytest.fixture(scope="module")
def django(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every history's states, by case and then by migration, computed by Django in one process of its own."""
    cases = {}
    for name, written in HISTORIES.items():
        folder = tmp_path_factory.mktemp("history")
        cases[name] = (str(folder), write(folder, written))
    command = [sys.executable, "-W", "ignore", "-c", DJANGO]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def target(value: Any, of: ModelState) -> list[str] | None:
    """What a relation points to, as a list of label and name."""
    if not isinstance(value, Literal) or value.kind != "str":
        return None
    if value.text == "self":
        return list(of.key)
    app, _, name = value.text.rpartition(".")
    return [app or of.app, name.lower()]


def plain(value: Any) -> Any:
    """The Python value of a display of constants; Django's writer spells an empty set `set()`."""
    if isinstance(value, Call):
        return []
    return value.value if isinstance(value, Literal) else [plain(item) for item in value.items]


def composite(field: Field) -> list[Any]:
    """The fields that a composite key is made of."""
    if field.kind != "CompositePrimaryKey" or not isinstance(field.call, Call):
        return []
    return [plain(argument) for argument in field.call.arguments]


def together(found: ModelState, option: str) -> list[list[str]]:
    value = plain(found.options[option]) if option in found.options else []
    groups = [value] if value and isinstance(value[0], str) else value or []
    return sorted(groups)


def described(state: ProjectState) -> dict[str, Any]:
    result = {}
    for each in state.models():
        arguments = [(name, field.field, field.field.arguments) for name, field in each.fields.items()]
        ordering, order = each.options.get("ordering"), each.options.get("order_with_respect_to")
        result[str(each.key)] = {
            "name": each.name,
            "fields": [
                [
                    name,
                    target(given.get("to"), each),
                    target(given.get("through"), each),
                    plain(given["to_field"]) if "to_field" in given else None,
                    field.null is Truth.YES,
                    field.has_default is Truth.YES,
                    composite(field),
                ]
                for name, field, given in arguments
            ],
            "options": sorted(each.options),
            "ordering": plain(ordering) if ordering is not None else None,
            "order_with_respect_to": plain(order) if order is not None else None,
            "table": each.table,
            "indexes": [index.name for index in each.indexes],
            "constraints": [constraint.name for constraint in each.constraints],
            "unique_together": together(each, "unique_together"),
            "index_together": together(each, "index_together"),
        }
    return result


LINE = model("Line", "('order', models.ForeignKey('shop.Order', models.CASCADE))")
QTY = "('qty', models.IntegerField(null=True))"
TAGGED = "models.ManyToManyField('shop.Tag', through='shop.Tagging')"
TAGGING = model(
    "Tagging",
    "('order', models.ForeignKey(to='Order', on_delete=models.CASCADE))",
    "('tag', models.ForeignKey(to='shop.Tag', on_delete=models.CASCADE))",
)
UNIQUE = "models.UniqueConstraint(fields=['code'], name='{}')"

HISTORIES: dict[str, Written] = {
    "models created and deleted": one_app(PLAIN, LINE, "migrations.DeleteModel('LINE')"),
    "names in any case": one_app(
        PLAIN,
        "migrations.AddField('ORDER', 'total', models.IntegerField(null=True))",
        "migrations.DeleteModel('order')",
    ),
    "fields added, altered and removed": one_app(
        PLAIN,
        "migrations.AddField('order', 'total', models.IntegerField(null=True))",
        "migrations.AlterField('order', 'code', models.CharField(max_length=20, null=True))",
        "migrations.RemoveField('order', 'total')",
    ),
    "a default that is not preserved": one_app(
        PLAIN,
        "migrations.AddField('order', 'a', models.IntegerField(default=1), preserve_default=False)",
        "migrations.AddField('order', 'b', models.IntegerField(default=1))",
        "migrations.AlterField('order', 'b', models.IntegerField(default=2), preserve_default=False)",
        "migrations.AlterField('order', 'a', models.IntegerField(default=2), preserve_default=True)",
    ),
    "a renamed model is followed by relations": one_app(
        PLAIN + ", " + LINE,
        "migrations.AddField('order', 'parent', models.ForeignKey('self', models.CASCADE, null=True))",
        "migrations.AddField('order', 'other', models.ForeignKey('Order', models.CASCADE, null=True))",
        "migrations.RenameModel('Order', 'Purchase')",
        "migrations.AddField('purchase', 'last', models.ForeignKey('shop.purchase', models.CASCADE, null=True))",
    ),
    "a renamed intermediate model is followed": one_app(
        ", ".join([PLAIN, model("Tag"), TAGGING, f"migrations.AddField('order', 'tags', {TAGGED})"]),
        "migrations.RenameModel('Tagging', 'Label')",
        "migrations.RenameModel('Tag', 'Word')",
    ),
    "a renamed model of another app is followed": {
        "shop.0001_initial": ("", PLAIN),
        "crm.0001_initial": (
            "shop.0001_initial",
            model("Call", "('order', models.OneToOneField(to='shop.order', on_delete=models.CASCADE))"),
        ),
        "shop.0002_rename": ("shop.0001_initial crm.0001_initial", "migrations.RenameModel('order', 'Purchase')"),
    },
    "a renamed field is followed by unique_together": one_app(
        model("Line", QTY, "('no', models.IntegerField())", unique_together="{('qty', 'no')}"),
        "migrations.RenameField('line', 'qty', 'amount')",
        "migrations.AlterUniqueTogether('line', {('amount', 'no'), ('no', 'id')})",
        "migrations.RenameField('line', 'no', 'number')",
        "migrations.AlterUniqueTogether('line', set())",
    ),
    "a renamed field is followed by to_field": one_app(
        PLAIN,
        model("Line", "('order', models.ForeignKey('shop.Order', models.CASCADE, to_field='code'))"),
        "migrations.RenameField('order', 'code', 'number')",
    ),
    "a renamed field is followed by to_field across apps": {
        "shop.0001_initial": ("", PLAIN),
        "crm.0001_initial": (
            "shop.0001_initial",
            model("Call", "('order', models.ForeignKey('shop.Order', models.CASCADE, to_field='code', null=True))"),
        ),
        "shop.0002_rename": ("crm.0001_initial shop.0001_initial", "migrations.RenameField('Order', 'code', 'no')"),
    },
    "a renamed field stands last": one_app(
        model("Line", QTY, "('no', models.IntegerField())"), "migrations.RenameField('line', 'qty', 'amount')"
    ),
    "a renamed field leaves an order with respect to it": one_app(
        PLAIN + ", " + LINE,
        "migrations.AlterOrderWithRespectTo('line', 'order')",
        "migrations.RenameField('line', 'order', 'purchase')",
    ),
    "options set and reset": one_app(
        model("Line", QTY, ordering="['qty']", db_table="'lines'", verbose_name="'line'"),
        "migrations.AlterModelOptions('line', {'verbose_name_plural': 'lines'})",
        "migrations.AlterModelTable('line', 'shop_lines')",
        "migrations.AlterModelTable('line', None)",
        "migrations.AlterModelOptions('line', {'ordering': ('-qty',), 'managed': False})",
    ),
    "an order with respect to another model": one_app(
        PLAIN + ", " + LINE,
        "migrations.AlterOrderWithRespectTo('line', 'order')",
        "migrations.AlterOrderWithRespectTo('line', None)",
    ),
    "indexes added, renamed and removed": one_app(
        PLAIN,
        "migrations.AddIndex('order', models.Index(fields=['code'], name='a')), "
        "migrations.AddIndex('order', models.Index('code', name='b'))",
        "migrations.RenameIndex('order', new_name='c', old_name='a')",
        "migrations.RemoveIndex('order', 'b')",
    ),
    "indexes of a created model": one_app(
        model("Line", QTY, indexes="[models.Index(fields=['qty'], name='q')]", constraints="[]"),
        "migrations.RemoveIndex('line', 'q')",
    ),
    "an index of index_together gets a name": one_app(
        model("Line", QTY, "('no', models.IntegerField())", index_together="{('qty', 'no')}"),
        "migrations.RenameIndex('line', new_name='named', old_fields=('qty', 'no'))",
    ),
    "an index of index_together, spelt in lists": one_app(
        model("Line", QTY, "('no', models.IntegerField())", index_together="[['qty', 'no'], ['no', 'qty']]"),
        "migrations.RenameIndex('line', new_name='named', old_fields=('qty', 'no'))",
    ),
    "a renamed field is followed by a composite key": one_app(
        "migrations.CreateModel('Line', [('pk', models.CompositePrimaryKey('a', 'b', blank=True, editable=False, "
        "primary_key=True, serialize=False)), ('a', models.IntegerField()), ('b', models.IntegerField())])",
        "migrations.RenameField('line', 'a', 'c')",
    ),
    "constraints added, altered and removed": one_app(
        PLAIN,
        f"migrations.AddConstraint('order', {UNIQUE.format('u')}), "
        f"migrations.AddConstraint('order', {UNIQUE.format('v')})",
        f"migrations.AlterConstraint('order', 'u', {UNIQUE.format('u')})",
        "migrations.RemoveConstraint('order', 'v')",
    ),
    "state and database apart": one_app(
        PLAIN,
        "migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField('order', 'code')])",
        "migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField('order', 'code')])",
        "migrations.RunSQL('SELECT 1', state_operations=[migrations.AddField('order', 'n', models.TextField())])",
        "migrations.SeparateDatabaseAndState([migrations.RunSQL('SELECT 1', 'SELECT 2', "
        "[migrations.AddField('order', 'm', models.TextField())])])",
    ),
    "branches that write different models": {
        "shop.0001_initial": ("", PLAIN + ", " + LINE),
        "shop.0002_a": ("shop.0001_initial", "migrations.AddField('order', 'a', models.TextField())"),
        "shop.0002_b": ("shop.0001_initial", "migrations.AddField('line', 'b', models.TextField())"),
        "shop.0003_merge": ("shop.0002_a shop.0002_b", ""),
        "shop.0004_after": ("shop.0003_merge", "migrations.RemoveField('order', 'a')"),
    },
    "branches that write the same model": {
        "shop.0001_initial": ("", PLAIN),
        "shop.0002_a": ("shop.0001_initial", "migrations.AddField('order', 'a', models.TextField())"),
        "shop.0003_a": ("shop.0002_a", "migrations.RemoveField('order', 'code')"),
        "shop.0002_b": ("shop.0001_initial", "migrations.AddField('order', 'b', models.TextField())"),
        "shop.0004_merge": ("shop.0003_a shop.0002_b", ""),
        "shop.0005_after": ("shop.0004_merge", "migrations.AddField('order', 'c', models.TextField())"),
    },
    "a model deleted in one branch": {
        "shop.0001_initial": ("", PLAIN + ", " + model("Old")),
        "shop.0002_a": ("shop.0001_initial", "migrations.DeleteModel('Old')"),
        "shop.0002_b": ("shop.0001_initial", "migrations.AddField('order', 'b', models.TextField())"),
        "shop.0003_merge": ("shop.0002_a shop.0002_b", ""),
    },
    "a model renamed in one branch and referred to in the other": {
        "shop.0001_initial": ("", PLAIN + ", " + model("Line")),
        "shop.0002_a": ("shop.0001_initial", "migrations.AddField('line', 'n', models.TextField())"),
        "shop.0002_b": (
            "shop.0001_initial",
            "migrations.AddField('line', 'order', models.ForeignKey('shop.Order', models.CASCADE))",
        ),
        "shop.0003_merge": ("shop.0002_a shop.0002_b", "migrations.RenameModel('Order', 'Purchase')"),
    },
    "a field renamed in one branch, its model written in the other": {
        "shop.0001_initial": ("", PLAIN),
        "crm.0001_initial": (
            "shop.0001_initial",
            model("Call", "('order', models.ForeignKey('shop.Order', models.CASCADE, to_field='code'))"),
        ),
        "crm.0002_more": ("crm.0001_initial", "migrations.AddField('call', 'n', models.TextField())"),
        "shop.0002_rename": ("crm.0001_initial shop.0001_initial", "migrations.RenameField('order', 'code', 'no')"),
        "shop.0003_merge": ("shop.0002_rename crm.0002_more", ""),
    },
    "three branches": {
        "shop.0001_initial": ("", PLAIN),
        "shop.0002_a": ("shop.0001_initial", "migrations.AddField('order', 'a', models.TextField())"),
        "shop.0002_b": ("shop.0001_initial", "migrations.AddField('order', 'b', models.TextField())"),
        "shop.0002_c": ("shop.0001_initial", "migrations.RenameField('order', 'code', 'c')"),
        "shop.0003_merge": ("shop.0002_a shop.0002_b", ""),
        "shop.0004_merge": ("shop.0003_merge shop.0002_c", "migrations.AddField('order', 'd', models.TextField())"),
    },
    "two apps, one of which only sees its ancestors": {
        "crm.0001_initial": ("", model("Client")),
        "crm.0002_name": ("crm.0001_initial", "migrations.AddField('client', 'name', models.TextField())"),
        "shop.0001_initial": ("crm.0001_initial", PLAIN),
        "shop.0002_more": ("shop.0001_initial", "migrations.AddField('order', 'a', models.TextField())"),
    },
}


@pytest.mark.parametrize("case", HISTORIES)
def test_each_state_is_the_one_django_computes(case: str, django: dict[str, dict[str, Any]]) -> None:
    history = replayed(HISTORIES[case])
    actual = {name: described(history.state_before(MigrationKey(*name.split(".")))) for name in HISTORIES[case]}
    actual["final"] = described(history.final)
    assert actual == django[case]


# -- what Django does not tell ----------------------------------------------------------------------------


def problems(written: Written) -> list[tuple[str, str, str]]:
    return [
        (str(step.migration.key), problem.kind, problem.message)
        for step in replayed(written).steps
        for problem in step.problems
    ]


def test_histories_that_django_accepts_have_no_problems() -> None:
    # Django computes this state, and refuses it when it makes classes of it.
    refused = "a renamed field leaves an order with respect to it"
    found = {name: problems(written) for name, written in HISTORIES.items() if problems(written)}
    assert {name: [kind for _, kind, _ in each] for name, each in found.items()} == {refused: ["unknown-order"]}


def test_only_the_state_of_the_ancestors_shows_a_missing_dependency() -> None:
    written = {
        "crm.0001_initial": ("", model("Client")),
        "shop.0001_initial": ("", "migrations.RunPython(migrations.RunPython.noop)"),
    }
    history = replayed(written)
    assert [str(key) for key in graph(written).plan()] == ["crm.0001_initial", "shop.0001_initial"]
    assert history.state_before(MigrationKey("shop", "0001_initial")).model("crm", "Client") is None
    assert history.final.model("crm", "client") is not None


def test_a_missing_model_is_a_problem_and_the_rest_goes_on() -> None:
    written = one_app("migrations.DeleteModel('Ghost'), " + PLAIN)
    assert problems(written) == [("shop.0001_step", "unknown-model", "shop.Ghost does not exist at this point")]
    assert replayed(written).final.model("shop", "order") is not None


def test_missing_and_repeated_fields_are_problems() -> None:
    written = one_app(
        PLAIN,
        "migrations.RemoveField('order', 'ghost'), migrations.RenameField('order', 'ghost', 'other'), "
        "migrations.AlterField('order', 'spirit', models.TextField()), "
        "migrations.AddField('order', 'code', models.TextField())",
    )
    assert [kind for _, kind, _ in problems(written)] == [*["unknown-field"] * 3, "already-exists"]


INDEX = "migrations.AddIndex('order', models.Index(fields=['code'], name='{}'))"
INDEXED = model("Line", QTY, indexes="[models.Index(fields=['qty'], name='q')]")
APART = "migrations.SeparateDatabaseAndState(state_operations=[{}])"
# What is refused: the operations after a model `Order` with a field `code`, and the problem: kind, field, name, and
# whether it is Django's state or the database's part that fails.
REFUSED: dict[str, tuple[str, list[tuple[str, str | None, str | None, str]]]] = {
    "a model deleted twice": (
        "migrations.DeleteModel('Order'), migrations.DeleteModel('Order')",
        [("unknown-model", None, None, "state")],
    ),
    "a model renamed that is not there": (
        "migrations.RenameModel('Ghost', 'Spirit')",
        [("unknown-model", None, None, "state")],
    ),
    "a model created twice": (PLAIN, [("already-exists", None, None, "database")]),
    "a model renamed onto another": (
        model("Other") + ", migrations.RenameModel('Other', 'Order')",
        [("already-exists", None, None, "database")],
    ),
    "a field removed that is not there": (
        "migrations.RemoveField('order', 'ghost')",
        [("unknown-field", "ghost", None, "state")],
    ),
    "a field removed in another case": (
        "migrations.RemoveField('order', 'Code')",
        [("unknown-field", "Code", None, "state")],
    ),
    "a field renamed that is not there": (
        "migrations.RenameField('order', 'ghost', 'spirit')",
        [("unknown-field", "ghost", None, "state")],
    ),
    "a field altered that is not there": (
        "migrations.AlterField('order', 'ghost', models.TextField())",
        [("unknown-field", "ghost", None, "database")],
    ),
    "a field added twice": (
        "migrations.AddField('order', 'code', models.TextField(null=True))",
        [("already-exists", "code", None, "database")],
    ),
    "an index removed that is not there": (
        "migrations.RemoveIndex('order', 'ghost')",
        [("unknown-index", None, "ghost", "database")],
    ),
    "an index renamed that is not there": (
        "migrations.RenameIndex('order', new_name='spirit', old_name='ghost')",
        [("unknown-index", None, "ghost", "database")],
    ),
    "an index removed in another case": (
        INDEX.format("a") + ", migrations.RemoveIndex('order', 'A')",
        [("unknown-index", None, "A", "database")],
    ),
    "an index added twice": (
        ", ".join([INDEX.format("a")] * 2),
        [("already-exists", None, "a", "database")],
    ),
    "an index renamed onto another": (
        f"{INDEX.format('a')}, {INDEX.format('b')}, migrations.RenameIndex('order', new_name='b', old_name='a')",
        [("already-exists", None, "b", "database")],
    ),
    "a constraint removed that is not there": (
        "migrations.RemoveConstraint('order', 'ghost')",
        [("unknown-constraint", None, "ghost", "database")],
    ),
    "a constraint altered that is not there": (
        f"migrations.AlterConstraint('order', 'ghost', {UNIQUE.format('ghost')})",
        [],
    ),
    "the state alone told to remove an index that is not there": (
        APART.format("migrations.RemoveIndex('order', 'ghost')"),
        [],
    ),
    "the state alone told to create a model again": (APART.format(PLAIN), []),
    "the state alone told to remove a field that is not there": (
        APART.format("migrations.RemoveField('order', 'ghost')"),
        [("unknown-field", "ghost", None, "state")],
    ),
    "an index removed of a model that is not migrated": (
        model("Table", managed="False") + ", migrations.RemoveIndex('table', 'ghost')",
        [],
    ),
    "the index of a created model removed": (
        model("Line", QTY, indexes="[models.Index(fields=['qty'], name='q')]")
        + ", migrations.RemoveIndex('line', 'q')",
        [],
    ),
}
REFUSING = """
import importlib, json, sys
import django
from django.conf import settings
settings.configure(
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader


def refused(folder, labels):
    sys.path.insert(0, folder)
    for name in [name for name in sys.modules if name.partition(".")[0] in labels]:
        del sys.modules[name]
    importlib.invalidate_caches()
    apps.set_installed_apps(labels)
    connection.close()
    try:
        MigrationLoader(None).project_state()
    except Exception:
        return "state"
    try:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    except Exception:
        return "database"
    finally:
        apps.unset_installed_apps()
        sys.path.remove(folder)


print(json.dumps({name: refused(folder, labels) for name, (folder, labels) in json.load(sys.stdin).items()}))
"""


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """What fails in Django, by case: computing the state, or the database's part."""
    cases = {}
    for name, (operations, _) in REFUSED.items():
        folder = tmp_path_factory.mktemp("refused")
        cases[name] = (str(folder), write(folder, one_app(PLAIN, operations)))
    command = [sys.executable, "-W", "ignore", "-c", REFUSING]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("case", REFUSED)
def test_what_django_refuses_is_a_problem_and_nothing_else(case: str, refused: dict[str, str | None]) -> None:
    operations, wanted = REFUSED[case]
    steps = replayed(one_app(PLAIN, operations)).steps
    found = [
        (each.kind, each.field, each.name, "database" if each.in_database else "state")
        for step in steps
        for each in step.problems
    ]
    assert found == wanted
    assert refused[case] == (wanted[0][3] if wanted else None)


@pytest.mark.parametrize(
    "unread", ["custom.Operation()", "*more", "migrations.CreateModel(name(), [])"], ids=["custom", "unread", "unnamed"]
)
def test_what_cannot_be_read_makes_the_app_partial_and_silences_what_is_missing(unread: str) -> None:
    written = one_app(unread, "migrations.DeleteModel('Ghost')")
    assert problems(written) == []
    assert replayed(written).final.is_partial("shop")


def test_an_app_stays_whole_where_another_is_partial() -> None:
    written = {"shop.0001_initial": ("", PLAIN), "crm.0001_initial": ("shop.0001_initial", "custom.Operation()")}
    final = replayed(written).final
    assert (final.is_partial("shop"), final.is_partial("crm")) == (False, True)


def test_everything_remembers_what_last_made_it() -> None:
    added = "migrations.AddIndex('order', models.Index(fields=['code'], name='a'))"
    altered = "migrations.AlterField('order', 'code', models.TextField())"
    order = replayed(one_app(PLAIN, f"{added}, {altered}")).final.model("shop", "order")
    assert order is not None
    places = {name: (field.origin.migration.name, field.origin.path) for name, field in order.fields.items()}
    assert places == {"id": ("0001_step", (0,)), "code": ("0002_step", (1,))}
    assert order.origin.migration.name == "0001_step"
    assert [index.origin.path for index in order.indexes] == [(0,)]


def test_each_operation_is_a_step_with_its_path_and_what_it_touches() -> None:
    nested = (
        "migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL('SELECT 1')], "
        "state_operations=[migrations.AddField('order', 'n', models.TextField())])"
    )
    steps = replayed(one_app(PLAIN + ", " + nested)).steps
    assert [(step.path, step.touches_database, step.touches_state) for step in steps] == [
        ((0,), True, True),
        ((1,), True, True),
        ((1, "database_operations", 0), True, False),
        ((1, "state_operations", 0), False, True),
    ]


def test_steps_of_an_app_share_the_models_of_others() -> None:
    history = replayed(HISTORIES["two apps, one of which only sees its ancestors"])
    before, after = (
        state(MigrationKey("shop", "0002_more")).model("crm", "client")
        for state in (history.state_before, history.state_after)
    )
    assert before is not None
    assert before is after


def test_long_histories_are_replayed_quickly() -> None:
    written: dict[str, tuple[str, str]] = {}
    for number in range(1400):
        app, place = f"app{number % 40}", number // 40
        parents = f"{app}.{place - 1:04}" if place else ""
        beside = f" app{number % 40 - 1}.{place:04}" if number % 40 and place % 5 == 0 else ""
        first = model(f"M{place}") if place % 4 == 0 else "migrations.RunSQL(migrations.RunSQL.noop)"
        field = f"migrations.AddField('m{place // 4 * 4}', 'f{place}', models.TextField(null=True))"
        written[f"{app}.{place:04}"] = (parents + beside, f"{first}, {field}")
    built = graph(written)
    built.plan()
    started = time.process_time()
    history = replay(built, database=Database())
    spent = time.process_time() - started
    assert len(history.steps) == 2800
    # 0.3 s were measured beside other work; the bound is wide, as what it guards against grows with the square.
    assert spent < 1.25
