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
    Paste,
    RemoveField,
    Severity,
    comes_back,
    rule,
    set_apart,
    staged,
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
        kept = isinstance(action, DropColumn) and field.field.is_generated.certain
        yield context.diagnostic(
            None,
            f"removing {context.model_name}.{field.name} drops {lost}, "
            + ("which the database computes" if kept else "with its data"),
            help=_help(context, model, field, action),
            url=_URL,
            related=(context.related(field.origin.migration, field.origin.span, f"{field.name} was defined here"),),
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
            f"{_undone(context, field, action)} The release that runs during the deploy still names "
            f"it in every query, and fails. {cascade}"
        )
    if field.field.primary_key.certain:
        return (
            f"{lost}It is the primary key: rows of other tables, caches and links know the rows by it. Keep its values "
            "in a column of another name until nothing asks for them any more."
        )
    code = Paste()
    alone = staged.left_behind(field.field, code, model=model.name, name=field.name)
    where = {"model_name": f'"{model.name.lower()}"', "name": f'"{field.name}"'}
    first = [alone] if alone is not None else []
    first.append(code.separate(state=[code.operation("RemoveField", **where)]))
    return (
        f"{lost}Take it out in two releases: first from the state alone{_needs(field, action, alone)},\n"
        f"{set_apart(*first)}\n"
        "then, when no release uses it any more, from the database:\n"
        f"{set_apart(code.run_sql(_drop(context, action), ''))}"
    )


def _undone(context: OperationContext[RemoveField], field: FieldState, action: DropColumn) -> str:
    """What undoing the removal does to a table that has rows."""
    if field.field.is_generated.certain:
        return "Undoing the migration brings the column back, computed again."
    fills = context.database.vendor in ("mysql", "mariadb") or context.schema_at_end.table(action.table) is None
    if fills or not comes_back(field.field).refuted:
        return "Undoing the migration brings the column back empty."
    return "Undoing the migration fails on a table with rows: the column is NOT NULL and has no default."


def _needs(field: FieldState, action: DropColumn | DropTable, alone: str | None) -> str:
    """Why the new release cannot work beside what is left in the database as it is."""
    if alone is None:
        return ""
    does = ["insert rows"] if isinstance(action, DropColumn) and not field.field.null.certain else []
    if field.field.is_relation.certain:
        does.append(
            "delete rows that it refers to" if isinstance(action, DropColumn) else "delete rows that have links"
        )
    return f" (as it is, the new release could not {' or '.join(does)})"


def _drop(context: OperationContext[RemoveField], action: DropColumn | DropTable) -> str:
    named = context.database.quoted
    if isinstance(action, DropTable):
        return f"DROP TABLE {named(action.table)}"
    return f"ALTER TABLE {named(action.table)} DROP COLUMN {named(action.column)}"
