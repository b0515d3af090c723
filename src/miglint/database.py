"""The database a migration will meet: a value that is passed down, never a question asked again."""

from __future__ import annotations

from typing import Literal

import msgspec

Vendor = Literal["postgresql", "mysql", "mariadb", "sqlite"]
VENDORS: tuple[Vendor, ...] = ("postgresql", "mysql", "mariadb", "sqlite")

Version = tuple[int, ...]

# What a project that says nothing is taken to use: releases that are in wide use and supported.
_ASSUMED_VERSION: dict[Vendor, Version] = {
    "postgresql": (15,),
    "mysql": (8, 0),
    "mariadb": (10, 11),
    "sqlite": (3, 40),
}

# django.db.backends.base.features.DatabaseFeatures.can_rollback_ddl
_TRANSACTIONAL_DDL: dict[Vendor, bool] = {
    "postgresql": True,
    "mysql": False,
    "mariadb": False,
    "sqlite": True,
}

DISPLAY_NAME: dict[Vendor, str] = {
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "sqlite": "SQLite",
}


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor and version, and where the knowledge comes from.

    `source` is "option" (command line), "settings" (miglint's), "settings-file" (Django's DATABASES, read as
    text) or "default".
    """

    vendor: Vendor = "postgresql"
    version: Version = (15,)
    source: str = "default"

    @classmethod
    def assumed(cls, vendor: Vendor, source: str) -> Database:
        """The vendor at the version that is assumed where none is given."""
        return cls(vendor=vendor, version=_ASSUMED_VERSION[vendor], source=source)

    @property
    def transactional_ddl(self) -> bool:
        """Whether a failed migration is rolled back whole."""
        return _TRANSACTIONAL_DDL[self.vendor]

    @property
    def is_mysql(self) -> bool:
        """MySQL, or MariaDB: Django has one backend for both."""
        return self.vendor in ("mysql", "mariadb")

    def is_before(self, *release: int) -> bool:
        """Whether the version is older; one that is given less exactly is taken to be the newest of its kind."""
        return self.version < release[: len(self.version)]

    @property
    def longest_name(self) -> int | None:
        """How long the names are that Django makes up. Source: `max_name_length` of Django's backends"""
        return {"postgresql": 63, "mysql": 64, "mariadb": 64}.get(self.vendor)

    @property
    def expression_indexes(self) -> bool:
        """Source: `supports_expression_indexes` of Django's backends; where it is false, nothing is created."""
        return self.vendor in ("postgresql", "sqlite") or (self.vendor == "mysql" and not self.is_before(8, 0, 13))

    @property
    def renames_indexes(self) -> bool:
        """Source: `can_rename_index` of Django's backends; where it is false, the index is dropped and made again."""
        return self.vendor != "sqlite" and (self.vendor != "mariadb" or self.version >= (10, 5, 2))

    def quoted(self, name: str) -> str:
        """A name as SQL spells it, whatever it is. Source: `quote_name` of Django's backends"""
        mark = "`" if self.is_mysql else '"'
        return name if name.startswith(mark) and name.endswith(mark) else f"{mark}{name}{mark}"

    @property
    def title(self) -> str:
        return DISPLAY_NAME[self.vendor]

    @property
    def version_text(self) -> str:
        return ".".join(map(str, self.version))


def parse_version(text: str) -> Version:
    """`"15.4"` → `(15, 4)`. Raises ValueError with a sentence."""
    try:
        version = tuple(int(part) for part in text.strip().split("."))
    except ValueError:
        raise ValueError(f"{text!r} is not a version such as 15 or 5.2") from None
    if len(version) > 4 or any(not 0 <= part < 10_000 for part in version):
        raise ValueError(f"{text!r} is not a version such as 15 or 5.2")
    return version
