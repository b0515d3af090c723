"""The state of all models at one point of the history, as Django computes it.

Values are immutable and shared: apps → models, so that a step copies little. What names a model is found without
looking at all others: a history asks it again and again.
Source: django.db.migrations.state.ProjectState
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from miglint.lazy import lazy
from miglint.project.columns import join_table, truncated
from miglint.project.fields import Field
from miglint.project.keys import SETTING, UNREAD, Mark, MigrationKey, ModelKey, model_key, setting_mark, table_mark
from miglint.project.operations import OperationPath
from miglint.project.persistent import PersistentMap
from miglint.project.truth import Truth
from miglint.syntax.facts import Expr, Literal, Name
from miglint.text import Span


class Origin(msgspec.Struct, frozen=True, gc=False):
    """The operation that made, or last changed, something."""

    migration: MigrationKey
    path: OperationPath
    span: Span


class FieldState(msgspec.Struct, frozen=True, gc=False):
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
Models = PersistentMap[str, ModelState]
Marks = PersistentMap[Mark, tuple[str, ...]]
_UNMARKED: frozenset[Mark] = frozenset()


class _App(msgspec.Struct, frozen=True, gc=False):
    """The models of one app by lower-case name, and the names of those with each mark."""

    models: Models = msgspec.field(default_factory=PersistentMap)
    marks: Marks = msgspec.field(default_factory=PersistentMap)

    def put(self, model: ModelState) -> _App:
        name = model.key.name
        return _App(self.models.put(name, model), self._marks_after(name, model))

    def without(self, name: str) -> _App:
        return _App(self.models.without(name), self._marks_after(name, None))

    def _marks_after(self, name: str, model: ModelState | None) -> Marks:
        """The marks with a model in the place of one of its name; shared where they are the same: they mostly are."""
        old = self.models.get(name)
        before = old.marks if old is not None else _UNMARKED
        after = model.marks if model is not None else _UNMARKED
        marks = self.marks
        for mark in before - after:
            others = tuple(each for each in marks[mark] if each != name)
            marks = marks.put(mark, others) if others else marks.without(mark)
        for mark in after - before:
            marks = marks.put(mark, (*marks.get(mark, ()), name))
        return marks


_NO_APP = _App()


class ProjectState:
    """All models; `partial` are the apps of which something could not be read."""

    __slots__ = ("_apps", "_marking", "_partial", "longest_name")

    def __init__(self, longest_name: int | None = None) -> None:
        self._apps: PersistentMap[str, _App] = PersistentMap()
        # By what marks begin with, the apps that have one that does in any copy: few apps name another.
        self._marking: dict[str, set[str]] = {}
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
        found = [app.models[name] for app in self._with_marks(mark[0]) for name in app.marks.get(mark, ())]
        return sorted(found, key=lambda model: model.key)

    def _with_marks(self, beginning: str) -> Iterator[_App]:
        """The apps that may have a mark that begins so."""
        return (self._apps.get(app, _NO_APP) for app in self._marking.get(beginning, ()))

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
        return frozenset(name for app in self._with_marks(SETTING) for kind, name in app.marks if kind == SETTING)

    def in_app(self, app: str) -> Models:
        """The models of an app by lower-case name."""
        return self._apps.get(app, _NO_APP).models

    def changed_since(self, before: ProjectState) -> Iterator[tuple[str, Models]]:
        """The apps, with their models, that are not the same as in another state."""
        return ((app, found.models) for app, found, _ in self._apps.differing(before._apps))

    def is_partial(self, app: str) -> bool:
        """Whether an operation on this app could not be read: what is missing may be there."""
        return app in self._partial

    @property
    def partial(self) -> frozenset[str]:
        return self._partial

    def put(self, model: ModelState) -> ProjectState:
        app = self._apps.get(model.app) or _App()  # whose mapping numbers the names of its models alone
        after = app.put(model)
        if after.marks is not app.marks:
            for beginning, _ in model.marks:
                self._marking.setdefault(beginning, set()).add(model.app)
        return self._copy(self._apps.put(model.app, after))

    def without(self, key: ModelKey) -> ProjectState:
        app = self._apps.get(key.app) or _App()
        return self._copy(self._apps.put(key.app, app.without(key.name)))

    def with_apps_of(self, other: ProjectState, apps: Iterable[str]) -> ProjectState:
        """The state with the models of some apps as another state of the same history has them."""
        return self._copy(self._apps.taking(apps, other._apps))

    def with_partial(self, app: str) -> ProjectState:
        if app in self._partial:
            return self
        copy = self._copy(self._apps)
        copy._partial = self._partial | {app}
        return copy

    def _copy(self, apps: PersistentMap[str, _App]) -> ProjectState:
        copy = ProjectState.__new__(ProjectState)
        copy._apps, copy._marking, copy._partial = apps, self._marking, self._partial
        copy.longest_name = self.longest_name
        return copy
