"""A relation that is pointed at another model: its values are ids of the old one."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AlterField,
    Confidence,
    Diagnostic,
    Field,
    FieldState,
    InsertRows,
    Literal,
    ModelKey,
    ModelState,
    OperationContext,
    Paste,
    Place,
    ProjectState,
    RunPython,
    Severity,
    World,
    join_table,
    may_write,
    model_key,
    prepared,
    rule,
    set_apart,
    target_key,
    target_of,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/models/fields/#foreignkey"
_MAX_BASES = 8


@rule("MG206", on=AlterField, severity=Severity.ERROR)
def foreign_key_repointed(context: OperationContext[AlterField]) -> Iterator[Diagnostic]:
    """A relation pointed at another model keeps the old values, which are ids of another table."""
    model, name = context.model, context.operation.name
    state = model.field(name) if model is not None and name is not None else None
    if model is None or state is None or not context.touches_database or context.table_is_new:
        return
    if model.managed.refuted or model.proxy.certain or not _keeps_values(state.field, context.operation.field):
        return
    old, new = (
        target_key(field, model.app, model.name, _world(context, at))
        for field, at in ((state.field, context.before), (context.operation.field, context.after))
    )
    if old is None or new is None or old == new or _same_rows(context, model, state.field, old, new):
        return
    if _is_moved(context, new):
        return
    ready = prepared(context.project.history, context.step, model, state)
    if ready.certain:
        return
    child = _concrete(context, old) in _bases(context, _concrete(context, new))
    was, becomes = _called(context, old), _called(context, new)
    stay = f"but values whose {was} is no {becomes} stay" if child else f"but its values stay ids of {was}"
    yield context.diagnostic(
        None,
        f"{context.model_name}.{state.name} points at {becomes} instead of {was}, {stay}",
        help=_help_of_child(context, model, state, old, new) if child else _help(context, model, state, old, new),
        url=_URL,
        related=(context.related(state.origin.migration, state.origin.span, f"{state.name} was defined here"),),
        confidence=Confidence.LOW if context.step.conditional or ready.possible else Confidence.HIGH,
        field=state.name,
    )


def _world(context: OperationContext[AlterField], state: ProjectState) -> World:
    return World(state, context.project.swappable)


def _keeps_values(old: Field, new: Field) -> bool:
    """Whether both are relations whose values are kept: keys, or join tables that Django makes itself."""
    keys = ("ForeignKey", "OneToOneField")
    if old.kind in keys and new.kind in keys:
        return True
    return old.kind == new.kind == "ManyToManyField" and old.through is None and new.through is None


def _same_rows(
    context: OperationContext[AlterField], model: ModelState, field: Field, old: ModelKey, new: ModelKey
) -> bool:
    """Whether the old values are rows of the new target: one table under two names, a proxy, or a base of the old."""
    before, after = _world(context, context.before), _world(context, context.after)
    here = target_of(field, model.app, model.name, before)
    there = target_of(context.operation.field, model.app, model.name, after)
    if there.table and there.table == (here.table or f"{old.app}_{old.name}"):
        return True
    old, new = _concrete(context, old), _concrete(context, new)
    return old == new or new in _bases(context, old)


def _concrete(context: OperationContext[AlterField], key: ModelKey) -> ModelKey:
    """The model whose table a proxy shares."""
    for _ in range(_MAX_BASES):
        model = context.before.model(*key) or context.after.model(*key)
        base = model.bases[0] if model is not None and model.proxy.certain and model.bases else None
        if model is None or not isinstance(base, Literal):
            break
        app, _, name = base.text.rpartition(".")
        key = model_key(app or model.app, name)
    return key


def _is_moved(context: OperationContext[AlterField], new: ModelKey) -> bool:
    """Whether code before it, here or in the migration before, brings rows to the new target."""
    model = context.after.model(*new)
    if model is None:
        return False
    keys = {context.migration.key, *context.graph.parents(context.migration.key)}
    for step in context.project.history.before(context.step):
        if step.migration.key not in keys:
            continue
        if any(isinstance(action, InsertRows) and action.table == model.table for action in step.actions):
            return True
        place = Place(step=step, model=new, field=new.name, column=model.table, table=model.table)
        if isinstance(step.operation, RunPython) and may_write(place).possible:
            return True
    return False


def _bases(context: OperationContext[AlterField], key: ModelKey) -> set[ModelKey]:
    """The models of which a model is a child: their rows have its ids."""
    found: set[ModelKey] = set()
    pending = [key]
    while pending:
        model = context.before.model(*pending.pop())
        for state in model.fields.values() if model is not None else ():
            if state.field.flag("parent_link").certain and model is not None:
                base = target_key(state.field, model.app, model.name, _world(context, context.before))
                if base is not None and base not in found:
                    found.add(base)
                    pending.append(base)
    return found


def _called(context: OperationContext[AlterField], key: ModelKey) -> str:
    model = context.after.model(*key) or context.before.model(*key)
    return f"{key.app}.{model.name if model is not None else key.name}"


# -- what to write ----------------------------------------------------------------------------------------


def _refuses(context: OperationContext[AlterField], model: ModelState, state: FieldState) -> str:
    is_many = state.field.kind == "ManyToManyField"
    table = join_table(state.name, state.field, model) if is_many else model.table
    fails = {
        "postgresql": f'insert or update on table "{table}" violates foreign key constraint',
        "sqlite": "The row in table … has an invalid foreign key",
    }.get(context.database.vendor, "Cannot add or update a child row: a foreign key constraint fails")
    return f"{context.database.title} refuses (IntegrityError: {fails} …)"


def _help_of_child(
    context: OperationContext[AlterField], model: ModelState, state: FieldState, old: ModelKey, new: ModelKey
) -> str:
    """The new target has the ids of those rows of the old one that are its, too."""
    was, becomes = _called(context, old), _called(context, new)
    return (
        f"Each {becomes} is a {was} with the same id. Where a {was} is no {becomes}, its id is missing in the new "
        f"table, and {_refuses(context, model, state)}: the migration passes on a test database. Ask which rows have "
        "such a value, and point them at another one, or take them out, in a migration before this one."
    )


def _help(
    context: OperationContext[AlterField], model: ModelState, state: FieldState, old: ModelKey, new: ModelKey
) -> str:
    name, is_many = state.name, state.field.kind == "ManyToManyField"
    wrong = (
        f"Where an id is missing in the new table, {_refuses(context, model, state)}; where it is there by chance, "
        "the row points at a stranger. "
    )
    if is_many:
        return f"{wrong}Add a second relation, copy the links in a data migration, and remove the old one later."
    target = _called(context, new).rpartition(".")[2].lower()
    fresh = f"{name}_{target}" if model.field(target) is not None or target == name else target
    sequel = context.instead
    where = {"model_name": f'"{model.name.lower()}"'}
    add, copy, remove = Paste(), Paste(), Paste()
    field = add.field(context.operation.field, drop=["default"], null="True", related_name='"+"')
    first = sequel.migration(
        f"{model.name.lower()}_{fresh}", [add.operation("AddField", **where, name=f'"{fresh}"', field=field)], add
    )
    function = (
        "def copy(apps, schema_editor):\n"
        f'    {model.name} = apps.get_model("{model.app}", "{model.name}")\n'
        f"    rows = {model.name}.objects.using(schema_editor.connection.alias).filter({fresh}__isnull=True)\n"
        "    for row in rows.iterator():\n"
        f"        row.{fresh} = …  # the {_called(context, new)} that belongs to row.{name}\n"
        f'        row.save(update_fields=["{fresh}"])\n'
    )
    run = copy.operation("RunPython", "copy", "migrations.RunPython.noop")
    second = sequel.migration(f"copy_{model.name.lower()}_{name}", [run], copy, functions=function)
    third = sequel.migration(
        f"remove_{model.name.lower()}_{name}", [remove.operation("RemoveField", **where, name=f'"{name}"')], remove
    )
    return (
        f"{wrong}Go in four steps instead of this operation: add a second, nullable key; fill it; let the code use it; "
        f"remove the old one, each in a release of its own.\n{set_apart(first, second, third)}"
    )
