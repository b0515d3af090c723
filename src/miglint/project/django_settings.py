"""What a Django settings file says, read as text: which apps, which user model, which database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from miglint.database import Vendor
from miglint.syntax.evaluate import Values, module_values
from miglint.syntax.facts import Expr, Items, Literal, ModuleFacts, Pairs, Starred

_MODEL = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")
# The last part of an engine's path tells the vendor; MariaDB cannot be told from MySQL.
_VENDORS: dict[str, Vendor] = {
    "postgresql": "postgresql",
    "postgresql_psycopg2": "postgresql",
    "postgis": "postgresql",
    "mysql": "mysql",
    "sqlite3": "sqlite",
    "spatialite": "sqlite",
}


@dataclass(frozen=True, kw_only=True)
class DjangoSettings:
    """The settings that matter to migrations; what could not be read is None, or not in a mapping.

    `swappable` are all settings whose value looks like `app.Model`.
    """

    swappable: Mapping[str, str] = field(default_factory=dict)
    installed_apps: tuple[str, ...] | None = None
    migration_modules: Mapping[str, str | None] = field(default_factory=dict)
    vendor: Vendor | None = None
    default_auto_field: str | None = None


def read_django_settings(facts: ModuleFacts) -> DjangoSettings:
    """The settings of a module's facts."""
    values = module_values(facts.body)
    return DjangoSettings(
        swappable={
            name: text
            for name in values.names
            if name.isupper() and name.endswith("MODEL") and (text := _text(values, name)) and _MODEL.fullmatch(text)
        },
        installed_apps=_installed_apps(values),
        migration_modules=_migration_modules(values),
        vendor=_vendor(values),
        default_auto_field=_text(values, "DEFAULT_AUTO_FIELD"),
    )


def _resolved(values: Values, name: str) -> Expr | None:
    value = values.get(name)
    return values.resolve(value) if value is not None else None


def _text(values: Values, name: str) -> str | None:
    value = _resolved(values, name)
    return value.text if isinstance(value, Literal) and value.kind == "str" else None


def _installed_apps(values: Values) -> tuple[str, ...] | None:
    """Known only where every entry is."""
    value = _resolved(values, "INSTALLED_APPS")
    if not isinstance(value, Items):
        return None
    found: list[str] = []
    for item in value.items:
        entry = values.resolve(item) if not isinstance(item, Starred) else item
        if not isinstance(entry, Literal) or entry.kind != "str":
            return None
        found.append(entry.text)
    return tuple(found)


def _migration_modules(values: Values) -> dict[str, str | None]:
    value = _resolved(values, "MIGRATION_MODULES")
    found: dict[str, str | None] = {}
    for pair in value.pairs if isinstance(value, Pairs) else ():
        target = values.resolve(pair.value)
        if isinstance(pair.key, Literal) and isinstance(target, Literal) and target.kind in ("str", "none"):
            found[pair.key.text] = target.text if target.kind == "str" else None
    return found


def _vendor(values: Values) -> Vendor | None:
    databases = _resolved(values, "DATABASES")
    default = _entry(values, databases, "default")
    engine = _entry(values, default, "ENGINE")
    if isinstance(engine, Literal) and engine.kind == "str":
        return _VENDORS.get(engine.text.rpartition(".")[2])
    return None


def _entry(values: Values, mapping: Expr | None, key: str) -> Expr | None:
    for pair in mapping.pairs if isinstance(mapping, Pairs) else ():
        if isinstance(pair.key, Literal) and pair.key.text == key:
            return values.resolve(pair.value)
    return None
