"""`miglint state`: models as a models.py has them, at any point of the history."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from commands import migration, run, write

CREATE = """
migrations.CreateModel(
    name="Invoice",
    fields=[
        ("id", models.BigAutoField(primary_key=True)),
        ("total", models.IntegerField(default=0)),
        ("customer", models.ForeignKey("people.Person", models.CASCADE)),
    ],
    options={"db_table": "invoices", "ordering": ("total",)},
),
"""
BILL = {
    "people.0001_initial": migration(operations='migrations.CreateModel("Person", [("name", models.TextField())]),'),
    "bill.0001_initial": migration("people.0001_initial", operations=CREATE),
    "bill.0002_total": migration(
        "bill.0001_initial",
        operations='migrations.AlterField("invoice", "total", models.DecimalField(max_digits=9, decimal_places=2)),',
    ),
    "bill.0003_index": migration(
        "bill.0002_total",
        operations='migrations.AddIndex("invoice", models.Index(fields=["total"], name="total_idx")),'
        'migrations.CreateModel("Draft", [], {"proxy": True}, ("bill.invoice",)),',
    ),
}

WRITTEN = """\
# bill

class Invoice(models.Model):                                       # 0001_initial
    id = models.BigAutoField(primary_key=True)                     # 0001_initial
    total = models.DecimalField(max_digits=9, decimal_places=2)    # 0002_total
    customer = models.ForeignKey("people.Person", models.CASCADE)  # 0001_initial

    class Meta:
        db_table = "invoices"
        ordering = ("total",)
        indexes = [
            models.Index(fields=["total"], name="total_idx"),      # 0003_index
        ]

class Draft(Invoice):  # 0003_index
    class Meta:
        proxy = True

2 models after all migrations.
"""


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    return write(tmp_path / "project", BILL)


def shown(root: Path, *arguments: object) -> str:
    done = run("state", *arguments, cwd=root)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_models_are_written_as_in_a_models_py_with_the_migration_of_each_field(bill: Path) -> None:
    assert shown(bill, "--app", "bill") == WRITTEN


def test_at_is_the_state_of_a_migration_and_its_ancestors(bill: Path) -> None:
    before = shown(bill, "--at", "bill.0001")
    assert "total = models.IntegerField(default=0)" in before
    assert "indexes" not in before
    assert "class Person(models.Model)" in before
    assert before.endswith("2 models after bill.0001_initial and its ancestors.\n")
    people = json.loads(shown(bill, "--at", "people.0001", "--output-format", "json"))
    assert (people["at"], [model["name"] for model in people["models"]]) == ("people.0001_initial", ["Person"])


def test_the_text_is_python(tmp_path: Path) -> None:
    choices = [(f"value-{number}", f"A long word of number {number}") for number in range(12)]
    field = f"models.CharField(max_length=20, choices={choices!r}, default='value-1', help_text='It\\'s \"so\"')"
    operations = f'migrations.CreateModel("Invoice", [("status", {field})]),'
    text = shown(write(tmp_path, {"bill.0001_initial": migration(operations=operations)}), "-q")
    (model,) = ast.parse(text).body
    assert isinstance(model, ast.ClassDef)
    assert ast.unparse(model.body[0]) == ast.unparse(ast.parse(f"status = {field}"))
    assert max(map(len, text.splitlines())) < 100


def test_what_could_not_be_read_is_said(tmp_path: Path) -> None:
    root = write(tmp_path, {**BILL, "bill.0004": migration("bill.0003_index", operations="*more(),")})
    assert "# bill  (not all of its operations could be read: something may be missing)" in shown(root)
    assert json.loads(shown(root, "--output-format", "json"))["partial"] == ["bill"]


def test_a_name_cannot_take_the_terminal_over(tmp_path: Path) -> None:
    operations = 'migrations.CreateModel("A\\x1b[31m", [("b\\u202e", models.TextField(help_text="\\x07\\u202e"))]),'
    text = shown(write(tmp_path, {"bill.0001_initial": migration(operations=operations)}))
    assert not any(character in text for character in "\x1b\x07\u202e")


def test_an_unknown_migration_is_an_error_in_a_sentence(bill: Path) -> None:
    done = run("state", "--at", "bill.0007_totl", cwd=bill)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("miglint: the app 'bill' has no migration '0007_totl'")


def test_an_empty_project_has_no_models(tmp_path: Path) -> None:
    (tmp_path / "manage.py").touch()
    done = run("state", "--output-format", "json", cwd=tmp_path)
    assert json.loads(done.stdout) == {"version": 1, "at": None, "partial": [], "models": []}
    assert done.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("width", [48, 60, 80, 200])
def test_a_terminal_is_filled_and_not_overrun(bill: Path, width: int) -> None:
    text = shown_in_terminal(bill, width)
    assert max(map(len, text.splitlines())) <= width
    read = ast.parse(text.rpartition("\n\n")[0])
    wanted = ast.parse(WRITTEN.rpartition("\n\n")[0])
    assert ast.unparse(read) == ast.unparse(wanted)
    assert text.count("# 0001_initial") == 3
    assert (text == WRITTEN) is (width > 80)


def test_a_remark_without_room_beside_its_line_stands_above_it(bill: Path) -> None:
    assert shown_in_terminal(bill, 60).startswith("""\
# bill

class Invoice(models.Model):       # 0001_initial
    # 0001_initial
    id = models.BigAutoField(primary_key=True)
    total = models.DecimalField(   # 0002_total
        max_digits=9,
""")


def shown_in_terminal(root: Path, width: int) -> str:
    """What `miglint state --app bill` writes to a terminal of so many columns."""
    import pty

    ours, its = pty.openpty()
    command = [sys.executable, "-m", "miglint", "state", "--app", "bill", "--color", "never", "--no-cache"]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "COLUMNS": str(width), "PYTHONUTF8": "1"}, stdout=its, check=True
    )
    assert done.returncode == 0
    os.close(its)
    read = b""
    try:
        while chunk := os.read(ours, 65536):
            read += chunk
    except OSError:  # the end, on Linux
        pass
    os.close(ours)
    return read.decode().replace("\r\n", "\n")
