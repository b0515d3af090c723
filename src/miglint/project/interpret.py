"""What one file means as a migration: the facts of its `Migration` class, as Django would understand them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from miglint.project.arguments import (
    ALWAYS_GIVEN,
    EXTENSION_NAMES,
    bind,
    called,
    hiding_in,
    parameters,
    required,
    span_of,
    text_of,
    truth_of,
    why_unknown,
)
from miglint.project.code import is_noop_sql
from miglint.project.elsewhere import Elsewhere
from miglint.project.fields import Field, FieldClass
from miglint.project.keys import MigrationKey
from miglint.project.migration import FIRST, Dependency, Migration, Unreadable
from miglint.project.migration_class import Attributes, Lookup, class_of, migration_class
from miglint.project.operation_classes import read_class
from miglint.project.operations import (
    AlterModelOptions,
    Alternative,
    CreateExtension,
    CreateModel,
    Custom,
    FieldOperation,
    ModelOperation,
    Operation,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
    Unread,
    operation_class,
)
from miglint.project.sql_files import file_read
from miglint.project.state_values import StateValues, unread
from miglint.project.truth import Truth
from miglint.project.written_fields import WrittenFields
from miglint.syntax.evaluate import Values, items_of
from miglint.syntax.facts import (
    Call,
    Class,
    Comprehension,
    Either,
    Expr,
    Items,
    Literal,
    ModuleFacts,
    Name,
    Starred,
    dotted,
)
from miglint.syntax.names import NOTHING_KNOWN, Outside
from miglint.text import NOWHERE, Span

ReadText = Callable[[str], "str | None"]

_EDGES = ("dependencies", "run_before", "replaces")
_UNCHECKED_NAMES = "what this operation changes, and what comes after it in the app"
_UNCHECKED_FIELDS = "what the model's other fields are, and what comes after it in the app"
_UNCHECKED_ARGUMENTS = "what depends on this argument, and what changes of it later"
_UNCHECKED_EDGES = "leaves, missing parents and everything that follows from this migration's place in the graph"
_UNCHECKED_OPERATIONS = "what these operations do, and the state of the models after them"
# Operations within operations, and conditions within conditions: a list may hold itself, a function call itself.
_MAX_DEPTH = 20
_MAX_WITHIN = 20_000
_UNCHECKED_CODE = "what this operation runs, what it does to the rows and how it is undone"
# What is not checked where an argument that an operation needs is hidden, by the kind of the argument.
_UNCHECKED = {
    "str | None": _UNCHECKED_NAMES,
    "Field": _UNCHECKED_NAMES,
    "SQL | None": _UNCHECKED_CODE,
    "Callback | None": _UNCHECKED_CODE,
}
# The arguments of a field that decide what its column takes, wherever they stand.
_FLAGS = ("null", "unique", "db_index", "primary_key")
# The operations whose arguments are lists, dictionaries and constants of the state, and no functions.
_OF_STATE = (ModelOperation, FieldOperation)
# What Django calls to run a migration, and what that decides. Source: django.db.migrations.migration.Migration
_RUN_BY = {
    "apply": "whether and how the operations run",
    "unapply": "whether and how the operations are undone",
    "mutate_state": "what the operations make of the models",
}


def no_lookup(module: str) -> ModuleFacts | None:
    """Knows no other file."""
    return None


def no_text(path: str) -> str | None:
    """Reads no file."""
    return None


def no_class(name: str) -> FieldClass | None:
    """Knows no field class but Django's."""
    return None


def no_setting(name: str, absent: str) -> str | None:
    """Knows no settings."""
    return None


def interpret(
    key: MigrationKey,
    path: str,
    facts: ModuleFacts,
    lookup: Lookup = no_lookup,
    field_class: Callable[[str], FieldClass | None] = no_class,
    read_text: ReadText = no_text,
    setting: Callable[[str, str], str | None] = no_setting,
    around: Outside = NOTHING_KNOWN,
) -> Migration:
    """The migration of a file; what cannot be read is recorded in it, and never raised.

    `lookup` gives the facts of another module by its dotted name as the file imports it (`..base` for a relative
    one), None where they are not known; `field_class` what a name of the file means that is not Django's,
    `read_text` the text of a file beside the migration, by its relative path; `setting` the
    model that a setting names, by the setting and what stands for it where the project does not say; `around`
    decides what the file makes depend on the place where it runs.
    """
    if facts.problem is not None:
        return _unknown(key, path, facts, NOWHERE, facts.problem.message)
    definition = migration_class(facts, lookup, around)
    if isinstance(definition, str):
        return _unknown(key, path, facts, Span(0, 0), definition)
    return _Interpreter(key, path, facts, definition, lookup, field_class, read_text, setting, around).migration()


def _unknown(key: MigrationKey, path: str, facts: ModuleFacts, span: Span, why: str) -> Migration:
    unreadable: tuple[Unreadable, ...] = ()
    if facts.problem is None:
        unreadable = (Unreadable("Migration", why, "this migration", span),)
    return Migration(
        key,
        path,
        facts,
        atomic=Truth.UNKNOWN,
        dependencies_known=False,
        operations_known=False,
        unreadable=unreadable,
        class_span=span,
    )


class _Interpreter:
    """One reading of one file."""

    def __init__(
        self,
        key: MigrationKey,
        path: str,
        facts: ModuleFacts,
        definition: Class,
        lookup: Lookup,
        field_class: Callable[[str], FieldClass | None],
        read_text: ReadText,
        setting: Callable[[str, str], str | None],
        around: Outside,
    ) -> None:
        self._key = key
        self._path = path
        self._facts = facts
        self._attributes = Attributes(definition, facts, lookup, around)
        self._values = self._attributes.values
        self._elsewhere = Elsewhere(facts, self._values, lookup)
        self._state_values = StateValues(self._elsewhere)
        self._fields = WrittenFields(self._elsewhere, self._state_values, lookup, field_class, setting)
        self._lookup = lookup
        self._read_text = read_text
        self._unreadable: list[Unreadable] = []
        self._depth = self._within = 0

    def migration(self) -> Migration:
        definition, computed = self._attributes.definition, self._attributes.computed
        edges = {name: tuple(self._edges(name)) for name in _EDGES}
        written = self._attributes.get("operations")
        operations = self._operations(written, self._values)
        unknown = self._attributes.unknown_base if written is None else None
        if unknown is not None:
            why = f"what `{dotted(unknown) or 'a computed class'}` has, which this project does not tell"
            self._cannot_read("operations", why, _UNCHECKED_OPERATIONS, definition.span)
        if "operations" in computed:
            self._cannot_read("operations", computed["operations"], _UNCHECKED_OPERATIONS, definition.span)
        methods = self._attributes.methods
        for name in (each for each in _RUN_BY if each in methods):
            self._cannot_read(name, "a method in place of Django's", _RUN_BY[name], definition.span)
        known = {each.what for each in self._unreadable}
        return Migration(
            self._key,
            self._path,
            self._facts,
            dependencies=edges["dependencies"],
            run_before=edges["run_before"],
            replaces=edges["replaces"],
            operations=operations,
            initial=truth_of(self._attributes.get("initial")),
            atomic=self._attributes.atomic,
            dependencies_known=not known & set(_EDGES),
            operations_known="operations" not in known,
            unreadable=tuple(self._unreadable),
            class_span=definition.span,
            definition=definition,
            bases=tuple(dotted(base) for base in definition.bases),
        )

    def _cannot_read(self, what: str, why: str, unchecked: str, span: Span) -> None:
        self._unreadable.append(Unreadable(what, why, unchecked, span))

    # -- edges ---------------------------------------------------------------------------------------

    def _edges(self, name: str) -> Iterator[Dependency]:
        value = self._attributes.get(name)
        if name in self._attributes.computed:
            self._cannot_read(name, self._attributes.computed[name], _UNCHECKED_EDGES, self._attributes.definition.span)
        for item in items_of(self._elsewhere.written_out(value), self._values) if value is not None else ():
            resolved = self._fields.named_by_package(self._values.resolve(item))
            entry = _dependency(resolved, self._values)
            if entry is None and _is_swappable(resolved):
                # Whatever it names is another app's: the edges within this app are known all the same.
                self._cannot_read(
                    "swappable_dependency", why_unknown(resolved), "which app it depends on", span_of(item)
                )
            elif entry is None:
                self._cannot_read(name, why_unknown(resolved), _UNCHECKED_EDGES, span_of(item))
            else:
                yield entry

    # -- operations ----------------------------------------------------------------------------------

    def _operations(self, value: Expr | None, values: Values) -> tuple[Operation, ...]:
        if value is None or (isinstance(value, Literal) and value.kind == "none"):
            return ()
        return tuple(self._operation(item, values) for item in items_of(self._elsewhere.written_out(value), values))

    def _operation(self, item: Expr, values: Values) -> Operation:
        inner = values.resolve(item.value if isinstance(item, Starred) else item)
        self._depth += 1
        self._within += self._depth > 1
        ends = self._depth <= _MAX_DEPTH and self._within <= _MAX_WITHIN
        found = self._nested(inner, values, several=isinstance(item, Starred)) if ends else None
        self._depth -= 1
        if found is not None:
            return found
        self._cannot_read("operations", why_unknown(inner), _UNCHECKED_OPERATIONS, span_of(item))
        return Unread(span=span_of(item), call=inner, why=why_unknown(inner), like=self._like(inner, values))

    def _nested(self, inner: Expr, values: Values, *, several: bool) -> Operation | None:
        """An operation, which may hold others; None for what is none."""
        if isinstance(inner, Either):
            return self._alternative(inner, values, several=several)
        return self._call(inner, values) if isinstance(inner, Call) and not several else None

    def _like(self, value: Expr, values: Values) -> Operation | None:
        """The operation that a comprehension makes again and again."""
        if not isinstance(value, Comprehension) or not isinstance(value.element, Call):
            return None
        said = len(self._unreadable)
        found = self._operation(value.element, values)
        del self._unreadable[said:]  # that the list is computed says it
        return found

    def _alternative(self, value: Either, values: Values, *, several: bool) -> Operation:
        unchecked = _UNCHECKED_OPERATIONS
        if values.around.asks_for_database(value.test, values):
            unchecked += ", until the setting `database` says which database is in use"
        self._cannot_read("operations", "chosen by a condition", unchecked, value.span)
        said = len(self._unreadable)
        then, otherwise = (
            self._operations(part if several else Items("list", (part,), part.span), values)
            for part in (value.then, value.otherwise)
        )
        del self._unreadable[said:]  # one condition says it for all that depends on it
        return Alternative(span=value.span, call=value, then=then, otherwise=otherwise)

    def _call(self, call: Call, values: Values) -> Operation:
        """The operation of a resolved call."""
        call = self._elsewhere.spread(call)
        callee = self._callee(call.function, values)
        kind = operation_class(callee)
        return self._custom(call, callee, values) if kind is None else self._built(kind, call, callee, values)

    def _custom(self, call: Call, callee: str, values: Values) -> Operation:
        """An operation of a class that is not Django's, as far as its sources can be read."""
        known = read_class(callee, self._facts, partial(class_of, lookup=self._lookup))
        kind = operation_class(known.base) if known is not None else None
        if known is None or not (known.leaves_state or (kind is not None and known.is_base_in_state)):
            return Custom(span=call.span, call=call, callee=callee)
        in_state: tuple[Operation, ...] = ()
        if not known.leaves_state and kind is not None:
            passed = known.passed_on(call, parameters(kind))
            if passed is None:
                return Custom(span=call.span, call=call, callee=callee)
            in_state = (self._built(kind, passed, known.base, values),)
            if known.is_base:
                return in_state[0]
        if known.leaves_database and not (kind is not None and issubclass(kind, RunPython | RunSQL)):
            return SeparateDatabaseAndState(span=call.span, call=call, state_operations=in_state)
        return Custom(span=call.span, call=call, callee=callee, in_state=in_state)

    def _built(self, kind: type[Operation], call: Call, callee: str, values: Values) -> Operation:
        known, of_state = parameters(kind), issubclass(kind, _OF_STATE)
        arguments, uncertain = bind(call, known)
        built: dict[str, Any] = {"span": call.span, "call": call, "uncertain": uncertain}
        for name, kind_of in known.items():
            value = arguments.get(name)
            if value is not None or kind_of in ALWAYS_GIVEN:
                built[name] = self._argument(kind_of, value, values, of_state=of_state)
            if value is not None and kind_of == "str | None" and built[name] is None:
                self._cannot_name(kind, name, value, values)
            if value is not None and kind_of == "Field" and not isinstance(built[name].call, Call):
                self._cannot_read(
                    f"{kind.__name__}.{name}", why_unknown(built[name].call), _UNCHECKED_NAMES, span_of(value)
                )
            elif value is not None and kind_of == "Field":
                self._cannot_read_arguments(f"{kind.__name__}.{name}", built[name], values)
            elif value is not None and of_state and kind is not AlterModelOptions and kind_of != "str | None":
                for part in unread(name, built[name]):
                    what = f"{kind.__name__}.{name}"
                    self._cannot_read(what, why_unknown(part), _UNCHECKED_ARGUMENTS, span_of(value))
        if uncertain:
            built |= self._hidden(kind, arguments, call, values)
        if kind is RunSQL:
            self._cannot_read_sql(built["sql"])
        if kind is CreateModel:
            built.update(self._created(arguments.get("fields"), values))
        if kind is CreateExtension and "name" not in built:
            built["name"] = EXTENSION_NAMES.get(callee.rpartition(".")[2])
        return kind(**built)

    def _cannot_name(self, kind: type[Operation], argument: str, value: Expr, values: Values) -> None:
        """An operation on a model, a field or a file of SQL whose name is computed: it is not known what it changes."""
        resolved = values.resolve(value)
        if not (isinstance(resolved, Literal) and resolved.kind == "none"):
            self._cannot_read(f"{kind.__name__}.{argument}", why_unknown(resolved), _UNCHECKED_NAMES, span_of(value))

    def _cannot_read_arguments(self, what: str, field: Field, values: Values) -> None:
        """A field with `**kwargs` that are not known, or with one argument that decides what its column takes.

        What its class computes is the class's to know: it is no part of the migration.
        """
        if not isinstance(field.call, Call):
            return
        hidden = next(hiding_in(field.call), None) if not field.complete else None
        written = {keyword.name for keyword in field.call.keywords}
        flags = (field.arguments[name] for name in _FLAGS if name in written and name in field.arguments)
        unknown = next((value for value in flags if not isinstance(value, Literal)), None)
        for value in (hidden, unknown):
            if value is not None:
                self._cannot_read(what, why_unknown(values.resolve(value)), _UNCHECKED_ARGUMENTS, span_of(value))

    def _hidden(
        self, kind: type[Operation], given: dict[str, Expr], call: Call, values: Values
    ) -> dict[str, tuple[Unread, ...]]:
        """What `*pair` or `**kwargs` keep from sight: what the operation changes, or the operations within it."""
        hiding = next(iter(hiding_in(call)))
        why = why_unknown(values.resolve(hiding))
        absent = {name: kind_of for name, kind_of in parameters(kind).items() if name not in given}
        if kind is SeparateDatabaseAndState and absent:
            self._cannot_read(kind.__name__, why, _UNCHECKED_OPERATIONS, call.span)
            return {name: (Unread(span=call.span, call=hiding, why=why),) for name in absent}
        needed = [name for name in absent if name in required(kind) and absent[name] in _UNCHECKED]
        if needed:
            self._cannot_read(f"{kind.__name__}.{needed[0]}", why, _UNCHECKED[absent[needed[0]]], call.span)
        return {}

    def _callee(self, function: Expr, values: Values) -> str:
        """The qualified name of what is called."""
        return dotted(called(values.resolve(function)))

    def _argument(self, kind: str, value: Expr | None, values: Values, *, of_state: bool) -> Any:
        if kind == "str | None":
            return text_of(
                value if value is None or isinstance(value, Literal) else self._elsewhere.whole(value), values
            )
        if kind == "Field":
            return self._fields.field(value, values)
        if kind == "tuple[Operation, ...]":
            return self._operations(value, values)
        if kind == "SQL | None" and value is not None:
            return self._sql(values.resolve_all(value), values)
        if of_state and value is not None:
            return self._state_values.written(value)
        resolved = values.resolve(value) if value is not None else None
        return value if kind == "Callback | None" and not isinstance(resolved, Literal) else resolved

    def _sql(self, value: Expr, values: Values) -> Expr:
        """SQL with what it reads from files beside the migration, and what functions of the project put together."""
        if isinstance(value, Items):
            return Items(value.kind, tuple(self._sql(item, values) for item in value.items), value.span)
        path = file_read(value, values)
        text = self._read_text(path) if path is not None else None
        if text is not None or isinstance(value, Literal):
            return Literal("str", text, value.span) if text is not None else value
        return self._elsewhere.written_out(value)

    def _cannot_read_sql(self, sql: Expr | None) -> None:
        """A text that is computed: one of a list, too, where it may stand beside its parameters.

        Source: django.db.migrations.operations.special.RunSQL._run_sql
        """
        for item in sql.items if isinstance(sql, Items) else (sql,):
            text = item.items[0] if isinstance(item, Items) and item.items else item
            if text is not None and not isinstance(text, Literal) and not is_noop_sql(text):
                self._cannot_read("RunSQL.sql", why_unknown(text), _UNCHECKED_CODE, span_of(text))

    def _created(self, fields: Expr | None, values: Values) -> dict[str, Any]:
        complete = fields is not None
        found: list[tuple[str, Field]] = []
        for item in items_of(self._elsewhere.whole(fields), values) if fields is not None else ():
            pair = values.resolve(item)
            parts = pair.items if isinstance(pair, Items) and len(pair.items) == 2 else None
            name = text_of(parts[0], values) if parts is not None else None
            if parts is None or name is None:
                complete = False
                if parts is None:  # of a field whose name alone is computed the rest is known
                    self._cannot_read("CreateModel.fields", why_unknown(pair), _UNCHECKED_FIELDS, span_of(item))
            else:
                field = self._fields.field(parts[1], values)
                found.append((name, field))
                self._cannot_read_arguments("CreateModel.fields", field, values)
        return {"fields": tuple(found), "complete": complete}


def _dependency(value: Expr, values: Values) -> Dependency | None:
    if isinstance(value, Items) and len(value.items) == 2:
        app, name = (text_of(item, values) for item in value.items)
        return Dependency(MigrationKey(app, name), value.span) if app is not None and name is not None else None
    return _swappable(value, values) if isinstance(value, Call) and _is_swappable(value) else None


def _is_swappable(value: Expr) -> bool:
    return isinstance(value, Call) and value.callee.endswith("swappable_dependency") and len(value.arguments) == 1


def _swappable(call: Call, values: Values) -> Dependency | None:
    """Source: django.db.migrations.migration.swappable_dependency"""
    argument = values.resolve(call.arguments[0])
    if isinstance(argument, Name) and argument.name.startswith("django.conf.settings."):
        return Dependency(None, call.span, setting=argument.name.rpartition(".")[2])
    text = text_of(argument, values)
    return None if text is None else Dependency(MigrationKey(text.partition(".")[0], FIRST), call.span)
