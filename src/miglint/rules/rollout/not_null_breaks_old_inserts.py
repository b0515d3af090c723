"""A NOT NULL column whose value only Python knows: code that does not know it cannot insert rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import dropwhile

from miglint.api import (
    ActionContext,
    AddColumn,
    AddField,
    AlterOrderWithRespectTo,
    Custom,
    Diagnostic,
    Field,
    Literal,
    ModelState,
    Name,
    Paste,
    RunPython,
    RunSQL,
    Severity,
    Truth,
    dotted,
    fill,
    fill_each,
    rule,
    set_apart,
    taken_along,
    truth_of,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/models/fields/#db-default"
# Source: https://docs.djangoproject.com/en/5.0/releases/5.0/
_DB_DEFAULT_SINCE = (5, 0)
# What a callable default is as an expression of the database: text, and the import it needs.
_EXPRESSIONS = {
    "django.utils.timezone.now": ("Now()", "from django.db.models.functions import Now"),
    "datetime.datetime.now": ("Now()", "from django.db.models.functions import Now"),
    "dict": ("models.Value({}, models.JSONField())", ""),
    "list": ("models.Value([], models.JSONField())", ""),
}
# What Django gives to fields that fill themselves, and the import it needs. Source: Field.pre_save
_AUTOMATIC = {
    "DateField": ("datetime.date.today()", "import datetime"),
    "TimeField": ("datetime.datetime.now().time()", "import datetime"),
    "DateTimeField": ("timezone.now()", "from django.utils import timezone"),
    "BinaryField": ('b""', ""),
}


@rule("MG402", on=AddColumn, severity=Severity.WARNING)
def not_null_breaks_old_inserts(context: ActionContext[AddColumn]) -> Iterator[Diagnostic]:
    """A NOT NULL column that only Python fills breaks the INSERTs of a release that does not know it."""
    if not context.touches_database or context.project.deploy == "downtime":
        return
    if isinstance(context.operation, RunSQL | RunPython):
        yield from _by_sql(context)
        return
    operation, model, added = context.operation, context.model, context.action
    if not isinstance(operation, AddField | AlterOrderWithRespectTo) or model is None or context.table_is_new:
        return
    name = operation.name if isinstance(operation, AddField) else added.column.name
    if name is None:
        return
    if not _needs_python(added) or not _is_left_empty(context, added):
        return
    if _may_be_mended(context, name, added.column.name):
        return  # as AddDefaultValue of django-add-default-value does
    yield context.diagnostic(
        None,
        f"adding {context.model_name}.{name} as NOT NULL breaks INSERTs of the running release: "
        "Django drops the default again, and the database knows none",
        help=_help(context, operation, model, name, added)
        if isinstance(operation, AddField)
        else _help_for_order(context, added),
        url=_URL,
        field=name,
        confidence=context.certainty(added),
    )


def _by_sql(context: ActionContext[AddColumn]) -> Iterator[Diagnostic]:
    """SQL as Django writes it: a default for the rows that are there, and dropped again."""
    added = next((a for a in context.matching if _has_passing_default(a) and _is_left_empty(context, a)), None)
    sure = context.is_asked_for(added) if added is not None else None
    if added is None or sure is None:
        return
    name = f"{added.table}.{added.column.name}"
    yield context.diagnostic(
        None,
        f"SQL adds {name} as NOT NULL and drops its default again: INSERTs of the running release break",
        help=f"{_error(context, added)}Drop the default in a later release, when all code knows the column.",
        url=_URL,
        confidence=sure,
    )


def _has_passing_default(added: AddColumn) -> bool:
    column = added.column
    return column.default.certain and all(each.refuted for each in (column.null, column.identity, column.generated))


def _is_left_empty(context: ActionContext[AddColumn], added: AddColumn) -> bool:
    """Whether the column is NOT NULL without a default when the migration ends: nothing later in it mends that."""
    end = context.schema_at_end.table(added.table)
    column = end.columns.get(added.column.name) if end is not None else None
    return column is not None and column.null.refuted and column.default.refuted


def _may_be_mended(context: ActionContext[AddColumn], *names: str) -> bool:
    """Whether an operation that is not known, and that names the field, comes after it in the migration."""
    steps = context.project.history.steps_of(context.migration.key)
    if not context.traits.sets_defaults:
        return False  # such an operation does nothing there
    later = dropwhile(lambda step: step is not context.step, steps)
    return any(isinstance(step.operation, Custom) and step.operation.mentions(*names) for step in later)


def _needs_python(added: AddColumn) -> bool:
    column = added.column
    if not all(each.refuted for each in (column.null, column.default, column.identity, column.generated)):
        return False
    return added.python_default.certain


def _error(context: ActionContext[AddColumn], added: AddColumn) -> str:
    error = {
        "postgresql": f'null value in column "{added.column.name}" of relation "{added.table}" violates not-null '
        "constraint",
        "sqlite": f"NOT NULL constraint failed: {added.table}.{added.column.name}",
    }.get(context.database.vendor, f"Field '{added.column.name}' doesn't have a default value")
    return f"Code that does not know the column leaves it out, and gets IntegrityError: {error}. "


def _help(
    context: ActionContext[AddColumn], operation: AddField, model: ModelState, name: str, added: AddColumn
) -> str:
    said, field = _error(context, added), operation.field
    code = Paste()
    where = {"model_name": f'"{model.name.lower()}"', "name": f'"{name}"'}
    # A one-off default is none of the model's.
    one_off = truth_of(operation.preserve_default, default=Truth.YES).refuted
    value = _in_database(field, code) if context.django_version >= _DB_DEFAULT_SINCE else None
    if value is not None:
        given = code.field(field, drop=["default"] if one_off else [], db_default=value)
        add = code.operation("AddField", **where, field=given)
        imports = "".join(f"{line}\n" for line in sorted(code.imports) if "functions" in line)
        return (
            f"{said}Let the database know the default (Django 5.0), here and in the model:\n"
            f"{set_apart(f'{imports}{add}')}"
        )
    said += taken_along(field.arguments.get("default"), context.migration)
    return f"{said}Add it as nullable, fill it, and make it NOT NULL, each in a release of its own:\n" + _steps(
        context, field, model, name, where, one_off=one_off
    )


def _help_for_order(context: ActionContext[AddColumn], added: AddColumn) -> str:
    """Django has no way to give the column of an order a default; SQL has."""
    said = _error(context, added)
    if not context.traits.sets_defaults:
        return f"{said}End the running release before this migration."
    named = context.database.quoted
    alter = f"ALTER TABLE {named(added.table)} ALTER COLUMN {named(added.column.name)}"
    code = Paste()
    sql = code.operation("RunSQL", repr(f"{alter} SET DEFAULT 0"), repr(f"{alter} DROP DEFAULT"))
    first = f"{said}Let the database know a default, after this operation, until all code knows the order:"
    return f"{first}\n{set_apart(sql)}"


def _in_database(field: Field, code: Paste) -> str | None:
    """The default as `db_default` takes it, None where the database cannot compute it."""
    given = field.arguments.get("default")
    if field.kind in ("ForeignKey", "OneToOneField") or field.unique.possible:
        return None
    if given is None:
        automatic = field.kind in ("DateField", "DateTimeField", "TimeField")
        expression = "django.utils.timezone.now" if automatic and field.kind == "DateTimeField" else ""
        if expression:
            code.imports.add(_EXPRESSIONS[expression][1])
            return _EXPRESSIONS[expression][0]
        return None if automatic or field.kind == "BinaryField" else '""'
    if isinstance(given, Name):
        found = _EXPRESSIONS.get(dotted(given))
        if found is None or (found[0].startswith("models.Value") and field.kind != "JSONField"):
            return None
        code.imports |= {found[1]} - {""}
        return found[0]
    return code.value(given) if isinstance(given, Literal) else None


def _steps(
    context: ActionContext[AddColumn],
    field: Field,
    model: ModelState,
    name: str,
    where: dict[str, str],
    *,
    one_off: bool,
) -> str:
    sequel = context.sequel
    here, second, third = Paste(), Paste(), Paste()
    add = here.operation("AddField", **where, field=here.field(field, drop=["default"], null="True"))
    given = field.arguments.get("default")
    if given is not None:
        value = second.value_of(given)
    else:
        value, needed = _AUTOMATIC.get(field.kind or "", ('""', ""))
        second.imports |= {needed} - {""}
    function = f"fill_{name}"
    run = second.operation("RunPython", function, "migrations.RunPython.noop")
    if isinstance(given, Name) and context.is_fresh(given).possible:
        key = field.is_relation.certain
        filled = fill_each(model.name, model.app, name, value, function=function, key=key)
    else:
        filled = fill(model.name, model.app, name, value, function=function)
    last = third.field(field, drop=["default"] if one_off else [])
    files = [
        sequel.migration(f"fill_{model.name.lower()}_{name}", [run], second, functions=filled),
        sequel.migration(
            f"require_{model.name.lower()}_{name}",
            [third.operation("AlterField", **where, field=last)],
            third,
        ),
    ]
    return set_apart(add, *files)
