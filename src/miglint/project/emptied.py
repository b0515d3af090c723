"""Whether a migration has deleted all rows of a table before one of its steps: what fails on rows passes then."""

from __future__ import annotations

from itertools import takewhile

from miglint.project.action import Action, DeleteRows, Execute, InsertRows, TruncateTable
from miglint.project.history import Step
from miglint.project.operations import Alternative, Custom, RunPython, RunSQL, Unread
from miglint.project.project import Project
from miglint.project.usage import DELETES, Query, RawSQL, Rows

# Whoever names the model otherwise may make rows.
_HARMLESS = DELETES | {"all", "using", "filter", "exclude", "count", "exists", "get_queryset", "order_by"}


def is_emptied(project: Project, step: Step, table: str) -> bool:
    """Whether the step certainly finds no row: its migration has deleted them, and nothing since may insert any."""
    found = False
    for earlier in takewhile(lambda each: each is not step, project.history.steps_of(step.migration.key)):
        if earlier.touches_database:
            found = _is_empty_after(project, earlier, table, before=found)
    return found


def _is_empty_after(project: Project, step: Step, table: str, *, before: bool) -> bool:
    match step.operation:
        case RunSQL():
            return not step.conditional and _after_sql(step.actions, table, before=before)
        case RunPython():
            return not step.conditional and _deletes_all(project, step, table)
        case Custom() | Unread() | Alternative():
            return False
    return before


def _after_sql(actions: tuple[Action, ...], table: str, *, before: bool) -> bool:
    found = before
    for action in actions:
        match action:
            case Execute(understood=False):
                found = False
            case InsertRows(table=into):
                found = found and into != table
            case TruncateTable(table=of, certain=True) | DeleteRows(table=of, certain=True, filtered=False):
                found = found or of == table
    return found


def _deletes_all(project: Project, step: Step, table: str) -> bool:
    """Whether code deletes every row, and does nothing else with the model."""
    usage = step.usage
    found = False
    for use in usage.of(Query):
        model = step.before.model(*use.key)
        if model is not None and model.table != table:
            continue
        if model is None or model.managers is not None or use.method not in _HARMLESS:
            return False
        whole = isinstance(use.on, Rows) and not (use.on.is_filtered or use.on.is_sliced)
        found = found or (use.method in DELETES and whole and not (use.is_guarded or use.is_looped))
    return found and not any(usage.of(RawSQL))
