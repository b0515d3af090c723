"""What an action costs on a database: the lock, what waits for it, how long, and why.

The knowledge is in one TOML file per database: rows of an action under conditions, first match wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from miglint.database import Database, Vendor, Version
from miglint.project.action import ACTIONS, Action

Duration = Literal["instant", "rows"]

# PostgreSQL's table locks, weakest first. Source: https://www.postgresql.org/docs/current/explicit-locking.html
LOCKS: tuple[str, ...] = (
    "",
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)

# What MySQL and MariaDB say of a statement, by how much it gets in the way.
# Source: https://mariadb.com/kb/en/innodb-online-ddl-overview/
ALGORITHMS: tuple[str, ...] = (
    "ALGORITHM=INSTANT",
    "ALGORITHM=NOCOPY, LOCK=NONE",
    "ALGORITHM=INPLACE, LOCK=NONE",
    "SHARED_NO_WRITE",
    "ALGORITHM=COPY, LOCK=SHARED",
    "EXCLUSIVE",
)

# Which statements of others wait for a lock. Source: the table of conflicts on the same page
_BLOCKS: dict[str, frozenset[str]] = {
    "SHARE": frozenset({"writes"}),
    "ALGORITHM=COPY, LOCK=SHARED": frozenset({"writes"}),
    "SHARE ROW EXCLUSIVE": frozenset({"writes"}),
    "EXCLUSIVE": frozenset({"writes"}),
    "ACCESS EXCLUSIVE": frozenset({"reads", "writes"}),
}

_RANK = {lock: rank for locks in (ALGORITHMS, LOCKS) for rank, lock in enumerate(locks)}

# The words that rows may ask for, beside what actions say of themselves.
CONDITIONS: frozenset[str] = frozenset(
    {
        "add", "add-value", "alter", "alter-table", "attach", "check", "checked", "cluster-all", "compatible",
        "concurrently", "default", "detach-concurrently", "domain", "drop", "empty", "filtered", "indexed",
        "inline", "lock-exclusive", "lock-rows", "lock-share", "lock-share-row-exclusive", "lock-table",
        "maintenance", "not-null", "not-valid", "of-view", "only", "outside", "read", "refresh",
        "refresh-concurrently", "rewrite", "same", "scans", "shared", "trigger", "unique", "unknown", "using-index",
        "vacuum", "vacuum-full", "validate", "validated-check", "volatile", "whole",
    }
)  # fmt: skip


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one action costs.

    `lock` is the database's own name, "" where it takes none that matters; `blocks` says what of "reads" and
    "writes" of other sessions waits. `duration` "rows" grows with the table. `scans`: the whole table is read;
    `rewrites`: written anew; `indexes`: an index is built; `writes_rows`: rows are changed. `refused_in_transaction`:
    the database raises an error where a transaction is open. `measured` is false where nobody measured it: say it with
    less confidence.
    """

    lock: str = ""
    blocks: frozenset[str] = frozenset()
    duration: Duration = "instant"
    scans: bool = False
    rewrites: bool = False
    indexes: bool = False
    writes_rows: bool = False
    refused_in_transaction: bool = False
    why: str = ""
    url: str = ""
    measured: bool = True

    @property
    def blocks_reads(self) -> bool:
        return "reads" in self.blocks

    @property
    def blocks_writes(self) -> bool:
        return "writes" in self.blocks

    @property
    def lasts(self) -> bool:
        """Whether it takes as long as the table has rows."""
        return self.duration == "rows"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a table: `when` are words that must all hold, `since` and `before` bound the database's version."""

    action: str
    cost: Cost
    when: frozenset[str] = frozenset()
    since: Version = ()
    before: Version = ()

    def applies(self, conditions: frozenset[str], version: Version) -> bool:
        return self.holds(version) and self.when <= conditions

    def holds(self, version: Version) -> bool:
        """Whether the row is about this version of the database."""
        return version >= self.since and (not self.before or version < self.before)


NOTHING = Cost(why="Nobody else knows the table yet: nothing waits for it.")

_KEYS = {
    "action", "when", "since", "before", "lock", "blocks", "duration", "scans", "rewrites", "indexes", "writes-rows",
    "refused-in-transaction", "why", "url", "measured",
}  # fmt: skip


class Identifier(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """How long a name may be, and what becomes of a longer one."""

    longest: int
    unit: Literal["bytes", "characters"]
    too_long: Literal["cut", "refused"]


class LockTimeout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The setting that bounds the wait for a lock, and a statement that sets it."""

    setting: str
    statement: str


class Traits(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What a database is like, whatever the action. None where it has no such thing."""

    identifier: Identifier | None = None
    lock_timeout: LockTimeout | None = None
    # One lock for all: whoever writes, writes alone.
    one_writer: bool = False
    # A column that is there can be given a default, which stays.
    sets_defaults: bool = True
    # Several statements that Django sends at once are one transaction.
    script_is_transaction: bool = False
    # The actions that are refused on a table while keys of rows that were written are still to be checked at commit,
    # each with the statement that the error names.
    refused_before_check: dict[str, str] = {}
    # What it says where a transaction uses a value that it has added to an enumerated type, "" where it may.
    new_value: str = ""


class CostTableError(ValueError):
    """A cost table says something that no action and no lock is called."""


@cache
def cost_table(vendor: Vendor) -> tuple[Row, ...]:
    """The rows of a database, read when they are first asked for."""
    return tuple(_rows(_document(vendor)))


@cache
def traits_of(vendor: Vendor) -> Traits:
    """What a database is like."""
    return msgspec.convert(_document(vendor).get("database", {}), Traits)


@cache
def _document(vendor: Vendor) -> dict[str, Any]:
    import tomli

    return tomli.loads(Path(__file__).with_name(f"{vendor}.toml").read_text(encoding="utf-8"))


def _rows(document: dict[str, Any]) -> Iterable[Row]:
    kinds = {kind.kind() for kind in ACTIONS}
    for number, row in enumerate(document["cost"], 1):
        unknown = (row.keys() - _KEYS) | (set(row.get("when", ())) - CONDITIONS) | ({row["action"]} - kinds)
        if unknown:
            raise CostTableError(f"row {number}: unknown {', '.join(sorted(unknown))}")
        yield Row(
            action=row["action"],
            when=frozenset(row.get("when", ())),
            since=_version(row.get("since")),
            before=_version(row.get("before")),
            cost=_cost(row),
        )


def _version(value: int | str | None) -> Version:
    return () if value is None else tuple(int(part) for part in str(value).split("."))


def _cost(row: dict[str, Any]) -> Cost:
    lock = row.get("lock", "")
    blocks = frozenset(row["blocks"]) if "blocks" in row else _BLOCKS.get(lock, frozenset())
    return Cost(
        lock=lock,
        blocks=blocks,
        duration=row["duration"],
        scans=row.get("scans", False),
        rewrites=row.get("rewrites", False),
        indexes=row.get("indexes", False),
        writes_rows=row.get("writes-rows", False),
        refused_in_transaction=row.get("refused-in-transaction", False),
        why=row["why"],
        url=row["url"],
        measured=row.get("measured", True),
    )


def cost_of(action: Action, database: Database, conditions: frozenset[str] = frozenset()) -> Cost:
    """What an action costs; `conditions` are words that hold beside those the action knows of itself."""
    if action.on_new_table:
        return NOTHING
    asked = (action.kind(), action.conditions | conditions, database.vendor, database.version)
    found = _found.get(asked)
    if found is None:
        found = _found[asked] = _looked_up(*asked)
    return found


# What was looked up before: a history asks for the same few costs again and again.
_found: dict[tuple[str, frozenset[str], Vendor, Version], Cost] = {}


def _looked_up(kind: str, words: frozenset[str], vendor: Vendor, version: Version) -> Cost:
    """The cost of the first row that fits."""
    rows = (row for row in cost_table(vendor) if row.action == kind and row.applies(words, version))
    row = next(rows, None)
    return row.cost if row is not None else Cost(measured=False)


def is_refused_in_transaction(action: Action, database: Database) -> bool:
    """Whether the database raises an error for it where a transaction is open, be its table new or not."""
    return cost_of(replace(action, on_new_table=False), database).refused_in_transaction


def join(costs: Iterable[Cost]) -> Cost:
    """The cost of several actions on one table in one transaction: the strongest lock, all of the work."""
    together = tuple(costs)
    if not together:
        return Cost()
    strongest = max(together, key=lambda cost: (len(cost.blocks), _RANK.get(cost.lock, 0)))
    return Cost(
        lock=strongest.lock,
        blocks=frozenset().union(*(cost.blocks for cost in together)),
        duration="rows" if any(cost.lasts for cost in together) else "instant",
        scans=any(cost.scans for cost in together),
        rewrites=any(cost.rewrites for cost in together),
        indexes=any(cost.indexes for cost in together),
        writes_rows=any(cost.writes_rows for cost in together),
        refused_in_transaction=any(cost.refused_in_transaction for cost in together),
        why=strongest.why,
        url=strongest.url,
        measured=all(cost.measured for cost in together),
    )
