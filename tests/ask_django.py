"""Asks Django what it makes of the migrations of its settings, and prints it as JSON.

Run by the Python of an environment that has Django, with DJANGO_SETTINGS_MODULE set: `python ask_django.py POINTS`.
POINTS is the number of places in the history, spread over the plan, of which the state is told, the end included.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django
from django.apps import apps
from django.db.migrations.exceptions import NodeNotFoundError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import StateApps
from django.db.migrations.utils import resolve_relation


def dotted(key):
    return ".".join(key)


def field(key, name, each):
    remote = getattr(each, "remote_field", None)
    to = resolve_relation(remote.model, *key) if remote and remote.model else None
    return {
        "name": name,
        "type": each.deconstruct()[1],
        "null": each.null,
        "unique": each.unique,
        "db_index": each.db_index,
        "primary_key": each.primary_key,
        "max_length": each.max_length,
        "to": dotted((to[0], to[1].lower())) if to else None,
        "has_default": each.has_default(),
        "has_db_default": getattr(each, "has_db_default", lambda: False)(),
        "db_column": each.db_column,
    }


def base(each):
    if isinstance(each, str):
        return each.lower()
    path = f"{each.__module__}.{each.__qualname__}"
    return "django.db.models.Model" if path == "django.db.models.base.Model" else path


def model(key, state, rendered):
    return {
        "app": state.app_label,
        "name": state.name,
        "table": rendered._meta.db_table,
        "managed": rendered._meta.managed,
        "proxy": rendered._meta.proxy,
        "bases": [base(each) for each in state.bases],
        "options": sorted(set(state.options) - {"indexes", "constraints"}),
        "fields": [field(key, name, each) for name, each in state.fields.items()],
        "indexes": [each.name for each in state.options["indexes"]],
        "constraints": [each.name for each in state.options["constraints"]],
    }


def described(state):
    rendered = StateApps(state.real_apps, state.models, ignore_swappable=True)
    models = [model(key, each, rendered.get_model(*key)) for key, each in state.models.items()]
    return sorted(models, key=lambda each: (each["app"], each["name"]))


def fresh():
    """A loader of its own: RenameField changes the fields of the migrations themselves."""
    for name, module in list(sys.modules.items()):
        if ".migrations." in name and hasattr(module, "Migration") and not name.startswith("django.db."):
            del sys.modules[name]
    return MigrationLoader(None, ignore_no_migrations=True)


def dependencies(loader, key, migration):
    """As declared, with what the loader resolves resolved. Source: MigrationLoader.add_internal_dependencies"""
    for parent in migration.dependencies:
        if parent[0] == key[0] and parent[1] == "__first__":
            continue
        yield list(loader.check_key(tuple(parent), key[0]) or parent)


def declared():
    try:
        loader = MigrationLoader(None, ignore_no_migrations=True, replace_migrations=False)
    except NodeNotFoundError:  # something depends on what is only there as a squash
        loader = fresh()
    for key, migration in sorted(loader.disk_migrations.items()):
        yield {
            "app": key[0],
            "name": key[1],
            "dependencies": sorted(dependencies(loader, key, migration)),
            "run_before": sorted(map(list, migration.run_before)),
            "replaces": sorted(map(list, migration.replaces)),
            "atomic": migration.atomic,
            "initial": migration.initial,
        }


def main(points):
    django.setup()
    loader = fresh()
    graph = loader.graph
    plan = graph._generate_plan(graph.leaf_nodes(), at_end=True)
    places = sorted({number * (len(plan) - 1) // points for number in range(1, points)})
    labels = sorted({app for app, _ in loader.disk_migrations})
    modules = {label: sys.modules[MigrationLoader.migrations_module(label)[0]] for label in labels}
    return {
        "django": django.get_version(),
        # Where the migrations of each app, each app itself, and the packages that hold them are.
        "migrations": {label: str(Path(module.__file__).parent) for label, module in modules.items()},
        "apps": sorted({str(Path(config.path)) for config in apps.get_app_configs()}),
        "packages": sorted({config.name.partition(".")[0] for config in apps.get_app_configs()}),
        "declared": list(declared()),
        "parents": {
            dotted(key): sorted(dotted(parent.key) for parent in node.parents) for key, node in graph.node_map.items()
        },
        "roots": sorted(map(dotted, graph.root_nodes())),
        "leaves": sorted(map(dotted, graph.leaf_nodes())),
        "plan": list(map(dotted, plan)),
        "states": {
            **{dotted(plan[place]): described(fresh().project_state(plan[place])) for place in places},
            "": described(fresh().project_state()),
        },
    }


if __name__ == "__main__":
    json.dump(main(int(sys.argv[1])), sys.stdout)
