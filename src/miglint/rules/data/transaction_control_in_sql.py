"""Transaction control in the SQL of an atomic migration."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import ActionContext, Diagnostic, Execute, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#non-atomic-migrations"
_CONTROL = frozenset({"begin", "start", "commit", "end", "rollback", "abort"})


@rule("MG519", on=Execute, severity=Severity.ERROR)
def transaction_control_in_sql(context: ActionContext[Execute]) -> Iterator[Diagnostic]:
    """SQL of an atomic migration begins or ends a transaction, which is Django's."""
    if not context.touches_database or not context.migration.atomic.certain or not context.database.transactional_ddl:
        return
    found = [action for action in context.matching if _is_control(action)]
    if not found:
        return
    words = ", ".join(dict.fromkeys(action.verb.split()[0].upper() for action in found))
    yield context.diagnostic(
        None,
        f"{words} in the SQL of an atomic migration: the transaction is Django's",
        help="Django has begun a transaction for the whole migration. A COMMIT ends it: what went before stays even "
        "when the migration fails, what follows runs without one, and at the end there is nothing left to roll back. "
        "A ROLLBACK takes back what earlier operations did. Leave the statement out; where a statement cannot run in a "
        "transaction, say `atomic = False` in the migration.",
        url=_URL,
        detail=words,
    )


def _is_control(action: Execute) -> bool:
    words = action.verb.split() or [""]
    if words[0] not in _CONTROL:
        return False
    # A savepoint is inside the transaction.
    return "savepoint" not in action.text.lower().split() and " to " not in f" {action.text.lower()} "
