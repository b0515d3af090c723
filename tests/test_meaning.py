"""What counts as an edit of a migration, and what does not."""

from __future__ import annotations

import pytest

from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.meaning import differences
from miglint.project.migration import Migration
from miglint.syntax.reader import read

HEAD = "from django.db import migrations, models\n"
BODY = """

def fill(apps, schema_editor):
    for order in apps.get_model("shop", "Order").objects.all():
        order.save()


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial"), ("billing", "0003_x")]

    operations = [
        migrations.AlterUniqueTogether("order", {("a", "b"), ("c", "d")}),
        migrations.AddField("order", "note", models.TextField(null=True, blank=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
"""
TEXT = HEAD + BODY


def reading(text: str, name: str = "0002_more") -> Migration:
    return interpret(MigrationKey("shop", name), "/shop/migrations/0002_more.py", read(text))


def differs(text: str, old: str = TEXT) -> tuple[str, ...]:
    assert text != old
    return differences(reading(old), reading(text), {})


@pytest.mark.parametrize(
    "old, new",
    [
        (HEAD, HEAD + "\n# A comment.\n"),
        (HEAD, '"""A docstring."""\n' + HEAD),
        (HEAD, "import os\n" + HEAD),
        (HEAD, "from __future__ import annotations\n" + HEAD),
        ("    for order", '    """Saves all."""\n    for order'),
        ("        order.save()\n", "        order.save()\n    return None\n"),
        ("        order.save()\n", "        order.save()\n        pass\n"),
        ('("shop", "0001_initial"), ("billing", "0003_x")', '("billing", "0003_x"), ("shop", "0001_initial")'),
        ('{("a", "b"), ("c", "d")}', 'set([("c", "d"), ("a", "b")])'),
        (
            '"order", {',
            "unique_together={",
        ),
        ("null=True, blank=True", "blank=True, null=True"),
        ('"note"', "'note'"),
        ("migrations.RunPython(fill, migr", "migrations.RunPython(reverse_code=migr"),
        ("def fill(apps, schema_editor):", "def fill(apps, _editor):"),
        ("for order in", "for each in"),
        ("    operations", "    atomic = True\n    operations"),
        ("blank=True)),", "blank=True), preserve_default=True),"),
        ("noop),", "noop, elidable=True),"),
        ("def fill(apps, schema_editor):", "def unused():\n    pass\n\n\ndef fill(apps, schema_editor):"),
        ("class Migration(migrations.Migration):\n", 'class Migration(migrations.Migration):\n    """Why."""\n\n'),
    ],
)
def test_the_same_written_otherwise_is_no_edit(old: str, new: str) -> None:
    text = TEXT.replace(old, new)
    if "unique_together" in new:
        text = text.replace(new, 'name="order", ' + new)
    if new == "for each in":
        text = text.replace("order.save()", "each.save()")
    if "reverse_code" in new:
        text = text.replace("noop),", "noop, code=fill),")
    assert differs(text) == ()


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("0001_initial", "0000_other", ("its dependencies",)),
        (', ("billing", "0003_x")', "", ("its dependencies",)),
        ("null=True, ", "", ("its operations",)),
        ('"note"', '"notes"', ("its operations",)),
        ('{("a", "b")', '{("b", "a")', ("its operations",)),
        (".noop", "", ("its operations",)),
        ("objects.all()", "objects.none()", ("`fill`",)),
        ("order.save()", "apps.save()", ("`fill`",)),
        ("fill(apps, schema_editor)", "fill(schema_editor, apps)", ("`fill`",)),
        ("blank=True)),", "blank=True), preserve_default=False),", ("its operations",)),
        ("    operations", "    atomic = False\n\n    operations", ("`atomic`",)),
        ("    dependencies", "    run_before = [('x', '0001')]\n    dependencies", ("its dependencies",)),
        ("\n\nclass", "\n\nprint('hello')\n\n\nclass", ("the code of its module",)),
    ],
)
def test_what_django_would_do_otherwise_is_an_edit(old: str, new: str, words: tuple[str, ...]) -> None:
    assert differs(TEXT.replace(old, new)) == words


def test_what_cannot_be_read_is_compared_as_it_is_written() -> None:
    computed = TEXT.replace("models.TextField(null=True, blank=True)", "field()").replace(
        "migrations.AddField(", "add("
    )
    assert differs(computed.replace("field()", "field(1)"), old=computed) == ("its operations",)
    assert differs(computed.replace("        add(", "        add( "), old=computed) == ()


ONE = """
def fill(apps, schema_editor):
    def one(row, by):
        row.size += by

    try:
        for each in apps.get_model("shop", "Order").objects.filter(pk__in=[n for n in range(3)]):
            one(each, 2)
    except ValueError as error:
        print(error, lambda size: size)
"""
SAME = """
def fill(registry, _):
    def add(line, step):
        line.size += step

    try:
        for row in registry.get_model("shop", "Order").objects.filter(pk__in=[pk for pk in range(3)]):
            add(row, 2)
    except ValueError as problem:
        print(problem, lambda length: length)
"""


def test_the_names_within_a_function_are_its_own() -> None:
    old = TEXT.replace(TEXT[TEXT.index("def fill") : TEXT.index("\n\nclass")], ONE)
    assert differs(old.replace(ONE, SAME), old=old) == ()
    assert differs(old.replace("row.size += by", "by.size += row"), old=old) == ("`fill`",)
    assert differs(old.replace("one(each, 2)", "one(apps, 2)"), old=old) == ("`fill`",)
    assert differs(old.replace("print(error", "print(apps"), old=old) == ("`fill`",)


def test_a_helper_of_a_helper_counts_and_a_broken_file_tells_nothing() -> None:
    text = HEAD + "SIZE = 10\n\n\ndef size():\n    return SIZE\n" + BODY.replace("order.save()", "order.save(size())")
    assert differs(text.replace("10", "11"), old=text) == ("`SIZE`",)
    assert differs(TEXT + "(", old=TEXT) == ()
    assert differs(TEXT, old=TEXT + "(") == ()


def test_to_depend_on_a_squash_is_to_depend_on_what_it_replaces() -> None:
    squash = MigrationKey("shop", "0001_squashed_0005")
    old, new = reading(TEXT), reading(TEXT.replace("0001_initial", squash.name))
    assert differences(old, new, {}) == ("its dependencies",)
    assert differences(old, new, {MigrationKey("shop", "0001_initial"): squash}) == ()
