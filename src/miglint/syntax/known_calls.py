"""What calls give that only put known values together: methods of texts and dictionaries, `getattr`, `**{…}`."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable

from miglint.syntax.builtin_calls import BUILTINS, called
from miglint.syntax.composing import MAX_LENGTH, format_text, join_text
from miglint.syntax.facts import Attribute, Call, Expr, Items, Keyword, Literal, Name, Pairs, dotted
from miglint.syntax.names import MAX_EXPANSION, Names, is_affordable
from miglint.syntax.unpacking import has_starred, has_unnamed, spread

_PARTIAL = "functools.partial"
# What makes another text of one, and of constants.
_OF_TEXTS: dict[str, Callable[..., str]] = {
    "strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip, "lower": str.lower, "upper": str.upper,
    "removeprefix": str.removeprefix, "removesuffix": str.removesuffix, "replace": str.replace,
}  # fmt: skip
_INDENTED: dict[str, Callable[[str], str]] = {"textwrap.dedent": textwrap.dedent, "inspect.cleandoc": inspect.cleandoc}


def call_value(value: Call, known: Names, depth: int) -> Expr:
    function = value.function
    if isinstance(function, Name) and function.name in BUILTINS and function.scope == "free":
        arguments = tuple(known.resolve(argument, depth + 1) for argument in value.arguments)
        found = called(function.name, arguments, value, MAX_EXPANSION) if known.get(function.name) is None else None
        if found is not None:
            return known.resolve(found, depth + 1)
    if isinstance(function, Name) and function.name == "getattr" and len(value.arguments) in (2, 3):
        return _getattr(value, known, depth)
    if isinstance(function, Attribute) and function.name in ("format", "join"):
        return _composed(value, function, known, depth)
    if value.callee in _INDENTED and len(value.arguments) == 1 and not value.keywords:
        return _of_text(value, _INDENTED[value.callee], [known.resolve(value.arguments[0], depth + 1)])
    if isinstance(function, Attribute) and not value.keywords:
        return _method(value, function, known, depth)
    if not isinstance(function, Name) or function.scope == "free":
        made = known.resolve(function, depth + 1)
        if isinstance(made, Call) and made.callee == _PARTIAL and made.arguments:
            return known.resolve(_completed(made, value), depth + 1)
    if has_unnamed(value.keywords) or has_starred(value.arguments):
        return spread(value, known, depth)
    return value


def _completed(partial: Call, call: Call) -> Call:
    """What calling a `functools.partial` calls. Keywords of the call count, where the partial has them, too."""
    given = {keyword.name for keyword in call.keywords if keyword.name is not None}
    keywords = tuple(keyword for keyword in partial.keywords if keyword.name not in given)
    arguments = (*partial.arguments[1:], *call.arguments)
    return Call(partial.arguments[0], arguments, (*keywords, *call.keywords), call.span)


def _getattr(value: Call, known: Names, depth: int) -> Expr:
    """`getattr(settings, "X", absent)`, where it is known whether there is such a setting; `getattr(module, "X")`."""
    of, name, *absents = value.arguments
    name = known.resolve(name, depth + 1)
    if not isinstance(name, Literal) or name.kind != "str":
        return value
    if not absents:
        is_imported = isinstance(of, Name) and of.scope == "imported"
        return Name(f"{dotted(of)}.{name.text}", "imported", value.span) if is_imported else value
    found = known.around.attribute(of, name.text)
    if isinstance(found, bool):
        return value if found else known.resolve(absents[0], depth + 1)
    return found


def _method(value: Call, function: Attribute, known: Names, depth: int) -> Expr:
    receiver = known.resolve(function.value, depth + 1)
    if function.name == "copy" and not value.arguments and isinstance(receiver, Items | Pairs):
        return receiver
    if function.name in _OF_TEXTS:
        arguments = [known.resolve(argument, depth + 1) for argument in value.arguments]
        return _of_text(value, _OF_TEXTS[function.name], [receiver, *arguments])
    if isinstance(receiver, Pairs) and function.name in ("items", "keys", "values") and not value.arguments:
        if any(pair.key is None for pair in receiver.pairs):
            return value
        entries: list[Expr] = []
        for pair in receiver.pairs:
            assert pair.key is not None
            both = Items("tuple", (pair.key, pair.value))
            entries.append({"items": both, "keys": pair.key, "values": pair.value}[function.name])
        return Items("list", tuple(entries), value.span)
    return value


def _of_text(value: Call, make: Callable[..., str], given: list[Expr]) -> Expr:
    """The text that a function makes of texts, where all of them are known."""
    texts = [each.text for each in given if isinstance(each, Literal) and each.kind == "str"]
    if len(texts) != len(given):
        return value
    # As long as it may become, where a short text is replaced by a long one.
    longest = max(map(len, texts))
    if make is str.replace and texts[0].count(texts[1] if len(texts) > 1 else "") * longest > MAX_LENGTH:
        return value
    try:
        text = make(*texts)
    except TypeError:
        return value
    return Literal("str", text, value.span) if is_affordable(text) else value


def _composed(value: Call, function: Attribute, known: Names, depth: int) -> Expr:
    """`"…".format(…)` and `", ".join(…)` of constants."""
    receiver = known.resolve(function.value, depth + 1)
    arguments = tuple(known.resolve_all(each, depth + 1) for each in value.arguments)
    keywords = tuple(Keyword(k.name, known.resolve(k.value, depth + 1), k.span) for k in value.keywords)
    text: str | None = None
    if isinstance(receiver, Literal) and receiver.kind == "str":
        if function.name == "format" and not has_unnamed(keywords) and not has_starred(arguments):
            text = format_text(receiver.text, arguments, {k.name: k.value for k in keywords if k.name is not None})
        elif function.name == "join" and len(arguments) == 1 and isinstance(arguments[0], Items):
            text = join_text(receiver.text, arguments[0].items)
    if text is not None and is_affordable(text):
        return Literal("str", text, value.span)
    return Call(Attribute(receiver, function.name, function.span), arguments, keywords, value.span)
