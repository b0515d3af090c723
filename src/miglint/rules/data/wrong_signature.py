"""A function that RunPython cannot call."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Called,
    Diagnostic,
    Direction,
    Entry,
    Expr,
    Function,
    OperationContext,
    Parameter,
    Related,
    RunPython,
    Severity,
    code_of,
    entries,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#runpython"
_GIVEN = 2


@rule("MG507", on=RunPython, severity=Severity.ERROR)
def wrong_signature(context: OperationContext[RunPython]) -> Iterator[Diagnostic]:
    """RunPython calls its function with two positional arguments, and this one cannot take them."""
    if not context.touches_database:
        return
    own = ((entry, context.migration.path) for entry in entries(context.operation, context.migration))
    for entry, path in (*own, *_imported(context)):
        error = _error(entry) if entry.signature_known else ""
        if error:
            name = entry.code.name.rpartition(".")[2]
            call = "forwards" if entry.direction == "forward" else "backwards"
            yield context.diagnostic(
                entry.argument.span,
                f"RunPython calls {name}(apps, schema_editor), which it cannot take",
                related=(Related(path, entry.code.span, "defined here"),),
                help=f"Migrating {call} raises TypeError: {error}.\n"
                "RunPython gives the registry of historical models and the schema editor, by position:\n"
                f"    {_written(name)}",
                url=_URL,
                detail=entry.direction,
            )


def _imported(context: OperationContext[RunPython]) -> Iterator[tuple[Entry, str]]:
    """What the operation calls of another file of the project, with that file."""
    operation = context.operation
    given: tuple[tuple[Direction, Expr | None], ...] = (
        ("forward", operation.code),
        ("reverse", operation.reverse_code),
    )
    for direction, argument in given:
        for use in context.usage.of(Called, direction):
            if argument is None or use.target is None or use.call.function is not argument:
                continue
            name = use.path.rpartition(".")[2]
            found = [each for each in use.target.facts.top(Function) if each.name == name]
            if len(found) == 1 and not found[0].decorators:
                yield Entry(code=code_of(found[0]), direction=direction, argument=argument), use.target.path


def _written(name: str) -> str:
    return "lambda apps, schema_editor: …" if name == "<lambda>" else f"def {name}(apps, schema_editor):"


def _error(entry: Entry) -> str:
    """What Python says of the call, "" where it can be made. Source: CPython's Python/ceval.c, initialize_locals."""
    parameters = entry.code.parameters
    call = f"{entry.code.name}()"
    positional = [each for each in parameters if each.kind in ("positional-only", "positional")]
    given = entry.given + _GIVEN
    kinds = {each.kind for each in parameters}
    if clash := [each.name for each in positional[:given] if each.name in entry.named and each.kind == "positional"]:
        return f"{call} got multiple values for argument {clash[0]!r}"
    unknown = entry.named - {each.name for each in parameters if each.kind != "positional-only"}
    if unknown and "double-star" not in kinds:
        return f"{call} got an unexpected keyword argument {min(unknown)!r}"
    if given > len(positional) and "star" not in kinds:
        return f"{call} takes {_takes(positional)} but {given} were given"
    missing = [each.name for each in positional[given:] if each.default is None and each.name not in entry.named]
    if missing:
        return _missing(call, "positional", missing)
    required = [each for each in parameters if each.kind == "keyword-only" and each.default is None]
    missing = [each.name for each in required if each.name not in entry.named]
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
