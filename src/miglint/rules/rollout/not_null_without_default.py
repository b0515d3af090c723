"""A NOT NULL column that existing rows have no value for."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    ActionContext,
    AddColumn,
    AddField,
    Call,
    Confidence,
    Diagnostic,
    Field,
    Literal,
    Paste,
    RunPython,
    RunSQL,
    Severity,
    Truth,
    either,
    is_emptied,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/models/fields/#null"
# Django knows db_default since then. Source: https://docs.djangoproject.com/en/5.0/releases/5.0/
_DB_DEFAULT_SINCE = (5, 0)


@rule("MG401", on=AddColumn, severity=Severity.ERROR, supersedes=("MG302", "MG303", "MG402"))
def not_null_without_default(context: ActionContext[AddColumn]) -> Iterator[Diagnostic]:
    """A NOT NULL column without any default cannot be added to a table that has rows."""
    if not context.touches_database:
        return
    if isinstance(context.operation, RunSQL | RunPython):
        yield from _by_sql(context)
        return
    if not isinstance(context.operation, AddField) or context.table_is_new:
        return
    field, name = context.operation.field, context.operation.name
    added = next((action for action in context.matching if action.certain), None)
    if name is None or added is None or not _has_no_value(field):
        return
    if is_emptied(context.project, context.step, added.table):
        return
    yield context.diagnostic(
        None,
        f"adding {context.model_name}.{name} as NOT NULL without a default {_consequence(context)}",
        help=_help(context, field, name, added),
        url=_URL,
        field=name,
        confidence=Confidence.LOW if context.step.conditional else Confidence.HIGH,
    )


def _by_sql(context: ActionContext[AddColumn]) -> Iterator[Diagnostic]:
    added = [
        action
        for action in context.matching
        if context.is_live(action)
        and _is_empty(context, action)
        and not is_emptied(context.project, context.step, action.table)
    ]
    if not added:
        return
    names = ", ".join(f"{action.table}.{action.column.name}" for action in added)
    first = added[0]
    yield context.diagnostic(
        None,
        f"SQL adds {names} as NOT NULL without a default: that {_consequence(context)}",
        help=f"{_error(context, first)}It passes on an empty test database, and fails where it matters. Write "
        f"`{first.column.name} … DEFAULT … NOT NULL`, or leave out NOT NULL, fill the column, and set it NOT NULL in a "
        "later release.",
        url=_URL,
        confidence=context.certainty(*added),
    )


def _is_empty(context: ActionContext[AddColumn], action: AddColumn) -> bool:
    """Whether it is certain that the rows get no value: a type that the database does not bring may have a default."""
    column = action.column
    if action.on_new_table or action.volatile is Truth.UNKNOWN:
        return False
    if action.guarded:
        table = context.step.schema_before.table(action.table)
        if table is not None and column.name in table.columns:
            return False
    return all(each.refuted for each in (column.null, column.default, column.identity, column.generated))


def _has_no_value(field: Field) -> bool:
    """Whether it is certain that neither Django nor the database knows what existing rows hold."""
    nothing_else = either(field.is_many_to_many, field.is_auto, field.is_generated, field.filled_when_blank)
    given = field.arguments.get("db_default")
    # A default of None is none: NULL is just what the column refuses.
    db_default = Truth.NO if isinstance(given, Literal) and given.kind == "none" else field.has_db_default
    return all(each.refuted for each in (field.null, nothing_else, field.gives_value, db_default))


def _consequence(context: ActionContext[AddColumn]) -> str:
    if context.database.vendor in ("mysql", "mariadb"):
        return f"fills existing rows with an empty value that nobody chose ({context.database.title})"
    return "fails as soon as the table has a row"


def _error(context: ActionContext[AddColumn], action: AddColumn) -> str:
    table, column = action.table, action.column.name
    if context.database.vendor == "sqlite" and not isinstance(context.operation, AddField):
        return "SQLite: OperationalError: Cannot add a NOT NULL column with default value NULL. "
    errors = {
        "postgresql": f'PostgreSQL: IntegrityError: column "{column}" of relation "{table}" contains null values. ',
        "sqlite": f"SQLite: IntegrityError: NOT NULL constraint failed: new__{table}.{column}. ",
    }
    return errors.get(context.database.vendor, "")


def _help(context: ActionContext[AddColumn], field: Field, name: str, action: AddColumn) -> str:
    call = field.call
    spelled = Paste().value(call.function) if isinstance(call, Call) else f"models.{field.class_name}"
    ways = [
        f"    {name} = {spelled}(…, null=True)     # then fill it, then make it NOT NULL, each in its own deploy",
    ]
    # One value cannot be that of every row: it is unique, or the key of one row.
    one_for_all = field.unique.refuted and not field.is_foreign_key
    if context.django_version >= _DB_DEFAULT_SINCE and one_for_all:
        ways.insert(0, f"    {name} = {spelled}(…, db_default=…)  # the running release can go on inserting rows")
    return (
        _error(context, action)
        + "It passes on an empty test database, and fails where it matters. "
        + f"Write{' one of' if len(ways) > 1 else ''}\n"
        + "\n".join(ways)
    )
