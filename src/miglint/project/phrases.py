"""Actions in words: what a database is asked to do, without the table it is asked of."""

from __future__ import annotations

from miglint.project.action import (
    Action,
    AddCheck,
    AddColumn,
    AddExclusion,
    AddForeignKey,
    AddIdentity,
    AddPrimaryKey,
    AddUnique,
    AlterColumnType,
    AttachPartition,
    Column,
    Comment,
    CreateIndex,
    CreateTable,
    DefineDomain,
    DeleteRows,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropForeignKey,
    DropIdentity,
    DropIndex,
    DropNotNull,
    DropTable,
    DropType,
    Execute,
    InsertRows,
    Reference,
    Reindex,
    RemakeTable,
    RenameColumn,
    RenameIndex,
    RenameTable,
    SetDefault,
    SetNotNull,
    TruncateTable,
    UpdateRows,
    ValidateConstraint,
)

_CAUSES = {
    "add": "a foreign key is pointed here",
    "drop": "a foreign key that points here goes",
    "alter": "a foreign key that points here is made again",
    "validate": "a foreign key that points here is validated",
}


def phrase(action: Action) -> str:
    """What an action does, in a few words: `add column paid boolean NOT NULL`."""
    words = _phrase(action)
    if action.deferred:
        words += ", at the end of the migration"
    return words if action.certain else f"perhaps {words}"


def _phrase(action: Action) -> str:
    match action:
        case CreateTable():
            kind = "materialized view" if action.materialized else "table"
            return f"create the {kind}" + (f" that joins {action.joins}" if action.joins else "")
        case DropTable():
            return "drop the table" + (f" that joins {action.joins}" if action.joins else "")
        case RenameTable():
            return f"rename the table to {action.new_table}"
        case TruncateTable():
            return "empty the table"
        case RemakeTable():
            return "copy the table to a new one with the new definition"
        case AddColumn() | DropColumn() | RenameColumn() | AlterColumnType() | Comment():
            return _column(action)
        case SetNotNull() | DropNotNull() | SetDefault() | DropDefault() | AddIdentity() | DropIdentity():
            return _property(action)
        case CreateIndex() | DropIndex() | RenameIndex() | Reindex():
            return _index(action)
        case UpdateRows() | InsertRows() | DeleteRows():
            return _rows(action)
        case Reference():
            return f"{_CAUSES[action.cause]} (from {action.from_table})"
        case Execute():
            return f"run {action.verb.upper() or 'SQL'}" if action.understood else _not_understood(action)
        case _:
            return _constraint(action)


def _not_understood(action: Execute) -> str:
    return f"run {action.verb or 'SQL'}, which is not understood"


def _column(action: AddColumn | DropColumn | RenameColumn | AlterColumnType | Comment) -> str:
    match action:
        case AddColumn():
            return f"add column {_definition(action)}"
        case DropColumn():
            return f"drop column {action.column}" + (" and what depends on it (CASCADE)" if action.cascade else "")
        case RenameColumn():
            return f"rename column {action.column} to {action.new_column}"
        case AlterColumnType() if action.old_type == action.new_type:
            return f"state the type of {action.column} again"
        case AlterColumnType():
            return f"change {action.column} from {action.old_type or 'its type'} to {action.new_type or 'another'}"
        case Comment():
            return f"comment on {action.column or 'the table'}"


def _definition(action: AddColumn) -> str:
    column: Column = action.column
    words = [column.name, column.type or ""]
    words.append({"yes": "NULL", "no": "NOT NULL"}.get(column.null.value, ""))
    if column.checked.certain:
        words.append("with a CHECK")
    if column.generated.certain:
        words.append("GENERATED")
    elif column.default.certain:
        words.append("with a default in the database")
    elif action.python_default.certain:
        words.append("with a default for the rows that are there")
    return " ".join(filter(None, words))


def _property(action: SetNotNull | DropNotNull | SetDefault | DropDefault | AddIdentity | DropIdentity) -> str:
    match action:
        case SetNotNull():
            return f"set {action.column} NOT NULL" + (" (a CHECK proves it)" if action.proven else "")
        case DropNotNull():
            return f"let {action.column} be NULL"
        case SetDefault():
            return f"set the default of {action.column}" + (" for the time of the change" if action.temporary else "")
        case DropDefault():
            return f"drop the default of {action.column}" + (" again" if action.temporary else "")
        case AddIdentity():
            return f"let the database number {action.column}"
        case DropIdentity():
            return f"number {action.column} no longer"


def _index(action: CreateIndex | DropIndex | RenameIndex | Reindex) -> str:
    match action:
        case CreateIndex():
            kind = "unique index" if action.unique else "index"
            how = " concurrently" if action.concurrently else ""
            using = f" using {action.method}" if action.method not in (None, "btree") else ""
            rows = ", of the rows that its condition names" if action.partial else ""
            return f"build {kind} {_named(action.name, action.columns)}{using}{rows}{how}"
        case DropIndex():
            return f"drop index {_named(action.name, action.columns)}{' concurrently' if action.concurrently else ''}"
        case RenameIndex():
            return f"rename index {_named(action.name, action.columns)} to {action.new_name}"
        case Reindex():
            return f"rebuild index {action.name}{' concurrently' if action.concurrently else ''}"


def _rows(action: UpdateRows | InsertRows | DeleteRows) -> str:
    match action:
        case UpdateRows() if action.column:
            return f"fill {action.column} where it is NULL"
        case UpdateRows():
            return f"update {'some' if action.filtered else 'all'} rows"
        case InsertRows():
            return "insert rows"
        case DeleteRows():
            return f"delete {'some' if action.filtered else 'all'} rows"


def _constraint(action: Action) -> str:
    match action:
        case AddForeignKey():
            words = f"add foreign key ({', '.join(action.columns)}) to {action.to_table or 'another table'}"
            return words if action.validated else f"{words}, not valid yet"
        case DropForeignKey():
            return f"drop foreign key ({', '.join(action.columns)}) to {action.to_table or 'another table'}"
        case AddCheck():
            return f"add check {_named(action.name, action.columns)}{'' if action.validated else ', not valid yet'}"
        case AddUnique() if action.using_index:
            return f"make index {action.using_index} a unique constraint"
        case AddUnique():
            return f"add unique constraint {_named(action.name, action.columns)}"
        case AddPrimaryKey():
            return f"add primary key ({', '.join(action.columns)})"
        case AddExclusion():
            return f"add exclusion constraint {action.name}"
        case AttachPartition():
            return f"make it a partition of {action.parent}" + (" (a CHECK proves its bounds)" if action.proven else "")
        case DefineDomain():
            return f"define the domain {action.name}"
        case DropType():
            return f"drop the type {action.name}{', and all columns of it' if action.cascade else ''}"
        case ValidateConstraint():
            return f"validate constraint {action.name}"
        case DropConstraint():
            return f"drop {action.constraint or 'constraint'} {_named(action.name, action.columns)}"
        case _:
            return action.kind().replace("-", " ")


def _named(name: str, columns: tuple[str, ...]) -> str:
    return " ".join(filter(None, (name, f"({', '.join(columns)})" if columns else "")))


def called(action: Action) -> str:
    """An action's table, by what is known of it."""
    if action.table:
        return action.table
    if action.model is not None:
        return f"the table of {action.model.app}.{action.model.name}"
    setting = action.setting if isinstance(action, Reference) else ""
    return f"the table of settings.{setting}" if setting else "a table"
