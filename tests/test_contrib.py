"""What is shipped of Django's own apps is what Django has."""

from __future__ import annotations

from contrib_graphs import ask
from miglint.project.contrib import CONTRIB


def test_the_migrations_of_djangos_own_apps_are_those_that_django_loads() -> None:
    shipped = {
        app: {name: [list(pair) for pair in dependencies] for name, dependencies in migrations.items()}
        for app, migrations in CONTRIB.items()
    }
    assert shipped == ask()
