"""What the code of a RunPython does with models and SQL, followed through variables, functions and files."""

from __future__ import annotations

from miglint.database import Database
from miglint.project.graph import Graph
from miglint.project.history import replay
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.naming import named
from miglint.project.source_module import SourceModule
from miglint.project.usage import Called, GetModel, Query, RawSQL, Rows, Usage
from miglint.project.usages import Usages
from miglint.syntax.facts import Expr, Items, Literal, Template
from miglint.syntax.reader import read

HEADER = "import functools\nfrom django.db import connection, migrations, models\nfrom django.conf import settings\n"
INITIAL = (
    HEADER
    + """
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Customer", [("id", models.AutoField(primary_key=True)), ("name", models.TextField())]),
        migrations.CreateModel("Tag", [("id", models.AutoField(primary_key=True))]),
        migrations.CreateModel("Order", [
            ("id", models.AutoField(primary_key=True)),
            ("customer", models.ForeignKey("shop.Customer", models.CASCADE, related_name="orders")),
            ("tags", models.ManyToManyField("shop.Tag")),
            ("total", models.IntegerField()),
        ]),
    ]
"""
)


def usage(code: str, operation: str = "migrations.RunPython(forwards)", **modules: str) -> Usage:
    """What an operation does whose file has `code`; `modules` are those that it can import, by name."""
    text = f"{HEADER}{code}\n\nclass Migration(migrations.Migration):\n"
    text += f"    dependencies = [('shop', '0001_initial')]\n    operations = [{operation}]\n"
    key = MigrationKey("shop", "0002_data")
    facts = read(text)
    first = interpret(MigrationKey("shop", "0001_initial"), "0001_initial.py", read(INITIAL))
    graph = Graph.build([first, interpret(key, "0002_data.py", facts)])

    def imported(name: str) -> SourceModule | None:
        source = modules.get(name.strip(".").replace(".", "_"))
        return SourceModule(f"{name}.py", read(source), imported) if source is not None else None

    usages = Usages(module_of=lambda _: SourceModule("0002_data.py", facts, imported), vendor="postgresql")
    return replay(graph, database=Database(), usages=usages).steps_of(key)[0].usage


def forwards(body: str, before: str = "") -> Usage:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return usage(f"{before}\ndef forwards(apps, schema_editor):\n{lines}\n")


def queries(found: Usage) -> list[str]:
    """`shop.order.filter` for each query, in the order of the code."""
    return [f"{query.key}.{query.method}" for query in found.of(Query)]


def test_the_arguments_may_have_any_name_and_models_any_spelling() -> None:
    found = usage(
        'LABEL = "shop.Tag"\ndef forwards(registry, _):\n    registry.get_model("shop", "Order").objects.count()\n'
        '    registry.get_model("shop.Customer").objects.count()\n'
        '    registry.get_model(app_label="shop", model_name="Tag").objects.all()\n'
        "    registry.get_model(LABEL).objects.first()\n"
        '    get = registry.get_model\n    get("shop", "tag").objects.last()\n'
        '    registry.get_app_config("shop").get_model("Order").objects.none()\n'
    )
    expected = ["order.count", "customer.count", "tag.all", "tag.first", "tag.last", "order.none"]
    assert queries(found) == [f"shop.{each}" for each in expected]
    assert [(each.app, each.name) for each in found.of(GetModel)][:2] == [("shop", "Order"), ("shop", "Customer")]


def test_a_name_that_cannot_be_read_gives_nothing_to_query() -> None:
    found = forwards('name = compute()\napps.get_model("shop", name).objects.count()')
    assert [(each.app, each.name) for each in found.of(GetModel)] == [("shop", None)]
    assert queries(found) == []


def test_values_flow_through_functions_partials_and_lambdas() -> None:
    helper = (
        'def models_of(apps):\n    return apps.get_model("shop", "Order"), apps.get_model("shop", "Tag")\n'
        "def clear(model, *, using):\n    model.objects.using(using).delete()\n"
    )
    body = 'Order, Tag = models_of(apps)\nclear(Order, using="x")\n(lambda m: m.objects.count())(Tag)\n'
    assert queries(forwards(body, helper)) == ["shop.order.using", "shop.order.delete", "shop.tag.count"]
    code = 'def fill(name, apps, editor):\n    apps.get_model("shop", name).objects.count()\n'
    assert queries(usage(code, 'migrations.RunPython(functools.partial(fill, "Order"))')) == ["shop.order.count"]


def test_factories_callable_instances_and_methods_of_the_class_are_followed() -> None:
    inner = 'apps.get_model("shop", name).objects.count()\n'
    factory = f"def make(name):\n    def inner(apps, editor):\n        {inner}    return inner\n"
    assert queries(usage(factory, 'migrations.RunPython(make("Order"))')) == ["shop.order.count"]
    instance = (
        "class Fill:\n    def __call__(self, apps, editor):\n        self.count(apps)\n"
        '    def count(self, apps):\n        apps.get_model("shop", "Tag").objects.count()\n'
    )
    assert queries(usage(instance, "migrations.RunPython(Fill())")) == ["shop.tag.count"]


def test_functions_of_other_files_are_followed_and_say_where_they_stand() -> None:
    helper = 'def fill(apps, editor):\n    from .more import rest\n    rest(apps.get_model("shop", "Order"))\n'
    more = "def rest(model):\n    model.objects.count()\n"
    found = usage("from .helper import fill", "migrations.RunPython(fill)", helper=helper, more=more)
    (query,) = found.of(Query)
    assert (str(query.key), query.module.path, query.code.name) == ("shop.order", ".more.py", "rest")
    called, _ = found.of(Called)
    assert (called.path, called.target and called.target.path) == (".helper.fill", ".helper.py")
    missing = usage("from elsewhere import fill", "migrations.RunPython(fill)")
    (called,) = missing.of(Called)
    assert (called.path, called.target, missing.is_complete) == ("elsewhere.fill", None, False)


def test_files_that_import_each_other_and_code_that_calls_itself_end() -> None:
    one, two = "from .two import fill\n", "from .one import fill\n"
    assert not usage("from .one import fill", "migrations.RunPython(fill)", one=one, two=two).is_complete
    assert not forwards("forwards(apps, schema_editor)").is_complete


def test_loops_give_rows_and_rows_lead_along_relations() -> None:
    found = forwards(
        'Order = apps.get_model("shop", "Order")\nfor order in Order.objects.all().iterator():\n'
        "    order.customer.save()\n    order.tags.add(1)\n    for other in order.customer.orders.all():\n"
        "        other.save()\n"
    )
    written = [query for query in found.of(Query) if query.method in ("save", "add")]
    assert [f"{each.key}.{each.method}" for each in written] == [
        "shop.customer.save",
        "shop.tag.add",
        "shop.order.save",
    ]
    loop = written[0].loop
    assert loop is not None
    assert (loop.key.name, loop.is_batched, loop.is_filtered) == ("order", True, False)


def test_querysets_remember_how_they_were_made() -> None:
    found = forwards(
        'Order = apps.get_model("shop", "Order")\nrows = Order.objects.using("x").filter(total=1).annotate(twice=2)\n'
        "rows[:10].delete()\nrows.values('total').update(total=2)\nOrder.objects.all().update(total=1)\n"
    )
    deleted, _, updated, _, unfiltered = (each.on for each in list(found.of(Query))[3:])
    assert isinstance(deleted, Rows)
    assert isinstance(updated, Rows)
    assert isinstance(unfiltered, Rows)
    assert (deleted.is_sliced, deleted.is_filtered, deleted.has_alias, deleted.names) == (True, True, True, {"twice"})
    assert (updated.are_rows, unfiltered.is_filtered, unfiltered.is_manager) == (False, False, False)


def test_what_branches_leave_differently_is_not_known() -> None:
    body = (
        'if x:\n    M = apps.get_model("shop", "Order")\nelse:\n    M = apps.get_model("shop", "Tag")\nM.objects.all()'
    )
    assert queries(forwards(body)) == []
    body = 'if x:\n    M = apps.get_model("shop", "Order")\nelse:\n    return\nM.objects.all()'
    (query,) = forwards(body).of(Query)
    assert (str(query.key), query.is_guarded) == ("shop.order", False)


def test_conditions_and_early_returns_guard_what_they_lead_to() -> None:
    found = forwards(
        'Order = apps.get_model("shop", "Order")\nOrder.objects.count()\nif Order.objects.exists():\n    return\n'
        "Order.objects.create()\n"
    )
    assert [(each.method, each.is_guarded) for each in found.of(Query)] == [
        ("count", False), ("exists", False), ("create", True),
    ]  # fmt: skip


def test_what_the_code_asks_for_first_may_be_missing() -> None:
    order = 'order = apps.get_model("shop", "Order").objects.first()\n'
    for body in (
        'if hasattr(order, "close"):\n    order.close()',
        'if not hasattr(order, "close"):\n    return\norder.close()',
        'hasattr(order, "close") and order.close()',
        'order.close() if hasattr(order, "close") else None',
        'if "order" in apps.all_models["shop"]:\n    order.close()',
    ):
        found = [(each.method, each.is_tried) for each in forwards(order + body).of(Query)]
        assert found == [("first", False), ("close", True)], body
    beside = 'if hasattr(order, "close"):\n    pass\norder.close() if order else None\norder.open()'
    assert [each.is_tried for each in forwards(order + beside).of(Query)] == [False, False, False]


def test_the_database_may_be_asked_for_first() -> None:
    helper = 'def fill(apps):\n    apps.get_model("shop", "Order").objects.count()\n'
    for body in (
        'if schema_editor.connection.alias != "default":\n    return\nfill(apps)',
        'alias = schema_editor.connection.alias\nif alias == "default":\n    fill(apps)',
        'if not router.allow_migrate("default", "shop"):\n    return\nfill(apps)',
    ):
        assert [each.is_chosen for each in forwards(body, helper).of(Query)] == [True], body
    beside = 'if schema_editor.connection.alias == "default":\n    print("now")\nfill(apps)'
    assert [each.is_chosen for each in forwards(beside, helper).of(Query)] == [False]


def test_what_a_partial_keeps_and_what_map_is_given_are_called() -> None:
    before = "from elsewhere import load, clean\nkept = functools.partial(load, 1)\n"
    found = forwards("kept()\nlist(map(clean, [1]))\nfilter(None, [1])\n", before)
    assert [each.path for each in found.of(Called)] == [
        "elsewhere.load", "kept", "map", "elsewhere.clean", "list", "filter",
    ]  # fmt: skip
    helper = "def save(order):\n    order.save()\n"
    (_, saved) = forwards('list(map(save, apps.get_model("shop", "Order").objects.all()))', helper).of(Query)
    assert (saved.method, str(saved.key), saved.is_looped, saved.loop is not None) == ("save", "shop.order", True, True)


def test_sql_of_cursors_and_of_the_schema_editor_is_seen() -> None:
    found = forwards(
        'with connection.cursor() as cursor:\n    cursor.execute(QUERY)\nschema_editor.execute("b")\n'
        'with schema_editor.connection.cursor() as c:\n    c.executemany(f"c {x}", [])\n'
        'connection.cursor().execute("d")',
        'QUERY = "a"',
    )
    texts = [each.text for each in found.of(RawSQL)]
    assert [each.text if isinstance(each, Literal) else type(each) for each in texts] == ["a", "b", Template, "d"]


def test_forwards_and_backwards_are_told_apart() -> None:
    code = (
        'def one(apps, e):\n    apps.get_model("shop", "Order").objects.count()\n'
        'def two(apps, e):\n    apps.get_model("shop", "Tag").objects.count()\n'
    )
    found = usage(code, "migrations.RunPython(one, reverse_code=two)")
    assert [str(each.key) for each in found.of(Query)] == ["shop.order"]
    assert [str(each.key) for each in found.of(Query, "reverse")] == ["shop.tag"]


def test_what_runs_on_another_database_only_is_left_out() -> None:
    found = forwards(
        'Order = apps.get_model("shop", "Order")\nif schema_editor.connection.vendor == "sqlite":\n'
        '    Order.objects.count()\nif schema_editor.connection.vendor not in ("postgresql", "mysql"):\n    return\n'
        "Order.objects.first()\n"
    )
    assert [(each.method, each.is_guarded) for each in found.of(Query)] == [("first", False)]
    assert queries(forwards('if schema_editor.connection.vendor != "postgresql":\n    return\n')) == []


def test_sql_that_is_put_together_says_whether_from_constants_alone() -> None:
    found = forwards(
        'Order = apps.get_model("shop", "Order")\nfor table in ("a", "b"):\n'
        '    schema_editor.execute(f"DELETE FROM {table}")\n'
        'schema_editor.execute("DELETE FROM %s" % Order._meta.db_table)\n'
        'schema_editor.execute("DELETE FROM {}".format(NAME))\n'
        'for order in Order.objects.all():\n    schema_editor.execute(f"DELETE FROM x WHERE id = {order.pk}")\n',
        'NAME = "c"',
    )
    assert [each.is_written for each in found.of(RawSQL)] == [True, True, True, True, False]


def test_written_lists_are_gone_through_one_by_one_and_texts_are_put_together() -> None:
    found = forwards(
        'for name in ("Order", "Tag"):\n    apps.get_model(f"{APP}.{name}").objects.count()\n'
        'apps.get_model(APP + "." + "Customer").objects.bulk_update([], FIELDS)\n'
        'Order = apps.get_model(APP, "Order")\nschema_editor.execute(f"ANALYZE {Order._meta.db_table}")\n',
        'APP = "shop"\nFIELDS = ["name"]',
    )
    assert queries(found) == ["shop.order.count", "shop.tag.count", "shop.customer.bulk_update"]
    (sql,) = found.of(RawSQL)
    assert sql.text == Literal("str", "ANALYZE shop_order")
    assert [each.path for each in named(list(found.of(Query))[-1])] == ["name"]


def test_decorators_and_attributes_of_instances_are_followed() -> None:
    decorated = (
        "def with_model(function):\n    def run(apps, editor):\n"
        '        return function(apps.get_model("shop", "Order"))\n    return run\n'
        "@with_model\ndef fill(model):\n    model.objects.count()\n"
    )
    assert queries(usage(decorated, "migrations.RunPython(fill)")) == ["shop.order.count"]
    instance = (
        "class Base:\n    def __call__(self, apps, editor):\n"
        "        apps.get_model(self.app, self.name).objects.count()\n"
        'class Fill(Base):\n    app = "shop"\n    def __init__(self, name):\n        self.name = name\n'
    )
    assert queries(usage(instance, 'migrations.RunPython(Fill("Tag"))')) == ["shop.tag.count"]


def test_what_a_factory_gives_may_be_unpacked() -> None:
    factory = (
        'def make(name):\n    def inner(apps, editor):\n        apps.get_model("shop", name).objects.count()\n'
        '    return inner, inner\nfill, back = make("Order")\n'
    )
    assert queries(usage(factory, "migrations.RunPython(fill)")) == ["shop.order.count"]


def test_of_functions_that_a_condition_chooses_from_each_may_be_the_one() -> None:
    one = 'def forwards(apps, schema_editor):\n    apps.get_model("shop", "Order").objects.count()\n'
    other = one.replace("count", "exists")
    indented = ["".join(f"    {line}\n" for line in each.splitlines()) for each in (one, other)]
    found = usage(f"import sys\nif sys.argv:\n{indented[0]}else:\n{indented[1]}")
    assert [(each.method, each.is_guarded) for each in found.of(Query)] == [("count", True), ("exists", True)]
    assert found.is_complete
    # The later one takes the place of the one before it.
    assert queries(usage(f"{one}{other}")) == ["shop.order.exists"]
    helper = "".join(each.replace("forwards(apps, schema_editor)", "fill(apps)") for each in ("try:\n", indented[0]))
    helper += "except ImportError:\n" + indented[1].replace("forwards(apps, schema_editor)", "fill(apps)")
    assert queries(forwards("fill(apps)", helper)) == ["shop.order.count", "shop.order.exists"]


def test_what_is_awaited_is_followed() -> None:
    found = usage(
        "from asgiref.sync import async_to_sync\n"
        "async def fill(apps):\n"
        "    Order = apps.get_model('shop', 'Order')\n"
        "    async for order in Order.objects.filter(total=1):\n        await order.asave()\n"
        "    one = await Order.objects.aget(pk=1)\n    await one.adelete()\n"
        "def forwards(apps, schema_editor):\n"
        "    async_to_sync(fill)(apps)\n"
        "    async_to_sync(apps.get_model('shop', 'Tag').objects.aupdate)(id=1)\n"
    )
    expected = ["order.filter", "order.asave", "order.aget", "order.adelete", "tag.aupdate"]
    assert queries(found) == [f"shop.{each}" for each in expected]


def test_a_shortcut_gets_a_row() -> None:
    found = forwards(
        "get_object_or_404(apps.get_model('shop', 'Order'), pk=1).customer.save()",
        "from django.shortcuts import get_object_or_404",
    )
    assert queries(found) == ["shop.order.get", "shop.customer.save"]


def test_dictionaries_of_constants_are_followed() -> None:
    found = forwards(
        'for app, name in {"shop": "Order", "Shop": "x"}.items():\n    apps.get_model(app, name)\n'
        "for name in NAMES:\n    apps.get_model('shop', name)\n"
        "apps.get_model('shop', NAMES['Tag'])\n"
        "own = {'a': 'Order'}\nown['a'] = str(apps)\napps.get_model('shop', own['a'])\n"
        "for name in dict(NAMES).values():\n    apps.get_model('shop', name)\n"
        "apps.get_model('shop.Tag', require_ready=False)",
        'NAMES = {"Tag": "Customer", "Order": "Order"}',
    )
    asked = [(each.app, each.name) for each in found.of(GetModel)]
    assert asked == [
        ("shop", "Order"), ("Shop", "x"), ("shop", "Tag"), ("shop", "Order"), ("shop", "Customer"), ("shop", None),
        ("shop", None), ("shop", "Tag"),
    ]  # fmt: skip


def test_conditions_are_filled_with_the_constants_that_they_name() -> None:
    found = forwards(
        'Order = apps.get_model("shop", "Order")\nOrder.objects.filter(total=TOTAL, pk__in=KEYS).values_list(NAME)\n'
        "for old, new in [(1, 2), (3, 4)]:\n    Order.objects.filter(total=old)",
        'TOTAL = 3\nKEYS = ["a", "b"]\nNAME = "total"',
    )
    given = [(*each.call.arguments, *(word.value for word in each.call.keywords)) for each in found.of(Query)]
    asked = [[_text(value) for value in values] for values in given]
    assert asked == [["3", ["a", "b"]], ["total"], ["1"], ["3"]]


def _text(value: Expr) -> object:
    return list(map(_text, value.items)) if isinstance(value, Items) else getattr(value, "text", "")
