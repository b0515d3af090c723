"""A migration that nobody named."""

from __future__ import annotations

import re
from collections.abc import Iterator

from miglint.api import (
    CreateModel,
    DeleteModel,
    Diagnostic,
    FieldOperation,
    Migration,
    MigrationContext,
    Operation,
    RemoveField,
    Severity,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/django-admin/#cmdoption-makemigrations-name"
# Source: django.db.migrations.utils.get_migration_name_timestamp
_AUTOMATIC = re.compile(r"(\d+)_auto_\d{8}_\d{4}(_|$)")


@rule("MG701", on=Migration, severity=Severity.WARNING)
def automatic_name(context: MigrationContext) -> Iterator[Diagnostic]:
    """A migration is named after the minute it was made, not after what it does."""
    name = context.migration.name
    found = _AUTOMATIC.match(name)
    if found is None:
        return
    better = f"{found[1]}_{_described(context.migration)}"
    yield context.diagnostic(
        None,
        f"{name} says when it was made, not what it does",
        help=f"While it is not released, rename it (and in the `dependencies` that name it):\n\n"
        f"    git mv {name}.py {better}.py\n\n"
        f"Next time: python manage.py makemigrations {context.migration.app} --name {better.partition('_')[2]}. "
        "A released migration keeps its name: databases have recorded it.",
        url=_URL,
    )


def _described(migration: Migration) -> str:
    """A name by the first operation, as Django forms it. Source: Migration.suggest_name."""
    for operation in migration.operations:
        words = _words(operation)
        if words:
            return words
    return "describe_what_it_does"


def _words(operation: Operation) -> str:
    model = (operation.model or "").lower()
    match operation:
        case CreateModel():
            return model
        case DeleteModel():
            return f"delete_{model}" if model else ""
        case RemoveField(name=name) if model and name:
            return f"remove_{model}_{name.lower()}"
        case FieldOperation() if model and (name := getattr(operation, "name", None)):
            return f"{model}_{name.lower()}"
        case _:
            return ""
