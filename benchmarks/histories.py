"""Replays a made-up history of any length: `python -m benchmarks.histories 50000` prints seconds and megabytes."""

from __future__ import annotations

import gc
import resource
import sys
import time
from collections.abc import Iterator

from miglint.database import Database
from miglint.project.fields import Field
from miglint.project.graph import Graph
from miglint.project.history import replay
from miglint.project.keys import MigrationKey
from miglint.project.migration import Dependency, Migration
from miglint.project.operations import AddField, AlterField, CreateModel, Operation, RemoveField
from miglint.syntax.facts import Call, Expr, Keyword, Literal, ModuleFacts, Name

_APPS = 24
_MODELS_AN_APP = 20
# As many as real projects have: 1,417 migrations with 3,130 operations in saleor 3.21.
_OPERATIONS_A_MIGRATION = 2


def _field(kind: str, **arguments: Expr) -> Field:
    keywords = tuple(Keyword(name, value) for name, value in arguments.items())
    return Field(Call(Name(f"django.db.models.{kind}", "imported"), (), keywords))


def _text(value: str) -> Literal:
    return Literal("str", value)


def _number(value: int) -> Literal:
    return Literal("int", str(value))


def _operations(app: int) -> Iterator[Operation]:
    """An app's life: its models first, then fields that come, change and go, without end."""
    for model in range(_MODELS_AN_APP):
        fields = [("id", _field("BigAutoField", primary_key=Literal("bool", "True")))]
        fields += [(f"name{number}", _field("CharField", max_length=_number(50))) for number in range(4)]
        if model:
            fields.append(("parent", _field("ForeignKey", to=_text(f"app{app}.Model{model - 1}"))))
        yield CreateModel(name=f"Model{model}", fields=tuple(fields))
    step = 0
    while True:
        model, name = f"model{step % _MODELS_AN_APP}", f"field{step}"
        yield AddField(model_name=model, name=name, field=_field("IntegerField", null=Literal("bool", "True")))
        yield AlterField(model_name=model, name="name0", field=_field("CharField", max_length=_number(51 + step)))
        yield AlterField(model_name=model, name=name, field=_field("IntegerField", help_text=_text("A number")))
        yield RemoveField(model_name=model, name=name)
        step += 1


def migrations(operations: int) -> Iterator[Migration]:
    """Migrations of all apps with so many operations, each after the one before it and one of the next app."""
    sources = [_operations(app) for app in range(_APPS)]
    last: dict[int, MigrationKey] = {}
    for number in range(operations // _OPERATIONS_A_MIGRATION):
        app = number % _APPS
        key = MigrationKey(f"app{app}", f"{number // _APPS + 1:04}_step")
        before = (last.get(app), last.get((app + 1) % _APPS) if number % 7 == 0 else None)
        yield Migration(
            key,
            f"/project/{key.app}/migrations/{key.name}.py",
            ModuleFacts(),
            dependencies=tuple(Dependency(each) for each in before if each is not None),
            operations=tuple(next(sources[app]) for _ in range(_OPERATIONS_A_MIGRATION)),
        )
        last[app] = key


def main(operations: int) -> None:
    gc.disable()  # as a run does
    graph = Graph.build(migrations(operations))
    started = time.process_time()
    history = replay(graph, database=Database())
    took = time.process_time() - started
    assert len(history.steps) == operations // _OPERATIONS_A_MIGRATION * _OPERATIONS_A_MIGRATION
    # Kilobytes, on macOS bytes.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    print(took, peak)


if __name__ == "__main__":
    main(int(sys.argv[1]))
