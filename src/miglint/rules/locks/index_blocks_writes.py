"""An index that is built while the table's writes wait."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    ActionContext,
    AddIndex,
    AddUnique,
    Call,
    Confidence,
    CreateIndex,
    Diagnostic,
    Expr,
    Items,
    Literal,
    Name,
    Operator,
    RunPython,
    RunSQL,
    Severity,
    dotted,
    rule,
)

Built = CreateIndex | AddUnique

_URL = "https://docs.djangoproject.com/en/stable/ref/contrib/postgres/operations/#concurrent-index-operations"


@rule("MG302", on=(CreateIndex, AddUnique), severity=Severity.ERROR)
def index_blocks_writes(context: ActionContext[Action]) -> Iterator[Diagnostic]:
    """Building an index on a live table blocks writes until it is done."""
    if not context.touches_database:
        return
    built = [
        action
        for action in context.matching
        if isinstance(action, CreateIndex | AddUnique) and context.is_live(action) and _blocks(context, action)
    ]
    if not built:
        return
    tables = ", ".join(dict.fromkeys(action.table or "a table" for action in built))
    blocked = "reads and writes" if any(_blocks_reads(context, action) for action in built) else "writes"
    count = "an index" if len(built) == 1 else f"{len(built)} indexes"
    measured = all(context.cost(action).measured for action in built)
    certain = all(action.certain for action in built) and not context.step.conditional
    yield context.diagnostic(
        None,
        f"{count} on {tables} {'is' if len(built) == 1 else 'are'} built while {blocked} wait ({_reasons(built)})",
        help=_when(context, built) + _instead(context, built[0]),
        url=context.cost(built[0]).url or _URL,
        confidence=Confidence.HIGH if measured and certain else Confidence.LOW if not certain else Confidence.MEDIUM,
    )


def _blocks(context: ActionContext[Action], action: Built) -> bool:
    cost = context.cost(action)
    return cost.blocks_writes and cost.lasts and cost.indexes


def _blocks_reads(context: ActionContext[Action], action: Built) -> bool:
    """Whether reads wait too: for its own lock, or for one that the same transaction took before."""
    if context.cost(action).blocks_reads:
        return True
    if context.migration.atomic.refuted or not context.database.transactional_ddl:
        return False
    return any(each.table == action.table and context.cost(each).blocks_reads for each in _earlier(context, action))


def _earlier(context: ActionContext[Action], action: Built) -> Iterator[Action]:
    """What the transaction does before: a deferred action comes after everything that is not."""
    before = True
    for step in context.project.history.steps_of(context.migration.key):
        for each in step.actions:
            before = before and each is not action
            if each is not action and not each.on_new_table and (before or (action.deferred and not each.deferred)):
                yield each


def _reasons(built: list[Built]) -> str:
    names = [f"{action.name or 'index'}: {action.reason}" for action in built[:3]]
    return ", ".join(names) + (f", and {len(built) - 3} more" if len(built) > 3 else "")


def _when(context: ActionContext[Action], built: list[Built]) -> str:
    cost = context.cost(built[0])
    lock = f" under {cost.lock}" if cost.lock and context.database.vendor == "postgresql" else ""
    deferred = " Django defers it to the end of the migration." if any(action.deferred for action in built) else ""
    return f"{context.database.title} reads the whole table{lock}; the larger the table, the longer.{deferred} "


# -- what to write instead ----------------------------------------------------------------------------------


def _instead(context: ActionContext[Action], action: Built) -> str:
    operation = context.operation
    if context.database.vendor != "postgresql":
        return f"{context.database.title} cannot build it beside running writes: migrate when nobody writes."
    if isinstance(operation, RunSQL | RunPython):
        return (
            "Write CREATE INDEX CONCURRENTLY, alone in its string, in a migration with `atomic = False`."
            if isinstance(action, CreateIndex)
            else "Build a unique index CONCURRENTLY first, then ADD CONSTRAINT … UNIQUE USING INDEX."
        )
    if isinstance(operation, AddIndex):
        index = _written(operation.index) if operation.index is not None else "…"
        return "Build it concurrently, in a migration of its own:\n" + _concurrent(context, index)
    if isinstance(action, AddUnique) or action.unique:
        return _unique(context, action)
    column = _field(context) or ", ".join(action.columns)
    index = f'models.Index(fields=["{column}"], name="{_name(context, column)}")'
    return (
        f"Write the field with `db_index=False` and `{index}` in Meta.indexes, and build that concurrently in a "
        "migration of its own:\n" + _concurrent(context, index)
    )


def _field(context: ActionContext[Action]) -> str:
    """The field that an AddField or AlterField is about."""
    return getattr(context.operation, "name", None) or ""


def _name(context: ActionContext[Action], column: str) -> str:
    return f"{(context.operation.model or 'model').lower()}_{column}_idx"[:30]


def _concurrent(context: ActionContext[Action], index: str) -> str:
    return _migration(
        context,
        "from django.contrib.postgres.operations import AddIndexConcurrently\n"
        "from django.db import migrations, models\n",
        f"        AddIndexConcurrently(model_name={(context.operation.model or 'model').lower()!r}, index={index}),\n",
    )


def _unique(context: ActionContext[Action], action: Built) -> str:
    columns = ", ".join(action.columns) or "…"
    name = action.name or f"{action.table}_uniq"
    create = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {action.table} ({columns})"
    steps = [_sql(create, f"DROP INDEX CONCURRENTLY IF EXISTS {name}")]
    if isinstance(action, AddUnique):
        steps.append(
            _sql(
                f"ALTER TABLE {action.table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",
                f"ALTER TABLE {action.table} DROP CONSTRAINT {name}",
            )
        )
        first = "Build a unique index concurrently, then make the constraint of it, in a migration of its own"
    else:
        first = "Build the unique index concurrently (with its WHERE or expressions), in a migration of its own"
    kind = context.operation.class_name
    if kind in ("AddField", "AlterField"):
        first += " (for a new field, after one that adds it without `unique`)"
    return f"{first}:\n" + _migration(
        context,
        "from django.db import migrations\n",
        "        migrations.SeparateDatabaseAndState(\n"
        f"            database_operations=[\n{''.join(steps)}            ],\n"
        f"            state_operations=[migrations.{kind}(…)],  # this operation, with unique\n"
        "        ),\n",
    )


def _sql(forward: str, reverse: str) -> str:
    return f"                migrations.RunSQL({forward!r}, {reverse!r}),\n"


def _migration(context: ActionContext[Action], imports: str, operations: str) -> str:
    parent = (context.migration.app, context.migration.name)
    if len(context.migration.operations) == 1:
        own = [each.key for each in context.migration.dependencies if each.key and each.key.app == parent[0]]
        parent = (own[0].app, own[0].name) if own else parent
    return "".join(
        f"    {line}\n" if line else "\n"
        for line in (
            f"{imports}\n\nclass Migration(migrations.Migration):\n    atomic = False\n\n"
            f'    dependencies = [("{parent[0]}", "{parent[1]}")]\n\n    operations = [\n{operations}    ]'
        ).split("\n")
    )


def _written(expression: Expr) -> str:
    """An index as Python, as far as it is plain."""
    if isinstance(expression, Literal):
        return f'"{expression.text}"' if expression.kind == "str" else expression.text
    if isinstance(expression, Items):
        inner = ", ".join(_written(item) for item in expression.items)
        return f"[{inner}]" if expression.kind == "list" else f"({inner},)"
    if isinstance(expression, Operator) and len(expression.operands) > 1:
        return f" {expression.operator} ".join(_written(each) for each in expression.operands)
    if isinstance(expression, Call) and expression.callee:
        arguments = [_written(each) for each in expression.arguments]
        arguments += [f"{each.name}={_written(each.value)}" for each in expression.keywords if each.name is not None]
        return f"{_short(expression.callee)}({', '.join(arguments)})"
    return _short(dotted(expression)) if isinstance(expression, Name) else "…"


def _short(name: str) -> str:
    return name.removeprefix("django.db.") if name.startswith("django.db.models.") else name
