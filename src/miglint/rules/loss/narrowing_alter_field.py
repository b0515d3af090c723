"""A column that becomes too narrow for what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from miglint.api import (
    DEFAULTS,
    AlterColumnType,
    AlterField,
    Confidence,
    Diagnostic,
    Expr,
    Field,
    FieldState,
    Items,
    Literal,
    ModelState,
    Narrowing,
    Operation,
    OperationContext,
    Paste,
    Query,
    RunPython,
    RunSQL,
    Severity,
    fits,
    is_checked,
    narrowing,
    owner_of,
    prepared,
    rule,
    set_apart,
    staged,
)

_URL = "https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DATA-TYPE"
_SIZES = ("max_length", "max_digits", "decimal_places")


@rule("MG204", on=(AlterField, RunSQL, RunPython), severity=Severity.ERROR)
def narrowing_alter_field(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """A type or size that cannot hold every old value cuts values, or fails on them."""
    if not context.touches_database:
        return
    if isinstance(context.operation, AlterField):
        yield from _of_field(context, context.operation)
        return
    for action in context.actions:
        if isinstance(action, AlterColumnType) and not action.on_new_table and context.is_live(action):
            yield from _of_sql(context, action)


def _of_field(context: OperationContext[Operation], operation: AlterField) -> Iterator[Diagnostic]:
    model, name = context.model, operation.name
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None or context.table_is_new:
        return
    new = operation.field
    found = _narrowing(context, model, state, new)
    if found is None or context.column_is_new(model.table, model.column(state.name)):
        return
    ready = prepared(context.project.history, context.step, model, state)
    if ready.certain:
        return
    yield context.diagnostic(
        None,
        f"altering {context.model_name}.{state.name} from {_named(state.field, new)} to {_named(new, state.field)} "
        f"{found.says} "
        f"({context.database.title})",
        help=_help(context, operation, model, state, found),
        url=_URL,
        related=(context.related(state.origin.migration, state.origin.span, f"{state.name} was defined here"),),
        confidence=Confidence.LOW
        if context.step.conditional or ready.possible or _is_out_of_form(context, model, state, new)
        else Confidence.HIGH,
        field=state.name,
    )


def _is_out_of_form(context: OperationContext[Operation], model: ModelState, state: FieldState, new: Field) -> bool:
    """Whether a form of the old field took no value that the new column does not hold: its choices, or its length.

    The database takes any: code that saves without asking a form may have written others.
    """
    before, after = _types(context, model, state)
    choices = tuple(_choices(state.field.arguments.get("choices")))
    if choices:
        return all(fits(value, after, checked=is_checked(new).certain) for value in choices)
    old, limit = state.field.max_length, new.max_length
    return before in ("text", "citext") and old is not None and limit is not None and old <= limit


def _choices(given: Expr | None) -> Iterator[str | int | None]:
    """The values of choices, those in groups too; None for what cannot be read."""
    for each in given.items if isinstance(given, Items) else ():
        match each:
            case Items(items=(_, Items() as group)):
                yield from _choices(group)
            case Items(items=(Literal(kind="str" | "int") as value, _)):
                yield value.value
            case Items(items=(Literal(kind="none"), _)):
                continue
            case _:
                yield None


def _of_sql(context: OperationContext[Operation], action: AlterColumnType) -> Iterator[Diagnostic]:
    """A column whose type SQL changes, of a model that Django manages."""
    model = owner_of(action.table, context.before)
    if model is None or model.table != action.table or model.managed.refuted:
        return
    state = next((each for each in model.fields.values() if model.column(each.name) == action.column), None)
    found = narrowing(action.old_type, action.new_type, context.database, casts=action.casts)
    if state is None or found is None or context.column_is_new(action.table, action.column):
        return
    before = tuple(takewhile(lambda each: each is not action, context.actions))
    ready = prepared(context.project.history, context.step, model, state, within=before)
    if ready.certain or _asks(context, model):
        return
    label = f"{model.app}.{model.name}"
    yield context.diagnostic(
        None,
        f"SQL that changes {label}.{state.name} from {action.old_type} to {action.new_type} {found.says} "
        f"({context.database.title})",
        help=f"{_outcome(context, found)}{_mend(action, found)} Or keep {action.column}: add a column of the new type "
        "beside it, copy to it what is to stay, and let the code use that one; drop the old one in a later release.",
        url=_URL,
        related=(context.related(state.origin.migration, state.origin.span, f"{state.name} was defined here"),),
        confidence=min(context.certainty(action), Confidence.LOW if ready.possible else Confidence.HIGH),
        model=model.name,
        field=state.name,
    )


def _mend(action: AlterColumnType, found: Narrowing) -> str:
    if found.values == "all values":
        return f"Say with USING how a value of {action.old_type} becomes one of {action.new_type}."
    return "Ask which rows have such values, and mend them before this statement."


def _asks(context: OperationContext[Operation], model: ModelState) -> bool:
    """Whether the code that hands the SQL over works on the model's rows, too: it may mend them first."""
    if not isinstance(context.operation, RunPython):
        return False
    return any(query.key == model.key for query in context.usage.of(Query))


def _narrowing(
    context: OperationContext[Operation], model: ModelState, state: FieldState, new: Field
) -> Narrowing | None:
    old = state.field
    if model.managed.refuted or model.proxy.certain:
        return None
    if new.kind == "JSONField" and old.holds_json:
        return None
    if old.is_relation.certain and new.is_relation.certain and old.arguments.get("to") != new.arguments.get("to"):
        return None  # another table's values: MG206
    before, after = _types(context, model, state)
    # Keys are numbers that the database counts up.
    negative = is_checked(new).certain and is_checked(old).refuted and not old.is_relation.certain
    return narrowing(before, after, context.database, negative=negative)


def _types(context: OperationContext[Operation], model: ModelState, state: FieldState) -> tuple[str | None, str | None]:
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


def _outcome(context: OperationContext[Operation], found: Narrowing) -> str:
    """What the database says, and when that shows."""
    if found.outcome != "refused":
        silent = "reports no error where it rounds" if found.besides else "reports no error"
        return f"{context.database.title} {silent}, and undoing the migration does not bring the values back. "
    said = f"{context.database.title}: {found.error}. " if found.error else ""
    if found.values == "all values":
        return f"{said}The migration fails on a table without rows, too. "
    return f"{said}The migration passes on a test database and fails where such a row is. "


def _help(
    context: OperationContext[Operation], operation: AlterField, model: ModelState, state: FieldState, found: Narrowing
) -> str:
    if operation.field.primary_key.certain:
        return (
            f"{_outcome(context, found)}Ask first whether a row has such a key, and keep the type as long as one may: "
            "rows of other tables refer to it."
        )
    mend = "" if "all values" in found.values else "Mend such rows in a migration before this one. Or keep"
    sequel = context.instead
    new_name = f"{state.name}_new"
    left_out = ("unique", "db_index", "db_column", *DEFAULTS)
    # The form is PostgreSQL's; where no type changes, the new column has that of the old one.
    after = _types(context, model, state)[1] if context.database.vendor == "postgresql" else None
    first = staged.fresh_column(sequel, operation, new_name, left_out, table=model.table, type=after)
    fill = Paste()
    run = fill.operation("RunPython", "copy", "migrations.RunPython.noop")
    value = f"row.{state.name}_id" if state.field.is_relation.certain else f"row.{state.name}"
    attribute = f"{new_name}_id" if operation.field.is_relation.certain else new_name
    # A class that is not Django's may well make Python's values of the text itself.
    if operation.field.kind == "JSONField" and state.field.kind != "JSONField" and state.field.type is not None:
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
        f"{_outcome(context, found)}{mend or 'Keep'} the old column until the new one is "
        f"checked: instead of this operation,\n{set_apart(*first, second)}\n"
        f"then let the code use {new_name}, and remove {state.name} in a later release."
    )
