"""Which columns the condition of a CHECK says to be not NULL, whatever else it asks.

PostgreSQL sets a column NOT NULL without a scan where its validated CHECKs imply that.
Source: NotNullImpliedByRelConstraints (src/backend/commands/tablecmds.c)
"""

from __future__ import annotations

from collections.abc import Iterator

from miglint.project.columns import text_of
from miglint.project.state import ModelState
from miglint.project.unique_index import Q_CLASSES, pair_of
from miglint.syntax.facts import Call, Expr, Literal, Operation


def proven_not_null(condition: Expr | None, model: ModelState) -> tuple[str, ...]:
    """The columns of `Q(total__isnull=False, total__gt=0)`, `Q(("total__isnull", False))`, `~Q(total__isnull=True)`."""
    return tuple(dict.fromkeys(_proven(condition, model, negated=False)))


def _proven(condition: Expr | None, model: ModelState, *, negated: bool) -> Iterator[str]:
    match condition:
        case Operation(operator="~x", operands=(inner,)):
            yield from _proven(inner, model, negated=not negated)
        case Operation(operator="&", operands=operands) if not negated:
            for each in operands:
                yield from _proven(each, model, negated=False)
        case Call(callee=callee) if callee in Q_CLASSES:
            yield from _proven_by_q(condition, model, negated=negated)


def _proven_by_q(call: Call, model: ModelState, *, negated: bool) -> Iterator[str]:
    """One part proves what it says; of several each does, where all hold: neither some of them, nor not all."""
    parts = [pair_of(each) or each for each in call.arguments]
    parts += [(each.name, each.value) for each in call.keywords if each.name is not None]
    stated = dict(each for each in parts if isinstance(each, tuple) and each[0].startswith("_"))
    turned = stated.get("_negated")
    if len(parts) < len(call.arguments) + len(call.keywords) or not isinstance(turned, Literal | None):
        return
    negated = negated is not (turned is not None and turned.text == "True")
    parts = [each for each in parts if not (isinstance(each, tuple) and each[0].startswith("_"))]
    joined = text_of(stated.get("_connector")) if "_connector" in stated else "AND"
    if len(parts) > 1 and (negated or joined != "AND"):
        return
    for part in parts:
        if not isinstance(part, tuple):
            yield from _proven(part, model, negated=negated)
            continue
        name, value = part
        field, _, lookup = name.rpartition("__") if model.field(name) is None else (name, "", "exact")
        found = model.field(field)
        if found is None or not isinstance(value, Literal):
            continue
        if lookup == "isnull" and value.kind == "bool":
            nulls = value.text == "True"
        elif lookup in ("exact", "iexact") and value.kind == "none" and found.field.kind != "JSONField":
            nulls = True  # as Django writes it, but for JSON, which has a null of its own
        else:
            continue
        if nulls is negated:
            yield model.column(field)
