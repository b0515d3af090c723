"""What a Django settings file says, read as text: which apps, which user model, which database."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from miglint.database import Vendor
from miglint.project.circumstances import Circumstances
from miglint.syntax.changing import root_of
from miglint.syntax.evaluate import Values, module_values
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Call,
    Either,
    Evaluate,
    Expr,
    If,
    Items,
    Literal,
    ModuleFacts,
    Opaque,
    Operation,
    Pairs,
    Starred,
    Statement,
    Subscript,
    walk,
)

T = TypeVar("T")

# Source: django.conf.global_settings.AUTH_USER_MODEL
_DEFAULT_USER = "auth.User"
_MODEL = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")
# The last part of an engine's path tells the vendor; MariaDB cannot be told from MySQL.
_VENDORS: dict[str, Vendor] = {
    "postgresql": "postgresql",
    "postgresql_psycopg2": "postgresql",
    "postgis": "postgresql",
    "mysql": "mysql",
    "postgresql_backend": "postgresql",  # django-tenants
    "sqlite3": "sqlite",
    "spatialite": "sqlite",
}


# So many sequences and conditions are followed for one setting: those that hold themselves, or two of the next each,
# have no end.
_MAX_PARTS = 200


class DjangoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that matter to migrations; what could not be read is None, or not in a mapping.

    `installed_apps` are the entries that may be there, `perhaps_installed` those that a condition may leave out.
    `swappable` are all settings whose value looks like `app.Model`, and Django's own user model where a settings file
    that was read as a whole says nothing of AUTH_USER_MODEL. `databases` are the aliases that were read; `engine` is
    the ENGINE of the default one; `written` are all settings as they are written.
    """

    swappable: Mapping[str, str] = {}
    installed_apps: tuple[str, ...] | None = None
    perhaps_installed: frozenset[str] = frozenset()
    migration_modules: Mapping[str, str | None] = {}
    vendor: Vendor | None = None
    engine: str | None = None
    databases: tuple[str, ...] = ()
    default_auto_field: str | None = None
    written: Mapping[str, Expr] = {}
    whole: bool = False


def read_django_settings(facts: ModuleFacts) -> DjangoSettings:
    """The settings of a module's facts."""
    values = module_values(_without_details(facts.body), Circumstances())
    installed = _installed_apps(values)
    changed = any(_may_change_engine(statement) for statement in walk(facts.body, into_definitions=False))
    swappable = {
        name: text
        for name in values.names
        if name.isupper() and (text := _text(values, name)) and _is_model(name, text)
    }
    whole = "INSTALLED_APPS" in values.names and _is_whole(facts)
    engines = set() if changed else _engines(values)
    vendors = {_VENDORS.get(engine.rpartition(".")[2]) for engine in engines}
    if whole and "AUTH_USER_MODEL" not in values.names:
        swappable["AUTH_USER_MODEL"] = _DEFAULT_USER
    return DjangoSettings(
        swappable=swappable,
        installed_apps=tuple(installed) if installed is not None else None,
        perhaps_installed=frozenset(entry for entry, certain in (installed or {}).items() if not certain),
        migration_modules=_migration_modules(values),
        vendor=_only(vendors),
        engine=_only(engines),
        databases=_databases(values),
        default_auto_field=_text(values, "DEFAULT_AUTO_FIELD"),
        written={name: _plain(values.resolve_all(value)) for name, value in values.names.items() if name.isupper()},
        whole=whole and not _hidden(values),
    )


def _is_whole(facts: ModuleFacts) -> bool:
    """Whether no other module adds settings that were not read: a star import that is left is one that was not."""
    return not any(alias.bound == "*" for statement in facts.imports() for alias in statement.aliases)


def _hidden(values: Values) -> bool:
    """Whether a setting that names a model is there and could not be read."""
    return any(name.isupper() and name.endswith("_MODEL") and not _text(values, name) for name in values.names)


def _is_model(name: str, text: str) -> bool:
    """Whether a setting names a model: `ROOT_URLCONF = "shop.urls"` looks like one, too."""
    return _MODEL.fullmatch(text) is not None and (name.endswith("MODEL") or text.rpartition(".")[2][0].isupper())


def _resolved(values: Values, name: str) -> Expr | None:
    value = values.get(name)
    return values.resolve(value) if value is not None else None


def _plain(value: Expr) -> Expr:
    """A constant, or a display of constants; what else there is has its meaning in the settings' module only."""
    return value if _is_plain(value) else Opaque("computed in the settings")


def _is_plain(value: Expr) -> bool:
    return isinstance(value, Literal) or (isinstance(value, Items) and all(map(_is_plain, value.items)))


def _text(values: Values, name: str) -> str | None:
    value = _resolved(values, name)
    return value.text if isinstance(value, Literal) and value.kind == "str" else None


class _Unread(Exception):
    """An entry of INSTALLED_APPS that cannot be read."""


def _installed_apps(values: Values) -> dict[str, bool] | None:
    """The entries, each with whether it is certainly there; known only where every one is."""
    value = values.get("INSTALLED_APPS")
    try:
        return _entries(values, value, iter(range(_MAX_PARTS))) if value is not None else None
    except _Unread:
        return None


def _entries(values: Values, value: Expr, left: Iterator[int]) -> dict[str, bool]:
    """`left` counts the parts that may yet be followed. Raises _Unread."""
    found: dict[str, bool] = {}
    for part in _parts(values, value, left):
        match part:
            case Literal(kind="str", text=entry):
                found[entry] = True
            case Either(then=then, otherwise=otherwise):
                one, other = _entries(values, then, left), _entries(values, otherwise, left)
                for entry in (*one, *other):
                    certain = one.get(entry, False) and other.get(entry, False)
                    found[entry] = found.get(entry, False) or certain
            case _:
                raise _Unread
    return found


def _parts(values: Values, value: Expr, left: Iterator[int]) -> Iterator[Expr]:
    """What a sequence is put together from: single entries, and sequences that a condition chooses."""
    if next(left, None) is None:
        raise _Unread
    match values.resolve(value):
        case Items(items=items):
            for item in items:
                if isinstance(item, Starred):
                    yield from _parts(values, item.value, left)
                elif isinstance(entry := values.resolve(item), Literal):
                    yield entry
                else:
                    raise _Unread
        case Operation(operator="+", operands=operands):
            for operand in operands:
                yield from _parts(values, operand, left)
        case Either() as either:
            yield either
        case _:
            raise _Unread


def _migration_modules(values: Values) -> dict[str, str | None]:
    value = _resolved(values, "MIGRATION_MODULES")
    found: dict[str, str | None] = {}
    for pair in value.pairs if isinstance(value, Pairs) else ():
        target = values.resolve(pair.value)
        if isinstance(pair.key, Literal) and isinstance(target, Literal) and target.kind in ("str", "none"):
            found[pair.key.text] = target.text if target.kind == "str" else None
    return found


def _databases(values: Values) -> tuple[str, ...]:
    """The aliases in DATABASES, as far as they are written out."""
    value = _resolved(values, "DATABASES")
    pairs = value.pairs if isinstance(value, Pairs) else ()
    return tuple(pair.key.text for pair in pairs if isinstance(pair.key, Literal) and pair.key.kind == "str")


def _only(found: Collection[T | None]) -> T | None:
    return next(iter(found)) if len(found) == 1 else None


def _engines(values: Values) -> set[str]:
    """What the ENGINE of the default database may be; none where one way to it cannot be read."""
    databases = _resolved(values, "DATABASES")
    default = _entry(values, databases, "default")
    engine = _entry(values, default, "ENGINE")
    found = list(_ways(values, engine, iter(range(_MAX_PARTS)))) if engine is not None else []
    texts = {each.text for each in found if isinstance(each, Literal) and each.kind == "str"}
    return texts if len(texts) == len(set(found)) else set()


def _ways(values: Values, value: Expr, left: Iterator[int]) -> Iterator[Expr]:
    """What an expression may be, whichever way its conditions turn out; a condition where they are too many."""
    match values.resolve(value):
        case Either(then=then, otherwise=otherwise) if next(left, None) is not None:
            yield from _ways(values, then, left)
            yield from _ways(values, otherwise, left)
        case found:
            yield found


def _entry(values: Values, mapping: Expr | None, key: str) -> Expr | None:
    """The last pair of that key wins, as in Python; one whose key cannot be read may be it."""
    for pair in reversed(mapping.pairs) if isinstance(mapping, Pairs) else ():
        if not isinstance(pair.key, Literal):
            return None
        if pair.key.text == key:
            return values.resolve(pair.value)
    return None


def _without_details(body: Iterable[Statement]) -> Iterator[Statement]:
    """What a module does, without what it changes in DATABASES and is no engine: else nothing would be known of it."""
    for statement in body:
        if isinstance(statement, If):
            then, otherwise = tuple(_without_details(statement.body)), tuple(_without_details(statement.otherwise))
            yield msgspec.structs.replace(statement, body=then, otherwise=otherwise)
        elif _may_change_engine(statement) or _changed_part(statement) != "DATABASES":
            yield statement


def _changed_part(statement: Statement) -> str | None:
    """The name that a statement changes in a part: `NAME[…] = …`, `NAME[…].update(…)`."""
    match statement:
        case Assign(targets=(Subscript() as target,)):
            return root_of(target)
        case Evaluate(value=Call(function=Attribute(value=Subscript() as changed))):
            return root_of(changed)
    return None


def _may_change_engine(statement: Statement) -> bool:
    """Whether a statement reaches into DATABASES: `DATABASES["default"].update(…)`, `…["ENGINE"] = …`."""
    match statement:
        case Assign(targets=targets):
            return any(_is_engine(target) for target in targets)
        case Evaluate(value=Call(function=Attribute(value=changed, name="update" | "setdefault" | "pop" | "clear"))):
            # `DATABASES["default"]["OPTIONS"]` is a part of an entry.
            part = isinstance(changed, Subscript) and isinstance(changed.value, Subscript)
            return root_of(changed) == "DATABASES" and not part
    return False


def _is_engine(target: Expr) -> bool:
    """`DATABASES["default"]["ATOMIC_REQUESTS"] = True` leaves the engine as it is."""
    match target:
        case Subscript(value=Subscript(), index=Literal(text=key)) if key != "ENGINE":
            return False
        case Subscript():
            return root_of(target) == "DATABASES"
    return False
