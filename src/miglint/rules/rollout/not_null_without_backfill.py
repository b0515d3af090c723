"""A column that becomes NOT NULL though nothing has filled its NULLs."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AlterField,
    Diagnostic,
    FieldState,
    ModelState,
    Paste,
    SetNotNull,
    Severity,
    Step,
    Truth,
    either,
    fill,
    has_effective_default,
    may_write,
    quoted,
    rule,
    set_apart,
    since_nullable,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#alterfield"


@rule("MG410", on=SetNotNull, severity=Severity.WARNING)
def not_null_without_backfill(context: ActionContext[SetNotNull]) -> Iterator[Diagnostic]:
    """A column made NOT NULL fails on rows that hold NULL, and nothing in the history has filled them."""
    action = context.action
    if not context.touches_database or not context.is_live(action) or not action.certain:
        return
    if action.is_kept_already:
        return
    model = context.before.model(*action.model) if action.model is not None else None
    state = _field_of(model, action.column) if model is not None else None
    if model is None or state is None or not state.field.null.certain or _fills_itself(context).possible:
        return
    places = since_nullable(context.project.history, context.step, model, state)
    if any(may_write(place).possible for place in places):
        return
    made = places[-1].step if places else None
    if made is not None and isinstance(made.operation, AlterField) and _is_together(context, made):
        return  # no release has written a NULL in between
    yield context.diagnostic(
        None,
        f"{model.app}.{model.name}.{state.name} becomes NOT NULL, but nothing has filled the rows that hold NULL",
        help=_help(context, model, state, action),
        url=_URL,
        model=model.name,
        field=state.name,
        related=(context.related(made.migration, made.operation.span, "nullable since here"),) if made else (),
        confidence=context.certainty(action),
    )


def _is_together(context: ActionContext[SetNotNull], step: Step) -> bool:
    """Whether a step is released together with this one."""
    unreleased = context.project.unreleased
    return step.migration is context.migration or {step.migration.key, context.migration.key} <= unreleased


def _field_of(model: ModelState, column: str) -> FieldState | None:
    return next((state for state in model.fields.values() if model.column(state.name) == column), None)


def _fills_itself(context: ActionContext[SetNotNull]) -> Truth:
    """Whether Django fills the NULLs in the same operation."""
    if not isinstance(context.operation, AlterField):
        return Truth.NO
    field = context.operation.field
    filled = either(field.gives_value, field.has_db_default)
    # SQLite copies the rows to a new table, and fills on the way whatever Django has a value for.
    return either(filled, has_effective_default(field)) if context.database.vendor == "sqlite" else filled


def _help(context: ActionContext[SetNotNull], model: ModelState, state: FieldState, action: Action) -> str:
    column = model.column(state.name)
    error = {
        "postgresql": f'IntegrityError: column "{column}" of relation "{model.table}" contains null values',
        "sqlite": f"IntegrityError: NOT NULL constraint failed: new__{model.table}.{column}",
    }.get(context.database.vendor, f"DataError: Data truncated for column '{column}' at row 1")
    function = f"fill_{state.name}"
    code, sequel = Paste(), context.instead
    run = code.operation("RunPython", function, "migrations.RunPython.noop")
    first = sequel.migration(
        f"fill_{model.name.lower()}_{state.name}", [run], code,
        functions=fill(model.name, model.app, state.name, "…", function=function, note="what these rows are to hold"),
    )  # fmt: skip
    files = [first]
    if isinstance(context.operation, AlterField):
        alter = Paste()
        where = {"model_name": quoted(model.name.lower()), "name": quoted(state.name)}
        last = alter.operation("AlterField", **where, field=alter.field(context.operation.field))
        files.append(sequel.migration(f"require_{model.name.lower()}_{state.name}", [last], alter))
    return (
        f"Where a row holds NULL, the migration fails ({error}); blank=True gives a value to no row that is there. "
        f"Fill it in a migration before, when the code writes it already:\n{set_apart(*files)}"
    )
