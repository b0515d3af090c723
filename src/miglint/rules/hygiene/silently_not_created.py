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
    rule,
)

# The argument that makes a UniqueConstraint one of a kind that not every database has.
_KINDS = {
    "condition": "conditional", "deferrable": "deferrable", "include": "covering", "nulls_distinct": "nulls_distinct",
}  # fmt: skip


@rule("MG707", on=(AddConstraint, AddIndex, CreateModel), severity=Severity.WARNING)
def silently_not_created(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """The database has no such index or constraint, and Django leaves it out without a word."""
    if not context.touches_database or (
        context.model is not None and (context.model.managed.refuted or context.model.proxy.certain)
    ):
        return
    for made in _made(context.operation):
        for what in _kinds(made):
            url = context.left_out(what)
            if url is None:
                continue
            name = _text(made.keyword("name")) or ""
            yield context.diagnostic(
                made.span,
                f"{context.database.title} has no {what}: `migrate` says nothing, and {name or 'it'} is not there",
                help="The model says that the database enforces it, and it does not. Check it in code, or write what "
                f"{context.database.title} has instead. Django's system check W03x says so too, when it is run "
                "with `--database`.",
                url=url,
                detail=name,
                confidence=Confidence.LOW if context.step.conditional else Confidence.HIGH,
            )
            break


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


def _kinds(made: Call) -> Iterator[str]:
    """What the call makes, in the words of the databases' tables."""
    kind = made.callee.rpartition(".")[2]
    if kind == "UniqueConstraint":
        if made.arguments:
            yield "expression unique constraint"
        for argument, word in _KINDS.items():
            if _is_given(made.keyword(argument)):
                yield f"{word} unique constraint"
    elif kind == "CheckConstraint":
        yield "check constraint"
    elif made.callee in ("django.db.models.Index", "django.db.models.indexes.Index") and made.arguments:
        yield "expression index"


def _is_given(value: Expr | None) -> bool:
    if isinstance(value, Items):
        return bool(value.items)
    return value is not None and not (isinstance(value, Literal) and value.kind == "none")


def _text(value: Expr | None) -> str | None:
    return value.text if isinstance(value, Literal) and value.kind == "str" else None
