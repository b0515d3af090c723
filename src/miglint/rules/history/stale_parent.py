"""New migrations that the base branch has overtaken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from miglint.api import Base, Diagnostic, Graph, Migration, MigrationKey, Project, ProjectContext, Severity, rule

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#version-control"


@rule("MG603", on=Project, severity=Severity.ERROR)
def stale_parent(context: ProjectContext) -> Iterator[Diagnostic]:
    """The base branch has a leaf that a new migration does not descend from: merging gives two leaf nodes."""
    base = context.project.base
    if base is None or base.merged is None:
        return
    for app in sorted({key.app for key in base.ahead}):
        leaves = base.merged.leaves(app)
        theirs = [key for key in leaves if key in base.ahead]
        ours = [key for key in leaves if key in context.project.unreleased]
        if theirs and ours and base.merged.is_certain(app):
            for leaf in ours:
                yield _finding(context, base, base.merged, leaf, theirs)


def _finding(
    context: ProjectContext, base: Base, merged: Graph, leaf: MigrationKey, theirs: Sequence[MigrationKey]
) -> Diagnostic:
    chain = _chain(context, merged, leaf)
    first = chain[0]
    names = ", ".join(key.name for key in theirs)
    parents = (d.span for d in first.dependencies if d.key is not None and d.key.app == leaf.app)
    return context.diagnostic(
        next(parents, first.class_span),
        f"{base.ref} has got {names}, from which {leaf.name} does not descend: after merging, {leaf.app} has two leaf "
        "nodes, and Django refuses to migrate",
        migration=first,
        detail=leaf.name if leaf != first.key else "",
        help=_advice(context, base, chain, merged, theirs),
        url=_URL,
    )


def _chain(context: ProjectContext, merged: Graph, leaf: MigrationKey) -> list[Migration]:
    """The new migrations of the app that lead to the leaf, the first one first."""
    line = merged.ancestors(leaf) | {leaf}
    return [
        context.graph.migrations[key]
        for key in merged.plan()
        if key in line and key.app == leaf.app and key in context.project.unreleased
    ]


def _advice(
    context: ProjectContext, base: Base, chain: Sequence[Migration], merged: Graph, theirs: Sequence[MigrationKey]
) -> str:
    first = chain[0]
    last = max(theirs, key=lambda key: (merged.migrations[key].number or 0, key.name))
    start = (merged.migrations[last].number or 0) + 1
    lines = [f"Merge {base.ref} (or rebase onto it), and let {first.name} follow what came meanwhile:", ""]
    lines += [f'    dependencies = [("{last.app}", "{last.name}")]  # of {first.name}', ""]
    renamed = [
        (migration.name, f"{start + at:04}_{migration.name.partition('_')[2]}")
        for at, migration in enumerate(chain)
        if migration.number is not None and migration.number < start + at and "_" in migration.name
    ]
    if renamed:
        folder = context.project.short(first.path).rpartition("/")[0]
        lines += ["Then number after it, in the dependencies too:", ""]
        lines += [f"    git mv {folder}/{old}.py {folder}/{new}.py" for old, new in renamed]
        lines.append("")
    lines.append(f"Or join both afterwards: `python manage.py makemigrations --merge {first.app}`.")
    return "\n".join(lines)
