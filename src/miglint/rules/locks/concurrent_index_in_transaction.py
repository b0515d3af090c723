"""CONCURRENTLY where a transaction is open."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    Confidence,
    CreateIndex,
    Diagnostic,
    DropIndex,
    Reindex,
    RunSQL,
    Severity,
    rule,
)

_DJANGO = "https://docs.djangoproject.com/en/stable/ref/contrib/postgres/operations/#concurrent-index-operations"
_POSTGRES = "https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY"


@rule("MG307", on=(CreateIndex, DropIndex, Reindex), severity=Severity.ERROR, supersedes=("MG302", "MG308", "MG310"))
def concurrent_index_in_transaction(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """An index cannot be built, dropped or rebuilt concurrently within a transaction."""
    concurrent = [action for action in context.matching if _is_concurrent(context, action)]
    if not concurrent or not context.touches_database:
        return
    if context.migration.atomic.certain:
        message, help, url = _in_migration(context, concurrent[0])
    elif context.migration.atomic.refuted and not all(action.alone for action in concurrent):
        message, help, url = _in_string(context, concurrent[0])
    else:
        return
    confidence = Confidence.LOW if context.step.conditional else Confidence.HIGH
    yield context.diagnostic(None, message, help=help, url=url, confidence=confidence)


def _is_concurrent(context: ActionContext[Action], action: Action) -> bool:
    """Whether it says CONCURRENTLY, on a database that has it."""
    if not isinstance(action, CreateIndex | DropIndex | Reindex) or not action.concurrently:
        return False
    return context.cost_of(action, on_new_table=False) != context.cost_of(
        action, on_new_table=False, concurrently=False
    )


def _statement(action: Action) -> str:
    verbs = {CreateIndex: "CREATE INDEX", DropIndex: "DROP INDEX", Reindex: "REINDEX"}
    return f"{verbs[type(action)]} CONCURRENTLY"


def _in_migration(context: ActionContext[Action], action: Action) -> tuple[str, str, str]:
    name = context.operation.class_name
    if isinstance(context.operation, RunSQL):
        name, url = _statement(action), _POSTGRES
        error = f"{context.database.title}: {name} cannot run inside a transaction block."
    else:
        url = _DJANGO
        error = (
            f"Django: NotSupportedError: The {name} operation cannot be executed inside a transaction "
            "(set atomic = False on the migration)."
        )
    return f"{name} fails: the migration is atomic", f"{error} {_ATOMIC}", url


_ATOMIC = """Write it alone in its migration, and in the class
    class Migration(migrations.Migration):
        atomic = False"""


def _in_string(context: ActionContext[Action], action: Action) -> tuple[str, str, str]:
    statement = _statement(action)
    message = f"{statement} fails: a string with several statements is one transaction, `atomic = False` or not"
    help = (
        f"{context.database.title}: {statement} cannot run inside a transaction block. Django sends each string as "
        f'it is; pass a list:\n    migrations.RunSQL(["SET lock_timeout = 0", "{statement} …"])'
    )
    return message, help, _POSTGRES
