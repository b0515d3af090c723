"""Django as a worker: told folders of apps, a line each, it prints what their graph, plan and states are."""

from __future__ import annotations

import importlib
import json
import sys

import django
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db.migrations.loader import MigrationLoader

from ask_django import dotted, field


def fresh(labels):
    # All is imported anew: RenameField changes the fields of the migrations themselves.
    for name in [name for name in sys.modules if name.partition(".")[0] in labels]:
        del sys.modules[name]
    return MigrationLoader(None, ignore_no_migrations=True)


def model(key, state):
    options = {name: value for name, value in state.options.items() if name not in ("indexes", "constraints")}
    together = {
        name: sorted(list(group) for group in options.get(name) or ()) for name in ("unique_together", "index_together")
    }
    composite = {name: list(each.field_names) for name, each in state.fields.items() if hasattr(each, "field_names")}
    to_fields = {name: each.to_fields for name, each in state.fields.items() if getattr(each, "to_fields", None)}
    return {
        "name": state.name,
        "bases": [each.lower() if isinstance(each, str) else "Model" for each in state.bases],
        "fields": [field(key, name, each) for name, each in state.fields.items()],
        "composite": composite,
        "to_fields": {name: names[0] for name, names in to_fields.items() if names[0] is not None},
        "options": sorted(options),
        "order": options.get("order_with_respect_to"),
        "table": options.get("db_table") or None,
        "together": together,
        "managers": [name for name, _ in state.managers],
        "indexes": [each.name for each in state.options["indexes"]],
        "constraints": [each.name for each in state.options["constraints"]],
    }


def described(state):
    return {dotted(key): model(key, each) for key, each in state.models.items()}


def told(folder, labels):
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    apps.set_installed_apps(labels)
    try:
        graph = fresh(labels).graph
        points = [*graph.nodes, None]
        return {
            "plan": list(map(dotted, graph._generate_plan(graph.leaf_nodes(), at_end=True))),
            "leaves": sorted(map(dotted, graph.leaf_nodes())),
            "states": {dotted(node or ()): described(fresh(labels).project_state(node)) for node in points},
        }
    except (LookupError, FieldDoesNotExist) as error:
        return {"refused": repr(error)}
    finally:
        apps.unset_installed_apps()
        sys.path.remove(folder)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    settings.configure(DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
    django.setup()
    for line in sys.stdin:
        print(json.dumps(told(*json.loads(line))), flush=True)
