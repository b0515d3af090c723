"""An operation that makes what is there."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    Action,
    AddCheck,
    AddColumn,
    AddConstraint,
    AddField,
    AddIndex,
    AddUnique,
    AlterModelTable,
    CreateIndex,
    CreateModel,
    CreateTable,
    Diagnostic,
    FieldOperation,
    Literal,
    ModelOperation,
    ModelState,
    Operation,
    OperationContext,
    Origin,
    RemakeTable,
    RenameColumn,
    RenameField,
    RenameIndexAction,
    RenameModel,
    RenameTable,
    Schema,
    Severity,
    StateProblem,
    Step,
    expressions,
    rule,
)

Context = OperationContext[Operation]

_URL = "https://docs.djangoproject.com/en/stable/ref/migration-operations/"
# What makes or renames, and the actions that it does so by.
_MAKES: dict[type[Operation], tuple[type[Action], ...]] = {
    CreateModel: (CreateTable,),
    AddField: (AddColumn, CreateTable),
    AddIndex: (CreateIndex,),
    AddConstraint: (CreateIndex, AddUnique, AddCheck),
    RenameModel: (RenameTable,),
    AlterModelTable: (RenameTable,),
    RenameField: (RenameColumn,),
}


@rule("MG110", on=(ModelOperation, FieldOperation, RenameModel), severity=Severity.ERROR)
def already_exists(context: Context) -> Iterator[Diagnostic]:
    """An operation makes, or renames something to, what is there already: the database refuses it."""
    if context.step.conditional or not context.touches_database:
        return
    if not context.graph.is_complete(context.migration.key):
        return
    # SQLite copies the table then, and the copy has the new column only.
    if any(isinstance(action, RemakeTable) for action in context.actions):
        return
    for problem in context.step.problems:
        error = _error(context) if problem.kind == "already-exists" else ""
        if error:
            yield _finding(context, problem, error)
    if not context.step.problems:
        yield from list(_of_the_database(context)) or _of_names(context)


def _finding(context: Context, problem: StateProblem, error: str) -> Diagnostic:
    origin = _origin(context, problem)
    related = (context.related(origin.migration, origin.span, "it was made here"),) if origin is not None else ()
    return context.diagnostic(
        None,
        f"{problem.message}: the database raises {error}",
        help="Every new database stops here, and so does every test run. If two branches made the same thing, take it "
        "out of the later migration. If the database has it and the state is to learn of it, wrap the operation: "
        "SeparateDatabaseAndState(state_operations=[…]).",
        url=_URL,
        related=related,
        field=problem.field,
        detail=problem.name or "",
    )


def _origin(context: Context, problem: StateProblem) -> Origin | None:
    """What made the thing that is in the way."""
    model: ModelState | None = context.before.model(context.migration.app, problem.model)
    if model is None:
        return None
    if problem.field is not None:
        field = model.fields.get(problem.field)
        return field.origin if field is not None else None
    if problem.name is not None:
        origins = {each.name: each.origin for each in model.indexes}
        origins |= {each.name: each.origin for each in model.constraints}
        return origins.get(problem.name)
    return model.origin


# -- what only the database has -------------------------------------------------------------------------


def _of_the_database(context: Context) -> Iterator[Diagnostic]:
    """What SQL made, what only the state lost, or what another name brings: it is in the way as well."""
    for action in context.actions:
        if not action.certain or not isinstance(action, _MAKES.get(type(context.operation), ())):
            continue
        refusal = _refusal(context.step.schema_before, action)
        maker = _maker(context, action) if refusal is not None else None
        if refusal is None or maker is None:
            continue
        kind, name, table = refusal
        thing = kind.removeprefix("renamed ")
        what = f"the database has a table {name}" if thing == "table" else f"{table} has {_ARTICLES[thing]} {name}"
        yield context.diagnostic(
            None,
            f"{what} already: the database raises {_WORDS[context.database.vendor](*refusal)}",
            help="Every new database stops here, and so does every test run. The state has it under another name, or "
            "not at all. If it is what this operation means, let the state alone learn of it: "
            "SeparateDatabaseAndState(state_operations=[…]). If it is what an earlier release left behind, drop it "
            "before, with RunSQL.",
            url=_URL,
            related=(context.related(maker.migration, maker.operation.span, "it was made here"),),
            detail=name,
        )
        return


def _of_names(context: Context) -> Iterator[Diagnostic]:
    """A name that another index has, be it one of another table."""
    taken = context.project.index_clashes.get(context.step.place)
    if taken is None or not _is_sure(context, taken.step):
        return
    name, call = taken.name, context.operation.call
    texts = (each for each in (expressions(call) if call is not None else ()) if isinstance(each, Literal))
    span = next((text.span for text in texts if text.value == name), None)
    yield context.diagnostic(
        span,
        f"{taken.table} has an index or constraint {name} already: the database raises "
        f"{_WORDS[context.database.vendor]('index', name, taken.table)}",
        help=f"{context.database.title} has names of indexes once for all tables, and every new database stops here. "
        + (_MADE_UP[context.database.vendor].format(name) if span is None else "Give this one another name."),
        url=_URL,
        related=(context.related(taken.step.migration, taken.step.operation.span, "it was made here"),),
        detail=name,
    )


_MADE_UP = {
    "postgresql": "Django makes the name up of those of the table and the columns, and keeps it where these are "
    "renamed. Give the old one another name before: migrations.RunSQL('ALTER INDEX \"{}\" RENAME TO …').",
    "sqlite": "Django makes the name up of those of the table and the columns, and keeps it where these are renamed. "
    "Drop the old one before, with RunSQL, and make it again under another name.",
}


def _is_sure(context: Context, maker: Step) -> bool:
    """Whether a step that gave a name runs before in every order."""
    graph, key, other = context.graph, context.migration.key, maker.migration.key
    if context.before.is_partial(key.app) or context.before.is_partial(other.app):
        return False
    return other == key or graph.is_ancestor(other, of=key)


_ARTICLES = {"column": "a column", "index": "an index or constraint", "check": "a CHECK"}


def _maker(context: Context, action: Action) -> Step | None:
    """The step that made what is in the way; None where it may be gone, for all that is known."""
    graph, key = context.graph, context.migration.key
    if context.before.is_partial(key.app):
        return None
    for step in context.project.history.before(context.step):
        if _refusal(step.schema_before, action) is None:
            other = step.migration.key
            sure = not step.conditional and (other == key or graph.is_ancestor(other, of=key))
            return step if sure else None
        if not step.is_understood:
            return None
    return None


# -- what the database says ---------------------------------------------------------------------------


def _error(context: Context) -> str:
    """The database's words, "" where it does not have the thing for certain: what SQL dropped can be made again."""
    vendor = context.database.vendor
    for action in context.actions:
        refusal = _refusal(context.step.schema_before, action) if action.certain else None
        if refusal is not None:
            return _WORDS[vendor](*refusal)
    return ""


def _refusal(schema: Schema, action: Action) -> tuple[str, str, str] | None:
    """Kind, name and table of what an action makes although the schema has it.

    Source: django.db.backends.base.schema. The messages are from runs of PostgreSQL 15, MariaDB 10.11 and SQLite;
    what MySQL says otherwise is from https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
    """
    table = schema.table(action.table)
    match action:
        case CreateTable():
            return ("table", action.table, action.table) if table is not None else None
        case RenameTable(new_table=new):
            return ("renamed table", new, new) if schema.table(new) is not None else None
    if table is None:
        return None
    match action:
        case AddColumn(column=column):
            return ("column", column.name, table.name) if column.name in table.columns else None
        case RenameColumn(new_column=new):
            return ("renamed column", new, table.name) if new in table.columns else None
        case CreateIndex(name=name) | RenameIndexAction(new_name=name) | AddUnique(name=name):
            taken = name and (table.index(name) is not None or table.constraint(name) is not None)
            return ("index", name, table.name) if taken else None
        case AddCheck(name=name):
            return ("check", name, table.name) if name and table.constraint(name) is not None else None
    return None


def _postgresql(kind: str, name: str, table: str) -> str:
    if kind.endswith("column"):
        return f'ProgrammingError: column "{name}" of relation "{table}" already exists'
    if kind == "check":
        return f'ProgrammingError: constraint "{name}" for relation "{table}" already exists'
    return f'ProgrammingError: relation "{name}" already exists'


def _sqlite(kind: str, name: str, table: str) -> str:
    match kind:
        case "table":
            said = f'table "{name}" already exists'
        case "renamed table":
            said = f"there is already another table or index with this name: {name}"
        case "column":
            said = f"duplicate column name: {name}"
        case "renamed column":
            said = f"error in table {table} after rename: duplicate column name: {name}"
        case _:
            said = f"index {name} already exists"
    return f"OperationalError: {said}"


def _mysql(kind: str, name: str, table: str) -> str:
    if kind.endswith("table"):
        return f"OperationalError: (1050, \"Table '{name}' already exists\")"
    if kind.endswith("column"):
        return f"OperationalError: (1060, \"Duplicate column name '{name}'\")"
    if kind == "check":
        return f"OperationalError: (3822, \"Duplicate check constraint name '{name}'.\")"
    return f"OperationalError: (1061, \"Duplicate key name '{name}'\")"


def _mariadb(kind: str, name: str, table: str) -> str:
    if kind == "check":
        return f"OperationalError: (1826, \"Duplicate CHECK constraint name '{name}'\")"
    return _mysql(kind, name, table)


_WORDS = {"postgresql": _postgresql, "sqlite": _sqlite, "mysql": _mysql, "mariadb": _mariadb}
