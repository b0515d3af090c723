"""Small projects of one peculiarity each: the graph, the plan and the state are those that Django computes."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import judge
from commands import migration, write
from miglint.cli import cli

SETTINGS = """
SECRET_KEY = "x"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [{apps}]
"""
MODEL = 'migrations.CreateModel("{}", [("id", models.BigAutoField(primary_key=True)), ("n", models.IntegerField())]),'
A, B, C = (MODEL.format(name) for name in "ABC")
FIELD = 'migrations.AddField("a", "{}", models.TextField(null=True)),'
HEAD = "from django.conf import settings\nfrom django.db import migrations, models\n"

# By `app.name`; a name with a slash is the path of another file. "settings" are lines to add to those.
Files = dict[str, str]

CHAIN: Files = {
    "shop.0001_initial": migration(operations=A),
    "shop.0002_b": migration("shop.0001_initial", operations=FIELD.format("b")),
    "shop.0003_c": migration("shop.0002_b", operations=FIELD.format("c")),
}
SQUASHED = migration(replaces=("shop.0001_initial", "shop.0002_b"), operations=A + FIELD.format("b"))
BASE = """
class NonAtomic(migrations.Migration):
    atomic = False
    initial = True
    dependencies = [("crm", "0001_initial")]
"""


def without(files: Files, *names: str) -> Files:
    return {name: text for name, text in files.items() if name not in names}


def swappable(model: str) -> str:
    return f"migrations.swappable_dependency({model})"


def field(text: str, dependencies: str = '("shop", "0001_initial")', before: str = "") -> str:
    """A migration of one AddField of `ref` to shop's model, with anything in its dependencies."""
    return (
        f"{HEAD}{before}\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [{dependencies}]\n"
        f"    operations = [migrations.AddField('a', 'ref', {text})]\n"
    )


def conditional(condition: str, before: str = "") -> str:
    """A migration whose operations depend on a condition."""
    return (
        f"{HEAD}{before}\n\nclass Migration(migrations.Migration):\n"
        "    dependencies = [('shop', '0001_initial')]\n"
        f"    if {condition}:\n"
        "        operations = [migrations.AddField('a', 'yes', models.TextField())]\n"
        "    else:\n"
        "        operations = [migrations.AddField('a', 'no', models.TextField())]\n"
    )


FK = "models.ForeignKey(null=True, on_delete=models.CASCADE, to={})"
CRM = {"crm.0001_initial": migration(operations=B), "crm.0002_c": migration("crm.0001_initial", operations=C)}
SHOP = {"shop.0001_initial": migration(operations=A)}

CASES: dict[str, Files] = {
    "a squash, and all it replaces": {**CHAIN, "shop.0001_squashed_0002": SQUASHED},
    "a squash, and a part of what it replaces": {
        **without(CHAIN, "shop.0001_initial"),
        "shop.0002_b": migration(operations=A + FIELD.format("b")),
        "shop.0001_squashed_0002": SQUASHED,
    },
    "a squash alone, and a dependency on what it replaced": {
        "shop.0001_squashed_0002": SQUASHED,
        "shop.0003_c": CHAIN["shop.0003_c"],
    },
    "a dependency of another app on what a squash replaced": {
        "shop.0001_squashed_0002": SQUASHED,
        "crm.0001_initial": migration("shop.0002_b", operations=B),
        "ads.0001_initial": migration("shop.0001_initial", operations=C),
    },
    "a dependency of another app on what a squash replaces": {
        **CHAIN,
        "shop.0001_squashed_0002": SQUASHED,
        "crm.0001_initial": migration("shop.0001_initial", operations=B),
    },
    "a squash that replaces migrations of another app": {
        "shop.0001_initial": migration(operations=A),
        "crm.0001_initial": migration("shop.0001_initial", operations=B),
        "crm.0001_squashed": migration(replaces=("shop.0001_initial", "crm.0001_initial"), operations=B),
        "shop.0002_b": migration("shop.0001_initial"),
    },
    "a squash that replaces migrations of another app only": {
        "shop.0001_initial": migration(operations=A),
        "crm.0001_moved": migration(replaces=("shop.0001_initial",), operations=B),
        "shop.0002_b": migration("crm.0001_moved", operations=A),
    },
    "two squashes that follow each other": {
        **CHAIN,
        "shop.0004_d": migration("shop.0003_c", operations=FIELD.format("d")),
        "shop.0001_squashed_0002": SQUASHED,
        "shop.0003_squashed_0004": migration(
            "shop.0002_b", replaces=("shop.0003_c", "shop.0004_d"), operations=FIELD.format("c") + FIELD.format("d")
        ),
    },
    "a squash whose own dependencies are replaced by another": {
        "shop.0001_squashed_0002": SQUASHED,
        "shop.0003_squashed_0004": migration(
            "shop.0002_b", replaces=("shop.0003_c", "shop.0004_d"), operations=FIELD.format("c")
        ),
        "crm.0001_initial": migration("shop.0004_d", operations=B),
    },
    "run_before of another app": {
        "shop.0001_initial": migration(operations=A),
        "ads.0001_initial": HEAD
        + "class Migration(migrations.Migration):\n    run_before = [('shop', '0001_initial')]\n",
    },
    "run_before of what a squash replaces": {
        **CHAIN,
        "shop.0001_squashed_0002": SQUASHED,
        "ads.0001_initial": HEAD + "class Migration(migrations.Migration):\n    run_before = [('shop', '0002_b')]\n",
    },
    "the first and the latest of another app": {
        **CRM,
        "ads.0001_initial": migration("crm.__first__"),
        "shop.0001_initial": migration("crm.__latest__", operations=A),
    },
    "the first and the latest of an app with a squash": {
        **CHAIN,
        "shop.0001_squashed_0002": SQUASHED,
        "ads.0001_initial": migration("shop.__first__"),
        "crm.0001_initial": migration("shop.__latest__", operations=B),
    },
    "the first of an app with two roots": {
        "crm.0001_z": migration(operations=B),
        "crm.0001_a": migration(operations=C),
        "crm.0002_merge": migration("crm.0001_z", "crm.0001_a"),
        "shop.0001_initial": migration("crm.__first__", operations=A),
    },
    "its own first": {**SHOP, "shop.0002_b": migration("shop.0001_initial", "shop.__first__")},
    "a base class of the project": {
        **CRM,
        "shop/base.py": f"{HEAD}{BASE}",
        "shop.0001_initial": "from django.db import migrations\nfrom shop.base import NonAtomic\n"
        "class Migration(NonAtomic):\n    pass\n",
        "shop.0002_b": "from django.db import migrations\nfrom ..base import NonAtomic\n"
        "class Between(NonAtomic):\n    atomic = True\n"
        "class Migration(Between):\n    initial = None\n"
        "    dependencies = [('shop', '0001_initial')]\n",
        "shop.0003_c": "from django.db import migrations\nfrom shop import base\n"
        "class Migration(base.NonAtomic):\n    dependencies = [('shop', '0002_b')]\n",
    },
    "a swappable model by a setting of any name": {
        **CRM,
        **SHOP,
        "shop.0002_b": field(
            FK.format("settings.SHOP_CLIENT_2"), f"('shop', '0001_initial'), {swappable('settings.SHOP_CLIENT_2')}"
        ),
        "settings": 'SHOP_CLIENT_2 = "crm.B"',
    },
    "a swappable model by a text": {**CRM, **SHOP, "shop.0002_b": field(
            FK.format("'crm.B'"), '("shop", "0001_initial"), ' + swappable("'crm.B'")
        )},
    "a swappable model by a setting that the project leaves out": {
        **CRM,
        **SHOP,
        "shop.0002_b": field(
            FK.format("CLIENT"),
            f"('shop', '0001_initial'), {swappable('CLIENT')}",
            'CLIENT = getattr(settings, "SHOP_CLIENT", "crm.B")\n',
        ),
    },
    "a swappable model by a setting that the project gives": {
        **CRM,
        **SHOP,
        "shop.0002_b": field(
            FK.format("CLIENT"),
            f"('shop', '0001_initial'), {swappable('CLIENT')}",
            'CLIENT = getattr(settings, "SHOP_CLIENT", "auth.User")\n',
        ),
        "settings": 'SHOP_CLIENT = "crm.C"',
    },
    "a swappable model by a constant of a module": {
        **CRM,
        **SHOP,
        "shop/conf.py": "from django.conf import settings as given\n"
        'CLIENT = getattr(given, "SHOP_CLIENT", "crm.B")\nDEPENDENCIES = [("crm", "0002_c")]\n',
        "shop.0002_b": field(
            FK.format("conf.CLIENT"),
            f"('shop', '0001_initial'), {swappable('conf.CLIENT')}, *conf.DEPENDENCIES",
            "from shop import conf\n",
        ),
    },
    "operations by Django's version": {**SHOP, "shop.0002_b": conditional("django.VERSION >= (4, 1)", "import django")},
    "operations by a part of Django's version": {
        **SHOP,
        "shop.0002_b": conditional("VERSION[0] > 9 or VERSION[:2] < (2, 0)", "from django import VERSION"),
    },
    "operations by the database": {
        **SHOP,
        "shop.0002_b": conditional("connection.vendor == 'sqlite'", "from django.db import connection"),
    },
    "operations by the database's engine": {
        **SHOP,
        "shop.0002_b": conditional(
            "'postgresql' in engine", "from django.db import connection\nengine = connection.settings_dict['ENGINE']"
        ),
    },
    "operations by the installed apps": {
        **SHOP,
        "shop.0002_b": conditional("'crm' in settings.INSTALLED_APPS or apps.is_installed('shop')",
                                   "from django.apps import apps"),
    },
    "operations by a setting": {
        **SHOP,
        "shop.0002_b": conditional("not settings.SHOP_IS_OPEN"),
        "settings": "SHOP_IS_OPEN = True",
    },
    "operations by a setting that the project leaves out": {
        **SHOP,
        "shop.0002_b": conditional("getattr(settings, 'SHOP_IS_OPEN', False)"),
    },
    "operations that one way only sets": {
        **SHOP,
        "shop.0002_b": f"{HEAD}class Migration(migrations.Migration):\n"
        "    dependencies = [('shop', '0001_initial')]\n"
        "    if not getattr(settings, 'SHOP_IS_OPEN', True):\n"
        "        operations = [migrations.RemoveField('a', 'n')]\n",
    },
    "operations that a function chooses": {
        **SHOP,
        "shop.0002_b": f"import django\n{HEAD}"
        "def old():\n    return [migrations.RemoveField('a', 'n')]\n"
        "def new():\n    return [migrations.RenameField('a', 'n', 'm')]\n"
        "def chosen():\n    version = django.VERSION\n    if version[0] < 3:\n        return old()\n    return new()\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('shop', '0001_initial')]\n    operations = chosen()\n",
    },
    "an operation of the project that is Django's to the state": {
        **SHOP,
        "shop/operations.py": f"{HEAD}"
        "class Mixin:\n    atomic = False\n"
        "class Carefully(Mixin, migrations.AddField):\n"
        "    def database_forwards(self, *args):\n        pass\n"
        "class Plainly(migrations.AddField):\n    '''Nothing else.'''\n"
        "class Nothing(migrations.operations.base.Operation):\n"
        "    def state_forwards(self, app_label, state):\n        pass\n"
        "    def database_forwards(self, *args):\n        pass\n",
        "shop.0002_b": f"{HEAD}from shop import operations as own\nfrom ..operations import Plainly\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('shop', '0001_initial')]\n"
        "    operations = [own.Carefully('a', 'x', models.TextField()), Plainly('a', 'y', models.TextField()),\n"
        "                  own.Nothing()]\n",
    },
    "a composite key that does not say that it is one": {
        "shop.0001_initial": migration(
            operations="migrations.CreateModel('A', [('pk', models.CompositePrimaryKey('x', 'y')), "
            "('x', models.IntegerField()), ('y', models.IntegerField())])"
        ),
    },
    "a relation to itself and through a model, both renamed": {
        "shop.0001_initial": migration(
            operations="migrations.CreateModel('A', [('id', models.BigAutoField(primary_key=True)), "
            "('friends', models.ManyToManyField('self', through='shop.Tie')), "
            "('own', models.ManyToManyField(to='self'))]), "
            "migrations.CreateModel('Tie', [('id', models.BigAutoField(primary_key=True)), "
            "('one', models.ForeignKey('shop.A', models.CASCADE, related_name='+')), "
            "('two', models.ForeignKey('A', models.CASCADE, related_name='+'))])"
        ),
        "shop.0002_b": migration(
            "shop.0001_initial",
            operations="migrations.RenameModel('A', 'Person'), migrations.RenameModel('Tie', 'Bond')",
        ),
    },
    "a foreign key that becomes many": {
        **CRM,
        **SHOP,
        "shop.0002_b": migration(
            "shop.0001_initial",
            "crm.0001_initial",
            operations=f"migrations.AddField('a', 'r', {FK.format(repr('crm.B'))}), migrations.RemoveField('a', 'r'), "
            "migrations.AddField('a', 'r', models.ManyToManyField('crm.B', db_table='rs')), "
            "migrations.AlterModelTable('a', None)",
        ),
    },
    "a swappable setting made of another, and run_before of what it names": {
        **CRM,
        **SHOP,
        "ads.0001_initial": HEAD
        + "class Migration(migrations.Migration):\n    run_before = [('crm', '0001_initial')]\n",
        "shop.0002_b": field(
            FK.format("settings.CLIENT"), f"('shop', '0001_initial'), {swappable('settings.CLIENT')}"
        ),
        "settings": 'APP = "crm"\nCLIENT = APP + ".B"',
    },
    "an operation that a function of the file makes": {
        **SHOP,
        "shop.0002_b": f"{HEAD}"
        "def add(name, length=10):\n"
        "    return migrations.AddField('a', name, models.CharField(max_length=length, default=''))\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('shop', '0001_initial')]\n    operations = [add('x', 20), add('y')]\n",
    },
    "a model deleted, and another renamed to its name": {
        "shop.0001_initial": migration(
            operations=f"{A}migrations.DeleteModel('A'),{B}migrations.RenameModel('B', 'A'), migrations.AlterField("
            "'a', 'n', models.BigIntegerField(null=True, db_default=3), preserve_default=False)"
        ),
    },
}  # fmt: skip

# What Django 6.0 and later allow.
SQUASHES_OF_SQUASHES: dict[str, Files] = {
    "a squash of a squash": {
        **CHAIN,
        "shop.0001_squashed_0002": SQUASHED,
        "shop.0001_squashed_0003": migration(
            replaces=("shop.0001_squashed_0002", "shop.0003_c"),
            operations=A + FIELD.format("b") + FIELD.format("c"),
        ),
        "crm.0001_initial": migration("shop.0002_b", operations=B),
    },
    "a squash of a squash whose migrations are gone": {
        "shop.0001_squashed_0002": SQUASHED,
        "shop.0003_c": CHAIN["shop.0003_c"],
        "shop.0001_squashed_0003": migration(
            replaces=("shop.0001_squashed_0002", "shop.0003_c"),
            operations=A + FIELD.format("b") + FIELD.format("c"),
        ),
        "crm.0001_initial": migration("shop.0002_b", operations=B),
    },
    "a squash of a squash that is gone": {
        "shop.0001_squashed_0003": migration(
            replaces=("shop.0001_squashed_0002", "shop.0003_c"),
            operations=A + FIELD.format("b") + FIELD.format("c"),
        ),
        "crm.0001_initial": migration("shop.0003_c", "shop.0001_squashed_0002", operations=B),
    },
}


def project(root: Path, files: Files, version: str) -> Path:
    """A case on the disk: importable by Django, with settings for both."""
    plain = {name: text for name, text in files.items() if "/" not in name and name != "settings"}
    write(root, plain)
    for name, text in files.items():
        if "/" in name:
            (root / name).write_text(text)
    labels = sorted({name.partition(".")[0] for name in plain})
    (root / "settings.py").write_text(SETTINGS.format(apps=", ".join(map(repr, labels))) + files.get("settings", ""))
    (root / "miglint.toml").write_text(f'settings-file = "settings.py"\ndjango-version = "{version}"\n')
    return root


def said(root: Path, *arguments: str) -> dict[str, Any]:
    """What a command says, in this process."""
    done = CliRunner().invoke(cli, [arguments[0], str(root), *arguments[1:], "--output-format", "json", "--no-cache"])
    gc.enable()
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "miglint", said)


@pytest.mark.parametrize("case", CASES)
def test_a_small_project_is_what_django_makes_of_it(case: str, tmp_path: Path) -> None:
    told = json.loads(judge.ask(project(tmp_path / "project", CASES[case], "5.2"), points=1))
    assert judge.compare_with(told, tmp_path / "project").differences == {}


@pytest.mark.parametrize("case", SQUASHES_OF_SQUASHES)
def test_a_squash_of_squashes_is_what_django_6_makes_of_it(case: str, tmp_path: Path) -> None:
    try:
        python = judge.environment("django6") / "bin" / "python"
    except judge.Unavailable as error:
        pytest.skip(str(error))
    root = project(tmp_path / "project", SQUASHES_OF_SQUASHES[case], "6.0")
    told = json.loads(judge.ask(root, str(python), points=1))
    assert judge.compare_with(told, root).differences == {}
