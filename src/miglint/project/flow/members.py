"""What an attribute of a value is."""

from __future__ import annotations

from miglint.project.flow.constants import OF_STRINGS, constant_of
from miglint.project.flow.following import Follower, Frame
from miglint.project.flow.foreign import member_of, stored_file
from miglint.project.flow.querysets import MANAGERS
from miglint.project.usage import (
    Bound,
    Connection,
    Constant,
    Cursor,
    Editor,
    Foreign,
    Instance,
    Kind,
    Model,
    Options,
    Registry,
    Row,
    Rows,
    Text,
    Value,
    Written,
)
from miglint.syntax.facts import Attribute, Items, Literal, Pairs

# `connection.vendor`, where it differs. Source: django.db.backends.mysql.base.DatabaseWrapper
_DJANGO_VENDOR = {"mariadb": "mysql"}
CLASS_MEMBERS = frozenset({"DoesNotExist", "MultipleObjectsReturned", "_meta", "__name__", "__class__"})
_OPTIONS = ("_meta", "opts", "field")


def attribute_value(flow: Follower, expression: Attribute, frame: Frame) -> Value:
    if expression.name in ("db_table", "column") and getattr(expression.value, "name", "") in _OPTIONS:
        return _table(flow, expression, frame) or Written()  # a name of the schema, and no data
    return _member(flow, flow.value(expression.value, frame), expression.name)


def _table(flow: Follower, expression: Attribute, frame: Frame) -> Value:
    """The table's name of `Order._meta.db_table`, as a constant."""
    holder = expression.value
    if expression.name != "db_table" or not isinstance(holder, Attribute) or holder.name != "_meta":
        return None
    owner = flow.value(holder.value, frame)
    model = flow.relations.model(owner.key) if isinstance(owner, Model | Row) else None
    return Constant(Literal("str", model.table, expression.span)) if model is not None and model.table else None


def _member(flow: Follower, value: Value, name: str) -> Value:
    if isinstance(value, Model | Row):
        if value.key in flow.handed_out or (value.key, name) in flow.added:
            return Rows(key=value.key, manager=name, names=None) if name in MANAGERS else None
        model = flow.relations.model(value.key)
    if isinstance(value, Editor) and name == "connection":
        return Connection(given=True)
    if isinstance(value, Connection) and name == "vendor" and flow.vendor is not None:
        return Constant(Literal("str", _DJANGO_VENDOR.get(flow.vendor, flow.vendor)))
    if isinstance(value, Bound) and isinstance(value.value, Connection) and value.name == "ops":
        return Bound(value.value, name)
    if isinstance(value, Bound) and isinstance(value.value, Model) and value.name not in CLASS_MEMBERS:
        # `Order.published.filter(…)`: an attribute that is asked for more is most likely a manager.
        return Bound(Rows(key=value.value.key, manager=value.name), name)
    if isinstance(value, Model):
        if name in MANAGERS:
            return Rows(key=value.key, manager=name)
        if name == "_meta":
            return Options(value.key)
        if name in CLASS_MEMBERS or (model is not None and flow.relations.has_attribute(model, name).certain):
            return None  # the descriptor of a field: `Order.tags.through`
        return Bound(value, name)
    if isinstance(value, Row):
        relation = flow.relations.attribute(model, name) if model is not None else None
        if relation is not None:
            if relation.target is None:
                return None
            if relation.many:
                return Rows(key=relation.target, manager="", is_filtered=True)
            return Row(key=relation.target)
        return (stored_file(model, name) if model is not None else None) or Bound(value, name)
    if isinstance(value, Foreign):
        return member_of(value, name)
    if isinstance(value, Instance | Kind):
        return _of_class(flow, value, name)
    if isinstance(value, Registry | Editor | Connection | Cursor | Rows | Options):
        return Bound(value, name)
    if isinstance(value, Constant) and isinstance(value.expr, Pairs):
        return Bound(value, name)
    return Bound(value, name) if isinstance(value, Constant | Text) and name in OF_STRINGS else None


def _of_class(flow: Follower, value: Instance | Kind, name: str) -> Value:
    """An attribute of an instance or of a class of the project."""
    if isinstance(value, Instance) and name in value.attributes:
        return value.attributes[name]
    method = flow.method(value, name)
    if method is not None:
        return method
    constant = flow.file(value.module).class_value(value.definition.name, name)
    return constant_of(constant) if isinstance(constant, Literal | Items) else None
