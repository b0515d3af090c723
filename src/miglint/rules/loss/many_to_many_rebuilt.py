"""A many-to-many field that Django cannot alter, or alters without its links."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AlterField,
    Confidence,
    Diagnostic,
    Expr,
    Field,
    FieldState,
    Literal,
    ModelState,
    OperationContext,
    Paste,
    Severity,
    join_table,
    rule,
    set_apart,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/"


@rule("MG207", on=AlterField, severity=Severity.ERROR)
def many_to_many_rebuilt(context: OperationContext[AlterField]) -> Iterator[Diagnostic]:
    """Django cannot alter a many-to-many field into another kind, or give it a join table of its own model."""
    model, name = context.model, context.operation.name
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None or not context.touches_database or context.table_is_new:
        return
    if not model.managed.certain or not model.proxy.refuted:
        return
    field = f"{context.model_name}.{state.name}"
    change = _change(state.field, context.operation.field, model.app)
    if change is None:
        return
    if change == "rows stay":
        says = f"{field} gets another join table: its links stay in the old one"
        help = _copy_help(state)
    else:
        says = f"{field} cannot be altered {change}: Django raises ValueError"
        help = _error_help(context, model, state)
    yield context.diagnostic(
        None,
        says,
        help=help,
        url=_URL,
        related=(context.related(state.origin.migration, state.origin.span, f"{state.name} was defined here"),),
        confidence=Confidence.LOW if context.step.conditional else Confidence.HIGH,
        field=state.name,
    )


def _change(old: Field, new: Field, app: str) -> str | None:
    """What changes, None where Django can do it or where it is not known."""
    was, will = old.is_many_to_many, new.is_many_to_many
    if old.type is None or new.type is None or not (old.complete and new.complete):
        return None
    if was.refuted and will.refuted:
        return None
    if was.certain and will.refuted:
        return f"from many-to-many to {new.class_name}"
    if was.refuted:
        return f"from {old.class_name} to many-to-many"
    if (old.through is None) != (new.through is None):
        return "to have an explicit `through`" if old.through is None else "to have no `through` any more"
    return "rows stay" if _named(old.through, app) != _named(new.through, app) else None


def _named(through: Expr | None, app: str) -> str:
    """A `through` model as Django compares it: with its app, without regard to case."""
    if not isinstance(through, Literal):
        return repr(through)
    name = through.text.lower()
    return name if "." in name else f"{app}.{name}"


def _copy_help(state: FieldState) -> str:
    return (
        "Django emits no SQL for it. Copy the rows of the old `through` model into the new one in a data migration "
        f"before the release that reads {state.name} through it, and delete the old model later."
    )


def _error_help(context: OperationContext[AlterField], model: ModelState, state: FieldState) -> str:
    error = (
        f"ValueError: Cannot alter field {context.model_name}.{state.name} into {context.model_name}.{state.name} - "
        "they are not compatible types (you cannot alter to or from M2M fields, or add or remove through= on M2M "
        "fields). "
    )
    new = context.operation.field
    if state.field.through is None and new.through is not None and state.field.kind == new.kind == "ManyToManyField":
        return error + _adopt_help(context, model, state)
    code, sequel = Paste(), context.instead
    fresh = f"{state.name}_new"
    where = {"model_name": f'"{model.name.lower()}"', "name": f'"{fresh}"'}
    give = {} if new.is_many_to_many.certain else {"null": "True"}
    if not new.is_relation.refuted:
        give["related_name"] = '"+"'
    add = code.operation("AddField", **where, field=code.field(new, drop=["default"], **give))
    first = sequel.migration(f"{model.name.lower()}_{fresh}", [add], code)
    return (
        f"{error}Add the field under a new name, copy the data in a data migration, let the code use it, and remove "
        f"the old one in a later release. Instead of this operation:\n{set_apart(first)}"
    )


def _adopt_help(context: OperationContext[AlterField], model: ModelState, state: FieldState) -> str:
    """The model takes over the table that is there, so that no link is lost."""
    table = join_table(state.name, state.field, model)
    code = Paste()
    through = code.value(context.operation.field.through) if context.operation.field.through is not None else "…"
    name = through.strip("\"'").rpartition(".")[2]
    to = code.value(state.field.to) if state.field.to is not None else "…"
    near = model.name.lower()
    create = (
        f'migrations.CreateModel(\n    name="{name}",\n    fields=[\n'
        '        ("id", models.BigAutoField(primary_key=True)),\n'
        f'        ("{near}", models.ForeignKey("{model.app}.{model.name}", models.CASCADE)),\n'
        f'        ("{to.strip(chr(34)).rpartition(".")[2].lower()}", models.ForeignKey({to}, models.CASCADE)),\n'
        f'    ],\n    options={{"db_table": "{table}"}},\n)'
    )
    alter = code.operation(
        "AlterField", model_name=f'"{near}"', name=f'"{state.name}"', field=code.field(context.operation.field)
    )
    return (
        f"Let the new model take over the table that is there ({table}), in the state alone; add its further fields "
        f"in later operations:\n{set_apart(code.separate(state=[create, alter]))}"
    )
