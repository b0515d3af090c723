"""Has Django apply all migrations of its settings to a PostgreSQL, and prints what was executed.

Run by the Python of an environment that has Django, with DJANGO_SETTINGS_MODULE set:
`python ask_statements.py DRIVER DATABASE`. DRIVER is a folder with psycopg, DATABASE an entry of DATABASES as JSON.
"""

from __future__ import annotations

import json
import sys

import django
from django.conf import settings


class Record:
    """The statements of each migration, in order: [path of the operation, or None where deferred; SQL]."""

    def __init__(self):
        self.migrations = {}
        self.path = None
        self._statements = []

    def begin(self, migration):
        self._statements = self.migrations[f"{migration.app_label}.{migration.name}"] = []
        for number, operation in enumerate(migration.operations):
            self._watch(operation, (number,))

    def give_up(self):
        """Forgets the migration that did not come to its end."""
        self.migrations.popitem()

    def add(self, sql):
        self._statements.append([self.path, sql])

    def _watch(self, operation, path):
        """Remembers that it is this operation that executes, not one that contains it."""
        for number, part in enumerate(getattr(operation, "database_operations", ())):
            self._watch(part, (*path, "database_operations", number))
        forwards = operation.database_forwards

        def watched(*arguments, **keywords):
            before, self.path = self.path, path
            try:
                forwards(*arguments, **keywords)
            finally:
                self.path = before

        operation.database_forwards = watched


def main(driver, database):
    sys.path.append(driver)
    settings.DATABASES = {"default": json.loads(database)}
    django.setup()
    from django.db import connection
    from django.db.backends.postgresql.schema import DatabaseSchemaEditor
    from django.db.migrations.executor import MigrationExecutor

    record = Record()
    execute = DatabaseSchemaEditor.execute

    def executed(self, sql, params=()):
        record.add(str(sql))
        return execute(self, sql, params)

    class Executor(MigrationExecutor):
        def apply_migration(self, state, migration, **options):
            record.begin(migration)
            return super().apply_migration(state, migration, **options)

    DatabaseSchemaEditor.execute = executed
    executor = Executor(connection)
    error = ""
    try:
        executor.migrate(executor.loader.graph.leaf_nodes())
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
        record.give_up()
    return {"statements": record.migrations, "error": error}


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
