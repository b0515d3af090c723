"""What operations ask of the database alone, and it has not got: a constraint that is validated, an index on columns.

Source: ValidateConstraint of django.contrib.postgres.operations, RenameIndex with `old_fields` of
django.db.migrations.operations; runs of Django 4.2 to 6.1 and PostgreSQL 15.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from miglint.database import Database
from miglint.project.action import Action, CreateTable, RenameIndex, ValidateConstraint
from miglint.project.history import History, Step
from miglint.project.schema import Table


class Lacking(msgspec.Struct, frozen=True):
    """What a table has not got, and the error."""

    table: str
    what: str
    error: str


def lacking(step: Step, history: History, database: Database) -> Iterator[Lacking]:
    """What an operation asks for in vain, where all that was done to its table is known."""
    for action in step.actions:
        table = step.schema_before.table(action.table)
        found = _of(action, table, database) if table is not None and action.certain else None
        if found is not None and _is_known(step, found.table, history):
            yield found


def _of(action: Action, table: Table, database: Database) -> Lacking | None:
    match action:
        case ValidateConstraint(name=name, domain="") if database.vendor == "postgresql":
            if table.constraint(name) is None and not _has_unread_check(table):
                error = f'ProgrammingError: constraint "{name}" of relation "{table.name}" does not exist'
                return Lacking(table.name, f"constraint {name}", error)
        case RenameIndex(columns=columns) if columns and not database.is_mysql:
            if all(index.columns != columns for index in table.indexes):
                on = ", ".join(columns)
                error = f"ValueError: Found wrong number (0) of indexes for {table.name}({on})."
                return Lacking(table.name, f"index on {on}", error)
    return None


def _has_unread_check(table: Table) -> bool:
    """Whether there is a CHECK whose name is not known: it may be the one."""
    return any(constraint.kind == "check" and not constraint.name for constraint in table.constraints)


def _is_known(step: Step, table: str, history: History) -> bool:
    """Whether all that was done to the database since the table was made is known."""
    if step.before.is_partial(step.migration.app):
        return False
    for earlier in history.before(step):
        if any(isinstance(action, CreateTable) and action.table == table for action in earlier.actions):
            return not earlier.conditional
        if earlier.conditional or not earlier.is_understood:
            return False
    return False
