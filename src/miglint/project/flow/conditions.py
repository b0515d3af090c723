"""What a condition asks for: whether something is there, or which database is migrated."""

from __future__ import annotations

from miglint.project.flow.following import Follower, Frame
from miglint.project.usage import Bound, Connection
from miglint.syntax.facts import Attribute, Call, Expr, Name, expressions

# What tells which models there are, and which apps.
_TELLING = frozenset({"all_models", "_meta", "is_installed", "app_configs", "INSTALLED_APPS"})


def asks_what_is_there(test: Expr) -> bool:
    """`hasattr(order, "close")`, `"order" in apps.all_models["shop"]`, `apps.is_installed("shop")`, use of `_meta`."""
    for part in expressions(test):
        if isinstance(part, Call) and isinstance(part.function, Name) and _asks(part.function.name, part):
            return True
        name = part.name if isinstance(part, Attribute | Name) else ""
        if name.rpartition(".")[2] in _TELLING:
            return True
    return False


def _asks(name: str, call: Call) -> bool:
    """Whether one of Python's own functions tells what an object has; `getattr` with a third argument does."""
    return name in ("hasattr", "dir") or (name == "getattr" and len(call.arguments) == 3)


def asks_for_the_database(flow: Follower, test: Expr, frame: Frame) -> bool:
    """`schema_editor.connection.alias == "default"`, `router.allow_migrate(alias, "shop")`."""
    for part in expressions(test):
        if isinstance(part, Call) and part.callee.rpartition(".")[2].startswith("allow_migrate"):
            return True
        is_known = isinstance(part, Name) and part.name in frame.scope
        value = flow.value(part, frame) if is_known or (isinstance(part, Attribute) and part.name == "alias") else None
        if isinstance(value, Bound) and isinstance(value.value, Connection) and value.name == "alias":
            return True
    return False
