"""What is known of constants, and of texts that are put together from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from miglint.project.usage import Constant, Each, Several, Text, Value, Written
from miglint.syntax.composing import format_text, percent_text
from miglint.syntax.facts import Attribute, Call, Expr, Items, Literal, Name, Operation, Pairs, Starred, is_none
from miglint.text import Span

# The methods of texts that are followed.
OF_STRINGS = frozenset({"format", "strip", "join", "split"})


def constant_of(expression: Expr) -> Value:
    """A constant, or a list of them that is written out."""
    if isinstance(expression, Items):
        return Several(tuple(constant_of(item) for item in expression.items))
    return Constant(expression)


def pairs_of(value: Value) -> tuple[tuple[Value, Value], ...]:
    """What a dictionary of constants holds, nothing for all else."""
    expression = value.expr if isinstance(value, Constant) else None
    pairs = expression.pairs if isinstance(expression, Pairs) else ()
    return tuple((constant_of(pair.key), constant_of(pair.value)) for pair in pairs if pair.key is not None)


def of_pairs(value: Value, method: str) -> Value:
    """What `items()`, `keys()` and `values()` of such a dictionary give."""
    pairs = pairs_of(value)
    of_method = {"items": map(Several, pairs), "keys": (key for key, _ in pairs), "values": (each for _, each in pairs)}
    return Several(tuple(of_method[method])) if pairs and method in of_method else None


def is_constant(expression: Expr) -> bool:
    """Whether it is made of literals alone."""
    if isinstance(expression, Pairs):
        return all(p.key is not None and is_constant(p.key) and is_constant(p.value) for p in expression.pairs)
    if isinstance(expression, Items):
        return all(map(is_constant, expression.items))
    return isinstance(expression, Literal)


def string_of(value: Value) -> str | None:
    expression = value.expr if isinstance(value, Constant) else None
    return expression.text if isinstance(expression, Literal) and expression.kind == "str" else None


def with_literals(values: Sequence[Value], parts: Sequence[Expr]) -> tuple[Expr, ...]:
    """Expressions with those in the place of names whose value is known."""
    pairs = zip(values, parts, strict=True)
    return tuple(v.expr if isinstance(v, Constant) and isinstance(v.expr, Literal) else part for v, part in pairs)


def filled(call: Call, arguments: tuple[Value, ...], named: Mapping[str, Value]) -> Call:
    """A call with the constants, and lists of them, that it names: `bulk_update(rows, FIELDS)`, `get(code=CODE)`."""
    keywords = tuple(
        replace(each, value=_listed(named[each.name], each.value)) if each.name is not None else each
        for each in call.keywords
    )
    call = replace(call, keywords=keywords)
    if len(call.arguments) == 1 and isinstance(call.arguments[0], Starred):
        names = _written_out(arguments, call.arguments[0].span)
        return replace(call, arguments=names) if names else call
    if len(arguments) != len(call.arguments):
        return call
    return replace(call, arguments=tuple(map(_listed, arguments, call.arguments)))


def _listed(value: Value, argument: Expr) -> Expr:
    if not isinstance(argument, Name | Attribute):
        return argument
    if isinstance(value, Constant) and isinstance(value.expr, Literal):
        return replace(value.expr, span=argument.span)
    names = _written_out(value.values, argument.span) if isinstance(value, Several) else ()
    return Items("list", names, argument.span) if names else argument


def _written_out(values: tuple[Value, ...], span: Span) -> tuple[Expr, ...]:
    """Texts that the code writes out, as if they stood at a place; nothing where one of them is not known."""
    texts = [string_of(value) for value in values]
    return tuple(Literal("str", text, span) for text in texts if text is not None) if None not in texts else ()


def formatted(
    owner: Constant | Text, name: str, call: Call, arguments: tuple[Value, ...], named: Mapping[str, Value]
) -> str | None:
    """The text that `format` and `strip` make of a text and constants, None for all else."""
    text = string_of(owner)
    if text is None or len(arguments) != len(call.arguments) or len(named) != len(call.keywords):
        return None
    if name == "strip":
        return text.strip() if not arguments else None
    if name != "format":
        return None
    keywords = dict(
        zip(named, with_literals(tuple(named.values()), [each.value for each in call.keywords]), strict=True)
    )
    return format_text(text, with_literals(arguments, call.arguments), keywords)


def split(owner: Value, arguments: tuple[Value, ...]) -> Value:
    """The parts of a text that the code writes out: `"shop.Order".split(".")`."""
    text, separators = string_of(owner), [string_of(each) for each in arguments]
    if text is None or len(separators) != 1 or not separators[0]:
        return None
    return Several(tuple(Constant(Literal("str", part)) for part in text.split(separators[0])))


def added_text(expression: Operation, values: Sequence[Value]) -> str | None:
    """The text that `+` and `%` make of texts and constants, None for all else."""
    first = string_of(values[0]) if values else None
    if first is None or len(values) < 2:
        return None
    if expression.operator == "+":
        texts = [string_of(each) for each in values]
        return "".join(filter(None, texts)) if None not in texts else None
    if expression.operator != "%" or len(values) != 2:
        return None
    given, part = values[1], expression.operands[1]
    if isinstance(given, Several) and isinstance(part, Items):
        return percent_text(first, replace(part, items=with_literals(given.values, part.items)))
    return percent_text(first, *with_literals((given,), (part,)))


def are_same(one: Value, other: Value) -> bool:
    return one is other or (type(one) is type(other) and one == other)


def is_written_out(value: Value) -> bool:
    """Whether a value is one that the code writes out."""
    if isinstance(value, Several):
        return all(is_written_out(each) for each in value.values)
    if isinstance(value, Each):
        return is_written_out(value.value)
    return isinstance(value, Constant | Written) or (isinstance(value, Text) and value.is_written)


def is_named_constant(expression: Expr) -> bool:
    """Whether a name that is imported is written as constants are: `FIRST_ID`, `Status.OPEN`; a setting is none."""
    if not isinstance(expression, Name) or expression.scope != "imported":
        return False
    *holders, name = expression.name.split(".")
    return name.isupper() and not any(each.endswith("settings") for each in holders)


def is_no_data(expression: Expr) -> bool:
    """`Order._meta.db_table`, a field's `column` and what `quote_name` quotes, which are names; constants by name."""
    if is_named_constant(expression):
        return True
    if isinstance(expression, Call):
        return isinstance(expression.function, Name | Attribute) and expression.callee.endswith("quote_name")
    return isinstance(expression, Attribute) and expression.name in ("db_table", "column")


def compared(expression: Operation, values: Sequence[Value]) -> Value:
    """What a comparison of constants gives, as a constant; None where it is none or not known."""
    operator = expression.operator
    if operator == "not" and (truth := truth_of(values[0])) is not None:
        return _boolean(not truth)
    if operator in ("==", "!=") and len(values) == 2:
        one, other = (value.expr if isinstance(value, Constant) else None for value in values)
        if isinstance(one, Literal) and isinstance(other, Literal):
            return _boolean((one == other) is (operator == "=="))
    if operator in ("in", "not in") and len(values) == 2 and isinstance(values[0], Constant):
        choices = values[1].values if isinstance(values[1], Several) else ()
        if choices and isinstance(values[0].expr, Literal) and all(isinstance(each, Constant) for each in choices):
            return _boolean((values[0] in choices) is (operator == "in"))
    return None


def _boolean(value: bool) -> Constant:
    return Constant(Literal("bool", str(value)))


def holds_none(value: Value) -> bool:
    return isinstance(value, Constant) and is_none(value.expr)


def truth_of(value: Value) -> bool | None:
    """The truth of a boolean constant, None for all else."""
    expression = value.expr if isinstance(value, Constant) else None
    return bool(expression.value) if isinstance(expression, Literal) and expression.kind == "bool" else None
