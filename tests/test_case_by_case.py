"""Small projects of one peculiarity each: the graph, the plan and the state are those that Django computes."""

from __future__ import annotations

import gc
import json
import sys
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


def model(name: str, /, options: str = "{}", **fields: str) -> str:
    """A CreateModel with a key and these fields."""
    written = "".join(f", ('{field}', {text})" for field, text in fields.items())
    return f"migrations.CreateModel('{name}', [('id', models.BigAutoField(primary_key=True)){written}], {options}),"


def one_app(*operations: str) -> Files:
    """Migrations that follow each other, each of some operations."""
    names = [f"shop.{number:04}_step" for number in range(1, len(operations) + 1)]
    parents = [(), *((name,) for name in names)]
    return {name: migration(*parents[at], operations=operations[at]) for at, name in enumerate(names)}


LINK = (
    "('a_ptr', models.OneToOneField(auto_created=True, on_delete=models.CASCADE, parent_link=True, primary_key=True, "
    "serialize=False, to='shop.A'))"
)
POSTGRESQL = (
    "import django.contrib.postgres.fields.ranges\nimport django.contrib.postgres.search\n"
    "from django.contrib.postgres import constraints as pc, fields as pf, indexes as pi, operations as po\n"
)


def follows(operations: str, before: str) -> str:
    """The second migration of shop, with what its file says before the class."""
    return (
        f"{HEAD}{before}class Migration(migrations.Migration):\n"
        f"    dependencies = [('shop', '0001_initial')]\n    operations = {operations}\n"
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
    "operations by an installed app that a constant names": {
        **SHOP,
        "shop.0002_b": conditional("apps.is_installed(CRM)", "from django.apps import apps\nCRM = 'crm'"),
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
        "class Aside(migrations.AddField):\n"
        "    def database_forwards(self, *args):\n        pass\n"
        "    database_forwards.reduces_to_sql = False\n"
        "    def database_backwards(self, *args):\n        pass\n"
        "class Nothing(migrations.operations.base.Operation):\n"
        "    def state_forwards(self, app_label, state):\n        pass\n"
        "    def database_forwards(self, *args):\n        pass\n",
        "shop.0002_b": f"{HEAD}from shop import operations as own\nfrom ..operations import Plainly\n"
        "class Migration(migrations.Migration):\n"
        "    dependencies = [('shop', '0001_initial')]\n"
        "    operations = [own.Carefully('a', 'x', models.TextField()), Plainly('a', 'y', models.TextField()),\n"
        "                  own.Aside('a', 'z', models.TextField()), own.Nothing()]\n",
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
    "a name in another case": one_app(
        model("A", name="models.TextField()") + model("B", a="models.ForeignKey('shop.A', models.CASCADE)"),
        "migrations.RenameField('A', 'name', 'Name')",
        "migrations.AddField('b', 'Name', models.TextField(null=True)), migrations.AlterField('B', 'Name', "
        "models.CharField(max_length=3))",
    ),
    "a model renamed to itself, which takes it away": one_app(
        model("aB") + model("C"), "migrations.RenameModel('aB', 'AB')"
    ),
    "an order with respect to a field, set, unset, renamed and set again": one_app(
        model("Q") + model("A", q="models.ForeignKey('shop.Q', models.CASCADE)"),
        "migrations.AlterOrderWithRespectTo('A', 'q')",
        "migrations.AlterOrderWithRespectTo('A', None), migrations.RenameField('A', 'q', 'question')",
        "migrations.AlterOrderWithRespectTo('A', 'question')",
    ),
    "a renamed field that relations, groups, indexes and constraints name": one_app(
        model(
            "P",
            code="models.CharField(max_length=3, unique=True)",
            n="models.IntegerField()",
            me="models.ForeignKey('self', models.CASCADE, to_field='code', null=True, related_name='+')",
            options="{'unique_together': {('code', 'n')}, 'index_together': set(), 'indexes': ["
            "models.Index(fields=['code', '-n'], name='i1', include=['id'], condition=models.Q(code='x')), "
            "models.Index(models.F('code').desc(), models.functions.Upper('code'), name='i2')], 'constraints': ["
            "models.UniqueConstraint(fields=['code'], name='u1', condition=models.Q(n__gt=models.F('id')))]}",
        )
        + model(
            "C",
            p="models.ForeignKey(to='shop.P', on_delete=models.CASCADE, to_field='code')",
            o="models.OneToOneField('P', models.CASCADE, 'code', related_name='+')",
            fo="models.ForeignObject('shop.P', models.CASCADE, from_fields=['x', 'y'], to_fields=['code', 'n'], "
            "related_name='+')",
            x="models.CharField(max_length=3)",
            y="models.IntegerField()",
        ),
        "migrations.RenameField('P', 'code', 'kode')",
        "migrations.RenameField('C', 'x', 'xx'), migrations.RenameField('c', 'fo', 'foo')",
        "migrations.RenameField('p', 'n', 'm'), migrations.RemoveIndex('p', 'i1')",
    ),
    "a child, and a proxy of it, whose fields and names change": one_app(
        model("A")
        + f"migrations.CreateModel('B', [{LINK}, ('x', models.TextField())], bases=('shop.a',)),"
        + "migrations.CreateModel('P', [], {'proxy': True, 'indexes': [], 'constraints': []}, ('shop.b',)),",
        "migrations.RenameModel('P', 'Q'), migrations.AlterModelManagers('Q', [('objs', models.Manager())])",
        "migrations.RenameField('A', 'id', 'ident'), migrations.RenameField('b', 'a_ptr', 'parent')",
        "migrations.AlterModelOptions('Q', {'proxy': True, 'ordering': ['x']}), migrations.DeleteModel('Q')",
    ),
    "a proxy made again of another model": one_app(
        model("A") + model("Z") + "migrations.CreateModel('P', [], {'proxy': True}, ('shop.a', models.Model)),",
        "migrations.DeleteModel('P'), migrations.CreateModel('P', [], {'proxy': True}, ('shop.Z',))",
    ),
    "options that AlterModelOptions keeps, sets and takes away": one_app(
        model(
            "A",
            options="{'ordering': ['id'], 'verbose_name': 'x', 'db_table': 't', 'permissions': (), 'swappable': 'A_B',"
            "'required_db_vendor': 'sqlite', 'default_related_name': 'aa', 'db_tablespace': 'x', 'managed': False,"
            "'select_on_save': True, 'base_manager_name': 'objects', 'get_latest_by': 'id', 'abstract': False}",
        ),
        "migrations.AlterModelOptions('A', {'verbose_name_plural': 'x'})",
        "migrations.AlterModelOptions('A', {'ordering': [], 'managed': False})",
        "migrations.AlterModelOptions('A', options={'managed': True, 'db_table': 'other'})",
        "migrations.AlterModelOptions('A', {}), migrations.AlterModelTableComment('A', 'x')",
        "migrations.AlterModelTableComment('A', None), migrations.AlterModelTable('A', None)",
    ),
    "a relation that becomes many, with a table of its own, and back": one_app(
        model("A", options="{'db_table': 't_a'}")
        + model(
            "B",
            r="models.ManyToManyField('shop.A', db_table='zzz')",
            s="models.ManyToManyField('A', related_name='+')",
            t="models.ManyToManyField('shop.A', through='shop.T', through_fields=('b', 'a'), related_name='+')",
            options="{'db_table': 't_b'}",
        )
        + model("T", a="models.ForeignKey('A', models.CASCADE)", b="models.ForeignKey('B', models.CASCADE)"),
        "migrations.AlterField('b', 'r', models.ForeignKey('shop.A', models.CASCADE, null=True, related_name='+'))",
        "migrations.AlterField('b', 'r', models.ManyToManyField('A', db_table='x', related_name='r', through=None))",
        "migrations.AlterModelTable('B', 't_c'), migrations.RenameModel('B', 'D')",
        "migrations.RenameField('D', 's', 'ss'), migrations.RenameModel('T', 'Tie')",
        "migrations.RenameField('tie', 'b', 'bb'), migrations.AlterModelTable('D', None)",
    ),
    "models without a key of their own": {
        **one_app("migrations.CreateModel('A', [('x', models.IntegerField())]),"),
        "shop/apps.py": "from django.apps import AppConfig\nclass ShopConfig(AppConfig):\n    name = 'shop'\n"
        "    default_auto_field = 'django.db.models.SmallAutoField'\n",
    },
    "fields, indexes and operations of PostgreSQL": {
        "shop.0001_initial": POSTGRESQL
        + migration(
            operations=model(
                "A",
                a="pf.ArrayField(models.CharField(max_length=3), size=3)",
                b="pf.ArrayField(base_field=pf.ArrayField(models.IntegerField()), default=list, null=True)",
                h="pf.HStoreField(default=dict)",
                i="pf.IntegerRangeField()",
                d="django.contrib.postgres.fields.ranges.DateRangeField(db_index=True)",
                t="pf.DateTimeRangeField(default_bounds='[]')",
                v="django.contrib.postgres.search.SearchVectorField(null=True)",
                options="{'indexes': [pi.GinIndex(fields=['a'], name='gin', opclasses=['x']), pi.GistIndex("
                "models.F('i'), name='gist')], 'constraints': [pc.ExclusionConstraint(name='e', "
                "expressions=[('i', '&&')])]}",
            )
        ),
        "shop.0002_b": POSTGRESQL
        + migration(
            "shop.0001_initial",
            operations="po.BtreeGistExtension(), po.CreateExtension('x'), po.CreateCollation('c', 'und'), "
            "po.AddIndexConcurrently('A', pi.HashIndex(fields=['id'], name='hash')), "
            "po.RemoveIndexConcurrently('A', 'gin'), po.AddConstraintNotValid('A', models.CheckConstraint("
            "condition=models.Q(id__gt=0), name='nv')), po.ValidateConstraint('A', 'nv')",
        ),
    },
    "the latest of an app whose latest needs mine": {
        "crm.0001_initial": migration(operations=B),
        "crm.0002_z": migration("crm.0001_initial", "shop.0001_initial"),
        "crm.0002_y": migration("crm.0001_initial"),
        "shop.0001_initial": migration("crm.__first__", operations=A),
        "shop.0002_b": migration("shop.0001_initial", "crm.__latest__"),
    },
    "run_before of the first and of the latest": {
        "crm.0001_initial": migration(operations=B),
        "crm.0002_b": migration("crm.0001_initial"),
        "ads.0001_initial": f"{HEAD}class Migration(migrations.Migration):\n    run_before = [('crm', '0002_b')]\n",
        "shop.0001_initial": migration("crm.__latest__", "ads.__first__", operations=A),
    },
    "run_before by and of squashes": {
        "crm.0001_initial": migration(operations=B),
        "crm.0002_b": migration("crm.0001_initial"),
        "crm.0001_squashed": migration(replaces=("crm.0001_initial", "crm.0002_b"), operations=B),
        "shop.0001_initial": f"{HEAD}class Migration(migrations.Migration):\n    run_before = [('crm', '0002_b')]\n",
        "shop.0002_b": migration("shop.0001_initial"),
        "shop.0001_squashed": f"{HEAD}class Migration(migrations.Migration):\n"
        "    replaces = [('shop', '0001_initial'), ('shop', '0002_b')]\n    run_before = [('crm', '0001_squashed')]\n",
        "ads.0001_initial": migration("crm.0001_initial", "shop.__latest__", operations=A),
    },
    "replaced migrations of another app that are gone": {
        **SHOP,
        "crm.0001_initial": migration(operations=C),
        "crm.0002_taken": migration("shop.0001_initial", replaces=("old.0001_initial", "old.0002_x"), operations=B),
        "ads.0001_initial": migration("old.0002_x", operations=A),
    },
    "a model that derives from what a setting names": {
        **CRM,
        "shop.0001_initial": f"{HEAD}class Migration(migrations.Migration):\n"
        f"    dependencies = [{swappable('settings.CLIENT')}]\n"
        "    operations = [migrations.CreateModel('P', [], {'proxy': True}, (settings.CLIENT,))]\n",
        "settings": "APP = 'crm'\nCLIENT = f'{APP}.B'\n",
    },
    "operations that loops add": {
        **SHOP,
        "shop.0002_b": follows(
            "OPS",
            "OPS = [migrations.AlterModelOptions('a', {})]\n"
            "for model, f in [('a', 'x'), ('A', 'y')]:\n"
            "    name = f + '_z'\n"
            "    OPS.append(migrations.AddField(model, name, models.TextField(null=True)))\n"
            "    OPS += [migrations.AlterField(model, name, models.CharField(max_length=3, default=f))]\n"
            "for k, length in {'p': 3, 'q': 4}.items():\n"
            "    if k == 'q':\n"
            "        OPS.extend([migrations.AddField('a', k, models.CharField(max_length=length, null=True))])\n"
            "for k in range(2):\n"
            "    OPS.append(migrations.AddField('a', f'f{k}', models.TextField(null=True)))\n"
            "for at, (one, other) in enumerate(zip(sorted(('g', 'h')), ('i', 'j'))):\n"
            "    OPS.append(migrations.AddField('a', '%s%s%d' % (one, other, at), models.TextField(null=True)))\n",
        )
        + "    for n in ('v', 'w'):\n"
        "        operations.append(migrations.AddField('a', n, models.TextField(null=True)))\n"
        "    for n in ('0001_initial', '0002_c'):\n        dependencies.append(('crm', n))\n",
        **CRM,
    },
    "operations that functions put together": {
        **SHOP,
        "shop.0002_b": follows(
            "[*make('x'), *make(n='y', null=False)] + several(NAMES) + again('p', 'q') + "
            "[one(n) for n in ('k', 'l') if n != 'k']",
            "NAMES = ['r', 's']\n"
            "def make(n, null=True):\n"
            "    return [migrations.AddField('a', n, models.TextField(null=null, default='')),\n"
            "            migrations.AddField('a', n + '2', models.TextField(null=True))]\n"
            "def several(names):\n"
            "    ops = []\n"
            "    for k in names:\n"
            "        for l in (1, 2):\n"
            "            ops.append(one('%s%d' % (k, l)))\n"
            "    return [migrations.RemoveField('a', 'n'), *ops]\n"
            "def one(n):\n"
            "    return migrations.AddField('a', n, text(9))\n"
            "def text(length):\n"
            "    return models.CharField(null=True, max_length=length)\n"
            "def again(x, y):\n"
            "    x, y = y, x\n"
            "    x = x + 'q'\n"
            "    y = f'{y}_'\n"
            "    return [one(x), one(y)]\n",
        ),
    },
    "lists by other names, and names that are bound again": {
        **SHOP,
        "shop.0002_b": follows(
            "OPS + OTHER[1:] + OTHER[:1] + [OTHER[-2]][:0]",
            "OPS = []\nadd = OPS.append\nx = 'p'\n"
            "add(migrations.AddField('a', x, models.TextField(null=True)))\n"
            "x = 'q'\nALSO = OPS\n"
            "ALSO.append(migrations.AddField('a', x, models.TextField(null=True)))\n"
            "x = '%st' % x\nx += 'u'\n"
            "OTHER = [migrations.AddField('a', x, models.TextField(null=True)), migrations.RemoveField('a', 'n')]\n",
        )
        + "x = 'z'\nOPS = []\n",
    },
    "arguments, options and fields of another module": {
        "shop/conf.py": "from django.db import models\nOPTS = dict(max_length=4, blank=True)\nNAME, LENGTH = 'x', 7\n"
        "MORE = {'null': True, **OPTS}\nTABLE = {'db_table': 'bbb'}\n"
        "FIELDS = [('id', models.BigAutoField(primary_key=True))]\n",
        "shop.0001_initial": f"{HEAD}from shop import conf\nfrom shop.conf import FIELDS, LENGTH, NAME, OPTS, TABLE\n"
        "GIVEN = dict(model_name='a', name='given', field=models.TextField(null=True))\n"
        "class Migration(migrations.Migration):\n    operations = [\n"
        "        migrations.CreateModel('A', FIELDS, options=TABLE),\n"
        "        migrations.CreateModel('C', [*conf.FIELDS, ('y', models.CharField(**OPTS))],\n"
        "                               {**conf.TABLE, 'ordering': ['id'], 'db_table': 'ccc'}),\n"
        "        migrations.CreateModel('D', FIELDS + [('z', models.CharField(**dict(OPTS, unique=True)))],\n"
        "                               dict(TABLE, db_table='ddd'), bases=(models.Model,)),\n"
        "        migrations.AddField('a', NAME, models.CharField(**conf.MORE)),\n"
        "        migrations.AddField('a', NAME + '2', models.CharField(max_length=LENGTH)),\n"
        "        migrations.AddField(**GIVEN)]\n",
    },
    "a migration that is another class": {
        **SHOP,
        "shop/base.py": f"{HEAD}NAME = 'p'\nclass Other(migrations.Migration):\n    atomic = False\n"
        "    dependencies = [('shop', '0001_initial')]\n"
        "    operations = [migrations.AddField('a', NAME, models.TextField(null=True))]\n",
        "shop.0002_b": "from shop.base import Other\nNAME = 'wrong'\nMigration = Other\n",
        "crm.0001_initial": migration(operations=B),
        "crm.0002_c": "from crm.base import Other as Migration\n",
        "crm/base.py": f"{HEAD}class Other(migrations.Migration):\n    operations = [{C}]\n"
        "    dependencies = [('crm', '0001_initial')]\n",
        "ads.0001_initial": f"import django\n{HEAD}if django.VERSION >= (3,):\n"
        f"    class Migration(migrations.Migration):\n        operations = [{C}]\n"
        "else:\n    class Migration(migrations.Migration):\n        pass\n",
    },
    "a part of the operations of a base class": {
        **SHOP,
        "shop/base.py": f"{HEAD}class Base(migrations.Migration):\n    dependencies = [('shop', '0001_initial')]\n"
        "    operations = [migrations.RemoveField('a', 'n'),\n"
        "                  migrations.AddField('a', 'q', models.TextField(null=True))]\n",
        "shop.0002_b": f"{HEAD}from shop.base import Base\nclass Migration(Base):\n"
        "    operations = Base.operations[1:] + [migrations.RenameField('a', 'n', 'm')]\n"
        "    dependencies = Base.dependencies\n",
    },
    "a model deleted, and another renamed to its name": {
        "shop.0001_initial": migration(
            operations=f"{A}migrations.DeleteModel('A'),{B}migrations.RenameModel('B', 'A'), migrations.AlterField("
            "'a', 'n', models.BigIntegerField(null=True, db_default=3), preserve_default=False)"
        ),
    },
}  # fmt: skip

# What the releases of Django have in common, and each is asked for.
OF_ALL_RELEASES: dict[str, Files] = {
    "an index that gets its name from the fields it had": one_app(
        model(
            "A",
            a="models.IntegerField()",
            b="models.IntegerField()",
            options="{'index_together': {('a', 'b'), ('b', 'a')}}",
        ),
        "migrations.RenameIndex('A', new_name='ab', old_fields=('a', 'b')), migrations.RenameField('A', 'a', 'c')",
        "migrations.RenameIndex('A', new_name='ba', old_fields=['b', 'c']), migrations.RenameIndex('A', 'abc', 'ab')",
        "migrations.AlterIndexTogether('A', None), migrations.AlterUniqueTogether('A', ('c', 'b'))",
    ),
}
OF_DJANGO_5_2: dict[str, Files] = {
    "columns of other columns": one_app(
        model(
            "A",
            x="models.IntegerField()",
            g="models.GeneratedField(expression=models.F('x') + 1, output_field=models.IntegerField(), "
            "db_persist=True)",
            h="models.GeneratedField(expression=models.functions.Lower('x'), output_field=models.CharField("
            "max_length=30), db_persist=False, unique=True, null=True, db_column='hh', db_index=True)",
        )
        + "migrations.CreateModel('K', [('pk', models.CompositePrimaryKey('x', 'y', blank=True, editable=False, "
        "primary_key=True, serialize=False)), ('x', models.IntegerField()), ('y', models.IntegerField())]),",
        "migrations.RenameField('A', 'x', 'y'), migrations.RenameField('K', 'x', 'z')",
        "migrations.AlterField('A', 'g', models.GeneratedField(expression=models.F('y') + 2, "
        "output_field=models.BigIntegerField(), db_persist=True)), migrations.AlterField('K', 'y', models.TextField())",
    ),
}
RELEASES = {"django42": "4.2", "": "5.2", "django6": "6.0"}

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
    told = json.loads(judge.ask(project(tmp_path / "project", CASES[case], "5.2"), points=3))
    assert judge.compare_with(told, tmp_path / "project").differences == {}


@pytest.mark.parametrize(
    ("environment", "case", "files"),
    [
        *(("django6", case, files) for case, files in SQUASHES_OF_SQUASHES.items()),
        *((name, case, files) for name in RELEASES for case, files in OF_ALL_RELEASES.items()),
        *((name, case, files) for name in ("", "django6") for case, files in OF_DJANGO_5_2.items()),
    ],
)
def test_a_small_project_is_what_other_releases_of_django_make_of_it(
    environment: str, case: str, files: Files, tmp_path: Path
) -> None:
    try:
        python = str(judge.environment(environment) / "bin" / "python") if environment else sys.executable
    except judge.Unavailable as error:
        pytest.skip(str(error))
    root = project(tmp_path / "project", files, RELEASES[environment])
    told = json.loads(judge.ask(root, python, points=2))
    assert judge.compare_with(told, root).differences == {}
