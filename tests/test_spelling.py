"""Code that is written again means what it meant, and brings its imports along."""

from __future__ import annotations

import ast

import pytest

from miglint.syntax.facts import Assign, Expr
from miglint.syntax.reader import read
from miglint.syntax.spelling import spell

IMPORTS = """\
import uuid
import django.db.models.deletion
import shop.models
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from ..choices import Status
"""


def value(text: str) -> Expr:
    assigned = read(f"{IMPORTS}\nx = {text}\n").body[-1]
    assert isinstance(assigned, Assign)
    return assigned.value


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("models.CharField(max_length=20)", "models.CharField(max_length=20)"),
        ("models.CharField('a name', default='it''s')", 'models.CharField("a name", default="its")'),
        ("models.ForeignKey(to='a.B', on_delete=django.db.models.deletion.CASCADE)",
         'models.ForeignKey(to="a.B", on_delete=models.CASCADE)'),
        ("models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)",
         "models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)"),
        ("Q(a=1) | ~Q(b__gt=-2)", "models.Q(a=1) | ~models.Q(b__gt=-2)"),
        ("[('a', 'A'), ('b',)]", '[("a", "A"), ("b",)]'),
        ("{'a': 1, **other}", '{"a": 1, **other}'),
        ("ArrayField(models.TextField())", "django.contrib.postgres.fields.ArrayField(models.TextField())"),
        ("Status.OPEN.value", "Status.OPEN.value"),
        ("lambda: 1", "…"),
    ],
)  # fmt: skip
def test_an_expression_is_written_again(text: str, written: str) -> None:
    assert spell(value(text), set()) == written


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("models.CharField(default=uuid.uuid4)", {"from django.db import models", "import uuid"}),
        ("shop.models.make", {"import shop.models"}),
        ("shop.models.Order.make", {"import shop.models"}),
        ("settings.AUTH_USER_MODEL", {"from django.conf import settings"}),
        ("Status", {"from ..choices import Status"}),
        ("dict", set()),
    ],
)
def test_the_names_of_an_expression_are_imported(text: str, lines: set[str]) -> None:
    imports: set[str] = set()
    spell(value(text), imports)
    assert imports == lines


@pytest.mark.parametrize("text", ["-1", "not a", "a < b", "a in (1, 2)", "a if b else c", "a['b']", "f(*a, **b)"])
def test_what_is_written_is_what_was_read(text: str) -> None:
    assert ast.dump(ast.parse(spell(value(text), set()))) == ast.dump(ast.parse(text))
