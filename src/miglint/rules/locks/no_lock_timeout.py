"""A strong lock that may wait for ever, and everyone behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from miglint.api import (
    Action,
    Diagnostic,
    Execute,
    Migration,
    MigrationContext,
    Severity,
    executed,
    rule,
)

# A statement that takes the limit away again: 0 means none.
# Source: https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
_UNLIMITED = re.compile(
    r"^\s*reset\b|lock_(?:wait_)?timeout(?:\s*=|\s+to\b|'\s*,)\s*'?\s*(?:default\b|0\s*(?:ms|s|min)?\s*(?:[',;)]|$))"
)


@rule("MG314", on=Migration, severity=Severity.INFO)
def no_lock_timeout(context: MigrationContext) -> Iterator[Diagnostic]:
    """A strong lock on a live table is asked for without a limit to the wait."""
    timeout = context.traits.lock_timeout
    if timeout is None:
        return
    limited = False
    for step, action in executed(context.steps):
        if isinstance(action, Execute) and timeout.setting in action.text.lower():
            limited = _UNLIMITED.search(action.text.lower()) is None
        if limited:
            continue
        cost = context.cost_of(action)
        if step.conditional or not action.certain or not cost.blocks_reads or not context.is_at_risk(step, action):
            continue
        yield context.diagnostic(
            None,
            f"{_lock(context, action)} is asked for without a lock timeout: while it waits for one long transaction, "
            "every query of the table waits behind it",
            help=f"Give up soon and try again. Before the operation:\n"
            f'    migrations.RunSQL("{timeout.statement}", migrations.RunSQL.noop),\n'
            "Never in one string with the statement that it is for: in a migration that is not atomic the string is a "
            "transaction of its own (and SET LOCAL means nothing outside one: write SET there).",
            url=cost.url,
            step=step,
            confidence=context.confidence(step, [action]),
        )
        return


def _lock(context: MigrationContext, action: Action) -> str:
    return context.card([action]).partition(":")[0]
