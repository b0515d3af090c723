"""The dependency graph as Django's loader builds it on an empty database.

Source: django.db.migrations.loader.MigrationLoader.build_graph and django.db.migrations.graph.MigrationGraph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from miglint.database import Version
from miglint.project.keys import MigrationKey
from miglint.project.migration import FIRST, LATEST, Dependency, Migration


@dataclass(frozen=True, slots=True)
class GraphProblem:
    """Something that Django would refuse: kind, the migration that says it, and which of its entries."""

    kind: str
    migration: MigrationKey | None
    message: str
    dependency: Dependency | None = None
    cycle: tuple[MigrationKey, ...] = ()


@dataclass
class _Edges:
    """Nodes and edges while the graph is built."""

    parents: dict[MigrationKey, set[MigrationKey]] = field(default_factory=dict)
    children: dict[MigrationKey, set[MigrationKey]] = field(default_factory=dict)

    def add_node(self, key: MigrationKey) -> None:
        self.parents.setdefault(key, set())
        self.children.setdefault(key, set())

    def add(self, child: MigrationKey, parent: MigrationKey) -> None:
        self.add_node(child)
        self.add_node(parent)
        self.parents[child].add(parent)
        self.children[parent].add(child)

    def replace(self, replacement: MigrationKey, replaced: Iterable[MigrationKey]) -> None:
        """Source: MigrationGraph.remove_replaced_nodes"""
        gone = set(replaced)
        for key in gone:
            if key not in self.parents:
                continue
            children, parents = self.children.pop(key), self.parents.pop(key)
            for child in children:
                self.parents[child].discard(key)
                if child not in gone and child != replacement:
                    self.add(child, replacement)
            for parent in parents:
                self.children[parent].discard(key)
                if parent not in gone and parent != replacement:
                    self.add(replacement, parent)


class Graph:
    """Migrations, their edges after replacement, and what is wrong with them."""

    def __init__(
        self,
        migrations: Mapping[MigrationKey, Migration],
        edges: _Edges,
        *,
        replaced_by: Mapping[MigrationKey, MigrationKey],
        resolver: _Resolver,
        problems: tuple[GraphProblem, ...],
        external: tuple[MigrationKey, ...],
    ) -> None:
        self.migrations = migrations
        self._parents = {key: tuple(sorted(keys)) for key, keys in edges.parents.items()}
        self._children = {key: tuple(sorted(keys)) for key, keys in edges.children.items()}
        self._replaced_by = replaced_by
        self._resolver = resolver
        self.external = external
        self.problems = (*problems, *self._cycles())

    @classmethod
    def build(
        cls,
        migrations: Iterable[Migration],
        *,
        swappable: Mapping[str, str] | None = None,
        unmigrated: frozenset[str] = frozenset(),
        django_version: Version = (5, 2),
    ) -> Graph:
        """The graph of all migrations that were read; `swappable` are settings' values as `app.Model`."""
        return _Builder(migrations, swappable or {}, unmigrated, django_version).graph()

    # -- asking --------------------------------------------------------------------------------------

    @cached_property
    def nodes(self) -> frozenset[MigrationKey]:
        """The migrations that are left after replacement."""
        return frozenset(self._parents)

    @cached_property
    def apps(self) -> tuple[str, ...]:
        return tuple(sorted({key.app for key in self.migrations}))

    def resolved(self, dependency: Dependency, of: Migration) -> MigrationKey | None:
        """The migration that an entry means, as the loader resolves it; None where it is dropped or unknown."""
        return self._resolver.resolve(dependency, of.app)

    def parents(self, key: MigrationKey) -> tuple[MigrationKey, ...]:
        return self._parents.get(key, ())

    def children(self, key: MigrationKey) -> tuple[MigrationKey, ...]:
        return self._children.get(key, ())

    def replaced_by(self, key: MigrationKey) -> MigrationKey | None:
        """The squash that replaces a migration."""
        return self._replaced_by.get(key)

    def leaves(self, app: str) -> tuple[MigrationKey, ...]:
        """The nodes that no migration of the same app depends on. Source: MigrationGraph.leaf_nodes"""
        return tuple(k for k in self._of(app) if all(child.app != app for child in self._children[k]))

    def roots(self, app: str) -> tuple[MigrationKey, ...]:
        """The nodes without a parent in the app. Source: MigrationGraph.root_nodes"""
        return tuple(k for k in self._of(app) if all(parent.app != app for parent in self._parents[k]))

    def is_certain(self, app: str) -> bool:
        """Whether all dependencies of an app's migrations could be read."""
        return all(m.dependencies_known for key, m in self.migrations.items() if key.app == app)

    def _of(self, app: str) -> list[MigrationKey]:
        return self._by_app.get(app, [])

    @cached_property
    def _by_app(self) -> dict[str, list[MigrationKey]]:
        found: dict[str, list[MigrationKey]] = {}
        for key in sorted(self._parents):
            found.setdefault(key.app, []).append(key)
        return found

    # -- order ---------------------------------------------------------------------------------------

    @cached_property
    def _order(self) -> tuple[MigrationKey, ...]:
        leaves = [leaf for app in sorted(self._by_app) for leaf in self.leaves(app)]
        done: dict[MigrationKey, None] = {}
        for leaf in sorted(leaves):
            self._visit(leaf, done)
        for key in sorted(self._parents):  # nodes of a cycle have no leaf above them
            self._visit(key, done)
        return tuple(done)

    def _visit(self, start: MigrationKey, done: dict[MigrationKey, None]) -> None:
        """Parents first. Source: MigrationGraph.iterative_dfs"""
        if start in done:
            return
        stack: list[tuple[MigrationKey, bool]] = [(start, False)]
        open_: set[MigrationKey] = set()
        while stack:
            key, parents_done = stack.pop()
            if parents_done:
                done.setdefault(key)
            elif key not in done and key not in open_:
                open_.add(key)
                stack.append((key, True))
                stack.extend((parent, False) for parent in reversed(self._parents[key]))

    def plan(self) -> tuple[MigrationKey, ...]:
        """The order in which Django applies everything. Source: MigrationExecutor.migration_plan"""
        return self._order

    # -- ancestors -----------------------------------------------------------------------------------

    @cached_property
    def _masks(self) -> dict[MigrationKey, int]:
        """The ancestors of each node as bits, by the place in the plan."""
        masks: dict[MigrationKey, int] = {}
        places = self._places
        for key in self._order:
            mask = 0
            for parent in self._parents[key]:
                mask |= masks.get(parent, 0) | 1 << places[parent]
            masks[key] = mask
        return masks

    @cached_property
    def _places(self) -> dict[MigrationKey, int]:
        return {key: place for place, key in enumerate(self._order)}

    def ancestors(self, key: MigrationKey) -> frozenset[MigrationKey]:
        """Everything that must have run before; the node itself left out."""
        mask = self._masks.get(key, 0)
        order = self._order
        found = []
        while mask:
            low = mask & -mask
            found.append(order[low.bit_length() - 1])
            mask ^= low
        return frozenset(found) - {key}

    def is_ancestor(self, key: MigrationKey, *, of: MigrationKey) -> bool:
        return key in self._places and bool(self._masks.get(of, 0) >> self._places[key] & 1)

    def common_ancestor(self, keys: Iterable[MigrationKey]) -> MigrationKey | None:
        """The latest migration of their app that all of them descend from."""
        all_keys = list(keys)
        shared = frozenset.intersection(*(self.ancestors(key) for key in all_keys))
        same = [key for key in shared if key.app == all_keys[0].app]
        return max(same, key=self._places.__getitem__, default=None)

    # -- cycles --------------------------------------------------------------------------------------

    def _cycles(self) -> Iterator[GraphProblem]:
        """Source: MigrationGraph.ensure_not_cyclic"""
        seen: set[MigrationKey] = set()
        for start in sorted(self._parents):
            stack = [start]
            while stack and start not in seen:
                top = stack[-1]
                following = next((p for p in self._parents[top] if p not in seen), None)
                if following is None:
                    seen.add(stack.pop())
                elif following in stack:
                    cycle = (*stack[stack.index(following) :], following)
                    yield GraphProblem("cycle", cycle[0], " -> ".join(map(str, cycle)), cycle=cycle)
                    seen.update(stack)
                    stack.clear()
                else:
                    stack.append(following)


class _Resolver:
    """What `__first__`, `__latest__` and swappable settings mean. Source: MigrationLoader.check_key"""

    def __init__(
        self, migrations: Mapping[MigrationKey, Migration], swappable: Mapping[str, str], unmigrated: frozenset[str]
    ) -> None:
        self._swappable = swappable
        self._unmigrated = unmigrated
        self._apps: dict[str, list[MigrationKey]] = {}
        edges = _Edges()
        for key, migration in migrations.items():
            self._apps.setdefault(key.app, []).append(key)
            edges.add_node(key)
            for dependency in migration.dependencies:
                parent = dependency.key
                if parent is not None and parent.app == key.app and parent in migrations:
                    edges.add(key, parent)
        self._edges = edges

    def resolve(self, dependency: Dependency, app: str) -> MigrationKey | None:
        key = dependency.key
        if key is None:
            target = self._swappable.get(dependency.setting or "")
            if target is None:
                return None
            key = MigrationKey(target.partition(".")[0], FIRST)
        if key.name not in (FIRST, LATEST):
            return key
        if key.app == app or key.app in self._unmigrated:
            return None if key.app in self._unmigrated or key.name == FIRST else key
        ends = self._edges.parents if key.name == FIRST else self._edges.children
        found = sorted(k for k in self._apps.get(key.app, ()) if not ends[k])
        if not found:
            return key
        return found[0] if key.name == FIRST else found[-1]


class _Builder:
    """One building of a graph."""

    def __init__(
        self,
        migrations: Iterable[Migration],
        swappable: Mapping[str, str],
        unmigrated: frozenset[str],
        django_version: Version,
    ) -> None:
        self._migrations = {migration.key: migration for migration in migrations}
        self._resolver = _Resolver(self._migrations, swappable, unmigrated)
        self._apps = {key.app for key in self._migrations}
        self._version = django_version
        self._edges = _Edges()
        self._external: dict[MigrationKey, None] = {}
        self._problems: list[GraphProblem] = []
        self._named: dict[MigrationKey, MigrationKey] = {}
        for migration in self._migrations.values():
            for replaced in migration.replaces:
                if replaced.key is not None:
                    self._named.setdefault(replaced.key, migration.key)

    def graph(self) -> Graph:
        for migration in self._migrations.values():
            self._edges.add_node(migration.key)
        for migration in self._migrations.values():
            for dependency in migration.dependencies:
                self._link(migration, dependency, child=False)
            for dependency in migration.run_before:
                self._link(migration, dependency, child=True)
        replaced_by = self._replace()
        for key in [key for key in self._edges.parents if key not in self._migrations]:
            self._forget(key)
        return Graph(
            self._migrations,
            self._edges,
            replaced_by=replaced_by,
            resolver=self._resolver,
            problems=tuple(self._problems),
            external=tuple(sorted(self._external)),
        )

    def _link(self, migration: Migration, dependency: Dependency, *, child: bool) -> None:
        key = self._resolver.resolve(dependency, migration.app)
        if key is None:
            return
        if key in self._migrations or key in self._named:
            ends = (key, migration.key) if child else (migration.key, key)
            if ends[0] != ends[1]:
                self._edges.add(*ends)
        elif key.app not in self._apps:
            self._external[key] = None
        elif key.name == LATEST and key.app == migration.app:
            message = f"{migration.key} depends on its own app's __latest__, which Django never resolves"
            self._problems.append(GraphProblem("latest-dependency", migration.key, message, dependency))
        else:
            kind = "missing-child" if child else "missing-parent"
            message = f"Migration {migration.key} dependencies reference nonexistent parent node {tuple(key)!r}"
            self._problems.append(GraphProblem(kind, migration.key, message, dependency))

    def _replace(self) -> dict[MigrationKey, MigrationKey]:
        replaced_by: dict[MigrationKey, MigrationKey] = {}
        squashes = {
            m.key: {r.key for r in m.replaces if r.key is not None} for m in self._migrations.values() if m.replaces
        }
        done: set[MigrationKey] = set()

        def replace(key: MigrationKey, path: tuple[MigrationKey, ...]) -> None:
            """Squashes within a squash come first (Django 6). Source: MigrationLoader.replace_migration"""
            if key in path:
                cycle = (*path[path.index(key) :], key)
                message = "`replaces` forms a cycle: " + " -> ".join(map(str, cycle))
                self._problems.append(GraphProblem("broken-squash", key, message, cycle=cycle))
                return
            if key in done:
                return
            done.add(key)
            for inner in sorted(squashes[key] & squashes.keys()):
                if self._version < (6, 0):
                    message = f"{key} replaces {inner}, which is a squash itself: before Django 6.0 this usually fails"
                    self._problems.append(GraphProblem("broken-squash", key, message))
                replace(inner, (*path, key))
            targets = squashes[key] - {key}
            self._edges.replace(key, targets)
            for target in targets:
                replaced_by[target] = key
            for target, winner in list(replaced_by.items()):
                if winner in targets:
                    replaced_by[target] = key

        for key in sorted(squashes):
            replace(key, ())
        return replaced_by

    def _forget(self, key: MigrationKey) -> None:
        for child in self._edges.children.pop(key):
            self._edges.parents[child].discard(key)
        for parent in self._edges.parents.pop(key):
            self._edges.children[parent].discard(key)
