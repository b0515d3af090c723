"""A RunSQL that cannot be undone."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, Literal, OperationContext, RunSQL, Severity, is_noop_sql, rule

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#runsql"


@rule("MG502", on=RunSQL, severity=Severity.WARNING)
def irreversible_run_sql(context: OperationContext[RunSQL]) -> Iterator[Diagnostic]:
    """A RunSQL without reverse SQL makes every later migration of the app impossible to undo."""
    operation = context.operation
    if not context.touches_database or operation.uncertain:
        return
    if operation.reverse_sql is None:
        said = "has no `reverse_sql`"
    elif isinstance(operation.reverse_sql, Literal) and operation.reverse_sql.kind == "none":
        said = "has None as its `reverse_sql`"
    else:
        return
    why = "A forward SQL that does nothing does not make it reversible. " if is_noop_sql(operation.sql) else ""
    yield context.diagnostic(
        None,
        f"RunSQL {said}: {context.migration.key} cannot be undone",
        help=f"{why}Undoing it raises IrreversibleError: Operation <RunSQL …> in {context.migration.key} is not "
        "reversible. Give the statements that undo it, as `reverse_sql=`; where nothing needs to be undone, say so:\n"
        "    reverse_sql=migrations.RunSQL.noop",
        url=_URL,
    )
