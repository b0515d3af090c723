"""An index or a constraint that Django leaves out without a word."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AddConstraint,
    AddIndex,
    Call,
    Confidence,
    CreateModel,
    Diagnostic,
    Expr,
    Items,
    Literal,
    Operation,
    OperationContext,
    Pairs,
    Severity,
    left_out,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/models/constraints/#uniqueconstraint"


@rule("MG707", on=(AddConstraint, AddIndex, CreateModel), severity=Severity.WARNING)
def silently_not_created(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """The database has no such index or constraint, and Django leaves it out without a word."""
    if not context.touches_database or (
        context.model is not None and (context.model.managed.refuted or context.model.proxy.certain)
    ):
        return
    for made in _made(context.operation):
        what = left_out(made, context.database)
        if not what:
            continue
        name = _text(made.keyword("name")) or ""
        yield context.diagnostic(
            made.span,
            f"{context.database.title} has no {what}: `migrate` says nothing, and {name or 'it'} is not there",
            help="The model says that the database has it, and it has not. Check it in code, or write what "
            f"{context.database.title} has instead. `check --database default` warns of it as well.",
            url=_URL,
            detail=name,
            confidence=Confidence.LOW if context.step.conditional else Confidence.HIGH,
        )


def _made(operation: Operation) -> Iterator[Call]:
    """The indexes and constraints that an operation makes."""
    if isinstance(operation, AddConstraint):
        values: list[Expr | None] = [operation.constraint]
    elif isinstance(operation, AddIndex):
        values = [operation.index]
    else:
        options = operation.options if isinstance(operation, CreateModel) else None
        pairs = options.pairs if isinstance(options, Pairs) else ()
        lists = [pair.value for pair in pairs if _text(pair.key) in ("indexes", "constraints")]
        values = [item for each in lists if isinstance(each, Items) for item in each.items]
    yield from (value for value in values if isinstance(value, Call))


def _text(value: Expr | None) -> str | None:
    return value.text if isinstance(value, Literal) and value.kind == "str" else None
