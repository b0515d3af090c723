"""One migration, operation by operation, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from miglint.databases.costs import Cost, cost_of, join
from miglint.databases.effects import TableEffect
from miglint.formats.terminal import View, columns, display_width, paint, visible, wrap
from miglint.inspection import Inspected, Inspection
from miglint.project.action import Action, Reference
from miglint.project.code import is_noop
from miglint.project.compatibility import Compatibility
from miglint.project.operations import Alternative, RunPython, SeparateDatabaseAndState
from miglint.project.phrases import called, phrase
from miglint.project.project import Project
from miglint.project.truth import Truth
from miglint.report import path_for_text
from miglint.text import Source

_WIDTH = 80
# How wide the column of tables grows before a longer name takes a line of its own.
_MARGIN = 28


def render(inspections: Sequence[Inspection], source: Source | None, project: Project, view: View) -> str:
    """Each operation with its actions and locks, the whole migration's lock card, and the command to compare with."""
    pages = [_Page(inspections, source, project, view)]
    return "\n".join(line.rstrip() for page in pages for line in page.lines()) + "\n"


class _Page:
    """The lines of one migration on one or several databases."""

    def __init__(self, inspections: Sequence[Inspection], source: Source | None, project: Project, view: View) -> None:
        self._inspections = inspections
        self._first = inspections[0]
        self._source = source
        self._project = project
        self._view = view
        self._width = min(view.width or _WIDTH, _WIDTH)

    def lines(self) -> Iterator[str]:
        yield from self._head()
        for number, operation in enumerate(self._first.operations):
            yield ""
            yield from self._operation(operation, [each.operations[number] for each in self._inspections])
        if not self._first.operations:
            yield from ("", "No operations: nothing happens.")
        yield from self._together()
        yield from self._compare()

    # -- head ----------------------------------------------------------------------------------------

    def _head(self) -> Iterator[str]:
        migration = self._first.migration
        name = self._shown(f"{migration.app}.{migration.name}")
        yield self._bold(f"{name}{', backwards' if self._first.backwards else ''}")
        yield self._shown(path_for_text(migration.path, self._view.cwd))
        django = ".".join(map(str, self._project.django_version))
        for inspection in self._inspections:
            database = inspection.database
            said = "" if database.source != "default" else ", assumed: no database is set"
            words = f"{database.title} {database.version_text}{said}. {_transaction(inspection)}"
            yield from wrap(words, width=self._width, indent="  ")
            if not inspection.measured:
                yield "  Some of what follows was read in the manual and not measured."
        yield f"Django {django}"

    # -- one operation -------------------------------------------------------------------------------

    def _operation(self, operation: Inspected, everywhere: Sequence[Inspected]) -> Iterator[str]:
        yield from self._heading(f"{_path(operation)}  {self._shown(operation.description)}", self._line(operation))
        for inspection, each in zip(self._inspections, everywhere, strict=True):
            several = len(self._inspections) > 1
            if several:
                yield ""
                yield f"   {self._bold(f'{inspection.database.title} {inspection.database.version_text}')}"
            yield from self._actions(each.actions)
            yield from self._locks(inspection, each)
        yield from self._consequences(operation)

    def _heading(self, left: str, right: str) -> list[str]:
        room = self._width - display_width(left) - len(right)
        if not right or room < 2:
            lines = wrap(left, width=self._width, indent="   ", first="")
            return [*map(self._bold, lines), *([f"   {right}"] if right else [])]
        return [f"{self._bold(left)}{' ' * room}{right}"]

    def _line(self, operation: Inspected) -> str:
        if self._source is None:
            return ""
        return f"line {self._source.position(operation.step.operation.span.start).line}"

    def _actions(self, actions: Sequence[Action]) -> Iterator[str]:
        tables = [self._shown(_table_of(action)) for action in actions]
        margin = min(max(map(display_width, tables), default=0), _MARGIN)
        before = ""
        for action, name in zip(actions, tables, strict=True):
            table = "" if name == before else name
            before = name
            if display_width(table) > margin:
                yield f"   {table}"
                table = ""
            first = f"   {table}{' ' * (margin - display_width(table))}  "
            words = self._shown(phrase(action))
            yield from wrap(words, width=self._width, indent=" " * (margin + 9), first=first)

    def _locks(self, inspection: Inspection, operation: Inspected) -> Iterator[str]:
        found = [part for each in operation.tables for part in _apart(inspection, each) if _matters(part)]
        said = [*map(self._lock, found), operation.why]
        if operation.actions and said:
            yield ""
        for words in said:
            yield from wrap(self._shown(words), width=self._width, indent="     ", first="   ")

    def _lock(self, found: TableEffect) -> str:
        cost = found.cost
        lock = f"{cost.lock}: " if cost.lock else ""
        return f"{found.table}: {lock}{_waits(cost)} {_duration(found)}."

    def _consequences(self, operation: Inspected) -> Iterator[str]:
        if _holds_others(operation):
            return
        rows = [_undo(operation), _data(operation, backwards=self._first.backwards)]
        if operation.actions:
            rows += _code(operation.old_code, operation.new_code_before, backwards=self._first.backwards)
        yield ""
        yield from self._rows(rows)

    def _rows(self, rows: Sequence[Row]) -> Iterator[str]:
        """What needs a thought, line by line; all that does not, in one."""
        for row in rows:
            if not row.fine:
                words = self._shown(row.words)
                yield from wrap(words, width=self._width, indent=" " * 16, first=f"   {row.about:<13}")
        fine = "; ".join(f"{row.about} {row.words}" for row in rows if row.fine)
        if fine:
            yield from wrap(self._shown(fine), width=self._width, indent="   ")

    # -- all of it -----------------------------------------------------------------------------------

    def _together(self) -> Iterator[str]:
        for inspection in self._inspections:
            found = [part for each in inspection.tables for part in _apart(inspection, each) if _matters(part)]
            yield ""
            title = f"Together on {inspection.database.title}" if len(self._inspections) > 1 else "Together"
            if not found:
                code = ", ".join(map(_path, _python(inspection)))
                but = f", but for what the Python code ({code}) does" if code else ""
                words = f"{title}: no table that was there before is locked{but}."
                first, *rest = wrap(words, width=self._width, indent="")
                yield from (f"{self._bold(title)}{first[len(title) :]}", *rest)
                continue
            yield self._bold(title)
            yield from self._card(found)
            yield from self._held(inspection, found)
        if self._first.operations:
            yield ""
            both = _code(self._first.old_code, self._first.new_code_before, backwards=self._first.backwards)
            yield from self._rows([*_losses(self._first), *both])

    def _card(self, found: Sequence[TableEffect]) -> Iterator[str]:
        rows = [("table", "lock", "waits", "work"), *map(_row, found)]
        lines = [f"   {self._shown(line)}" for line in columns(rows)]
        if all(display_width(line) <= self._width for line in lines):
            yield from (paint(lines[0], "dim", view=self._view), *lines[1:])
            return
        for each in found:
            table, lock, _, work = _row(each)
            yield f"   {self._shown(table)}"
            yield from wrap(", ".join((lock, _waits(each.cost), work)), width=self._width, indent="     ")

    def _held(self, inspection: Inspection, found: Sequence[TableEffect]) -> Iterator[str]:
        lasting = ", ".join(each.table for each in found if each.cost.lasts)
        code = ", ".join(map(_path, _under_locks(inspection)))
        ends = [f"the work on {lasting}"] * bool(lasting) + [f"the Python code ({code})"] * bool(code)
        strong = [each for each in found if each.cost.blocks]
        if not (_is_one_transaction(inspection) and strong):
            return
        done = f", which comes when {' and '.join(ends)} {'is' if len(ends) == 1 else 'are'} done."
        words = (
            f"One transaction: every lock, once taken, is held to its end{done if ends else '. Nothing here lasts.'}"
        )
        yield from wrap(self._shown(words), width=self._width, indent="   ")

    def _compare(self) -> Iterator[str]:
        migration = self._first.migration
        flag = " --backwards" if self._first.backwards else ""
        yield ""
        yield "Compare with what Django says:"
        yield self._shown(f"   python manage.py sqlmigrate {migration.app} {migration.name}{flag}")

    # -- words ---------------------------------------------------------------------------------------

    def _bold(self, text: str) -> str:
        return paint(text, "bold", view=self._view)

    def _shown(self, text: str) -> str:
        return visible(text, ascii=self._view.ascii)


def _holds_others(operation: Inspected) -> bool:
    return isinstance(operation.step.operation, SeparateDatabaseAndState | Alternative)


def _path(operation: Inspected) -> str:
    return ".".join(map(str, operation.path))


def _losses(inspection: Inspection) -> Iterator[Row]:
    """What a thought is needed for before any of it is run: where data goes, where there is no way back."""
    backwards = inspection.backwards
    lost = [
        _path(each)
        for each in inspection.operations
        if (each.reverse_loses_data if backwards else each.loses_data).certain
    ]
    own = [each for each in inspection.operations if not _holds_others(each)]
    final = [_path(each) for each in own if each.reversible.refuted]
    if lost:
        yield Row("data", f"LOST ({', '.join(lost)})", False)
    if final:
        yield Row("undo", f"impossible ({', '.join(final)})", False)


def _python(inspection: Inspection) -> Iterator[Inspected]:
    """The operations that run Python code on the database."""
    for each in inspection.operations:
        operation = each.step.operation
        if not isinstance(operation, RunPython) or not each.step.touches_database:
            continue
        if not is_noop(operation.reverse_code if inspection.backwards else operation.code):
            yield each


def _under_locks(inspection: Inspection) -> list[Inspected]:
    """The Python code that runs while an operation before it holds a lock that others wait for."""
    strong = [any(found.cost.blocks for found in each.tables) for each in inspection.operations]
    first = strong.index(True) if any(strong) else len(strong)
    later = inspection.operations[first + 1 :]
    return [each for each in _python(inspection) if any(each is other for other in later)]


def _apart(inspection: Inspection, found: TableEffect) -> Iterator[TableEffect]:
    """What happens to a table: without a transaction, what lasts does not keep the locks of what does not."""
    if inspection.database.transactional_ddl and inspection.migration.atomic.refuted:
        costs = [cost_of(action, inspection.database) for action in found.actions]
        short, lasting = (join(cost for cost in costs if cost.lasts is lasts) for lasts in (False, True))
        if lasting.lasts and short.blocks > lasting.blocks:
            yield replace(found, cost=short)
            yield replace(found, cost=lasting)
            return
    yield found


def _table_of(action: Action) -> str:
    """The table as it is named here: that which an unknown key points to is none of those above it."""
    found = called(action) if isinstance(action, Reference) else action.table
    return "another table" if found == "a table" else found


def _is_one_transaction(inspection: Inspection) -> bool:
    return inspection.database.transactional_ddl and inspection.migration.atomic.certain


def _transaction(inspection: Inspection) -> str:
    if not inspection.database.transactional_ddl:
        return "Each statement commits by itself: a migration that fails half-way stays half-way."
    if inspection.migration.atomic.certain:
        return "One transaction: all of it happens, or nothing."
    if inspection.migration.atomic.refuted:
        return "Not atomic: each statement commits by itself."
    return "Whether it is one transaction (`atomic`) could not be read."


def _matters(found: TableEffect) -> bool:
    return bool(found.cost.lock or found.cost.blocks or found.cost.lasts)


def _waits(cost: Cost) -> str:
    if not cost.blocks:
        return "reads and writes go on"
    return f"{' and '.join(sorted(cost.blocks))} wait" + ("" if len(cost.blocks) > 1 else ", reads go on")


def _duration(found: TableEffect) -> str:
    if not found.cost.lasts:
        return "for an instant" if found.cost.blocks else "meanwhile"
    return f"while {_work(found)}"


def _work(found: TableEffect) -> str:
    """What takes as long as the table has rows."""
    cost = found.cost
    parts: list[str] = []
    if cost.rewrites:
        parts.append("it is written anew")
    elif cost.scans and not found.indexes:
        parts.append("all of it is read")
    if cost.writes_rows:
        parts.append("rows are changed")
    if found.indexes:
        parts.append("an index is built" if found.indexes == 1 else f"{found.indexes} indexes are built")
    return " and ".join(parts) or "the work lasts"


def _row(found: TableEffect) -> tuple[str, str, str, str]:
    cost = found.cost
    work = _work(found) if cost.lasts else "instant"
    return found.table, cost.lock or "none", ", ".join(sorted(cost.blocks)) or "nothing", work


class Row(NamedTuple):
    """What is said about something; `fine` where nobody needs to think about it."""

    about: str
    words: str
    fine: bool


def _undo(operation: Inspected) -> Row:
    match operation.reversible, operation.reverse_loses_data:
        case Truth.NO, _:
            return Row("undo", "impossible: Django raises IrreversibleError", False)
        case Truth.UNKNOWN, _:
            return Row("undo", "not known", False)
        case _, Truth.YES:
            return Row("undo", "possible, but what was written since is lost", False)
        case _, Truth.UNKNOWN:
            return Row("undo", "possible; whether anything is lost then is not known", False)
        case _:
            return Row("undo", "possible", True)


def _data(operation: Inspected, *, backwards: bool) -> Row:
    loss = operation.reverse_loses_data if backwards else operation.loses_data
    words = {Truth.YES: "LOST", Truth.NO: "kept", Truth.UNKNOWN: "not known: it depends on the rows, or on code"}
    return Row("data", words[loss], loss.refuted)


def _code(old: Compatibility, new_before: Truth, *, backwards: bool) -> list[Row]:
    running, coming = ("new release", "old release") if backwards else ("old release", "new release")
    before = {
        Truth.YES: "works before it, too",
        Truth.NO: "cannot work before it",
        Truth.UNKNOWN: "before it: not known",
    }
    return [_running(running, old), Row(coming, before[new_before], new_before.certain)]


def _running(release: str, old: Compatibility) -> Row:
    refused = [refusal for refusal in old.refusals if refusal.statement != "edge"]
    if not refused:
        edges = list(dict.fromkeys(refusal.why for refusal in old.refusals))
        if edges:
            return Row(release, f"works, but not with every value: {'; '.join(edges)}", False)
        return Row(release, "not known" if old.unknown else "goes on working", not old.unknown)
    statements = list(dict.fromkeys(_STATEMENTS[refusal.statement] for refusal in refused))
    reasons = list(dict.fromkeys(refusal.why for refusal in refused))
    return Row(release, f"fails to {', '.join(statements)}: {'; '.join(reasons)}", False)


_STATEMENTS = {
    "select": "read", "filter": "filter", "insert": "insert", "update": "update", "delete": "delete",
    "join": "use the relation",
}  # fmt: skip
