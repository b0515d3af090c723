"""Application code that a migration calls."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import Called, Class, Diagnostic, OperationContext, RunPython, Severity, dotted, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models"
# Classes that only name something: making one runs no code of the application.
_PLAIN_BASES = ("Exception", "Error", "Warning", "Enum", "Choices", "NamedTuple", "TypedDict", "Model", "object")


@rule("MG505", on=RunPython, severity=Severity.WARNING)
def application_code_import(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration calls code of the application, which goes on changing."""
    seen = set()
    for use in context.usage.uses:
        if not isinstance(use, Called) or use.target is None or use.target.is_installed:
            continue
        own = use.module.facts is context.migration.facts or context.project.is_of_migrations(use.module.path)
        name = use.path.rpartition(".")[2]
        target = use.target.path
        if not own or context.project.is_of_migrations(target) or context.project.allows_import(target, name):
            continue
        if use.definition is not None and _is_plain(use.definition):
            continue
        if use.path not in seen:
            seen.add(use.path)
            yield _finding(context, use)


def _is_plain(definition: Class) -> bool:
    return any(dotted(base).endswith(_PLAIN_BASES) for base in definition.bases)


def _finding(context: OperationContext[RunPython], use: Called) -> Diagnostic:
    span, related = context.place(use, "it is called here")
    name = use.path.lstrip(".")
    return context.diagnostic(
        span,
        f"{use.code.name.rpartition('.')[2] or 'the migration'} calls {name}, code of the application",
        related=related,
        help="The function is written for the models and settings of today and will go on changing; this migration "
        "runs on every new database for years. Once the function uses a field that is added later, or is moved, the "
        "migration fails. Copy what it does into the migration, with the models of `apps.get_model`; a helper made for "
        "migrations and never changed belongs in the migrations package or in the setting `allowed-imports`.",
        url=_URL,
        detail=name,
    )
