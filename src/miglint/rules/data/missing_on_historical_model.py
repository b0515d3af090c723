"""A method or manager that historical models do not carry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from miglint.api import (
    Diagnostic,
    HistoricalModel,
    ModelState,
    OperationContext,
    Query,
    Rows,
    RunPython,
    Severity,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models"
_MANAGERS = ("", "objects", "_default_manager", "_base_manager")

# Source: dir() of django.db.models.Manager and QuerySet, Django 4.2 to 6.0; those of related managers beside them
_QUERIES = frozenset({
    "aggregate", "alias", "all", "annotate", "as_manager", "bulk_create", "bulk_update", "check", "complex_filter",
    "contains", "contribute_to_class", "count", "create", "dates", "datetimes", "db_manager", "deconstruct", "defer",
    "delete", "difference", "distinct", "earliest", "exclude", "exists", "explain", "extra", "fetch_mode", "filter",
    "first", "from_queryset", "get", "get_or_create", "get_queryset", "in_bulk", "intersection", "iterator", "last",
    "latest", "none", "only", "order_by", "prefetch_related", "raw", "resolve_expression", "reverse",
    "select_for_update", "select_related", "totally_ordered", "union", "update", "update_or_create", "using", "values",
    "values_list",
    "add", "clear", "remove", "set", "get_prefetch_queryset", "get_prefetch_querysets",
})  # fmt: skip
# Source: dir() of django.db.models.Model, Django 4.2 to 6.0
_ROWS = frozenset({
    "clean", "clean_fields", "date_error_message", "delete", "from_db", "full_clean", "get_constraints",
    "get_deferred_fields", "prepare_database_save", "refresh_from_db", "save", "save_base", "serializable_value",
    "unique_error_message", "validate_constraints", "validate_unique", "check", "__init__",
})  # fmt: skip
# Source: django.db.models.fields.Field.contribute_to_class and DateField.contribute_to_class
_MADE_FOR_FIELDS = re.compile(r"get_\w+_display|get_(?:next|previous)_by_\w+|[gs]et_\w+_order")


@rule("MG513", on=RunPython, severity=Severity.WARNING)
def missing_on_historical_model(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration uses a manager or a method of a model that historical models do not carry."""
    seen = set()
    for use in context.usage.uses:
        model = context.before.model(*use.key) if isinstance(use, Query) else None
        if not isinstance(use, Query) or model is None or use.is_tried or not model.complete:
            continue
        missing = _missing(context, use, model)
        if missing and (use.key, missing, use.code.name) not in seen:
            seen.add((use.key, missing, use.code.name))
            yield _finding(context, use, model, missing)


def _missing(context: OperationContext[RunPython], use: Query, model: ModelState) -> str:
    """The manager or method that the historical model lacks, "" where it has it or may have it."""
    if isinstance(use.on, Rows):
        if model.managers is not None:
            return ""
        if use.on.manager not in _MANAGERS:
            return f"manager {use.on.manager}"
        return "" if _is_known(use.method, _QUERIES) or use.method.startswith("__") else f"method {use.method}"
    if _is_known(use.method, _ROWS) or use.method.startswith("__") or _MADE_FOR_FIELDS.fullmatch(use.method):
        return ""
    # A field may have the name, and a class among the bases brings its methods along.
    if context.project.relations(context.before).has_attribute(model, use.method).possible:
        return ""
    kind = "class method" if isinstance(use.on, HistoricalModel) else "method"
    return f"{kind} {use.method}"


def _is_known(method: str, known: frozenset[str]) -> bool:
    return method in known or method.removeprefix("a") in known  # `acreate` is `create`, awaited


def _finding(context: OperationContext[RunPython], use: Query, model: ModelState, missing: str) -> Diagnostic:
    label = f"{model.app}.{model.name}"
    kind, _, name = missing.rpartition(" ")
    span, related = context.place(use, "it is used here")
    keep = "use_in_migrations = True" if kind == "manager" or isinstance(use.on, Rows) else ""
    advice = (
        f"A manager with `{keep}` is kept in the history from the migration on that declares it; else write it out."
        if keep
        else "Write what it does into the migration: that also keeps the migration doing what it did on the day it was "
        "written."
    )
    return context.diagnostic(
        span,
        f"the historical {model.name} has no {kind} {name}",
        related=related,
        help=f"Historical models of {label} are built from the migrations: fields, Meta options and kept managers, "
        f"without the methods of models.py. Django raises AttributeError when the migration runs. {advice}",
        url=_URL,
        model=model.name,
        detail=f"{label}.{name}",
    )
