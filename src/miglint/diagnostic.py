"""A finding: what it says, where, how sure and how bad it is, and what it is about."""

from __future__ import annotations

import enum
import hashlib

import msgspec

from miglint.text import Span


class Severity(enum.IntEnum):
    """How bad a finding is; ordered."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        return self.name.lower()


class Confidence(enum.IntEnum):
    """How sure a finding is; ordered."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        return self.name.lower()


class Subject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a finding is about; never a line number, so that it survives moved and reformatted code.

    `operation` is the path of the operation within the migration (`(2, "database_operations", 0)`);
    `operation_name` its class; `detail` tells apart what the other parts do not (a parent, a selector).
    """

    app: str | None = None
    migration: str | None = None
    operation: tuple[int | str, ...] | None = None
    operation_name: str | None = None
    model: str | None = None
    field: str | None = None
    detail: str = ""

    @property
    def key(self) -> str:
        """A stable spelling: the same subject gives the same text on every machine."""
        path = "/".join(map(str, self.operation)) if self.operation is not None else ""
        parts = (self.app, self.migration, path, self.model, self.field, self.detail)
        return "\x1f".join(part or "" for part in parts)


class Related(msgspec.Struct, frozen=True, gc=False):
    """Another place that belongs to a finding."""

    path: str
    span: Span
    message: str


class Edit(msgspec.Struct, frozen=True, tag="edit"):
    """Replaces a span of a file with a text."""

    path: str
    span: Span
    text: str


class Create(msgspec.Struct, frozen=True, tag="create"):
    """Makes a new file."""

    path: str
    text: str


class Rename(msgspec.Struct, frozen=True, tag="rename"):
    """Renames a file."""

    path: str
    to: str


class Delete(msgspec.Struct, frozen=True, tag="delete"):
    """Removes a file."""

    path: str


Change = Edit | Create | Rename | Delete


class Fix(msgspec.Struct, frozen=True):
    """A change of files that removes the finding; `safety` is "safe" or "unsafe" (may change meaning)."""

    title: str
    safety: str
    edits: tuple[Change, ...]


class Suppressed(msgspec.Struct, frozen=True):
    """Why a finding does not count: `kind` is "inline" or "baseline"."""

    kind: str
    reason: str | None = None


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One finding.

    `path` is the path of the file as the session knows it (absolute, POSIX separators), None for a finding
    about a whole project. `message` is one line; `help` says what to write instead, in several lines, with
    code ready to paste. `also` are further subjects that it is about: what it supersedes, it supersedes there too.
    """

    code: str
    name: str
    severity: Severity
    message: str
    confidence: Confidence = Confidence.HIGH
    path: str | None = None
    span: Span | None = None
    help: str = ""
    url: str = ""
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    subject: Subject = Subject()
    also: tuple[Subject, ...] = ()
    graph: bool = False
    suppressed: Suppressed | None = None

    @property
    def fingerprint(self) -> str:
        """Identifies rule and subject, whatever the line, the path and the wording."""
        return hashlib.sha256(f"{self.code}\x1e{self.subject.key}".encode()).hexdigest()[:32]
