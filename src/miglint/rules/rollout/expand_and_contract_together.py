"""Three steps of a rollout in one release."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AddField,
    AlterField,
    Diagnostic,
    FieldState,
    ModelState,
    OperationContext,
    Paste,
    Place,
    RunPython,
    RunSQL,
    SetNotNull,
    Severity,
    may_write,
    rule,
    set_apart,
    since_nullable,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#migrations-that-add-unique-fields"


@rule("MG406", on=AlterField, severity=Severity.WARNING)
def expand_and_contract_together(context: OperationContext[AlterField]) -> Iterator[Diagnostic]:
    """A field that is added, filled and made NOT NULL in one release breaks the INSERTs of the one before it."""
    model, name = context.model, context.operation.name
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None or context.project.deploy == "downtime":
        return
    if not context.touches_database or context.table_is_new:
        return
    tightened = next((a for a in context.actions if isinstance(a, SetNotNull) and a.certain), None)
    if tightened is None or context.operation.field.has_db_default.possible:
        return
    places = since_nullable(context.project.history, context.step, model, state)
    added = places[-1] if places else None
    if added is None or not _is_added_here(context, added, places):
        return
    filled = context.operation.field.gives_value.certain or any(_fills(place) for place in places)
    if not filled:
        return
    yield context.diagnostic(
        None,
        f"{context.model_name}.{state.name} is added, filled and made NOT NULL in one release: "
        "INSERTs of the release before it fail from then on",
        help=_help(context, model, state),
        url=_URL,
        field=state.name,
        related=(context.related(added.step.migration, added.step.operation.span, f"{state.name} is added here"),),
        confidence=context.certainty(tightened),
    )


def _is_added_here(context: OperationContext[AlterField], added: Place, places: tuple[Place, ...]) -> bool:
    """Whether the field was added, as nullable, by what is released together with this step."""
    if not isinstance(added.step.operation, AddField) or not added.step.touches_database:
        return False
    if not added.step.operation.field.null.certain:
        return False
    together = context.project.unreleased | {context.migration.key}
    return added.step.migration.key in together and context.migration.key in together


def _fills(place: Place) -> bool:
    return isinstance(place.step.operation, RunPython | RunSQL) and may_write(place).certain


def _help(context: OperationContext[AlterField], model: ModelState, state: FieldState) -> str:
    code, sequel = Paste(), context.sequel
    alter = code.operation(
        "AlterField",
        model_name=f'"{model.name.lower()}"',
        name=f'"{state.name}"',
        field=code.field(context.operation.field),
    )
    last = sequel.migration(f"require_{model.name.lower()}_{state.name}", [alter], code)
    return (
        "The running release does not know the field and inserts rows without it: first they stay NULL (after the "
        "fill, too), then they are refused. Make three releases of it: the nullable field, which the new code writes; "
        f"the fill; and, when no process of the old release is left:\n{set_apart(last)}"
    )
