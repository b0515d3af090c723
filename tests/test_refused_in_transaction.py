"""What is said to be refused in a transaction is what a real PostgreSQL, and SQLite, refuse there."""

from __future__ import annotations

import sqlite3

import pytest

import measure
from effects import Prediction
from miglint.database import Database
from miglint.databases.costs import is_refused_in_transaction
from miglint.project.statements import sql_actions

SETUP = """
CREATE TABLE thing (id int PRIMARY KEY, at date); CREATE INDEX thing_at ON thing (at);
CREATE TABLE event (at date) PARTITION BY RANGE (at);
CREATE TABLE event_25 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TYPE mood AS ENUM ('ok');
"""
STATEMENTS = [
    "CREATE INDEX CONCURRENTLY ix ON thing (at)",
    "DROP INDEX CONCURRENTLY thing_at",
    "REINDEX INDEX thing_at",
    "REINDEX (CONCURRENTLY) TABLE thing",
    "REINDEX SCHEMA public",
    "REINDEX DATABASE postgres",
    "REINDEX SYSTEM postgres",
    "REINDEX SCHEMA CONCURRENTLY public",
    "VACUUM",
    "VACUUM (ANALYZE) thing",
    "VACUUM FULL thing",
    "ANALYZE VERBOSE thing (at)",
    "CLUSTER",
    "CLUSTER VERBOSE",
    "CLUSTER VERBOSE thing USING thing_at",
    "ALTER TABLE event DETACH PARTITION event_25 CONCURRENTLY",
    "ALTER TABLE event DETACH PARTITION event_25",
    "CREATE DATABASE other",
    "DROP DATABASE IF EXISTS other",
    "ALTER DATABASE postgres SET TABLESPACE pg_default",
    "ALTER DATABASE postgres SET work_mem = '8MB'",
    "CREATE TABLESPACE fast LOCATION '/nowhere'",
    "ALTER SYSTEM SET work_mem = '8MB'",
    "DISCARD ALL",
    "DISCARD PLANS",
    "ALTER TYPE mood ADD VALUE 'sad'",
]
CASES = {text: {"before": f"migrations.RunSQL({SETUP!r})", "operation": f"migrations.RunSQL({text!r})"}
         for text in STATEMENTS}  # fmt: skip


def test_postgresql_refuses_in_a_transaction_what_is_said_to_be_refused() -> None:
    done = measure.measured(CASES)
    versions = {"version": f"PostgreSQL {done['version']}", "django": done["django"]}
    refused = [text for text in STATEMENTS if "refused" in done["cases"][text]]
    errors = [done["cases"][text]["refused"] for text in refused]
    assert [error for error in errors if "cannot run inside a transaction block" not in error] == []
    assert refused == [text for text in STATEMENTS if not Prediction({**CASES[text], **versions}).transactional]


SQLITE = Database(vendor="sqlite", version=(3, 40))


@pytest.mark.parametrize("text", ["ANALYZE", "CREATE TABLE a (x)", "REINDEX"])
def test_sqlite_runs_in_a_transaction_what_is_not_said_to_be_refused(text: str) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("BEGIN")
    connection.execute(text)
    connection.close()
    assert [is_refused_in_transaction(action, SQLITE) for action in sql_actions(text, SQLITE)] == [False]


def test_sqlite_refuses_vacuum_in_a_transaction() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("BEGIN")
    with pytest.raises(sqlite3.OperationalError, match="from within a transaction"):
        connection.execute("VACUUM")
    connection.close()
    assert [is_refused_in_transaction(action, SQLITE) for action in sql_actions("VACUUM", SQLITE)] == [True]


def test_a_value_is_added_to_a_type_in_a_transaction_since_postgresql_12() -> None:
    (action,) = sql_actions("ALTER TYPE mood ADD VALUE 'sad'", Database(vendor="postgresql", version=(12,)))
    refused = [is_refused_in_transaction(action, Database(vendor="postgresql", version=(v,))) for v in (11, 12)]
    assert refused == [True, False]
