"""Two branches that disagree, joined."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from miglint.api import (
    CreateTable,
    Diagnostic,
    Migration,
    MigrationContext,
    MigrationKey,
    ModelKey,
    RenameTable,
    Severity,
    Step,
    Touch,
    code_needs,
    rule,
    touches_of,
)

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#version-control"
_DONE = {"makes": "made", "sets": "set", "removes": "removed", "renames": "renamed", "uses": "used"}
# What only the state has: it is computed in one order for every database.
_OF_THE_STATE = ("options", "managers")
_TAKES_AWAY = ("removes", "renames")

# The deeds of one branch, by model and part of it, in the order of the plan.
Branch = dict[tuple[ModelKey, tuple[str, str]], list[Touch]]


@rule("MG115", on=Migration, severity=Severity.WARNING)
def merge_of_conflicting_changes(context: MigrationContext) -> Iterator[Diagnostic]:
    """A merge joins branches that change the same thing: what comes out depends on which one ran last."""
    key, graph = context.migration.key, context.graph
    parents = [parent for parent in graph.parents(key) if parent.app == key.app]
    if len(parents) < 2:
        return
    apart = graph.apart(parents)
    settled: set[tuple[ModelKey, tuple[str, str]]] | None = None
    found = set()
    for one, other in combinations([_branch(context, own) for own in apart], 2):
        for mine, yours in _conflicts(one, other):
            place = mine.key, mine.part
            if place in found:  # of many branches, two are named
                continue
            if "sets" in (mine.deed, yours.deed):
                settled = _settled(context) if settled is None else settled
                if place in settled:
                    continue
            found.add(place)
            yield _finding(context, mine, yours)
    for here, there in combinations([_tables(context, own) for own in apart], 2):
        for name in here:
            if name in there and here[name].model != there[name].model:
                yield _of_table(context, name, here[name], there[name])


def _settled(context: MigrationContext) -> set[tuple[ModelKey, tuple[str, str]]]:
    """What the merge, or a migration after it, sets or takes away: in every order that comes last."""
    graph, key = context.graph, context.migration.key
    after = [graph.migrations[k] for k in graph.in_app(key.app) if k == key or graph.is_ancestor(key, of=k)]
    return {(touch.key, touch.part) for m in after for touch in _changes(context, m)}


def _changes(context: MigrationContext, migration: Migration) -> Iterator[Touch]:
    return (touch for touch in touches_of(migration, context.project.swappable) if touch.deed != "uses")


def _branch(context: MigrationContext, keys: tuple[MigrationKey, ...]) -> Branch:
    found: Branch = {}
    for key in keys:
        for touch in (*touches_of(context.graph.migrations[key], context.project.swappable), *_code(context, key)):
            found.setdefault((touch.key, touch.part), []).append(touch)
    return found


def _code(context: MigrationContext, key: MigrationKey) -> Iterator[Touch]:
    """The models that the code of a migration asks for."""
    for step in context.project.history.steps_of(key):
        for need in code_needs(step.usage):
            yield Touch(
                key=need.key, model=need.name, kind="", name="", deed="uses", operation=step.operation,
                migration=step.migration,
            )  # fmt: skip


# -- what contradicts what ----------------------------------------------------------------------------


def _conflicts(one: Branch, other: Branch) -> Iterator[tuple[Touch, Touch]]:
    """A pair for each part of a model that both branches touch and not both can have as they want it."""
    for (key, part), mine in one.items():
        yours = other.get((key, part), ())
        pair = _pair(mine, yours)
        if pair is None and part == ("", ""):
            pair = _taken_away(key, mine, other)
        if pair is not None:
            yield pair
    for (key, part), yours in other.items():
        if part == ("", "") and _pair(one.get((key, part), ()), yours) is None:
            taken = _taken_away(key, yours, one)
            if taken is not None:
                yield taken[1], taken[0]


def _pair(mine: Sequence[Touch], yours: Sequence[Touch]) -> tuple[Touch, Touch] | None:
    """The last deeds of two branches on one part, where they contradict each other."""
    left, right = _strongest(mine), _strongest(yours)
    if left is None or right is None:
        return None
    deeds = {left.deed, right.deed}
    if deeds <= {"uses", "sets", "makes"} and "uses" in deeds:
        return None
    return None if deeds == {"sets"} and left.value == right.value else (left, right)


def _strongest(touches: Sequence[Touch]) -> Touch | None:
    """What the branch does to the part: the last deed that changes it, else a use."""
    changes = [touch for touch in touches if touch.deed != "uses"]
    return changes[-1] if changes else touches[-1] if touches else None


def _taken_away(key: ModelKey, mine: Sequence[Touch], other: Branch) -> tuple[Touch, Touch] | None:
    """A model that one branch deletes or renames, and the first thing that the other one does with it."""
    taker = next((touch for touch in reversed(mine) if touch.deed in _TAKES_AWAY), None)
    touched = next((deeds[0] for (model, _), deeds in other.items() if model == key), None)
    return (taker, touched) if taker is not None and touched is not None else None


class _Made(NamedTuple):
    """What made a table."""

    model: ModelKey | None
    step: Step


def _tables(context: MigrationContext, keys: tuple[MigrationKey, ...]) -> dict[str, _Made]:
    """The tables that a branch makes, or gives a name, be it for a while: by the name."""
    found: dict[str, _Made] = {}
    for step in (step for key in keys for step in context.project.history.steps_of(key) if not step.conditional):
        for action in step.actions:
            match action:
                case CreateTable(table=name) if action.certain and not action.guarded:
                    found[name] = _Made(action.model, step)
                case RenameTable(new_table=name) if action.certain:
                    found[name] = _Made(action.model, step)
    return found


# -- what to say --------------------------------------------------------------------------------------


def _finding(context: MigrationContext, mine: Touch, yours: Touch) -> Diagnostic:
    order = context.graph.plan()
    first, last = sorted((mine, yours), key=lambda touch: order.index(touch.migration.key))
    it = _what(yours) if mine.part != yours.part else "they" if _is_several(yours) else "it"
    done = f"{mine.migration.name}, where {_what(mine)} {_done(mine)}"
    also = f"{yours.migration.name}, where {it} {_done(yours)}"
    return context.diagnostic(
        None,
        f"this merge joins {done}, and {also}: {_outcome(first, last)}",
        help=_advice(mine, yours),
        url=_URL,
        related=tuple(context.related(each.migration, each.operation.span, _what(each)) for each in (mine, yours)),
        detail=f"{mine.key}:{'.'.join(filter(None, mine.part))}",
    )


def _of_table(context: MigrationContext, name: str, mine: _Made, yours: _Made) -> Diagnostic:
    made = (mine.step, yours.step)
    first, second = (f"{step.migration.name} ({step.operation.class_name})" for step in made)
    return context.diagnostic(
        None,
        f"this merge joins {first} and {second}, which both make the table {name}: the one that meets it fails, "
        "because it is there already",
        help=_CANNOT,
        url=_URL,
        related=tuple(context.related(step.migration, step.operation.span, f"makes {name}") for step in made),
        detail=f"table:{name}",
    )


def _what(touch: Touch) -> str:
    model = f"{touch.key.app}.{touch.model}"
    match touch.kind:
        case "":
            return model
        case "field":
            return f"{model}.{touch.name}"
        case "option":
            return f"the {touch.name} of {model}" if _is_several(touch) else f"{touch.name} of {model}"
        case kind:
            return f"the {kind} {touch.name} of {model}"


def _done(touch: Touch) -> str:
    done = "altered" if touch.deed == "sets" and touch.kind == "field" else _DONE[touch.deed]
    return f"are {done}" if _is_several(touch) else f"is {done}"


def _is_several(touch: Touch) -> bool:
    return touch.kind == "option" and touch.name in _OF_THE_STATE


def _outcome(first: Touch, last: Touch) -> str:
    """What comes of it; `first` and `last` are in the order of Django's plan."""
    deeds = {first.deed, last.deed}
    early, late = first.migration.name, last.migration.name
    if deeds == {"sets"} and first.kind == "option" and first.name in _OF_THE_STATE:
        return f"Django's order puts {late} last, and what {early} says is lost"
    if deeds == {"sets"}:
        return f"a new database ends as {late} says, one that applied {late} before {early} as {early} says"
    if deeds == {"makes"}:
        return "whichever comes second fails, because it is there already"
    if deeds == {"makes", "sets"}:
        return "only one order can be right"
    return "where it is taken away first, the other one fails"


def _advice(mine: Touch, yours: Touch) -> str:
    if {mine.deed, yours.deed} == {"sets"}:
        return (
            "Decide what is right and say it in this migration, which comes after both: write the "
            f"{mine.operation.class_name} that you want into its `operations`."
        )
    return _CANNOT


_CANNOT = (
    "A merge cannot put this right. If one of the two is not released, let it depend on the other, correct it, and "
    "delete this merge."
)
