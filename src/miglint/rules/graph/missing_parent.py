"""An edge of the graph that leads nowhere."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from miglint.api import (
    CONTRIB,
    FIRST,
    LATEST,
    Confidence,
    Dependency,
    Diagnostic,
    Graph,
    Migration,
    MigrationKey,
    Project,
    ProjectContext,
    Severity,
    rule,
)

_URL = "https://docs.djangoproject.com/en/stable/howto/writing-migrations/#migrating-data-between-third-party-apps"
# So many have another cause than misspelt names, for each of which all names would be looked through.
_MANY = 200


@rule("MG102", on=Project, severity=Severity.ERROR)
def missing_parent(context: ProjectContext) -> Iterator[Diagnostic]:
    """A migration depends on one that does not exist: Django cannot load the graph."""
    own, problems = context.project.own, context.graph.problems
    for problem in problems:
        edge, key = problem.dependency, problem.migration
        if edge is None or edge.key is None or key is None or key.app not in own:
            continue
        migration = context.graph.migrations[key]
        if problem.kind in ("missing-parent", "missing-child", "latest-dependency"):
            role = "child" if problem.kind == "missing-child" else "parent"
            yield _missing(context, migration, edge, role, advises=len(problems) < _MANY)
    for migration in context.graph.migrations.values():
        if migration.app in own:
            yield from _of_unread_apps(context, migration)


def _missing(
    context: ProjectContext, migration: Migration, edge: Dependency, role: str, *, advises: bool
) -> Diagnostic:
    wanted = edge.key
    assert wanted is not None
    return context.diagnostic(
        edge.span,
        f"Migration {migration.key} dependencies reference nonexistent {role} node {tuple(wanted)!r}",
        migration=migration,
        help=_help(context.graph, migration, wanted, advises=advises),
        url=_URL,
        detail=str(wanted),
    )


def _help(graph: Graph, migration: Migration, wanted: MigrationKey, *, advises: bool) -> str:
    stops = "Every `migrate`, `makemigrations` and test run stops with NodeNotFoundError."
    if wanted.name == LATEST:
        return f"{stops} Django never resolves `{LATEST}` for a migration's own app: name the migration."
    near = _nearest(graph, migration, wanted) if advises else None
    if near is None:
        return (
            f"{stops} If {wanted.app}/migrations/{wanted.name}.py was never committed, add it; if it was renamed, "
            "name it as it is called now."
        )
    return f'{stops} Did you mean ("{near.app}", "{near.name}")?'


def _nearest(graph: Graph, migration: Migration, wanted: MigrationKey) -> MigrationKey | None:
    """The migration that was probably meant: the most similar name, else the same number."""
    names = {
        key.name: key
        for key in graph.in_app(wanted.app)
        if key != migration.key and not graph.is_ancestor(migration.key, of=key)
    }
    close = difflib.get_close_matches(wanted.name, names, n=1, cutoff=0.8)
    if close:
        return names[close[0]]
    number = wanted.name.partition("_")[0]
    numbered = [key for name, key in names.items() if name.partition("_")[0] == number and number.isdigit()]
    return numbered[0] if len(numbered) == 1 else None


# -- apps that were not read ----------------------------------------------------------------------------


def _of_unread_apps(context: ProjectContext, migration: Migration) -> Iterator[Diagnostic]:
    """Edges to an app of Django's that has no such migration, or to one that INSTALLED_APPS does not hold."""
    graph = context.graph
    for edge in (*migration.dependencies, *migration.run_before):
        if edge.key is None or edge.key.app in graph.apps or graph.replaced_by(edge.key) is not None:
            continue
        if edge.key.app in context.project.unmigrated_apps:
            yield from _of_unmigrated_app(context, migration, edge, edge.key)
        elif edge.key.app in CONTRIB:
            yield from _of_django(context, migration, edge, edge.key)
        else:
            yield from _of_unknown_app(context, migration, edge, edge.key)


def _of_django(
    context: ProjectContext, migration: Migration, edge: Dependency, wanted: MigrationKey
) -> Iterator[Diagnostic]:
    installed = context.project.installed_apps
    names = tuple(CONTRIB[wanted.app])
    if wanted.name in (*names, FIRST, LATEST):
        return
    # A setting may give Django's own app other migrations.
    if not context.project.is_djangos(wanted.app):
        return
    close = difflib.get_close_matches(wanted.name, names, n=1)
    number = [name for name in names if name.partition("_")[0] == wanted.name.partition("_")[0]]
    meant = (close or number or [names[-1]])[0]
    yield context.diagnostic(
        edge.span,
        f"Migration {migration.key} dependencies reference nonexistent parent node {tuple(wanted)!r}",
        migration=migration,
        help=f'Django brings no such migration of {wanted.app}. Did you mean ("{wanted.app}", "{meant}")? If '
        "makemigrations wrote it into your installed Django, it is missing on every other machine.",
        url=_URL,
        confidence=Confidence.HIGH if installed is not None else Confidence.MEDIUM,
        detail=str(wanted),
    )


def _of_unmigrated_app(
    context: ProjectContext, migration: Migration, edge: Dependency, wanted: MigrationKey
) -> Iterator[Diagnostic]:
    """Django passes over `__first__` and `__latest__` of an app without migrations, and over no other name.

    Source: django.db.migrations.loader.MigrationLoader.check_key
    """
    if wanted.name in (FIRST, LATEST):
        return
    yield context.diagnostic(
        edge.span,
        f"Migration {migration.key} dependencies reference nonexistent parent node {tuple(wanted)!r}",
        migration=migration,
        help=f"The app `{wanted.app}` is installed and has no migrations. If they were never committed, add them; if "
        f'it is to have none, depend on ("{wanted.app}", "{FIRST}"), which Django then passes over.',
        url=_URL,
        detail=str(wanted),
    )


def _of_unknown_app(
    context: ProjectContext, migration: Migration, edge: Dependency, wanted: MigrationKey
) -> Iterator[Diagnostic]:
    if context.project.may_be_installed(wanted.app):
        return
    if wanted.name in (FIRST, LATEST):
        message = f"Dependency on unknown app: {wanted.app}"
    else:
        message = f"Migration {migration.key} dependencies reference nonexistent parent node {tuple(wanted)!r}"
    close = difflib.get_close_matches(wanted.app, sorted({key.app for key in context.graph.migrations}), n=1)
    yield context.diagnostic(
        edge.span,
        message,
        migration=migration,
        help=f"INSTALLED_APPS holds no app with the label `{wanted.app}`."
        + (f" Did you mean `{close[0]}`?" if close else ""),
        url=_URL,
        # The AppConfig of an app that was not read can give it any label.
        confidence=Confidence.LOW if context.project.unread_apps and not close else Confidence.MEDIUM,
        detail=str(wanted),
    )
