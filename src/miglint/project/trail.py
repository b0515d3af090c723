"""A field through its history: which steps came before, under which names, and which of them may have written it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import msgspec

from miglint.project.action import Action, DeleteRows, Execute, TruncateTable, UpdateRows
from miglint.project.code import entries, is_noop, reached
from miglint.project.history import History, Step
from miglint.project.keys import ModelKey
from miglint.project.operations import (
    AddField,
    AlterField,
    Alternative,
    CreateModel,
    Custom,
    RenameField,
    RenameModel,
    RunPython,
    RunSQL,
    Unread,
)
from miglint.project.state import FieldState, ModelState
from miglint.project.truth import Truth
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Call,
    Expr,
    Literal,
    ModuleFacts,
    Name,
    Statement,
    dotted,
    expressions,
    walk,
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A field at a step: what it, its column, its model and its table are called there."""

    step: Step
    model: ModelKey
    field: str
    column: str
    table: str


class _Names(msgspec.Struct, frozen=True):
    model: ModelKey
    field: str


def trail(history: History, step: Step, model: ModelKey, field: str) -> Iterator[Place]:
    """The steps before a step, latest first, back to the one that added the field; each with the names of its time.

    Steps of other apps are among them, in the order of the plan: data is filled from anywhere.
    """
    names = _Names(model, field.lower())
    for earlier in history.before(step):
        place = _place(earlier, names)
        yield place
        if _adds(earlier, names):
            return
        names = _named_before(earlier, names)


def _place(step: Step, names: _Names) -> Place:
    model = step.after.model(*names.model) or step.before.model(*names.model)
    column = model.column(names.field) if model is not None else names.field
    table = model.table if model is not None else ""
    return Place(step=step, model=names.model, field=names.field, column=column, table=table)


def _adds(step: Step, names: _Names) -> bool:
    operation = step.operation
    if step.migration.app != names.model.app or operation.model is None:
        return False
    if operation.model.lower() != names.model.name:
        return False
    if isinstance(operation, CreateModel):
        return True
    return isinstance(operation, AddField) and (operation.name or "").lower() == names.field


def _named_before(step: Step, names: _Names) -> _Names:
    operation = step.operation
    if not isinstance(operation, RenameField | RenameModel) or step.migration.app != names.model.app:
        return names
    old, new = (operation.old_name or "").lower(), (operation.new_name or "").lower()
    if isinstance(operation, RenameModel):
        return _Names(ModelKey(names.model.app, old), names.field) if new == names.model.name else names
    same = (operation.model_name or "").lower() == names.model.name and new == names.field
    return _Names(names.model, old) if same else names


def since_nullable(history: History, step: Step, model: ModelState, field: FieldState) -> tuple[Place, ...]:
    """The steps between a step and the one that made a field nullable, that one last; all of them where none did."""
    found: list[Place] = []
    for place in trail(history, step, model.key, field.name):
        found.append(place)
        if _made_nullable(place):
            break
    return tuple(found)


def _made_nullable(place: Place) -> bool:
    operation, before = place.step.operation, place.step.before.model(*place.model)
    if not isinstance(operation, AlterField) or before is None or not _is_on(operation, place):
        return False
    state = before.field(place.field)
    return state is not None and not state.field.null.certain and operation.field.null.certain


def _is_on(operation: AddField | AlterField, place: Place) -> bool:
    model, name = (operation.model_name or "").lower(), (operation.name or "").lower()
    return model == place.model.name and name == place.field and place.step.migration.app == place.model.app


def prepared(
    history: History, step: Step, model: ModelState, field: FieldState, *, within: tuple[Action, ...] = ()
) -> Truth:
    """Whether code right before a step, in its migration or the one before in the app, may have written the field.

    `within` are the actions of the step itself that come before.
    """
    app, seen = step.migration.app, {step.migration.key}
    column = model.column(field.name)
    here = Place(step=step, model=model.key, field=field.name, column=column, table=model.table)
    found = _strongest(_sql_writes(action, here) for action in within)
    for place in trail(history, step, model.key, field.name):
        migration = place.step.migration
        if migration.app == app and migration.key not in seen:
            if len(seen) > 1:
                break
            seen.add(migration.key)
        if migration.key in seen and isinstance(place.step.operation, RunPython | RunSQL):
            found = _strongest(iter((found, may_write(place))))
    return found


# -- what may have written it -------------------------------------------------------------------------------


def may_write(place: Place) -> Truth:
    """Whether a step wrote the field's column in rows that were there: unknown where its code cannot be followed.

    Code that names both the field (or its column) and the model is taken to write it; code that names the field alone
    may reach the model by a relation.
    """
    step = place.step
    if not step.touches_database:
        return Truth.NO
    if isinstance(step.operation, RunSQL):
        return _strongest(_sql_writes(action, place) for action in step.actions)
    if isinstance(step.operation, RunPython):
        return _code_writes(step, place)
    return Truth.of(None if isinstance(step.operation, Custom | Unread | Alternative) else False)


def _strongest(truths: Iterator[Truth]) -> Truth:
    found = set(truths)
    return Truth.YES if Truth.YES in found else Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.NO


def _sql_writes(action: Action, place: Place) -> Truth:
    if isinstance(action, DeleteRows | TruncateTable) and action.table == place.table:
        return Truth.UNKNOWN  # the rows in question may be gone
    if isinstance(action, UpdateRows) and action.table == place.table:
        return Truth.of(place.column in action.columns if action.columns else None)
    if not isinstance(action, Execute) or action.understood:
        return Truth.NO
    if not action.text:
        return Truth.UNKNOWN
    words = set(re.findall(r"\w+", action.text.lower()))
    named = place.table.lower() in words and place.column.lower() in words
    # Where SQL calls a function or a procedure, the names may stand there.
    hidden = bool(words & {"call", "perform", "exec"}) or action.verb == "select"
    return Truth.YES if named else Truth.of(None if hidden else False)


def _code_writes(step: Step, place: Place) -> Truth:
    operation = step.operation
    assert isinstance(operation, RunPython)
    if is_noop(operation.code):
        return Truth.NO
    # What functions of other modules do, and those that a function is given.
    uses = [use for use in step.usage.uses if use.direction == "forward"]
    elsewhere = {(use.module.path, use.code.name, use.code.span): use.code for use in uses}
    is_here = any(each.direction == "forward" for each in entries(operation, step.migration))
    if operation.code is None or not (is_here or elsewhere):
        return Truth.UNKNOWN
    words: set[str] = set()
    foreign = not is_here
    for code in reached(operation, step.migration):
        for root in code.roots():
            words |= _words(root)
            foreign = foreign or _leaves_file(root)
    for code in elsewhere.values():
        words = words.union(*map(_words, code.roots()))
    modules = {step.migration.path: step.migration.facts, **{use.module.path: use.module.facts for use in uses}}
    words = words.union(*map(_module_words, modules.values()))
    fields = {place.field, place.column.lower(), f"{place.field}_id"}
    models = {place.model.name, place.table.lower()}
    if words & fields:
        return Truth.of(True if words & models else None)
    return Truth.of(None if foreign else False)


def _module_words(facts: ModuleFacts) -> set[str]:
    """What a file's own constants name: lists of fields and models that its code goes through."""
    found: set[str] = set()
    for statement in walk(facts.body, into_definitions=False):
        if isinstance(statement, Assign) and not _makes_operations(statement):
            found |= _words(statement)
    return found


def _makes_operations(statement: Assign) -> bool:
    return any(
        isinstance(each, Call) and each.callee.startswith("django.db.migrations.") for each in expressions(statement)
    )


def _words(node: Statement | Expr) -> set[str]:
    """The names, attributes, keywords and words within texts of a node, in lower case; `a__b` is also `a` and `b`."""
    found: set[str] = set()
    for each in expressions(node):
        texts: list[str] = []
        if isinstance(each, Literal) and each.kind == "str":
            texts = re.findall(r"\w+", each.text)
        elif isinstance(each, Name | Attribute):
            texts = each.name.split(".")
        elif isinstance(each, Call):
            texts = [keyword.name for keyword in each.keywords if keyword.name is not None]
        for text in texts:
            found |= {text.lower(), *text.lower().split("__")}
    return found


def _leaves_file(node: Statement | Expr) -> bool:
    """Whether a node calls code of the project, or of a package, that this file does not show."""
    return any(isinstance(each, Call) and _is_elsewhere(each.function) for each in expressions(node))


def _is_elsewhere(function: Expr) -> bool:
    if not isinstance(function, Name) or function.scope != "imported":
        return False
    package = dotted(function).partition(".")[0]
    return package != "django" and package not in sys.stdlib_module_names


__all__ = ["Place", "may_write", "prepared", "since_nullable", "trail"]
