"""Models that work on a column of another type, on a real PostgreSQL: a process of its own, started by `refused`.

stdin: {"socket": directory, "cases": {name: {"before", "operation"}}}; stdout: for each what the old models cannot do
after the operation, and the new ones before it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from measure import answer, configure, migrate, value

Refused = dict[str, dict[str, list[str]]]


def refused(cases: Mapping[str, Any]) -> Refused:
    found: Refused = answer(__file__, cases)
    return found


def of(field: Any, number: int) -> Any:
    """A value that the field takes."""
    return [of(field.base_field, number)] if hasattr(field, "base_field") else value(field, number)


def row(model: Any, number: int) -> Any:
    automatic = {each.name for each in model._meta.fields if each.db_returning}
    return model(**{each.name: of(each, number) for each in model._meta.fields if each.name not in automatic})


def tried(state: Any) -> list[str]:
    """What the model `Item` of a state cannot do, of what there is to do with the row 1."""
    from django.db import transaction

    model = state.apps.get_model("app", "item")
    rows, field = model._base_manager, model._meta.get_field("value")
    statements = {
        "select": lambda: list(rows.all()),
        "filter": lambda: list(rows.filter(value=of(field, 1))),
        "insert": lambda: row(model, 2).save(force_insert=True),
        "update": lambda: rows.get(kept=1).save(force_update=True),
        "delete": lambda: rows.get(kept=1).delete(),
    }
    found = []
    for name, statement in statements.items():
        try:
            with transaction.atomic():
                statement()
                transaction.set_rollback(True)
        except Exception:
            found.append(name)
    return found


def measure(case: dict[str, str]) -> dict[str, list[str]]:
    before = begin(case)
    after = migrate("0002_measured", case["operation"], before.clone())
    old = tried(before)
    begin(case)
    return {"old": old, "new": tried(after)}


def begin(case: dict[str, str]) -> Any:
    """The state before, with the row 1."""
    from django.db import connection
    from django.db.migrations.state import ProjectState

    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    state = migrate("0001_before", case["before"], ProjectState())
    row(state.apps.get_model("app", "item"), 1).save(force_insert=True)
    return state


def main() -> None:
    given = json.load(sys.stdin)
    configure(given["socket"])
    json.dump({name: measure(case) for name, case in given["cases"].items()}, sys.stdout)


if __name__ == "__main__":
    main()
