"""An operation on something that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from miglint.api import (
    NOWHERE,
    AddConstraint,
    DeleteModel,
    Diagnostic,
    FieldOperation,
    LeftBehind,
    Lookup,
    ModelKey,
    ModelOperation,
    ModelState,
    Need,
    Operation,
    OperationContext,
    ProjectState,
    Relations,
    RemakeTable,
    RemoveField,
    RenameField,
    RenameModel,
    Severity,
    StateProblem,
    Step,
    World,
    field_needs,
    is_migrated,
    lacking,
    left_behind,
    lookups_of,
    needs_of,
    rule,
    target_key,
)

Context = OperationContext[Operation]
# What an operation does to something else: nothing that it names is misspelt.
_AFTERMATHS = ("same-model", "unknown-base", "unknown-order")

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/"


@rule("MG109", on=(ModelOperation, FieldOperation, RenameModel), severity=Severity.ERROR)
def unknown_target(context: Context) -> Iterator[Diagnostic]:
    """An operation names a model, field, index or constraint that is not there at this point."""
    if context.step.conditional or not context.graph.is_complete(context.migration.key) or _is_ambiguous(context):
        return
    for problem in context.step.problems:
        if problem.kind != "already-exists" and not _is_said(context, problem) and not _goes_too(context, problem):
            yield _of_problem(context, problem)
    if not context.step.problems:
        yield from _of_lookups(context)
        yield from _of_needs(context)
        yield from _of_left_behind(context)
        yield from _of_the_database(context)


def _is_ambiguous(context: Context) -> bool:
    """Whether two packages claim the app's label: which history is whose is not known."""
    return any(each.label == context.migration.app for each in context.project.duplicates)


# -- what computing the state, or the database's part, does not find ------------------------------------


def _of_problem(context: Context, problem: StateProblem) -> Diagnostic:
    return context.diagnostic(
        None,
        f"{problem.message}: Django raises {_error(context, problem)}",
        help=_help(context, problem.kind, problem.model, problem.field or problem.name or ""),
        url=_URL,
        field=problem.field,
        detail=problem.name or "",
    )


def _is_said(context: Context, problem: StateProblem) -> bool:
    """Whether an operation before this one has the problem: Django never gets here."""
    return any(problem in step.problems or _takes_away(step, problem) for step in _earlier(context))


def _goes_too(context: Context, problem: StateProblem) -> bool:
    """Whether what is left without its base goes in the same migration: Django builds few models anew in between.

    Source: runs of Django 4.2 and 5.2; some that ran code in between failed, others did not.
    """
    if problem.kind != "unknown-base" or problem.app is not None:
        return False
    return any(
        isinstance(step.operation, DeleteModel)
        and (step.operation.name or "").lower() == problem.model.lower()
        and context.project.history.is_before(context.step, step)
        for step in context.project.history.steps_of(context.migration.key)
    )


def _takes_away(step: Step, problem: StateProblem) -> bool:
    return any(each.kind == "same-model" and each.model.lower() == problem.model.lower() for each in step.problems)


def _earlier(context: Context) -> Iterator[Step]:
    """The steps of the app that come before this one for certain."""
    graph, key = context.graph, context.migration.key
    for step in context.project.history.steps:
        if step is context.step:
            return
        other = step.migration.key
        if other.app == key.app and (other == key or graph.is_ancestor(other, of=key)):
            yield step


def _error(context: Context, problem: StateProblem) -> str:
    """What Django says. Source: runs of Django 5.2."""
    operation, app = context.operation, context.migration.app
    match problem.kind:
        case "unknown-model" | "same-model":
            return f"KeyError: {(app, problem.model.lower())!r}"
        case "unknown-base":
            return _base_error(context, problem)
        case "unknown-field" if isinstance(operation, RemoveField):
            return f"KeyError: {problem.field!r}"
        case "unknown-field" if isinstance(operation, RenameField):
            return f"FieldDoesNotExist: {app}.{problem.model.lower()} has no field named {problem.field!r}"
        case "unknown-field" | "unknown-order":
            return f"FieldDoesNotExist: {problem.model} has no field named {problem.field!r}"
        case "unknown-index":
            return f"ValueError: No index named {problem.name} on model {problem.model}"
        case _:
            return f"ValueError: No constraint named {problem.name} on model {problem.model}"


def _base_error(context: Context, problem: StateProblem) -> str:
    """A renamed base is built first, and a child whose parent link is called after it does not fit any more."""
    app, base = context.migration.app, problem.name or ""
    child = context.after.model(problem.app or app, problem.model)
    link = f"{base.lower()}_ptr"
    if isinstance(context.operation, RenameModel) and child is not None and link in child.fields:
        return (
            f"FieldError: Auto-generated field {link!r} in class {child.name!r} for parent_link to base class {base!r} "
            "clashes with declared field of the same name."
        )
    return f"InvalidBasesError: Cannot resolve bases for [<ModelState: '{problem.app or app}.{problem.model}'>]"


# -- fields that indexes, constraints, options and keys name ---------------------------------------------


def _of_lookups(context: Context) -> Iterator[Diagnostic]:
    relations, seen = context.project.relations(context.after), set[tuple[ModelKey, str]]()
    before = context.before.model(context.migration.app, context.operation.model or "")
    for lookup in lookups_of(context.operation, before, expression_indexes=context.database.expression_indexes):
        if lookup.span == NOWHERE and context.database.vendor == "sqlite":
            continue  # which refused to drop the column
        model = _looked_into(context, lookup)
        if model is None or (model.key, lookup.name) in seen or _is_found(relations, model, lookup):
            continue
        seen.add((model.key, lookup.name))
        name = f"{model.app}.{model.name}"
        yield context.diagnostic(
            lookup.span if lookup.span != NOWHERE else None,
            f"{name} has no field {lookup.name!r} at this point: Django raises {_lookup_error(context, model, lookup)}",
            help=_help(context, "unknown-field", model.name, lookup.name, app=model.app),
            url=_URL,
            field=lookup.name,
            detail="" if lookup.relation is None else name,
        )


def _looked_into(context: Context, lookup: Lookup) -> ModelState | None:
    """The model that a name is looked up in; None where Django does not come to that, or where it is not known."""
    model = context.after.model(context.migration.app, context.operation.model or "")
    if model is None or not (lookup.by == "class" or (context.touches_database and is_migrated(model))):
        return None
    if lookup.relation is None:
        return model
    key = target_key(lookup.relation, model.app, model.name, World(context.after, context.project.swappable))
    return context.after.model(*key) if key is not None else None


def _is_found(relations: Relations, model: ModelState, lookup: Lookup) -> bool:
    return (lookup.by == "query" and lookup.name == "pk") or relations.has_field(model, lookup.name).possible


def _lookup_error(context: Context, model: ModelState, lookup: Lookup) -> str:
    if lookup.by == "query":
        return f"FieldError: Cannot resolve keyword {lookup.name!r} into field."
    # SQLite makes a new table for a constraint, from a model of another name.
    remade = isinstance(context.operation, AddConstraint) and any(isinstance(a, RemakeTable) for a in context.actions)
    return f"FieldDoesNotExist: {'New' * remade}{model.name} has no field named {lookup.name!r}"


# -- models that relations and bases name ---------------------------------------------------------------


def _of_needs(context: Context) -> Iterator[Diagnostic]:
    seen = set()
    for need in needs_of(context.operation, context.migration, context.project.swappable):
        if need.key not in seen and _is_missing(context, need):
            seen.add(need.key)
            owner = f"{context.model_name}.{need.field}" if need.field else context.model_name
            name = f"{need.key.app}.{need.name}"
            yield context.diagnostic(
                need.span,
                f"{owner} names {name}, which does not exist at this point: Django raises {_need_error(context, need)}",
                help=_help(context, "unknown-model", need.name, "", app=need.key.app),
                url=_URL,
                field=need.field or None,
                detail=str(need.key),
            )


def _is_missing(context: Context, need: Need) -> bool:
    """Whether Django would fail for want of the model, wherever it runs: else it is a dependency that is missing."""
    app, state = need.key.app, context.after
    if need.by == "code" or need.setting or not need.sure or state.holds(need.key):
        return False
    if app not in context.graph.apps or state.is_partial(app) or not _is_here(context, need):
        return False
    if need.by == "bases":
        return True
    model = context.model
    in_database = context.touches_database and model is not None and is_migrated(model)
    return in_database and not _is_referred_to(context, need)


def _is_here(context: Context, need: Need) -> bool:
    """Whether the model is the migration's own app's to make, or no migration's of the project, or gone again."""
    makers = context.project.history.makers.get(need.key, ())
    graph, key = context.graph, context.migration.key
    if need.key.app == key.app:
        return True
    if not makers:
        final = context.project.history.final
        return not final.holds(need.key) and not final.is_partial(need.key.app) and graph.is_certain(need.key.app)
    return any(graph.is_ancestor(maker, of=key) for maker in makers)


def _is_referred_to(context: Context, need: Need) -> bool:
    """Whether the state has another relation to the missing model: where that was made it is said."""
    swappable = context.project.swappable
    return any(
        found.key == need.key
        for model in context.before.in_app(context.migration.app).values()
        for name, state in model.fields.items()
        if state.field.to is not None
        for found in field_needs(name, state.field, model.app, swappable)
    )


def _need_error(context: Context, need: Need) -> str:
    if need.by == "bases":
        return f"InvalidBasesError: Cannot resolve bases for [<ModelState: '{context.model_name}'>]"
    if need.by == "through":
        return "AttributeError: 'str' object has no attribute '_meta'"
    return f"ValueError: Related model {need.written.lower()!r} cannot be resolved"


# -- relations to a model that goes -----------------------------------------------------------------------


def _of_left_behind(context: Context) -> Iterator[Diagnostic]:
    gone, project = context.model, context.project
    if not isinstance(context.operation, DeleteModel) or gone is None or not context.step.touches_state:
        return
    for left in left_behind(gone.key, context.step, project.history, project.swappable):
        if not all(context.graph.is_certain(app) for app in (gone.app, left.model.app)):
            continue
        name, origin = f"{left.model.app}.{left.model.name}.{left.field.name}", left.field.origin
        remove = f'    migrations.RemoveField("{left.model.name.lower()}", "{left.field.name}"),'
        where = "" if left.model.app == gone.app else f", in a migration of {left.model.app} that this one depends on"
        yield context.diagnostic(
            None,
            f"{name} names {context.model_name} for good, and this takes it away: Django raises "
            f"{_left_error(context, gone, left)}",
            help=f"Django stops when all migrations are applied, and runs no test. Remove the field before{where}, or "
            f"let it name another model:\n{remove}",
            url=_URL,
            related=(context.related(origin.migration, origin.span, f"{left.field.name} was last changed here"),),
            detail=name,
        )


def _left_error(context: Context, gone: ModelState, left: LeftBehind) -> str:
    """Source: django.db.models.utils, django.core.checks.model_checks._check_lazy_references"""
    lacking, not_installed = f"doesn't provide model {gone.key.name!r}", "isn't installed"
    is_there = len(context.project.history.final.in_app(gone.app)) > 0
    why = f"but app {gone.app!r} {lacking if is_there else not_installed}."
    if left.need.by == "through":
        return f"ValueError: <function …> contains a lazy reference to {gone.key}, {why}"
    field = f"{left.model.app}.{left.model.name}.{left.field.name}"
    return f"ValueError: The field {field} was declared with a lazy reference to {str(gone.key)!r}, {why}"


# -- what is asked of the database alone ------------------------------------------------------------------


def _of_the_database(context: Context) -> Iterator[Diagnostic]:
    for found in lacking(context.step, context.project.history, context.database):
        yield context.diagnostic(
            None,
            f"{found.table} has no {found.what} at this point: Django raises {found.error}",
            help=_advice(context),
            url=_URL,
            detail=found.what,
        )


# -- what to do -----------------------------------------------------------------------------------------


def _help(context: Context, kind: str, model: str, name: str, *, app: str = "") -> str:
    """Where it went, where it comes from, or what was probably meant."""
    app = app or context.migration.app
    graph, key = context.graph, context.migration.key
    gone = comes = None
    for step in context.project.history.steps:
        if step.migration.app != app or not step.touches_state or step is context.step or step.after is step.before:
            continue
        before, after = (_has(state, app, kind, model, name) for state in (step.before, step.after))
        other = step.migration.key
        is_earlier = graph.is_ancestor(other, of=key) or (other == key and step.path < context.step.path)
        if before and not after and is_earlier:
            gone = step
        elif after and not before and not is_earlier:
            comes = step
    if gone is not None:
        return f"{gone.operation.class_name} in {gone.migration.key} took it away. {_advice(context)}"
    if comes is not None and comes.migration.key == key:
        return f"{comes.operation.class_name} further down makes it: put that first."
    if comes is not None and graph.is_ancestor(key, of=comes.migration.key):
        return f"{comes.migration.key}, which comes after this migration, makes it: put this operation behind it."
    if comes is not None:
        other = comes.migration.key
        return (
            f"{other} makes it, and this migration does not come after it. Add to `dependencies`:\n"
            f'    ("{other.app}", "{other.name}"),'
        )
    names = _names(context.before, app, kind, model) if kind not in _AFTERMATHS else ()
    near = difflib.get_close_matches(name or model, names, n=1)
    return f"Did you mean {near[0]!r}? {_advice(context)}" if near else _advice(context)


def _advice(context: Context) -> str:
    kinds = {problem.kind for problem in context.step.problems}
    if "same-model" in kinds:
        return "To Django models have one name in any case, and so have their tables: take the operation out."
    if "unknown-base" in kinds:
        return (
            "Django writes no bases anew. Take what derives from the model away before, and make it again after; in "
            "`state_operations`, where the tables are to stay."
        )
    if "unknown-order" in kinds:
        return "Put AlterOrderWithRespectTo(…, None) before it, and the new name after it."
    if isinstance(context.operation, RemoveField):
        return "To drop what is left in the database alone, use RunSQL: the state has nothing to remove any more."
    return "Every new database stops here, and so does every test run."


def _has(state: ProjectState, app: str, kind: str, model: str, name: str) -> bool:
    return state.model(app, model) is not None if kind == "unknown-model" else name in _names(state, app, kind, model)


def _names(state: ProjectState, app: str, kind: str, model: str) -> list[str]:
    """The names of a kind that there are: models of the app, else fields, indexes or constraints of the model."""
    if kind == "unknown-model":
        return [each.name for each in state.in_app(app).values()]
    found = state.model(app, model)
    if found is None:
        return []
    parts: Iterable[str | None] = found.fields
    if kind == "unknown-index":
        parts = [index.name for index in found.indexes]
    elif kind == "unknown-constraint":
        parts = [constraint.name for constraint in found.constraints]
    return [part for part in parts if part is not None]
