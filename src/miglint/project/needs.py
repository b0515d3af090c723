"""The models that an operation needs to be there, besides the one that it works on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal as Choice

from msgspec.structs import replace

from miglint.project.code import Code, Reference, module_assignments, reached, references
from miglint.project.fields import Field
from miglint.project.keys import ModelKey, model_key
from miglint.project.migration import Migration
from miglint.project.operations import (
    AddField,
    AlterField,
    CreateModel,
    Operation,
    RunPython,
)
from miglint.syntax.facts import (
    Assign,
    Call,
    Expr,
    Function,
    If,
    Items,
    Literal,
    Loop,
    Name,
    Statement,
    Try,
    blocks,
    dotted,
)
from miglint.text import Span

_SETTINGS = "django.conf.settings."
# What a `try` around `apps.get_model` catches where a missing model is expected.
_CATCHES = frozenset({"LookupError", "Exception", "BaseException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A model that must be there, `by` what it is needed, and where that is written.

    `written` is how it is named there, `name` the model's part of that. `field` is the relation's, `code` the
    function's that gets the model. `setting` is the swappable setting that names it. `sure` is false in code that
    runs under a condition, and for a field whose class is not known to be a relation.
    """

    key: ModelKey
    name: str
    written: str
    by: Choice["to", "through", "bases", "code"]
    span: Span
    field: str = ""
    code: str = ""
    setting: str = ""
    sure: bool = True


def needs_of(operation: Operation, migration: Migration, swappable: Mapping[str, str]) -> tuple[Need, ...]:
    """The models that relations, bases and forward code name, as far as they can be read; never the model itself."""
    # Kept with the migration: rules ask for those of whole branches. An entry holds its operation, so that no other
    # one can get its id.
    kept: dict[int, tuple[Operation, Mapping[str, str], tuple[Need, ...]]] = vars(migration).setdefault("_needs", {})
    known = kept.get(id(operation))
    if known is None or known[1] is not swappable:
        known = kept[id(operation)] = (operation, swappable, tuple(_needs(operation, migration, swappable)))
    return known[2]


def _needs(operation: Operation, migration: Migration, swappable: Mapping[str, str]) -> Iterator[Need]:
    if isinstance(operation, RunPython):
        yield from _code_needs(operation, migration)
        return
    own = model_key(migration.app, operation.model) if operation.model is not None else None
    found: list[Need] = []
    if isinstance(operation, CreateModel):
        found = [n for name, field in operation.fields for n in field_needs(name, field, migration.app, swappable)]
        found += _base_needs(operation, migration.app)
    elif isinstance(operation, AddField | AlterField) and operation.name is not None:
        found = list(field_needs(operation.name, operation.field, migration.app, swappable))
    yield from (need for need in found if need.key != own)


# -- relations ----------------------------------------------------------------------------------------


def field_needs(name: str, field: Field, app: str, swappable: Mapping[str, str]) -> Iterator[Need]:
    """The models that a relation of an app names: its target, and the explicit model of its join table."""
    to, sure = field.to, field.kind is not None
    setting = to.name.removeprefix(_SETTINGS) if isinstance(to, Name) and to.name.startswith(_SETTINGS) else ""
    value = Literal("str", swappable[setting]) if setting in swappable else to
    target = _named(value, app)
    if target is not None and to is not None:
        yield Need(
            key=model_key(*target[:2]),
            name=target[1],
            written=target[2],
            by="to",
            span=to.span,
            field=name,
            setting=setting,
            sure=sure,
        )
    through = field.through
    target = _named(through, app)
    if target is not None and through is not None:
        yield Need(
            key=model_key(*target[:2]),
            name=target[1],
            written=target[2],
            by="through",
            span=through.span,
            field=name,
            sure=sure,
        )


def _base_needs(operation: CreateModel, app: str) -> Iterator[Need]:
    for base in operation.bases.items if isinstance(operation.bases, Items) else ():
        target = _named(base, app)
        if target is not None:
            yield Need(key=model_key(*target[:2]), name=target[1], written=target[2], by="bases", span=base.span)


def _named(value: Expr | None, app: str) -> tuple[str, str, str] | None:
    """App, model and the whole of `"app.Model"` and of `"Model"`; None for `"self"` and what cannot be read."""
    if not isinstance(value, Literal) or value.kind != "str" or value.text.lower() == "self":
        return None
    label, dot, name = value.text.rpartition(".")
    return (label if dot else app, name, value.text) if name else None


# -- code ---------------------------------------------------------------------------------------------


def _code_needs(operation: RunPython, migration: Migration) -> Iterator[Need]:
    """What the forward code gets from its registry, however that is called: `apps.get_model("app", "Model")`.

    What a `try` expects to be missing is no need.
    """
    constants = module_assignments(migration.facts)
    for code in reached(replace(operation, reverse_code=None), migration):
        registries = {f"{each.name}.get_model" for each in code.parameters if not _is_assigned(each.name, code)}
        for reference, sure in _references(code.nodes, sure=True):
            call = reference.call
            if reference.scope == "local" and reference.name in registries and call is not None:
                target = _asked(call, constants)
                if target is not None:
                    yield Need(
                        key=model_key(*target[:2]),
                        name=target[1],
                        written=target[2],
                        by="code",
                        span=call.span,
                        code=code.name,
                        sure=sure,
                    )


def _is_assigned(name: str, code: Code) -> bool:
    targets = (each for statement in code.statements() if isinstance(statement, Assign) for each in statement.targets)
    return any(isinstance(target, Name) and target.name == name for target in targets)


def _asked(call: Call, constants: Mapping[str, Expr]) -> tuple[str, str, str] | None:
    """App and model of a `get_model`. Source: django.apps.registry.Apps.get_model"""
    given = [*call.arguments[:2], *filter(None, (call.keyword("app_label"), call.keyword("model_name")))]
    read = [
        constants.get(each.name, each) if isinstance(each, Name) and each.scope == "free" else each for each in given
    ]
    texts = [each.text for each in read if isinstance(each, Literal) and each.kind == "str"]
    if len(texts) != len(given) or not 1 <= len(texts) <= 2:
        return None
    app, dot, name = texts[0].partition(".") if len(texts) == 1 else (texts[0], ".", texts[1])
    return (app, name, f"{app}.{name}") if dot and app and name else None


def _references(nodes: Iterable[Statement | Expr], *, sure: bool) -> Iterator[tuple[Reference, bool]]:
    """The names that code uses, and whether it always does.

    Left out is what expects a name to be missing, and functions that are defined only: a signal may call them later.
    """
    for node in nodes:
        if isinstance(node, Function):
            continue
        for reference in references(node):
            yield reference, sure
        for block in blocks(node) if isinstance(node, Statement) else ():
            if not (isinstance(node, Try) and block is node.body and _expects_absence(node)):
                yield from _references(block, sure=sure and not isinstance(node, If | Loop | Try))


def _expects_absence(statement: Try) -> bool:
    caught = [handler.exception for handler in statement.handlers]
    classes = [each for one in caught for each in (one.items if isinstance(one, Items) else (one,))]
    return any(each is None or dotted(each) in _CATCHES for each in classes)
