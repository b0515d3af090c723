"""A date or time of the day on which the migration was written, as a default."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    AddField,
    AlterField,
    Call,
    Confidence,
    Diagnostic,
    Expr,
    FieldOperation,
    Lambda,
    Literal,
    Name,
    OperationContext,
    Severity,
    Span,
    expressions,
    module_assignments,
    rule,
    truth_of,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/models/fields/#default"
_MOMENTS = ("datetime.datetime", "datetime.date", "datetime.time")
_CLOCKS = {
    "django.utils.timezone.now": "timezone.now",
    "django.utils.timezone.localtime": "timezone.localtime",
    "django.utils.timezone.localdate": "timezone.localdate",
    "datetime.datetime.now": "datetime.now",
    "datetime.datetime.utcnow": "datetime.utcnow",
    "datetime.datetime.today": "datetime.today",
    "datetime.date.today": "date.today",
    "time.time": "time.time",
}


@rule("MG516", on=(AddField, AlterField), severity=Severity.WARNING)
def baked_in_default(context: OperationContext[FieldOperation]) -> Iterator[Diagnostic]:
    """A field's default is the moment at which the migration was written, or is read."""
    operation = context.operation
    assert isinstance(operation, AddField | AlterField)
    if not context.step.touches_state:
        return  # what models.py says is in the state; this value is for the rows that are there
    default = operation.field.arguments.get("default")
    if default is None or not operation.field.complete:
        return
    if operation.preserve_default is not None and not truth_of(operation.preserve_default).certain:
        return  # a value for the rows that are there, and no default afterwards
    span = default.span
    if isinstance(default, Name) and default.scope == "free":
        default = module_assignments(context.migration.facts).get(default.name, default)
    label = f"{context.model_name}.{operation.name}"
    clock = _clock(default)
    if clock:
        yield _called(context, operation, clock, span)
        return
    confidence = _confidence(default) if isinstance(default, Call) and default.callee in _MOMENTS else None
    if confidence is None:
        return
    assert isinstance(default, Call)
    function = "date.today" if default.callee == "datetime.date" else "timezone.now"
    yield context.diagnostic(
        span,
        f"the default of {label} is a fixed moment: {_moment(default)}",
        help=f"models.py most likely says `default={function}()`, with the parentheses: it was called once, when the "
        "migration was written, and every row gets that moment. Pass the function itself, "
        f"`default={function}`, and make the migration anew. If the value is meant for the rows that are there alone, "
        "`preserve_default=False` says so.",
        url=_URL,
        field=operation.name,
        confidence=confidence,
    )


def _clock(default: Expr) -> str:
    """The function that a default calls to get the time, "" where it calls none: what a lambda calls comes later."""
    found = list(expressions(default))
    if any(isinstance(each, Lambda) for each in found):
        return ""
    return next((each.callee for each in found if isinstance(each, Call) and each.callee in _CLOCKS), "")


def _called(
    context: OperationContext[FieldOperation], operation: AddField | AlterField, clock: str, span: Span
) -> Diagnostic:
    return context.diagnostic(
        span,
        f"the default of {context.model_name}.{operation.name} is the moment at which the migration is read: "
        f"{_CLOCKS[clock]}()",
        help="The parentheses call the function when Python imports the migration: every row gets that moment, and "
        "each run of `makemigrations` finds a default that has changed. Pass the function itself, "
        f"`default={_CLOCKS[clock]}`, or one of your own that computes the value. If it is meant for the rows that are "
        "there alone, `preserve_default=False` says so.",
        url=_URL,
        field=operation.name,
    )


def _numbers(call: Call) -> list[int] | None:
    numbers = []
    for argument in call.arguments:
        number = argument.value if isinstance(argument, Literal) else None
        if not isinstance(number, int) or isinstance(number, bool):
            return None
        numbers.append(number)
    return numbers


def _confidence(call: Call) -> Confidence | None:
    """How surely it is the moment of writing: 14:07:55.123456 is nobody's choice, the first of January may be."""
    numbers = _numbers(call)
    if numbers is None:
        return None
    if call.callee == "datetime.time":
        return Confidence.HIGH if len(numbers) > 2 and any(numbers[2:]) else None
    year, month, day, *rest = [*numbers, 1, 1, 1][: max(len(numbers), 3)]
    if any(rest):
        # The last second of a day is chosen, too.
        return None if rest[:2] == [23, 59] else Confidence.HIGH
    if year < 2005 or year > 2100 or day == 1 or (month, day) == (12, 31):
        return None
    return Confidence.MEDIUM


def _moment(call: Call) -> str:
    numbers = _numbers(call) or []
    if call.callee == "datetime.time":
        return ":".join(f"{number:02}" for number in numbers[:3])
    date = "-".join(f"{number:02}" for number in numbers[:3])
    time = ":".join(f"{number:02}" for number in numbers[3:6])
    return f"{date} {time}".strip()
