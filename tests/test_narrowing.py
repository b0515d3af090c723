"""What a changed type does to the values that it does not hold: as measured, and complete."""

from __future__ import annotations

import itertools

import pytest

from miglint.database import Database, Vendor
from miglint.project.narrowing import narrowing

# Measured on PostgreSQL 15 and MariaDB 10.11 with rows that do not fit: old type, new type, then what became of them.
MEASURED = [
    ("varchar(50)", "varchar(20)", "refused", "refused"),
    ("text", "varchar(50)", "cut", "refused"),
    ("bigint", "integer", "refused", "refused"),
    ("integer", "smallint", "refused", "refused"),
    ("integer", "boolean", "changed", "refused"),
    ("numeric(14, 2)", "numeric(10, 2)", "refused", "refused"),
    ("numeric(12, 4)", "numeric(12, 2)", "rounded", "rounded"),
    ("numeric(12, 2)", "integer", "rounded", "rounded"),
    ("timestamp with time zone", "date", "cut", "cut"),
    ("varchar(50)", "integer", "refused", "refused"),
    ("varchar(50)", "uuid", "refused", "refused"),
    ("text", "jsonb", "refused", "refused"),
    ("varchar(10)[]", "varchar(5)[]", "cut", None),
]
HOLDS = [
    ("varchar(50)", "varchar(80)"),
    ("varchar(50)", "varchar"),
    ("varchar(50)", "text"),
    ("varchar(36)", "varchar(36)"),
    ("integer", "bigint"),
    ("integer", "numeric(12, 2)"),
    ("integer", "double precision"),
    ("integer", "varchar(11)"),
    ("integer", "text"),
    ("boolean", "integer"),
    ("numeric(10, 2)", "numeric(12, 2)"),
    ("numeric(10, 2)", "numeric(12, 4)"),
    ("numeric(9, 0)", "integer"),
    ("date", "timestamp with time zone"),
    ("uuid", "varchar(36)"),
    ("jsonb", "text"),
    ("varchar(10)[]", "varchar(20)[]"),
    ("varchar(10)[3]", "varchar(10)[]"),
]
TYPES = sorted({kind for row in (*MEASURED, *HOLDS) for kind in row[:2]} | {
    "citext", "inet", "interval", "time", "bytea", "hstore", "int4range", "tsvector", "numeric", "varchar",
})  # fmt: skip
VENDORS: tuple[Vendor, ...] = ("postgresql", "mysql", "mariadb", "sqlite")


def outcome(old: str | None, new: str | None, vendor: Vendor, *, negative: bool = False) -> str | None:
    found = narrowing(old, new, Database.assumed(vendor, "option"), negative=negative)
    return found.outcome if found is not None else None


@pytest.mark.parametrize(("old", "new", "postgresql", "mariadb"), MEASURED)
def test_a_narrower_type_does_what_was_measured(old: str, new: str, postgresql: str, mariadb: str | None) -> None:
    assert (outcome(old, new, "postgresql"), outcome(old, new, "mariadb")) == (postgresql, mariadb or postgresql)


@pytest.mark.parametrize(("old", "new"), HOLDS)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_type_that_holds_every_value_is_no_narrowing(old: str, new: str, vendor: Vendor) -> None:
    assert outcome(old, new, vendor) is None


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_type_holds_its_own_values(kind: str, vendor: Vendor) -> None:
    assert outcome(kind, kind, vendor) is None


@pytest.mark.parametrize(("old", "new"), list(itertools.product([*TYPES, None], repeat=2)))
def test_every_pair_has_an_answer(old: str | None, new: str | None) -> None:
    for vendor in VENDORS:
        found = narrowing(old, new, Database.assumed(vendor, "option"))
        assert found is None or (found.error == "") >= (found.outcome not in ("refused",))


def test_fewer_digits_before_the_point_are_refused_though_more_follow_it() -> None:
    found = narrowing("numeric(10, 2)", "numeric(10, 4)", Database())
    assert found is not None
    assert (found.values, found.outcome) == ("numbers with more than 6 digits before the point", "refused")


@pytest.mark.parametrize(
    ("old", "new", "besides"),
    [
        ("double precision", "numeric(5, 2)", "numbers with more than 3 digits before the point"),
        ("numeric(10, 4)", "numeric(3, 2)", "numbers with more than 1 digit before the point"),
        ("numeric(12, 4)", "numeric(12, 2)", ""),
        ("double precision", "integer", "numbers above 2147483647"),
        ("numeric(12, 2)", "integer", "numbers above 2147483647"),
        ("numeric(10, 2)", "integer", ""),
    ],
)
def test_what_is_rounded_may_be_too_large_besides(old: str, new: str, besides: str) -> None:
    found = narrowing(old, new, Database())
    assert found is not None
    assert (found.outcome, found.besides) == ("rounded", besides)


def test_sqlite_enforces_no_length_and_no_range() -> None:
    changes = [("varchar(50)", "varchar(20)"), ("bigint", "smallint"), ("text", "integer"), ("text", "varchar(5)")]
    assert [outcome(old, new, "sqlite") for old, new in changes] == [None, None, None, None]


def test_sqlite_keeps_a_date_and_time_as_text_that_is_no_date() -> None:
    assert outcome("timestamp with time zone", "date", "sqlite") == "unread"


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_column_that_takes_no_negative_numbers_refuses_them(vendor: Vendor) -> None:
    assert outcome("integer", "integer", vendor, negative=True) == "refused"


def test_what_has_no_cast_is_refused_whatever_the_rows() -> None:
    found = narrowing("bigint", "uuid", Database())
    assert found is not None
    assert (found.values, found.error) == ("all values", "cannot cast type bigint to uuid")
    assert outcome("bigint", "uuid", "mysql") is None
