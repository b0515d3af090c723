"""An expression as Python text again, with the imports that it needs: for code that a user may paste."""

from __future__ import annotations

import keyword

from miglint.syntax.facts import (
    Attribute,
    Call,
    Either,
    Expr,
    Items,
    Keyword,
    Lambda,
    Literal,
    Name,
    Operation,
    Pairs,
    Starred,
    Subscript,
)

# What cannot be written again.
UNKNOWN = "…"

_BRACKETS = {"list": ("[", "]"), "tuple": ("(", ")"), "set": ("{", "}")}
_UNARY = ("-x", "+x", "~x")
# What migrations call these modules: `django.db.models.CharField` is written `models.CharField`.
_SHORT = {
    "django.db.models.deletion": ("models", "from django.db import models"),
    "django.db.models": ("models", "from django.db import models"),
    "django.db.migrations": ("migrations", "from django.db import migrations"),
    "django.conf": ("", "from django.conf import settings"),
}


def spell(expression: Expr, imports: set[str]) -> str:
    """The expression as text; adds to `imports` the lines that its names need. `…` stands for what is not known."""
    match expression:
        case Literal(kind="str" | "bytes" | "escaped"):
            return _quoted(expression)
        case Literal():
            return "..." if expression.kind == "ellipsis" else expression.text
        case Name():
            return _name(expression, imports)
        case Attribute(value=value, name=name):
            return f"{spell(value, imports)}.{name}"
        case Call(function=function):
            return f"{spell(function, imports)}({', '.join(_arguments(expression, imports))})"
        case Starred(value=value):
            return f"*{spell(value, imports)}"
        case Items(kind=kind, items=items):
            return _items(kind, [spell(item, imports) for item in items])
        case Pairs(pairs=pairs):
            entries = ((f"{spell(p.key, imports)}: " if p.key else "**") + spell(p.value, imports) for p in pairs)
            return f"{{{', '.join(entries)}}}"
        case Operation(operator=operator, operands=operands):
            return _operation(operator, [_operand(each, imports) for each in operands])
        case Subscript(value=value, index=index):
            return f"{spell(value, imports)}[{spell(index, imports)}]"
        case Either(test=test, then=then, otherwise=otherwise):
            return f"{spell(then, imports)} if {spell(test, imports)} else {spell(otherwise, imports)}"
    return UNKNOWN


def _quoted(value: Literal) -> str:
    if value.kind != "str":
        return value.text
    text = repr(value.text)
    return f'"{text[1:-1]}"' if text.startswith("'") and '"' not in text and "\\'" not in text else text


def _name(name: Name, imports: set[str]) -> str:
    if name.scope != "imported":
        return name.name
    for module, (short, line) in _SHORT.items():
        if name.name.startswith(f"{module}."):
            imports.add(line)
            return f"{short}.{name.name.removeprefix(f'{module}.')}".lstrip(".")
    if name.name.startswith("."):
        dots = name.name[: len(name.name) - len(name.name.lstrip("."))]
        path = name.name.lstrip(".")
        module = ".".join(_modules(path))
        rest = path.removeprefix(f"{module}.")
        imports.add(f"from {dots}{module} import {rest.partition('.')[0]}")
        return rest
    module = ".".join(_modules(name.name))
    if module:
        imports.add(f"import {module}")
    return name.name


def _modules(path: str) -> list[str]:
    """The part of a path that is a module by its spelling: what stands before the first capital, the last left out."""
    parts = path.split(".")
    for at, part in enumerate(parts[:-1]):
        if part[:1].isupper():
            return parts[:at]
    return parts[:-1]


def _arguments(call: Call, imports: set[str]) -> list[str]:
    return [spell(each, imports) for each in call.arguments] + [_keyword(each, imports) for each in call.keywords]


def _keyword(argument: Keyword, imports: set[str]) -> str:
    value = spell(argument.value, imports)
    return f"**{value}" if argument.name is None else f"{argument.name}={value}"


def _items(kind: str, items: list[str]) -> str:
    if kind == "set" and not items:
        return "set()"
    first, last = _BRACKETS[kind]
    return f"{first}{', '.join(items)}{',' if kind == 'tuple' and len(items) == 1 else ''}{last}"


def _operand(value: Expr, imports: set[str]) -> str:
    text = spell(value, imports)
    plain = isinstance(value, Operation) and value.operator in _UNARY
    return f"({text})" if isinstance(value, Operation | Either | Lambda) and not plain else text


def _operation(operator: str, operands: list[str]) -> str:
    if operator in _UNARY:
        return f"{operator[0]}{operands[0]}"
    if operator == "not":
        return f"not {operands[0]}"
    if len(operands) > 1 and (keyword.iskeyword(operator.split()[0]) or not operator.isalnum()):
        return f" {operator} ".join(operands)
    return UNKNOWN
