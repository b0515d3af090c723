"""A NOT NULL column that existing rows have no value for."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AddColumn,
    AddField,
    Call,
    Confidence,
    Diagnostic,
    Expr,
    Field,
    Literal,
    OperationContext,
    Paste,
    Severity,
    Truth,
    either,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/models/fields/#null"
# Django knows db_default since then. Source: https://docs.djangoproject.com/en/5.0/releases/5.0/
_DB_DEFAULT_SINCE = (5, 0)


@rule("MG401", on=AddField, severity=Severity.ERROR, supersedes=("MG402",))
def not_null_without_default(context: OperationContext[AddField]) -> Iterator[Diagnostic]:
    """A NOT NULL column without any default cannot be added to a table that has rows."""
    field, name = context.operation.field, context.operation.name
    if name is None or not context.touches_database or context.table_is_new or not _has_no_value(field):
        return
    for action in context.actions:
        if isinstance(action, AddColumn) and action.certain:
            yield context.diagnostic(
                None,
                f"adding {context.model_name}.{name} as NOT NULL without a default {_consequence(context)}",
                help=_help(context, name, action),
                url=_URL,
                field=name,
                confidence=Confidence.LOW if context.step.conditional else Confidence.HIGH,
            )
            return


def _has_no_value(field: Field) -> bool:
    """Whether it is certain that neither Django nor the database knows what existing rows hold."""
    nothing_else = either(field.is_many_to_many, field.is_auto, field.is_generated, field.filled_when_blank)
    default = _is_given(field.has_default, field.arguments.get("default"))
    db_default = _is_given(field.has_db_default, field.arguments.get("db_default"))
    return all(each.refuted for each in (field.null, nothing_else, default, db_default))


def _is_given(truth: Truth, value: Expr | None) -> Truth:
    """A default of None is none: NULL is just what the column refuses."""
    return Truth.NO if isinstance(value, Literal) and value.kind == "none" else truth


def _consequence(context: OperationContext[AddField]) -> str:
    if context.database.vendor in ("mysql", "mariadb"):
        return f"fills existing rows with an empty value that nobody chose ({context.database.title})"
    return "fails as soon as the table has a row"


def _help(context: OperationContext[AddField], name: str, action: AddColumn) -> str:
    table, column = action.table, action.column.name
    errors = {
        "postgresql": f'PostgreSQL: IntegrityError: column "{column}" of relation "{table}" contains null values. ',
        "sqlite": f"SQLite: IntegrityError: NOT NULL constraint failed: new__{table}.{column}. ",
    }
    given = context.operation.field
    call = given.call
    field = Paste().value(call.function) if isinstance(call, Call) else f"models.{given.class_name}"
    ways = [
        f"    {name} = {field}(…, null=True)     # then fill it, then make it NOT NULL, each in its own deploy",
    ]
    # One value cannot be that of every row: it is unique, or the key of one row.
    one_for_all = given.unique.refuted and not given.is_foreign_key
    if context.django_version >= _DB_DEFAULT_SINCE and one_for_all:
        ways.insert(0, f"    {name} = {field}(…, db_default=…)  # the running release can go on inserting rows")
    return (
        errors.get(context.database.vendor, "")
        + "It passes on an empty test database, and fails where it matters. "
        + f"Write{' one of' if len(ways) > 1 else ''}\n"
        + "\n".join(ways)
    )
