"""The label of an app whose AppConfig derives from another one, and apps whose migrations stand elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import forked
from commands import run

MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [migrations.CreateModel("Order", [("id", models.AutoField(primary_key=True))])]
"""
ASK = """\
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["shop"], DATABASES={})
django.setup()
from django.db.migrations.loader import MigrationLoader
print(*sorted(".".join(key) for key in MigrationLoader(None).disk_migrations))
"""
CONFIGS = {
    "name and label of a base in the file": {
        "shop/apps.py": "from django.apps import AppConfig\nclass Base(AppConfig):\n    name = 'shop'\n"
        "    label = 'store'\n    default = False\nclass ShopConfig(Base):\n    default = True\n"
    },
    "the name of a base in the file": {
        "shop/apps.py": "from django.apps import AppConfig\nclass Base(AppConfig):\n    name = 'shop'\n"
        "class ShopConfig(Base):\n    label = 'store'\n    default = True\n"
    },
    "name and label of a base of the project": {
        "core/configs.py": "from django.apps import AppConfig\nclass Base(AppConfig):\n    name = 'shop'\n"
        "    label = 'store'\n",
        "shop/apps.py": "from core.configs import Base\nclass ShopConfig(Base):\n    default = True\n",
    },
    "the label of a base of the project": {
        "core/configs.py": "from django.apps import AppConfig\nclass Base(AppConfig):\n    label = 'store'\n",
        "shop/apps.py": "from core.configs import Base\nclass ShopConfig(Base):\n    name = 'shop'\n"
        "    default = True\n",
    },
    "a base of a base": {
        "core/configs.py": "from django.apps import AppConfig\nclass One(AppConfig):\n    label = 'store'\n"
        "class Two(One):\n    name = 'shop'\n",
        "shop/apps.py": "from core.configs import Two\nclass ShopConfig(Two):\n    default = True\n",
    },
}


def written(root: Path, files: dict[str, str]) -> Path:
    for path, text in {"manage.py": "", "shop/__init__.py": "", "shop/migrations/__init__.py": "", **files}.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if path.startswith("core/"):
            (file.parent / "__init__.py").touch()
        file.write_text(text)
    return root


def asked(root: Path) -> list[str]:
    """The migrations that Django loads."""
    done = forked.run(ASK, imported=forked.DJANGO, cwd=root)
    done.check_returncode()
    return done.stdout.decode().split()


def found(root: Path) -> list[str]:
    graph = json.loads(run("graph", "--output-format", "json", cwd=root).stdout)
    return sorted(f"{each['app']}.{each['name']}" for each in graph["migrations"])


@pytest.mark.parametrize("files", [pytest.param(files, id=name) for name, files in CONFIGS.items()])
def test_a_label_is_that_of_a_base_class(files: dict[str, str], tmp_path: Path) -> None:
    root = written(tmp_path, {**files, "shop/migrations/0001_initial.py": MIGRATION})
    assert found(root) == asked(root) == ["store.0001_initial"]


@pytest.mark.parametrize(
    "text", ["from core.old import Migration\n", "from core.old import Initial as Migration  # noqa\n"]
)
def test_an_app_may_have_nothing_but_migrations_of_other_modules(text: str, tmp_path: Path) -> None:
    old = MIGRATION + "\n\nInitial = Migration\n"
    root = written(tmp_path, {"core/old.py": old, "shop/migrations/0001_initial.py": text})
    assert found(root) == asked(root) == ["shop.0001_initial"]


def test_a_module_that_imports_a_migration_and_is_not_called_as_one_makes_no_app(tmp_path: Path) -> None:
    root = written(tmp_path, {"shop/migrations/base.py": "from other.tool import Migration\n"})
    assert found(root) == []
