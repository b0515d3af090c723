"""Source text → facts: LibCST's tree, turned into values. Never raises: what cannot be read is a problem."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import libcst as cst

from miglint.syntax.bindings import ModuleScope, Scope
from miglint.syntax.expressions import ExpressionReader
from miglint.syntax.facts import ModuleFacts, ReadProblem
from miglint.syntax.guard import SHALLOW, Measure, measure
from miglint.syntax.positions import Positions
from miglint.syntax.statements import StatementReader
from miglint.text import Source, Span

_STACK_BYTES = 64 * 1024 * 1024
_RECURSION_LIMIT = 20_000


def read(text: str) -> ModuleFacts:
    """The facts of a Python text; a text that cannot be parsed gives facts with a problem."""
    measured = measure(text)
    if measured.danger is not None:
        offset = measured.danger.offset
        return ModuleFacts(problem=ReadProblem(measured.danger.message, Span(offset, offset + 1)))
    if measured.depth <= SHALLOW:
        return _parse(text, measured)
    return _on_deep_stack(lambda: _parse(text, measured))


def _parse(text: str, measured: Measure) -> ModuleFacts:
    # A lone CR ends a line for Python; LibCST does not give it back, a LF of the same length it does.
    if "\r" in text.replace("\r\n", ""):
        text = text.replace("\r\n", "\0").replace("\r", "\n").replace("\0", "\r\n")
    # A BOM decoded by another codec than utf-8-sig is still there.
    if text.startswith("\ufeff"):
        text = " " + text[1:] if text[1:2] in "\r\n#" else text[1:]
    try:
        module = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        source = Source("", text)
        offset = source.offset(error.raw_line, error.raw_column + 1)
        message = str(error.message).strip().splitlines()[0]
        return ModuleFacts(problem=ReadProblem(_plain(message), Span(offset, offset + 1)))
    except (SyntaxError, ValueError, RecursionError) as error:
        return ModuleFacts(problem=ReadProblem(str(error).splitlines()[0] or "cannot be parsed", Span(0, 1)))
    try:
        positions = Positions(module, text)
        scope = ModuleScope(module)
        reader = StatementReader(ExpressionReader(positions, text), positions, text)
        body = reader.block(module.body, Scope(scope))
    except RecursionError:
        return ModuleFacts(problem=ReadProblem("the code is nested too deeply", Span(0, 1)))
    return ModuleFacts(body=body, comments=measured.comments)


def _plain(message: str) -> str:
    """LibCST's words, without its own prefix."""
    prefix = "parser error: "
    return message[len(prefix) :] if message.startswith(prefix) else message


_thread_lock = threading.Lock()


def _on_deep_stack(function: Callable[[], ModuleFacts]) -> ModuleFacts:
    """Calls a function on a thread whose stack is deep enough for all that the guard lets through."""
    result: list[ModuleFacts] = []
    with _thread_lock:
        size = threading.stack_size(_STACK_BYTES)
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
        try:
            thread = threading.Thread(target=lambda: result.append(function()), name="miglint-reader")
            thread.start()
            thread.join()
        finally:
            threading.stack_size(size)
            sys.setrecursionlimit(limit)
    return result[0] if result else ModuleFacts(problem=ReadProblem("cannot be parsed", Span(0, 1)))
