"""The order in which Django applies migrations on an empty database, and whether it is certain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from miglint.project.contrib import CONTRIB, SETTING
from miglint.project.graph import Graph
from miglint.project.keys import MigrationKey
from miglint.project.migration import Dependency, Migration
from miglint.project.project import Project
from miglint.syntax.facts import ModuleFacts

_DJANGO = "django.contrib."
_NAMED = 5


class Plan(msgspec.Struct, frozen=True):
    """Migrations in order, and why Django's may be another one."""

    order: tuple[MigrationKey, ...]
    doubts: tuple[str, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the order is certainly Django's."""
        return not self.doubts


def plan_of(project: Project, targets: Iterable[MigrationKey] | None = None) -> Plan:
    """The plan up to the targets, one after the other; up to every leaf without them.

    Django's own apps are not listed, but they are walked: the admin's migrations come first of all and bring the
    user's. Source: django.db.migrations.executor.MigrationExecutor.migration_plan
    """
    graph = _with_contrib(project)
    order = graph.plan() if targets is None else graph.plan_to(targets)
    listed = project.graph.nodes
    return Plan(tuple(key for key in order if key in listed and key.app in project.labels), tuple(_doubts(project)))


def _with_contrib(project: Project) -> Graph:
    """The graph with those of Django's own apps that are installed."""
    own = [_contrib(label) for label in CONTRIB if label not in project.graph.apps and _is_installed(label, project)]
    if not own:
        return project.graph
    return Graph.build(
        [*project.graph.migrations.values(), *(migration for app in own for migration in app)],
        swappable=project.swappable,
        unmigrated=project.unmigrated_apps,
        django_version=project.django_version,
    )


def _is_installed(label: str, project: Project) -> bool:
    entry = _DJANGO + label
    return any(each == entry or each.startswith(f"{entry}.") for each in project.installed_apps or ())


def _contrib(app: str) -> list[Migration]:
    return [
        Migration(MigrationKey(app, name), "", ModuleFacts(), dependencies=tuple(map(_dependency, dependencies)))
        for name, dependencies in CONTRIB[app].items()
    ]


def _dependency(pair: tuple[str, str]) -> Dependency:
    label, name = pair
    return Dependency(None, setting=name) if label == SETTING else Dependency(MigrationKey(label, name))


# -- doubts -------------------------------------------------------------------------------------------


def _doubts(project: Project) -> Iterator[str]:
    graph = project.graph
    if project.installed_apps is None:
        yield "INSTALLED_APPS is not known, and apps outside of the project can change it (setting `settings-file`)"
    else:
        if project.unread_apps:
            yield (
                f"{_listed(project.unread_apps)} of INSTALLED_APPS could not be read, and may have migrations "
                "(setting `environment`)"
            )
        if project.absent_apps:
            yield f"{_listed(project.absent_apps)} cannot be found in INSTALLED_APPS"
        if project.doubtful_apps:
            yield f"a condition decides whether INSTALLED_APPS holds {_listed(project.doubtful_apps)}"
    settings = {e.setting for m in graph.migrations.values() for e in m.dependencies if not graph.is_known(e)}
    if project.installed_apps is not None and _is_installed("admin", project) and "admin" not in graph.apps:
        settings |= {"AUTH_USER_MODEL"} - project.swappable.keys()
    if settings:
        yield f"the value of {_listed(sorted(filter(None, settings)))} is not known"
    uncertain = [app for app in graph.apps if not graph.is_certain(app)]
    if uncertain:
        yield f"not all dependencies of {_listed(uncertain)} could be read"
    if graph.problems:
        yield f"Django refuses this graph: {graph.problems[0].message}"


def _listed(words: Sequence[str]) -> str:
    shown = words if len(words) <= _NAMED + 1 else [*words[:_NAMED], f"{len(words) - _NAMED} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
