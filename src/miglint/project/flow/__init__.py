"""Follows the code of a RunPython without running it.

Django passes `apps` and `schema_editor`, whatever they are called; from there values flow through assignments,
functions of the project, loops and comprehensions. What is not understood is None, and nothing is said of it.
Source: django.db.migrations.operations.special.RunPython, django.db.models.query.QuerySet
"""

from __future__ import annotations

from collections.abc import Mapping

from miglint.database import Vendor
from miglint.project.code import Direction, is_noop
from miglint.project.flow.expressions import EVALUATORS
from miglint.project.flow.following import Files, Follower
from miglint.project.flow.statements import STATEMENTS
from miglint.project.migration import Migration
from miglint.project.operations import RunPython
from miglint.project.relations import Relations
from miglint.project.source_module import SourceModule
from miglint.project.usage import Usage
from miglint.syntax.facts import Expr


def usage_of(
    operation: RunPython,
    module: SourceModule,
    migration: Migration,
    relations: Relations,
    settings: Mapping[str, str],
    files: Files,
    *,
    vendor: Vendor | None = None,
) -> Usage:
    """What the operation's code does, forwards and backwards, on a database of the vendor, where it is given.

    `settings` are model names such as AUTH_USER_MODEL. `files` keeps what is found in files for the same migration's
    other operations.
    """
    flow = Follower(module, migration, relations, settings, files, vendor, statements=STATEMENTS, evaluators=EVALUATORS)
    directions: tuple[tuple[Expr | None, Direction], ...] = (
        (operation.code, "forward"),
        (operation.reverse_code, "reverse"),
    )
    for argument, direction in directions:
        if argument is not None and not is_noop(argument):
            flow.start(argument, direction)
    return Usage(uses=tuple(flow.uses), is_complete=flow.is_complete)
