"""What is said of a column whose type SQL changes is what a real PostgreSQL does with a value that does not fit."""

from __future__ import annotations

import itertools

import pytest

import measure
from miglint.database import Database
from miglint.project.narrowing import narrowing
from miglint.project.statements import sql_actions
from miglint.syntax.sql import read_sql

# The old type, a value of it, and what ALTER COLUMN a says.
CHANGES = [
    ("varchar(20)", "'0123456789'", "TYPE varchar(5)"),
    ("varchar(20)", "'0123456789'", "TYPE varchar(5) USING a::varchar(5)"),
    ("varchar(20)", "'0123456789'", "SET DATA TYPE character varying(5) USING (CAST(a AS varchar(5)))"),
    ("varchar(20)", "'0123456789'", "TYPE varchar(50)"),
    ("varchar(20)", "'0123456789'", "TYPE varchar(20)"),
    ("text", "'0123456789'", "TYPE varchar(5)"),
    ("text", "'0123456789'", "TYPE varchar(5) USING ((a::varchar(5)))"),
    ("text", "'abc'", "TYPE integer"),
    ("text", "'abc'", "TYPE integer USING a::integer"),
    ("text", "'abc'", "TYPE uuid USING a::uuid"),
    ("integer", "40000", "TYPE smallint"),
    ("integer", "40000", "TYPE int2 USING a::int2"),
    ("integer", "2", "TYPE boolean USING a::boolean"),
    ("integer", "2", "TYPE boolean"),
    ("integer", "2", "TYPE bigint"),
    ("numeric(10, 2)", "123456.78", "TYPE numeric(6, 2)"),
    ("numeric(10, 2)", "123456.78", "TYPE numeric(10, 1)"),
    ("numeric(10, 2)", "123456.78", "TYPE integer"),
    ("timestamptz", "'2026-01-02 03:04'", "TYPE date"),
    ("varchar(10)[]", "ARRAY['0123456789']", "TYPE varchar(5)[]"),
    ("varchar(10)[]", "ARRAY['0123456789']", "TYPE varchar(5)[] USING a::varchar(5)[]"),
]
# What says afterwards that the value is another one, before the migration is rolled back.
_LOOK = "DO $$ BEGIN IF (SELECT a::text <> before FROM t) THEN RAISE EXCEPTION 'another value'; END IF; END $$"
_KINDS = (
    "smallint", "integer", "bigint", "numeric", "double precision", "boolean", "text", "varchar", "date", "time",
    "timestamp with time zone", "interval", "uuid", "inet", "jsonb", "bytea",
)  # fmt: skip


def case(old: str, value: str, change: str) -> dict[str, str]:
    made = f"CREATE TABLE t (a {old}, before text); INSERT INTO t (a) VALUES ({value}); UPDATE t SET before = a::text"
    return {
        "before": f"migrations.RunSQL({made!r})",
        "operation": f"migrations.RunSQL([{f'ALTER TABLE t ALTER COLUMN a {change}'!r}, {_LOOK!r}])",
    }


def predicted(old: str, change: str) -> str:
    """\"kept\", \"another value\", or what PostgreSQL says where it refuses."""
    (before,) = read_sql(f"ALTER TABLE t ALTER COLUMN a TYPE {old}", "postgresql")
    (action,) = sql_actions(f"ALTER TABLE t ALTER COLUMN a {change}", Database())
    found = narrowing(before.type, action.new_type, Database(), casts=action.casts)
    if found is None:
        return "kept"
    return found.error.replace("…", '"a"') if found.outcome == "refused" else "another value"


def seen(case: dict[str, str], change: str) -> str:
    if "refused" not in case:
        return "kept"
    return case["refused"].splitlines()[0].partition(":")[0]


def test_postgresql_does_with_such_values_what_is_said() -> None:
    done = measure.measured({str(at): case(*change) for at, change in enumerate(CHANGES)})["cases"]
    actual = [(old, change, seen(done[str(at)], change)) for at, (old, _, change) in enumerate(CHANGES)]
    assert actual == [(old, change, predicted(old, change)) for old, _, change in CHANGES]


def test_postgresql_casts_by_itself_what_is_said_and_nothing_else() -> None:
    pairs = [pair for pair in itertools.product(_KINDS, repeat=2) if pair[0] != pair[1]]
    cases = {
        f"{old} to {new}": {
            "before": f"migrations.RunSQL({f'CREATE TABLE t (a {old})'!r})",
            "operation": f"migrations.RunSQL({f'ALTER TABLE t ALTER COLUMN a TYPE {new}'!r})",
        }
        for old, new in pairs
    }
    done = measure.measured(cases)["cases"]
    refused = {name for name in cases if "cannot be cast automatically" in done[name].get("refused", "")}
    said = {
        f"{old} to {new}"
        for old, new in pairs
        if "automatically" in getattr(narrowing(old, new, Database(), casts=False), "error", "")
    }
    assert said - refused == set()
    # Of these miglint says nothing, cast or not.
    assert {name for name in refused - said if not (name.endswith("to bytea") or name.startswith("jsonb to"))} == set()


def test_a_type_of_sql_is_spelled_in_one_way() -> None:
    texts = ("int[]", "int4 [ ]", "character varying(5)[3]", "VARCHAR ( 5 )", "decimal(6,2)", "timestamptz[][]")
    found = [read_sql(f"ALTER TABLE t ADD a {text} DEFAULT 'x'", "postgresql")[0] for text in texts]
    assert [each.type for each in found] == [
        "integer[]", "integer[]", "varchar(5)[3]", "varchar(5)", "numeric(6, 2)", "timestamp with time zone[][]"
    ]  # fmt: skip
    assert [each.verb for each in found if "unknown-default" in each.flags] == []


@pytest.mark.parametrize(
    ("change", "casts", "is_known"),
    [
        ("TYPE varchar(5)", False, True),
        ("TYPE varchar(5) USING a", False, True),
        ("TYPE varchar(5) USING (a::varchar(5))", True, True),
        ("TYPE varchar(5) USING cast(a as character varying(5))", True, True),
        ("TYPE varchar(5) USING a::text::varchar(5)", False, False),
        ("TYPE varchar(5) USING cast(a as text)", False, False),
        ("TYPE varchar(5) USING cast(a as varchar(5)) || ''", False, False),
        ("TYPE varchar(5) USING b::varchar(5)", False, False),
        ("TYPE varchar(5) USING (a)::varchar(5)", False, False),
        ("TYPE varchar(5) USING left(a, 5)", False, False),
        ("TYPE varchar(5) USING ('x') || ('y')", False, False),
    ],
)
def test_using_says_whether_the_values_are_cast_or_others_are_put_in_their_place(
    change: str, casts: bool, is_known: bool
) -> None:
    (found,) = read_sql(f"ALTER TABLE t ALTER COLUMN a {change}", "postgresql")
    assert ("cast" in found.flags, "using" not in found.flags) == (casts, is_known)
