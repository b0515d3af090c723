"""An operation of which only the name is known."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Custom, Diagnostic, OperationContext, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#writing-your-own"


@rule("MG706", on=Custom, severity=Severity.INFO)
def custom_operation_unknown(context: OperationContext[Custom]) -> Iterator[Diagnostic]:
    """An operation is none of Django's: what it does is not checked."""
    name = context.operation.callee
    yield context.diagnostic(
        None,
        f"what the operation {name} does is not known" if name else "which operation this is cannot be told",
        help=f"{_state(context)} Review by hand what it locks and what it loses.",
        url=_URL,
        detail=name,
    )


def _state(context: OperationContext[Custom]) -> str:
    """What is made of it in the state of the models."""
    app, known = context.migration.app, context.operation.in_state
    if known is None:
        return (
            f"It is taken as one that may change anything in {app}: from here on nothing is reported because a model, "
            f"field or index of {app} is absent."
        )
    if not known:
        return "It leaves the state of the models as it is."
    return f"In the state of the models it is the {type(known[0]).__name__} that it extends."
