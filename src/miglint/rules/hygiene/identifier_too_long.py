"""A name that the database cuts, or refuses."""

from __future__ import annotations

from collections.abc import Iterator

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
    RenameIndex,
    RenameIndexAction,
    RenameTable,
    RunPython,
    RunSQL,
    Severity,
    Span,
    rule,
)

_ON = (CreateModel, AddField, AlterField, AlterModelTable, AddIndex, RenameIndex, AddConstraint, RunSQL, RunPython)
# Where the name stands: names of tables, indexes and constraints of a kind may not be equal, nor may a table's columns.
Named = tuple[str, str, Span]


@rule("MG702", on=_ON, severity=Severity.WARNING)
def identifier_too_long(context: OperationContext[Operation]) -> Iterator[Diagnostic]:
    """A name is longer than the database's names can be."""
    limit = context.traits.identifier
    if limit is None or not context.touches_database or _has_no_table(context):
        return
    of_sql = _names_in_sql(context) if isinstance(context.operation, RunSQL | RunPython) else ()
    for kind, name, span in (*_names(context.operation), *of_sql):
        length = len(name.encode("utf-8", "replace")) if limit.unit == "bytes" else len(name)
        if length <= limit.longest:
            continue
        kept = _cut(name, limit.longest, limit.unit)
        others = (other for other in _others(context, kind) if other != name)
        twin = next((other for other in others if _cut(other, limit.longest, limit.unit) == kept), None)
        refused = limit.too_long == "refused" or twin is not None
        yield context.diagnostic(
            span,
            f"the {kind} name {name} has {length} {limit.unit}, {context.database.title} takes {limit.longest}: "
            f"{_consequence(kept, refused=limit.too_long == 'refused', twin=twin)}",
            help=_help(_cut(name, limit.longest - 8, limit.unit).rstrip("_"), of_sql=bool(of_sql)),
            severity=Severity.ERROR if refused else None,
            detail=name,
            confidence=context.certainty(),
        )


def _help(shorter: str, *, of_sql: bool) -> str:
    if of_sql:
        return f"Shorten it, for example to `{shorter}`."
    return (
        f"Shorten it, for example to `{shorter}`; the model's Meta or field has the same name. Names that Django makes "
        "up are short enough."
    )


def _names_in_sql(context: OperationContext[Operation]) -> tuple[Named, ...]:
    """The names that statements give, once each."""
    found: dict[tuple[str, str], None] = {}
    for action in context.actions:
        match action:
            case CreateTable(table=name):
                found["table", name.rpartition(".")[2]] = None
                found |= {("column", column.name): None for column in action.columns}
            case RenameTable(new_table=name):
                found["table", name] = None
            case AddColumn(column=column):
                found["column", column.name] = None
            case RenameColumn(new_column=name):
                found["column", name] = None
            case CreateIndex(name=name) | RenameIndexAction(new_name=name):
                found["index", name] = None
            case AddCheck(name=name) | AddUnique(name=name) | AddForeignKey(name=name) | AddExclusion(name=name):
                found["constraint", name] = None
    return tuple((kind, name, context.operation.span) for kind, name in found)


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


def _names(operation: Operation) -> Iterator[Named]:
    """The names that an operation gives explicitly."""
    if isinstance(operation, AddIndex):
        yield from _name_of("index", operation.index)
    elif isinstance(operation, AddConstraint):
        yield from _name_of("constraint", operation.constraint)
    elif isinstance(operation, RenameIndex) and operation.new_name is not None:
        yield "index", operation.new_name, operation.span
    elif isinstance(operation, AlterModelTable):
        yield from _text("table", operation.table)
    elif isinstance(operation, AddField | AlterField):
        yield from _column(operation.field)
    elif isinstance(operation, CreateModel):
        for _, field in operation.fields:
            yield from _column(field)
        for pair in operation.options.pairs if isinstance(operation.options, Pairs) else ():
            key = pair.key.text if isinstance(pair.key, Literal) else ""
            if key == "db_table":
                yield from _text("table", pair.value)
            elif key in ("indexes", "constraints") and isinstance(pair.value, Items):
                for item in pair.value.items:
                    yield from _name_of("index" if key == "indexes" else "constraint", item)


def _column(field: Field) -> Iterator[Named]:
    yield from _text("column", field.arguments.get("db_column"))
    if field.is_many_to_many.certain:
        yield from _text("table", field.arguments.get("db_table"))


def _name_of(kind: str, value: Expr | None) -> Iterator[Named]:
    if isinstance(value, Call):
        yield from _text(kind, value.keyword("name"))


def _text(kind: str, value: Expr | None) -> Iterator[Named]:
    if isinstance(value, Literal) and value.kind == "str":
        yield kind, value.text, value.span


def _others(context: OperationContext[Operation], kind: str) -> Iterator[str]:
    """The names that stand beside it: of the table's other columns, else of all tables, indexes and constraints."""
    model = context.model
    if kind == "column":
        names = [model.column(name) for name in model.fields] if model is not None else []
    else:
        names = [name for other in context.before.models() for name in _relations(other, tables=kind != "constraint")]
    own = {name for _, name, _ in _names(context.operation)}
    yield from (name for name in names if name not in own)


def _relations(model: ModelState, *, tables: bool) -> Iterator[str]:
    if tables and model.table:
        yield model.table
    yield from (each.name for each in model.constraints if each.name is not None)
    if tables:
        yield from (each.name for each in model.indexes if each.name is not None)
