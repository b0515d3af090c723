"""The state of all models for people: as a models.py has it, with the migration that last changed each field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from miglint.formats.terminal import View, count, display_width, paint, visible, wrap
from miglint.project.keys import MigrationKey
from miglint.project.state import ModelState, ProjectState
from miglint.report import path_for_text
from miglint.syntax.facts import Call, Expr, Items, Keyword, Literal
from miglint.syntax.spelling import UNKNOWN, spell

if TYPE_CHECKING:
    from miglint.scope import Scope

_INDENT = "    "
# A call that does not fit has a line for each argument; where there is no terminal, so many columns are enough.
_WIDE = 120
# Remarks stand below each other beside lines of up to so many columns.
_ALIGNED = 72

_BRACKETS = {"list": ("[", "]"), "tuple": ("(", ")"), "set": ("{", "}")}


class _Line(NamedTuple):
    """A line, and what is remarked on it."""

    text: str
    remark: str = ""


def render(scopes: Sequence[Scope], states: Sequence[ProjectState], at: MigrationKey | None, view: View) -> str:
    """Every model of the scopes' apps, by app and in the order in which they were made."""
    blocks: list[str] = []
    total = 0
    for scope, state in zip(scopes, states, strict=True):
        if len(scopes) > 1:
            blocks.append(paint(visible(path_for_text(scope.root, view.cwd)), "bold", "cyan", view=view))
        models = sorted((model for model in state.models() if model.app in scope.apps), key=lambda m: m.app)
        total += len(models)
        for app, group in groupby(models, key=lambda model: model.app):
            blocks.append(_head(app, state, view))
            blocks += ["\n".join(_model(model, state, view)) for model in group]
    if view.summary:
        moment = f"after {at} and its ancestors" if at is not None else "after all migrations"
        blocks.append("\n".join(wrap(visible(f"{count(total, 'model')} {moment}."), width=view.width)))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _head(app: str, state: ProjectState, view: View) -> str:
    """The line of an app, and whether to trust what follows."""
    name = visible(f"# {app}")
    shown = paint(name, "bold", view=view)
    if not state.is_partial(app):
        return shown
    doubt = "(not all of its operations could be read: something may be missing)"
    if _fits(name, doubt, view):
        return f"{shown}  {paint(doubt, 'yellow', view=view)}"
    below = wrap(doubt, width=view.width, indent="#   ")
    return "\n".join([shown, *(paint(line, "yellow", view=view) for line in below)])


def _fits(text: str, beside: str, view: View) -> bool:
    return view.width is None or display_width(text) + 2 + display_width(beside) <= view.width


def _model(model: ModelState, state: ProjectState, view: View) -> Iterator[str]:
    room = view.width or _WIDE
    bases = ", ".join(_base(base, model, state) for base in model.bases) or "models.Model"
    head = _Line(f"class {model.name}({bases}):", _short(model.origin.migration, model))
    body: list[_Line] = []
    for name, field in model.fields.items():
        first, *others = _spelled(f"{name} = ", field.field.call, room=room - len(_INDENT))
        body += [_Line(first, _short(field.origin.migration, model)), *map(_Line, others)]
    if not model.complete:
        body.append(_Line(f"# {UNKNOWN} some fields or options could not be read"))
    body += _managers(model)
    meta = list(_meta(model, room - 2 * len(_INDENT)))
    if meta:
        body += [*([_Line("")] if body else []), _Line("class Meta:")]
        body += [line._replace(text=_INDENT + line.text) for line in meta]
    lines = [head, *(line._replace(text=_INDENT + line.text if line.text else "") for line in body or [_Line("pass")])]
    longest = max(display_width(line.remark) for line in lines) + 4
    most = _ALIGNED if view.width is None else min(_ALIGNED, view.width - longest)
    column = max((w for line in lines if line.remark and (w := display_width(line.text)) <= most), default=0)
    for line in lines:
        yield from _painted(line, column, view)


def _painted(line: _Line, column: int, view: View) -> Iterator[str]:
    """A line with its remark beside it; above it where there is no room."""
    text = visible(line.text, ascii=view.ascii)
    shown = paint(text, "bold", view=view) if text.startswith("class ") else text
    if not line.remark:
        yield shown
        return
    plain = visible(f"# {line.remark}", ascii=view.ascii)
    remark = paint(plain, "dim", view=view)
    if _fits(text, plain, view):
        yield f"{shown}{' ' * max(0, column - display_width(text))}  {remark}"
        return
    yield f"{text[: len(text) - len(text.lstrip())]}{remark}"
    yield shown


def _short(migration: MigrationKey, model: ModelState) -> str:
    return migration.name if migration.app == model.app else str(migration)


def _base(base: Expr, model: ModelState, state: ProjectState) -> str:
    """A base class; a model by its label and name."""
    if not (isinstance(base, Literal) and base.kind == "str"):
        return spell(base, set())
    label, dot, name = base.text.rpartition(".")
    found = state.model(label if dot else model.app, name)
    if found is None:
        return base.text
    return found.name if found.app == model.app else f"{found.app}.{found.name}"


def _spelled(lead: str, value: Expr, end: str = "", *, room: int) -> list[str]:
    """A value after its lead: on one line where it fits, else with a line for each of its arguments or items."""
    whole = f"{lead}{spell(value, set())}{end}"
    if display_width(whole) <= room:
        return [whole]
    within = room - len(_INDENT)
    if isinstance(value, Call) and (value.arguments or value.keywords):
        parts = [_spelled("", each, ",", room=within) for each in value.arguments]
        parts += [_spelled(_keyword(each), each.value, ",", room=within) for each in value.keywords]
        return [f"{lead}{spell(value.function, set())}(", *_indented(parts), f"){end}"]
    if isinstance(value, Items) and value.items:
        start, stop = _BRACKETS[value.kind]
        return [
            f"{lead}{start}",
            *_indented([_spelled("", each, ",", room=within) for each in value.items]),
            stop + end,
        ]
    return [whole]


def _keyword(keyword: Keyword) -> str:
    return "**" if keyword.name is None else f"{keyword.name}="


def _indented(parts: Sequence[Sequence[str]]) -> list[str]:
    return [_INDENT + line for part in parts for line in part]


def _managers(model: ModelState) -> Iterator[_Line]:
    items = model.managers.items if isinstance(model.managers, Items) else ()
    lines = [
        f"{pair.items[0].text} = {spell(pair.items[1], set())}"
        for pair in items
        if isinstance(pair, Items) and len(pair.items) == 2 and isinstance(pair.items[0], Literal)
    ]
    if lines:
        yield _Line("")
        yield from map(_Line, lines)


def _meta(model: ModelState, room: int) -> Iterator[_Line]:
    for name, value in model.options.items():
        yield from map(_Line, _spelled(f"{name} = ", value, room=room))
    for name, members in (("indexes", model.indexes), ("constraints", model.constraints)):
        if members:
            yield _Line(f"{name} = [")
            for member in members:
                within = room - len(_INDENT)
                written = [f"{UNKNOWN},"] if member.expr is None else _spelled("", member.expr, ",", room=within)
                if isinstance(member.expr, Call):
                    lines = written
                else:  # what RenameIndex made of `index_together`, or an index that was given by its fields alone
                    lines = [f"{member.name or UNKNOWN}: {written[0]}", *written[1:]]
                yield _Line(_INDENT + lines[0], _short(member.origin.migration, model))
                yield from (_Line(_INDENT + line) for line in lines[1:])
            yield _Line("]")
