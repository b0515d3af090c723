"""A query that goes to the default database, whichever is migrated."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Assigned,
    Diagnostic,
    ModelKey,
    OperationContext,
    Query,
    RawSQL,
    Row,
    Rows,
    RunPython,
    Severity,
    Use,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#data-migrations-and-multiple-databases"
# What tells the rows that it is given which database they are in.
_PLACING = ("bulk_create", "abulk_create", "add", "aadd", "set", "aset")
_INSTEAD = {
    "manager": "Model.objects.using(alias)",
    "row": "row.save(using=alias)",
    "connection": "with schema_editor.connection.cursor() as cursor: …",
}


@rule("MG514", on=RunPython, severity=Severity.INFO)
def ignores_database_alias(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """A query of a data migration asks the default database, not the one that is being migrated."""
    databases = context.project.databases
    if len(databases) < 2:
        return
    uses = context.usage.uses
    placed = set(_placed(context))
    # A chain's calls begin where the chain does: `Order.objects.filter(…).using(alias)`.
    chosen = {
        (use.module.path, use.span.start)
        for use in uses
        if isinstance(use, Query) and use.method in ("using", "db_manager")
    }
    for use in uses:
        asked = _asked_of_default(use, placed)
        if asked is None or use.is_chosen or (use.module.path, use.span.start) in chosen:
            continue
        span, related = context.place(use, "it is asked here")
        alias = "    alias = schema_editor.connection.alias\n" if "alias" in _INSTEAD[asked] else ""
        yield context.diagnostic(
            span,
            "the query asks the default database, whichever is being migrated",
            related=related,
            help=f"There are {len(databases)} databases ({', '.join(databases)}): "
            "`migrate --database` runs this code for each, and every run changes the same one. "
            f"Ask the database that is migrated:\n{alias}    {_INSTEAD[asked]}",
            url=_URL,
        )
        return


def _asked_of_default(use: Use, placed: set[ModelKey]) -> str | None:
    """What asks the default database: a manager, a row that is saved for the first time, or the global connection."""
    if isinstance(use, RawSQL):
        return "connection" if use.of_default else None
    if not isinstance(use, Query):
        return None
    if isinstance(use.on, Rows):
        return "manager" if use.on.is_manager and use.on.manager and not use.on.has_alias else None
    is_saved = use.method == "save" and isinstance(use.on, Row) and use.on.is_unsaved and use.key not in placed
    told = use.call.arguments or any(keyword.name in (None, "using") for keyword in use.call.keywords)
    return "row" if is_saved and not told else None


def _placed(context: OperationContext[RunPython]) -> Iterator[ModelKey]:
    """The models of which new rows may know their database: it is that of a row that they refer to.

    Source: django.db.models.fields.related_descriptors.ForwardManyToOneDescriptor.__set__
    """
    for use in context.usage.uses:
        if isinstance(use, Assigned):
            names = [use.name]
        elif isinstance(use, Query) and use.method in _PLACING:
            names = [""]
        elif isinstance(use, Query) and use.method == "__init__":
            names = [keyword.name or "" for keyword in use.call.keywords] + ["" for _ in use.call.arguments]
        else:
            continue
        key = use.on.key
        if any(not name or name.startswith("_state.") or _is_relation(context, key, name) for name in names):
            yield key


def _is_relation(context: OperationContext[RunPython], key: ModelKey, name: str) -> bool:
    model = context.before.model(*key)
    state = model.field(name) if model is not None else None
    return state is not None and state.field.is_relation.possible
