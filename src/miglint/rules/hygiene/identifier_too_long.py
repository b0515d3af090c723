"""A name that the database cuts, or refuses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from miglint.api import (
    AddCheck,
    AddColumn,
    AddConstraint,
    AddExclusion,
    AddField,
    AddForeignKey,
    AddIndex,
    AddUnique,
    AlterField,
    AlterModelTable,
    Call,
    CreateIndex,
    CreateModel,
    CreateTable,
    Diagnostic,
    Expr,
    Field,
    Items,
    Literal,
    ModelState,
    Operation,
    OperationContext,
    Pairs,
    RenameColumn,
    RenameField,
    RenameIndex,
    RenameIndexAction,
    RenameModel,
    RenameTable,
    RunPython,
    RunSQL,
    Severity,
    Span,
    rule,
)

_ON = (
    CreateModel, AddField, AlterField, RenameField, RenameModel, AlterModelTable, AddIndex, RenameIndex, AddConstraint,
    RunSQL, RunPython,
)  # fmt: skip


class _Named(NamedTuple):
    """A name that is given: names of tables, indexes and constraints may not be equal, nor a table's columns.

    `table` is that of a column; `derived` says from what Django took a column's name that nobody wrote: the "field",
    or the "models" that a join table joins.
    """

    kind: str
    name: str
    span: Span
    table: str = ""
    derived: str = ""


@rule("MG702", on=_ON, severity=Severity.WARNING)
def identifier_too_long(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """A name is longer than the database's names can be."""
    limit = context.traits.identifier
    if limit is None or not context.touches_database or _has_no_table(context):
        return
    by_sql = isinstance(context.operation, RunSQL | RunPython)
    names = (*(_names_in_sql(context) if by_sql else _names(context.operation)), *_columns(context))
    # The names that the operation has given before, by their kind, their table and what is kept of them.
    given: dict[tuple[str, str, str], list[str]] = {}
    for named in names:
        kind, name = named.kind, named.name
        kept = _cut(name, limit.longest, limit.unit)
        beside = [each for alike in _alike(kind) for each in given.get((alike, named.table, kept), ())]
        given.setdefault((kind, named.table, kept), []).append(name)
        length = len(name.encode("utf-8", "replace")) if limit.unit == "bytes" else len(name)
        if length <= limit.longest:
            continue
        others = (other for other in _others(context, named) if _cut(other, limit.longest, limit.unit) == kept)
        twin = next((other for other in chain(others, beside) if other != name), None)
        refused = limit.too_long == "refused" or twin is not None
        yield context.diagnostic(
            named.span,
            f"the {kind} name {name} has {length} {limit.unit}, {context.database.title} takes {limit.longest}: "
            f"{_consequence(kept, refused=limit.too_long == 'refused', twin=twin)}",
            help=_help(named, _cut(name, limit.longest - 8, limit.unit).rstrip("_"), by_sql=by_sql),
            severity=Severity.ERROR if refused else None,
            detail=name,
            confidence=context.certainty(),
        )


def _help(named: _Named, shorter: str, *, by_sql: bool) -> str:
    if by_sql:
        return f"Shorten it, for example to `{shorter}`."
    if named.derived == "field":
        return f"Django takes the column's name from the field's. Give the field another: `db_column=\"{shorter}\"`."
    if named.derived == "models":
        return (
            "Django takes the columns of a join table from the names of the models. Write the join model yourself "
            f'(`through`), and give its keys short names: `db_column="{shorter}"`.'
        )
    return (
        f"Shorten it, for example to `{shorter}`; the model's Meta or field has the same name. Names of tables and "
        "indexes that Django makes up are short enough."
    )


def _names_in_sql(context: OperationContext[Operation]) -> tuple[_Named, ...]:
    """The names that statements give to all but columns, once each."""
    found: dict[tuple[str, str], None] = {}
    for action in context.actions:
        match action:
            case CreateTable(table=name):
                found["table", name.rpartition(".")[2]] = None
            case RenameTable(new_table=name):
                found["table", name] = None
            case CreateIndex(name=name) | RenameIndexAction(new_name=name):
                found["index", name] = None
            case AddCheck(name=name) | AddUnique(name=name) | AddForeignKey(name=name) | AddExclusion(name=name):
                found["constraint", name] = None
    return tuple(_Named(kind, name, context.operation.span) for kind, name in found)


def _columns(context: OperationContext[Operation]) -> tuple[_Named, ...]:
    """The names of columns that are made or renamed, as they are written and as Django derives them, once each."""
    written = {name.text: name.span for name in _written_columns(context.operation)}
    by_sql = isinstance(context.operation, RunSQL | RunPython)
    found: dict[_Named, None] = {}
    for action in context.actions:
        match action:
            case CreateTable(columns=columns):
                names = [column.name for column in columns]
            case AddColumn(column=column):
                names = [column.name]
            case RenameColumn(new_column=name):
                names = [name]
            case _:
                continue
        of_join = isinstance(action, CreateTable) and bool(action.joins)
        for name in names:
            derived = "models" if of_join else "" if by_sql or name in written else "field"
            found[_Named("column", name, written.get(name, context.operation.span), action.table, derived)] = None
    return tuple(found)


def _has_no_table(context: OperationContext[Operation]) -> bool:
    model = context.model
    return model is not None and (model.managed.refuted or model.proxy.certain)


def _consequence(kept: str, *, refused: bool, twin: str | None) -> str:
    if refused:
        return "`migrate` fails"
    if twin is not None:
        return f"cut, it is the same as {twin}: `migrate` fails"
    return f"it is cut to {kept} without a word; what compares names outside SQL does not find it"


def _cut(name: str, longest: int, unit: str) -> str:
    """The part of a name that is kept; a character is kept whole or not at all."""
    if unit != "bytes":
        return name[:longest]
    return name.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")


def _names(operation: Operation) -> Iterator[_Named]:
    """The names that an operation gives explicitly to all but columns."""
    if isinstance(operation, AddIndex):
        yield from _name_of("index", operation.index)
    elif isinstance(operation, AddConstraint):
        yield from _name_of("constraint", operation.constraint)
    elif isinstance(operation, RenameIndex) and operation.new_name is not None:
        yield _Named("index", operation.new_name, operation.span)
    elif isinstance(operation, AlterModelTable):
        yield from _text("table", operation.table)
    elif isinstance(operation, AddField | AlterField | CreateModel):
        for field in _fields(operation):
            if field.is_many_to_many.certain:
                yield from _text("table", field.arguments.get("db_table"))
    if isinstance(operation, CreateModel):
        for pair in operation.options.pairs if isinstance(operation.options, Pairs) else ():
            key = pair.key.text if isinstance(pair.key, Literal) else ""
            if key == "db_table":
                yield from _text("table", pair.value)
            elif key in ("indexes", "constraints") and isinstance(pair.value, Items):
                for item in pair.value.items:
                    yield from _name_of("index" if key == "indexes" else "constraint", item)


def _fields(operation: Operation) -> list[Field]:
    if isinstance(operation, CreateModel):
        return [field for _, field in operation.fields]
    return [operation.field] if isinstance(operation, AddField | AlterField) else []


def _written_columns(operation: Operation) -> Iterator[Literal]:
    """Each `db_column`."""
    for field in _fields(operation):
        value = field.arguments.get("db_column")
        if isinstance(value, Literal) and value.kind == "str":
            yield value


def _name_of(kind: str, value: Expr | None) -> Iterator[_Named]:
    if isinstance(value, Call):
        yield from _text(kind, value.keyword("name"))


def _text(kind: str, value: Expr | None) -> Iterator[_Named]:
    if isinstance(value, Literal) and value.kind == "str":
        yield _Named(kind, value.text, value.span)


def _others(context: OperationContext[Operation], named: _Named) -> Iterator[str]:
    """The names that stand beside it: of the table's other columns, else of all tables, indexes and constraints."""
    if named.kind == "column":
        table = context.step.schema_before.table(named.table)
        yield from table.columns if table is not None else ()
        return
    for other in context.before.models():
        yield from _relations(other, tables=named.kind != "constraint")


def _alike(kind: str) -> tuple[str, ...]:
    """The kinds of names that may not be equal to one of a kind."""
    return (kind,) if kind in ("column", "constraint") else ("table", "index", "constraint")


def _relations(model: ModelState, *, tables: bool) -> Iterator[str]:
    if tables and model.table:
        yield model.table
    yield from (each.name for each in model.constraints if each.name is not None)
    if tables:
        yield from (each.name for each in model.indexes if each.name is not None)
