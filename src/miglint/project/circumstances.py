"""What a migration may ask when it is imported, and its file does not tell: Django's version, the database, settings.

`if connection.vendor == "sqlite":` in the body of a migration is decided once for a project: it has one database.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from miglint.database import Vendor, Version
from miglint.syntax.facts import Call, Either, Expr, Items, Literal, Operation, Subscript, dotted
from miglint.syntax.names import Names

_SETTINGS = "django.conf.settings"
_CONNECTION = "django.db.connection"
# What a settings file sees where migrations run, and not where tests do: `if "test" in sys.argv:`.
_COMMAND = ("manage.py", "migrate")
_TEST_RUNNERS = frozenset({"pytest", "_pytest", "nose", "xdist"})
# Django calls MariaDB so, too. Source: django.db.backends.mysql.base.DatabaseWrapper.vendor
_MYSQL = "mysql"
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# Django's own backends of each vendor, and those of django.contrib.gis.
_GIS = "django.contrib.gis"
_ENGINES: Mapping[Vendor, tuple[str, str]] = {
    "postgresql": ("django.db.backends.postgresql", f"{_GIS}.db.backends.postgis"),
    "mysql": ("django.db.backends.mysql", f"{_GIS}.db.backends.mysql"),
    "mariadb": ("django.db.backends.mysql", f"{_GIS}.db.backends.mysql"),
    "sqlite": ("django.db.backends.sqlite3", f"{_GIS}.db.backends.spatialite"),
}
_MAX_DEPTH = 20

Constant = str | int | bool | tuple[Any, ...] | None


def engines_of(vendor: Vendor, installed_apps: Sequence[str] | None) -> tuple[str, ...]:
    """What the ENGINE of a vendor may be: a spatial one only where that app may be installed."""
    return _ENGINES[vendor] if installed_apps is None or _GIS in installed_apps else _ENGINES[vendor][:1]


class _Unsure(Exception):
    """An expression, or a comparison, whose value is not known."""


class _Release(tuple[int, ...]):
    """`django.VERSION`, of which the first two numbers are known: (5, 2, …, "final", 0)."""

    __slots__ = ()


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the place where the migrations of a project run.

    `versions` are the releases of Django that it may be, each as (major, minor); `vendor` is None where no one says
    which database it is, `engines` are what the ENGINE of DATABASES may be, none where that is not known.
    `settings` are the values of Django's settings as they are written; `whole` is true where what is not there is
    not set. `perhaps_installed` are those of the installed apps that a condition may leave out.
    """

    versions: tuple[Version, ...] = ()
    vendor: Vendor | None = None
    engines: tuple[str, ...] = ()
    installed_apps: tuple[str, ...] | None = None
    perhaps_installed: frozenset[str] = frozenset()
    settings: Mapping[str, Expr] = {}
    whole: bool = False

    def holds(self, test: Expr, values: Names) -> bool | None:
        """Whether a condition holds; None where that is not known, or differs between the versions it may be."""
        found = {
            self._holds(test, values, version, engine)
            for version in self.versions or (None,)
            for engine in self.engines or (None,)
        }
        return found.pop() if len(found) == 1 else None

    def asks_for_database(self, test: Expr, values: Names) -> bool:
        """Whether a condition is known as soon as someone says which database it is."""
        if self.vendor is not None:
            return False
        told = (replace(self, vendor=vendor, engines=engines_of(vendor, ())) for vendor in _ENGINES)
        return all(each.holds(test, values) is not None for each in told)

    def attribute(self, of: Expr, name: str) -> Expr | bool:
        """The value of a setting, where `of` is Django's settings; false where it is certainly not set."""
        if dotted(of) != _SETTINGS:
            return True
        found = self.settings.get(name)
        return found if found is not None else not self.whole

    def _holds(self, test: Expr, values: Names, version: Version | None, engine: str | None) -> bool | None:
        try:
            return bool(_Evaluation(self, values, version, engine).value(test))
        except _Unsure:
            return None


class _Evaluation:
    """One evaluation of expressions, for one version of Django and one ENGINE."""

    def __init__(self, known: Circumstances, values: Names, version: Version | None, engine: str | None) -> None:
        self._known = known
        self._values = values
        self._version = version
        self._engine = engine
        self._depth = 0

    def value(self, expression: Expr) -> Constant:
        """Raises _Unsure where it is not known."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Unsure
        found = self._value(self._values.resolve(expression))
        self._depth -= 1
        return found

    def _value(self, expression: Expr) -> Constant:
        match expression:
            case Literal(kind="str" | "int" | "bool" | "none"):
                constant: Constant = expression.value
                return constant
            case Items(kind="list" | "tuple", items=items):
                return tuple(self.value(item) for item in items)
            case Operation(operator="not", operands=(operand,)):
                return not self.value(operand)
            case Operation(operator="and" | "or" as word, operands=operands):
                return self._logical(word, operands)
            case Operation(operator=word, operands=(left, right)) if word in _COMPARED:
                return _compared(word, self.value(left), self.value(right))
            case Operation(operator="in" | "not in" as word, operands=(left, right)):
                return self._is_in(self.value(left), right) is (word == "in")
            case Subscript(value=of, index=index):
                return self._part(of, index)
            case Either(test=test, then=then, otherwise=otherwise):
                return self.value(then if self.value(test) else otherwise)
            case Call(arguments=(app,), keywords=()) if expression.callee == "django.apps.apps.is_installed":
                return self._is_installed(self.value(app))
        return self._named(dotted(expression))

    def _named(self, name: str) -> Constant:
        if name == "django.VERSION" and self._version is not None:
            return _Release(self._version[:2])
        if name == "sys.argv":
            return _COMMAND
        if name == f"{_CONNECTION}.vendor" and self._known.vendor is not None:
            return _MYSQL if self._known.vendor == "mariadb" else self._known.vendor
        if name.startswith(f"{_SETTINGS}."):
            found = self._known.settings.get(name[len(_SETTINGS) + 1 :])
            if found is not None:
                return self._value(found)
        raise _Unsure

    def _logical(self, word: str, operands: Sequence[Expr]) -> bool:
        """`False and …` is false whatever the rest is."""
        unsure = False
        for operand in operands:
            try:
                if bool(self.value(operand)) is (word == "or"):
                    return word == "or"
            except _Unsure:
                unsure = True
        if unsure:
            raise _Unsure
        return word == "and"

    def _is_in(self, part: Constant, whole: Expr) -> bool:
        if dotted(whole) == f"{_SETTINGS}.INSTALLED_APPS":
            if not isinstance(part, str) or self._known.installed_apps is None:
                raise _Unsure
            if part in self._known.perhaps_installed:
                raise _Unsure
            return part in self._known.installed_apps
        if dotted(whole) == "sys.modules" and part in _TEST_RUNNERS:
            return False
        container = self.value(whole)
        if isinstance(container, str) and isinstance(part, str):
            return part in container
        if isinstance(container, tuple):
            return part in container
        raise _Unsure

    def _part(self, of: Expr, index: Expr) -> Constant:
        """`django.VERSION[0]`, `django.VERSION[:2]`, and the ENGINE of the connection's or the settings' dictionary."""
        if isinstance(index, Literal) and index.text == "ENGINE" and self._engine is not None:
            match self._values.resolve(of):
                case Subscript(value=databases, index=Literal(text="default")) if (
                    dotted(databases) == f"{_SETTINGS}.DATABASES"
                ):
                    return self._engine
                case settings if dotted(settings) == f"{_CONNECTION}.settings_dict":
                    return self._engine
        release = self.value(of)
        if release == _COMMAND and index == Literal("int", "1"):
            return _COMMAND[1]
        match index:
            case Literal(kind="int", text="0" | "1" as text) if isinstance(release, _Release):
                return release[int(text)]
            case Operation(operator="slice", operands=(start, Literal(kind="int", text="1" | "2" as text), step)) if (
                isinstance(release, _Release) and _is_left_out(start, "0") and _is_left_out(step, "1")
            ):
                return tuple(release)[: int(text)]
        raise _Unsure

    def _is_installed(self, app: Constant) -> bool:
        """INSTALLED_APPS may name the app by its AppConfig: `shop.apps.ShopConfig`."""
        installed = self._known.installed_apps
        if installed is None or not isinstance(app, str):
            raise _Unsure
        if app in installed and app not in self._known.perhaps_installed:
            return True
        if app in installed or any(each.startswith(f"{app}.") for each in installed):
            raise _Unsure
        return False


def _is_left_out(value: Expr, usual: str) -> bool:
    return isinstance(value, Literal) and (value.kind == "none" or value.text == usual)


def _compared(word: str, left: Constant, right: Constant) -> bool:
    for one, other in ((left, right), (right, left)):
        # What comes after the first two numbers is not known; that something does is.
        if isinstance(one, _Release):
            if not isinstance(other, tuple) or (len(other) > len(one) and other[: len(one)] == tuple(one)):
                raise _Unsure
            longer = (*one, 0)
            left, right = (longer if each is one else each for each in (left, right))
    try:
        return _COMPARED[word](left, right)
    except TypeError:
        raise _Unsure from None
