"""Where the nodes of a LibCST tree stand in its text, from one rendering."""

from __future__ import annotations

from types import TracebackType

import libcst
from libcst._nodes.internal import CodegenState

from miglint.text import NOWHERE, Span


class _Mark:
    """Notes where a node starts and ends while it is being rendered."""

    __slots__ = ("end_node", "node", "start", "start_node", "state")

    def __init__(self, state: _Recorder, node: object, start_node: object, end_node: object) -> None:
        self.state = state
        self.node = node
        self.start_node = start_node
        self.end_node = end_node

    def __enter__(self) -> None:
        self.start = self.state.offset

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state = self.state
        start, end = self.start, state.offset
        if self.start_node is not None:
            start = state.ranges.get(id(self.start_node), (start, end))[0]
        if self.end_node is not None:
            end = state.ranges.get(id(self.end_node), (start, end))[1]
        state.ranges[id(self.node)] = (start, end)


class _Recorder(CodegenState):
    """A rendering that keeps offsets in place of the text. LibCST's own metadata wrapper copies the tree and
    counts lines and columns for every node, which costs more than the parse."""

    def __init__(self, module: libcst.Module, start: int) -> None:
        super().__init__(default_indent=module.default_indent, default_newline=module.default_newline)
        self.offset = start
        self.ranges: dict[int, tuple[int, int]] = {}
        self.last = ""
        # The module's own rendering asks whether there is any: without one it adds a line's end.
        self.tokens.append("")

    def add_token(self, value: str) -> None:
        self.offset += len(value)
        self.last = value

    def add_indent_tokens(self) -> None:
        for token in self.indent_tokens:
            self.offset += len(token)

    def pop_trailing_newline(self) -> None:
        if self.last in ("\n", "\r\n", "\r"):
            self.offset -= len(self.last)

    def record_syntactic_position(  # type: ignore[override]
        self, node: object, *, start_node: object = None, end_node: object = None
    ) -> _Mark:
        return _Mark(self, node, start_node, end_node)


class Positions:
    """The spans of a tree's expressions and statements, without surrounding white space and parentheses.

    The tree must be kept alive as long as this is used: nodes are told apart by identity. `length` is that of the
    text that was parsed, `start` where it starts in the file's text.
    """

    def __init__(self, module: libcst.Module, length: int, start: int = 0) -> None:
        recorder = _Recorder(module, start)
        module._codegen(recorder)
        self._ranges = recorder.ranges
        # A rendering of another length would misplace spans: then none is given. LibCST loses empty lines before an
        # indented comment at the end, behind all nodes.
        lost = length - (recorder.offset - start)
        indented = any(line.comment is not None and line.whitespace.value for line in module.footer)
        self.exact = lost == 0 or (lost > 0 and indented)

    def span(self, node: object) -> Span:
        found = self._ranges.get(id(node))
        return Span(*found) if found is not None and self.exact else NOWHERE
