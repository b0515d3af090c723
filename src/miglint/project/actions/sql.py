"""What the SQL of RunSQL does, and the operations of which no action is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from miglint.project import operations as ops
from miglint.project.action import (
    Action,
    Execute,
)
from miglint.project.actions.scene import Scene
from miglint.project.code import is_noop_sql
from miglint.project.columns import (
    text_of,
)
from miglint.project.keys import ModelKey
from miglint.project.statements import sql_actions
from miglint.project.usage import RawSQL
from miglint.syntax.facts import Expr, Items


def run_sql(operation: ops.RunSQL, scene: Scene) -> Iterator[Action]:
    if is_noop_sql(operation.sql):
        return
    for part, text in enumerate(_sql_texts(operation.sql)):
        if text is None:
            yield Execute(table="", understood=False, certain=False, part=part)
            continue
        for action in sql_actions(text, scene.database, models=_tables(scene), read=scene.read_sql):
            yield replace(action, part=part) if part else action


def code_sql(use: RawSQL, scene: Scene) -> Iterator[Action]:
    """The SQL that code hands to a cursor or to the schema editor."""
    text = text_of(use.text)
    if text is None:
        yield Execute(table="", understood=False, certain=False)
    else:
        yield from sql_actions(text, scene.database, models=_tables(scene), read=scene.read_sql)


def _sql_texts(value: Expr | None) -> Iterator[str | None]:
    """The SQL strings of RunSQL's argument; None for each that cannot be read. Source: RunSQL._run_sql."""
    if isinstance(value, Items) and value.kind in ("list", "tuple"):
        for item in value.items:
            first = item.items[0] if isinstance(item, Items) and item.items else item
            yield text_of(first)
    else:
        yield text_of(value)


def _tables(scene: Scene) -> Callable[[str], ModelKey | None]:
    """The model of a table, asked for only where there is one to ask for."""

    def model_of(table: str) -> ModelKey | None:
        for world in (scene.before, scene.after):
            for model in world.state.with_table(table):
                if model.table == table and not model.proxy.certain:
                    return model.key
        return None

    return model_of


def unknown(operation: ops.Operation, scene: Scene) -> Iterator[Action]:
    yield Execute(table="", verb=operation.class_name, understood=False, certain=False)


def beside_tables(operation: ops.Operation, scene: Scene) -> Iterator[Action]:
    yield Execute(table="", verb=operation.class_name)
