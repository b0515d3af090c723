"""A column that becomes too narrow for what is in it."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    DEFAULTS,
    AlterColumnType,
    AlterField,
    Confidence,
    Diagnostic,
    Field,
    FieldState,
    Literal,
    ModelState,
    Narrowing,
    OperationContext,
    Paste,
    Severity,
    is_checked,
    narrowing,
    prepared,
    rule,
    set_apart,
    staged,
)

_URL = "https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DATA-TYPE"
_SIZES = ("max_length", "max_digits", "decimal_places")


@rule("MG204", on=AlterField, severity=Severity.ERROR)
def narrowing_alter_field(context: OperationContext[AlterField]) -> Iterator[Diagnostic]:
    """A type or size that cannot hold every old value cuts values, or fails on them."""
    model, name = context.model, context.operation.name
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None or not context.touches_database or context.table_is_new:
        return
    found = _narrowing(context, model, state)
    if found is None or context.column_is_new(model.table, model.column(state.name)):
        return
    ready = prepared(context.project.history, context.step, model, state)
    if ready.certain:
        return
    new = context.operation.field
    yield context.diagnostic(
        None,
        f"altering {context.model_name}.{state.name} from {_named(state.field, new)} to {_named(new, state.field)} "
        f"{found.says} "
        f"({context.database.title})",
        help=_help(context, model, state, found),
        url=_URL,
        related=(context.related(state.origin.migration, state.origin.span, f"{state.name} was defined here"),),
        confidence=Confidence.LOW if context.step.conditional or ready.possible else Confidence.HIGH,
        field=state.name,
    )


def _narrowing(context: OperationContext[AlterField], model: ModelState, state: FieldState) -> Narrowing | None:
    old, new = state.field, context.operation.field
    if model.managed.refuted or model.proxy.certain:
        return None
    if new.kind == "JSONField" and old.holds_json:
        return None
    if old.is_relation.certain and new.is_relation.certain and old.arguments.get("to") != new.arguments.get("to"):
        return None  # another table's values: MG206
    before, after = _types(context, model, state)
    negative = is_checked(new).certain and is_checked(old).refuted
    return narrowing(before, after, context.database, negative=negative)


def _types(
    context: OperationContext[AlterField], model: ModelState, state: FieldState
) -> tuple[str | None, str | None]:
    """The column's type before and after, None where that is not known."""
    table = context.step.schema_before.table(model.table)
    column = table.columns.get(model.column(state.name)) if table is not None else None
    changed = next((a for a in context.actions if isinstance(a, AlterColumnType) and not a.cascades), None)
    before = changed.old_type if changed is not None else column.type if column is not None else None
    return before, changed.new_type if changed is not None else before


def _named(field: Field, other: Field) -> str:
    """A field's class and sizes, with its module where the other's class has the same name."""
    sizes = [(name, value) for name in _SIZES if isinstance(value := field.arguments.get(name), Literal)]
    inner = ", ".join(f"{name}={value.text}" for name, value in sizes)
    alike = field.class_name == other.class_name and field.callee != other.callee
    name = field.callee if alike else field.class_name
    return f"{name}({inner})" if inner else name


def _help(context: OperationContext[AlterField], model: ModelState, state: FieldState, found: Narrowing) -> str:
    said = f"{context.database.title}: {found.error}. " if found.error else ""
    if found.outcome == "refused":
        what = "The migration passes on a test database and fails where such a row is. "
    else:
        what = f"{context.database.title} reports no error, and undoing the migration does not bring the values back. "
    mend = "" if "all values" in found.values else "Mend such rows in a migration before this one. Or keep"
    sequel = context.instead
    new_name = f"{state.name}_new"
    left_out = ("unique", "db_index", "db_column", *DEFAULTS)
    # The form is PostgreSQL's; where no type changes, the new column has that of the old one.
    after = _types(context, model, state)[1] if context.database.vendor == "postgresql" else None
    first = staged.fresh_column(sequel, context.operation, new_name, left_out, table=model.table, type=after)
    fill = Paste()
    run = fill.operation("RunPython", "copy", "migrations.RunPython.noop")
    value = f"row.{state.name}_id" if state.field.is_relation.certain else f"row.{state.name}"
    attribute = f"{new_name}_id" if context.operation.field.is_relation.certain else new_name
    # A class that is not Django's may well make Python's values of the text itself.
    if context.operation.field.kind == "JSONField" and state.field.kind != "JSONField" and state.field.type is not None:
        fill.imports.add("import json")
        value = f"json.loads({value})"
    function = (
        "def copy(apps, schema_editor):\n"
        f'    {model.name} = apps.get_model("{model.app}", "{model.name}")\n'
        f"    rows = {model.name}.objects.using(schema_editor.connection.alias)\n"
        f"    for row in rows.filter({state.name}__isnull=False).iterator():\n"
        f"        row.{attribute} = {value}  # {found.values}: decide here what becomes of them\n"
        f'        row.save(update_fields=["{new_name}"])\n'
    )
    second = sequel.migration(f"copy_{model.name.lower()}_{state.name}", [run], fill, functions=function)
    return (
        f"{said}{what}{mend or 'Keep'} the old column until the new one is "
        f"checked: instead of this operation,\n{set_apart(*first, second)}\n"
        f"then let the code use {new_name}, and remove {state.name} in a later release."
    )
