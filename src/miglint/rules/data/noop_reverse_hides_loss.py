"""A reverse that does nothing, although the forward code takes something away."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Diagnostic,
    Evaluate,
    Flow,
    Literal,
    OperationContext,
    Query,
    Return,
    Row,
    Rows,
    RunPython,
    Severity,
    entries,
    is_noop,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#runpython"
_DELETING = frozenset({"delete", "adelete", "_raw_delete"})
_UPDATING = frozenset({"update", "aupdate"})


@rule("MG517", on=RunPython, severity=Severity.WARNING)
def noop_reverse_hides_loss(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """The reverse does nothing, although the forward code deletes rows or overwrites values."""
    if not _does_nothing(context):
        return
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
                help="A reverse that does nothing says that there is nothing to undo: `migrate` backwards succeeds, "
                "and the rows or values are gone all the same. Keep what is taken away (a copy of the table, a second "
                "column) until the release is settled, or leave `reverse_code` out: then Django refuses to go back.",
                url=_URL,
                model=model.name,
                detail=f"{use.method} {use.key}",
            )
            return


def _does_nothing(context: OperationContext[RunPython]) -> bool:
    """Whether there is a reverse, and it is noop or has an empty body."""
    if is_noop(context.operation.reverse_code):
        return True
    found = [entry for entry in entries(context.operation, context.migration) if entry.direction == "reverse"]
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
        if any(_names_value(call_keyword.name, call_keyword.value, fields) for call in use.on.conditions
               for call_keyword in call.keywords):  # fmt: skip
            return "values are overwritten in"
    return ""


def _names_value(name: str | None, value: object, fields: set[str | None]) -> bool:
    """Whether a condition picks rows by a value of a field that is set: one that is empty is only filled."""
    return name in fields and isinstance(value, Literal) and value.kind != "none" and value.text != ""
