"""The cost tables: complete, without dead rows, sourced, and true where it was measured."""

from __future__ import annotations

import pytest

from effects import POSTGRESQL
from miglint.database import VENDORS, Database, Vendor
from miglint.databases.costs import CONDITIONS, LOCKS, NOTHING, Row, cost_of, cost_table, join
from miglint.project.action import (
    ACTIONS,
    AddCheck,
    AddColumn,
    AlterColumnType,
    Column,
    CreateIndex,
    Execute,
    SetNotNull,
)
from miglint.project.truth import Truth


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_action_has_a_last_row_without_conditions(vendor: Vendor) -> None:
    last = {row.action: row for row in cost_table(vendor)}
    assert sorted(last) == sorted(kind.kind() for kind in ACTIONS)
    assert [row.action for row in last.values() if row.when or row.since or row.before] == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_row_is_shadowed_by_an_earlier_one(vendor: Vendor) -> None:
    def covers(earlier: Row, later: Row) -> bool:
        same = earlier.action == later.action and earlier.when <= later.when
        return same and earlier.since <= later.since and (not earlier.before or later.before <= earlier.before)

    rows = cost_table(vendor)
    shadowed = [(row.action, sorted(row.when)) for n, row in enumerate(rows) if any(covers(e, row) for e in rows[:n])]
    assert shadowed == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_row_says_why_and_where_that_is_written(vendor: Vendor) -> None:
    rows = cost_table(vendor)
    assert [row.action for row in rows if not row.cost.why.endswith(".")] == []
    assert [row.action for row in rows if not row.cost.url.startswith("https://")] == []


def test_every_lock_of_postgresql_is_one_that_it_has() -> None:
    assert {row.cost.lock for row in cost_table("postgresql")} - set(LOCKS) == set()


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_reads_or_writes_all_rows_lasts(vendor: Vendor) -> None:
    lasting = [row for row in cost_table(vendor) if row.cost.scans or row.cost.rewrites or row.cost.indexes]
    assert [row.action for row in lasting if not row.cost.lasts] == []


def test_every_condition_is_asked_for_by_some_row() -> None:
    asked = frozenset().union(*(row.when for vendor in VENDORS for row in cost_table(vendor)))
    # What actions say of themselves though no table asks for it yet.
    assert sorted(CONDITIONS - asked) == ["unique"]


def test_only_mysql_was_never_measured() -> None:
    assert {vendor for vendor in VENDORS if not any(row.cost.measured for row in cost_table(vendor))} == {"mysql"}


def test_a_concurrent_index_lets_writes_go_on() -> None:
    plain, concurrent = CreateIndex(table="t"), CreateIndex(table="t", concurrently=True)
    assert cost_of(plain, POSTGRESQL).blocks == {"writes"}
    assert cost_of(concurrent, POSTGRESQL).blocks == frozenset()
    assert cost_of(concurrent, POSTGRESQL).lasts


def test_a_validated_check_spares_the_scan_from_postgresql_12_on() -> None:
    proven = SetNotNull(table="t", column="c", proven=True)
    assert cost_of(proven, Database(vendor="postgresql", version=(12, 4))).scans is False
    assert cost_of(proven, Database(vendor="postgresql", version=(11, 9))).scans is True


def test_a_default_is_written_into_every_row_before_postgresql_11() -> None:
    column = Column(name="c", default=Truth.YES)
    adding = AddColumn(table="t", column=column)
    assert cost_of(adding, Database(vendor="postgresql", version=(10,))).rewrites is True
    assert cost_of(adding, POSTGRESQL).lasts is False


def test_a_type_change_that_is_not_known_is_taken_for_a_rewrite() -> None:
    cost = cost_of(AlterColumnType(table="t", column="c"), POSTGRESQL)
    assert (cost.lock, cost.rewrites) == ("ACCESS EXCLUSIVE", True)


def test_nothing_waits_for_a_table_that_is_new() -> None:
    assert cost_of(CreateIndex(table="t", on_new_table=True), POSTGRESQL) == NOTHING


def test_the_caller_may_know_more_conditions() -> None:
    assert cost_of(AddCheck(table="t"), POSTGRESQL, frozenset({"not-valid"})).scans is False


def test_sql_that_is_not_understood_claims_no_lock() -> None:
    assert cost_of(Execute(table="", understood=False), POSTGRESQL).lock == ""


def test_costs_join_to_the_strongest_lock_and_all_of_the_work() -> None:
    index, column = CreateIndex(table="t"), AddColumn(table="t", column=Column(name="c"))
    together = join(cost_of(action, POSTGRESQL) for action in (index, column))
    assert (together.lock, together.blocks) == ("ACCESS EXCLUSIVE", {"reads", "writes"})
    assert (together.lasts, together.indexes, together.rewrites) == (True, True, False)


def test_nothing_joins_to_nothing() -> None:
    assert join([]).lock == ""
