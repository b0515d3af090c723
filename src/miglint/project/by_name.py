"""What code gets by its name: `import_module("shop.models").Order`, `getattr(models, "Order")`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from miglint.project.columns import text_of
from miglint.syntax.facts import Assign, Attribute, Call, Class, Expr, Name, Statement, dotted, scope_of, walk

# The path that a name stands for, by the name and its scope. A name may have attributes: `self.model`.
Names = Mapping[tuple[str, str], str]
NOTHING: Names = {}

_BY_NAME = ("importlib.import_module", "django.utils.module_loading.import_string")
_CONFIGURATION = ("django.apps.apps.get_app_config", "django.apps.registry.apps.get_app_config")


def path_of(expression: Expr, names: Names = NOTHING) -> str:
    """The path of what an expression gives, as an import would spell it; "" where it is not known.

    What an app's configuration is asked for has the call in it: `django.apps.apps.get_app_config().get_model`.
    """
    after: list[str] = []
    while isinstance(expression, Attribute):
        if names and (kept := names.get((scope_of(expression), dotted(expression)), "")):
            return ".".join((kept, *reversed(after)))
        after.append(expression.name)
        expression = expression.value
    if isinstance(expression, Name):
        scope, name = expression.scope, expression.name
        path = name if scope == "imported" else names.get((scope, name), "") if names else ""
    else:
        path = _called(expression, names) if isinstance(expression, Call) else ""
    return ".".join((path, *reversed(after))) if path and after else path


def _called(call: Call, names: Names) -> str:
    callee = call.callee
    if callee in _BY_NAME:
        return _module(call)
    if callee in _CONFIGURATION:
        return f"{callee}()"
    if callee == "getattr" and len(call.arguments) > 1 and scope_of(call.function) == "free":
        inner, name = path_of(call.arguments[0], names), text_of(call.arguments[1])
        return f"{inner}.{name}" if inner and name else ""
    return ""


def _module(call: Call) -> str:
    """The module, relative to a package where one is given. Source: importlib.import_module"""
    path = (text_of(call.arguments[0]) if call.arguments else None) or ""
    given = call.arguments[1] if len(call.arguments) > 1 else call.keyword("package")
    if not path.startswith("."):
        return path
    package = (text_of(given) or "").split(".")
    name = path.lstrip(".")
    above = len(path) - len(name) - 1
    return ".".join([*package[: len(package) - above], name]) if above < len(package) and text_of(given) else ""


def names_bound(statements: Iterable[Statement], names: Names = NOTHING) -> Names:
    """The given names, and those that statements bind to what is got by its name, and to nothing else."""
    found: dict[tuple[str, str], str] = dict(names)
    bound: dict[tuple[str, str], str] = {}
    for statement in statements:
        if not isinstance(statement, Assign):
            continue
        path = path_of(statement.value, found) if not isinstance(statement.value, Name) else ""
        for target in statement.targets:
            if isinstance(target, Name):
                key = (target.scope, target.name)
                found[key] = bound[key] = path if bound.get(key, path) == path else ""
    return {key: path for key, path in found.items() if path}


def names_kept(definition: Class, owner: str, scope: str) -> Names:
    """The attributes of a class that are imported or got by their names, as its methods ask for them: `self.model`."""
    assigned = [statement for statement in walk(definition.body) if isinstance(statement, Assign)]
    set_again = {target.name for each in assigned for target in each.targets if isinstance(target, Attribute)}
    return {
        (scope, f"{owner}.{target.name}"): path
        for statement in definition.body
        if isinstance(statement, Assign) and (path := path_of(statement.value))
        for target in statement.targets
        if isinstance(target, Name) and target.name not in set_again
    }
