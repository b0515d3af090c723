"""The quick reader gives what LibCST's gives, byte for byte, or nothing."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

import packages
from python_forms import EXPRESSIONS, MODULES, STATEMENTS
from readers import compare, mutate, texts

TESTS = Path(__file__).parent
OWN = [text for _, text in texts([TESTS.parent / "src", TESTS.parent / "fixtures", TESTS])]


@pytest.mark.parametrize("text", MODULES)
def test_a_module_is_read_alike_or_not_at_all(text: str) -> None:
    assert compare(text) is not False


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_of_any_expressions_is_read_alike_or_not_at_all(statement: str) -> None:
    expressions = random.Random(statement).sample(EXPRESSIONS, 40)  # all of them: python tests/readers.py
    forms = [statement.format(expression) for expression in expressions]
    assert [form for form in forms if compare(form) is False] == []


def test_every_expression_is_read_alike_or_not_at_all() -> None:
    assert [expression for expression in EXPRESSIONS if compare(f"x = {expression}") is False] == []


def test_packages_are_read_alike_and_little_is_left_to_libcst() -> None:
    sample: list[str] = []
    for name in packages.PACKAGES:
        package = [text for _, text in texts([packages.install(name)])]
        sample += random.Random(name).sample([text for text in package if len(text) < 10_000], 20)
    results = [compare(text) for text in sample]
    assert [text for text, result in zip(sample, results, strict=True) if result is False] == []
    assert results.count(None) < len(sample) * 0.02


def test_the_projects_own_files_and_the_fixtures_are_read_alike() -> None:
    sample = random.Random(0).sample(OWN, 60)
    assert [text for text in sample if compare(text) is False] == []


def test_changed_files_are_read_alike_or_not_at_all() -> None:
    small = [text for text in OWN if len(text) < 2_000]
    changed = [mutate(text, seed) for text in small[:80] for seed in range(3)]
    results = [compare(text) for text in changed]
    assert [text for text, result in zip(changed, results, strict=True) if result is False] == []
    assert results.count(True) > len(results) / 2


def test_libcst_is_not_imported() -> None:
    program = "import sys; from miglint.syntax import quick; quick.read('x = 1'); print('libcst' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"
