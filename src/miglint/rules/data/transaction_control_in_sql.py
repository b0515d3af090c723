"""Transaction control in the SQL of an atomic migration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from miglint.api import Action, Diagnostic, Execute, Operation, OperationContext, RunPython, RunSQL, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#non-atomic-migrations"
_CONTROL = frozenset({"begin", "start", "commit", "end", "rollback", "abort"})


@rule("MG519", on=(RunPython, RunSQL), severity=Severity.ERROR)
def transaction_control_in_sql(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """SQL of an atomic migration begins or ends a transaction, which is Django's."""
    if not context.touches_database or not context.migration.atomic.certain or not context.database.transactional_ddl:
        return
    words, where = _control(context.actions), "SQL"
    if not words:
        # Source: MigrationExecutor.unapply_migration, which begins a transaction as apply_migration does
        words, where = _control(context.consequences.reverse_actions), "reverse SQL"
    if not words:
        return
    yield context.diagnostic(
        None,
        f"{words} in the {where} of an atomic migration: the transaction is Django's",
        help="Django has begun a transaction for the whole migration. A COMMIT ends it: what went before stays even "
        "when the migration fails, what follows runs without one, and at the end there is nothing left to roll back. "
        "A ROLLBACK takes back what earlier operations did. Leave the statement out; where a statement cannot run in a "
        "transaction, say `atomic = False` in the migration.",
        url=_URL,
        detail=words,
    )


def _control(actions: Iterable[Action]) -> str:
    """The words that begin or end a transaction, in their order."""
    found = (action for action in actions if isinstance(action, Execute) and _is_control(action))
    return ", ".join(dict.fromkeys(action.verb.split()[0].upper() for action in found))


def _is_control(action: Execute) -> bool:
    words = action.verb.split() or [""]
    if words[0] not in _CONTROL:
        return False
    # A savepoint is inside the transaction.
    return "savepoint" not in action.text.lower().split() and " to " not in f" {action.text.lower()} "
