"""A change of every row of a live table at once."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    SAVES,
    Diagnostic,
    Operation,
    OperationContext,
    Query,
    Row,
    Rows,
    RunPython,
    RunSQL,
    Severity,
    Span,
    UpdateRows,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#non-atomic-migrations"
_AT_ONCE = frozenset({"update", "delete", "aupdate", "adelete"})
_HELP = (
    "Every row is written in one transaction: each stays locked until the last one is done, writes of the running "
    "release to them wait, and the table keeps a dead copy of each. {how}Go through the table in batches by primary "
    "key, a transaction each, in a migration with `atomic = False` (or in a management command), so that it can be "
    "stopped and started again:\n"
    '    rows = {model}.objects.using(schema_editor.connection.alias).order_by("pk")\n'
    '    pks = list(rows.values_list("pk", flat=True)[:5000])\n'
    "    while pks:\n"
    "{batch}"
    '        pks = list(rows.filter(pk__gt=pks[-1]).values_list("pk", flat=True)[:5000])'
)
_SAVED = (
    "        changed = []\n"
    "        for row in rows.filter(pk__in=pks):\n"
    "            …  # what the loop sets\n"
    "            changed.append(row)\n"
    "        {model}.objects.bulk_update(changed, […])  # the fields that it sets\n"
)
_ALL = "        rows.filter(pk__in=pks).{method}({given})\n"


@rule("MG509", on=(RunPython, RunSQL), severity=Severity.WARNING)
def unbatched_data_change(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """A data migration changes every row of a live table in one go."""
    yield from _in_queries(context)
    for action in context.actions:
        if isinstance(action, UpdateRows) and not action.filtered and action.table and _is_live(context, action):
            known = context.before.model(*action.model) if action.model is not None else None
            model = known.name if known is not None else "Model"
            yield context.diagnostic(
                None,
                f"UPDATE without WHERE writes every row of {action.table} at once",
                help=_HELP.format(how="", model=model, batch=_ALL.format(method="update", given="…")),
                url=_URL,
                detail=action.table,
            )
            return


def _is_live(context: OperationContext[Operation], action: UpdateRows) -> bool:
    if action.model is not None:
        return context.model_is_live(action.model)
    return not action.on_new_table and not context.project.sizes.is_small(action.table)


def _in_queries(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    seen = set()
    # One line that is run for one model after another is one finding.
    found: dict[tuple[str, Span, str], list[Query]] = {}
    for use in context.usage.of(Query):
        said = _said(use)
        if not said or (use.key, use.method) in seen or not context.model_is_live(use.key):
            continue
        seen.add((use.key, use.method))
        found.setdefault((use.module.path, use.span, said), []).append(use)
    for (_, _, said), uses in found.items():
        yield _finding(context, said, uses)


def _finding(context: OperationContext[Operation], said: str, uses: list[Query]) -> Diagnostic:
    use, models = uses[0], [context.before.model(*each.key) for each in uses]
    span, related = context.place(use, "it is done here")
    names = [f"{model.app}.{model.name}" for model in models if model is not None]
    first = names[0].rpartition(".")[2]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    saved = use.method in SAVES
    how = "An instance at a time is a query for each row besides. " if saved else ""
    given = "" if "delete" in use.method else "…"
    batch = _SAVED.format(model=first) if saved else _ALL.format(method=use.method.removeprefix("a"), given=given)
    return context.diagnostic(
        span,
        f"{said} {shown} {'in one loop' if saved else 'at once'}",
        related=related,
        help=_HELP.format(how=how, model=first, batch=batch),
        url=_URL,
        model=first,
        detail=f"{use.method} {', '.join(str(each.key) for each in uses)}",
    )


def _said(use: Query) -> str:
    """What is done to every row, "" where it is not done to every row."""
    if isinstance(use.on, Rows) and use.method in _AT_ONCE:
        if use.on.is_filtered or use.on.is_sliced:
            return ""
        return "update() writes every row of" if "update" in use.method else "delete() deletes every row of"
    if isinstance(use.on, Row) and use.method in SAVES and use.loop is not None and not use.on.is_new:
        rows = use.loop
        whole = rows.key == use.key and not (rows.is_filtered or rows.is_batched or rows.is_sliced)
        if not whole:
            return ""
        return "save() is called along every row of" if use.is_guarded else "save() writes every row of"
    return ""
