"""What one file means as a migration: the facts of its `Migration` class, as Django would understand them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Any

import msgspec

from miglint.lazy import lazy
from miglint.project.class_changes import changes
from miglint.project.code import is_noop_sql
from miglint.project.elsewhere import Elsewhere, placed
from miglint.project.fields import Field, FieldClass, canonical_class
from miglint.project.keys import MigrationKey
from miglint.project.migration import FIRST, Dependency, Migration, Unreadable
from miglint.project.operation_classes import read_class
from miglint.project.operations import (
    Alternative,
    CreateExtension,
    CreateModel,
    Custom,
    FieldOperation,
    ModelOperation,
    Operation,
    RunSQL,
    SeparateDatabaseAndState,
    Unread,
    operation_class,
)
from miglint.project.sql_files import file_read
from miglint.project.truth import Truth
from miglint.syntax.evaluate import UNSET, Values, items_of, module_values
from miglint.syntax.facts import (
    Assign,
    Attribute,
    Call,
    Class,
    Comprehension,
    Either,
    Evaluate,
    Expr,
    Function,
    If,
    Import,
    Items,
    Keyword,
    Literal,
    ModuleFacts,
    Name,
    Opaque,
    Return,
    Starred,
    Statement,
    blocks,
    dotted,
)
from miglint.syntax.names import NOTHING_KNOWN, Outside
from miglint.text import NOWHERE, Span

Lookup = Callable[[str], "ModuleFacts | None"]
ReadText = Callable[[str], "str | None"]

_DJANGO_BASES = ("django.db.migrations.Migration", "django.db.migrations.migration.Migration")
_EDGES = ("dependencies", "run_before", "replaces")
_UNCHECKED_NAMES = "what this operation changes, and what comes after it in the app"
_UNCHECKED_FIELDS = "what the model's other fields are, and what comes after it in the app"
_UNCHECKED_EDGES = "leaves, missing parents and everything that follows from this migration's place in the graph"
_UNCHECKED_OPERATIONS = "what these operations do, and the state of the models after them"
_MAX_BASES = 8
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
# The operations whose arguments are lists, dictionaries and constants of the state, and no functions.
_OF_STATE = (ModelOperation, FieldOperation)
# What Django calls to run a migration, and what that decides. Source: django.db.migrations.migration.Migration
_RUN_BY = {
    "apply": "whether and how the operations run",
    "unapply": "whether and how the operations are undone",
    "mutate_state": "what the operations make of the models",
}
# The arguments of a field that name models.
_MODELS = frozenset({"to", "through"})
_IMPORT_STRING = ("django.utils.module_loading.import_string",)


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


def migration_class(facts: ModuleFacts, lookup: Lookup, around: Outside) -> Class | str:
    """The class that a module calls `Migration`; why it is not known, as words that follow "it is".

    Of one that stands elsewhere (`Migration = Other`) it is a class that only derives from it.
    """
    classes: list[Class] = [each for each in facts.top(Class) if each.name == "Migration"]
    if len(classes) == 1:
        return classes[0]
    bound = list(_binding("Migration", facts.body, module_values(facts.body, around)))
    if not bound:
        return "`Migration`, which is not defined in this file"
    statement = bound[-1][0]
    if len(bound) > 1 and not all(sure for _, sure in bound):
        return "`Migration`, which is chosen by a condition"
    if isinstance(statement, Class):
        return statement
    base = _base_of("Migration", statement)
    if base is None or class_of(base.name, facts, lookup) is None:
        return "`Migration`, which is not defined in this file"
    return Class("Migration", (base,), (), (), (), statement.span)


def _binding(name: str, body: Sequence[Statement], values: Values) -> Iterator[tuple[Statement, bool]]:
    """The statements that bind a name, in order, and whether they are certainly reached."""
    for statement in body:
        holds = values.around.holds(statement.test, values) if isinstance(statement, If) else None
        if isinstance(statement, If) and holds is not None:
            yield from _binding(name, statement.body if holds else statement.otherwise, values)
        elif isinstance(statement, Class):
            if statement.name == name:
                yield statement, True
        elif isinstance(statement, Import | Assign):
            if _base_of(name, statement) is not None:
                yield statement, True
        elif not isinstance(statement, Function):
            for block in blocks(statement):
                yield from ((inner, False) for inner, _ in _binding(name, block, values))


def _base_of(name: str, statement: Statement) -> Name | None:
    """What an import or an assignment binds a name to."""
    match statement:
        case Import(aliases=aliases):
            return next((Name(a.path, "imported", statement.span) for a in aliases if a.bound == name), None)
        case Assign(targets=targets, value=Name() as value) if any(dotted(target) == name for target in targets):
            return value
    return None


def class_of(path: str, facts: ModuleFacts, lookup: Lookup) -> tuple[Class, ModuleFacts] | None:
    """A class by the name that a module has for it, and where it stands; None where that is Django or not known."""
    module, name = _module_of(path)
    if path in _DJANGO_BASES or not name:
        return None
    where = lookup(module) if module else facts
    definition = where.class_named(name) if where is not None else None
    return (definition, where) if definition is not None and where is not None else None


def _before_django(definition: Class) -> Iterator[Expr]:
    """The bases that come before Django's own, which has a value for each attribute."""
    return takewhile(lambda base: dotted(base) not in _DJANGO_BASES, definition.bases)


def _module_of(path: str) -> tuple[str, str]:
    """The module of a name, as it is imported, and the name in it: of `..Base` the dots are the module."""
    name = path.rpartition(".")[2]
    module = path[: -len(name)] if name else path
    return (module[:-1] if module.strip(".") else module), name


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
        self._definition = definition
        self._lookup = lookup
        self._field_class = field_class
        self._read_text = read_text
        self._setting = setting
        self._around = around
        module = module_values(facts.body, around, definition)
        self._values = Values(module).run(definition.body)
        self._elsewhere = Elsewhere(facts, self._values, lookup)
        self._unreadable: list[Unreadable] = []
        self._depth = self._within = 0
        self._computed = changes(definition, facts)
        for _, where, _, base in reversed(self._bases):
            self._computed = changes(base, where) | self._computed

    def migration(self) -> Migration:
        edges = {name: tuple(self._edges(name)) for name in _EDGES}
        written = self._attribute("operations")
        operations = self._operations(written, self._values)
        unknown = self._unknown_base if written is None else None
        if unknown is not None:
            why = f"what `{dotted(unknown) or 'a computed class'}` has, which this project does not tell"
            self._cannot_read("operations", why, _UNCHECKED_OPERATIONS, self._definition.span)
        if "operations" in self._computed:
            self._cannot_read("operations", self._computed["operations"], _UNCHECKED_OPERATIONS, self._definition.span)
        for name in self._own_ways():
            self._cannot_read(name, "a method in place of Django's", _RUN_BY[name], self._definition.span)
        known = {each.what for each in self._unreadable}
        return Migration(
            self._key,
            self._path,
            self._facts,
            dependencies=edges["dependencies"],
            run_before=edges["run_before"],
            replaces=edges["replaces"],
            operations=operations,
            initial=_truth(self._attribute("initial")),
            atomic=self._atomic(self._definition, self._values, self._facts),
            dependencies_known=not known & set(_EDGES),
            operations_known="operations" not in known,
            unreadable=tuple(self._unreadable),
            class_span=self._definition.span,
            definition=self._definition,
            bases=tuple(dotted(base) for base in self._definition.bases),
        )

    def _own_ways(self) -> list[str]:
        """The methods by which Django runs a migration that the class, or a base class of the project, has itself."""
        classes = (self._definition, *(definition for *_, definition in self._bases))
        methods = {each.name for definition in classes for each in definition.body if isinstance(each, Function)}
        return [name for name in _RUN_BY if name in methods]

    def _cannot_read(self, what: str, why: str, unchecked: str, span: Span) -> None:
        self._unreadable.append(Unreadable(what, why, unchecked, span))

    # -- the class -----------------------------------------------------------------------------------

    def _attribute(self, name: str) -> Expr | None:
        """An attribute of the class, or of a base class of the project that can be read."""
        given = self._values.names.get(name)
        return self._inherited(name) if given is None else self._filled(given, name)

    def _inherited(self, name: str) -> Expr | None:
        for values, where, module, _ in self._bases:
            found = values.names.get(name)
            if found is not None:
                found = values.resolve_all(found)
                return found if where is self._facts else placed(found, where, module, self._definition.span)
        return None

    def _filled(self, value: Expr, name: str) -> Expr:
        """An attribute that the class sets under a condition only is its base's otherwise. Source: Migration, `[]`"""
        if isinstance(value, Opaque) and value.why == UNSET:
            return self._inherited(name) or Items("list", (), value.span)
        if isinstance(value, Either):
            then, otherwise = (self._filled(way, name) for way in (value.then, value.otherwise))
            return Either(value.test, then, otherwise, value.span)
        return value

    @lazy
    def _bases(self) -> tuple[tuple[Values, ModuleFacts, str, Class], ...]:
        """The project's own base classes that can be read, the nearest first: their attributes, and whence they are."""
        found: list[tuple[Values, ModuleFacts, str, Class]] = []
        pending = [(base, self._facts) for base in _before_django(self._definition)]
        for _ in range(_MAX_BASES):
            if not pending:
                break
            base, facts = pending.pop(0)
            read = self._class(dotted(base), facts)
            if read is not None:
                definition, where = read
                values = Values(module_values(where.body, self._around, definition)).run(definition.body)
                found.append((values, where, _module_of(dotted(base))[0], definition))
                pending.extend((each, where) for each in _before_django(definition))
        return tuple(found)

    @property
    def _unknown_base(self) -> Expr | None:
        """A base class that cannot be read."""
        classes = [(self._definition, self._facts), *((definition, where) for _, where, _, definition in self._bases)]
        for definition, where in classes:
            for base in _before_django(definition):
                if dotted(base) != "object" and self._class(dotted(base), where) is None:
                    return base
        return None

    def _class(self, path: str, facts: ModuleFacts) -> tuple[Class, ModuleFacts] | None:
        return class_of(path, facts, self._lookup)

    def _atomic(self, definition: Class, values: Values, facts: ModuleFacts, depth: int = 0) -> Truth:
        if "atomic" in self._computed:
            return Truth.UNKNOWN
        given = values.names.get("atomic")
        if given is not None:
            resolved = values.resolve(given)
            return Truth.of(_truth(resolved))
        for base in _before_django(definition):
            path = dotted(base)
            if depth > _MAX_BASES:
                continue
            found = self._class(path, facts)
            if found is None:
                return Truth.UNKNOWN
            inner, where = found
            atomic = self._atomic(
                inner, Values(module_values(where.body, self._around)).run(inner.body), where, depth + 1
            )
            if atomic is not Truth.YES:
                return atomic
        return Truth.YES

    # -- edges ---------------------------------------------------------------------------------------

    def _edges(self, name: str) -> Iterator[Dependency]:
        value = self._attribute(name)
        if name in self._computed:
            self._cannot_read(name, self._computed[name], _UNCHECKED_EDGES, self._definition.span)
        for item in items_of(self._elsewhere.written_out(value), self._values) if value is not None else ():
            resolved = self._named_by_package(self._values.resolve(item))
            entry = _dependency(resolved, self._values)
            if entry is None and _is_swappable(resolved):
                # Whatever it names is another app's: the edges within this app are known all the same.
                self._cannot_read("swappable_dependency", _why(resolved), "which app it depends on", _span_of(item))
            elif entry is None:
                self._cannot_read(name, _why(resolved), _UNCHECKED_EDGES, _span_of(item))
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
        self._cannot_read("operations", _why(inner), _UNCHECKED_OPERATIONS, _span_of(item))
        return Unread(span=_span_of(item), call=inner, why=_why(inner), like=self._like(inner, values))

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
        self._cannot_read("operations", "chosen by a condition", _UNCHECKED_OPERATIONS, value.span)
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
        known = read_class(callee, self._facts, self._class)
        kind = operation_class(known.base) if known is not None else None
        if known is None or not (known.leaves_state or (kind is not None and known.is_base_in_state)):
            return Custom(span=call.span, call=call, callee=callee)
        if known.leaves_state or kind is None:
            return Custom(span=call.span, call=call, callee=callee, in_state=())
        base = self._built(kind, call, known.base, values)
        return base if known.is_base else Custom(span=call.span, call=call, callee=callee, in_state=(base,))

    def _built(self, kind: type[Operation], call: Call, callee: str, values: Values) -> Operation:
        known, of_state = parameters(kind), issubclass(kind, _OF_STATE)
        arguments, uncertain = bind(call, known)
        built: dict[str, Any] = {"span": call.span, "call": call, "uncertain": uncertain}
        for name, kind_of in known.items():
            value = arguments.get(name)
            if value is not None or kind_of in _ALWAYS_GIVEN:
                built[name] = self._argument(kind_of, value, values, of_state=of_state)
            if value is not None and kind_of == "str | None" and built[name] is None:
                self._cannot_name(kind, name, value, values)
            if value is not None and kind_of == "Field" and not isinstance(built[name].call, Call):
                self._cannot_read(f"{kind.__name__}.{name}", _why(built[name].call), _UNCHECKED_NAMES, _span_of(value))
        if uncertain:
            built |= self._hidden(kind, arguments, call, values)
        if kind is RunSQL:
            self._cannot_read_sql(built["sql"])
        if kind is CreateModel:
            built.update(self._created(arguments.get("fields"), values))
        if kind is CreateExtension and "name" not in built:
            built["name"] = _EXTENSION_NAMES.get(callee.rpartition(".")[2])
        return kind(**built)

    def _cannot_name(self, kind: type[Operation], argument: str, value: Expr, values: Values) -> None:
        """An operation on a model, a field or a file of SQL whose name is computed: it is not known what it changes."""
        resolved = values.resolve(value)
        if not (isinstance(resolved, Literal) and resolved.kind == "none"):
            self._cannot_read(f"{kind.__name__}.{argument}", _why(resolved), _UNCHECKED_NAMES, _span_of(value))

    def _hidden(
        self, kind: type[Operation], given: dict[str, Expr], call: Call, values: Values
    ) -> dict[str, tuple[Unread, ...]]:
        """What `*pair` or `**kwargs` keep from sight: what the operation changes, or the operations within it."""
        hiding = next(iter(_hiding(call)))
        why = _why(values.resolve(hiding))
        absent = {name: kind_of for name, kind_of in parameters(kind).items() if name not in given}
        if kind is SeparateDatabaseAndState and absent:
            self._cannot_read(kind.__name__, why, _UNCHECKED_OPERATIONS, call.span)
            return {name: (Unread(span=call.span, call=hiding, why=why),) for name in absent}
        needed = [name for name in absent if name in _required(kind) and absent[name] in _UNCHECKED]
        if needed:
            self._cannot_read(f"{kind.__name__}.{needed[0]}", why, _UNCHECKED[absent[needed[0]]], call.span)
        return {}

    def _callee(self, function: Expr, values: Values) -> str:
        """The qualified name of what is called."""
        return dotted(_called(values.resolve(function)))

    def _argument(self, kind: str, value: Expr | None, values: Values, *, of_state: bool) -> Any:
        if kind == "str | None":
            return text_of(
                value if value is None or isinstance(value, Literal) else self._elsewhere.whole(value), values
            )
        if kind == "Field":
            return self.field(value, values)
        if kind == "tuple[Operation, ...]":
            return self._operations(value, values)
        if kind == "SQL | None" and value is not None:
            return self._sql(values.resolve_all(value), values)
        if of_state and value is not None:
            return self._elsewhere.constants_within(value)
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
                self._cannot_read("RunSQL.sql", _why(text), _UNCHECKED_CODE, _span_of(text))

    def field(self, value: Expr | None, values: Values) -> Field:
        """A field as its call, with constants and `**{…}` written out."""
        if value is None:
            return Field(Opaque("not given"))
        resolved = values.resolve(value)
        if isinstance(resolved, Call) and "." not in resolved.callee:  # a function of the file may give it
            resolved = self._elsewhere.written_out(resolved)
        if not isinstance(resolved, Call):
            return Field(resolved)
        resolved = self._elsewhere.spread(resolved)
        callee = resolved.callee if "." in resolved.callee else self._imported_by_setting(resolved, values)
        of = self._field_class(callee) if callee and canonical_class(callee) is None else None
        return Field(self._named_by_package(self._elsewhere.with_constants(resolved)), of)

    def _named_by_package(self, call: Expr) -> Expr:
        """A field or a swappable dependency with the models that other modules name written out."""
        if not isinstance(call, Call):
            return call
        arguments = tuple(self._model_of(argument) for argument in call.arguments)
        keywords = tuple(
            Keyword(k.name, self._model_of(k.value), k.span) if k.name in _MODELS or isinstance(k.value, Call) else k
            for k in call.keywords
        )
        return Call(call.function, arguments, keywords, call.span)

    def _model_of(self, value: Expr) -> Expr:
        """The text of a name of another module, or of what a function gives that only reads a setting; else itself."""
        if isinstance(value, Name):
            found = self._elsewhere.written_out(value)
            return found if isinstance(found, Literal | Name) else value
        if not isinstance(value, Call) or value.arguments or value.keywords or "." not in value.callee:
            return value
        module, _, name = value.callee.rpartition(".")
        facts = self._lookup(module)
        functions = [each for each in facts.top(Function) if each.name == name] if facts is not None else []
        if len(functions) != 1:
            return value
        match [each for each in functions[0].body if not _is_docstring(each)]:
            case [
                Return(
                    value=Call(
                        function=Name(name="getattr"),
                        arguments=(Name(name="django.conf.settings"), Literal(text=setting), Literal(text=absent)),
                    )
                )
            ]:
                model = self._setting(setting, absent)
                return value if model is None else Literal("str", model, value.span)
        return value

    def _imported_by_setting(self, call: Call, values: Values) -> str:
        """`django.conf.settings.X` where a class is what `import_string(settings.X)` gives, else the name as it is."""
        made = values.resolve(call.function)
        if isinstance(made, Call) and made.callee in _IMPORT_STRING and len(made.arguments) == 1:
            return dotted(made.arguments[0])
        return call.callee

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
                    self._cannot_read("CreateModel.fields", _why(pair), _UNCHECKED_FIELDS, _span_of(item))
            else:
                found.append((name, self.field(parts[1], values)))
        return {"fields": tuple(found), "complete": complete}


# -- arguments ----------------------------------------------------------------------------------------

# The kinds of parameters that are always passed on: None says that the argument is absent.
_ALWAYS_GIVEN = frozenset({"str | None", "Expr | None", "SQL | None", "Callback | None", "Field"})
_NOT_DJANGOS = frozenset({"span", "call", "uncertain", "complete", "why", "callee", "then", "otherwise"})
# Source: django.contrib.postgres.operations
_EXTENSION_NAMES = {
    "BloomExtension": "bloom",
    "BtreeGinExtension": "btree_gin",
    "BtreeGistExtension": "btree_gist",
    "CITextExtension": "citext",
    "CryptoExtension": "pgcrypto",
    "HStoreExtension": "hstore",
    "TrigramExtension": "pg_trgm",
    "UnaccentExtension": "unaccent",
}


_parameters: dict[type[Operation], dict[str, str]] = {}


def parameters(kind: type[Operation]) -> dict[str, str]:
    """The parameters of an operation class in Django's order, each with its annotation."""
    found = _parameters.get(kind)
    if found is None:
        annotations: dict[str, str] = {}
        for base in reversed(kind.__mro__):
            annotations |= inspect.get_annotations(base)
        names = [name for name in annotations if name in kind.__struct_fields__ and name not in _NOT_DJANGOS]
        found = {name: annotations[name] for name in names}
        _parameters[kind] = found
    return found


def bind(call: Call, names: dict[str, str]) -> tuple[dict[str, Expr], bool]:
    """The arguments of a call by parameter name, and whether some could not be told apart."""
    found: dict[str, Expr] = {}
    uncertain = False
    for name, argument in zip(names, call.arguments, strict=False):
        if isinstance(argument, Starred):
            uncertain = True
            break
        found[name] = argument
    for keyword in call.keywords:
        if keyword.name is None:
            uncertain = True
        else:
            found[keyword.name] = keyword.value
    return found, uncertain


def _hiding(call: Call) -> Iterator[Expr]:
    """What a call is given by `*` and `**`."""
    yield from (argument.value for argument in call.arguments if isinstance(argument, Starred))
    yield from (keyword.value for keyword in call.keywords if keyword.name is None)


def _required(kind: type[Operation]) -> set[str]:
    """The parameters without a default."""
    return {each.name for each in msgspec.structs.fields(kind) if each.required}


def text_of(value: Expr | None, values: Values) -> str | None:
    """The text of a string (also of a bytes literal that Python 2 left behind), None where it is not known."""
    resolved = values.resolve(value) if value is not None else None
    if not isinstance(resolved, Literal):
        return None
    if resolved.kind == "bytes":
        content = resolved.value
        return content.decode("ascii") if isinstance(content, bytes) and content.isascii() else None
    return resolved.text if resolved.kind == "str" else None


def _is_docstring(statement: Statement) -> bool:
    return isinstance(statement, Evaluate) and isinstance(statement.value, Literal)


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


# -- words --------------------------------------------------------------------------------------------


def _truth(value: Expr | None) -> bool | None:
    return value.text == "True" if isinstance(value, Literal) and value.kind == "bool" else None


def _span_of(item: Expr) -> Span:
    return item.value.span if isinstance(item, Starred) and item.span == NOWHERE else item.span


def _why(value: Expr) -> str:
    """Why a value is not known, as words that follow "it is"."""
    inner = value.value if isinstance(value, Starred) else value
    if isinstance(inner, Opaque):
        return inner.why
    if isinstance(inner, Call):
        return f"the result of a call ({inner.callee or 'of a computed function'})"
    if isinstance(inner, Either):
        return "chosen by a condition"
    if isinstance(inner, Name | Attribute):
        return f"the name `{dotted(inner) or 'of something computed'}`, whose value this file does not tell"
    return "computed"


def _called(function: Expr) -> Expr:
    """What a call calls, where it goes well: of an import or `None` (`except ImportError: X = None`), the import."""
    if isinstance(function, Either):
        for one, other in ((function.then, function.otherwise), (function.otherwise, function.then)):
            if isinstance(other, Literal) and other.kind == "none":
                return one
    return function
