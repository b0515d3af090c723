"""Whether a step can be undone, what it loses, and what the releases beside it can do."""

from __future__ import annotations

import pytest

from effects import POSTGRESQL, history_of
from miglint.database import Database
from miglint.project.consequences import Consequences
from miglint.project.truth import Truth

ITEM = (
    "migrations.CreateModel('Item', [('id', models.BigAutoField(primary_key=True)),"
    " ('name', models.CharField(max_length=50)), ('qty', models.IntegerField()), ('val', {field})])"
)
SQLITE = Database(vendor="sqlite", version=(3, 40))
YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN


def after(
    operation: str, *, val: str = "models.IntegerField(null=True)", database: Database = POSTGRESQL
) -> Consequences:
    """The consequences of an operation on a model with the field `val`."""
    history, keys = history_of([ITEM.format(field=val), operation], database=database)
    step = history.steps_of(keys[-1])[-1]
    return Consequences(step, database=database, django_version=(5, 2), swappable={})


@pytest.mark.parametrize(
    ("operation", "reversible"),
    [
        ("migrations.AddField('item', 'x', models.IntegerField(null=True))", YES),
        ("migrations.RunPython(code)", NO),
        ("migrations.RunPython(code, None)", NO),
        ("migrations.RunPython(code, migrations.RunPython.noop)", YES),
        ("migrations.RunPython(*pair)", UNKNOWN),
        ("migrations.RunSQL('SELECT 1')", NO),
        ("migrations.RunSQL('SELECT 1', '')", YES),
        ("SomethingElse()", UNKNOWN),
        ("migrations.SeparateDatabaseAndState([migrations.RunSQL('SELECT 1')])", NO),
        ("migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel('item')])", YES),
    ],
)
def test_what_can_be_undone(operation: str, reversible: Truth) -> None:
    history, keys = history_of([ITEM.format(field="models.IntegerField()"), operation])
    step = next(step for step in history.steps_of(keys[-1]) if len(step.path) == 1)
    assert Consequences(step, database=POSTGRESQL, django_version=(5, 2), swappable={}).reversible is reversible


@pytest.mark.parametrize(
    ("operation", "loses", "undone"),
    [
        ("migrations.RemoveField('item', 'val')", YES, NO),
        ("migrations.DeleteModel('item')", YES, NO),
        ("migrations.AddField('item', 'x', models.IntegerField(null=True))", NO, YES),
        ("migrations.CreateModel('Other', [('id', models.BigAutoField(primary_key=True))])", NO, YES),
        ("migrations.AlterField('item', 'val', models.CharField(max_length=9))", UNKNOWN, NO),
        ("migrations.AlterField('item', 'val', models.IntegerField(default=1))", YES, NO),
        ("migrations.AddIndex('item', models.Index(fields=['val'], name='i'))", NO, NO),
        ("migrations.RunSQL('DELETE FROM app_item', '')", YES, NO),
        ("migrations.RunSQL('CREATE TABLE t (id int)', 'DROP TABLE t')", NO, YES),
        ("migrations.RunPython(code, migrations.RunPython.noop)", UNKNOWN, NO),
        ("migrations.RunPython(migrations.RunPython.noop, back)", NO, UNKNOWN),
    ],
)
def test_what_is_lost_on_the_way_and_on_the_way_back(operation: str, loses: Truth, undone: Truth) -> None:
    found = after(operation)
    assert (found.loses_data, found.reverse_loses_data) == (loses, undone)


def test_a_generated_column_holds_nothing_of_its_own() -> None:
    generated = "models.GeneratedField(expression=F('qty') + 1, output_field=models.IntegerField(), db_persist=True)"
    assert after(f"migrations.AddField('item', 'x', {generated})").reverse_loses_data is NO


def test_a_date_keeps_less_than_a_time_but_on_sqlite_nothing_is_converted() -> None:
    operation = "migrations.AlterField('item', 'val', models.DateField())"
    assert after(operation, val="models.DateTimeField()").loses_data is YES
    assert after(operation, val="models.DateTimeField()", database=SQLITE).loses_data is NO


def test_text_that_is_cut_depends_on_the_text() -> None:
    operation = "migrations.AlterField('item', 'val', models.CharField(max_length=50))"
    assert after(operation, val="models.TextField()").loses_data is UNKNOWN


@pytest.mark.parametrize(
    ("operation", "refused"),
    [
        ("migrations.AddField('item', 'x', models.IntegerField(default=1))", {"insert"}),
        ("migrations.AddField('item', 'x', models.IntegerField(db_default=1))", set()),
        ("migrations.AddField('item', 'x', models.IntegerField(null=True))", set()),
        ("migrations.RemoveField('item', 'val')", {"select", "filter", "insert", "edge", "update", "delete"}),
        ("migrations.AlterField('item', 'val', models.IntegerField(null=True, db_default=3))", set()),
        ("migrations.AlterField('item', 'val', models.IntegerField())", {"edge"}),
        ("migrations.AlterField('item', 'val', models.SmallIntegerField(null=True))", {"insert", "edge"}),
        ("migrations.AlterField('item', 'val', models.CharField(max_length=9, null=True))", {"filter"}),
        ("migrations.AddIndex('item', models.Index(fields=['val'], name='i'))", set()),
        ("migrations.RunSQL('ALTER TABLE app_item RENAME COLUMN qty TO quantity')",
         {"select", "filter", "insert", "edge", "update", "delete"}),
    ],
)  # fmt: skip
def test_what_the_old_release_can_no_longer_do(operation: str, refused: set[str]) -> None:
    found = after(operation).old_code
    assert {refusal.statement for refusal in found.refusals} == refused


def test_a_refusal_says_why() -> None:
    found = after("migrations.AddField('item', 'x', models.IntegerField(default=1))").old_code
    assert found.can("select") is YES
    assert found.can("insert") is NO
    assert [refusal.why for refusal in found.refusals] == ["app_item.x is NOT NULL without a default, and is not named"]


def test_what_is_not_known_is_said() -> None:
    assert after("SomethingElse()").old_code.can("insert") is UNKNOWN


@pytest.mark.parametrize(
    ("operation", "works"),
    [
        ("migrations.AddField('item', 'x', models.IntegerField(null=True))", NO),
        ("migrations.AddIndex('item', models.Index(fields=['val'], name='i'))", YES),
        ("migrations.RemoveField('item', 'val')", YES),
        ("migrations.RemoveField('item', 'qty')", NO),
        ("migrations.RenameField('item', 'qty', 'quantity')", NO),
        ("migrations.AlterField('item', 'val', models.IntegerField(null=True, choices=[]))", YES),
    ],
)
def test_whether_the_new_release_works_before_the_migration(operation: str, works: Truth) -> None:
    assert after(operation).new_code_before is works
