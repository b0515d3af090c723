"""The graph as the source of a picture: for Mermaid, which GitHub and GitLab draw in Markdown, and for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from miglint.formats.terminal import visible
from miglint.project.keys import MigrationKey
from miglint.report import path_below

if TYPE_CHECKING:
    from miglint.scope import Scope


class _Node(NamedTuple):
    """A migration, or with `key` None all of an app that is not drawn."""

    id: str
    label: str
    kind: str
    key: MigrationKey | None


class _Diagram:
    """One project: nodes by app, and edges from what comes first to what needs it."""

    def __init__(self, scope: Scope, prefix: str, title: str) -> None:
        graph = scope.project.graph
        self.prefix = prefix
        self.title = title
        self.apps: dict[str, list[_Node]] = {}
        self.others: dict[str, _Node] = {}
        self.edges: dict[tuple[str, str], None] = {}
        nodes = {
            key: _Node(f"{prefix}m{number}", key.name, self._kind(scope, key), key)
            for number, key in enumerate(sorted(graph.nodes))
        }
        for key, node in nodes.items():
            if key.app in scope.apps:
                self.apps.setdefault(key.app, []).append(node)
        for key, node in nodes.items():
            for parent in graph.parents(key):
                ends = [nodes[each] if each.app in scope.apps else self._other(each.app) for each in (parent, key)]
                if key.app in scope.apps or parent.app in scope.apps:
                    self.edges[ends[0].id, ends[1].id] = None
            migration = graph.migrations[key]
            for entry in migration.dependencies if key.app in scope.apps else ():
                meant = graph.resolved(entry, migration)
                if meant is not None and meant in graph.external:
                    self.edges[self._other(meant.app).id, node.id] = None

    def _other(self, app: str) -> _Node:
        return self.others.setdefault(app, _Node(f"{self.prefix}a{len(self.others)}", app, "other", None))

    @staticmethod
    def _kind(scope: Scope, key: MigrationKey) -> str:
        graph = scope.project.graph
        if key in graph.leaves(key.app):
            return "leaf"
        return "squash" if graph.migrations[key].replaces else "plain"


def _diagrams(scopes: Sequence[Scope]) -> list[_Diagram]:
    several = len(scopes) > 1
    return [
        _Diagram(scope, f"p{number}" if several else "", path_below(scope.root, scope.repository) if several else "")
        for number, scope in enumerate(scopes)
    ]


# -- Mermaid ------------------------------------------------------------------------------------------

_MERMAID_SHAPES = {"plain": ('["', '"]'), "leaf": ('(["', '"])'), "squash": ('[["', '"]]'), "other": ('{{"', '"}}')}
# In colours that can be told apart in light and in dark pages.
_MERMAID_CLASSES = (
    "classDef leaf stroke:#2e9e44,stroke-width:3px",
    "classDef squash stroke:#b8860b,stroke-width:2px",
    "classDef other stroke-dasharray:4 3",
)


def mermaid(scopes: Sequence[Scope]) -> str:
    """A flowchart with a subgraph per app; leaves round, squashes with double edges, other apps one node each.

    Source: https://mermaid.js.org/syntax/flowchart.html
    """
    lines = ["flowchart TD"]
    for diagram in _diagrams(scopes):
        for number, (app, nodes) in enumerate(diagram.apps.items()):
            title = f"{diagram.title}: {app}" if diagram.title else app
            lines.append(f'  subgraph {diagram.prefix}s{number}["{_mermaid_text(title)}"]')
            lines += [f"    {_mermaid_node(node)}" for node in nodes]
            lines.append("  end")
        lines += [f"  {_mermaid_node(node)}" for node in diagram.others.values()]
        lines += [f"  {start} --> {end}" for start, end in diagram.edges]
    lines += [f"  {definition}" for definition in _MERMAID_CLASSES]
    return "\n".join(lines) + "\n"


def _mermaid_node(node: _Node) -> str:
    start, end = _MERMAID_SHAPES[node.kind]
    style = "" if node.kind == "plain" else f":::{node.kind}"
    return f"{node.id}{start}{_mermaid_text(node.label)}{end}{style}"


def _mermaid_text(text: str) -> str:
    """Text between quotes: what Mermaid or HTML would read as markup is written as its number."""
    return "".join(c if c.isalnum() or c in " ._-:/" else f"#{ord(c)};" for c in visible(text))


# -- Graphviz -----------------------------------------------------------------------------------------

_DOT_STYLES = {
    "plain": "",
    "leaf": ', style="rounded,bold", color="#2e9e44"',
    "squash": ', peripheries=2, color="#b8860b"',
    "other": ', style="dashed"',
}


def dot(scopes: Sequence[Scope]) -> str:
    """A digraph with a cluster per app; leaves green, squashes with two frames, other apps one dashed node each.

    Source: https://graphviz.org/doc/info/lang.html
    """
    return "\n".join(_dot_lines(scopes)) + "\n"


def _dot_lines(scopes: Sequence[Scope]) -> Iterator[str]:
    yield "digraph migrations {"
    yield '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=10];'
    for diagram in _diagrams(scopes):
        for number, (app, nodes) in enumerate(diagram.apps.items()):
            title = f"{diagram.title}: {app}" if diagram.title else app
            yield f"  subgraph cluster_{diagram.prefix}{number} {{"
            yield f"    label={_dot_text(title)};"
            for node in nodes:
                yield f"    {_dot_node(node)}"
            yield "  }"
        for node in diagram.others.values():
            yield f"  {_dot_node(node)}"
        for start, end in diagram.edges:
            yield f"  {start} -> {end};"
    yield "}"


def _dot_node(node: _Node) -> str:
    return f"{node.id} [label={_dot_text(node.label)}{_DOT_STYLES[node.kind]}];"


def _dot_text(text: str) -> str:
    r"""A quoted string; a backslash starts an escape such as `\N` there."""
    escaped = visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
