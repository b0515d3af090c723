"""Fields as migrations write them: their calls, with what other modules and settings say filled in."""

from __future__ import annotations

from collections.abc import Callable

from miglint.project.elsewhere import Elsewhere
from miglint.project.fields import Field, FieldClass, canonical_class
from miglint.project.migration_class import Lookup
from miglint.project.state_values import StateValues
from miglint.syntax.evaluate import Values
from miglint.syntax.facts import (
    Call,
    Evaluate,
    Expr,
    Function,
    Keyword,
    Literal,
    Name,
    Opaque,
    Return,
    Statement,
    dotted,
)

# The arguments of a field that name models.
_MODELS = frozenset({"to", "through"})
_IMPORT_STRING = ("django.utils.module_loading.import_string",)


class WrittenFields:
    """Reads the fields of one file; for the arguments see `interpret`."""

    def __init__(
        self,
        elsewhere: Elsewhere,
        state_values: StateValues,
        lookup: Lookup,
        field_class: Callable[[str], FieldClass | None],
        setting: Callable[[str, str], str | None],
    ) -> None:
        self._elsewhere = elsewhere
        self._state_values = state_values
        self._lookup = lookup
        self._field_class = field_class
        self._setting = setting

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
        return Field(self.named_by_package(self._state_values.of_field(resolved)), of)

    def named_by_package(self, call: Expr) -> Expr:
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


def _is_docstring(statement: Statement) -> bool:
    return isinstance(statement, Evaluate) and isinstance(statement.value, Literal)
