"""The machine-readable output as types: what does not decode breaks the contract."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
Ordinal = Annotated[int, msgspec.Meta(ge=1)]
Level = Literal["error", "warning", "info"]
Key = tuple[str, str]
# What could not be read is the string "unknown".
Unknown = Literal["unknown"]


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """An object with these keys and no others, all of them there."""


class Position(_Strict):
    line: Ordinal
    column: Ordinal


class Range(_Strict):
    start: Position
    end: Position

    def __post_init__(self) -> None:
        if (self.end.line, self.end.column) < (self.start.line, self.start.column):
            raise ValueError("a range ends before it starts")


class Named(_Strict):
    name: str
    version: str
    source: str


class Sourced(_Strict):
    version: str
    source: str


class Findings(_Strict):
    error: Count
    warning: Count
    info: Count


class Summary(_Strict):
    projects: Count
    migrations: Count
    apps: Count
    operations: Count
    unreadable_operations: Count
    findings: Findings
    suppressed: Count
    baselined: Count
    database: Named
    django: Sourced


class OperationOf(_Strict):
    path: list[int | str]
    name: str


class Related(_Strict):
    path: str
    range: Range | None
    message: str


class Edit(_Strict, tag="edit", tag_field="kind"):
    path: str
    range: Range
    text: str


class Create(_Strict, tag="create", tag_field="kind"):
    path: str
    text: str


class Rename(_Strict, tag="rename", tag_field="kind"):
    path: str
    to: str


class Delete(_Strict, tag="delete", tag_field="kind"):
    path: str


class Fix(_Strict):
    title: str
    safety: Literal["safe", "unsafe"]
    edits: list[Edit | Create | Rename | Delete]


class Suppressed(_Strict):
    kind: Literal["inline", "baseline"]
    reason: str | None


class Diagnostic(_Strict):
    code: Annotated[str, msgspec.Meta(pattern=r"^MG\d{3}$")]
    name: Annotated[str, msgspec.Meta(min_length=1)]
    severity: Level
    confidence: Literal["high", "medium", "low"]
    message: Annotated[str, msgspec.Meta(min_length=1)]
    help: str
    url: str | None
    path: str | None
    app: str | None
    migration: str | None
    operation: OperationOf | None
    model: str | None
    field: str | None
    range: Range | None
    related: list[Related]
    fix: Fix | None
    fingerprint: Annotated[str, msgspec.Meta(min_length=8)]
    suppressed: Suppressed | None


class Check(_Strict):
    version: Literal[1]
    summary: Summary
    diagnostics: list[Diagnostic]


class App(_Strict):
    label: str
    path: str
    migrations: Count
    roots: list[str]
    leaves: list[str]


class Node(_Strict):
    app: str
    name: str
    path: str
    dependencies: list[Key]
    run_before: list[Key]
    replaces: list[Key]
    replaced_by: Key | None
    atomic: bool | None
    initial: bool | None


class Problem(_Strict):
    kind: str
    message: str
    app: str | None
    migration: str | None


class Graph(_Strict):
    version: Literal[1]
    apps: list[App]
    migrations: list[Node]
    external: list[Key]
    problems: list[Problem]
    projects: list[dict[str, object]] | msgspec.UnsetType = msgspec.UNSET


class Plan(_Strict):
    version: Literal[1]
    exact: bool
    plan: list[Key]
    projects: list[dict[str, object]] | msgspec.UnsetType = msgspec.UNSET


class Field(_Strict):
    name: str
    type: str
    null: bool | Unknown
    unique: bool | Unknown
    db_index: bool | Unknown
    primary_key: bool | Unknown
    max_length: int | str | None
    to: str | None
    has_default: bool | Unknown
    has_db_default: bool | Unknown
    db_column: str | None


class Model(_Strict):
    app: str
    name: str
    table: str
    managed: bool | Unknown
    proxy: bool | Unknown
    bases: list[str]
    options: list[str]
    fields: list[Field]
    indexes: list[str]
    constraints: list[str]


class State(_Strict):
    version: Literal[1]
    at: str | None
    partial: list[str]
    models: list[Model]
    projects: list[dict[str, object]] | msgspec.UnsetType = msgspec.UNSET


class Action(_Strict):
    action: str
    table: str
    object: str | None
    deferred: bool


class Table(_Strict):
    table: str
    lock: str | None
    blocks: list[Literal["reads", "writes"]]
    duration: Literal["instant", "rows"]
    scans: bool
    rewrites: bool
    indexes: Count
    writes_rows: bool


class Effect(_Strict):
    tables: list[Table]
    transactional: bool
    why: str
    url: str | None


class OldCode(_Strict):
    select: bool | None
    insert: bool | None
    update: bool | None
    delete: bool | None


class Compatible(_Strict):
    old_code: OldCode
    new_code_before: bool | None


class Inspected(_Strict):
    path: list[int | str]
    name: str
    description: str
    range: Range | None
    reversible: bool | None
    loses_data: bool | None
    reverse_loses_data: bool | None
    actions: list[Action]
    effect: Effect
    compatible: Compatible


class Together(_Strict):
    tables: list[Table]
    compatible: Compatible


class OnDatabase(_Strict):
    database: Named
    operations: list[Inspected]
    together: Together


class Inspect(_Strict):
    version: Literal[1]
    app: str
    migration: str
    atomic: bool | None
    backwards: bool
    database: Named
    operations: list[Inspected]
    together: Together
    databases: list[OnDatabase] | msgspec.UnsetType = msgspec.UNSET


class CodeQualityLines(_Strict):
    begin: Ordinal
    end: Ordinal


class CodeQualityLocation(_Strict):
    path: str
    lines: CodeQualityLines


class CodeQuality(_Strict):
    description: str
    check_name: str
    fingerprint: str
    severity: Literal["info", "minor", "major", "critical", "blocker"]
    location: CodeQualityLocation
