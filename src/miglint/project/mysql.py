"""What Django's schema editor does otherwise on MySQL and MariaDB: types, and what one MODIFY says at once.

Source: django.db.backends.mysql.schema.DatabaseSchemaEditor, django.db.backends.mysql.base.DatabaseWrapper.data_types
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from miglint.database import Database
from miglint.project import operations as ops
from miglint.project.action import DIGITS, Action, Column, Comment, DropColumn, TypeChange
from miglint.project.fields import Field
from miglint.project.state import ModelState

# Types by what PostgreSQL calls them; all others have the same name.
_TYPES = {
    "text": "longtext", "jsonb": "json", "bytea": "longblob", "boolean": "bool", "interval": "bigint",
    "inet": "char(39)", "timestamp with time zone": "datetime(6)", "time": "time(6)",
}  # fmt: skip
_VARCHAR = re.compile(rf"varchar\(({DIGITS})\)$")
# A VARCHAR's length is kept in one byte up to 255 bytes, in two above; a character of utf8mb4 takes up to four.
# Source: https://mariadb.com/kb/en/innodb-online-ddl-operations-with-the-instant-alter-algorithm/ and MySQL's manual
_ONE_BYTE = 255 // 4
# Up to this length MariaDB has room for both. Source: measured, and the first of these pages
_ROOM_FOR_TWO = 127 // 4


def column_type(kind: str | None, field: Field, database: Database, django_version: tuple[int, ...]) -> str | None:
    """The type that a column has there, from PostgreSQL's name of it."""
    if kind is None:
        return None
    if kind == "uuid":
        # MariaDB has a type for it since 10.7, which Django uses since 5.0.
        native = database.vendor == "mariadb" and database.version >= (10, 7) and django_version >= (5, 0)
        return "uuid" if native else "char(32)"
    unsigned = " unsigned" if (field.kind or "").startswith("Positive") else ""
    numbered = " AUTO_INCREMENT" if field.is_auto.certain else ""
    return _TYPES.get(kind, kind) + unsigned + numbered


def type_change(old: str | None, new: str | None, database: Database | None = None) -> TypeChange:
    """What a change of type means for the rows that are there: "compatible" where only the definition changes."""
    if old is None or new is None:
        return "unknown"
    if old == new:
        return "same"
    narrow, wide = _VARCHAR.match(old), _VARCHAR.match(new)
    if narrow and wide and int(wide[1]) >= int(narrow[1]):
        has_room = database is not None and database.vendor == "mariadb" and int(narrow[1]) <= _ROOM_FOR_TWO
        lengths = (int(narrow[1]) <= _ONE_BYTE, int(wide[1]) <= _ONE_BYTE)
        return "compatible" if has_room or lengths[0] == lengths[1] else "rewrite"
    return "rewrite"


# Other names that SQL may give to types.
_ALSO = {"tinyint(1)": "bool", "boolean": "bool", "double": "double precision"}
_NUMBER = re.compile(r"(tiny|small|medium|big)?int(?:eger)?(?:\(\d+\))?")


def restated(known: Column, stated: Column) -> TypeChange:
    """What becomes of the rows of a column that MODIFY says again."""
    if known.type is None or stated.type is None:
        return "unknown"
    if known.type == stated.type and _TYPES.get(known.type) in ("longtext", "time(6)"):
        return "unknown"  # TextField, or SQL's own TEXT
    old, new = _as_sql(_TYPES.get(known.type, known.type)), _as_sql(stated.type)
    if known.type == "uuid" and new in ("char(32)", "uuid"):
        return "same"
    if old == new:
        return "unknown" if known.checked.possible and _NUMBER.fullmatch(old) else "same"
    if old == new.removesuffix(" unsigned"):
        return "same" if known.checked.certain else "unknown"  # fields for positive numbers are unsigned
    return type_change(old, new)


def _as_sql(kind: str) -> str:
    """One of a type's names, without how wide a number is shown."""
    return _ALSO[kind] if kind in _ALSO else _NUMBER.sub(lambda found: f"{found[1] or ''}int", kind)


def modified(operation: ops.Operation, actions: Iterator[Action], before: ModelState | None) -> Iterator[Action]:
    """The actions there: comments are said with the column itself."""
    if isinstance(operation, ops.RunSQL | ops.RunPython):  # what code asks of the schema editor comes as an operation
        yield from actions
        return
    for action in actions:
        if isinstance(action, Comment) and action.column:
            continue
        if isinstance(action, DropColumn):
            action = replace(action, indexed=action.indexed or _has_key_index(action, before), trims=True)
        yield action


def _has_key_index(action: DropColumn, before: ModelState | None) -> bool:
    """Whether the column has the index that a foreign key made, and that stays when the key goes."""
    state = before.field(action.field) if before is not None and action.field else None
    return state is not None and state.field.kind in ("ForeignKey", "OneToOneField")
