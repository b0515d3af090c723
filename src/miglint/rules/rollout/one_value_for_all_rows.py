"""A default that is computed once, and given to every row."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AddColumn,
    AddField,
    AddUnique,
    Call,
    Diagnostic,
    Expr,
    ModelState,
    Name,
    OperationContext,
    Paste,
    Place,
    Severity,
    Step,
    Truth,
    fill_each,
    may_write,
    rule,
    set_apart,
    taken_along,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#migrations-that-add-unique-fields"


@rule("MG407", on=AddField, severity=Severity.ERROR, supersedes=("MG402",))
def one_value_for_all_rows(context: OperationContext[AddField]) -> Iterator[Diagnostic]:
    """A callable default is called once: every row that is there gets the same value."""
    model, name, field = context.model, context.operation.name, context.operation.field
    if model is None or name is None or not context.touches_database or context.table_is_new:
        return
    added = next((action for action in context.actions if isinstance(action, AddColumn)), None)
    if added is None or not added.python_default.certain or field.has_db_default.possible:
        return
    unique = _unique(context, model, name, added)
    fresh = _is_fresh(context)
    if not unique and (not fresh or _filled_later(context, model, name, added)):
        return
    what = f"adding {context.model_name}.{name} gives every row the same value"
    given = field.arguments.get("default")
    if isinstance(given, Name | Call):
        what += f": {_spelled(given)} is called once"
    if unique:
        what += ", and the column is unique: the migration fails as soon as the table has two rows"
    yield context.diagnostic(
        None,
        what,
        help=_help(context, model, name, added, fresh=fresh, unique=unique),
        url=_URL,
        field=name,
        confidence=context.certainty(added),
    )


def _is_fresh(context: OperationContext[AddField]) -> bool:
    given = context.operation.field.arguments.get("default")
    if given is None:
        return False
    return context.is_fresh(given).certain


def _unique(context: OperationContext[AddField], model: ModelState, name: str, added: AddColumn) -> bool:
    """Whether the column alone is unique, by its field or by a constraint later in the migration, before any fill."""
    if context.operation.field.unique.certain:
        return True
    for step in _later(context):
        if step.migration is not context.migration:
            return False
        if _may_fill(step, model, name, added).possible:
            return False
        for action in step.actions:
            # A unique index of a constraint may hold under a condition: whether it fails is not known.
            if not isinstance(action, AddUnique) or action.table != added.table:
                continue
            if action.certain and action.columns == (added.column.name,):
                return True
    return False


def _later(context: OperationContext[AddField]) -> Iterator[Step]:
    """The steps of the app that come after."""
    return context.project.history.after(context.step, app=context.migration.app)


def _filled_later(context: OperationContext[AddField], model: ModelState, name: str, added: AddColumn) -> bool:
    """Whether later code gives the rows values of their own."""
    for step in _later(context):
        filled = _may_fill(step, model, name, added)
        if filled.certain or (filled.possible and step.migration is context.migration):
            return True
    return False


def _may_fill(step: Step, model: ModelState, name: str, added: AddColumn) -> Truth:
    place = Place(step=step, model=model.key, field=name.lower(), column=added.column.name, table=added.table)
    return may_write(place)


def _spelled(value: Expr) -> str:
    return Paste().value(value)


# -- what to write ----------------------------------------------------------------------------------------


def _help(
    context: OperationContext[AddField], model: ModelState, name: str, added: AddColumn, *, fresh: bool, unique: bool
) -> str:
    field, sequel = context.operation.field, context.sequel
    error = {
        "postgresql": f'IntegrityError: could not create unique index "{added.table}_{added.column.name}_key". ',
        "sqlite": f"IntegrityError: UNIQUE constraint failed: new__{added.table}.{added.column.name}. ",
    }.get(context.database.vendor, "IntegrityError: Duplicate entry … ")
    here, second, third = Paste(), Paste(), Paste()
    where = {"model_name": f'"{model.name.lower()}"', "name": f'"{name}"'}
    add = here.operation("AddField", **where, field=here.field(field, drop=["default", "unique"], null="True"))
    given = field.arguments.get("default")
    value = f"{second.value(given)}()" if given is not None and fresh else "…  # a value of its own"
    function = fill_each(model.name, model.app, name, value, function=f"fill_{name}", key=field.is_relation.certain)
    run = second.operation("RunPython", f"fill_{name}", "migrations.RunPython.noop")
    last = third.operation("AlterField", **where, field=third.field(field))
    files = [
        sequel.migration(f"fill_{model.name.lower()}_{name}", [run], second, functions=function),
        sequel.migration(f"alter_{model.name.lower()}_{name}", [last], third),
    ]
    begin = (error if unique else "") + taken_along(given, context.migration)
    return (
        f"{begin}Add it as nullable and not unique, give each row its own value, then alter it:\n"
        f"{set_apart(add, *files)}"
    )
