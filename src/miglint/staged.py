"""Schema changes in steps that let reads and writes go on, as migrations to paste.

The forms are PostgreSQL's: CONCURRENTLY, NOT VALID and VALIDATE, USING INDEX. Source:
https://www.postgresql.org/docs/current/sql-altertable.html (Notes)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import singledispatch

from miglint.database import Version
from miglint.project.action import (
    Action,
    AddColumn,
    AddForeignKey,
    AddPrimaryKey,
    AddUnique,
    AlterColumnType,
    CreateIndex,
    DropConstraint,
    DropDefault,
    DropForeignKey,
    DropIndex,
    DropNotNull,
    Reference,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNotNull,
    UpdateRows,
)
from miglint.project.columns import is_checked
from miglint.project.fields import Field
from miglint.project.operations import AddConstraint, AddField, AlterField, Operation, RenameModel
from miglint.project.truth import Truth
from miglint.recipe import DEFAULTS, Paste, Sequel, fill, fill_each, quoted, set_apart
from miglint.syntax.facts import Call, Expr, Literal
from miglint.syntax.spelling import UNKNOWN

# What a unique index stands for, or becomes.
Keyed = AddUnique | AddPrimaryKey | CreateIndex

# `CheckConstraint(condition=…)`: https://docs.djangoproject.com/en/5.1/releases/5.1/
_CONDITION_SINCE: Version = (5, 1)
_POSTGRES = "from django.contrib.postgres.operations import"


def concurrent_index(sequel: Sequel, model: str, index: str, paste: Paste) -> str:
    """An index (as text) in a migration of its own."""
    paste.imports.add(f"{_POSTGRES} AddIndexConcurrently")
    add = f"AddIndexConcurrently(\n    model_name={quoted(model)},\n    index={index},\n)"
    return sequel.migration(f"{model}_index", [add], paste, atomic=False)


def indexed_field(sequel: Sequel, operation: AddField | AlterField) -> str:
    """A field whose index comes by itself, built concurrently after it."""
    model, name = _names(operation)
    parts = []
    if isinstance(operation, AddField):
        paste = Paste()
        field = paste.field(operation.field, db_index="False")
        add = paste.operation("AddField", model_name=quoted(model), name=quoted(name), field=field)
        parts.append(sequel.migration(f"{model}_{name}", [add], paste))
    paste = Paste()
    paste.imports.add("from django.db import models")
    index = f'models.Index(fields=["{name}"], name="{index_name(model, name)}")'
    return set_apart(*parts, concurrent_index(sequel, model, index, paste))


def index_name(model: str, field: str) -> str:
    """A name of at most 30 characters, which is what Django allows. Source: django.db.models.Index.max_name_length"""
    room = 26 - len("_") - min(len(field), 16)
    return f"{model[:room]}_{field}"[:26].rstrip("_") + "_idx"


def unique(
    sequel: Sequel,
    operation: Operation,
    built: Sequence[Keyed],
    dropped: Iterable[Action] = (),
    *,
    definition: str | None = None,
) -> str:
    """Unique indexes, concurrently, one by one; then the constraint, of the index, in place of what is `dropped`.

    `definition` is what the one index is on, where it is more than columns.
    """
    parts = []
    new_column = isinstance(operation, AddField)
    if isinstance(operation, AddField):
        model, name = _names(operation)
        paste = Paste()
        add = paste.operation(
            "AddField", model_name=quoted(model), name=quoted(name), field=_not_unique(operation.field, paste)
        )
        parts.append(sequel.migration(f"{model}_{name}", [add], paste))
    constraints = []
    for each in built:
        paste = Paste()
        create = paste.run_sql(create_index(each, definition), f'DROP INDEX CONCURRENTLY IF EXISTS "{each.name}"')
        if isinstance(each, AddUnique | AddPrimaryKey):
            kind = "UNIQUE" if isinstance(each, AddUnique) else "PRIMARY KEY"
            constraints.append(
                (
                    f'ALTER TABLE "{each.table}" ADD CONSTRAINT "{each.name}" {kind} USING INDEX "{each.name}"',
                    f'ALTER TABLE "{each.table}" DROP CONSTRAINT "{each.name}"',
                )
            )
        elif len(built) == 1:
            create = paste.separate(state=[_spelled(operation, paste)], database=[create])
        parts.append(sequel.migration(f"{each.table}_index", [create], paste, atomic=False))
    if constraints:
        paste = Paste()
        final = _spelled(operation, paste)
        if new_column:
            final = final.replace("AddField", "AlterField", 1)
        constraints += statements_of(dropped)
        made = paste.separate(state=[final], database=[paste.run_sql(*sql) for sql in constraints])
        parts.append(sequel.migration("unique", [made], paste))
    return set_apart(*parts)


def _not_unique(field: Field, paste: Paste) -> str:
    text = paste.field(field, drop=("unique",))
    if field.kind == "OneToOneField":
        return paste.field(field, drop=("unique",), db_index="False").replace("OneToOneField", "ForeignKey", 1)
    return text


def create_index(action: Keyed, definition: str | None = None) -> str:
    """CREATE INDEX CONCURRENTLY for an index that Django, or a constraint, would build, on columns or as defined."""
    unique = "UNIQUE " if not isinstance(action, CreateIndex) or action.unique else ""
    like = isinstance(action, CreateIndex) and action.reason == "like"
    columns = ", ".join(f'"{column}"{" varchar_pattern_ops" if like else ""}' for column in action.columns) or UNKNOWN
    conditional = isinstance(action, CreateIndex) and action.reason == "UniqueConstraint"
    on = f"({UNKNOWN})  -- as sqlmigrate prints it" if conditional else f"({columns})"
    return f'CREATE {unique}INDEX CONCURRENTLY "{action.name or UNKNOWN}" ON "{action.table}" {definition or on}'


def check(sequel: Sequel, operation: AddConstraint, name: str) -> str:
    """A CHECK that is added for new rows, then validated while reads and writes go on."""
    model = (operation.model or UNKNOWN).lower()
    paste = Paste()
    paste.imports.add(f"{_POSTGRES} AddConstraintNotValid")
    constraint = paste.value(operation.constraint) if operation.constraint is not None else UNKNOWN
    add = f"AddConstraintNotValid(\n    model_name={quoted(model)},\n    constraint={constraint},\n)"
    first = sequel.migration(name, [add], paste)
    return set_apart(first, _validated(sequel, model, name))


def _validated(sequel: Sequel, model: str, name: str) -> str:
    paste = Paste()
    paste.imports.add(f"{_POSTGRES} ValidateConstraint")
    validate = f"ValidateConstraint(model_name={quoted(model)}, name={quoted(name)})"
    return sequel.migration(f"validate_{name}", [validate], paste)


def checked_column(sequel: Sequel, operation: AddField | AlterField, added: AddColumn | None, checked: Action) -> str:
    """A Positive…Field: the column first, then its CHECK, not valid, then validated."""
    model, name = _names(operation)
    paste = Paste()
    column = added.column.name if added is not None else operation.field.db_column or name
    constraint = getattr(checked, "name", "") or _constraint_name(f"{checked.table}_{column}", "_check")
    statements = []
    if added is not None:
        null = "NULL" if not added.column.null.refuted else f"DEFAULT {_number(operation.field)} NOT NULL"
        statements.append(_added(checked.table, column, f"{added.column.type or UNKNOWN} {null}"))
    statements.append(_checked(checked.table, column, constraint))
    made = paste.separate(state=[_spelled(operation, paste)], database=[paste.run_sql(*sql) for sql in statements])
    first = sequel.migration(f"{model}_{name}", [made], paste)
    return set_apart(first, _validated_by_sql(sequel, checked.table, constraint))


def _added(table: str, column: str, definition: str) -> tuple[str, str]:
    start = f'ALTER TABLE "{table}"'
    return f'{start} ADD COLUMN "{column}" {definition}', f'{start} DROP COLUMN "{column}"'


def _checked(table: str, column: str, name: str) -> tuple[str, str]:
    start = f'ALTER TABLE "{table}"'
    return (
        f'{start} ADD CONSTRAINT "{name}" CHECK ("{column}" >= 0) NOT VALID',
        f'{start} DROP CONSTRAINT "{name}"',
    )


def _number(field: Field) -> str:
    """The default of a field of numbers, as SQL."""
    given = field.arguments.get("db_default", field.arguments.get("default"))
    return given.text if isinstance(given, Literal) and given.kind == "int" else UNKNOWN


def _validated_by_sql(sequel: Sequel, table: str, constraint: str) -> str:
    paste = Paste()
    validate = paste.run_sql(f'ALTER TABLE "{table}" VALIDATE CONSTRAINT "{constraint}"', "")
    return sequel.migration(f"validate_{constraint}", [validate], paste)


def foreign_key(sequel: Sequel, operation: AddField | AlterField, key: AddForeignKey, index: CreateIndex | None) -> str:
    """A foreign key that is added for new rows, then validated, then indexed where Django would build an index."""
    model, name = _names(operation)
    paste = Paste()
    without = {"db_constraint": "False", **({"db_index": "False"} if index is not None else {})}
    unconstrained = paste.field(operation.field, **without)
    kind = type(operation).__name__
    bare = paste.operation(kind, model_name=quoted(model), name=quoted(name), field=unconstrained)
    constrain = paste.run_sql(
        f'ALTER TABLE "{key.table}" ADD CONSTRAINT "{key.name}" {foreign_key_clause(operation.field, key)} NOT VALID',
        f'ALTER TABLE "{key.table}" DROP CONSTRAINT "{key.name}"',
    )
    made = paste.separate(state=[_spelled(operation, paste)], database=[bare, constrain])
    parts = [
        sequel.migration(f"{model}_{name}", [made], paste),
        _validated_by_sql(sequel, key.table, key.name),
    ]
    if index is not None:
        paste = Paste()
        create = paste.run_sql(create_index(index), f'DROP INDEX CONCURRENTLY IF EXISTS "{index.name}"')
        parts.append(sequel.migration(f"{model}_{name}_index", [create], paste, atomic=False))
    return set_apart(*parts)


def foreign_key_moved(sequel: Sequel, operation: AlterField, dropped: DropForeignKey, key: AddForeignKey) -> str:
    """A foreign key to another column: the old one dropped, the new one added for new rows, then validated."""
    model, name = _names(operation)
    paste = Paste()
    start = f'ALTER TABLE "{key.table}"'
    drop = paste.run_sql(f'{start} DROP CONSTRAINT "{dropped.name}"', "")
    add = paste.run_sql(
        f'{start} ADD CONSTRAINT "{key.name}" {foreign_key_clause(operation.field, key)} NOT VALID',
        f'{start} DROP CONSTRAINT "{key.name}"',
    )
    made = paste.separate(state=[_spelled(operation, paste)], database=[drop, add])
    first = sequel.migration(f"{model}_{name}", [made], paste)
    return set_apart(first, _validated_by_sql(sequel, key.table, key.name))


def foreign_key_clause(field: Field | None, key: AddForeignKey) -> str:
    """`FOREIGN KEY (…) REFERENCES …` as Django says it."""
    to_field = field.arguments.get("to_field") if field is not None else None
    column = f' ("{getattr(to_field, "text", UNKNOWN)}")' if to_field is not None else ""
    columns = ", ".join(f'"{each}"' for each in key.columns)
    return f'FOREIGN KEY ({columns}) REFERENCES "{key.to_table}"{column} DEFERRABLE INITIALLY DEFERRED'


def not_null(
    sequel: Sequel,
    *,
    model: str,
    field: str,
    table: str,
    column: str,
    operation: AlterField,
    actions: Iterable[Action],
    django_version: Version,
    value: Expr | None = None,
    each: bool = False,
    app: str = "",
) -> str:
    """NOT NULL by a CHECK that is validated first; with `value`, a default, the NULLs are filled with it before.

    In batches; or row by row, where `each` is to have another.

    A default of the database comes first of all, so that new rows have it. `actions` is what the operation does: where
    that is more, Django does it.
    """
    lower, parts = model.lower(), []
    name = _constraint_name(f"{lower}_{field}", "_not_null")
    if operation.field.has_db_default.certain:
        paste = Paste()
        defaulted = paste.field(operation.field, null="True")
        alter = paste.operation("AlterField", model_name=quoted(lower), name=quoted(field), field=defaulted)
        parts.append(sequel.migration(f"{lower}_{field}_default", [alter], paste))
    if value is not None:
        paste = Paste()
        function = f"fill_{field}"
        run = paste.operation("RunPython", function, "migrations.RunPython.noop")
        given = paste.value_of(value)
        if each:
            key = operation.field.is_relation.certain
            text = fill_each(model, app, field, given, function=function, key=key)
        else:
            text = fill(model, app, field, given, function=function)
        parts.append(sequel.migration(f"fill_{lower}_{field}", [run], paste, functions=text, atomic=False))
    paste = Paste()
    paste.imports |= {f"{_POSTGRES} AddConstraintNotValid", "from django.db import models"}
    argument = "condition" if django_version >= _CONDITION_SINCE else "check"
    constraint = f'models.CheckConstraint({argument}=models.Q({field}__isnull=False), name="{name}")'
    add = f"AddConstraintNotValid(\n    model_name={quoted(lower)},\n    constraint={constraint},\n)"
    parts.append(sequel.migration(name, [add], paste))
    parts.append(_validated(sequel, lower, name))
    paste = Paste()
    alter = _spelled(operation, paste)
    # AlterField would look for NULLs again, or drop and add the foreign key.
    again = default_of(operation.field) is not None or operation.field.is_relation.certain
    if again and all(_is_not_null(action) for action in actions):
        set_it = SetNotNull(table=table, column=column)
        alter = paste.separate(state=[alter], database=[paste.run_sql(*each) for each in statements_of([set_it])])
    remove = paste.operation("RemoveConstraint", model_name=quoted(lower), name=quoted(name))
    parts.append(sequel.migration(f"{lower}_{field}_required", [alter, remove], paste))
    return set_apart(*parts)


def default_of(field: Field) -> Expr | None:
    """What a field says that rows without a value are given."""
    given = field.arguments.get("default") if field.gives_value.possible else None
    return given or field.arguments.get("db_default")


def _is_not_null(action: Action) -> bool:
    """Whether it is a part of making a column NOT NULL: a default that is dropped again, a key that stays as it is."""
    match action:
        case SetNotNull() | UpdateRows() | SetDefault() | DropDefault(temporary=True) | Reference():
            return True
        case AddForeignKey() | DropForeignKey():
            return action.recreated
    return False


def by_sql(sequel: Sequel, name: str, operation: Operation, statements: Iterable[tuple[str, str]]) -> str:
    """The state as the operation says, the database by these statements (and their reverse) alone."""
    paste = Paste()
    database = [paste.run_sql(*each) for each in statements]
    return set_apart(
        sequel.migration(name, [paste.separate(state=[_spelled(operation, paste)], database=database)], paste)
    )


def comment_alone(sequel: Sequel, operation: AlterField, action: AlterColumnType) -> str:
    """The comment alone: Django states the column's type before it, which takes a stronger lock."""
    text = operation.field.arguments.get("db_comment")
    is_text = isinstance(text, Literal) and text.kind == "str"
    value = f"""'{text.text.replace("'", "''")}'""" if isinstance(text, Literal) and is_text else "NULL"
    sql = f'COMMENT ON COLUMN "{action.table}"."{action.column}" IS'
    return by_sql(sequel, f"{operation.name}_comment", operation, [(f"{sql} {value}", f"{sql} NULL")])


def kept_table(sequel: Sequel, operation: RenameModel, table: str, actions: Iterable[Action]) -> str:
    """The model renamed in the state alone: its table keeps its name, and so do join tables, but not their columns."""
    paste = Paste()
    new = quoted(operation.new_name or UNKNOWN)
    state = [_spelled(operation, paste), paste.operation("AlterModelTable", name=new, table=quoted(table))]
    database = [paste.run_sql(*sql) for sql in statements_of(join_columns(actions))]
    made = paste.separate(state=state, database=database)
    return set_apart(sequel.migration(f"rename_{operation.old_name}", [made], paste))


def join_columns(actions: Iterable[Action]) -> Iterator[RenameColumn]:
    """The columns of join tables, named after a model, that its renaming renames even where all tables keep names."""
    names: dict[str, str] = {}
    for action in actions:
        if isinstance(action, RenameTable):
            names[action.new_table] = action.table
        elif isinstance(action, RenameColumn):
            table = names.get(action.table, action.table)
            yield RenameColumn(table=table, column=action.column, new_column=action.new_column)


def index_by_sql(sequel: Sequel, index: CreateIndex) -> str:
    """An index that Django's own name is given to."""
    paste = Paste()
    create = paste.run_sql(create_index(index), f'DROP INDEX CONCURRENTLY IF EXISTS "{index.name}"')
    return set_apart(sequel.migration(f"{index.table}_index", [create], paste, atomic=False))


def dropped_indexes(sequel: Sequel, operation: Operation, actions: Iterable[Action]) -> str:
    """What an operation says in the state alone, and the indexes that it drops, concurrently, one by one."""
    paste = Paste()
    names = [action.name for action in actions if isinstance(action, DropIndex)]
    database = [paste.run_sql(f'DROP INDEX CONCURRENTLY IF EXISTS "{name or UNKNOWN}"', "") for name in names]
    made = paste.separate(state=[_spelled(operation, paste)], database=database)
    return set_apart(sequel.migration(f"drop_{names[0]}", [made], paste, atomic=False))


def statements_of(actions: Iterable[Action]) -> Iterator[tuple[str, str]]:
    """The SQL of those actions that need no scan, and of what undoes them; nothing for all others."""
    for action in actions:
        statement = _statement(action)
        if statement is not None:
            yield statement


@singledispatch
def _statement(action: Action) -> tuple[str, str] | None:
    return None


def _column_change(action: SetNotNull | DropNotNull, forward: str, reverse: str) -> tuple[str, str]:
    start = f'ALTER TABLE "{action.table}" ALTER COLUMN "{action.column}"'
    return f"{start} {forward}", f"{start} {reverse}"


@_statement.register
def _(action: DropNotNull) -> tuple[str, str]:
    return _column_change(action, "DROP NOT NULL", "SET NOT NULL")


@_statement.register
def _(action: SetNotNull) -> tuple[str, str]:
    return _column_change(action, "SET NOT NULL", "DROP NOT NULL")


@_statement.register
def _(action: RenameColumn) -> tuple[str, str]:
    start = f'ALTER TABLE "{action.table}" RENAME COLUMN'
    return (
        f'{start} "{action.column}" TO "{action.new_column}"',
        f'{start} "{action.new_column}" TO "{action.column}"',
    )


@_statement.register
def _(action: RenameTable) -> tuple[str, str]:
    return (
        f'ALTER TABLE "{action.table}" RENAME TO "{action.new_table}"',
        f'ALTER TABLE "{action.new_table}" RENAME TO "{action.table}"',
    )


@_statement.register
def _(action: DropIndex) -> tuple[str, str]:
    create = create_index(CreateIndex(table=action.table, name=action.name, columns=action.columns))
    return f'DROP INDEX IF EXISTS "{action.name}"', create.replace(" CONCURRENTLY", "")


@_statement.register
def _(action: DropConstraint) -> tuple[str, str]:
    columns = ", ".join(f'"{column}"' for column in action.columns)
    start = f'ALTER TABLE "{action.table}"'
    return (
        f'{start} DROP CONSTRAINT "{action.name}"',
        f'{start} ADD CONSTRAINT "{action.name}" {action.constraint.upper()} ({columns})',
    )


def new_column(
    sequel: Sequel, operation: AlterField, *, app: str, model: str, retyped: AlterColumnType, cast: bool
) -> str:
    """A second column of the new type, filled beside the old one: by a `cast` where values are not taken without."""
    lower, name = _names(operation)
    fresh = f"{name}_new"
    left_out = ("unique", "db_index", "db_column", *DEFAULTS)
    first, *validated = fresh_column(sequel, operation, fresh, left_out, table=retyped.table, type=retyped.new_type)
    paste = Paste()
    value = f'Cast("{name}", {model}._meta.get_field("{fresh}"))' if cast else f'models.F("{name}")'
    paste.imports.add("from django.db.models.functions import Cast" if cast else "from django.db import models")
    run = paste.operation("RunPython", f"fill_{fresh}", "migrations.RunPython.noop")
    function = fill(model, app, fresh, value, function=f"fill_{fresh}", where=f"{name}__isnull=False")
    filled = sequel.migration(f"fill_{lower}_{fresh}", [run], paste, functions=function, atomic=False)
    return set_apart(first, *validated, filled)


def fresh_column(
    sequel: Sequel, operation: AlterField, name: str, left_out: Iterable[str], *, table: str, type: str | None
) -> list[str]:
    """A nullable column beside the one that the operation alters; the CHECK of a Positive…Field is validated after it.

    Within ADD COLUMN the database verifies the CHECK for every row, although all hold NULL.
    """
    lower, paste = _names(operation)[0], Paste()
    field = paste.field(operation.field, drop=left_out, null="True")
    add = paste.operation("AddField", model_name=quoted(lower), name=quoted(name), field=field)
    if not is_checked(operation.field).certain or type is None:
        return [sequel.migration(f"{lower}_{name}", [add], paste)]
    check = _constraint_name(f"{table}_{name}", "_check")
    statements = [_added(table, name, f"{type} NULL"), _checked(table, name, check)]
    made = paste.separate(state=[add], database=[paste.run_sql(*sql) for sql in statements])
    first = sequel.migration(f"{lower}_{name}", [made], paste)
    return [first, _validated_by_sql(sequel, table, check)]


def left_behind(field: Field, paste: Paste, *, model: str, name: str, inserts: bool = True) -> str | None:
    """The AlterField after which a release that does not know a field can work beside what the database keeps of it.

    Where the release `inserts` rows, the column takes NULL; no foreign key is left, of a join table either, so that the
    rows that it refers to can be deleted. None where nothing is in the way.
    """
    change = {}
    filled = (field.is_many_to_many, field.is_generated, field.null, field.has_db_default)
    if inserts and not any(each.certain for each in filled):
        change["null"] = "True"
    if field.is_relation.certain and field.through is None and field.flag("db_constraint", default=Truth.YES).possible:
        change["db_constraint"] = "False"
    if not change:
        return None
    kept = paste.field(field, **change)
    return paste.operation("AlterField", model_name=quoted(model.lower()), name=quoted(name), field=kept)


# PostgreSQL cuts longer names, silently. Source: https://www.postgresql.org/docs/current/limits.html
_MAX_BYTES = 63


def _constraint_name(begin: str, end: str) -> str:
    """A name that the database does not cut."""
    return begin.encode()[: _MAX_BYTES - len(end)].decode(errors="ignore") + end


def _names(operation: AddField | AlterField) -> tuple[str, str]:
    return (operation.model or UNKNOWN).lower(), operation.name or UNKNOWN


def _spelled(operation: Operation, paste: Paste) -> str:
    """The operation as it is written."""
    call = operation.call
    if not isinstance(call, Call):
        return UNKNOWN
    parts = [paste.value(each) for each in call.arguments]
    keywords = {each.name: paste.value(each.value) for each in call.keywords if each.name is not None}
    return paste.call(paste.value(call.function), *parts, **keywords)
