"""What states are told, however it is written: read as Django gets it, or said to be unreadable."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as django_settings

if not django_settings.configured:
    django_settings.configure()

from django.db import models

from miglint.project import operations as ops
from miglint.project.actions.indexes import groups_of
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.syntax.facts import Call, Expr, Items, Literal, Pairs
from miglint.syntax.reader import read
from miglint.syntax.spelling import spell

GIVEN = """\
from django.db import migrations, models

NAME, FIELD, PAIR, FIELDS, FLAG = "a_idx", "a", ("a", "b"), ["a", "b"], False
NOT_NULL = models.Q(a__isnull=False)
LOOKUPS = {"a__isnull": False, "b__gt": 1}
INDEX = models.Index(fields=FIELDS, name=NAME)
INDEXES = [INDEX, models.Index(fields=("b",), name=NAME + "_b")]
UNIQUE = {PAIR}
OPTIONS = {"indexes": INDEXES, "unique_together": UNIQUE}


def not_null(field, **more):
    return models.Q(**{f"{field}__isnull": False}, **more)


def check(field, name=None):
    return models.CheckConstraint(condition=not_null(field), name=name or f"{field}_is_set")


def indexes(*fields, prefix=""):
    return [models.Index(fields=[field], name=f"{prefix}{field}_idx") for field in fields]
"""
# What the migrations import is the same as what they may have themselves.
IMPORTED = (
    "NAME, FIELD, PAIR, FIELDS, FLAG, NOT_NULL, LOOKUPS, INDEX, INDEXES, UNIQUE, OPTIONS, not_null, check, indexes"
)
BEFORE = {
    "here": GIVEN,
    "imported": f"from django.db import migrations, models\nfrom given_elsewhere import {IMPORTED}\n",
}

OPTIONS = [
    "{'indexes': INDEXES, 'unique_together': UNIQUE}",
    "{'indexes': [INDEX], 'unique_together': {PAIR}}",
    "{'indexes': [models.Index(fields=FIELDS, name=NAME)], 'unique_together': {PAIR, ('a', 'b')}}",
    "{'unique_together': {('a', 'b'), *UNIQUE}}",
    "{'unique_together': [PAIR, ['b', 'a']]}",
    "{'unique_together': PAIR}",
    "{'indexes': [*INDEXES, *indexes('a', 'b', prefix='x_')]}",
    "{'indexes': indexes('a'), 'constraints': [check('a'), check('b', name='c')]}",
    "{'indexes': INDEXES + indexes('b')}",
    "OPTIONS",
    "{**OPTIONS, 'constraints': [check(FIELD)]}",
    "dict(indexes=INDEXES, unique_together=UNIQUE)",
    "dict(OPTIONS)",
]
CONSTRAINTS = [
    "models.CheckConstraint(condition=NOT_NULL, name=NAME)",
    "models.CheckConstraint(condition=~NOT_NULL | models.Q(b=1), name='c')",
    "models.CheckConstraint(condition=models.Q(NOT_NULL, b__gt=1), name='c')",
    "models.CheckConstraint(condition=models.Q(**LOOKUPS), name='c')",
    "models.CheckConstraint(condition=models.Q(**{'a__isnull': False}), name='c')",
    "models.CheckConstraint(condition=not_null('a', b=2), name='c')",
    "models.CheckConstraint(condition=not_null(FIELD) & not_null('b'), name='c')",
    "models.UniqueConstraint(fields=FIELDS, name=NAME, condition=NOT_NULL)",
    "models.UniqueConstraint(fields=PAIR, name='u')",
    "models.UniqueConstraint(fields=list(PAIR), name=f'{FIELD}_u')",
    "models.UniqueConstraint(**{'fields': FIELDS, 'name': NAME})",
    "check('b')",
    "check(FIELD, NAME)",
]
HERE_ONLY = [
    "models.CheckConstraint(condition=models.Q(a__isnull=FLAG), name='c')",
    "models.CheckConstraint(condition=models.Q(('a__isnull', FLAG)), name='c')",
    "models.CheckConstraint(condition=models.Q(**{f'{FIELD}__isnull': FLAG}), name='c')",
]
CREATE = "class Migration(migrations.Migration):\n    operations = [migrations.CreateModel('A', [], options={})]\n"
ADD = "class Migration(migrations.Migration):\n    operations = [migrations.AddConstraint('a', {})]\n"
UNREAD = {
    "{'indexes': compute()}": "compute",
    "{'indexes': [*compute()]}": "compute",
    "{'constraints': THING}": "THING",
    "{'unique_together': compute()}": "compute",
    "{'unique_together': {compute()}}": "compute",
    "{'unique_together': {('a', THING)}}": "THING",
    "{'db_table': compute()}": "compute",
    "{'managed': THING}": "THING",
    "{**compute()}": "compute",
    "{THING: True}": "THING",
    "compute()": "compute",
}
READ = [
    "{'indexes': [], 'constraints': (), 'unique_together': set(), 'index_together': {}}",
    "{'indexes': [compute()]}",
    "{'db_table': 'a', 'managed': False, 'unique_together': set([('a', 'b')])}",
    "{'verbose_name': compute(), 'permissions': THING, 'ordering': [THING]}",
    "None",
]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("given_elsewhere")
    exec(GIVEN, vars(module))
    monkeypatch.setitem(sys.modules, "given_elsewhere", module)


def asked(text: str) -> Any:
    """The operation, as Django has it when it has imported the file."""
    module = ModuleType("shop.migrations.0002_x")
    exec(compile(text, "0002_x.py", "exec"), vars(module))
    return module.Migration("0002_x", "shop").operations[0]


def reading(text: str) -> Migration:
    known = {"given_elsewhere": read(GIVEN)}
    return interpret(MigrationKey("shop", "0002_x"), "0002_x.py", read(text), known.get)


def operation(text: str) -> Any:
    found = reading(text)
    assert found.unreadable == ()
    return found.operations[0]


def part(given: Any) -> tuple[object, ...]:
    """An index or a constraint, of Django's or of what was read."""
    if isinstance(given, Call):
        fields, name = given.keyword("fields"), given.keyword("name")
        condition = given.keyword("condition")
        return (
            given.callee.rpartition(".")[2],
            [each.text for each in fields.items if isinstance(each, Literal)] if isinstance(fields, Items) else [],
            name.text if isinstance(name, Literal) else None,
            eval(spell(condition, set()), {"models": models}) if condition is not None else None,
        )
    return (type(given).__name__, list(getattr(given, "fields", ())), given.name, getattr(given, "condition", None))


def option(options: Expr | None, name: str) -> Expr | None:
    assert isinstance(options, Pairs)
    named = (pair.value for pair in options.pairs if isinstance(pair.key, Literal) and pair.key.text == name)
    return next(named, None)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("options", OPTIONS)
def test_options_are_read_as_django_gets_them(options: str, before: str) -> None:
    text = BEFORE[before] + CREATE.format(options)
    expected, found = asked(text).options, operation(text)
    assert isinstance(found, ops.CreateModel)
    for name in ("indexes", "constraints"):
        parts = option(found.options, name)
        assert isinstance(parts, Items | None)
        assert [part(each) for each in (parts.items if parts is not None else ())] == [
            part(each) for each in expected.get(name, ())
        ]
    groups = models.options.normalize_together(expected.get("unique_together", ()))
    assert sorted(groups_of(option(found.options, "unique_together")) or ()) == sorted(map(tuple, groups))


@pytest.mark.parametrize(
    ("before", "constraint"),
    [(before, each) for before in BEFORE for each in CONSTRAINTS] + [("here", each) for each in HERE_ONLY],
)
def test_a_constraint_is_read_as_django_gets_it(before: str, constraint: str) -> None:
    text = BEFORE[before] + ADD.format(constraint)
    found = operation(text)
    assert isinstance(found, ops.AddConstraint)
    assert part(found.constraint) == part(asked(text).constraint)


@pytest.mark.parametrize("options", UNREAD)
def test_what_cannot_be_read_of_options_is_said(options: str) -> None:
    text = "from elsewhere import compute, THING\n" + BEFORE["here"] + CREATE.format(options)
    (unreadable,) = reading(text).unreadable
    assert unreadable.what == "CreateModel.options"
    assert UNREAD[options] in unreadable.why


@pytest.mark.parametrize("options", READ)
def test_what_is_of_no_account_to_the_database_may_be_anything(options: str) -> None:
    text = "from elsewhere import compute, THING\n" + BEFORE["here"] + CREATE.format(options)
    assert reading(text).unreadable == ()


def test_lists_that_hold_each_other_have_an_end() -> None:
    doubled = "".join(f"L{at} = [L{at + 1}, L{at + 1}]\n" for at in range(40))
    text = f"from django.db import migrations, models\nL40 = []\n{doubled}" + CREATE.format("{'indexes': L0}")
    assert reading(text).operations
