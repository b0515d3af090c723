"""A field's way through the history: when it became nullable, and what may have filled it since."""

from __future__ import annotations

import pytest

from miglint.project.freshness import is_fresh
from miglint.project.trail import may_write, since_nullable
from miglint.project.truth import Truth
from miglint.syntax.facts import Assign
from miglint.syntax.reader import read
from test_history import ID, history, key

CREATE = f"migrations.CreateModel('Order', [{ID}, ('state', models.CharField(max_length=9, null=True))])"
REQUIRE = "migrations.AlterField('Order', 'state', models.CharField(max_length=9))"
STEPS = {
    "a.0001": ("", CREATE),
    "a.0002": ("a.0001", REQUIRE),
    "a.0003": ("a.0002", "migrations.AlterField('Order', 'state', models.CharField(max_length=9, null=True))"),
    "a.0004": ("a.0003", "migrations.RunSQL(\"UPDATE a_order SET state = '' WHERE state IS NULL\")"),
    "a.0005": ("a.0004", "migrations.RenameField('Order', 'state', 'status')"),
    "a.0006": ("a.0005", "migrations.RenameModel('Order', 'Purchase')"),
    "a.0007": ("a.0006", "migrations.AlterField('Purchase', 'status', models.CharField(max_length=9))"),
}


def test_a_field_is_followed_back_under_its_old_names_to_where_it_became_nullable() -> None:
    found = history(STEPS)
    [step] = found.steps_of(key("a.0007"))
    model = step.before.model("a", "purchase")
    assert model is not None
    places = since_nullable(found, step, model, model.fields["status"])
    assert [(place.step.migration.name, place.model.name, place.field) for place in places] == [
        ("0006", "purchase", "status"),
        ("0005", "order", "status"),
        ("0004", "order", "state"),
        ("0003", "order", "state"),
    ]
    assert [may_write(place) for place in places] == [Truth.NO, Truth.NO, Truth.YES, Truth.NO]


@pytest.mark.parametrize(
    ("value", "fresh"),
    [
        ("uuid.uuid4", Truth.YES),
        ("secrets.token_hex", Truth.YES),
        ("functools.partial(get_random_string, 8)", Truth.YES),
        ("make", Truth.YES),
        ("outer", Truth.YES),
        ("dict", Truth.NO),
        ("timezone.now", Truth.NO),
        ("'a'", Truth.NO),
        ("uuid.uuid4()", Truth.NO),
        ("plain", Truth.UNKNOWN),
        ("elsewhere.make", Truth.UNKNOWN),
    ],
)
def test_a_default_is_fresh_where_what_it_calls_is_known_to_differ(value: str, fresh: Truth) -> None:
    facts = read(
        "import functools\nimport secrets\nimport uuid\nfrom shop import elsewhere\n"
        "from django.utils import timezone\nfrom django.utils.crypto import get_random_string\n"
        "def make():\n    return secrets.token_hex(4)\n"
        "def outer():\n    return make().upper()\n"
        "def plain():\n    return 1\n"
        f"default = {value}\n"
    )
    assigned = facts.body[-1]
    assert isinstance(assigned, Assign)
    assert is_fresh(assigned.value, facts, lambda module: None) is fresh
