"""What an SQL statement does, as a value."""

from __future__ import annotations

import msgspec


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One effect of an SQL statement; `verb` is an action's name (`add-column`) or the first words (`grant`).

    `concurrent` statements cannot run in a transaction; `alone` is false where the text holds further statements.
    """

    verb: str
    text: str = ""
    table: str = ""
    name: str = ""
    new_name: str = ""
    columns: tuple[str, ...] = ()
    # The columns that a CHECK says to be not NULL, whatever else it asks.
    not_null: tuple[str, ...] = ()
    # The columns that an UPDATE sets to NULL.
    emptied: tuple[str, ...] = ()
    to: str = ""
    type: str | None = None
    made: tuple[Statement, ...] = ()
    flags: frozenset[str] = frozenset()
    alone: bool = True
