"""A management command that a migration runs."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Called, Diagnostic, Literal, OperationContext, RunPython, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models"
_RUNNERS = ("django.core.management.call_command", "django.core.management.execute_from_command_line")
# What the command does that a migration cannot bear.
_WORST = {
    "loaddata": "loaddata fills today's models: a fixture with a field that a later migration adds fails here, and one "
    "written for this day fails once models.py has moved on. Create the rows with the models of `apps.get_model`.",
    "migrate": "A migration inside a migration changes the history that Django is working through: what is applied and "
    "recorded no longer agrees. State the order with `dependencies`.",
}


@rule("MG506", on=RunPython, severity=Severity.WARNING)
def runs_management_command(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration runs a management command, which works on the models of today."""
    seen = set()
    for use in context.usage.uses:
        if isinstance(use, Called) and use.path in _RUNNERS:
            command = _command(use)
            if (command, use.code.name) not in seen:
                seen.add((command, use.code.name))
                yield _finding(context, use, command)


def _command(use: Called) -> str:
    """The command's name, "" where it cannot be read."""
    first = use.call.arguments[0] if use.call.arguments else use.call.keyword("command_name")
    return first.text if isinstance(first, Literal) and first.kind == "str" else ""


def _finding(context: OperationContext[RunPython], use: Called, command: str) -> Diagnostic:
    span, related = context.place(use, "it is run here")
    return context.diagnostic(
        span,
        f"the migration runs the management command {command}"
        if command
        else "the migration runs a management command",
        related=related,
        help=_WORST.get(
            command,
            "A command works on the models, settings and code of the day on which it runs, not on those of this "
            "migration. Write what it does into the migration, or run the command as a step of the deploy.",
        ),
        url=_URL,
        detail=command,
    )
