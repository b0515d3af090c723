"""The registry of today's models in the code of a migration."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Attribute,
    Call,
    Called,
    Code,
    CodeReference,
    Diagnostic,
    Expr,
    Literal,
    ModuleFacts,
    Name,
    OperationContext,
    Related,
    RunPython,
    Severity,
    Span,
    dotted,
    entries,
    expressions,
    module_assignments,
    reached,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#historical-models"
_REGISTRIES = ("django.apps.apps", "django.apps.registry.apps")
_METHODS = ("get_model", "get_models", "get_registered_model")
_CONFIGURATIONS = tuple(f"{registry}.get_app_config" for registry in _REGISTRIES)


@rule("MG504", on=RunPython, severity=Severity.ERROR)
def global_app_registry(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """Code of a migration gets models from the global registry, which knows only those of today."""
    if not context.touches_database:
        return
    found = list(_named(context)) if _imports_registry(context.migration.facts) else []
    for code, call, span in found:
        yield _finding(context, code, call, span)
    yield from _handed_on(context, {code.span for code, _, _ in found})


def _named(context: OperationContext[RunPython]) -> Iterator[tuple[Code, Call, Span]]:
    """Where the code of the file calls the registry by a name that it has imported."""
    names = module_assignments(context.migration.facts)
    for code in reached(context.operation, context.migration):
        seen = set()
        for reference in code.references():
            call = _through_configuration(reference, code) or _call(reference, names)
            if call is not None and call not in seen:
                seen.add(call)
                yield code, call, reference.span


def _handed_on(context: OperationContext[RunPython], known: set[Span]) -> Iterator[Diagnostic]:
    """The same in modules that were written for migrations, and in functions that are given the registry."""
    seen = set()
    for use in context.usage.uses:
        if not isinstance(use, Called) or not _gets_models(use.path) or (use.code.name, use.call) in seen:
            continue
        if use.module.facts is context.migration.facts:
            is_new = use.code.name != "" and use.code.span not in known
        else:
            is_new = context.project.is_of_migrations(use.module.path)
        if is_new:
            seen.add((use.code.name, use.call))
            span, related = context.place(use, "it is asked here")
            yield _finding(context, use.code, use.call, span, related)


def _imports_registry(facts: ModuleFacts) -> bool:
    """Whether a file imports the registry at all: most do not, and need no closer look."""
    return any(
        alias.path == "django" or alias.path.startswith("django.apps")
        for statement in facts.imports()
        for alias in statement.aliases
    )


def _call(reference: CodeReference, names: dict[str, Expr]) -> Call | None:
    """The call that got a model: this one, or the module's that the name stands for."""
    made = names.get(reference.name.partition(".")[0]) if reference.scope == "free" else None
    call = made if isinstance(made, Call) else reference.call
    # `get_model = apps.get_model`: the module's name for the method.
    function = made if isinstance(made, Name) else call.function if call is not None else None
    is_imported = isinstance(function, Name) and function.scope == "imported"
    return call if function is not None and is_imported and _gets_models(dotted(function)) else None


def _through_configuration(reference: CodeReference, code: Code) -> Call | None:
    """`apps.get_app_config("shop").get_model("Order")`, as the call of the registry that means the same."""
    call, names = reference.call, [f"{each}().{method}" for each in _CONFIGURATIONS for method in _METHODS]
    if call is None or reference.name not in names or not isinstance(call.function, Attribute | Name):
        return None
    asked = call.function.value if isinstance(call.function, Attribute) else None
    if not isinstance(asked, Call):
        asked = _configuration(code)
    given = asked.arguments if asked is not None else ()
    return Call(call.function, (*given, *call.arguments), call.keywords, call.span)


def _configuration(code: Code) -> Call | None:
    """The call that got the configuration which the code keeps under a name, where it is the only one."""
    found = [each for root in code.roots() for each in expressions(root) if isinstance(each, Call)]
    calls = [each for each in found if each.callee in _CONFIGURATIONS]
    return calls[0] if len(calls) == 1 else None


def _gets_models(name: str) -> bool:
    return any(name.startswith(f"{registry}.{method}") for registry in _REGISTRIES for method in _METHODS)


def _finding(
    context: OperationContext[RunPython], code: Code, call: Call, span: Span | None, related: tuple[Related, ...] = ()
) -> Diagnostic:
    method = call.function.name.rpartition(".")[2] if isinstance(call.function, Attribute | Name) else "get_model"
    asked = ", ".join(_text(argument) for argument in call.arguments)
    own = next((each for each in entries(context.operation, context.migration) if each.code.span == code.span), None)
    parameter = own.code.parameters[0].name if own is not None and own.code.parameters else "apps"
    imports = (
        context.related(context.migration, alias.span, "the global registry is imported here")
        for statement in context.migration.facts.imports()
        for alias in statement.aliases
        if alias.path in _REGISTRIES or (alias.path, alias.module) == ("django", "django.apps")
    )
    name = code.name.rpartition(".")[2] or "the migration"
    return context.diagnostic(
        span,
        f"{name} gets today's models from django.apps, not those of this migration",
        related=related or tuple(imports)[:1],
        help="The global registry holds the models as the code is now: with fields that this migration's database does "
        "not have yet, or without the model once it is deleted. Use the registry that RunPython passes:\n"
        f"    {parameter}.{method}({asked})",
        url=_URL,
        detail=asked,
    )


def _text(argument: Expr) -> str:
    return f'"{argument.text}"' if isinstance(argument, Literal) and argument.kind == "str" else dotted(argument) or "…"
