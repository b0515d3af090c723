"""A migration as a value: what its file means to Django, before any other file is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from miglint.project.keys import MigrationKey
from miglint.project.truth import Truth
from miglint.syntax.facts import Class, ModuleFacts
from miglint.text import NOWHERE, Span
from miglint.value import Value

if TYPE_CHECKING:
    from miglint.project.operations import Operation

# The names that Django's loader and graph resolve themselves.
# Source: django.db.migrations.loader.MigrationLoader.check_key
FIRST = "__first__"
LATEST = "__latest__"


class Dependency(Value, frozen=True, eq=False, gc=False):
    """One entry of `dependencies`, `run_before` or `replaces`, as declared.

    A swappable dependency has `setting` (`AUTH_USER_MODEL`) and no key; it stands for the first migration of
    the app whose model the setting names. Source: django.db.migrations.migration.swappable_dependency.
    """

    key: MigrationKey | None
    span: Span = NOWHERE
    setting: str | None = None


class Unreadable(Value, frozen=True, eq=False):
    """A part of a migration that could not be read: which, why, and what is therefore not checked."""

    what: str
    why: str
    unchecked: str
    span: Span = NOWHERE


class Migration(Value, frozen=True, eq=False, dict=True):
    """One migration file, interpreted.

    `path` is absolute with POSIX separators. `dependencies_known` is false where some entry could not be read
    (then no conclusion may be drawn from a missing edge); `operations_known` likewise. `class_span` is the
    header of `class Migration`. `atomic` and `initial` are what the class says, bases included.
    """

    key: MigrationKey
    path: str
    facts: ModuleFacts
    dependencies: tuple[Dependency, ...] = ()
    run_before: tuple[Dependency, ...] = ()
    replaces: tuple[Dependency, ...] = ()
    operations: tuple[Operation, ...] = ()
    initial: bool | None = None
    atomic: Truth = Truth.YES
    dependencies_known: bool = True
    operations_known: bool = True
    unreadable: tuple[Unreadable, ...] = ()
    class_span: Span = NOWHERE
    definition: Class | None = None
    bases: tuple[str, ...] = ()

    not_compared: ClassVar[frozenset[str]] = frozenset({"facts", "definition"})

    @property
    def app(self) -> str:
        return self.key.app

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def number(self) -> int | None:
        """The number its name starts with: 12 for `0012_add_total`.

        Source: django.db.migrations.autodetector.MigrationAutodetector.parse_number
        """
        squashed = number_of(self.name.partition("squashed_")[2].partition("_")[0])
        return squashed if squashed is not None else number_of(self.name.partition("_")[0])


def number_of(text: str) -> int | None:
    """The number of a migration, None where the text is none: other digits, or more of them than numbers have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
