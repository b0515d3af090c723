"""A RunPython that cannot be undone."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Diagnostic, Literal, OperationContext, Paste, RunPython, Severity, is_noop, rule

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#runpython"


@rule("MG501", on=RunPython, severity=Severity.WARNING)
def irreversible_run_python(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """A RunPython without reverse code makes every later migration of the app impossible to undo."""
    operation = context.operation
    if not context.touches_database or operation.uncertain:
        return
    if operation.reverse_code is None:
        said = "has no `reverse_code`"
    elif isinstance(operation.reverse_code, Literal) and operation.reverse_code.kind == "none":
        said = "has None as its `reverse_code`"
    else:
        return
    named = Paste().value(operation.code) if operation.code is not None else ""
    if is_noop(operation.code):
        why = "RunPython.noop forwards does not make it reversible: Django asks only for `reverse_code`. "
        named = "migrations.RunPython.noop"
    else:
        why = ""
    yield context.diagnostic(
        None,
        f"RunPython {said}: {context.migration.key} cannot be undone",
        help=f"{why}Undoing it raises IrreversibleError: Operation <RunPython …> in {context.migration.key} is not "
        "reversible. Where nothing needs to be undone, say so:\n"
        f"    migrations.RunPython({named or '…'}, migrations.RunPython.noop)\n"
        "Otherwise pass a function that puts the old data back.",
        url=_URL,
    )
