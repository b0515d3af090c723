"""The dependency graph as Django's loader builds it on an empty database.

Source: django.db.migrations.loader.MigrationLoader.build_graph and django.db.migrations.graph.MigrationGraph.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress, zip_longest
from operator import and_

import msgspec

from miglint.database import Version
from miglint.lazy import lazy
from miglint.project.keys import MigrationKey
from miglint.project.migration import FIRST, LATEST, Dependency, Migration


class GraphProblem(msgspec.Struct, frozen=True):
    """Something that Django would refuse: kind, the migration that says it, and which of its entries.

    A `cycle` goes from each migration to one it depends on and ends with the one it starts with.
    """

    kind: str
    migration: MigrationKey | None
    message: str
    dependency: Dependency | None = None
    cycle: tuple[MigrationKey, ...] = ()


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

    @lazy
    def nodes(self) -> frozenset[MigrationKey]:
        """The migrations that are left after replacement."""
        return frozenset(self._parents)

    @lazy
    def apps(self) -> tuple[str, ...]:
        return tuple(sorted({key.app for key in self.migrations}))

    def resolved(self, dependency: Dependency, of: Migration) -> MigrationKey | None:
        """The migration that an entry means after replacement; None where it is dropped or not known."""
        key = self.declared(dependency, of)
        return key if key is None else self.replaced_by(key) or key

    def declared(self, dependency: Dependency, of: Migration) -> MigrationKey | None:
        """The migration that an entry means before replacement; None where it is dropped or not known."""
        return self._resolver.resolve(dependency, of.app)

    def is_known(self, dependency: Dependency) -> bool:
        """Whether it is known what an entry means: not where it asks a setting that was not read."""
        return self._resolver.knows(dependency)

    def parents(self, key: MigrationKey) -> tuple[MigrationKey, ...]:
        return self._parents.get(key, ())

    def children(self, key: MigrationKey) -> tuple[MigrationKey, ...]:
        return self._children.get(key, ())

    def replaced_by(self, key: MigrationKey) -> MigrationKey | None:
        """The squash that stands for a migration in the end, squashes of squashes followed."""
        found = self._replaced_by.get(key)
        while found is not None and found in self._replaced_by:
            found = self._replaced_by[found]
        return found

    def leaves(self, app: str) -> tuple[MigrationKey, ...]:
        """The nodes that no migration of the same app depends on. Source: MigrationGraph.leaf_nodes"""
        found = self._leaves.get(app)
        if found is None:
            nodes = self._by_app.get(app, ())
            found = tuple(node for node in nodes if all(child.app != app for child in self._children[node]))
            self._leaves[app] = found
        return found

    @lazy
    def _leaves(self) -> dict[str, tuple[MigrationKey, ...]]:
        """The leaves of each app that was asked for."""
        return {}

    def in_app(self, app: str) -> Sequence[MigrationKey]:
        """The nodes of an app, by name."""
        return self._by_app.get(app, ())

    def naming(self, key: MigrationKey) -> Sequence[MigrationKey]:
        """The migrations that name one in `dependencies` or `run_before`, before replacement."""
        return self._naming.get(key, ())

    @lazy
    def _naming(self) -> dict[MigrationKey, list[MigrationKey]]:
        found: dict[MigrationKey, list[MigrationKey]] = {}
        for key, migration in self.migrations.items():
            edges = (*migration.dependencies, *migration.run_before)
            for named in {edge.key for edge in edges if edge.key is not None}:
                found.setdefault(named, []).append(key)
        return found

    @lazy
    def last_numbers(self) -> dict[str, int]:
        """The highest number that a migration of each app begins with."""
        found: dict[str, int] = {}
        for key, migration in self.migrations.items():
            if migration.number is not None:
                found[key.app] = max(found.get(key.app, 0), migration.number)
        return found

    def roots(self, app: str) -> tuple[MigrationKey, ...]:
        """The nodes without a parent in the app. Source: MigrationGraph.root_nodes"""
        return tuple(k for k in self._by_app.get(app, ()) if all(parent.app != app for parent in self._parents[k]))

    def is_certain(self, app: str) -> bool:
        """Whether all edges within an app are known: they were read, and none of them leads nowhere.

        Else nothing is known of its leaves and roots.
        """
        return app not in self._uncertain

    def is_complete(self, key: MigrationKey) -> bool:
        """Whether everything that must have run before is known: each edge upwards was read and leads somewhere."""
        return key not in self._incomplete and not any(map(and_, self._ancestors.get(key, ()), self._incomplete_places))

    @lazy
    def _incomplete(self) -> frozenset[MigrationKey]:
        unread = {key for key, migration in self.migrations.items() if not migration.dependencies_known}
        return frozenset(unread | {each.migration for each in self.problems if each.migration is not None})

    @lazy
    def _incomplete_places(self) -> Places:
        return _union(*(_place(self._places[key]) for key in self._incomplete if key in self._places))

    @lazy
    def _uncertain(self) -> frozenset[str]:
        unread = {key.app for key, migration in self.migrations.items() if not migration.dependencies_known}
        missing = {
            problem.migration.app
            for problem in self.problems
            if problem.kind in ("missing-parent", "missing-child") and problem.migration is not None
            if problem.dependency is not None and problem.dependency.key is not None
            if problem.dependency.key.app == problem.migration.app
        }
        return frozenset(unread | missing)

    @lazy
    def _by_app(self) -> dict[str, list[MigrationKey]]:
        found: dict[str, list[MigrationKey]] = {}
        for key in sorted(self._parents):
            found.setdefault(key.app, []).append(key)
        return found

    # -- order ---------------------------------------------------------------------------------------

    def plan(self) -> tuple[MigrationKey, ...]:
        """The order in which Django applies everything. Source: MigrationExecutor.migration_plan"""
        return self._order

    def plan_to(self, targets: Iterable[MigrationKey]) -> tuple[MigrationKey, ...]:
        """The order in which Django applies all that the targets need, one target after the other."""
        done: dict[MigrationKey, None] = {}
        for target in targets:
            self._visit(target, done)
        return tuple(done)

    @lazy
    def _order(self) -> tuple[MigrationKey, ...]:
        done: dict[MigrationKey, None] = {}
        for app in self._by_app:
            for leaf in self.leaves(app):
                self._visit(leaf, done)
        for key in sorted(self._parents):  # a cycle can leave an app without a leaf
            self._visit(key, done)
        return tuple(done)

    def _visit(self, start: MigrationKey, done: dict[MigrationKey, None]) -> None:
        """Parents first, of several the last by name. Source: MigrationGraph.iterative_dfs"""
        stack = [(start, False)]
        opened: set[MigrationKey] = set()
        while stack:
            key, processed = stack.pop()
            if processed:
                done[key] = None
            elif key not in done and key not in opened:
                opened.add(key)
                stack.append((key, True))
                stack.extend((parent, False) for parent in self._parents[key])

    # -- ancestors -----------------------------------------------------------------------------------

    def ancestors(self, key: MigrationKey) -> frozenset[MigrationKey]:
        """Everything that must have run before; the node itself left out."""
        return frozenset(self._members(self._ancestors.get(key, ()))) - {key}

    def is_ancestor(self, key: MigrationKey, *, of: MigrationKey) -> bool:
        place = self._places.get(key)
        if place is None or key == of:
            return False
        part, bit = divmod(place, _PART)
        places = self._ancestors.get(of, ())
        return part < len(places) and bool(places[part] >> bit & 1)

    def common_ancestor(self, keys: Iterable[MigrationKey]) -> MigrationKey | None:
        """The latest migration of their app that all of them descend from."""
        given = tuple(keys)
        shared = self._ancestors.get(given[0], ()) if given else ()
        for key in given[1:]:
            shared = tuple(map(and_, shared, self._ancestors.get(key, ())))
        same = [each for each in self._members(shared) if each.app == given[0].app and each not in given]
        return same[-1] if same else None

    def apart(self, keys: Sequence[MigrationKey]) -> tuple[tuple[MigrationKey, ...], ...]:
        """For each of several nodes, itself and the ancestors that none of the others has, in the order of the plan."""
        found = [_union(self._ancestors.get(key, ()), _place(self._places[key])) for key in keys]
        return tuple(
            tuple(self._members(_without(places, _union(*found[:at], *found[at + 1 :]))))
            for at, places in enumerate(found)
        )

    def _members(self, places: Places) -> Iterator[MigrationKey]:
        """The nodes at places, in the order of the plan."""
        for at, part in enumerate(places):
            if part:
                nodes = self._order[at * _PART : (at + 1) * _PART]
                yield from compress(nodes, map("1".__eq__, reversed(bin(part))))

    @lazy
    def _places(self) -> dict[MigrationKey, int]:
        return {key: place for place, key in enumerate(self._order)}

    @lazy
    def _ancestors(self) -> dict[MigrationKey, Places]:
        """The ancestors of each node; members of a cycle have the same."""
        found: dict[MigrationKey, Places] = {}
        for component in self._components:
            parents = [parent for key in component for parent in self._parents[key]]
            places = _union(*(each for key in parents for each in (found.get(key, ()), _place(self._places[key]))))
            found.update(dict.fromkeys(component, places))
        return found

    # -- cycles --------------------------------------------------------------------------------------

    @lazy
    def _components(self) -> list[tuple[MigrationKey, ...]]:
        return _components(sorted(self._parents), self._parents.__getitem__)

    def _cycles(self) -> Iterator[GraphProblem]:
        """One cycle, a shortest, of each knot. Source: MigrationGraph.ensure_not_cyclic"""
        for component in self._components:
            start = min(component)
            if len(component) > 1 or start in self._parents[start]:
                cycle = _shortest_cycle(start, self._parents, set(component))
                yield GraphProblem("cycle", start, " -> ".join(map(str, cycle)), cycle=cycle)


# Places in the plan, a bit for each, in parts: nodes share those in which their ancestors are the same.
Places = tuple[int, ...]
_PART = 2048


def _place(place: int) -> Places:
    part, bit = divmod(place, _PART)
    return (*(0,) * part, 1 << bit)


def _union(*all_places: Places) -> Places:
    """All places; a part that one of them has already is shared."""
    found: Places = ()
    for places in all_places:
        longer, shorter = (found, places) if len(found) >= len(places) else (places, found)
        parts = [one if other in (0, one) else _either(one, other) for one, other in zip(longer, shorter, strict=False)]
        found = (*parts, *longer[len(parts) :])
    return found


def _either(one: int, other: int) -> int:
    both = one | other
    return one if both == one else other if both == other else both


def _without(places: Places, others: Places) -> Places:
    return tuple(one & ~other for one, other in zip_longest(places, others[: len(places)], fillvalue=0))


class _Edges(msgspec.Struct):
    """Nodes and edges while the graph is built, nodes without a file included."""

    parents: dict[MigrationKey, set[MigrationKey]] = {}
    children: dict[MigrationKey, set[MigrationKey]] = {}

    def add_node(self, key: MigrationKey) -> None:
        self.parents.setdefault(key, set())
        self.children.setdefault(key, set())

    def add(self, child: MigrationKey, parent: MigrationKey) -> None:
        self.add_node(child)
        self.add_node(parent)
        self.parents[child].add(parent)
        self.children[parent].add(child)

    def remove(self, key: MigrationKey) -> tuple[set[MigrationKey], set[MigrationKey]]:
        """Take a node out; the parents and the children it had."""
        parents, children = self.parents.pop(key), self.children.pop(key)
        for parent in parents - {key}:
            self.children[parent].discard(key)
        for child in children - {key}:
            self.parents[child].discard(key)
        return parents - {key}, children - {key}

    def replace(self, replacement: MigrationKey, replaced: Collection[MigrationKey]) -> None:
        """Move the edges of the replaced to the replacement; one that depends on what it replaces gets a cycle.

        Source: MigrationGraph.remove_replaced_nodes
        """
        for key in replaced:
            if key in self.parents:
                parents, children = self.remove(key)
                for child in children.difference(replaced):
                    self.add(child, replacement)
                for parent in parents.difference(replaced):
                    self.add(replacement, parent)


class _Resolver:
    """What `__first__`, `__latest__` and swappable settings mean. Source: MigrationLoader.check_key"""

    def __init__(
        self, migrations: Mapping[MigrationKey, Migration], swappable: Mapping[str, str], unmigrated: frozenset[str]
    ) -> None:
        self._swappable = swappable
        self._unmigrated = unmigrated
        nodes = _internal(migrations.values())
        # The migrations of each app in their order, those without parents or without children in it.
        self._first: dict[str, list[MigrationKey]] = {}
        self._latest: dict[str, list[MigrationKey]] = {}
        for key in sorted(nodes.parents):
            for found, edges in ((self._first, nodes.parents), (self._latest, nodes.children)):
                ends = found.setdefault(key.app, [])
                if not edges[key]:
                    ends.append(key)

    def knows(self, dependency: Dependency) -> bool:
        return dependency.key is not None or dependency.setting in self._swappable

    def resolve(self, dependency: Dependency, app: str) -> MigrationKey | None:
        key = dependency.key
        if key is None:
            target = self._swappable.get(dependency.setting or "")
            if target is None:
                return None
            key = MigrationKey(target.partition(".")[0], FIRST)
        if key.name not in (FIRST, LATEST):
            return key
        if key.app in self._unmigrated or (key.app == app and key.name == FIRST):
            return None
        ends = (self._first if key.name == FIRST else self._latest).get(key.app)
        if key.app == app or ends is None:
            return key
        return next(iter(ends), None)


def _internal(migrations: Iterable[Migration]) -> _Edges:
    """The graph without edges between apps, where the loader looks for the first and latest of an app.

    Source: MigrationLoader.add_internal_dependencies
    """
    edges = _Edges()
    for migration in migrations:
        edges.add_node(migration.key)
        for dependency in migration.dependencies:
            parent = dependency.key
            if parent is not None and parent.app == migration.app and parent.name not in (FIRST, LATEST):
                edges.add(migration.key, parent)
    return edges


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
        self._apps = {key.app for key in self._migrations} | unmigrated
        self._version = django_version
        self._edges = _Edges()
        self._external: set[MigrationKey] = set()
        self._problems: list[GraphProblem] = []
        # The first entry of `replaces` for a key is the one that is reported.
        self._squashes = {
            each.key: {entry.key: entry for entry in reversed(each.replaces) if entry.key is not None}
            for each in self._migrations.values()
            if each.replaces
        }
        self._replaced = {key for replaced in self._squashes.values() for key in replaced}
        self._perhaps_replaced = {each.app for each in self._migrations.values() if _may_replace_more(each)}

    def graph(self) -> Graph:
        for migration in self._migrations.values():
            self._edges.add_node(migration.key)
            for dependency in migration.dependencies:
                self._link(migration, dependency, child=False)
            for dependency in migration.run_before:
                self._link(migration, dependency, child=True)
        replaced_by = dict(self._replace())
        for key in self._edges.parents.keys() - self._migrations.keys():
            self._edges.remove(key)
        return Graph(
            self._migrations,
            self._edges,
            replaced_by=replaced_by,
            resolver=self._resolver,
            problems=tuple(self._problems),
            external=tuple(sorted(self._external)),
        )

    def _link(self, migration: Migration, dependency: Dependency, *, child: bool) -> None:
        """Source: MigrationLoader.add_external_dependencies"""
        key = self._resolver.resolve(dependency, migration.app)
        if key is None:
            return
        if key in self._migrations or key in self._replaced:
            self._edges.add(*((key, migration.key) if child else (migration.key, key)))
        elif key.app not in self._apps:
            self._external.add(key)
        elif key.name == LATEST:
            if not child:  # the loader drops it from `run_before`
                message = f"{migration.key} depends on its own app's __latest__, which Django never resolves"
                self._problems.append(GraphProblem("latest-dependency", migration.key, message, dependency))
        elif key.app not in self._perhaps_replaced:
            end = "child" if child else "parent"
            message = f"Migration {migration.key} dependencies reference nonexistent {end} node {tuple(key)!r}"
            self._problems.append(GraphProblem(f"missing-{end}", migration.key, message, dependency))

    def _replace(self) -> Iterator[tuple[MigrationKey, MigrationKey]]:
        """Put squashes in the place of what they replace, inner ones first, as Django 6 does.

        Source: MigrationLoader.replace_migration. Before Django 6.0 the loader takes them as they come and fails
        where the inner one is gone when its turn comes.
        """
        done: set[MigrationKey] = set()
        for component in _components(sorted(self._squashes), self._inner):
            self._check_squashes(component)
            for key in component:
                replaced = self._squashes[key].keys() - set(component)
                self._edges.replace(key, replaced)
                yield from ((each, key) for each in sorted(replaced - done))
                done |= replaced

    def _inner(self, squash: MigrationKey) -> list[MigrationKey]:
        """The squashes that a squash replaces."""
        return sorted(self._squashes[squash].keys() & self._squashes.keys())

    def _check_squashes(self, component: tuple[MigrationKey, ...]) -> None:
        start = min(component)
        inner = {key: self._inner(key) for key in component}
        if len(component) > 1 or start in inner[start]:
            cycle = _shortest_cycle(start, inner, set(component))
            message = "`replaces` forms a cycle: " + " -> ".join(map(str, cycle))
            entry = self._squashes[start][cycle[1]]
            self._problems.append(GraphProblem("broken-squash", start, message, entry, cycle))
        elif self._version < (6, 0):
            for each in inner[start]:
                message = f"{start} replaces {each}, which is a squash itself: before Django 6.0 this usually fails"
                self._problems.append(GraphProblem("broken-squash", start, message, self._squashes[start][each]))


def _may_replace_more(migration: Migration) -> bool:
    """Whether a migration may replace others that could not be read."""
    unread = {each.what for each in migration.unreadable}
    return (not migration.dependencies_known and not unread & {"dependencies", "run_before"}) or "replaces" in unread


# -- knots --------------------------------------------------------------------------------------------


def _components(
    keys: Iterable[MigrationKey], following: Callable[[MigrationKey], Iterable[MigrationKey]]
) -> list[tuple[MigrationKey, ...]]:
    """The strongly connected components, each after all that it leads to.

    Source: Tarjan's algorithm, https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm
    """
    found: list[tuple[MigrationKey, ...]] = []
    low: dict[MigrationKey, int] = {}
    placed: set[MigrationKey] = set()
    knot: list[MigrationKey] = []
    for start in keys:
        path: list[tuple[MigrationKey, int, Iterator[MigrationKey]]] = []
        pending: MigrationKey | None = start if start not in low else None
        while path or pending is not None:
            if pending is not None:
                low[pending] = number = len(low)
                knot.append(pending)
                path.append((pending, number, iter(following(pending))))
            key, number, rest = path[-1]
            pending = None
            for each in rest:
                if each not in low:
                    pending = each
                    break
                if each not in placed:
                    low[key] = min(low[key], low[each])
            if pending is not None:
                continue
            path.pop()
            if path:
                above = path[-1][0]
                low[above] = min(low[above], low[key])
            if low[key] == number:
                place = knot.index(key) if knot[-1] != key else len(knot) - 1
                found.append(tuple(sorted(knot[place:])))
                placed.update(knot[place:])
                del knot[place:]
    return found


def _shortest_cycle(
    start: MigrationKey, following: Mapping[MigrationKey, Iterable[MigrationKey]], within: Collection[MigrationKey]
) -> tuple[MigrationKey, ...]:
    """From a member of a knot back to itself."""
    came_from: dict[MigrationKey, MigrationKey] = {}
    queue = [start]
    for key in queue:
        for each in following[key]:
            if each in within and each not in came_from:
                came_from[each] = key
                queue.append(each)
    back = [start, came_from[start]]
    while back[-1] != start:
        back.append(came_from[back[-1]])
    return tuple(reversed(back))
