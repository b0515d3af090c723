"""What managers, querysets and loops over them give."""

from __future__ import annotations

from msgspec.structs import replace

from miglint.project.flow.constants import are_same, of_pairs
from miglint.project.usage import ANNOTATING, Constant, Each, Row, Rows, Several, Value, Written
from miglint.syntax.facts import Call, Literal

MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})
# What a queryset's methods give. Source: the QuerySet API reference of Django 6.0
_ROWS = frozenset({
    "all", "filter", "exclude", "complex_filter", "order_by", "reverse", "distinct", "select_related",
    "prefetch_related", "defer", "only", "using", "annotate", "alias", "select_for_update", "extra", "union",
    "intersection", "difference", "none", "iterator", "get_queryset", "db_manager", "raw",
    "values", "values_list", "dates", "datetimes",
})  # fmt: skip
_NARROWING = frozenset({"filter", "exclude", "complex_filter", "none", "extra", "raw"})
_NO_INSTANCES = frozenset({"values", "values_list", "dates", "datetimes", "raw"})
_ONE = frozenset({
    "get", "create", "first", "last", "latest", "earliest", "get_by_natural_key", "create_user", "create_superuser",
})  # fmt: skip
_ONE_AND_FLAG = frozenset({"get_or_create", "update_or_create"})
# The longest list that is gone through one by one.
_MAX_TURNS = 12
# Functions that give back the elements they are given.
_SAME_ELEMENTS = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter", "frozenset"})


def queried(owner: Rows, method: str, call: Call, arguments: tuple[Value, ...]) -> Value:
    """What a queryset's method gives."""
    plain = method.removeprefix("a")  # `aget` is `get`, awaited
    if plain in _ONE:
        return Row(key=owner.key, is_new=plain.startswith("create")) if owner.are_rows else None
    if plain in _ONE_AND_FLAG:
        return Several((Row(key=owner.key), None))
    if plain == "bulk_create":
        return arguments[0] if arguments else None
    if method not in _ROWS:
        return None
    narrows = method in _NARROWING and not _is_empty(method, call)
    rows = replace(
        owner,
        is_manager=method == "db_manager" and owner.is_manager,
        is_filtered=owner.is_filtered or narrows,
        conditions=(*owner.conditions, call) if narrows else owner.conditions,
        is_batched=owner.is_batched or method == "iterator",
        has_alias=owner.has_alias or method in ("using", "db_manager"),
        are_rows=owner.are_rows and method not in _NO_INSTANCES,
    )
    if method == "extra" or (method == "raw"):
        return replace(rows, names=None)
    return replace(rows, names=_annotated(rows, call)) if method in ANNOTATING else rows


def _is_empty(method: str, call: Call) -> bool:
    """Whether a condition asks nothing: `filter()`."""
    return method in ("filter", "exclude") and not call.arguments and not call.keywords


def _annotated(rows: Rows, call: Call) -> frozenset[str] | None:
    """The names of annotations once more were added; positional ones get theirs from the expression."""
    names = [keyword.name for keyword in call.keywords]
    # Strings name fields in values() and values_list(); an expression makes a name of its own.
    opaque = any(not (isinstance(each, Literal) and each.kind == "str") for each in call.arguments)
    if rows.names is None or None in names or opaque:
        return None
    return rows.names | {name for name in names if name is not None}


def row_of(rows: Rows) -> Value:
    return Row(key=rows.key) if rows.are_rows else None


def element_of(iterable: Value) -> Value:
    """What a loop's variable holds."""
    if isinstance(iterable, Rows):
        return row_of(iterable)
    if isinstance(iterable, Each):
        return iterable.value
    if isinstance(iterable, Constant):
        iterable = of_pairs(iterable, "keys")
    return _common(iterable.values) if isinstance(iterable, Several) else None


def elements_of(iterable: Value) -> tuple[Value, ...]:
    """What a loop's variable holds, one after the other where that is written out: once for all else."""
    of_keys = of_pairs(iterable, "keys") if isinstance(iterable, Constant) else iterable
    if isinstance(of_keys, Several) and 0 < len(of_keys.values) <= _MAX_TURNS:
        return of_keys.values
    return (element_of(iterable),)


def _common(values: tuple[Value, ...]) -> Value:
    """What is known of each of several values: that they are the same, or constants, or tuples of such."""
    if not values:
        return None
    first, *others = values
    if all(are_same(first, other) for other in others):
        return first
    if all(isinstance(each, Constant | Written) for each in values):
        return Written()
    if all(isinstance(each, Several) for each in values):
        rows = [each.values for each in values if isinstance(each, Several)]
        return Several(tuple(_common(column) for column in zip(*rows, strict=False)))
    return None


def source_of(iterable: Value) -> Rows | None:
    """The rows that a loop goes through."""
    if isinstance(iterable, Rows):
        return iterable
    return iterable.source if isinstance(iterable, Each) else None


def builtin(name: str, arguments: tuple[Value, ...]) -> Value:
    """What Python's own functions give back of their arguments."""
    first = arguments[0] if arguments else None
    if name in _SAME_ELEMENTS:
        # A list of all rows: they are no longer a queryset, but the same instances.
        return Each(element_of(first), source_of(first)) if isinstance(first, Rows) else first
    if name == "enumerate":
        return Each(Several((None, element_of(first))), source_of(first))
    if name == "zip":
        return Each(Several(tuple(element_of(each) for each in arguments)), source_of(first))
    if name in ("next", "min", "max"):
        return element_of(first)
    return None
