"""What a release can do with a column of another type is what a real PostgreSQL lets Django's models do."""

from __future__ import annotations

import pytest

from effects import Prediction
from miglint.project.compatibility import Statement
from type_changes import Refused, refused

KINDS = {
    "text": "models.TextField({})", "boolean": "models.BooleanField({})", "time": "models.TimeField({})",
    "interval": "models.DurationField({})", "inet": "models.GenericIPAddressField({})",
    "bytea": "models.BinaryField({})", "integer": "models.IntegerField({})", "bigint": "models.BigIntegerField({})",
    "timestamp": "models.DateTimeField({})", "uuid": "models.UUIDField({})",
    "integers": "pgfields.ArrayField(models.IntegerField())",
    "bigints": "pgfields.ArrayField(models.BigIntegerField())",
    "texts": "pgfields.ArrayField(models.TextField())",
    "varchars": "pgfields.ArrayField(models.CharField(max_length=9))",
    "varchars longer": "pgfields.ArrayField(models.CharField(max_length=20))",
}  # fmt: skip
# Those that PostgreSQL converts, explicitly at least.
PAIRS = [
    ("boolean", "text"), ("time", "text"), ("interval", "text"), ("inet", "text"), ("bytea", "text"),
    ("integers", "text"), ("timestamp", "time"), ("time", "interval"), ("interval", "time"), ("integers", "bigints"),
    ("bigints", "integers"), ("integers", "texts"), ("texts", "integers"),
    ("varchars", "varchars longer"), ("integer", "bigint"), ("uuid", "text"),
]  # fmt: skip
KEYS = [("integer", "text"), ("uuid", "text"), ("integer", "bigint")]
STATEMENTS: tuple[Statement, ...] = ("select", "filter", "insert", "update", "delete")


def case(old: str, new: str, argument: str = "") -> dict[str, str]:
    one, other = (KINDS[kind].format(argument) for kind in (old, new))
    return {
        "before": f"migrations.CreateModel('Item', [('value', {one}), ('kept', models.IntegerField())])",
        "operation": f"migrations.AlterField('item', 'value', {other})",
    }


CASES = {
    **{f"{old} to {new}": case(old, new) for old, new in PAIRS},
    **{f"key {old} to {new}": case(old, new, "primary_key=True") for old, new in KEYS},
}


@pytest.fixture(scope="module")
def measured() -> Refused:
    return refused(CASES)


@pytest.mark.parametrize("name", CASES)
def test_the_running_release_is_refused_what_is_predicted(name: str, measured: Refused) -> None:
    found = Prediction({**CASES[name], "version": "PostgreSQL 15", "django": "5.2"})
    assert [each for each in STATEMENTS if found.old_code.can(each).refuted] == measured[name]["old"]


# Whether text fits is a matter of the values.
@pytest.mark.parametrize("name", [name for name in CASES if " to text" not in name])
def test_the_new_release_works_before_where_it_is_predicted(name: str, measured: Refused) -> None:
    found = Prediction({**CASES[name], "version": "PostgreSQL 15", "django": "5.2"})
    assert found.new_code_before.certain == (not measured[name]["new"])
