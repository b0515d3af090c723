"""The SQL of an index that a UniqueConstraint is, as Django writes it for PostgreSQL.

Source: BaseDatabaseSchemaEditor._create_unique_sql and UniqueConstraint._get_condition_sql of Django
"""

from __future__ import annotations

from collections.abc import Iterable

from miglint.project.columns import text_of
from miglint.project.left_out import is_given
from miglint.project.state import ModelState
from miglint.syntax.facts import Call, Expr, Items, Literal, Operation

Q_CLASSES = ("django.db.models.Q", "django.db.models.query_utils.Q")
_JOINED = {"&": " AND ", "|": " OR "}
_COMPARED = {"exact": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
# Fields whose values are, in SQL, what is written in Python.
_TEXTS = frozenset({"CharField", "TextField", "SlugField", "EmailField", "URLField"})
_NUMBERS = frozenset({
    "IntegerField", "BigIntegerField", "SmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField",
    "PositiveSmallIntegerField",
})  # fmt: skip


def unique_index(constraint: Expr, model: ModelState) -> str | None:
    """What follows the table's name in CREATE UNIQUE INDEX; None where it cannot be told from the source."""
    if not isinstance(constraint, Call) or constraint.arguments:
        return None
    columns = _columns(constraint.keyword("fields"), model)
    classes = _texts(constraint.keyword("opclasses"))
    included = _columns(constraint.keyword("include"), model)
    condition = constraint.keyword("condition")
    where = _where(condition, model) if condition is not None and is_given(condition) else ""
    if not columns or classes is None or included is None or where is None:
        return None
    if classes and len(classes) != len(columns):
        return None
    keyed = [f"{column} {name}" for column, name in zip(columns, classes, strict=True)] if classes else columns
    distinct = constraint.keyword("nulls_distinct")
    said = {"": "", "False": " NULLS NOT DISTINCT", "True": " NULLS DISTINCT"}
    nulls = said.get(distinct.text if isinstance(distinct, Literal) and is_given(distinct) else "")
    if nulls is None or (not nulls and is_given(distinct)):
        return None
    covering = f" INCLUDE ({', '.join(included)})" if included else ""
    return f"({', '.join(keyed)}){covering}{nulls}{f' WHERE {where}' if where else ''}"


def _texts(value: Expr | None) -> list[str] | None:
    """The texts of a list that is written out; none of an argument that is not given."""
    if not is_given(value):
        return []
    texts = [text_of(item) for item in value.items] if isinstance(value, Items) else [None]
    return [text for text in texts if text is not None] if None not in texts else None


def _columns(value: Expr | None, model: ModelState) -> list[str] | None:
    names = _texts(value)
    if names is None or any(model.field(name) is None for name in names):
        return None
    return [f'"{model.column(name)}"' for name in names]


# -- conditions -------------------------------------------------------------------------------------------


def _where(condition: Expr, model: ModelState, *, negated: bool = False) -> str | None:
    """A Q as SQL. Source: django.db.models.sql.query.Query.build_where, django.db.models.sql.where.WhereNode"""
    if isinstance(condition, Operation) and condition.operator in _JOINED:
        parts = [_where(each, model, negated=negated) for each in condition.operands]
        return _all_of(parts, _JOINED[condition.operator])
    if isinstance(condition, Operation) and condition.operator == "~x":
        inner = _where(condition.operands[0], model, negated=not negated)
        return f"NOT {_in_brackets(inner)}" if inner is not None else None
    if isinstance(condition, Call) and condition.callee in Q_CLASSES:
        return _q(condition, model, negated=negated)
    return None


def _q(call: Call, model: ModelState, *, negated: bool) -> str | None:
    """`Q(Q(…), ("name", value), name=value, _connector="OR", _negated=True)`"""
    connector, turned = call.keyword("_connector"), call.keyword("_negated")
    join = {None: " AND ", "AND": " AND ", "OR": " OR "}.get(text_of(connector) if is_given(connector) else None)
    turns = {None: False, "False": False, "True": True}.get(turned.text if isinstance(turned, Literal) else None)
    if join is None or turns is None or (turned is not None and not isinstance(turned, Literal)):
        return None
    negated = negated is not turns
    parts: list[str | None] = []
    keywords = sorted(call.keywords, key=lambda each: each.name or "")
    named = [(each.name or "", each.value) for each in keywords if each.name not in ("_connector", "_negated")]
    for pair in (*(pair_of(each) or each for each in call.arguments), *named):
        if isinstance(pair, tuple):
            looked_up = _lookup(*pair, model, negated=negated)
            parts += looked_up if join == " AND " else [_all_of(looked_up, " AND ")]
        else:
            parts.append(_where(pair, model, negated=negated))
    found = _all_of(parts, join)
    return f"NOT {_in_brackets(found)}" if turns and found is not None else found


def pair_of(value: Expr) -> tuple[str, Expr] | None:
    """The name and value of a lookup that is written as a tuple, as makemigrations does."""
    items = value.items if isinstance(value, Items) and value.kind == "tuple" else ()
    name = text_of(items[0]) if len(items) == 2 else None
    return (name, items[1]) if name is not None else None


def _all_of(parts: list[str | None], join: str) -> str | None:
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    return known[0] if len(known) == 1 else f"({join.join(known)})"


def _in_brackets(text: str) -> str:
    return text if text.startswith("(") else f"({text})"


def _lookup(name: str, value: Expr, model: ModelState, *, negated: bool) -> list[str | None]:
    """A lookup, and what it means for NULL: what is NULL is not equal to anything, and Django's negation is."""
    said = _compared(name, value, model)
    state = model.field(name.partition("__")[0])
    if said is None or state is None or not negated or state.field.null.refuted or _asks_for_null(name, value):
        return [said]
    return [said, f'"{model.column(state.name)}" IS NOT NULL'] if state.field.null.certain else [None]


def _asks_for_null(name: str, value: Expr) -> bool:
    return name.endswith("__isnull") or (isinstance(value, Literal) and value.kind == "none")


def _compared(name: str, value: Expr, model: ModelState) -> str | None:
    path, _, lookup = name.partition("__")
    state = model.field(path)
    if state is None or (isinstance(value, Literal) and value.kind == "none" and lookup not in ("", "exact")):
        return None
    column, is_boolean = f'"{model.column(path)}"', state.field.kind in ("BooleanField", "NullBooleanField")
    if isinstance(value, Literal) and value.kind == "none":
        return f"{column} IS NULL"
    if lookup == "isnull":
        truth = value.text if isinstance(value, Literal) and value.kind == "bool" else None
        return {"True": f"{column} IS NULL", "False": f"{column} IS NOT NULL"}.get(truth or "")
    if is_boolean and lookup in ("", "exact"):
        truth = value.text if isinstance(value, Literal) and value.kind == "bool" else None
        return {"True": column, "False": f"NOT {column}"}.get(truth or "")
    if lookup == "in":
        listed = _values(value.items, state.field.kind) if isinstance(value, Items) else None
        return f"{column} IN ({', '.join(dict.fromkeys(listed))})" if listed else None
    given = _values((value,), state.field.kind) if (lookup or "exact") in _COMPARED else None
    return f"{column} {_COMPARED[lookup or 'exact']} {given[0]}" if given else None


def _values(values: Iterable[Expr], kind: str | None) -> list[str] | None:
    """Values as SQL spells them."""
    spelled = [_value(value, kind) for value in values]
    known = [each for each in spelled if each is not None]
    return known if len(known) == len(spelled) else None


def _value(value: Expr, kind: str | None) -> str | None:
    if not isinstance(value, Literal):
        return None
    if value.kind == "str" and kind in _TEXTS and value.text.isprintable() and "\\" not in value.text:
        return "'" + value.text.replace("'", "''") + "'"
    return value.text if value.kind == "int" and kind in _NUMBERS else None
