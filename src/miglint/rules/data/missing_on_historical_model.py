"""A method or manager that historical models do not carry."""

from __future__ import annotations

import re
from collections.abc import Iterator

from miglint.api import (
    CONTRIB_METHODS,
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
# Source: dir() of django.db.models.Model, Django 4.2 to 6.1
_ROWS = frozenset({
    "clean", "clean_fields", "date_error_message", "delete", "from_db", "full_clean", "get_constraints",
    "get_deferred_fields", "prepare_database_save", "refresh_from_db", "save", "save_base", "serializable_value",
    "unique_error_message", "validate_constraints", "validate_unique", "check", "__init__",
    "_do_insert", "_do_update", "_get_FIELD_display", "_get_next_or_previous_by_FIELD",
    "_get_next_or_previous_in_order", "_get_pk_val", "_get_unique_checks", "_is_pk_set", "_perform_date_checks",
    "_perform_unique_checks", "_save_parents", "_save_table", "_set_pk_val",
})  # fmt: skip
# Source: django.db.models.fields.Field.contribute_to_class and DateField.contribute_to_class
_MADE_FOR_FIELDS = re.compile(r"get_\w+_display|get_(?:next|previous)_by_\w+|[gs]et_\w+_order")


@rule("MG513", on=RunPython, severity=Severity.WARNING)
def missing_on_historical_model(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration uses a manager or a method of a model that historical models do not carry."""
    seen = set()
    for use in context.usage.uses:
        if not isinstance(use, Query) or use.is_tried:
            continue
        model = context.before.model(*use.key)
        if model is not None:
            name, missing = model.name, _missing(context, use, model) if model.complete else ""
        else:
            name, missing = use.key.name, _missing_of_djangos(context, use)
        if missing and (use.key, missing, use.code.name) not in seen:
            seen.add((use.key, missing, use.code.name))
            yield _finding(context, use, name, missing)


def _missing_of_djangos(context: OperationContext[RunPython], use: Query) -> str:
    """The method that a model of Django's own apps has today, whose migrations need not be read to say so.

    Their managers are in the history.
    """
    if isinstance(use.on, Rows) or not context.project.is_djangos(use.key.app):
        return ""
    return _told(use) if use.method in CONTRIB_METHODS.get(str(use.key), ()) else ""


def _told(use: Query) -> str:
    return f"{'class method' if isinstance(use.on, HistoricalModel) else 'method'} {use.method}"


def _missing(context: OperationContext[RunPython], use: Query, model: ModelState) -> str:
    """The manager or method that the historical model lacks, "" where it has it or may have it."""
    if isinstance(use.on, Rows):
        if model.managers is not None:
            return ""
        if use.on.manager not in _MANAGERS:
            return f"manager {use.on.manager}"
        # Django's own underscored ones are many: `_raw_delete`.
        return "" if _is_known(use.method, _QUERIES) or use.method.startswith("_") else f"method {use.method}"
    if _is_known(use.method, _ROWS) or use.method.startswith("__") or _MADE_FOR_FIELDS.fullmatch(use.method):
        return ""
    # A field may have the name, and a class among the bases brings its methods along.
    if context.project.relations(context.before).has_attribute(model, use.method).possible:
        return ""
    return _told(use)


def _is_known(method: str, known: frozenset[str]) -> bool:
    return method in known or method.removeprefix("a") in known  # `acreate` is `create`, awaited


def _finding(context: OperationContext[RunPython], use: Query, model: str, missing: str) -> Diagnostic:
    label = f"{use.key.app}.{model}"
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
        f"the historical {model} has no {kind} {name}",
        related=related,
        help=f"Historical models of {label} are built from the migrations: fields, Meta options and kept managers, "
        f"without the methods of models.py. Django raises AttributeError when the migration runs. {advice}",
        url=_URL,
        model=model,
        detail=f"{label}.{name}",
    )
