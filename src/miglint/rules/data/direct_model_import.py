"""A model class of today in the code of a migration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from miglint.api import (
    CONTRIB_MODELS,
    Assign,
    Attribute,
    Call,
    Called,
    Class,
    Code,
    CodeReference,
    CreateModel,
    Diagnostic,
    Expr,
    Function,
    Import,
    Items,
    Migration,
    ModuleFacts,
    Name,
    OperationContext,
    Project,
    Related,
    RenameModel,
    RunPython,
    Severity,
    Span,
    Truth,
    dotted,
    entries,
    expressions,
    given_names,
    module_assignments,
    reached,
    references,
    rule,
    walk,
    walk_operations,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models"

_USER_MODEL = ("django.contrib.auth.get_user_model", "django.contrib.auth.models.get_user_model")
_GOT_USER = "get_user_model()"
# Attributes that only a model class has: they tell one whose module cannot be read.
_MODEL_ONLY = {"objects", "_default_manager", "_base_manager", "_meta"}
# What a model's name may be asked for, to get the historical one by it.
_NAMES = {"app_label", "label", "label_lower", "model_name", "object_name"}
_MODEL_BASES = ("django.db.models.Model", "django.db.models.base.Model")
# Bases whose subclasses are no models, although they may stand in a `models` module.
_PLAIN_BASES = (
    "django.db.models.Choices", "django.db.models.TextChoices", "django.db.models.IntegerChoices",
    "django.db.models.Manager", "django.db.models.QuerySet", "django.db.models.query.QuerySet", "enum.", "object",
    "str", "int", "dict", "typing.", "Exception",
)  # fmt: skip
# More names than this are not followed to tell whether one is a model.
_MAX_NAMES = 100
T = TypeVar("T")


class _Model(msgspec.Struct, frozen=True):
    """A model of today that code uses: its app's label, its class, and the attribute asked of it."""

    app: str
    name: str
    attribute: str
    # What the code wrote: `shop.models.Order`.
    path: str


@rule("MG503", on=RunPython, severity=Severity.ERROR)
def direct_model_import(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration uses a model class as it is today instead of the one of that time."""
    if not context.touches_database:
        return
    yield from _in_helpers(context)
    if not _imports_models(context.migration.facts):
        return
    names = module_assignments(context.migration.facts)
    yield from _passed_on(context, names)
    for code in reached(context.operation, context.migration):
        saved, named = _saved(code), _only_named(code)
        used = (each for each in (*code.references(), *_defaults(code)) if each.span not in named)
        for reference, model in _once((each, _model(context, each, names, saved)) for each in used):
            yield _finding(context, code, reference, model)


def _passed_on(context: OperationContext[RunPython], names: dict[str, Expr]) -> Iterator[Diagnostic]:
    """What the function is given before RunPython calls it: `partial(fill, Order)`."""
    given = given_names(context.operation, context.migration)
    for reference, model in _once((each, _model(context, each, names, frozenset())) for each in given):
        yield _finding(context, None, reference, model)


def _defaults(code: Code) -> Iterator[CodeReference]:
    """The names in the defaults of a function's parameters: `def fill(apps, schema_editor, model=Order)`."""
    for parameter in code.parameters:
        if parameter.default is not None:
            yield from references(parameter.default)


def _in_helpers(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """The same in modules that were written for migrations; other code of the application is MG505."""
    elsewhere = (
        use
        for use in context.usage.uses
        if isinstance(use, Called)
        and use.module.facts is not context.migration.facts
        and ("models" in use.path.split(".") or use.path in _USER_MODEL)
        and context.project.is_of_migrations(use.module.path)
    )
    for use, model in _once((use, _called_model(context, use)) for use in elsewhere):
        yield _finding(context, use.code, None, model, related=context.place(use, "it is used here")[1])


def _called_model(context: OperationContext[RunPython], use: Called) -> _Model | None:
    if use.path in _USER_MODEL:
        return _user_model(context) if use.call.function.span not in _only_named(use.code) else None
    return _imported_model(context, _from_root(use), used_as_model=False, is_called=True)


def _once(found: Iterable[tuple[T, _Model | None]]) -> Iterator[tuple[T, _Model]]:
    """Of each model the first place."""
    seen = set()
    for place, model in found:
        if model is not None and (model.app, model.name) not in seen:
            seen.add((model.app, model.name))
            yield place, model


def _from_root(use: Called) -> str:
    """The path of what is called; a relative one as the folders of its file say it."""
    name = use.path.lstrip(".")
    dots = len(use.path) - len(name)
    folders = use.module.path.split("/")[:-dots] if dots else []
    return ".".join([*folders, name])


def _imports_models(facts: ModuleFacts) -> bool:
    """Whether a file imports anything through which a model could come: most do not, and need no closer look."""
    return any(
        alias.path in _USER_MODEL
        or alias.path.startswith(("importlib", "django.utils"))
        or (alias.path == alias.module and "." not in alias.path)
        or ("models" in f"{alias.path}.{alias.module}".split(".") and not alias.path.startswith("django.db"))
        or any(name.startswith("django.contrib.auth") for name in (alias.path, alias.module))
        for statement in facts.imports()
        for alias in statement.aliases
    )


# -- what a name is ---------------------------------------------------------------------------------------


def _model(
    context: OperationContext[RunPython],
    reference: CodeReference,
    names: dict[str, Expr],
    saved: frozenset[Span],
) -> _Model | None:
    """The model of today that a name is, None where it is none or something harmless of one.

    `names` are what the file binds.
    """
    path, used_as_model = reference.name, reference.span in saved
    first, _, rest = path.partition(".")
    if reference.scope == "free":
        value = names.get(first)
        if value is None and first[:1].isupper() and context.migration.facts.class_named(first) is None:
            return _behind_stars(context, reference, used_as_model=used_as_model)
        if isinstance(value, Call) and _imported(value.function) and value.callee in _USER_MODEL:
            return _user_model(context) if not _is_harmless(rest) else None
        if isinstance(value, Call) and _imported(value.function):  # `ORDERS = Order.objects.all()`
            return _imported_model(context, value.callee, used_as_model=False, is_called=True)
        if isinstance(value, Items):  # `MODELS = [Order, Tag]`, for a loop
            listed = (each for item in value.items for each in references(item) if each.scope == "imported")
            models = (_imported_model(context, each.name, used_as_model=False, is_called=False) for each in listed)
            return next((model for model in models if model is not None), None)
        if not isinstance(value, Name) or value.scope != "imported":
            return None
        path = f"{value.name}.{rest}" if rest else value.name
    elif reference.scope != "imported":
        return None
    if path in _USER_MODEL and reference.call is not None:
        return _user_model(context)
    return _imported_model(context, path, used_as_model=used_as_model, is_called=reference.call is not None)


def _behind_stars(
    context: OperationContext[RunPython], reference: CodeReference, *, used_as_model: bool
) -> _Model | None:
    """The model that a name which nothing in the file binds is, behind `from shop.models import *`."""
    for statement in context.migration.facts.imports():
        for alias in statement.aliases:
            if alias.bound == "*" and alias.module:
                path, is_called = f"{alias.module}.{reference.name}", reference.call is not None
                model = _imported_model(context, path, used_as_model=used_as_model, is_called=is_called)
                if model is not None:
                    return model
    return None


def _imported(expression: Expr) -> bool:
    return isinstance(expression, Name) and expression.scope == "imported"


def _user_model(context: OperationContext[RunPython]) -> _Model:
    app, _, name = context.project.swappable.get("AUTH_USER_MODEL", "auth.User").partition(".")
    return _Model(app, name, "", _GOT_USER)


def _imported_model(
    context: OperationContext[RunPython], path: str, *, used_as_model: bool, is_called: bool
) -> _Model | None:
    dots = len(path) - len(path.lstrip("."))
    parts = path[dots:].split(".")
    if "models" not in parts[:-1] or path.startswith(("django.db.", "django.forms.")):
        return None
    at = parts.index("models")
    app = _label(context, parts[:at], dots)
    for index in range(at + 1, len(parts)):
        name, attribute = parts[index], (parts[index + 1] if index + 1 < len(parts) else "")
        if not name.lstrip("_")[:1].isupper():
            continue
        if _is_harmless(".".join(parts[index + 1 :])):
            return None
        is_read = not is_called and len(parts) == index + 2
        if is_read and attribute[:1].islower() and attribute not in _MODEL_ONLY:
            return None  # `Page.steplen`: a value of the class, which is only read
        module = "." * dots + ".".join(parts[:index])
        truth = _is_model(context, app, module, name)
        by_use = used_as_model or attribute in _MODEL_ONLY
        if truth.certain or (truth is Truth.UNKNOWN and by_use):
            return _Model(app, name, attribute, "." * dots + ".".join(parts[: index + 1]))
        return None
    return None


def _is_harmless(attributes: str) -> bool:
    """Constants, nested enums and the names of a model; its exceptions are another class than the historical one's."""
    first, _, rest = attributes.partition(".")
    if first == "_meta":
        return rest in _NAMES
    if first == "__name__":
        return True
    return first.lstrip("_")[:1].isupper() and first not in ("DoesNotExist", "MultipleObjectsReturned")


def _label(context: OperationContext[RunPython], package: list[str], dots: int) -> str:
    """The label of the app whose `models` it is."""
    if dots and not package:
        return context.migration.app
    directory = "/" + "/".join(package)
    for each in context.project.packages:
        parent = "/" + each.directory.rpartition("/")[0]
        if package and parent.endswith(directory):
            return each.label
    return package[-1] if package else context.migration.app


def _is_model(context: OperationContext[RunPython], app: str, module: str, name: str) -> Truth:
    if module.startswith("django.contrib."):
        return Truth.of(name.lower() in CONTRIB_MODELS.get(app, ()))
    states = (context.before, context.project.history.final)
    if any(state.model(app, name) is not None for state in states):
        return Truth.YES
    said = _is_model_class(context, module, name, {})
    if said is Truth.UNKNOWN and _was_ever_a_model(context.project, app, name):
        return Truth.YES
    return said


def _was_ever_a_model(project: Project, app: str, name: str) -> bool:
    for migration in project.graph.migrations.values():
        for _, operation in walk_operations(migration.operations) if migration.app == app else ():
            made = operation.name if isinstance(operation, CreateModel) else None
            made = operation.new_name if isinstance(operation, RenameModel) else made
            if made is not None and made.lower() == name.lower():
                return True
    return False


# -- what a class of the project's sources is ---------------------------------------------------------------


# What is known of names by module and name; unknown while they are looked at, as those are that stand for themselves.
_Known = dict[tuple[str, str], Truth]


def _is_model_class(context: OperationContext[RunPython], module: str, name: str, known: _Known) -> Truth:
    """Whether the sources say that a name of a module is a model class; unknown where they cannot be read."""
    if (module, name) not in known:
        known[module, name] = Truth.UNKNOWN
        if len(known) <= _MAX_NAMES:
            known[module, name] = _is_model_there(context, module, name, known)
    return known[module, name]


def _is_model_there(context: OperationContext[RunPython], module: str, name: str, known: _Known) -> Truth:
    facts = context.project.facts_of(context.migration.key, module)
    if facts is None or facts.problem is not None:
        return Truth.UNKNOWN
    definition = facts.class_named(name)
    if definition is not None:
        return _is_model_definition(context, module, facts, definition, known)
    if any(function.name == name for function in facts.top(Function)):
        return Truth.NO
    if name in module_assignments(facts):
        value = module_assignments(facts)[name]
        return Truth.UNKNOWN if isinstance(value, Call | Name) else Truth.NO
    for statement in facts.imports():
        for alias in statement.aliases:
            if alias.bound == name:
                inner, _, original = _absolute(context, module, alias.path).rpartition(".")
                return _is_model_class(context, inner, original, known)
    return _is_in_stars(context, module, facts, name, known)


def _is_in_stars(
    context: OperationContext[RunPython], module: str, facts: ModuleFacts, name: str, known: _Known
) -> Truth:
    """Looks behind `from .order import *`."""
    for statement in facts.imports():
        for alias in statement.aliases:
            if alias.bound == "*":
                inner = _absolute(context, module, alias.module, is_module=True)
                if (said := _is_model_class(context, inner, name, known)) is not Truth.UNKNOWN:
                    return said
    return Truth.UNKNOWN


def _absolute(context: OperationContext[RunPython], module: str, path: str, *, is_module: bool = False) -> str:
    """A relative import that stands in `module`, as the migration itself would write it."""
    if not path.startswith("."):
        return path
    # In a package's `__init__` one dot is the package itself, in a module it is the package that holds it.
    for up in (0, 1):
        found = _joined(module, path, up=up)
        holder = found if is_module else found.rpartition(".")[0]
        if context.project.facts_of(context.migration.key, holder) is not None:
            return found
    return _joined(module, path, up=1)


def _joined(module: str, path: str, *, up: int) -> str:
    name = module.lstrip(".")
    dots = module[: len(module) - len(name)]
    tail = path.lstrip(".")
    steps = len(path) - len(tail) - 1 + up
    parts = name.split(".") if name else []
    kept = parts[: max(len(parts) - steps, 0)]
    above = "." * max(steps - len(parts), 0) if dots else ""
    return dots + above + ".".join([*kept, tail])


def _is_model_definition(
    context: OperationContext[RunPython], module: str, facts: ModuleFacts, definition: Class, known: _Known
) -> Truth:
    if _has_fields(definition):
        return Truth.YES
    truths = [_is_model_base(context, module, facts, base, known) for base in definition.bases]
    if Truth.YES in truths:
        return Truth.YES
    return Truth.UNKNOWN if Truth.UNKNOWN in truths else Truth.NO


def _has_fields(definition: Class) -> bool:
    return any(
        isinstance(statement, Assign)
        and isinstance(statement.value, Call)
        and statement.value.callee.startswith("django.db.models.")
        and statement.value.callee.endswith(("Field", "ForeignKey"))
        for statement in definition.body
    )


def _is_model_base(
    context: OperationContext[RunPython], module: str, facts: ModuleFacts, base: Expr, known: _Known
) -> Truth:
    name = dotted(base)
    if name in _MODEL_BASES:
        return Truth.YES
    if name.startswith(_PLAIN_BASES) or name.startswith("django.db.models."):
        return Truth.NO
    if not name:
        return Truth.UNKNOWN
    if not _imported(base):
        return Truth.UNKNOWN if facts.class_named(name) is None else _is_model_class(context, module, name, known)
    inner, _, original = _absolute(context, module, name).rpartition(".")
    return _is_model_class(context, inner, original, known)


# -- how it is used -----------------------------------------------------------------------------------------


def _only_named(code: Code) -> frozenset[Span]:
    """Where a call's result serves for the names of the model alone: `user = get_user_model()`, `user._meta.label`."""
    found = {span for root in code.roots() for each in expressions(root) if (span := _named_at_once(each)) is not None}
    references = tuple(code.references())
    for statement in code.statements():
        if isinstance(statement, Assign) and isinstance(statement.value, Call) and len(statement.targets) == 1:
            target = dotted(statement.targets[0])
            uses = [each.name for each in references if each.name.partition(".")[0] == target]
            if uses and all(_is_harmless(use.partition(".")[2]) for use in uses):
                found.add(statement.value.function.span)
    return frozenset(found)


def _named_at_once(expression: Expr) -> Span | None:
    """The call in `get_user_model()._meta.label`."""
    match expression:
        case Attribute(value=Attribute(value=Call(function=function), name="_meta"), name=name) if name in _NAMES:
            return function.span
        case Attribute(value=Call(function=function), name="__name__"):
            return function.span
    return None


def _saved(code: Code) -> frozenset[Span]:
    """Where something is instantiated that is saved afterwards: `order = Order(); order.save()`, `Order().save()`."""
    made: dict[str, Span] = {}
    found: set[Span] = set()
    for statement in code.roots():
        if isinstance(statement, Assign) and isinstance(statement.value, Call):
            made |= {dotted(target): statement.value.function.span for target in statement.targets}
        for expression in expressions(statement):
            if isinstance(expression, Call) and isinstance(expression.function, Attribute):
                found |= _saved_by(expression.function, made)
    return frozenset(found)


def _saved_by(function: Attribute, made: dict[str, Span]) -> set[Span]:
    if function.name != "save":
        return set()
    if isinstance(function.value, Call):
        return {function.value.function.span}
    name = dotted(function.value)
    return {made[name]} if name in made else set()


# -- what is said -------------------------------------------------------------------------------------------


def _finding(
    context: OperationContext[RunPython],
    code: Code | None,
    reference: CodeReference | None,
    model: _Model,
    related: tuple[Related, ...] = (),
) -> Diagnostic:
    """`code` is None where RunPython's own arguments name the model."""
    called = entries(context.operation, context.migration)
    entry = next((each for each in called if code is None or each.code.span == code.span), None)
    parameters = entry.code.parameters[entry.given :] if entry is not None else ()
    apps = parameters[0].name if parameters else "apps"
    uses = f"{code.name.rpartition('.')[2]} uses" if code is not None else "RunPython's function is given"
    return context.diagnostic(
        reference.span if reference is not None else None,
        f"{uses} {model.name} as it is today, not as it was at this migration",
        related=related or _imports(context, context.migration, model),
        help=f"The class has the fields that the code has now; the table has those of {context.migration.name}. Once a "
        f"field is added to {model.name}, this migration fails on every new database (no such column). "
        f"Use the historical model:\n    {model.name} = {apps}.get_model({_arguments(model)})"
        + _dependency(context, model)
        + _own_method(model),
        url=_URL,
        model=model.name,
        detail=f"{model.app}.{model.name}",
    )


def _arguments(model: _Model) -> str:
    return "settings.AUTH_USER_MODEL" if model.path == _GOT_USER else f'"{model.app}", "{model.name}"'


def _dependency(context: OperationContext[RunPython], model: _Model) -> str:
    """What the historical model of another app needs besides."""
    if model.path == _GOT_USER:
        return "\nIt needs `migrations.swappable_dependency(settings.AUTH_USER_MODEL)` in `dependencies`."
    if model.app == context.migration.app or context.before.model(model.app, model.name) is not None:
        return ""
    return f"\nIt needs a migration of {model.app} in `dependencies`."


def _own_method(model: _Model) -> str:
    """What is to be done about a method of the class: historical models have none of those that the project writes.

    Source: https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models
    """
    name = model.attribute
    if not name or name in _MODEL_ONLY or name.lstrip("_")[:1].isupper():
        return ""
    return f"\nIt has no {name}, which the class of today defines: write what that does into the migration."


def _imports(context: OperationContext[RunPython], migration: Migration, model: _Model) -> tuple[Related, ...]:
    """Where the class, or the module that has it, is imported."""
    best: tuple[int, Span] | None = None
    for statement in walk(migration.facts.body):
        for alias in statement.aliases if isinstance(statement, Import) else ():
            path = _USER_MODEL[0] if model.path == _GOT_USER else model.path
            if path == alias.path or path.startswith(f"{alias.module}."):
                weight = len(alias.path)
                best = (weight, alias.span) if best is None or weight > best[0] else best
    return (context.related(migration, best[1], f"{model.name} is imported here"),) if best is not None else ()
