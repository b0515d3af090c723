"""SQL that code hands to a cursor or to the schema editor, and what its queries take along."""

from __future__ import annotations

from collections.abc import Sequence

from miglint.project.flow.constants import is_written_out
from miglint.project.flow.following import Follower, Frame
from miglint.project.usage import Constant, Cursor, Editor, Fragment, RawSQL, Text, Value
from miglint.syntax.facts import Attribute, Call, Expr, Items, Name, Pairs

EXPRESSIONS = ("django.db.models.expressions.RawSQL", "django.db.models.RawSQL")
# Which arguments are SQL. Source: the QuerySet API reference of Django 6.0, and django.db.models.expressions.RawSQL
_TEXTS: dict[str, tuple[tuple[int, str], ...]] = {
    "raw": ((0, "raw_query"),),
    "extra": ((0, "select"), (1, "where")),
    "RawSQL": ((0, "sql"),),
}


def note_executed(flow: Follower, owner: Cursor | Editor, call: Call, frame: Frame) -> None:
    """Notes what `cursor.execute(…)` is given."""
    text = _argument(call, 0, "sql")
    if text is None:
        return
    value = flow.value(text, frame)
    known = value.expr if isinstance(value, Constant | Text) else text
    of_default = isinstance(owner, Cursor) and owner.of_default
    is_written = _is_written(value, text)
    flow.note(RawSQL, call.span, frame, text=known, call=call, is_written=is_written, of_default=of_default)


def note_taken_along(flow: Follower, method: str, call: Call, frame: Frame) -> None:
    """Notes the SQL in the arguments of `raw()`, `extra()` and `RawSQL()`; of all else nothing."""
    _note(flow, method, call, [_argument(call, at, name) for at, name in _TEXTS.get(method, ())], frame)


def _note(flow: Follower, method: str, call: Call, given: Sequence[Expr | None], frame: Frame) -> None:
    for each in given:
        if isinstance(each, Pairs):
            _note(flow, method, call, [pair.value for pair in each.pairs], frame)
        elif isinstance(each, Items):
            _note(flow, method, call, each.items, frame)
        elif each is not None:
            is_written = _is_written(flow.value(each, frame), each)
            flow.note(Fragment, call.span, frame, method=method, is_written=is_written)


def _argument(call: Call, at: int, name: str) -> Expr | None:
    return call.arguments[at] if at < len(call.arguments) else call.keyword(name)


def _is_written(value: Value, text: Expr) -> bool:
    """Whether nothing is put into a text that the code does not write out, as far as it is known.

    Names that hold nothing known may come from anywhere; a call may well be a query builder's.
    """
    is_built = isinstance(text, Call) and not (isinstance(value, Text) and _is_format(text))
    return is_written_out(value) or is_built or (value is None and isinstance(text, Name))


def _is_format(call: Call) -> bool:
    return isinstance(call.function, Attribute) and call.function.name == "format"
