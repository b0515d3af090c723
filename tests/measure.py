"""Runs migrations on a real PostgreSQL and says what they did: a process of its own, started by `measured`.

stdin: {"socket": directory, "cases": {name: {"before", "operation"}}}; stdout: {"version", "cases": {name: {"locks",
"rewritten", "scanned", "indexes"}}}, or {"refused": why} for a case. Each runs in a transaction that is rolled back.
"""

from __future__ import annotations

import datetime
import decimal
import json
import subprocess
import sys
import uuid
from collections.abc import Mapping
from typing import Any

import django
from django.conf import settings

from postgresql import database_of, server

ROWS = 1000
# pg_locks' modes, weakest first, as the manual spells them.
MODES = {
    "AccessShareLock": "ACCESS SHARE", "RowShareLock": "ROW SHARE", "RowExclusiveLock": "ROW EXCLUSIVE",
    "ShareUpdateExclusiveLock": "SHARE UPDATE EXCLUSIVE", "ShareLock": "SHARE",
    "ShareRowExclusiveLock": "SHARE ROW EXCLUSIVE", "ExclusiveLock": "EXCLUSIVE",
    "AccessExclusiveLock": "ACCESS EXCLUSIVE",
}  # fmt: skip
TABLES = """SELECT oid, relname, relfilenode FROM pg_class
            WHERE relkind IN ('r', 'p', 'm') AND relnamespace = 'public'::regnamespace"""
LOCKS = "SELECT relation, mode FROM pg_locks WHERE locktype = 'relation' AND pid = pg_backend_pid()"
SCANS = "SELECT relid, seq_scan FROM pg_stat_xact_user_tables"
# That of a partitioned table is made of those of its partitions, and has no file.
INDEXES = """SELECT indexrelid, indrelid, pg_relation_filenode(indexrelid) FROM pg_index
             WHERE pg_relation_filenode(indexrelid) IS NOT NULL"""


def names() -> dict[str, Any]:
    """What the sources of the cases may name."""
    from django.contrib.postgres import constraints, fields, functions, indexes, operations
    from django.core import validators
    from django.db import migrations, models
    from django.db.models import Deferrable, F, Q
    from django.db.models.functions import Lower, Now, Random
    from django.utils import timezone

    return {
        "migrations": migrations, "models": models, "Q": Q, "F": F, "Deferrable": Deferrable, "Lower": Lower,
        "Now": Now, "Random": Random, "timezone": timezone, "validators": validators, "uuid": uuid,
        "datetime": datetime, "decimal": decimal, "pgops": operations, "pgfields": fields, "pgindexes": indexes,
        "pgcons": constraints, "pgfuncs": functions,
    }  # fmt: skip


def operations(source: str) -> list[Any]:
    found = eval(source, names())
    return found if isinstance(found, list) else [found]


def rows(cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return list(cursor.fetchall())


def migrate(name: str, source: str, state: Any) -> Any:
    """The state after a migration that was run."""
    from django.db import connection
    from django.db.migrations import Migration

    migration = Migration(name, "app")
    migration.operations = operations(source)
    with connection.schema_editor(atomic=True) as editor:
        return migration.apply(state, editor)


def fill(state: Any) -> None:
    """Rows in every table, the tables that others refer to first."""
    from django.db import models

    waiting = list(state.apps.get_models(include_auto_created=True))
    filled: list[Any] = []
    while waiting:
        model = next(each for each in waiting if targets(each) <= {each, *filled})
        waiting.remove(model)
        filled.append(model)
        if not model._meta.managed or model._meta.proxy:
            continue
        objects = []
        for number in range(1, ROWS + 1):
            values = {}
            for field in model._meta.concrete_fields:
                if not (isinstance(field, models.AutoField | models.BigAutoField) or field.generated):
                    values[field.attname] = value(field, number)
            objects.append(model(**values))
        model._base_manager.bulk_create(objects)


def targets(model: Any) -> set[Any]:
    """The models that a model's keys refer to."""
    return {field.related_model for field in model._meta.concrete_fields if field.is_relation}


def value(field: Any, number: int) -> Any:
    from django.db import models

    match field:
        case models.ForeignKey():
            return number
        case models.CharField() | models.TextField() | models.FileField():
            return str(number)
        case models.BinaryField():
            return str(number).encode()
        case models.GenericIPAddressField():
            return f"10.0.{number // 256}.{number % 256}"
        case models.BooleanField():
            return True
        case models.DecimalField() | models.FloatField():
            return number % 90
        case models.DateTimeField():
            return datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(number)
        case models.DateField():
            return datetime.date(2026, 1, 1) + datetime.timedelta(number)
        case models.TimeField():
            return datetime.time(number // 60, number % 60)
        case models.DurationField():
            return datetime.timedelta(number)
        case models.UUIDField():
            return uuid.UUID(int=number)
        case models.JSONField():
            return {}
        case _:
            return number


def measure(case: dict[str, Any]) -> dict[str, Any]:
    from django.db import connection, transaction
    from django.db.migrations.state import ProjectState

    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    state = migrate("0001_before", case["before"], ProjectState())
    fill(state)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        before = {oid: (name, node) for oid, name, node in rows(cursor, TABLES)}
        indexes = {oid: node for oid, _, node in rows(cursor, INDEXES)}
    with transaction.atomic(), connection.cursor() as cursor:
        scanned = dict(rows(cursor, SCANS))
        migrate("0002_measured", case["operation"], state)
        found = look(cursor, before, indexes, scanned)
        transaction.set_rollback(True)
    return found


def look(
    cursor: Any, before: dict[int, tuple[str, int]], indexes: dict[int, int], scans: dict[int, int]
) -> dict[str, Any]:
    """What the transaction holds and did, on the tables that were there before it, by the names they had."""
    modes = list(MODES)
    locks: dict[str, str] = {}
    for oid, mode in rows(cursor, LOCKS):
        if oid in before:
            name = before[oid][0]
            locks[name] = max(locks.get(name, mode), mode, key=modes.index)
    nodes = {oid: node for oid, _, node in rows(cursor, TABLES)}
    rewritten = sorted(name for oid, (name, node) in before.items() if nodes.get(oid, node) != node)
    after = dict(rows(cursor, SCANS))
    scanned = sorted(name for oid, (name, _) in before.items() if after.get(oid, 0) > scans.get(oid, 0))
    # One that is made again and keeps its file was not built; one that is only written anew was not made again.
    known, files = indexes.keys(), set(indexes.values())
    built = sum(
        table in before and oid not in known and node not in files for oid, table, node in rows(cursor, INDEXES)
    )
    return {
        "locks": {name: MODES[mode] for name, mode in locks.items()},
        "rewritten": rewritten,
        "scanned": scanned,
        "indexes": built,
    }


def measured(cases: Mapping[str, Any]) -> dict[str, Any]:
    """What each case does on a server that is started for it, and the versions of it and of Django."""
    found: dict[str, Any] = answer(__file__, cases)
    return found


def answer(script: str, cases: Mapping[str, Any]) -> Any:
    """What a script says of cases, in a process of its own, with a server that is started for it."""
    with server() as socket:
        done = subprocess.run(
            [sys.executable, script],
            input=json.dumps({"socket": str(socket), "cases": cases}),
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def configure(socket: str) -> None:
    """Sets Django up in this process, with the database of a server."""
    settings.configure(
        DATABASES={"default": database_of(socket)},
        INSTALLED_APPS=["django.contrib.postgres"],
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


def main() -> None:
    given = json.load(sys.stdin)
    configure(given["socket"])
    from django.db import DatabaseError, connection

    with connection.cursor() as cursor:
        version = rows(cursor, "SHOW server_version")[0][0].split()[0]
    found = {}
    for name, case in given["cases"].items():
        try:
            found[name] = measure(case)
        except DatabaseError as error:
            found[name] = {"refused": str(error)}
    json.dump({"version": version, "django": django.get_version(), "cases": found}, sys.stdout)


if __name__ == "__main__":
    main()
