"""The plan for people: numbered, one migration a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from miglint.formats.terminal import View, count, display_width, paint, visible, wrap
from miglint.project.plan import Plan
from miglint.report import path_for_text

if TYPE_CHECKING:
    from miglint.scope import Scope


def render(scopes: Sequence[Scope], plans: Sequence[Plan], view: View) -> str:
    """The order of each project's plan, and whether it is certain."""
    blocks: list[str] = []
    for scope, plan in zip(scopes, plans, strict=True):
        if len(scopes) > 1:
            blocks.append(paint(visible(path_for_text(scope.root, view.cwd)), "bold", "cyan", view=view))
        if plan.order:
            blocks.append("\n".join(_lines(plan, scope, view)))
        if view.summary:
            blocks.append("\n".join(_summary(plan, view)))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _lines(plan: Plan, scope: Scope, view: View) -> Iterator[str]:
    digits = len(str(len(plan.order)))
    shown = [visible(key.app, ascii=view.ascii) for key in plan.order]
    widest = max(map(display_width, shown))
    graph = scope.project.graph
    for number, (app, key) in enumerate(zip(shown, plan.order, strict=True), start=1):
        name = visible(key.name, ascii=view.ascii)
        replaces = graph.migrations[key].replaces
        said = f"  [squash of {len(replaces)}]" if replaces else ""
        padding = " " * (widest - display_width(app))
        place = paint(f"{number:>{digits}}", "dim", view=view)
        yield f"{place}  {paint(app, 'cyan', view=view)}{padding}  {name}{paint(said, 'dim', view=view)}"


def _summary(plan: Plan, view: View) -> Iterator[str]:
    total = count(len(plan.order), "migration")
    if plan.exact:
        yield from wrap(f"{total}, exactly in Django's order.", width=view.width)
        return
    yield from wrap(f"{total}. Django's order may differ:", width=view.width)
    for doubt in plan.doubts:
        yield from wrap(visible(doubt, ascii=view.ascii), width=view.width, first="  - ", indent="    ")
