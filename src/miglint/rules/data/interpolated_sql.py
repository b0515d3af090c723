"""SQL that is put together from values."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Attribute,
    Call,
    Diagnostic,
    Either,
    Expr,
    Fragment,
    Items,
    Literal,
    Operation,
    OperationContext,
    Operator,
    RawSQL,
    RunPython,
    RunSQL,
    Severity,
    Template,
    dotted,
    is_named_constant,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/db/sql/#passing-parameters-into-raw"
_HELP = (
    "What is put into the text is read as SQL: a quote or a percent sign in it breaks the statement, or does another. "
    "And the text cannot be read before it runs, so none of the rules about locks and loss see it. Pass values as "
    "parameters; quote names with the connection's `ops.quote_name()`:\n"
)
_EXECUTED = 'cursor.execute("UPDATE … SET name = %s", [name])'
_INSTEAD = {
    "raw": 'Order.objects.raw("SELECT … WHERE name = %s", [name])',
    "extra": 'queryset.extra(where=["name = %s"], params=[name])',
    "RawSQL": 'RawSQL("name = %s", [name])',
}


@rule("MG518", on=(RunPython, RunSQL), severity=Severity.WARNING)
def interpolated_sql(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """SQL is put together from values that the migration does not write out."""
    operation = context.operation
    if not context.touches_database:
        return
    if isinstance(operation, RunSQL):
        for text in (*_texts(operation.sql), *_texts(operation.reverse_sql)):
            if _is_composed(text):
                yield context.diagnostic(
                    text.span,
                    "the SQL is put together from values that are not written here",
                    help=f'{_HELP}    migrations.RunSQL([("UPDATE … SET name = %s", [name])])',
                    url=_URL,
                )
                return
    seen = set()
    for use in context.usage.uses:
        if isinstance(use, RawSQL | Fragment) and not use.is_written and use.code.name not in seen:
            seen.add(use.code.name)
            span, related = context.place(use, "it is executed here")
            example = _INSTEAD.get(use.method, _EXECUTED) if isinstance(use, Fragment) else _EXECUTED
            yield context.diagnostic(
                span,
                "the SQL is put together from values that are not written here",
                related=related,
                help=f"{_HELP}    {example}",
                url=_URL,
            )


def _texts(sql: Expr | None) -> Iterator[Expr]:
    """The statements of RunSQL's argument: a text, or a list of texts or of texts with parameters."""
    if isinstance(sql, Items):
        for item in sql.items:
            yield item.items[0] if isinstance(item, Items) and item.items else item
    elif sql is not None:
        yield sql


def _is_composed(text: Expr) -> bool:
    """Whether something but constants is put into a text."""
    if isinstance(text, Template):
        return not all(_is_constant(part) for part in text.parts)
    if isinstance(text, Operator) and text.operator in ("+", "%"):
        parts = text.operands
        return any(_is_text(part) for part in parts) and not all(_is_constant(part) for part in parts)
    if isinstance(text, Call) and isinstance(text.function, Attribute) and text.function.name == "format":
        given = (*text.arguments, *(keyword.value for keyword in text.keywords))
        return _is_text(text.function.value) and not all(_is_constant(part) for part in given)
    return False


def _is_text(value: Expr) -> bool:
    return isinstance(value, Template) or (isinstance(value, Literal) and value.kind == "str") or _is_composed(value)


def _is_constant(value: Expr) -> bool:
    """Whether the file writes it out: constants, and what they become in a function of the same file."""
    if isinstance(value, Items):
        return all(_is_constant(item) for item in value.items)
    if isinstance(value, Either):
        return _is_constant(value.then) and _is_constant(value.otherwise)
    if isinstance(value, Template):
        return all(_is_constant(part) for part in value.parts)
    if isinstance(value, Operator):
        return all(_is_constant(part) for part in value.operands)
    if isinstance(value, Call):
        method = value.function.value if isinstance(value.function, Attribute) else None
        known = _is_constant(method) if method is not None else getattr(value.function, "scope", "") == "free"
        return known and all(
            _is_constant(part) for part in (*value.arguments, *(each.value for each in value.keywords))
        )
    return isinstance(value, Literal) or is_named_constant(value) or dotted(value).endswith("._meta.db_table")
