"""What is shipped of Django's own apps is what Django has."""

from __future__ import annotations

import json

from contrib_graphs import ask, asked
from miglint.project.contrib import CONTRIB, CONTRIB_METHODS, CONTRIB_MODELS, CONTRIB_TABLES

METHODS = """
from django.apps import apps
past = MigrationLoader(None).project_state().apps


def methods(model):
    found = (name for name in dir(model) if not name.startswith("_"))
    return {name for name in found if callable(value := getattr(model, name, None)) and not isinstance(value, type)}


print(json.dumps({
    model._meta.label_lower: [
        sorted(methods(model) - {"username_validator"} - set(dir(past.get_model(model._meta.label_lower)))),
        dir(past.get_model(model._meta.label_lower)),
    ]
    for model in apps.get_models()
}))
"""


def test_the_migrations_of_djangos_own_apps_are_those_that_django_loads() -> None:
    shipped = {
        app: {name: [list(pair) for pair in dependencies] for name, dependencies in migrations.items()}
        for app, migrations in CONTRIB.items()
    }
    assert shipped == ask()


def test_the_tables_of_djangos_own_apps_are_those_that_django_gives_them() -> None:
    tables = "print(json.dumps({model._meta.label_lower: model._meta.db_table for model in apps.get_models()}))"
    found = json.loads(asked(f"from django.apps import apps\n{tables}"))
    assert {".".join(key): table for key, table in CONTRIB_TABLES.items()} == found


def test_the_models_and_their_methods_are_those_of_django_and_historical_models_lack_them() -> None:
    found = json.loads(asked(METHODS))
    assert {key for app, names in CONTRIB_MODELS.items() for key in (f"{app}.{name}" for name in names)} == set(found)
    for key, (missing, past) in found.items():
        shipped = CONTRIB_METHODS.get(key, frozenset())
        assert set(missing) <= shipped, key
        assert not shipped & set(past), key
