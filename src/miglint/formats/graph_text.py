"""The graph for people: each app's migrations from the first to the last, and what they need of other apps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from miglint.formats.lanes import ASCII, Pen, draw
from miglint.formats.terminal import View, count, display_width, paint, visible, wrap
from miglint.project.keys import MigrationKey
from miglint.project.migration import Migration
from miglint.project.truth import Truth
from miglint.report import path_for_text

if TYPE_CHECKING:
    from miglint.scope import Scope

# A straight run of fewer migrations is drawn in full.
_FOLDED = 4
# Names stand in one column beside a drawing of up to so many lanes.
_ALIGNED = 4
_NAMED = 3


def render(scopes: Sequence[Scope], view: View, *, full: bool) -> str:
    """Every app of the scopes. Unless `full`, straight runs of migrations that need nothing of others are folded."""
    blocks: list[str] = []
    folded = False
    for scope in scopes:
        picture = _Picture(scope, view, full=full)
        if len(scopes) > 1:
            blocks.append(paint(visible(path_for_text(scope.root, view.cwd)), "bold", "cyan", view=view))
        blocks += picture.blocks()
        folded |= picture.folded
    if view.summary and scopes:
        lines = wrap(_summary(scopes), width=view.width)
        if folded:
            lines += wrap("Straight runs are folded: -v, or --app with one app, shows all.", width=view.width)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _summary(scopes: Sequence[Scope]) -> str:
    apps = sum(len(scope.apps) for scope in scopes)
    keys = [(scope, key) for scope in scopes for key in scope.project.graph.migrations if key.app in scope.apps]
    replaced = sum(scope.project.graph.replaced_by(key) is not None for scope, key in keys)
    words = f"{count(apps, 'app')}, {count(len(keys), 'migration')}"
    return f"{words}, {replaced} of them replaced by squashes." if replaced else f"{words}."


class _Node(NamedTuple):
    """One line of the drawing: a migration, or a run of several that is folded."""

    keys: tuple[MigrationKey, ...]

    @property
    def key(self) -> MigrationKey:
        return self.keys[0]


class _Picture:
    """The picture of one project."""

    def __init__(self, scope: Scope, view: View, *, full: bool) -> None:
        self._scope = scope
        self._graph = scope.project.graph
        self._view = view
        self._full = full
        self._pen = ASCII if view.ascii else Pen()
        self._folder = {package.label: package.directory for package in scope.project.packages}
        self._broken = {problem.migration for problem in self._graph.problems}
        self._heads = Counter((key.app, key.name.split("_", 1)[0]) for key in self._graph.migrations)
        self.folded = False

    def blocks(self) -> Iterator[str]:
        for app in sorted(self._scope.apps):
            yield "\n".join(self._app(app))
        external = list(self._external())
        if external:
            yield "\n".join([paint("not in this project", "bold", view=self._view), *external])
        problems = list(self._problems())
        if problems:
            yield "\n".join([paint("what Django refuses", "bold", "red", view=self._view), *problems])

    # -- one app -------------------------------------------------------------------------------------

    def _app(self, app: str) -> Iterator[str]:
        graph, view = self._graph, self._view
        nodes = [key for key in graph.plan() if key.app == app]
        leaves = graph.leaves(app)
        head = paint(visible(app, ascii=view.ascii), "bold", view=view)
        total = sum(key.app == app for key in graph.migrations)
        said = [count(total, "migration")]
        if len(leaves) > 1:
            said.append(paint(f"{len(leaves)} leaves", "bold", "red", view=view))
        folder = visible(path_for_text(self._folder[app], view.cwd), ascii=view.ascii)
        yield f"{head}  {', '.join(said)}  {paint(folder, 'dim', view=view)}"
        yield from self._drawing(self._folds(nodes, app), app)

    def _parents(self, key: MigrationKey) -> list[MigrationKey]:
        return [parent for parent in self._graph.parents(key) if parent.app == key.app]

    def _children(self, key: MigrationKey) -> list[MigrationKey]:
        return [child for child in self._graph.children(key) if child.app == key.app]

    def _folds(self, nodes: Sequence[MigrationKey], app: str) -> list[_Node]:
        """The nodes in order, straight runs of plain ones as one."""
        found: list[_Node] = []
        run: list[MigrationKey] = []
        for key in nodes:
            if not self._full and self._is_plain(key) and (not run or self._parents(key) == [run[-1]]):
                run.append(key)
                continue
            found += self._run(run)
            run = [key] if not self._full and self._is_plain(key) else []
            if not run:
                found.append(_Node((key,)))
        return found + self._run(run)

    def _run(self, run: list[MigrationKey]) -> list[_Node]:
        if len(run) < _FOLDED:
            return [_Node((key,)) for key in run]
        self.folded = True
        return [_Node(tuple(run))]

    def _is_plain(self, key: MigrationKey) -> bool:
        """One in a row, with nothing to say of it."""
        parents, children = self._parents(key), self._children(key)
        if len(parents) != 1 or len(children) != 1 or key in self._broken:
            return False
        alone = len(self._children(parents[0])) == 1 and len(self._parents(children[0])) == 1
        return alone and not any(self._words(self._graph.migrations[key])) and not self._needs(key)

    def _drawing(self, nodes: Sequence[_Node], app: str) -> Iterator[str]:
        view = self._view
        of = {key: node for node in nodes for key in node.keys}
        parents = {node: [of[parent] for parent in self._parents(node.key) if parent in of] for node in nodes}
        rows = list(draw(nodes, parents, {node: self._glyph(node) for node in nodes}, self._pen))
        widest = max((display_width(row.drawing) for row in rows), default=0)
        column = widest if widest < 2 * _ALIGNED else 0
        for at, row in enumerate(rows):
            drawing = row.drawing.ljust(column)
            if row.node is None:
                yield f"  {paint(drawing.rstrip(), 'blue', view=view)}".rstrip()
                continue
            below = self._below(rows[at + 1].drawing if at + 1 < len(rows) else "").ljust(column)
            yield from self._lines(row.node, drawing, below)

    def _below(self, following: str) -> str:
        """What continues the lanes between a line and the following one."""
        up = set("│╯┼├┴●■◉⋮|+'*#@:")
        return "".join(self._pen.line if character in up else " " for character in following).rstrip()

    def _glyph(self, node: _Node) -> str:
        ascii = self._view.ascii
        if len(node.keys) > 1:
            return ":" if ascii else "⋮"
        if not self._children(node.key):
            return "@" if ascii else "◉"
        if self._graph.migrations[node.key].replaces:
            return "#" if ascii else "■"
        return "*" if ascii else "●"

    def _lines(self, node: _Node, drawing: str, below: str) -> Iterator[str]:
        """A node, what is to be said of it, and what it needs; on one line where there is room."""
        view = self._view
        lead = display_width(drawing) + 3
        name = self._name(node)
        words = list(self._words(self._graph.migrations[node.key])) if len(node.keys) == 1 else []
        needs = self._needs(node.key) if len(node.keys) == 1 else []
        said = "  ".join(f"[{word}]" for word in words)
        arrow = "<- " if view.ascii else "← "
        line = "  ".join(filter(None, (name, said)))
        shown = "  ".join(filter(None, (self._painted(name, node), paint(said, "cyan", view=view))))
        prefix = f"  {paint(drawing, 'blue', view=view)} "
        edges = arrow + ", ".join(needs)
        width = view.width
        if needs and (width is None or lead + display_width(line) + 2 + display_width(edges) <= width):
            yield f"{prefix}{shown}  {paint(edges, 'dim', view=view)}"
            return
        yield prefix + shown
        if needs:
            hang = f"  {below.ljust(len(drawing))}   "
            for text in wrap(edges, width=width and width - display_width(hang)):
                yield f"  {paint(below.ljust(len(drawing)), 'blue', view=view)}   {paint(text, 'dim', view=view)}"

    def _painted(self, name: str, node: _Node) -> str:
        if len(node.keys) > 1:
            return paint(name, "dim", view=self._view)
        return paint(name, "green", view=self._view) if not self._children(node.key) else name

    def _name(self, node: _Node) -> str:
        if len(node.keys) == 1:
            return visible(node.key.name, ascii=self._view.ascii)
        dots = "..." if self._view.ascii else "…"
        first, last = (visible(self._brief(key), ascii=self._view.ascii) for key in (node.keys[0], node.keys[-1]))
        return f"{first} {dots} {last}  ({count(len(node.keys), 'migration')})"

    def _words(self, migration: Migration) -> Iterator[str]:
        graph = self._graph
        if not self._children(migration.key):
            yield "leaf"
        if migration.replaces:
            replaced = [entry.key for entry in migration.replaces if entry.key is not None]
            gone = sum(key not in graph.migrations for key in replaced)
            said = "all gone" if gone == len(replaced) else f"{gone} gone"
            yield f"squash of {len(replaced)}" + (f", {said}" if gone else "")
        if len(self._parents(migration.key)) > 1:
            yield "merge"
        if migration.atomic is Truth.NO:
            yield "not atomic"
        if not migration.dependencies_known or not migration.operations_known:
            yield "partly unreadable"

    def _needs(self, key: MigrationKey) -> list[str]:
        """What it needs of other apps: a migration each, of apps that are not in the project only the label."""
        found = [parent for parent in self._graph.parents(key) if parent.app != key.app]
        migration = self._graph.migrations[key]
        meant = (self._graph.resolved(entry, migration) for entry in migration.dependencies)
        outside = {each.app for each in meant if each is not None and each in self._graph.external}
        settings = {entry.setting or "" for entry in migration.dependencies if not self._graph.is_known(entry)}
        words = [
            *(f"{parent.app}.{parent.name if self._full else self._brief(parent)}" for parent in found),
            *sorted(outside),
            *(f"settings.{each}" for each in sorted(settings)),
        ]
        return [visible(word, ascii=self._view.ascii) for word in words]

    def _brief(self, key: MigrationKey) -> str:
        """The number that a name starts with, where it tells the migration from all others of its app."""
        head = key.name.split("_", 1)[0]
        return head if head.isdecimal() and self._heads[key.app, head] == 1 else key.name

    # -- around it -----------------------------------------------------------------------------------

    def _external(self) -> Iterator[str]:
        """The apps that are not in the project, each on one line, and who needs them."""
        graph = self._graph
        users: dict[str, dict[str, None]] = {}
        for key in sorted(graph.nodes):
            if key.app in self._scope.apps:
                migration = graph.migrations[key]
                for entry in (*migration.dependencies, *migration.run_before):
                    meant = graph.resolved(entry, migration)
                    if meant is not None and meant in graph.external:
                        users.setdefault(meant.app, {})[key.app] = None
        for app, by in sorted(users.items()):
            line = f"{visible(app, ascii=self._view.ascii)}  needed by "
            names = [visible(each, ascii=self._view.ascii) for each in by]
            yield from wrap(line + _few(names), width=self._view.width, first="  ", indent="      ")

    def _problems(self) -> Iterator[str]:
        for problem in self._graph.problems:
            if problem.migration is None or problem.migration.app in self._scope.apps:
                message = visible(problem.message, ascii=self._view.ascii)
                yield from wrap(message, width=self._view.width, first="  ", indent="    ")


def _few(words: Sequence[str]) -> str:
    if len(words) <= _NAMED + 1:
        return ", ".join(words)
    return f"{', '.join(words[:_NAMED])} and {len(words) - _NAMED} more"
