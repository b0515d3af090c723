"""Two branches of one app that nothing joins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from miglint.api import (
    AddField,
    AlterField,
    Diagnostic,
    FieldOperation,
    Graph,
    Migration,
    MigrationKey,
    ModelOperation,
    Operation,
    Project,
    ProjectContext,
    Related,
    RemoveField,
    RenameField,
    RenameModel,
    SeparateDatabaseAndState,
    Severity,
    rule,
    walk_operations,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#version-control"
# Django falls back to a timestamp for longer names.
# Source: django.core.management.commands.makemigrations.Command.handle_merge
_LONGEST_JOINED_NAME = 47
# Of more, each has its finding, and the message of each names them all.
_MOST_RELATED = 50


@rule("MG101", on=Project, severity=Severity.ERROR, supersedes=("MG106", "MG107"))
def multiple_leaf_nodes(context: ProjectContext) -> Iterator[Diagnostic]:
    """An app has two latest migrations: Django refuses to migrate until a merge joins them."""
    graph = context.graph
    own = context.project.own
    for app in sorted(own & set(graph.apps)):
        leaves = sorted(graph.leaves(app))
        if len(leaves) > 1 and graph.is_certain(app):
            yield from _findings(context, app, leaves)


def _findings(context: ProjectContext, app: str, leaves: Sequence[MigrationKey]) -> Iterator[Diagnostic]:
    graph = context.graph
    base = graph.common_ancestor(leaves)
    names = ", ".join(key.name for key in leaves)
    help = f"{_overlap(graph, leaves, base)} {_advice(graph, app, leaves)}"
    for leaf in leaves:
        migration = graph.migrations[leaf]
        yield context.diagnostic(
            migration.class_span,
            f"Conflicting migrations detected; multiple leaf nodes in the migration graph: ({names} in {app}).",
            migration=migration,
            help=help,
            url=_URL,
            related=tuple(_related(context, leaf, leaves, base)),
        )


def _related(
    context: ProjectContext, leaf: MigrationKey, leaves: Sequence[MigrationKey], base: MigrationKey | None
) -> Iterator[Related]:
    migrations = context.graph.migrations
    others = (other for other in leaves if other != leaf)
    for other in islice(others, _MOST_RELATED):
        yield context.related(other, migrations[other].class_span, "the other leaf")
    if base is not None:
        yield context.related(base, migrations[base].class_span, "both branches start here")


# -- what the branches write ----------------------------------------------------------------------------


def _overlap(graph: Graph, leaves: Sequence[MigrationKey], base: MigrationKey | None) -> str:
    """One sentence on whether the branches write the same things."""
    known = graph.ancestors(base) | {base} if base is not None else frozenset()
    known |= frozenset.intersection(*(graph.ancestors(leaf) for leaf in leaves))
    branches = [_branch(graph, leaf, known) for leaf in leaves]
    if any(_is_free(operation) for branch in branches for operation in branch):
        return "What the branches write cannot be told from their operations alone: compare them before you merge."
    written = [{name for operation in branch for name in _writes(operation)} for branch in branches]
    both = sorted({a for i, one in enumerate(written) for other in written[i + 1 :] for a in one if _meets(a, other)})
    if not both:
        return "The branches write different models and fields, so a merge without operations joins them."
    return f"More than one branch writes {', '.join(both)}: decide which change is to win before you merge."


def _branch(graph: Graph, leaf: MigrationKey, known: frozenset[MigrationKey]) -> list[Operation]:
    keys = (graph.ancestors(leaf) | {leaf}) - known
    migrations = [graph.migrations[key] for key in sorted(keys) if key.app == leaf.app and key in graph.migrations]
    return [operation for migration in migrations for _, operation in walk_operations(migration.operations)]


def _is_free(operation: Operation) -> bool:
    """Whether an operation may write anything: SQL, Python, another package's operation."""
    known = ModelOperation | FieldOperation | RenameModel | SeparateDatabaseAndState
    return not isinstance(operation, known) or (operation.model is None and not operation.nested_in)


def _writes(operation: Operation) -> Iterator[str]:
    """The models (`order`) and fields (`order.total`) that an operation writes."""
    model = (operation.model or "").lower()
    match operation:
        case AddField(name=name) | AlterField(name=name) | RemoveField(name=name):
            yield f"{model}.{name}"
        case RenameField(old_name=old, new_name=new):
            yield f"{model}.{old}"
            yield f"{model}.{new}"
        case RenameModel(old_name=old, new_name=new):
            yield (old or "").lower()
            yield (new or "").lower()
        case ModelOperation():
            yield model
        case FieldOperation():
            yield f"{model}.{getattr(operation, 'name', None) or '(indexes and constraints)'}"


def _meets(name: str, others: set[str]) -> bool:
    """Whether a branch writes the same field, or the model it is in, or (a whole model) one of its fields."""
    return any(name == other or other == name.split(".")[0] or other.startswith(f"{name}.") for other in others)


# -- what to do -----------------------------------------------------------------------------------------


def _advice(graph: Graph, app: str, leaves: Sequence[MigrationKey]) -> str:
    name = _merge_name(graph, leaves)
    dependencies = "\n".join(f'            ("{leaf.app}", "{leaf.name}"),' for leaf in leaves)
    return (
        f"Run `python manage.py makemigrations --merge {app}`, or write {app}/migrations/{name}.py:\n\n"
        "    from django.db import migrations\n\n\n"
        "    class Migration(migrations.Migration):\n"
        f"        dependencies = [\n{dependencies}\n        ]\n\n"
        "        operations = []\n\n"
        "If neither is released, make one depend on the other instead, and number it after it."
    )


def _merge_name(graph: Graph, leaves: Sequence[MigrationKey]) -> str:
    """The name that Django gives the merge."""
    number = max((_number(graph.migrations[leaf]) for leaf in leaves), default=0) + 1
    joined = "_".join(sorted(leaf.name for leaf in leaves))
    return f"{number:04}_merge_{joined}" if len(joined) <= _LONGEST_JOINED_NAME else f"{number:04}_merge"


def _number(migration: Migration) -> int:
    return migration.number or 0
