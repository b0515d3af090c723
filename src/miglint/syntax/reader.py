"""Source text → facts: LibCST's tree, turned into values. Never raises: what cannot be read is a problem."""

from __future__ import annotations

import ast
import re
import sys
import threading
import warnings
from collections.abc import Callable

import libcst as cst
from libcst._nodes.base import CSTNode

from miglint.syntax.bindings import Bindings
from miglint.syntax.expressions import ExpressionReader
from miglint.syntax.facts import ModuleFacts, ReadProblem, Statement
from miglint.syntax.guard import SHALLOW, TOKEN, Measure, measure
from miglint.syntax.positions import Positions
from miglint.syntax.scopes import Scope
from miglint.syntax.statements import StatementReader
from miglint.text import Source, Span

_STACK_BYTES = 64 * 1024 * 1024
_RECURSION_LIMIT = 20_000
# `parser error: error at 13:19: expected …`: where it is, the span says.
_PLACE = re.compile(r"^(?:parser error: )?(?:error at \d+:\d+: )?")


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
    if "\f" in text:
        text = _feeds_before_line_ends(text)
    # LibCST does not give these back: a BOM decoded by another codec than utf-8-sig, a form feed before all else.
    lead = len(text) - len(text.lstrip("\ufeff\f"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python, about strings in the text
            return ModuleFacts(body=_body(text, lead), comments=measured.comments)
    except cst.ParserSyntaxError as error:
        return ModuleFacts(problem=_problem(error, text[lead:]))
    except (SyntaxError, ValueError) as error:
        return ModuleFacts(problem=ReadProblem(str(error).splitlines()[0] or "cannot be parsed", Span(0, 1)))
    except RecursionError:
        return ModuleFacts(problem=ReadProblem("the code is nested too deeply", Span(0, 1)))


def _body(text: str, lead: int) -> tuple[Statement, ...]:
    module = cst.parse_module(text[lead:])
    positions = Positions(module, text, lead)
    bindings = Bindings()
    bindings.add(module.body)
    reader = StatementReader(ExpressionReader(positions), positions, text)
    body = reader.block(module.body, Scope(bindings.resolve_imports()))
    reader.close()
    return body


def trust_the_parser() -> None:
    """Has LibCST leave out, in this process, to validate the nodes that its own parser makes.

    It is a seventh of the parse, and of use to those who make nodes themselves. LibCST's own comment at this method
    says that parsing does not need it (`_nodes/base.py`).
    """
    CSTNode.__post_init__ = lambda self: None  # type: ignore[method-assign]


def _feeds_before_line_ends(text: str) -> str:
    """LibCST loses a form feed in front of code; before the line's end it keeps it, and no offset changes."""
    characters = list(text)
    for match in TOKEN.finditer(text):
        end = match.end()
        feeds = len(text) - end - len(text[end:].lstrip("\f")) if text[end : end + 1] == "\f" else 0
        if feeds and match[0] in ("\n", "\r", "\r\n"):
            characters[match.start() : end + feeds] = "\f" * feeds + match[0]
    return "".join(characters)


def _problem(error: cst.ParserSyntaxError, text: str) -> ReadProblem:
    """LibCST's words, without its own prefix; its tokenizer does not say where it stopped, CPython's does."""
    message = str(error.message).strip().splitlines()[0]
    line, column = error.raw_line, error.raw_column + 1
    if message.startswith("tokenizer error"):
        message, line, column = _as_python_says(text) or (message, line, column)
    offset = Source("", text).offset(line, column)
    return ReadProblem(_PLACE.sub("", message), Span(offset, offset + 1))


def _as_python_says(text: str) -> tuple[str, int, int] | None:
    """Message, line and column of the syntax error that this Python sees."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError as error:
            return error.msg, error.lineno or 1, error.offset or 1
        except (ValueError, MemoryError, RecursionError):
            return None
    return None


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
