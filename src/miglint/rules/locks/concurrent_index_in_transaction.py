"""What the database refuses where a transaction is open."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    Confidence,
    CreateIndex,
    Diagnostic,
    DropIndex,
    Execute,
    Reindex,
    RunPython,
    RunSQL,
    Severity,
    rule,
)

_DJANGO = "https://docs.djangoproject.com/en/stable/ref/contrib/postgres/operations/#concurrent-index-operations"
# As PostgreSQL's error calls them, where that is not how they begin.
_STATEMENTS: dict[type[Action] | str, str] = {
    CreateIndex: "CREATE INDEX CONCURRENTLY",
    DropIndex: "DROP INDEX CONCURRENTLY",
    "vacuum full": "VACUUM",
    "cluster all": "CLUSTER",
    "detach partition concurrently": "ALTER TABLE … DETACH CONCURRENTLY",
    "alter type add value": "ALTER TYPE … ADD",
}
_ATOMIC = """Write it alone in its migration, and in the class
    class Migration(migrations.Migration):
        atomic = False"""


@rule(
    "MG307",
    on=(CreateIndex, DropIndex, Reindex, Execute),
    severity=Severity.ERROR,
    supersedes=("MG302", "MG308", "MG310"),
)
def concurrent_index_in_transaction(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """An index cannot be built, dropped or rebuilt concurrently within a transaction, nor can VACUUM run there."""
    refused = [action for action in context.matching if _is_refused(context, action)]
    if not refused or not context.touches_database:
        return
    action, atomic = refused[0], context.migration.atomic
    if atomic.certain:
        message, help = _in_migration(context, action)
    elif isinstance(context.operation, RunPython) and context.operation.has_transaction.certain:
        message, help = _in_operation(context, action)
    elif atomic.refuted and context.traits.script_is_transaction and not all(each.alone for each in refused):
        message, help = _in_string(context, action)
    else:
        return
    of_django = not isinstance(context.operation, RunSQL | RunPython)
    yield context.diagnostic(
        None,
        message,
        help=help,
        url=_DJANGO if of_django else context.cost_of(action, on_new_table=False).url,
        confidence=Confidence.LOW if context.step.conditional or not action.certain else Confidence.HIGH,
    )


def _is_refused(context: ActionContext[Action], action: Action) -> bool:
    return context.cost_of(action, on_new_table=False).refused_in_transaction


def _statement(action: Action) -> str:
    if isinstance(action, Reindex):
        return f"REINDEX {action.whole.upper() if action.whole and not action.concurrently else 'CONCURRENTLY'}"
    verb = action.verb if isinstance(action, Execute) else ""
    return _STATEMENTS.get(verb or type(action), verb.upper())


def _in_migration(context: ActionContext[Action], action: Action) -> tuple[str, str]:
    name = context.operation.class_name
    if isinstance(context.operation, RunSQL | RunPython):
        name = _statement(action)
        error = f"{context.database.title}: {name} cannot run inside a transaction block."
    else:
        error = (
            f"Django: NotSupportedError: The {name} operation cannot be executed inside a transaction "
            "(set atomic = False on the migration)."
        )
    return f"{name} fails: the migration is atomic", f"{error} {_ATOMIC}"


def _in_operation(context: ActionContext[Action], action: Action) -> tuple[str, str]:
    name = _statement(action)
    message = f"{name} fails: RunPython opens a transaction, because of its `atomic=True`"
    return message, f"{context.database.title}: {name} cannot run inside a transaction block. Take `atomic=True` out."


def _in_string(context: ActionContext[Action], action: Action) -> tuple[str, str]:
    statement = _statement(action)
    message = f"{statement} fails: a string with several statements is one transaction, `atomic = False` or not"
    help = (
        f"{context.database.title}: {statement} cannot run inside a transaction block. Django sends each string as "
        f'it is; pass a list:\n    migrations.RunSQL(["SET lock_timeout = 0", "{statement} …"])'
    )
    return message, help
