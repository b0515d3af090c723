"""A rename that is written as a removal and an addition: the data does not come along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile

from miglint.api import (
    AddColumn,
    AddField,
    Confidence,
    CreateModel,
    CreateTable,
    Custom,
    DeleteModel,
    Diagnostic,
    DropColumn,
    DropTable,
    Expr,
    Field,
    Literal,
    ModelState,
    Operation,
    OperationContext,
    Paste,
    Place,
    RemoveField,
    RunPython,
    RunSQL,
    Severity,
    Step,
    Truth,
    either,
    may_write,
    rule,
    set_apart,
)

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/#renamefield"
# How alike two names must be, as difflib measures it: `total` and `total_amount` are, `price` and `prize` are.
_ALIKE = 0.6
# Models with no more fields than this need not have anything in common, should all be the same.
_FEW = 3
# Two fields of these kinds need not have anything in common.
_SAYS_LITTLE = ("BooleanField", "NullBooleanField")
# Arguments that a rename may change on its way.
_MAY_DIFFER = frozenset(
    {"verbose_name", "help_text", "null", "blank", "default", "db_default", "related_name", "related_query_name",
     "db_index", "db_column", "editable", "choices", "validators", "error_messages", "db_comment", "on_delete"}
)  # fmt: skip
# Kinds of columns between which a renamed field may change.
_FAMILIES = (
    {"CharField", "TextField", "SlugField", "EmailField", "URLField", "FileField", "ImageField", "FilePathField"},
    {"IntegerField", "BigIntegerField", "SmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField",
     "PositiveSmallIntegerField", "DecimalField", "FloatField"},
    {"DateField", "DateTimeField"},
    {"ForeignKey", "OneToOneField"},
    {"BooleanField", "NullBooleanField"},
)  # fmt: skip


@dataclass(frozen=True)
class _Pair:
    """What is removed and what is added in its place; `score` tells how alike they are."""

    step: Step
    old: str
    new: str
    score: float
    same_kind: bool


@rule(
    "MG203",
    on=(RemoveField, DeleteModel),
    severity=Severity.ERROR,
    supersedes=("MG201", "MG202", "MG209", "MG401", "MG402"),
)
def rename_as_remove_and_add(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """A rename written as remove and add drops the data and begins with an empty column."""
    if not context.touches_database or context.table_is_new or context.model is None:
        return
    dropped = next((action for action in context.actions if isinstance(action, DropColumn | DropTable)), None)
    if dropped is None or (isinstance(dropped, DropColumn) and context.column_is_new(dropped.table, dropped.column)):
        return
    is_field = isinstance(context.operation, RemoveField)
    found = _best(list(_fields(context) if is_field else _models(context)))
    if found is None or _copied(context, found):
        return
    what = f"{context.model_name}.{found.old}" if is_field else context.model_name
    again = found.old.lower() == found.new.lower()
    kind = "field" if is_field else "model"
    like = f"which looks like the same {kind}," if found.score >= _ALIKE else f"the one new {kind} of its kind,"
    added = "it again" if again else f"{found.new}, {like}"
    yield context.diagnostic(
        None,
        f"removing {what} and adding {added} loses its data: nothing copies it",
        help=_help(context, found, again=again),
        url=_URL,
        related=(context.related(found.step.migration, found.step.operation.span, f"{found.new} is added here"),),
        confidence=Confidence.HIGH if found.score >= _ALIKE and found.same_kind else Confidence.MEDIUM,
        field=found.old if is_field else None,
        also=(found.step,),
    )


def _best(pairs: list[_Pair]) -> _Pair | None:
    """The likeliest pair; none where several are as likely."""
    ranked = sorted(pairs, key=lambda pair: pair.score + pair.same_kind, reverse=True)
    if not ranked:
        return None
    first = ranked[0]
    named_alike = first.score >= _ALIKE
    if len(ranked) > 1 and not named_alike:
        return None
    return first


def _neighbours(context: OperationContext[Operation]) -> Iterator[Step]:
    """The other steps of the migration, and those of the migrations right before and after it in its app."""
    history, graph, key = context.project.history, context.graph, context.migration.key
    near = [each for each in (*graph.parents(key), *graph.children(key)) if each.app == key.app]
    for each in (key, *near):
        for step in history.steps_of(each):
            if step.touches_database and step is not context.step and not step.conditional:
                yield step


# -- fields -----------------------------------------------------------------------------------------------


def _fields(context: OperationContext[Operation]) -> Iterator[_Pair]:
    removed = context.operation
    assert isinstance(removed, RemoveField)
    model = context.model
    state = model.field(removed.name) if model is not None and removed.name is not None else None
    if model is None or state is None:
        return
    history = context.project.history
    rivals = [
        step.operation
        for step in _neighbours(context)
        if isinstance(step.operation, RemoveField) and _same_model(step, context)
    ]
    for step in _neighbours(context):
        added = step.operation
        if not isinstance(added, AddField) or added.name is None or not _same_model(step, context):
            continue
        if not any(isinstance(action, AddColumn | CreateTable) for action in step.actions):
            continue
        again = added.name.lower() == state.name.lower()
        if again and history.is_before(step, context.step):
            continue  # that is how the field came to be
        here = step.migration is context.migration
        same = _same_kind(state.field, added.field)
        score = _likeness(state.name, added.name)
        taken = any(_likeness(rival.name or "", added.name) > score for rival in rivals)
        alone = here and same and not rivals and state.field.kind not in _SAYS_LITTLE
        if not taken and (alone or (score >= _ALIKE and (same or _related(state.field, added.field)))):
            yield _Pair(step, state.name, added.name, score, same)


def _same_model(step: Step, context: OperationContext[Operation]) -> bool:
    mine, other = context.operation.model, step.operation.model
    return mine is not None and other is not None and mine.lower() == other.lower()


def _same_kind(old: Field, new: Field) -> bool:
    """Whether two fields are of one class and take the same parameters, as far as the column is concerned."""
    if old.kind is None or old.kind != new.kind or not (old.complete and new.complete):
        return False
    return _parameters(old) == _parameters(new)


def _parameters(field: Field) -> dict[str, Expr | str]:
    """What a rename leaves as it is; the model of a relation has one name in any case."""
    return {name: _folded(each, name) for name, each in field.arguments.items() if name not in _MAY_DIFFER}


def _folded(value: Expr, name: str) -> Expr | str:
    return value.text.lower() if name == "to" and isinstance(value, Literal) else value


def _related(old: Field, new: Field) -> bool:
    """Whether a field of one kind may have become one of the other."""
    if old.kind is None or new.kind is None:
        return False
    relations = ("ForeignKey", "OneToOneField")
    if old.kind == new.kind == "ManyToManyField" or (old.kind in relations and new.kind in relations):
        return old.arguments.get("to") == new.arguments.get("to")
    return any(old.kind in family and new.kind in family for family in _FAMILIES)


def _likeness(one: str, other: str) -> float:
    """How alike two names are, from 0 to 1: what is left of them without the words that both have (`start_date` and
    `end_date` are not alike)."""
    words, others = one.lower().split("_"), other.lower().split("_")
    left = "_".join(word for word in words if word not in others)
    right = "_".join(word for word in others if word not in words)
    if not (left and right):
        return 0.9 if left or right else 1.0
    return SequenceMatcher(None, left, right).ratio()


# -- models -----------------------------------------------------------------------------------------------


def _models(context: OperationContext[Operation]) -> Iterator[_Pair]:
    old = context.model
    if old is None:
        return
    near = list(_neighbours(context))
    rivals = [step.operation.name or "" for step in near if isinstance(step.operation, DeleteModel)]
    for step in near:
        added = step.operation
        if not isinstance(added, CreateModel) or added.name is None:
            continue
        new = step.after.model(step.migration.app, added.name)
        if new is None or not any(isinstance(action, CreateTable) for action in step.actions):
            continue
        itself = new.key == old.key and context.project.history.is_before(step, context.step)
        if itself or "history_id" in new.fields:
            continue  # how the model came to be; tables of django-simple-history, which are all alike
        shared = _shared(old, new)
        score = _likeness(old.name, new.name)
        if any(_likeness(rival, new.name) > score for rival in rivals):
            continue
        # The same fields under another name are the same model, where nothing else was removed beside it.
        twin = shared == 1.0 and not rivals and len(new.fields) > _FEW
        if twin or (score >= _ALIKE and shared >= 0.5):
            yield _Pair(step, old.name, new.name, score, shared >= 0.8)


def _shared(old: ModelState, new: ModelState) -> float:
    """The part of their fields, keys aside, that two models share by name and class."""
    mine, others = (
        {(state.name, state.field.kind) for state in model.fields.values() if not state.field.primary_key.certain}
        for model in (old, new)
    )
    everything = mine | others
    return len(mine & others) / len(everything) if len(mine & others) > 1 else 0.0


# -- what lies between ------------------------------------------------------------------------------------


def _copied(context: OperationContext[Operation], pair: _Pair) -> bool:
    """Whether code between the two may copy the data, or code before both moves it elsewhere."""
    between = context.project.history.between(context.step, pair.step)
    if any(
        _may_copy(step, context, pair).possible
        for step in between
        if isinstance(step.operation, RunPython | RunSQL | Custom)
    ):
        return True
    return isinstance(context.operation, RemoveField) and any(
        _may_copy(step, context, pair).certain
        for step in takewhile(
            lambda step: step not in (context.step, pair.step),
            context.project.history.steps_of(context.migration.key),
        )
    )


def _may_copy(step: Step, context: OperationContext[Operation], pair: _Pair) -> Truth:
    model = context.model
    if model is None:
        return Truth.NO
    if isinstance(context.operation, RemoveField):
        names = (pair.old, pair.new)
        places = [
            Place(step=step, model=model.key, field=n.lower(), column=model.column(n) or n, table=model.table)
            for n in names
        ]
    else:
        after = pair.step.after.model(model.app, pair.new)
        table = after.table if after is not None else ""
        name = pair.new.lower()
        places = [Place(step=step, model=model.key, field=name, column=table, table=table)]
    return either(*(may_write(place) for place in places))


# -- what to write ----------------------------------------------------------------------------------------


def _help(context: OperationContext[Operation], pair: _Pair, *, again: bool) -> str:
    lost = "Undoing the migration brings the old name back empty. "
    code = Paste()
    asks = "a field was renamed only while nothing else about it changes"
    if isinstance(context.operation, DeleteModel) and again:
        return (
            f"{lost}Change the model in place, with an operation for each difference, or create the new one under "
            "another name, copy the rows in a data migration, and delete the old one in a later release."
        )
    if isinstance(context.operation, DeleteModel):
        asks = "a model was renamed only while its fields stay the same"
        rename = code.operation("RenameModel", old_name=f'"{pair.old}"', new_name=f'"{pair.new}"')
    elif again:
        return (
            f"{lost}Change the field in place (AlterField) where the database can, or add it under another name, copy "
            "the values in a data migration, and remove the old one in a later release."
        )
    else:
        model = (context.operation.model or "").lower()
        rename = code.operation(
            "RenameField", model_name=f'"{model}"', old_name=f'"{pair.old}"', new_name=f'"{pair.new}"'
        )
    then = "" if pair.same_kind else ", then change the rest of it with AlterField"
    return (
        f"{lost}Django asks whether {asks}. If it is a rename, write instead of both{then}:\n{set_apart(rename)}\n"
        "If it is not, copy what is worth keeping before the removal, and remove in a later release."
    )
