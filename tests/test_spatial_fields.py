"""Fields of django.contrib.gis: classes, types of columns and indexes, as Django has them for PostGIS."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from miglint.database import Database
from miglint.project.action import CreateIndex, DropIndex
from miglint.project.actions import actions_of
from miglint.project.columns import World, column_type
from miglint.project.fields import SPATIAL, canonical_class
from miglint.project.forwards import apply
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.state import ProjectState
from miglint.syntax.reader import read

HEADER = "from django.contrib.gis.db import models\nfrom django.db import migrations\n"
OPERATIONS = """[
    migrations.CreateModel("Place", [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField("Name", max_length=20)),
        ("point", models.PointField()),
        ("area", models.PolygonField("Area", 3, True, null=True)),
        ("road", models.LineStringField(spatial_index=False, srid=3857)),
        ("all", models.GeometryCollectionField(dim=3)),
        ("raster", models.RasterField("Raster", 3857, null=True)),
    ]),
    migrations.AddField("Place", "other", models.MultiPointField(null=True)),
    migrations.AddField("Place", "plain", models.GeometryField(null=True, spatial_index=False)),
    migrations.AlterField("Place", "road", models.LineStringField(srid=3857)),
    migrations.AlterField("Place", "other", models.MultiPointField(null=True, spatial_index=False)),
    migrations.AlterField("Place", "other", models.MultiPolygonField(null=True, spatial_index=False)),
]"""
ASK = f"""\
import json, sys
from django.conf import settings
settings.configure(DATABASES={{"default": {{"ENGINE": "django.contrib.gis.db.backends.postgis", "NAME": "x"}}}})
import django
django.setup()
from django.db import connection
from django.db.migrations.state import ProjectState
connection.ops.__dict__["spatial_version"] = (3, 4, 0)
{HEADER}
state, types, said = ProjectState(), {{}}, []
for operation in {OPERATIONS}:
    after = state.clone()
    operation.state_forwards("shop", after)
    statements = []
    with connection.schema_editor(atomic=False) as editor:
        editor.execute = lambda sql, params=(): statements.append(str(sql))
        operation.database_forwards("shop", editor, state, after)
        deferred, editor.deferred_sql = editor.deferred_sql, []
    said.append(statements + [str(each) for each in deferred])
    state = after
    for field in state.apps.get_model("shop", "Place")._meta.fields:
        types[field.name] = field.db_type(connection)
paths = {{name: getattr(models, name)().deconstruct()[1] for name in {sorted(SPATIAL)!r}}}
paths["TextField"] = models.TextField().deconstruct()[1]
json.dump([types, said, paths], sys.stdout)
"""
CREATED = re.compile(r'CREATE INDEX "(\w+)" ON "shop_place" USING (\w+)', re.I)
DROPPED = re.compile(r'DROP INDEX (?:IF EXISTS )?"(\w+)"')


@pytest.fixture(scope="module")
def asked() -> tuple[dict[str, str], list[list[str]], dict[str, str]]:
    """Types by field, statements by operation, and paths of classes, as Django has them for PostGIS."""
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=False)
    assert "Could not find the G" not in done.stderr, "Django needs GDAL and GEOS: apt-get install gdal-bin"
    assert done.returncode == 0, done.stderr
    types, said, paths = json.loads(done.stdout)
    return types, said, paths


def test_classes_are_known_by_the_path_that_they_say(asked: tuple[object, object, dict[str, str]]) -> None:
    found = {name: canonical_class(f"django.contrib.gis.db.models.{name}") for name in asked[2]}
    assert found == asked[2]


def test_columns_have_the_types_and_indexes_that_django_makes(
    asked: tuple[dict[str, str], list[list[str]], object],
) -> None:
    types, said, _ = asked
    text = f"{HEADER}\nclass Migration(migrations.Migration):\n    operations = {OPERATIONS}\n"
    migration = interpret(MigrationKey("shop", "0001_x"), "0001_x.py", read(text))
    assert migration.unreadable == ()
    state = ProjectState()
    assert (len(CREATED.findall(str(said))), len(DROPPED.findall(str(said)))) == (6, 1)
    for number, operation in enumerate(migration.operations):
        after, problems = apply(state, migration, (number,), operation)
        assert problems == ()
        actions = actions_of(operation, state, after, app="shop", database=Database())
        statements = "\n".join(said[number])
        created = [(each.name, each.method) for each in actions if isinstance(each, CreateIndex)]
        assert sorted(created) == sorted((name, how.lower()) for name, how in CREATED.findall(statements))
        assert [each.name for each in actions if isinstance(each, DropIndex)] == DROPPED.findall(statements)
        state = after
    model = state.model("shop", "Place")
    assert model is not None
    found = {name: column_type(each.field, "shop", "Place", World(state, {})) for name, each in model.fields.items()}
    assert found == types
