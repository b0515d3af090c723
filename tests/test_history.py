"""What each operation sees: the state of its migration's ancestors, and the database as the plan leaves it."""

from __future__ import annotations

from collections.abc import Mapping

from miglint.database import Database
from miglint.project.graph import Graph
from miglint.project.history import History, replay
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.state import ProjectState
from miglint.syntax.reader import read

MODULE = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [{dependencies}]
    operations = [{operations}]
"""
ID = "('id', models.BigAutoField(primary_key=True))"
ORDER = f"migrations.CreateModel('Order', [{ID}])"


def history(migrations: Mapping[str, tuple[str, str]]) -> History:
    """The history of migrations by `app.name`: what they depend on, and their operations."""
    found = []
    for name, (parents, operations) in migrations.items():
        dependencies = ", ".join(repr(tuple(parent.split("."))) for parent in parents.split())
        text = MODULE.format(dependencies=dependencies, operations=operations)
        key = MigrationKey(*name.split("."))
        found.append(interpret(key, f"/{key}.py", read(text)))
    return replay(Graph.build(found), database=Database())


def key(name: str) -> MigrationKey:
    return MigrationKey(*name.split("."))


def field_names(state: ProjectState, app: str, model: str) -> list[str]:
    found = state.model(app, model)
    return list(found.fields) if found is not None else []


def add(field: str, to: str = "Order") -> str:
    return f"migrations.AddField('{to}', '{field}', models.IntegerField(null=True))"


def plan(found: History) -> list[str]:
    return list(dict.fromkeys(str(step.migration.key.name) for step in found.steps))


# -- ancestors, not the plan ------------------------------------------------------------------------------

FORGOTTEN = {
    "a.0001": ("", f"migrations.CreateModel('Customer', [{ID}])"),
    "b.0001": ("", ORDER),
    "b.0002": (
        "b.0001",
        "migrations.AddField('Order', 'customer', models.ForeignKey('a.Customer', models.CASCADE, null=True))",
    ),
}


def test_a_model_of_an_app_that_nothing_depends_on_is_not_in_the_state() -> None:
    found = history(FORGOTTEN)
    [step] = found.steps_of(key("b.0002"))
    assert [str(each.migration.key.app) for each in found.steps] == ["a", "b", "b"]
    assert (step.before.model("a", "customer"), step.after.model("a", "customer")) == (None, None)
    assert field_names(step.after, "b", "order") == ["id", "customer"]


def test_a_model_of_an_app_that_nothing_depends_on_is_in_the_plan_and_its_table_in_the_database() -> None:
    found = history(FORGOTTEN)
    [step] = found.steps_of(key("b.0002"))
    assert field_names(found.final, "a", "customer") == ["id"]
    assert step.schema_before.table("a_customer") is not None


def test_a_dependency_puts_the_model_into_the_state() -> None:
    found = history({**FORGOTTEN, "b.0002": ("b.0001 a.0001", FORGOTTEN["b.0002"][1])})
    [step] = found.steps_of(key("b.0002"))
    assert field_names(step.before, "a", "customer") == ["id"]


def test_a_dependency_holds_for_all_that_come_after() -> None:
    found = history({**FORGOTTEN, "b.0001": ("a.0001", ORDER)})
    assert field_names(found.state_before(key("b.0002")), "a", "customer") == ["id"]


def test_a_state_holds_a_model_as_old_as_the_dependency() -> None:
    later = add("age", to="Customer")
    found = history({**FORGOTTEN, "a.0002": ("a.0001", later), "b.0001": ("a.0001", ORDER)})
    assert field_names(found.state_after(key("b.0002")), "a", "customer") == ["id"]
    assert field_names(found.final, "a", "customer") == ["id", "age"]


# -- halves of an operation -------------------------------------------------------------------------------


def halves(*, database: str = "", state: str = "") -> History:
    separate = f"migrations.SeparateDatabaseAndState(database_operations=[{database}], state_operations=[{state}])"
    return history({"shop.0001": ("", ORDER), "shop.0002": ("shop.0001", separate)})


def test_database_operations_change_the_database_and_not_the_state() -> None:
    found = halves(database=add("total"))
    _, step = found.steps_of(key("shop.0002"))
    assert (step.touches_database, step.touches_state, len(step.actions) > 0) == (True, False, True)
    assert field_names(found.state_after(key("shop.0002")), "shop", "order") == ["id"]
    table = step.schema_after.table("shop_order")
    assert table is not None
    assert "total" in table.columns


def test_state_operations_change_the_state_and_not_the_database() -> None:
    found = halves(state=add("total"))
    _, step = found.steps_of(key("shop.0002"))
    assert (step.touches_database, step.touches_state, step.actions) == (False, True, ())
    assert step.schema_after == step.schema_before
    assert field_names(found.state_after(key("shop.0002")), "shop", "order") == ["id", "total"]


def test_database_operations_see_each_other_and_state_operations_do_not_see_them() -> None:
    found = halves(database=f"{add('total')}, {add('tax')}", state=add("note"))
    _, total, tax, note = found.steps_of(key("shop.0002"))
    assert field_names(total.before, "shop", "order") == ["id"]
    assert field_names(tax.before, "shop", "order") == ["id", "total"]
    assert field_names(note.before, "shop", "order") == ["id"]
    assert field_names(found.final, "shop", "order") == ["id", "note"]


def test_both_halves_nested_in_one_another_touch_neither() -> None:
    inner = f"migrations.SeparateDatabaseAndState(state_operations=[{add('total')}])"
    found = halves(database=inner)
    *_, step = found.steps_of(key("shop.0002"))
    assert (step.path, step.touches_database, step.touches_state, step.actions) == (
        (0, "database_operations", 0, "state_operations", 0),
        False,
        False,
        (),
    )
    assert field_names(found.final, "shop", "order") == ["id"]


# -- branches ---------------------------------------------------------------------------------------------


def branches(left: str, right: str, *, base: str = ORDER) -> History:
    return history(
        {
            "shop.0001": ("", base),
            "shop.0002_a": ("shop.0001", left),
            "shop.0002_b": ("shop.0001", right),
            "shop.0003": ("shop.0002_a shop.0002_b", ""),
        }
    )


def test_a_branch_does_not_see_the_other() -> None:
    found = branches(add("total"), add("tax"))
    # Source: Node.__lt__ and MigrationGraph.iterative_dfs, which takes the last parent first
    assert plan(found) == ["0001", "0002_b", "0002_a"]
    assert field_names(found.state_before(key("shop.0002_a")), "shop", "order") == ["id"]
    assert field_names(found.state_after(key("shop.0002_a")), "shop", "order") == ["id", "total"]


def test_a_merge_sees_the_fields_of_both_branches_in_the_order_of_the_plan() -> None:
    found = branches(add("total"), add("tax"))
    assert field_names(found.state_before(key("shop.0003")), "shop", "order") == ["id", "tax", "total"]
    assert field_names(found.final, "shop", "order") == ["id", "tax", "total"]


def test_a_merge_sees_the_models_of_both_branches() -> None:
    create = "migrations.CreateModel('{}', [" + ID + "])"
    state = branches(create.format("Line"), create.format("Note")).state_before(key("shop.0003"))
    assert sorted(model.name for model in state.models()) == ["Line", "Note", "Order"]


def test_where_both_branches_alter_a_field_the_later_in_the_plan_wins() -> None:
    base = f"migrations.CreateModel('Order', [{ID}, ('code', models.CharField(max_length=1))])"
    alter = "migrations.AlterField('Order', 'code', models.CharField(max_length={}))"
    state = branches(alter.format(2), alter.format(3), base=base).state_before(key("shop.0003"))
    order = state.model("shop", "order")
    assert order is not None
    assert order.fields["code"].origin.migration == key("shop.0002_a")


def test_where_one_branch_removes_a_field_the_others_fields_stay() -> None:
    base = f"migrations.CreateModel('Order', [{ID}, ('code', models.CharField(max_length=1))])"
    found = branches("migrations.RemoveField('Order', 'code')", add("total"), base=base)
    assert field_names(found.state_before(key("shop.0003")), "shop", "order") == ["id", "total"]


def test_where_one_branch_deletes_a_model_the_others_field_is_gone_with_it() -> None:
    found = branches("migrations.DeleteModel('Order')", add("total"))
    assert found.state_before(key("shop.0003")).model("shop", "order") is None


def test_where_one_branch_renames_a_model_its_new_name_has_what_was_added_before() -> None:
    found = branches("migrations.RenameModel('Order', 'Purchase')", add("total"))
    state = found.state_before(key("shop.0003"))
    assert [field_names(state, "shop", name) for name in ("order", "purchase")] == [[], ["id", "total"]]
