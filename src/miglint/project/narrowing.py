"""Which values a column loses, or a database refuses, when its type changes.

Types are spelled as PostgreSQL spells them. What is said of MySQL and MariaDB holds for their strict mode, which is
their default and Django's advice; SQLite enforces no type. Measured on PostgreSQL 15, MariaDB 10.11, SQLite 3.40;
the casts: https://www.postgresql.org/docs/current/sql-createcast.html, pg_cast.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from miglint.database import Database
from miglint.project.action import LENGTHS

# "refused": the migration fails on such a row. "cut", "rounded", "changed": it passes, and the value is another.
# "unread": it stays as it is, and Django can no longer read it.
Outcome = Literal["refused", "cut", "rounded", "changed", "unread"]


class Narrowing(msgspec.Struct, frozen=True, kw_only=True):
    """Which old values a new type does not hold (`values`, a phrase in the plural) and what becomes of them.

    `error` is what the database says where it refuses, "" where that is not known. `besides` are values that it
    refuses although it only rounds the others.
    """

    values: str
    outcome: Outcome
    error: str = ""
    besides: str = ""

    @property
    def says(self) -> str:
        """What happens, as a verb and its object."""
        besides = f", and fails on {self.besides}" if self.besides else ""
        return f"{_SAYS[self.outcome].format(self.values)}{besides}"


_SAYS: dict[Outcome, str] = {
    "refused": "fails on {}",
    "cut": "cuts {}",
    "rounded": "rounds {}",
    "changed": "makes true of {}",
    "unread": "leaves {} as text that Django reads as None",
}


class _Type(msgspec.Struct, frozen=True):
    """A type taken apart; `first` and `second` are its length, or digits and decimal places."""

    kind: str
    first: int | None = None
    second: int | None = None


_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
# How many characters the longest value takes as text.
_AS_TEXT = {
    "smallint": 6, "integer": 11, "bigint": 20, "boolean": 5, "date": 10, "time": 15,
    "timestamp with time zone": 32, "uuid": 36, "inet": 43, "double precision": 24,
}  # fmt: skip
_TEXT = ("text", "varchar", "citext")
# What text must be to become this.
_WRITTEN = {
    "smallint": "a whole number", "integer": "a whole number", "bigint": "a whole number", "numeric": "a number",
    "double precision": "a number", "boolean": "a truth value", "date": "a date", "time": "a time of day",
    "timestamp with time zone": "a date and time", "uuid": "a UUID", "inet": "an IP address", "jsonb": "JSON",
    "interval": "an interval",
}  # fmt: skip
# No cast leads from one to the other in PostgreSQL: the change fails even on an empty table.
_NUMBERS = ("smallint", "integer", "bigint", "numeric", "double precision")
_NO_CAST: dict[str, frozenset[str]] = {
    **dict.fromkeys(_NUMBERS, frozenset({"uuid", "date", "time", "timestamp with time zone", "interval", "inet",
                                         "jsonb"})),
    "boolean": frozenset({"smallint", "bigint", "numeric", "double precision", "uuid", "date", "time", "interval",
                          "timestamp with time zone", "inet", "jsonb"}),
    "date": frozenset({*_NUMBERS, "boolean", "uuid", "time", "interval", "inet", "jsonb"}),
    "time": frozenset({*_NUMBERS, "boolean", "uuid", "date", "timestamp with time zone", "inet", "jsonb"}),
    "timestamp with time zone": frozenset({*_NUMBERS, "boolean", "uuid", "interval", "inet", "jsonb"}),
    "interval": frozenset({*_NUMBERS, "boolean", "uuid", "date", "timestamp with time zone", "inet", "jsonb"}),
    "uuid": frozenset({*_NUMBERS, "boolean", "date", "time", "interval", "timestamp with time zone", "inet", "jsonb"}),
    "inet": frozenset({*_NUMBERS, "boolean", "date", "time", "interval", "timestamp with time zone", "uuid", "jsonb"}),
    "bytea": frozenset({*_NUMBERS, "boolean", "date", "time", "interval", "timestamp with time zone", "uuid", "inet",
                        "jsonb"}),
}  # fmt: skip
_TO_BOOLEAN_NO_CAST = {"smallint", "bigint", "numeric", "double precision"}


def narrowing(
    old: str | None, new: str | None, database: Database, *, negative: bool = False, casts: bool | None = None
) -> Narrowing | None:
    """What a change from one type to another does to the values that the new one does not hold.

    None where it holds them all, where nothing happens to them, and where it is not known. `negative`: the new
    column refuses negative numbers that the old one took. `casts`: whether the values are cast explicitly (USING),
    which Django has PostgreSQL do (None) where the kind of the column changes.
    """
    if old is None or new is None:
        return None
    if database.vendor == "sqlite":
        return _sqlite(old, new, negative)
    if old.endswith("]") and new.endswith("]"):
        return _array(old, new, database, casts)
    before, after = _parse(old), _parse(new)
    if before is None or after is None:
        return None
    if before == after:
        found = None
    elif casts is False and database.vendor == "postgresql" and _is_cast_by_hand(before, after):
        error = f"column … cannot be cast automatically to type {after.kind}"
        found = Narrowing(values="all values", outcome="refused", error=error)
    else:
        found = _change(before, after, database, casts)
    if found is None and negative:
        return _negative(database, new)
    return found


def fits(value: str | int | None, type: str | None, *, checked: bool) -> bool:
    """Whether a column of a type holds a value, None for what is not known; `checked`: it refuses negative numbers."""
    new = _parse(type) if type is not None else None
    if new is None or value is None:
        return False
    if isinstance(value, int):
        low = 0 if checked else -(2 ** _BITS.get(new.kind, 0))
        return new.kind in _BITS and low <= value < 2 ** _BITS[new.kind]
    return new.kind in _TEXT and (new.first is None or len(value) <= new.first)


def needs_cast(old: str | None, new: str | None) -> bool:
    """Whether PostgreSQL refuses values of one type for a column of the other unless they are cast explicitly.

    Numbers, dates and times are cast on assignment, and everything to text; text to nothing else, truth values to none.
    """
    if old is None or new is None:
        return False
    before, after = old.partition("(")[0], new.partition("(")[0]
    return before != after and after not in _TEXT and (before in _TEXT or "boolean" in (before, after))


def _sqlite(old: str, new: str, negative: bool) -> Narrowing | None:
    """Only a CHECK refuses anything; a date and time stays as text that Django does not read as a date."""
    if old == "timestamp with time zone" and new == "date":
        return Narrowing(values="all values", outcome="unread")
    if new == "jsonb" and (old == "text" or old.startswith("varchar")):
        return Narrowing(values="texts that are not JSON", outcome="refused", error="CHECK constraint failed")
    if negative and _parse(old) is not None:
        return Narrowing(values="negative numbers", outcome="refused", error="CHECK constraint failed")
    return None


def _is_cast_by_hand(old: _Type, new: _Type) -> bool:
    """Whether PostgreSQL casts one type to the other only where it is told to, or not even then."""
    known = {*_NO_CAST, *_WRITTEN, *_TEXT}
    return {old.kind, new.kind} <= known and (needs_cast(old.kind, new.kind) or _has_no_cast(old, new))


def _has_no_cast(old: _Type, new: _Type) -> bool:
    return new.kind in _NO_CAST.get(old.kind, ()) or (new.kind == "boolean" and old.kind in _TO_BOOLEAN_NO_CAST)


def _array(old: str, new: str, database: Database, casts: bool | None) -> Narrowing | None:
    """An array's element: Django casts each, so that even a shorter varchar cuts. The size is not enforced."""
    before, after = _parse(old.rpartition("[")[0]), _parse(new.rpartition("[")[0])
    if before is None or after is None or before == after:
        return None
    found = _change(before, after, database, casts)
    if found is None:
        return None
    cut = before.kind == after.kind == "varchar" and casts is not False
    outcome: Outcome = "cut" if cut else found.outcome
    return Narrowing(values=f"{found.values} in arrays", outcome=outcome, error="" if cut else found.error)


_TYPE = re.compile(rf"([a-z ]+?){LENGTHS}")


def _parse(text: str) -> _Type | None:
    found = _TYPE.fullmatch(text)
    if found is None:
        return None
    first, second = (int(part) if part is not None else None for part in (found[2], found[3]))
    return _Type(found[1], first, second)


def _change(old: _Type, new: _Type, database: Database, casts: bool | None) -> Narrowing | None:
    if new.kind in _TEXT:
        return _to_text(old, new, database, casts)
    if old.kind in _TEXT:
        return _from_text(old, new, database)
    if _has_no_cast(old, new):
        error = f"cannot cast type {old.kind} to {new.kind}"
        refused = Narrowing(values="all values", outcome="refused", error=error)
        return refused if database.vendor == "postgresql" else None
    if old.kind in _NUMBERS and new.kind in (*_NUMBERS, "boolean"):
        return _number(old, new, database)
    if old.kind == "timestamp with time zone" and new.kind in ("date", "time"):
        part = "time of day" if new.kind == "date" else "date"
        return Narrowing(values=f"the {part} off all values", outcome="cut")
    return None


# -- text -------------------------------------------------------------------------------------------------


def _to_text(old: _Type, new: _Type, database: Database, casts: bool | None) -> Narrowing | None:
    limit, longest = new.first, _longest(old)
    if limit is None or new.kind != "varchar" or (longest is not None and longest <= limit):
        return None
    if longest is None and old.kind not in (*_TEXT, "jsonb", "bytea"):
        return None
    postgresql = database.vendor == "postgresql"
    # Django writes a cast (USING) where the kind of the column changes, and a cast cuts.
    if postgresql and (old.kind != "varchar" if casts is None else casts):
        return Narrowing(values=f"values longer than {limit} characters", outcome="cut")
    error = f"value too long for type character varying({limit})" if postgresql else "Data too long for column"
    return Narrowing(values=f"values longer than {limit} characters", outcome="refused", error=error)


def _longest(old: _Type) -> int | None:
    if old.kind == "varchar":
        return old.first
    if old.kind == "numeric":
        return old.first + 2 if old.first is not None else None
    return _AS_TEXT.get(old.kind)


def _from_text(old: _Type, new: _Type, database: Database) -> Narrowing | None:
    written = _WRITTEN.get(new.kind)
    if written is None:
        return None
    mysql = database.vendor in ("mysql", "mariadb")
    if mysql and new.kind in ("inet", "interval", "uuid") and not (database.vendor == "mariadb" and new.kind == "uuid"):
        return None  # kept as char(39), bigint and char(32) there
    errors = {
        "jsonb": "invalid input syntax for type json", "timestamp with time zone": "invalid input syntax for type "
        "timestamp with time zone", "date": "invalid input syntax for type date",
    }  # fmt: skip
    error = "" if mysql else errors.get(new.kind, f"invalid input syntax for type {new.kind}")
    return Narrowing(values=f"texts that are not {written}", outcome="refused", error=error)


# -- numbers ----------------------------------------------------------------------------------------------


def _number(old: _Type, new: _Type, database: Database) -> Narrowing | None:
    if new.kind == "boolean":
        if database.vendor == "postgresql":
            return Narrowing(values="numbers other than 0 and 1", outcome="changed")
        return _out_of_range("numbers above 127", "tinyint", database)
    if new.kind == "double precision":
        exact = (old.kind in ("smallint", "integer")) or (old.kind == "numeric" and (old.first or 99) <= 15)
        return None if exact else Narrowing(values="numbers of more than 15 digits", outcome="rounded")
    if new.kind == "numeric":
        return _to_numeric(old, new, database)
    too_large = f"numbers above {2 ** _BITS[new.kind] - 1}"
    if old.kind in _BITS:
        return None if _BITS[old.kind] <= _BITS[new.kind] else _out_of_range(too_large, new.kind, database)
    digits = _whole_digits(old)
    fits = digits is not None and digits < _DIGITS[new.kind]
    if old.kind == "double precision" or old.second != 0:
        return Narrowing(values="fractions", outcome="rounded", besides="" if fits else too_large)
    return None if fits else _out_of_range(too_large, new.kind, database)


def _to_numeric(old: _Type, new: _Type, database: Database) -> Narrowing | None:
    if new.first is None:
        return None
    places = new.second or 0
    room = new.first - places
    digits = _DIGITS[old.kind] if old.kind in _DIGITS else _whole_digits(old)
    fits = digits is not None and digits <= room
    too_large = f"numbers with more than {room} digit{'' if room == 1 else 's'} before the point"
    if old.kind == "double precision" or (old.kind == "numeric" and (old.second is None or old.second > places)):
        values = f"numbers with more than {places} decimal places"
        return Narrowing(values=values, outcome="rounded", besides="" if fits else too_large)
    if fits:
        return None
    error = "numeric field overflow" if database.vendor == "postgresql" else "Out of range value for column"
    return Narrowing(values=too_large, outcome="refused", error=error)


def _whole_digits(old: _Type) -> int | None:
    return old.first - (old.second or 0) if old.first is not None else None


def _out_of_range(values: str, kind: str, database: Database) -> Narrowing:
    error = f"{kind} out of range" if database.vendor == "postgresql" else "Out of range value for column"
    return Narrowing(values=values, outcome="refused", error=error)


def _negative(database: Database, new: str) -> Narrowing:
    error = "check constraint … is violated by some row"
    return Narrowing(
        values="negative numbers",
        outcome="refused",
        error=error if database.vendor == "postgresql" else "Out of range value for column",
    )
