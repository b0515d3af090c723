"""A column, or a join table, that is dropped with its data."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Confidence,
    Diagnostic,
    DropColumn,
    DropTable,
    FieldState,
    ModelState,
    OperationContext,
    RemoveField,
    Severity,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#removefield"


@rule("MG201", on=RemoveField, severity=Severity.ERROR)
def remove_field(context: OperationContext[RemoveField]) -> Iterator[Diagnostic]:
    """Removing a field drops its column, or its join table, with all the data in it."""
    model, name = context.model, context.operation.name
    field = model.field(name) if model is not None and name is not None else None
    if model is None or field is None or not context.touches_database or context.table_is_new:
        return
    for action in context.actions:
        if isinstance(action, DropColumn):
            if context.column_is_new(action.table, action.column):
                return
            lost = f"the column {action.table}.{action.column}"
        elif isinstance(action, DropTable):
            lost = f"the join table {action.table}, which holds all links of {model.name}.{field.name}"
        else:
            continue
        yield context.diagnostic(
            None,
            f"removing {context.model_name}.{field.name} drops {lost}, with its data",
            help=_help(context, model, field, action),
            url=_URL,
            related=(context.related(field.origin.migration, field.origin.span, f"{field.name} was added here"),),
            confidence=Confidence.HIGH if action.certain else Confidence.LOW,
            field=field.name,
        )
        return


def _help(
    context: OperationContext[RemoveField], model: ModelState, field: FieldState, action: DropColumn | DropTable
) -> str:
    cascade = ""
    if isinstance(action, DropColumn) and action.cascade and context.database.vendor == "postgresql":
        version = ".".join(map(str, context.django_version))
        cascade = f"Django {version} writes DROP COLUMN … CASCADE: views that use the column go too, without a word. "
    if isinstance(action, DropTable):
        lost = (
            "Undoing the migration brings the join table back empty. The release that runs during the deploy fails as "
            "soon as it follows the relation. "
        )
    else:
        lost = (
            "Undoing the migration brings the column back empty. The release that runs during the deploy still names "
            f"it in every query, and fails. {cascade}"
        )
    if field.field.primary_key.certain:
        return (
            f"{lost}It is the primary key: rows of other tables, caches and links know the rows by it. Keep its values "
            "in a column of another name until nothing asks for them any more."
        )
    return (
        f"{lost}Take it out in two releases: first from the state alone,\n"
        "    migrations.SeparateDatabaseAndState(\n"
        f"        state_operations=[migrations.RemoveField({model.name.lower()!r}, {field.name!r})],\n"
        f"{_nullable(context, field, action)}"
        "    )\n"
        "then, when no release uses it any more, from the database:\n"
        f"    migrations.RunSQL({_drop(action)!r}, migrations.RunSQL.noop)"
    )


def _nullable(context: OperationContext[RemoveField], field: FieldState, action: DropColumn | DropTable) -> str:
    """What lets the new release insert rows without the column that is left behind."""
    known = field.field.null.certain or field.field.has_db_default.certain
    if isinstance(action, DropTable) or known or context.database.vendor != "postgresql":
        return ""
    sql = f"ALTER TABLE {action.table} ALTER COLUMN {action.column} DROP NOT NULL"
    return f"        database_operations=[migrations.RunSQL({sql!r}, migrations.RunSQL.noop)],\n"


def _drop(action: DropColumn | DropTable) -> str:
    if isinstance(action, DropTable):
        return f"DROP TABLE {action.table}"
    return f"ALTER TABLE {action.table} DROP COLUMN {action.column}"
