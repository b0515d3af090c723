"""A reverse that does nothing, although the forward code takes something away."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

from miglint.api import (
    DELETES,
    UPDATES,
    VALUE_LOOKUPS,
    Action,
    Assigned,
    Attribute,
    Call,
    CreateModel,
    DeleteRows,
    Diagnostic,
    Evaluate,
    Expr,
    Flow,
    HistoricalModel,
    Items,
    Keyword,
    Literal,
    ModelState,
    Name,
    Operation,
    OperationContext,
    Operator,
    Query,
    Return,
    Row,
    Rows,
    RunPython,
    RunSQL,
    Severity,
    Started,
    TruncateTable,
    UpdateRows,
    Use,
    entries,
    field_changes,
    is_noop,
    is_noop_sql,
    module_assignments,
    owner_of,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#runpython"
# The lookups that a row meets by the value that it has.
_LOOKUPS = VALUE_LOOKUPS | {"", "gt", "gte", "lt", "lte"}


_HELP = (
    "A reverse that does nothing says that there is nothing to undo: `migrate` backwards succeeds, and the rows or "
    "values are gone all the same. Keep what is taken away (a copy of the table, a second column) until the release is "
    "settled, or leave {argument} out: then Django refuses to go back."
)


@rule("MG517", on=(RunPython, RunSQL), severity=Severity.WARNING)
def noop_reverse_hides_loss(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """The reverse does nothing, although the forward code or SQL deletes rows or overwrites values."""
    if _does_nothing(context):
        taken, lost = _in_queries(context, _is_taken), _in_queries(context, _is_lost)
        yield from itertools.islice(itertools.chain(taken, _in_sql(context), lost), 1)


class _Change(NamedTuple):
    """What code does to rows: `names` are the fields that get a value, None where the rows are deleted; `conditions`
    are the calls that picked them.
    """

    use: Query | Assigned
    model: ModelState
    names: frozenset[str] | None = None
    conditions: tuple[Call, ...] = ()


def _in_queries(
    context: OperationContext[Operation], tells: Callable[[OperationContext[Operation], _Change], bool]
) -> Iterator[Diagnostic]:
    for change in _changes(context):
        if tells(context, change):
            use, model = change.use, change.model
            span, related = context.place(use, "it is done here")
            said = "rows are deleted from" if change.names is None else "values are overwritten in"
            yield context.diagnostic(
                span,
                f"{said} {model.app}.{model.name}, and undoing the migration brings nothing back",
                related=related,
                help=_HELP.format(argument="`reverse_code`"),
                url=_URL,
                model=model.name,
                detail=f"{use.method if isinstance(use, Query) else 'save'} {use.on.key}",
            )


def _changes(context: OperationContext[Operation]) -> Iterator[_Change]:
    """The rows that are deleted or written of models in use, in the order of the code."""
    saved = context.usage.saved()
    for use in context.usage.of(Use):
        model = context.before.model(*use.on.key) if isinstance(use, Query | Assigned) else None
        if model is None or not isinstance(use, Query | Assigned) or not context.model_is_live(model.key):
            continue
        if isinstance(use.on, HistoricalModel) or (isinstance(use.on, Row) and use.on.is_new):
            continue
        if isinstance(use, Assigned):
            # A value that is computed may be the old one in another form.
            if use.is_written and model.key in saved and use.loop is not None and use.loop.key == model.key:
                yield _Change(use, model, frozenset({use.name}), use.loop.conditions)
        elif use.method in DELETES:
            yield _Change(use, model)
        elif use.method in UPDATES and isinstance(use.on, Rows):
            names = frozenset(each.name for each in use.call.keywords if each.name is not None)
            yield _Change(use, model, names, use.on.conditions)


def _is_taken(context: OperationContext[Operation], change: _Change) -> bool:
    """Whether rows are deleted, or such are written that had a certain value."""
    if change.names is None:
        return True
    conditions = (each for call in change.conditions if _picks(call) for each in _conditions(call))
    return any(_names_value(each.name, each.value, change.names) for each in conditions)


def _is_lost(context: OperationContext[Operation], change: _Change) -> bool:
    """Whether a constant takes the place of a column's values, of which each row has had one since there are rows."""
    # What a condition looks at may be what tells rows without a value.
    if change.names is None or any(call.arguments for call in change.conditions):
        return False
    asked = {(each.name or "").partition("__")[0] for call in change.conditions for each in call.keywords}
    # Rows that are picked by their keys were picked by something else before.
    return not asked & {"", "pk", "id"} and any(
        _always_had_a_value(context, change.model, name) for name in change.names - asked
    )


def _always_had_a_value(context: OperationContext[Operation], model: ModelState, name: str) -> bool:
    state = model.fields.get(name)
    if state is None:
        return False
    field = state.field
    if not (field.complete and field.null.refuted and field.blank.refuted and field.has_default.refuted):
        return False
    made = [step for step, made in field_changes(context.project.history, model.key, name) if made]
    return len(made) == 1 and isinstance(made[0].operation, CreateModel)


def _in_sql(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    for action in context.actions:
        said = _told(action)
        owner = owner_of(action.table, context.before) if said and action.table else None
        if owner is not None and context.model_is_live(owner.key) and not action.on_new_table:
            sql = isinstance(context.operation, RunSQL)
            yield context.diagnostic(
                None,
                f"{said} {action.table} by SQL, and undoing the migration brings nothing back",
                help=_HELP.format(argument="`reverse_sql`" if sql else "`reverse_code`"),
                url=_URL,
                model=owner.name,
                detail=action.table,
            )


def _does_nothing(context: OperationContext[Operation]) -> bool:
    """Whether there is a reverse, and it is noop or has an empty body."""
    operation = context.operation
    if isinstance(operation, RunSQL):
        return is_noop_sql(operation.reverse_sql)
    assert isinstance(operation, RunPython)
    if is_noop(operation.reverse_code):
        return True
    reverse = operation.reverse_code
    if isinstance(reverse, Name) and reverse.scope == "free":
        reverse = module_assignments(context.migration.facts).get(reverse.name)
    if is_noop(reverse):
        return True
    found = [entry.code for entry in entries(operation, context.migration) if entry.direction == "reverse"]
    found = found or [use.routine.code for use in context.usage.of(Started, "reverse")]
    return bool(found) and all(_is_empty(node) for code in found for node in code.nodes)


def _is_empty(node: object) -> bool:
    if isinstance(node, Flow):
        return node.keyword == "pass"
    if isinstance(node, Return | Evaluate):
        return node.value is None or isinstance(node.value, Literal)
    return isinstance(node, Literal)


def _told(action: Action) -> str:
    """The same of SQL."""
    if isinstance(action, DeleteRows | TruncateTable):
        return "rows are deleted from"
    return "values are overwritten in" if isinstance(action, UpdateRows) and action.by_value else ""


def _picks(call: Call) -> bool:
    """Whether a condition says what the rows have: `exclude` says what they have not."""
    return isinstance(call.function, Attribute) and call.function.name == "filter"


def _conditions(call: Call) -> Iterator[Keyword]:
    """The conditions that a query is given by keyword, those of `Q` too."""
    yield from call.keywords
    pending = list(call.arguments)
    while pending:
        each = pending.pop()
        if isinstance(each, Operator) and each.operator in ("|", "&"):
            pending.extend(each.operands)
        elif isinstance(each, Call) and each.callee.endswith(".Q"):
            yield from each.keywords
            pending.extend(each.arguments)


def _names_value(name: str | None, value: Expr, fields: frozenset[str]) -> bool:
    """Whether a condition picks rows by a value of a field that is set: one that is empty is only filled."""
    field, _, lookup = (name or "").partition("__")
    if field not in fields or lookup not in _LOOKUPS:
        return False
    values = value.items if isinstance(value, Items) else (value,)
    return bool(values) and all(
        isinstance(each, Literal) and each.kind != "none" and each.text != "" for each in values
    )
