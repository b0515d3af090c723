"""A reverse that does nothing, although the forward code takes something away."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from miglint.api import (
    Action,
    Attribute,
    Call,
    DeleteRows,
    Diagnostic,
    Evaluate,
    Flow,
    Literal,
    Operation,
    OperationContext,
    Query,
    Return,
    Row,
    Rows,
    RunPython,
    RunSQL,
    Severity,
    TruncateTable,
    UpdateRows,
    entries,
    is_noop,
    is_noop_sql,
    owner_of,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#runpython"
_DELETING = frozenset({"delete", "adelete", "_raw_delete"})
_UPDATING = frozenset({"update", "aupdate"})


_HELP = (
    "A reverse that does nothing says that there is nothing to undo: `migrate` backwards succeeds, and the rows or "
    "values are gone all the same. Keep what is taken away (a copy of the table, a second column) until the release is "
    "settled, or leave {argument} out: then Django refuses to go back."
)


@rule("MG517", on=(RunPython, RunSQL), severity=Severity.WARNING)
def noop_reverse_hides_loss(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """The reverse does nothing, although the forward code or SQL deletes rows or overwrites values."""
    if _does_nothing(context):
        yield from itertools.islice(itertools.chain(_in_queries(context), _in_sql(context)), 1)


def _in_queries(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    for use in context.usage.of(Query):
        said = _said(use) if context.model_is_live(use.key) else ""
        if said:
            model = context.before.model(*use.key)
            assert model is not None
            span, related = context.place(use, "it is done here")
            yield context.diagnostic(
                span,
                f"{said} {model.app}.{model.name}, and undoing the migration brings nothing back",
                related=related,
                help=_HELP.format(argument="`reverse_code`"),
                url=_URL,
                model=model.name,
                detail=f"{use.method} {use.key}",
            )


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
    found = [entry for entry in entries(operation, context.migration) if entry.direction == "reverse"]
    return bool(found) and all(_is_empty(node) for entry in found for node in entry.code.nodes)


def _is_empty(node: object) -> bool:
    if isinstance(node, Flow):
        return node.keyword == "pass"
    if isinstance(node, Return | Evaluate):
        return node.value is None or isinstance(node.value, Literal)
    return isinstance(node, Literal)


def _said(use: Query) -> str:
    """What is taken away, "" where nothing is for certain."""
    if isinstance(use.on, Row) and use.on.is_new:
        return ""
    if use.method in _DELETING and isinstance(use.on, Rows | Row):
        return "rows are deleted from"
    if use.method in _UPDATING and isinstance(use.on, Rows):
        fields = {keyword.name for keyword in use.call.keywords}
        if any(_names_value(each.name, each.value, fields) for call in use.on.conditions if _picks(call)
               for each in call.keywords):  # fmt: skip
            return "values are overwritten in"
    return ""


def _told(action: Action) -> str:
    """The same of SQL."""
    if isinstance(action, DeleteRows | TruncateTable):
        return "rows are deleted from"
    return "values are overwritten in" if isinstance(action, UpdateRows) and action.by_value else ""


def _picks(call: Call) -> bool:
    """Whether a condition says what the rows have: `exclude` says what they have not."""
    return isinstance(call.function, Attribute) and call.function.name == "filter"


def _names_value(name: str | None, value: object, fields: set[str | None]) -> bool:
    """Whether a condition picks rows by a value of a field that is set: one that is empty is only filled."""
    return name in fields and isinstance(value, Literal) and value.kind != "none" and value.text != ""
