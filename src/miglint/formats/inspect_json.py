"""One migration, operation by operation, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miglint.databases.effects import TableEffect
from miglint.formats.json import encode, range_of
from miglint.inspection import Inspected, Inspection
from miglint.project.action import Action, object_of
from miglint.project.compatibility import Compatibility, Statement
from miglint.project.truth import Truth
from miglint.text import Source

_STATEMENTS: tuple[Statement, ...] = ("select", "insert", "update", "delete")
_TRUTH = {Truth.YES: True, Truth.NO: False, Truth.UNKNOWN: None}


def render(inspections: Sequence[Inspection], source: Source | None) -> str:
    """The first database's, and where there are several `databases` with each of them."""
    documents = [_document(inspection, source) for inspection in inspections]
    first = inspections[0]
    whole: dict[str, Any] = {
        "version": 1,
        "app": first.migration.app,
        "migration": first.migration.name,
        "atomic": _TRUTH[first.migration.atomic],
        "backwards": first.backwards,
        **documents[0],
    }
    if len(documents) > 1:
        whole["databases"] = documents
    return encode(whole)


def _document(inspection: Inspection, source: Source | None) -> dict[str, Any]:
    database = inspection.database
    return {
        "database": {"name": database.vendor, "version": database.version_text, "source": database.source},
        "operations": [_operation(each, source) for each in inspection.operations],
        "together": {
            "tables": [_table(table) for table in inspection.tables],
            "compatible": _compatible(inspection.old_code, inspection.new_code_before),
        },
    }


def _operation(operation: Inspected, source: Source | None) -> dict[str, Any]:
    return {
        "path": list(operation.path),
        "name": operation.name,
        "description": operation.description,
        "range": range_of(source.range(operation.step.operation.span)) if source is not None else None,
        "reversible": _TRUTH[operation.reversible],
        "loses_data": _TRUTH[operation.loses_data],
        "reverse_loses_data": _TRUTH[operation.reverse_loses_data],
        "actions": [_action(action) for action in operation.actions],
        "effect": {
            "tables": [_table(table) for table in operation.tables],
            "transactional": operation.transactional,
            "why": operation.why,
            "url": operation.url,
        },
        "compatible": _compatible(operation.old_code, operation.new_code_before),
    }


def _compatible(old: Compatibility, new_before: Truth) -> dict[str, Any]:
    return {
        "old_code": {statement: _TRUTH[old.can(statement)] for statement in _STATEMENTS},
        "new_code_before": _TRUTH[new_before],
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "action": action.kind(),
        "table": action.table,
        "object": object_of(action),
        "deferred": action.deferred,
    }


def _table(found: TableEffect) -> dict[str, Any]:
    cost = found.cost
    return {
        "table": found.table,
        "lock": cost.lock or None,
        "blocks": sorted(cost.blocks),
        "duration": cost.duration,
        "scans": cost.scans,
        "rewrites": cost.rewrites,
        "indexes": found.indexes,
        "writes_rows": cost.writes_rows,
    }
