"""Several projects in one document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from miglint.formats.json import encode
from miglint.report import path_below

if TYPE_CHECKING:
    from miglint.scope import Scope


def together(scopes: Sequence[Scope], empty: dict[str, Any], document: Callable[[Scope], dict[str, Any]]) -> str:
    """The documents of all projects as one, in JSON: lists follow each other, a truth holds where it holds for each.

    Where there are several, `projects` has them one by one: two of them may use one label.
    """
    documents = [document(scope) for scope in scopes]
    whole: dict[str, Any] = {"version": 1}
    for name, nothing in empty.items():
        values = [each[name] for each in documents]
        if isinstance(nothing, list):
            whole[name] = [item for value in values for item in value]
        else:
            whole[name] = all(values) if isinstance(nothing, bool) else next(iter(values), nothing)
    if len(documents) > 1:
        roots = [path_below(scope.root, scope.repository) or "." for scope in scopes]
        whole["projects"] = [{"path": root, **each} for root, each in zip(roots, documents, strict=True)]
    return encode(whole)
