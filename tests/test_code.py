"""What code a RunPython reaches, and how it is called."""

from __future__ import annotations

from miglint.project.code import Code, entries, reached
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.operations import RunPython
from miglint.syntax.reader import read


def migration(code: str, operation: str, body: str = "") -> tuple[RunPython, Migration]:
    text = (
        f"import functools\nfrom django.db import migrations\n{code}\n\nclass Migration(migrations.Migration):\n"
        f"{body}\n    operations = [{operation}]\n"
    )
    found = interpret(MigrationKey("shop", "0003_x"), "0003_x.py", read(text))
    run = found.operations[0]
    assert isinstance(run, RunPython)
    return run, found


def called(code: str, operation: str, body: str = "") -> list[tuple[str, str, int]]:
    return [(each.direction, each.code.name, each.given) for each in entries(*migration(code, operation, body))]


def names(code: str, operation: str, body: str = "") -> list[str]:
    return [each.name for each in reached(*migration(code, operation, body))]


FORWARDS = "def forwards(apps, schema_editor):\n    pass\n"


def test_forward_and_reverse_functions_are_entries() -> None:
    code = FORWARDS + "def backwards(apps, schema_editor):\n    pass\n"
    expected = [("forward", "forwards", 0), ("reverse", "backwards", 0)]
    assert called(code, "migrations.RunPython(forwards, backwards)") == expected
    assert called(code, "migrations.RunPython(code=forwards, reverse_code=backwards)") == expected


def test_noop_and_none_call_nothing() -> None:
    assert called("", "migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)") == []
    assert called(FORWARDS, "migrations.RunPython(forwards, None)") == [("forward", "forwards", 0)]


def test_a_function_of_the_class_body_hides_one_of_the_module() -> None:
    body = "    def forwards(apps, schema_editor):\n        pass\n"
    assert called(FORWARDS, "migrations.RunPython(forwards)", body) == [("forward", "Migration.forwards", 0)]


def test_a_lambda_is_code_and_what_it_calls_is_reached() -> None:
    operation = "migrations.RunPython(lambda a, b: forwards(a, b))"
    assert names(FORWARDS, operation) == ["<lambda>", "forwards"]


def test_a_name_that_stands_for_a_function_is_followed() -> None:
    code = FORWARDS + "first = forwards\nsecond = functools.partial(first, 1)\n"
    assert called(code, "migrations.RunPython(second)") == [("forward", "forwards", 1)]


def test_another_name_for_a_function_and_a_partial_of_it_are_reached() -> None:
    code = FORWARDS + "def other():\n    pass\nsecond, made = forwards, other()\nfirst = forwards\n"
    code += "third = functools.partial(forwards, 1)\ndef run(apps, editor):\n"
    for name in ("first", "third"):
        assert names(f"{code}    {name}(apps)\n", "migrations.RunPython(run)") == ["run", "forwards"]
    assert names(f"{code}    print(made)\n", "migrations.RunPython(run)") == ["run"]


def test_a_partial_gives_arguments() -> None:
    assert called(FORWARDS, "migrations.RunPython(functools.partial(forwards, 1, flag=True))") == [
        ("forward", "forwards", 1)
    ]


def test_two_definitions_of_a_name_are_both_code() -> None:
    code = "if POSTGRES:\n    def forwards(a, b): pass\nelse:\n    def forwards(a): pass\n"
    assert called(code, "migrations.RunPython(forwards)") == [("forward", "forwards", 0)] * 2


def test_an_instance_that_can_be_called_is_followed_to_its_method() -> None:
    code = "class Fill:\n    def __call__(self, apps, editor): self.run()\n    def run(self): pass\n"
    assert called(code, "migrations.RunPython(Fill())") == [("forward", "Fill.__call__", 1)]
    assert set(names(code, "migrations.RunPython(Fill())")) == {"Fill.__call__", "Fill.run"}


def test_helpers_are_reached_through_helpers_and_cycles_end() -> None:
    code = (
        "def forwards(apps, schema_editor):\n    one()\n"
        "def one():\n    two()\n"
        "def two():\n    one()\n    forwards(None, None)\n"
        "def other():\n    pass\n"
    )
    assert names(code, "migrations.RunPython(forwards)") == ["forwards", "one", "two"]


def test_a_function_that_is_passed_on_is_reached() -> None:
    code = "def forwards(apps, schema_editor):\n    list(map(one, []))\ndef one(x):\n    pass\n"
    assert names(code, "migrations.RunPython(forwards)") == ["forwards", "one"]


def test_nested_functions_are_part_of_the_code() -> None:
    code = "def forwards(apps, editor):\n    def inner():\n        other()\n    inner()\ndef other(): pass\n"
    assert names(code, "migrations.RunPython(forwards)") == ["forwards", "other"]


def test_a_parameter_hides_a_function_of_its_name() -> None:
    code = "def forwards(apps, other):\n    other.execute()\ndef other():\n    pass\n"
    assert names(code, "migrations.RunPython(forwards)") == ["forwards"]


def test_a_factory_is_reached_and_has_no_entry() -> None:
    code = "def make(name):\n    def forwards(apps, schema_editor):\n        pass\n    return forwards\n"
    assert called(code, 'migrations.RunPython(make("x"))') == []
    assert names(code, 'migrations.RunPython(make("x"))') == ["make"]


def test_imported_functions_are_not_in_this_file() -> None:
    assert names("from .helpers import forwards\n", "migrations.RunPython(forwards)") == []


def references(code: Code) -> list[tuple[str, str]]:
    return [(each.name, each.scope) for each in code.references()]


def test_references_hold_the_whole_dotted_name_once() -> None:
    code = (
        "from shop.models import Order\n"
        "def forwards(apps, schema_editor):\n    first = Order.objects.filter(pk=LIMIT).first()\n"
    )
    found = references(reached(*migration(code, "migrations.RunPython(forwards)"))[0])
    assert found == [("shop.models.Order.objects.filter", "imported"), ("LIMIT", "free")]


def test_a_name_that_is_made_of_itself_on_import_is_not_known() -> None:
    assert names("forwards = forwards.again()\n", "migrations.RunPython(forwards)") == []
