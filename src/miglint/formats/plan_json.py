"""The plan for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from miglint.formats.scopes import together
from miglint.project.plan import Plan

if TYPE_CHECKING:
    from miglint.scope import Scope


def render(scopes: Sequence[Scope], plans: Sequence[Plan]) -> str:
    """The order of each scope's plan, and whether it is certain."""
    by_scope = dict(zip(map(id, scopes), plans, strict=True))

    def document(scope: Scope) -> dict[str, Any]:
        plan = by_scope[id(scope)]
        return {"exact": plan.exact, "plan": [list(key) for key in plan.order]}

    return together(scopes, {"exact": True, "plan": []}, document)
