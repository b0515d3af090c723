"""The names that the database has, and what Django asks it for: as real statements have them."""

from __future__ import annotations

import pytest

from effects import actions
from miglint.project.action import Action, AddUnique, CreateIndex, CreateTable, DropTable, SetDefault
from miglint.project.columns import truncated, unnamed

KEY = "('id', models.BigAutoField(primary_key=True))"
CODE = "models.CharField(max_length=9)"
LONG = "SapSuccessFactorsEnterpriseCustomerConfigurationOfTheThirdGeneration"


def model(name: str, *, options: str = "{}", **fields: str) -> str:
    """`fields` are by name."""
    given = [KEY, *(f"({field!r}, {source})" for field, source in fields.items())]
    return f"migrations.CreateModel({name!r}, [{', '.join(given)}], options={options})"


def named(found: list[Action]) -> list[str]:
    return [f"{action.kind()} {getattr(action, 'name', '')}" for action in found]


def test_a_long_table_name_is_cut_as_django_cuts_it() -> None:
    (made,) = (each for each in actions("[]", model(LONG)) if isinstance(each, CreateTable))
    assert made.table == truncated(f"app_{LONG.lower()}", 63)
    assert len(made.table) == 63
    assert truncated("short", 63) == "short"


@pytest.mark.parametrize(
    ("table", "column", "label", "name"),
    [
        (
            "enterprise_enterprisecustomeridentityprovider",
            "enterprise_customer_id",
            "key",
            "enterprise_enterprisecustomeridentit_enterprise_customer_id_key",
        ),
        (
            "integrated_channel_genericlearnerdatatransmissionaudit",
            "enterprise_course_enrollment_id",
            "check",
            "integrated_channel_genericle_enterprise_course_enrollment_check",
        ),
        ("app_item", "code", "key", "app_item_code_key"),
    ],
)
def test_postgresql_cuts_the_longer_part_of_a_name_that_it_makes(
    table: str, column: str, label: str, name: str
) -> None:
    assert unnamed(table, (column,), label) == name


INDEXED = "models.CharField(max_length=9, db_index=True)"


def test_an_index_keeps_its_name_when_its_table_is_renamed() -> None:
    before = f"[{model('Item', code=INDEXED)}, migrations.RenameModel('Item', 'Thing')]"
    found = actions(before, f"migrations.AlterField('thing', 'code', {CODE})")
    assert named(found)[0].startswith("drop-index app_item_code_")


def test_a_constraint_of_meta_on_the_same_columns_is_not_the_one_that_is_dropped() -> None:
    item = model("Item", code=CODE, kind=CODE, options="{'unique_together': {('code', 'kind')}}")
    meta = "models.UniqueConstraint(fields=['code', 'kind'], name='meta')"
    before = f"[{item}, migrations.RenameModel('Item', 'Thing'), migrations.AddConstraint('thing', {meta})]"
    (dropped,) = named(actions(before, "migrations.AlterUniqueTogether('thing', {})"))
    assert dropped.startswith("drop-constraint app_item_code_kind_")


def test_an_index_that_has_the_new_name_already_is_not_renamed() -> None:
    index = "migrations.AddIndex('item', models.Index(fields=['code', 'kind'], name='new'))"
    before = f"[{model('Item', code=CODE, kind=CODE)}, {index}]"
    rename = "migrations.RenameIndex('item', new_name={!r}, old_fields=('code', 'kind'))"
    assert actions(before, rename.format("new")) == []
    assert named(actions(before, rename.format("newer"))) == ["rename-index new"]


def test_the_key_of_a_join_table_has_a_twin_where_it_is_text() -> None:
    country = "migrations.CreateModel('Country', [('code', models.CharField(max_length=2, primary_key=True))])"
    found = actions(f"[{country}]", model("Shop", to="models.ManyToManyField('app.Country')"))
    twins = [each for each in found if isinstance(each, CreateIndex) and each.name.endswith("_like")]
    assert [(each.table, each.columns) for each in twins] == [("app_shop_to", ("country_id",))]


def test_what_waits_for_a_table_that_is_made_again_is_not_given_up() -> None:
    found = actions(f"[{model('Item')}]", f"[migrations.DeleteModel('Item'), {model('Item', code=INDEXED)}]")
    assert [type(each) for each in found] == [DropTable, CreateTable, CreateIndex, CreateIndex]


def test_nothing_is_done_for_a_model_that_another_is_in_the_place_of() -> None:
    swapped = model("User", options="{'swappable': 'AUTH_USER_MODEL'}")
    assert actions("[]", swapped, swappable={"AUTH_USER_MODEL": "people.Person"}) == []
    assert actions("[]", swapped, swappable={"AUTH_USER_MODEL": "app.User"}) != []


def test_a_key_that_names_the_primary_key_it_refers_to_is_the_same_key() -> None:
    key = "models.ForeignKey('app.Other', models.CASCADE)"
    said = "models.ForeignKey('app.Other', models.CASCADE, to_field='id')"
    before = f"[{model('Other')}, {model('Item', other=said)}]"
    assert actions(before, f"migrations.AlterField('item', 'other', {key})") == []


@pytest.mark.parametrize(("shown", "kinds"), [("items", ["drop-foreign-key", "add-foreign-key"]), ("+", [])])
def test_a_relation_that_the_other_model_does_not_show_stays_when_that_is_renamed(shown: str, kinds: list[str]) -> None:
    key = f"models.ForeignKey('app.Other', models.CASCADE, related_name={shown!r})"
    found = actions(f"[{model('Other')}, {model('Item', other=key)}]", "migrations.RenameModel('Other', 'Another')")
    assert [each.kind() for each in found if each.kind() not in ("rename-table", "reference")] == kinds


@pytest.mark.parametrize(("default", "given"), [("uuid.uuid4", True), ("dict", False), ("3", False)])
def test_a_default_that_differs_each_time_is_given_to_the_rows(default: str, given: bool) -> None:
    null, full = (f"models.CharField(max_length=99, default={default}, null={null})" for null in (True, False))
    found = actions(f"[{model('Item', a=null)}]", f"migrations.AlterField('item', 'a', {full})")
    assert any(isinstance(each, SetDefault) for each in found) is given


def test_a_new_primary_key_is_no_unique_constraint_besides() -> None:
    before = f"[{model('Item')}, migrations.RemoveField('item', 'id')]"
    found = actions(before, "migrations.AddField('item', 'id', models.UUIDField(primary_key=True, default=1))")
    assert found != []
    assert not [each for each in found if isinstance(each, AddUnique)]


@pytest.mark.parametrize(("django", "waits"), [((5, 0), True), ((5, 1), False)])
def test_index_together_of_a_new_model_is_built(django: tuple[int, ...], waits: bool) -> None:
    made = model("Item", a=CODE, b=CODE, options="{'index_together': {('a', 'b')}}")
    (found,) = (each for each in actions("[]", made, django=django) if isinstance(each, CreateIndex))
    assert (found.columns, found.deferred) == (("a", "b"), waits)
