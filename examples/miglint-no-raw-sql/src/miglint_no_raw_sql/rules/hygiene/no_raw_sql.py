"""SQL that is written by hand."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, OperationContext, RunSQL, Severity, rule


@rule("XNR001", on=RunSQL, severity=Severity.WARNING)
def no_raw_sql(context: OperationContext[RunSQL]) -> Iterator[Diagnostic]:
    """A migration runs SQL that is written by hand."""
    if context.touches_database:
        yield context.diagnostic(
            None,
            "this house writes migrations without raw SQL",
            help="Use an operation of Django, or RunPython with `apps.get_model`.",
        )
