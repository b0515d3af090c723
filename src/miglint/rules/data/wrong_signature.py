"""A function that RunPython cannot call."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Call,
    Code,
    Diagnostic,
    OperationContext,
    Parameter,
    Related,
    Routine,
    RunPython,
    Severity,
    Started,
    dotted,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#runpython"
_GIVEN = 2
# Decorators that leave the parameters as they are.
_HARMLESS = ("staticmethod", "classmethod", "functools.wraps")


@rule("MG507", on=RunPython, severity=Severity.ERROR)
def wrong_signature(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """RunPython calls its function with two positional arguments, and this one cannot take them."""
    if not context.touches_database:
        return
    for use in context.usage.uses:
        error = _error(use.routine) if isinstance(use, Started) and _is_certain(use.routine) else ""
        if isinstance(use, Started) and error:
            name = _name(use.routine.code)
            call = "forwards" if use.direction == "forward" else "backwards"
            yield context.diagnostic(
                use.span,
                f"RunPython calls {name}(apps, schema_editor), which it cannot take",
                related=(Related(use.routine.module.path, use.routine.code.span, "defined here"),),
                help=f"Migrating {call} raises TypeError: {error}.\n"
                "RunPython gives the registry of historical models and the schema editor, by position:\n"
                f"    {_written(use.routine)}",
                url=_URL,
                detail=use.direction,
            )


def _is_certain(routine: Routine) -> bool:
    """Whether nothing but what is known stands between the call and the function."""
    around = (each.callee if isinstance(each, Call) else dotted(each) for each in routine.code.decorators)
    return routine.is_certain and all(each in _HARMLESS for each in around)


def _name(code: Code) -> str:
    owner, _, name = code.name.rpartition(".")
    return owner if name == "__init__" else name


def _written(routine: Routine) -> str:
    code = routine.code
    if code.name == "<lambda>":
        return "lambda apps, schema_editor: …"
    name = code.name.rpartition(".")[2] if code.nodes else "__init__"
    # A method is given its object first.
    own = [each.name for each in code.parameters[: len(routine.given[:1])]] if "." in code.name else []
    return f"def {name}({', '.join([*(own if code.nodes else ['self']), 'apps', 'schema_editor'])}):"


def _error(routine: Routine) -> str:
    """What Python says of the call, "" where it can be made. Source: CPython's Python/ceval.c, initialize_locals."""
    parameters, named = routine.code.parameters, {name for name, _ in routine.named}
    call = f"{routine.code.name}()"
    if not routine.code.nodes:
        return f"{call} takes no arguments"
    positional = [each for each in parameters if each.kind in ("positional-only", "positional")]
    given = len(routine.given) + _GIVEN
    kinds = {each.kind for each in parameters}
    if clash := [each.name for each in positional[:given] if each.name in named and each.kind == "positional"]:
        return f"{call} got multiple values for argument {clash[0]!r}"
    unknown = named - {each.name for each in parameters if each.kind != "positional-only"}
    if unknown and "double-star" not in kinds:
        return f"{call} got an unexpected keyword argument {min(unknown)!r}"
    if given > len(positional) and "star" not in kinds:
        return f"{call} takes {_takes(positional)} but {given} were given"
    missing = [each.name for each in positional[given:] if each.default is None and each.name not in named]
    if missing:
        return _missing(call, "positional", missing)
    required = [each for each in parameters if each.kind == "keyword-only" and each.default is None]
    missing = [each.name for each in required if each.name not in named]
    return _missing(call, "keyword-only", missing) if missing else ""


def _takes(positional: list[Parameter]) -> str:
    count = len(positional)
    optional = sum(each.default is not None for each in positional)
    noun = "positional argument" if count == 1 and not optional else "positional arguments"
    return f"from {count - optional} to {count} {noun}" if optional else f"{count} {noun}"


def _missing(call: str, kind: str, names: list[str]) -> str:
    quoted = [repr(name) for name in names]
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])}{',' * (len(quoted) > 2)} and {quoted[-1]}"
    return f"{call} missing {len(names)} required {kind} argument{'s' * (len(names) > 1)}: {listed}"
