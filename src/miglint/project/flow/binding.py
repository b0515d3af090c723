"""What an assignment does to names and attributes."""

from __future__ import annotations

from miglint.project.flow.constants import are_same, holds_none
from miglint.project.flow.following import Follower, Frame
from miglint.project.usage import Assigned, Bound, Constant, Each, Instance, Model, Row, Several, Value, Written
from miglint.syntax.facts import Attribute, Expr, Items, Name, Starred, Subscript


def bind(flow: Follower, target: Expr, value: Value, frame: Frame, *, is_step: bool = False) -> None:
    """`is_step`: the value is computed from the one before."""
    if isinstance(target, Name):
        frame.scope[target.name] = value
    elif isinstance(target, Items):
        starred = any(isinstance(item, Starred) for item in target.items)
        values = value.values if isinstance(value, Several) and not starred else ()
        for index, item in enumerate(target.items):
            inner = item.value if isinstance(item, Starred) else item
            same = value.value if isinstance(value, Each) else None
            bind(flow, inner, values[index] if index < len(values) else same, frame)
    elif isinstance(target, Attribute | Subscript):
        owner = flow.value(target.value, frame)
        if isinstance(owner, Constant) and isinstance(target.value, Name):
            frame.scope[target.value.name] = None  # a dictionary that is no longer what was written
        if isinstance(owner, Bound) and isinstance(owner.value, Row) and isinstance(target, Attribute):
            if owner.name == "_state":
                flow.note(Assigned, target.span, frame, on=owner.value, name=f"_state.{target.name}")
        elif isinstance(owner, Model | Row) and isinstance(target, Attribute):
            flow.added.add((owner.key, target.name))
            if isinstance(owner, Row):
                said = {
                    "is_none": holds_none(value),
                    "is_written": isinstance(value, Constant | Written),
                    "is_step": is_step,
                }
                flow.note(Assigned, target.span, frame, on=owner, name=target.name, **said)
        elif isinstance(owner, Instance) and isinstance(target, Attribute):
            # What two places set differently is not known.
            known = owner.attributes.setdefault(target.name, value)
            owner.attributes[target.name] = value if are_same(known, value) else None
