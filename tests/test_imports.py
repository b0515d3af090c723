"""What a file most likely imports, and that a project read anew is the same with that guess as without."""

from __future__ import annotations

from pathlib import Path

import pytest

from miglint.imports import imported_modules
from miglint.options import Options
from miglint.session import Session

DATA = b"""\
import os, sys
import shop.fields
from django.db import migrations
from shop.models import Order
from . import helpers
from ..services import recalculate as again, Service
"""


def test_modules_of_the_project_are_guessed_and_those_of_models_where_code_runs() -> None:
    assert list(imported_modules(DATA)) == ["shop.fields", ".", ".helpers", "..services", "..services.recalculate"]
    assert "shop.models" in list(imported_modules(DATA + b"migrations.RunPython(x)\n"))


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"from", b"from . import (\n", b"import " + b"a." * 50_000])
def test_any_bytes_will_do(data: bytes) -> None:
    list(imported_modules(data))


def test_a_guess_changes_nothing_that_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, text in {
        "manage.py": "",
        "shop/__init__.py": "",
        "shop/services.py": "def recalculate():\n    pass\n",
        "shop/migrations/__init__.py": "",
        "shop/migrations/0001_initial.py": "from django.db import migrations\n"
        "from shop.services import recalculate\n\n\n"
        "def forwards(apps, schema_editor):\n    recalculate()\n\n\nclass Migration(migrations.Migration):\n"
        "    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    guessed = Session(Options(cache=False), cwd=tmp_path).report([tmp_path])
    monkeypatch.setattr("miglint.modules.imported_modules", lambda data: iter(()))
    found = Session(Options(cache=False), cwd=tmp_path).report([tmp_path])
    assert [each.code for each in found.diagnostics] == ["MG505"]
    assert (guessed.diagnostics, guessed.summary) == (found.diagnostics, found.summary)


def test_what_is_installed_is_no_code_of_the_application(tmp_path: Path) -> None:
    for path, text in {
        "miglint.toml": 'environment = ".venv"\n',
        ".venv/lib/python3.12/site-packages/versions/__init__.py": "def parse(text):\n    return text\n",
        "project/shop/__init__.py": "",
        "project/shop/migrations/__init__.py": "",
        "project/shop/migrations/0001_initial.py": "from django.db import migrations\n"
        "from versions import parse\n\n\n"
        "def forwards(apps, schema_editor):\n    parse('1')\n\n\n"
        "class Migration(migrations.Migration):\n"
        "    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    session = Session(Options(cache=False, select=("MG505",)), cwd=tmp_path)
    assert session.report(()).diagnostics == ()
    (tmp_path / "project/versions.py").write_text("def parse(text):\n    return text\n")
    assert [each.code for each in session.report(()).diagnostics] == ["MG505"]
