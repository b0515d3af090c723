"""What one step means to rows, to the releases that run beside it, and to who wants to undo it."""

from __future__ import annotations

from collections.abc import Mapping

from miglint.database import Database, Version
from miglint.lazy import lazy
from miglint.project import operations as ops
from miglint.project.action import Action
from miglint.project.actions import actions_of
from miglint.project.backwards import is_reversible, reversed_operation
from miglint.project.compatibility import Compatibility, Setting, changed_models, new_code_before, old_code
from miglint.project.history import Step
from miglint.project.inform import inform
from miglint.project.loss import loses_data, may_lose_when_undone
from miglint.project.truth import Truth


class Consequences:
    """The consequences of a step; each is worked out when it is asked for."""

    def __init__(
        self, step: Step, *, database: Database, django_version: Version, swappable: Mapping[str, str]
    ) -> None:
        self._step = step
        self._setting = Setting(database=database, django_version=django_version, swappable=swappable)

    @lazy
    def reversible(self) -> Truth:
        """Whether Django can undo it (not whether the rows allow it)."""
        return is_reversible(self._step.operation)

    @lazy
    def loses_data(self) -> Truth:
        """Whether what rows hold is gone afterwards; unknown where it depends on the values."""
        step = self._step
        if not step.touches_database:
            return Truth.NO
        return loses_data(step.operation, step.actions, step.schema_before, self._setting.database)

    @lazy
    def reverse_loses_data(self) -> Truth:
        """Whether undoing it destroys what was written since; unknown where it cannot be undone."""
        if not self._step.touches_database:
            return Truth.NO
        if not self.reversible.certain:
            return Truth.UNKNOWN
        operation = self.undone
        if operation is None:
            return Truth.NO
        return may_lose_when_undone(operation, self.reverse_actions, self._step.schema_after, self._setting.database)

    @lazy
    def undone(self) -> ops.Operation | None:
        """The operation that undoing amounts to."""
        step = self._step
        return reversed_operation(step.operation, step.before, step.after, step.migration.app)

    @lazy
    def reverse_actions(self) -> tuple[Action, ...]:
        """What undoing does to the database, on the schema as it is after the step."""
        step, setting = self._step, self._setting
        operation = self.undone
        if operation is None or not step.touches_database:
            return ()
        emitted = actions_of(
            operation,
            step.after,
            step.before,
            app=step.migration.app,
            database=setting.database,
            django_version=setting.django_version,
            swappable=setting.swappable,
        )
        return inform(step.schema_after, emitted)[0]

    @lazy
    def old_code(self) -> Compatibility:
        """What the release before the step can do after it."""
        step = self._step
        return old_code(step.before, step.schema_before, step.schema_after, step.actions, self._setting)

    @lazy
    def new_code_before(self) -> Truth:
        """Whether the release after the step can work before it."""
        step = self._step
        return new_code_before(step.after, step.schema_before, changed_models(step.before, step.after), self._setting)
