"""The state of all models at one point of the history, as Django computes it.

Values are immutable and shared: apps → models, so that a step copies little. What names a model is found without
looking at all others: a history asks it again and again.
Source: django.db.migrations.state.ProjectState and the `state_forwards` of django.db.migrations.operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from miglint.lazy import lazy
from miglint.project import operations as ops
from miglint.project.columns import join_table, truncated
from miglint.project.fields import Field
from miglint.project.keys import SETTING, UNREAD, Mark, MigrationKey, ModelKey, model_key, setting_mark, table_mark
from miglint.project.migration import Migration
from miglint.project.operations import Operation, OperationPath
from miglint.project.persistent import PersistentMap
from miglint.project.truth import Truth
from miglint.syntax.facts import Call, Expr, Items, Keyword, Literal, Name, Opaque, Pair, Pairs
from miglint.text import Span

# Source: django.db.migrations.operations.models.AlterModelOptions.ALTER_OPTION_KEYS
_ALTERABLE = (
    "base_manager_name", "default_manager_name", "default_related_name", "get_latest_by", "managed", "ordering",
    "permissions", "default_permissions", "select_on_save", "verbose_name", "verbose_name_plural",
)  # fmt: skip
_TOGETHER = ("unique_together", "index_together")


class Origin(msgspec.Struct, frozen=True):
    """The operation that made, or last changed, something."""

    migration: MigrationKey
    path: OperationPath
    span: Span


class FieldState(msgspec.Struct, frozen=True):
    """A field, and what last changed it."""

    name: str
    field: Field
    origin: Origin


class IndexState(msgspec.Struct, frozen=True):
    """An index; `name` is None where Django makes it, or where it cannot be read."""

    name: str | None
    expr: Expr | None
    origin: Origin


class ConstraintState(msgspec.Struct, frozen=True):
    """A constraint; `name` is None where it cannot be read."""

    name: str | None
    expr: Expr | None
    origin: Origin


class ModelState(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One model. `fields` are by name, in Django's order; `complete` is false where some could not be read."""

    app: str
    name: str
    fields: Mapping[str, FieldState]
    options: Mapping[str, Expr]
    bases: tuple[Expr, ...] = ()
    managers: Expr | None = None
    indexes: tuple[IndexState, ...] = ()
    constraints: tuple[ConstraintState, ...] = ()
    origin: Origin
    complete: bool = True
    # Of the names that Django makes up, as the database has it; None where there is no limit.
    longest_name: int | None = None

    @lazy
    def key(self) -> ModelKey:
        return model_key(self.app, self.name)

    @lazy
    def table(self) -> str:
        """The table's name, "" where it cannot be read. Source: django.db.models.options.Options.contribute_to_class"""
        given = self.options.get("db_table")
        if given is None or (isinstance(given, Literal) and given.value in (None, "")):
            return truncated(f"{self.app}_{self.name.lower()}", self.longest_name)
        return given.text if isinstance(given, Literal) and given.kind == "str" else ""

    @lazy
    def managed(self) -> Truth:
        return self._option("managed", default=Truth.YES)

    @lazy
    def proxy(self) -> Truth:
        return self._option("proxy", default=Truth.NO)

    @lazy
    def naming_others(self) -> tuple[FieldState, ...]:
        """The fields that are, or may be, relations."""
        return tuple(state for state in self.fields.values() if state.field.names_others)

    @lazy
    def marks(self) -> frozenset[Mark]:
        """What the model is found by in a state: the models that it names, and its tables."""
        found = {table_mark(self.table)}
        found.update(_named_by(base, self) for base in self.bases if isinstance(base, Literal))
        for state in self.naming_others:
            field = state.field
            found.add(_named_by(field.to, self))
            if field.through is not None:
                found.add(_named_by(field.through, self))
            elif field.is_many_to_many.certain:
                found.add(table_mark(join_table(state.name, field, self)))
            if not isinstance(field.arguments.get("related_name", _UNNAMED), Literal):
                found.add(UNREAD)
        return frozenset(found)

    def _option(self, name: str, *, default: Truth) -> Truth:
        value = self.options.get(name)
        if value is None:
            return default if self.complete else Truth.UNKNOWN
        return Truth.of(bool(value.value)) if isinstance(value, Literal) else Truth.UNKNOWN

    def field(self, name: str) -> FieldState | None:
        """A field by its name, whatever its case."""
        found = self.fields.get(name)
        if found is None:
            lowered = name.lower()
            found = next((state for key, state in self.fields.items() if key.lower() == lowered), None)
        return found

    def column(self, name: str) -> str:
        """The column of a field; "" where it has none that is known."""
        state = self.field(name)
        if state is None:
            return ""
        field = state.field
        if "db_column" in field.arguments and field.db_column is None:
            given = field.arguments["db_column"]
            if not (isinstance(given, Literal) and given.kind == "none"):
                return ""
        return field.db_column or (f"{state.name}_id" if field.is_foreign_key else state.name)


class StateProblem(msgspec.Struct, frozen=True):
    """What Django, or the database, would refuse in an operation, by `kind`:

    - `unknown-model`: computing the state fails (KeyError);
    - `unknown-field`: `field` is not there; computing the state fails (KeyError, FieldDoesNotExist) but for AlterField;
    - `unknown-index`, `unknown-constraint`: `name` is not there; the database's part fails (ValueError);
    - `same-model`: a model is renamed to itself in another case, which takes it away (KeyError);
    - `unknown-base`: `model` is left with a base that is not there any more (`name`, as it was called);
    - `unknown-order`: the model is left with an order_with_respect_to `field` that is not there any more;
    - `already-exists`: the model, its `field`, or its index or constraint `name` is there; the database refuses it.

    `model` is the model's name, of a renamed model the new one. `in_database` is true where only the database's part of
    the operation fails: none is given within `state_operations`, nor of a model that Django does not migrate.
    """

    kind: str
    model: str
    field: str | None
    message: str
    name: str | None = None
    in_database: bool = False
    # The model's app, where it is another than the operation's.
    app: str | None = None


def _named_by(value: Expr | None, model: ModelState) -> Mark:
    """What a relation or a base of a model names."""
    if isinstance(value, Name) and value.name.startswith("django.conf.settings."):
        return setting_mark(value.name.rpartition(".")[2])
    if not isinstance(value, Literal) or value.kind != "str":
        return UNREAD
    if value.text.lower() == "self":
        return model.key
    app, _, name = value.text.rpartition(".")
    return model_key(app or model.app, name)


_UNNAMED = Literal("none", "None")
Models = PersistentMap[ModelState]
_UNMARKED: frozenset[Mark] = frozenset()


class _App(msgspec.Struct, frozen=True):
    """The models of one app by lower-case name, and the names of those with each mark."""

    models: Models = msgspec.field(default_factory=PersistentMap)
    marks: Mapping[Mark, tuple[str, ...]] = {}

    def put(self, model: ModelState) -> _App:
        name = model.key.name
        return _App(self.models.put(name, model), self._marks_after(name, model))

    def without(self, name: str) -> _App:
        return _App(self.models.without(name), self._marks_after(name, None))

    def _marks_after(self, name: str, model: ModelState | None) -> Mapping[Mark, tuple[str, ...]]:
        """The marks with a model in the place of one of its name; shared where they are the same: they mostly are."""
        old = self.models.get(name)
        before = old.marks if old is not None else _UNMARKED
        after = model.marks if model is not None else _UNMARKED
        if before == after:
            return self.marks
        marks = dict(self.marks)
        for mark in before - after:
            marks[mark] = tuple(each for each in marks[mark] if each != name)
            if not marks[mark]:
                del marks[mark]
        return marks | {mark: (*marks.get(mark, ()), name) for mark in after - before}


_NO_APP = _App()


class ProjectState:
    """All models; `partial` are the apps of which something could not be read."""

    __slots__ = ("_apps", "_partial", "longest_name")

    def __init__(self, longest_name: int | None = None) -> None:
        self._apps: PersistentMap[_App] = PersistentMap()
        self._partial: frozenset[str] = frozenset()
        self.longest_name = longest_name

    def model(self, app: str, name: str) -> ModelState | None:
        """A model by label and name, whatever the name's case."""
        return self.in_app(app).get(name.lower())

    def holds(self, key: ModelKey) -> bool:
        """Whether there is such a model, or a many-to-many field whose join model Django calls so: `Order_tags`.

        Source: django.db.models.fields.related.create_many_to_many_intermediary_model
        """
        if self.model(*key) is not None:
            return True
        return any(
            f"{model.name}_{name}".lower() == key.name and state.field.is_many_to_many.possible
            for model in self.in_app(key.app).values()
            for name, state in model.fields.items()
        )

    def models(self) -> Iterator[ModelState]:
        for app in self._apps.values():
            yield from app.models.values()

    def marked(self, mark: Mark) -> list[ModelState]:
        """The models with a mark, by app and name."""
        found = [app.models[name] for app in self._apps.values() for name in app.marks.get(mark, ())]
        return sorted(found, key=lambda model: model.key)

    def with_table(self, table: str) -> list[ModelState]:
        """The models with a table, or a join table, of this name, by app and name."""
        mark = table_mark(table)
        for place, character in enumerate(table):
            # Nearly all are called so: the app's label, `_`, the model's name.
            app = self._apps.get(table[:place]) if character == "_" else None
            if app is not None and mark in app.marks:
                return [app.models[name] for name in app.marks[mark]]
        return self.marked(mark)

    def settings(self) -> frozenset[str]:
        """The swappable settings that models name."""
        return frozenset(name for app in self._apps.values() for kind, name in app.marks if kind == SETTING)

    def in_app(self, app: str) -> Models:
        """The models of an app by lower-case name."""
        return self._apps.get(app, _NO_APP).models

    def changed_since(self, before: ProjectState) -> Iterator[tuple[str, Models]]:
        """The apps, with their models, that are not the same as in another state."""
        return ((app, found.models) for app, found in self._apps.differing(before._apps))

    def is_partial(self, app: str) -> bool:
        """Whether an operation on this app could not be read: what is missing may be there."""
        return app in self._partial

    @property
    def partial(self) -> frozenset[str]:
        return self._partial

    def put(self, model: ModelState) -> ProjectState:
        app = self._apps.get(model.app) or _App()
        return self._with(self._apps.put(model.app, app.put(model)), self._partial)

    def without(self, key: ModelKey) -> ProjectState:
        app = self._apps.get(key.app) or _App()
        return self._with(self._apps.put(key.app, app.without(key.name)), self._partial)

    def with_app_of(self, other: ProjectState, app: str) -> ProjectState:
        """The state with one app's models as another state has them."""
        return self._with(self._apps.put(app, other._apps.get(app) or _App()), self._partial)

    def with_partial(self, app: str) -> ProjectState:
        return self if app in self._partial else self._with(self._apps, self._partial | {app})

    def _with(self, apps: PersistentMap[_App], partial: frozenset[str]) -> ProjectState:
        state = ProjectState.__new__(ProjectState)
        state._apps, state._partial, state.longest_name = apps, partial, self.longest_name
        return state


class _Scene(msgspec.Struct, frozen=True):
    """Where an operation is applied."""

    state: ProjectState
    app: str
    origin: Origin


Result = tuple[ProjectState, tuple[StateProblem, ...]]


def apply(state: ProjectState, migration: Migration, path: OperationPath, operation: Operation) -> Result:
    """The state after an operation, and what is wrong with it; what holds other operations changes nothing itself."""
    return _applied(operation, _Scene(state, migration.app, Origin(migration.key, path, operation.span)))


def _applied(operation: Operation, scene: _Scene) -> Result:
    on_model = _ON_MODEL.get(type(operation))
    if on_model is not None:
        model = _model(operation, scene)
        return _missing(scene, operation.model) if model is None else on_model(operation, scene, model)
    forwards = _FORWARDS.get(type(operation))
    return (scene.state, ()) if forwards is None else forwards(operation, scene)


# -- models -------------------------------------------------------------------------------------------


def _unread(operation: ops.Unread, scene: _Scene) -> Result:
    """It may be any operation, on any field of the app."""
    state = scene.state.with_partial(scene.app)
    why = "an operation that could not be read may have changed it"
    for model in state.in_app(scene.app).values():
        state = state.put(_doubted(model, _may_change(operation.like, model), why))
    return state, ()


def _may_change(operation: Operation | None, model: ModelState) -> Iterable[str]:
    """The fields of a model that an operation may change of which some names are not known; of None, all."""
    if operation is not None and operation.model is not None and operation.model.lower() != model.name.lower():
        return ()
    match operation:
        case ops.AddField(name=str(name)) | ops.AlterField(name=str(name)) | ops.RemoveField(name=str(name)):
            return {name} & model.fields.keys()
        case ops.AddField() | ops.AlterField() | ops.RemoveField() | ops.RenameField() | ops.DeleteModel():
            return model.fields
        case (
            None | ops.RenameModel() | ops.SeparateDatabaseAndState() | ops.Custom() | ops.Unread() | ops.Alternative()
        ):
            return model.fields
    return ()


def _custom(operation: ops.Custom, scene: _Scene) -> Result:
    """An operation class that is not known may have changed the fields that it names."""
    if operation.in_state is not None:
        state, problems = _way(operation.in_state, scene)
        return state, tuple(each for each in problems if not each.in_database)
    state = scene.state.with_partial(scene.app)
    for model in state.in_app(scene.app).values():
        if operation.mentions(model.name, f"{model.app}.{model.name}"):
            named = [name for name in model.fields if operation.mentions(name)]
            state = state.put(_doubted(model, named, f"{operation.class_name} may have changed it"))
    return state, ()


def _alternative(operation: ops.Alternative, scene: _Scene) -> Result:
    """What both ways come to is known; of the rest, that it is not known."""
    start = scene.state
    then, otherwise = (_way(way, scene)[0] for way in (operation.then, operation.otherwise))
    state = start.with_partial(scene.app)
    for app in sorted({app for way in (then, otherwise) for app, _ in way.changed_since(start)}):
        before, one, other = (each.in_app(app) for each in (start, then, otherwise))
        # A model that only one way has stays as it was before.
        for name, model in one.items():
            if name in other:
                state = state.put(_common(model, other[name], before.get(name)))
    return state, ()


def _way(operations: tuple[Operation, ...], scene: _Scene) -> Result:
    """The state after operations, but for those on the database alone; nested ones follow what holds them."""
    state, problems = scene.state, list[StateProblem]()
    for path, inner in ops.walk_operations(operations):
        if "database_operations" in path or "then" in path or "otherwise" in path:
            continue
        nested = _Scene(state, scene.app, Origin(scene.origin.migration, scene.origin.path, inner.span))
        state, found = _applied(inner, nested)
        problems.extend(found)
    return state, tuple(problems)


_UNDER_A_CONDITION = "changed under a condition"


def _common(one: ModelState, other: ModelState, before: ModelState | None) -> ModelState:
    """What two versions of a model have in common; what the one has and the other has not is left out if it is new."""
    if one is other:
        return one
    there = before.fields if before is not None else {}
    fields: dict[str, FieldState] = {}
    for name in (*one.fields, *(name for name in other.fields if name not in one.fields)):
        mine, theirs = one.fields.get(name), other.fields.get(name)
        if mine is not None and theirs is not None:
            same = mine.field == theirs.field
            fields[name] = mine if same else replace(mine, field=Field(Opaque(_UNDER_A_CONDITION, mine.origin.span)))
        elif name in there:
            fields[name] = replace(there[name], field=Field(Opaque(_UNDER_A_CONDITION, there[name].origin.span)))
    known = before.options if before is not None else {}
    options = {
        name: value if other.options.get(name) == value else Opaque(_UNDER_A_CONDITION, value.span)
        for name, value in {**other.options, **one.options}.items()
        if (name in one.options and name in other.options) or name in known
    }
    indexes = tuple(each for each in one.indexes if _named(other.indexes, each.name))
    constraints = tuple(each for each in one.constraints if _named(other.constraints, each.name))
    common = replace(one, fields=fields, options=options, indexes=indexes, constraints=constraints)
    whole = _sizes(common) == tuple(map(max, _sizes(one), _sizes(other)))
    return replace(common, complete=one.complete and other.complete and whole)


def _sizes(model: ModelState) -> tuple[int, ...]:
    return tuple(map(len, (model.fields, model.options, model.indexes, model.constraints)))


def _doubted(model: ModelState, names: Iterable[str], why: str) -> ModelState:
    """A model of which nothing is known of some fields but that they are, or were, there."""
    doubted = {
        name: replace(state, field=Field(Opaque(why, state.origin.span)))
        for name in names
        if (state := model.fields[name]).field.kind is not None or isinstance(state.field.call, Call)
    }
    return replace(model, fields={**model.fields, **doubted}) if doubted else model


def _pairs(value: Expr | None) -> tuple[dict[str, Expr], bool]:
    """A dictionary of options, and whether all of it could be read."""
    if value is None:
        return {}, True
    if not isinstance(value, Pairs):
        return {}, isinstance(value, Literal) and value.kind == "none"
    texts = [
        (pair.key.text, pair.value) for pair in value.pairs if isinstance(pair.key, Literal) and pair.key.kind == "str"
    ]
    return dict(texts), len(texts) == len(value.pairs)


def _create_model(operation: ops.CreateModel, scene: _Scene) -> Result:
    if operation.name is None:
        return scene.state.with_partial(scene.app), ()
    options, known = _pairs(operation.options)
    indexes, constraints = (_named_items(options.pop(name, None)) for name in ("indexes", "constraints"))
    bases = operation.bases.items if isinstance(operation.bases, Items) else ()
    model = ModelState(
        app=scene.app,
        name=operation.name,
        fields={name: FieldState(name, field, scene.origin) for name, field in operation.fields},
        options=options,
        bases=tuple(bases),
        managers=operation.managers,
        indexes=tuple(IndexState(name, expr, scene.origin) for name, expr in indexes),
        constraints=tuple(ConstraintState(name, expr, scene.origin) for name, expr in constraints),
        origin=scene.origin,
        complete=operation.complete and known,
        longest_name=scene.state.longest_name,
    )
    there = scene.state.model(scene.app, operation.name) is not None
    return scene.state.put(model), _repeated(model) if there else ()


def _named_items(value: Expr | None) -> tuple[tuple[str | None, Expr], ...]:
    return tuple((_name_of(item), item) for item in value.items) if isinstance(value, Items) else ()


def _name_of(value: Expr | None) -> str | None:
    name = value.keyword("name") if isinstance(value, Call) else None
    return name.text if isinstance(name, Literal) and name.kind == "str" else None


def _missing(scene: _Scene, name: str | None) -> Result:
    if name is None:
        return scene.state.with_partial(scene.app), ()
    if scene.state.is_partial(scene.app):
        return scene.state, ()
    message = f"{scene.app}.{name} does not exist at this point"
    return scene.state, (StateProblem("unknown-model", name, None, message),)


def _repeated(model: ModelState, *, field: str | None = None, name: str | None = None) -> tuple[StateProblem, ...]:
    """A name is taken; nothing is refused where Django does not migrate the model."""
    if not _is_migrated(model):
        return ()
    what = f"{model.key}.{field}" if field is not None else name or f"{model.app}.{model.name}"
    return (StateProblem("already-exists", model.name, field, f"{what} is there already", name, in_database=True),)


def _unknown(
    scene: _Scene,
    model: ModelState,
    *,
    field: str | None = None,
    index: str | None = None,
    constraint: str | None = None,
    in_database: bool = False,
) -> tuple[StateProblem, ...]:
    """A part of a model is not there; none where it may have been made by what could not be read."""
    sure = model.complete and not scene.state.is_partial(scene.app)
    if not sure or (in_database and not _is_migrated(model)):
        return ()
    what = "field" if field is not None else "index" if index is not None else "constraint"
    name = index if index is not None else constraint
    message = f"{model.key} has no {what} {field if field is not None else name!r} at this point"
    return (StateProblem(f"unknown-{what}", model.name, field, message, name, in_database),)


def _is_migrated(model: ModelState) -> bool:
    """Whether the database's part of an operation does anything for a model, as far as it says so.

    Source: django.db.migrations.operations.base.Operation.allow_migrate_model, Options.can_migrate
    """
    conditional = {"swappable", "required_db_vendor", "required_db_features"} & model.options.keys()
    return model.managed is Truth.YES and model.proxy is Truth.NO and not conditional


def _delete_model(operation: ops.DeleteModel, scene: _Scene, model: ModelState) -> Result:
    return scene.state.without(model.key), _orphans(scene.state, model)


def _orphans(state: ProjectState, gone: ModelState) -> tuple[StateProblem, ...]:
    """What derives from a model, and is left behind by it: Django renames no bases, and cannot build these again.

    Source: runs of Django 4.2 to 6.1; django.db.migrations.state.StateApps
    """
    children = (each for each in state.marked(gone.key) if any(_refers(base, gone.key, each) for base in each.bases))
    return tuple(
        StateProblem(
            "unknown-base",
            child.name,
            None,
            f"{child.key} is left with the base {gone.app}.{gone.name}, which is not there any more",
            gone.name,
            app=child.app if child.app != gone.app else None,
        )
        for child in children
    )


def _model(operation: Operation, scene: _Scene) -> ModelState | None:
    name = operation.model
    return scene.state.model(scene.app, name) if name is not None else None


def _rename_model(operation: ops.RenameModel, scene: _Scene) -> Result:
    """Source: django.db.migrations.state.ProjectState.rename_model"""
    model = _model(operation, scene)
    if model is None or operation.new_name is None:
        return _missing(scene, operation.old_name if operation.new_name is not None else None)
    old, new = model.key, model_key(scene.app, operation.new_name)
    renamed = replace(model, name=operation.new_name)
    if old == new:  # Django puts it in, and takes it out again
        why = f"{scene.app}.{model.name} and {scene.app}.{operation.new_name} are one model to Django"
        return scene.state.without(old), (StateProblem("same-model", operation.new_name, None, why),)
    problems = _repeated(renamed) if scene.state.model(*new) is not None else ()
    problems += _orphans(scene.state, model)
    state = scene.state.without(old).put(renamed)
    for other in state.marked(old):
        changed = _repointed(other, old, f"{scene.app}.{operation.new_name}")
        if changed is not other:
            state = state.put(changed)
    return state, problems


def _repointed(model: ModelState, old: ModelKey, to: str) -> ModelState:
    """A model whose relations follow a renamed model; names within the app count, `self` stays."""

    def change(name: str, value: Expr) -> Expr:
        return Literal("str", to, value.span) if name in ("to", "through") and _refers(value, old, model) else value

    return _with_fields(
        model,
        {
            state.name: _rewritten(state.field, change)
            for state in model.naming_others
            if state.field.to is not None or state.field.through is not None
        },
    )


def _rewritten(field: Field, change: Callable[[str, Expr], Expr]) -> Field:
    """A field with each argument, by its parameter's name, as `change` wants it."""
    call = field.call
    if not isinstance(call, Call):
        return field
    names = {id(value): name for name, value in field.arguments.items()}
    arguments = tuple(change(names.get(id(argument), ""), argument) for argument in call.arguments)
    keywords = tuple(Keyword(k.name, change(k.name or "", k.value), k.span) for k in call.keywords)
    if arguments == call.arguments and keywords == call.keywords:
        return field
    return field.written(Call(call.function, arguments, keywords, call.span))


def _with_fields(model: ModelState, fields: Mapping[str, Field]) -> ModelState:
    """A model with some of its fields rewritten; the model itself where none is another than before."""
    changed = {
        name: replace(model.fields[name], field=field)
        for name, field in fields.items()
        if field is not model.fields[name].field
    }
    return replace(model, fields={**model.fields, **changed}) if changed else model


def _refers(value: Expr | None, key: ModelKey, model: ModelState) -> bool:
    if not isinstance(value, Literal) or value.kind != "str" or value.text == "self":
        return False
    app, _, name = value.text.rpartition(".")
    return model_key(app or model.app, name) == key


def _option_setter(option: str, argument: str) -> Callable[[Any, _Scene, ModelState], Result]:
    def forwards(operation: Any, scene: _Scene, model: ModelState) -> Result:
        value: Expr | None = getattr(operation, argument)
        # Django keeps the option where it is emptied: `None` of a table, an empty set of a unique_together.
        given = value if value is not None else Literal("none", "None", operation.span)
        return scene.state.put(replace(model, options={**model.options, option: given})), ()

    return forwards


def _alter_options(operation: ops.AlterModelOptions, scene: _Scene, model: ModelState) -> Result:
    given, known = _pairs(operation.options)
    kept = {name: value for name, value in model.options.items() if name not in _ALTERABLE or name in given}
    return scene.state.put(replace(model, options={**kept, **given}, complete=model.complete and known)), ()


def _alter_managers(operation: ops.AlterModelManagers, scene: _Scene, model: ModelState) -> Result:
    return scene.state.put(replace(model, managers=operation.managers)), ()


# -- fields -------------------------------------------------------------------------------------------


def _put_field(operation: ops.AddField | ops.AlterField, scene: _Scene) -> Result:
    model = _model(operation, scene)
    if model is None or operation.name is None:
        return _missing(scene, operation.model if operation.name is not None else None)
    there = model.fields.get(operation.name)
    problems: tuple[StateProblem, ...] = ()
    if isinstance(operation, ops.AddField):
        problems = _repeated(model, field=operation.name) if there is not None else ()
    elif there is None:
        problems = _unknown(scene, model, field=operation.name, in_database=True)
    put = FieldState(operation.name, _without_default(operation), scene.origin)
    return scene.state.put(_changed(model, {**model.fields, operation.name: put}, there, put)), problems


def _changed(model: ModelState, fields: Mapping[str, FieldState], *changed: FieldState | None) -> ModelState:
    """A model with other fields, of which these changed; where none is a relation, what was found out stays true."""
    found = replace(model, fields=fields)
    if not any(state is not None and state.field.names_others for state in changed):
        vars(found).update(vars(model))
    return found


def _without_default(operation: ops.AddField | ops.AlterField) -> Field:
    """Source: AddField.state_forwards: with preserve_default=False the default is not kept."""
    keep, call = operation.preserve_default, operation.field.call
    if isinstance(keep, Literal) and keep.value is False and isinstance(call, Call):
        keywords = tuple(keyword for keyword in call.keywords if keyword.name != "default")
        return operation.field.written(Call(call.function, call.arguments, keywords, call.span))
    return operation.field


def _remove_field(operation: ops.RemoveField, scene: _Scene) -> Result:
    model = _model(operation, scene)
    if model is None or operation.name is None:
        return _missing(scene, operation.model if operation.name is not None else None)
    gone = model.fields.get(operation.name)
    if gone is None:
        return scene.state, _unknown(scene, model, field=operation.name)
    fields = {name: state for name, state in model.fields.items() if name != operation.name}
    return scene.state.put(_changed(model, fields, gone)), _unordered(model, operation.name)


def _unordered(model: ModelState, gone: str) -> tuple[StateProblem, ...]:
    """A field goes by which the model's rows are ordered: Django cannot build the model again before it is told."""
    order = model.options.get("order_with_respect_to")
    if not (isinstance(order, Literal) and order.value == gone):
        return ()
    why = f"{model.key} is left with the order_with_respect_to {gone!r}, which is not there any more"
    return (StateProblem("unknown-order", model.name, gone, why),)


def _rename_field(operation: ops.RenameField, scene: _Scene) -> Result:
    """Source: django.db.migrations.state.ProjectState.rename_field"""
    model = _model(operation, scene)
    old, new = operation.old_name, operation.new_name
    if model is None or old is None or new is None:
        return _missing(scene, operation.model if old is not None and new is not None else None)
    there = model.fields.get(old)
    if there is None:
        return scene.state, _unknown(scene, model, field=old)
    problems = _repeated(model, field=new) if new in model.fields and new != old else ()
    problems += _unordered(model, old) if new != old else ()
    # Django takes the field out and puts it in again, so that it stands last.
    fields = {name: state for name, state in model.fields.items() if name != old}
    fields[new] = FieldState(new, there.field, scene.origin)
    options = dict(model.options)
    for name in _TOGETHER:  # Django leaves order_with_respect_to as it is
        if name in options:
            options[name] = _renamed(options[name], old, new)
    state = scene.state.put(_own_names(replace(model, fields=fields, options=options), old, new))
    for other in state.marked(model.key):
        changed = _foreign_names(other, model.key, old, new)
        if changed is not other:
            state = state.put(changed)
    return state, problems


def _own_names(model: ModelState, old: str, new: str) -> ModelState:
    """A model whose fields that are made of others (`CompositePrimaryKey`, `from_fields`) follow a renamed one."""

    def change(name: str, value: Expr) -> Expr:
        return _renamed(value, old, new) if name == "from_fields" else value

    def follow(field: Field) -> Field:
        call = field.call
        if field.kind == "CompositePrimaryKey" and isinstance(call, Call):
            names = tuple(_renamed(argument, old, new) for argument in call.arguments)
            return (
                field
                if names == call.arguments
                else field.written(Call(call.function, names, call.keywords, call.span))
            )
        return _rewritten(field, change) if "from_fields" in field.arguments else field

    return _with_fields(model, {name: follow(state.field) for name, state in model.fields.items()})


def _foreign_names(model: ModelState, key: ModelKey, old: str, new: str) -> ModelState:
    """A model whose relations to another (or to itself) name a renamed field in `to_field`."""

    def change(name: str, value: Expr) -> Expr:
        return _renamed(value, old, new) if name in ("to_field", "to_fields") else value

    def points(field: Field) -> bool:
        if not ("to_field" in field.arguments or "to_fields" in field.arguments):
            return False
        to = field.to
        itself = model.key == key and isinstance(to, Literal) and to.value == "self"
        return itself or _refers(to, key, model)

    pointing = {state.name: state.field for state in model.naming_others if points(state.field)}
    return _with_fields(model, {name: _rewritten(field, change) for name, field in pointing.items()})


def _renamed(value: Expr, old: str, new: str) -> Expr:
    if isinstance(value, Literal):
        return Literal("str", new, value.span) if value.kind == "str" and value.text == old else value
    if isinstance(value, Items):
        return Items(value.kind, tuple(_renamed(item, old, new) for item in value.items), value.span)
    return value


# -- indexes and constraints --------------------------------------------------------------------------


def _add_index(operation: ops.AddIndex, scene: _Scene, model: ModelState) -> Result:
    added = IndexState(_name_of(operation.index), operation.index, scene.origin)
    problems = _repeated(model, name=added.name) if _named(model.indexes, added.name) else ()
    return scene.state.put(replace(model, indexes=(*model.indexes, added))), problems


def _remove_index(operation: ops.RemoveIndex, scene: _Scene, model: ModelState) -> Result:
    kept = tuple(index for index in model.indexes if index.name != operation.name)
    return scene.state.put(replace(model, indexes=kept)), _unknown_index(operation.name, scene, model)


def _rename_index(operation: ops.RenameIndex, scene: _Scene, model: ModelState) -> Result:
    if operation.old_name is None:
        together = model.options.get("index_together")
        options = dict(model.options)
        if isinstance(together, Items):
            left = tuple(item for item in together.items if not _same_items(item, operation.old_fields))
            options["index_together"] = Items(together.kind, left, together.span)
        added = IndexState(operation.new_name, operation.old_fields, scene.origin)
        return scene.state.put(replace(model, options=options, indexes=(*model.indexes, added))), ()
    old, new = operation.old_name, operation.new_name
    indexes = tuple(
        replace(index, name=new, origin=scene.origin) if index.name == old else index for index in model.indexes
    )
    problems = _unknown_index(old, scene, model)
    if not problems and new != old and _named(model.indexes, new):
        problems = _repeated(model, name=new)
    return scene.state.put(replace(model, indexes=indexes)), problems


def _named(parts: tuple[IndexState, ...] | tuple[ConstraintState, ...], name: str | None) -> bool:
    """Whether an index or a constraint has this name for certain."""
    return name is not None and any(part.name == name for part in parts)


def _unknown_index(name: str | None, scene: _Scene, model: ModelState) -> tuple[StateProblem, ...]:
    """Source: django.db.migrations.state.ModelState.get_index_by_name"""
    perhaps = name is None or any(index.name in (name, None) for index in model.indexes)
    return () if perhaps else _unknown(scene, model, index=name, in_database=True)


def _unknown_constraint(name: str | None, scene: _Scene, model: ModelState) -> tuple[StateProblem, ...]:
    """Source: django.db.migrations.state.ModelState.get_constraint_by_name"""
    perhaps = name is None or any(constraint.name in (name, None) for constraint in model.constraints)
    return () if perhaps else _unknown(scene, model, constraint=name, in_database=True)


def _same_items(one: Expr, other: Expr | None) -> bool:
    """Whether two displays have the same elements, be they lists or tuples."""
    return isinstance(one, Items) and isinstance(other, Items) and one.items == other.items


def _add_constraint(operation: ops.AddConstraint, scene: _Scene, model: ModelState) -> Result:
    added = ConstraintState(_name_of(operation.constraint), operation.constraint, scene.origin)
    problems = _repeated(model, name=added.name) if _named(model.constraints, added.name) else ()
    return scene.state.put(replace(model, constraints=(*model.constraints, added))), problems


def _remove_constraint(operation: ops.RemoveConstraint, scene: _Scene, model: ModelState) -> Result:
    kept = tuple(each for each in model.constraints if each.name != operation.name)
    return scene.state.put(replace(model, constraints=kept)), _unknown_constraint(operation.name, scene, model)


def _alter_constraint(operation: ops.AlterConstraint, scene: _Scene, model: ModelState) -> Result:
    """It has no part for the database: a name that is not there is nobody's problem."""
    changed = tuple(
        ConstraintState(_name_of(operation.constraint), operation.constraint, scene.origin)
        if each.name == operation.name
        else each
        for each in model.constraints
    )
    return scene.state.put(replace(model, constraints=changed)), ()


_FORWARDS: dict[type[Operation], Callable[[Any, _Scene], Result]] = {
    ops.CreateModel: _create_model,
    ops.RenameModel: _rename_model,
    ops.AddField: _put_field,
    ops.AlterField: _put_field,
    ops.RemoveField: _remove_field,
    ops.RenameField: _rename_field,
    ops.Custom: _custom,
    ops.Unread: _unread,
    ops.Alternative: _alternative,
}
# Those that change one model, and nothing where it is not there.
_ON_MODEL: dict[type[Operation], Callable[[Any, _Scene, ModelState], Result]] = {
    ops.DeleteModel: _delete_model,
    ops.AlterModelTable: _option_setter("db_table", "table"),
    ops.AlterModelTableComment: _option_setter("db_table_comment", "table_comment"),
    ops.AlterUniqueTogether: _option_setter("unique_together", "unique_together"),
    ops.AlterIndexTogether: _option_setter("index_together", "index_together"),
    ops.AlterOrderWithRespectTo: _option_setter("order_with_respect_to", "order_with_respect_to"),
    ops.AlterModelOptions: _alter_options,
    ops.AlterModelManagers: _alter_managers,
    ops.AddIndex: _add_index,
    ops.AddIndexConcurrently: _add_index,
    ops.RemoveIndex: _remove_index,
    ops.RemoveIndexConcurrently: _remove_index,
    ops.RenameIndex: _rename_index,
    ops.AddConstraint: _add_constraint,
    ops.AddConstraintNotValid: _add_constraint,
    ops.RemoveConstraint: _remove_constraint,
    ops.AlterConstraint: _alter_constraint,
}

__all__ = [
    "ConstraintState", "FieldState", "IndexState", "ModelState", "Name", "Origin", "Pair", "ProjectState",
    "StateProblem", "apply",
]  # fmt: skip
