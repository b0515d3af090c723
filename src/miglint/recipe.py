"""What to write instead, as text to paste: operations, fields, and whole migrations that come after an app's last."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from miglint.project.fields import Field
from miglint.project.graph import Graph
from miglint.project.keys import MigrationKey
from miglint.project.migration import Dependency, Migration
from miglint.syntax.facts import Call, Expr, Function, Name, dotted
from miglint.syntax.spelling import UNKNOWN, spell

_INDENT = "    "


# What gives a value to a field of itself, to the rows that are there too when the column is added.
# Source: BaseDatabaseSchemaEditor._effective_default
DEFAULTS = ("default", "db_default", "auto_now", "auto_now_add")


class Paste:
    """Pieces of one file to paste, and the imports that they need."""

    def __init__(self) -> None:
        self.imports: set[str] = set()

    def value(self, expression: Expr) -> str:
        return spell(expression, self.imports)

    def value_of(self, default: Expr) -> str:
        """The value of a default: what can be called is called."""
        text = self.value(default)
        return f"{text}()" if isinstance(default, Name) else text

    def field(self, field: Field, *, drop: Iterable[str] = (), **give: str) -> str:
        """A field's call, with some arguments left out and others given (as text)."""
        call = field.call
        if not isinstance(call, Call):
            return UNKNOWN
        left_out = {*drop, *give}
        parts = [self.value(argument) for argument in call.arguments]
        for each in call.keywords:
            if each.name is None:
                parts.append(f"**{self.value(each.value)}")
            elif each.name not in left_out:
                parts.append(f"{each.name}={self.value(each.value)}")
        parts += [f"{name}={text}" for name, text in give.items()]
        return f"{self.value(call.function)}({', '.join(parts)})"

    def operation(self, name: str, /, *positional: str, **keywords: str) -> str:
        """`migrations.AddField(model_name="order", …)`; arguments are text that is Python already."""
        self.imports.add("from django.db import migrations")
        return self.call(f"migrations.{name}", *positional, **keywords)

    def call(self, function: str, /, *positional: str, **keywords: str) -> str:
        """A call, in one line or an argument a line; arguments are text that is Python already."""
        return _call(function, [*positional, *(f"{key}={text}" for key, text in keywords.items())])

    def run_sql(self, forward: str, reverse: str) -> str:
        """A RunSQL with its reverse; "" for a reverse that does nothing."""
        return self.operation("RunSQL", quoted(forward), quoted(reverse) if reverse else "migrations.RunSQL.noop")

    def separate(self, *, state: Iterable[str] = (), database: Iterable[str] = ()) -> str:
        """A SeparateDatabaseAndState."""
        halves = [("state_operations", list(state)), ("database_operations", list(database))]
        parts = [f"{name}=[\n{_block(inner)}\n]" for name, inner in halves if inner]
        self.imports.add("from django.db import migrations")
        return f"migrations.SeparateDatabaseAndState(\n{_block(parts)}\n)"


class Sequel:
    """Migrations to write after an app's last one: numbered on, each depending on the one before.

    With `instead` the first takes the place of a migration that is the app's last one and has one operation only.
    """

    def __init__(self, graph: Graph, migration: Migration, *, instead: bool = False) -> None:
        self._app = migration.app
        leaves = graph.leaves(self._app)
        self._parent = leaves[0] if len(leaves) == 1 else migration.key
        # As makemigrations counts on: from the leaf. Source: MigrationAutodetector.arrange_for_graph
        self._number = graph.migrations[self._parent].number or graph.last_numbers.get(self._app, 0)
        self._folder = f"{self._app}/{PurePosixPath(migration.path).parent.name}"
        # What the first migration depends on beside its parent.
        self._needs: tuple[Dependency, ...] = ()
        own = [each.key for each in migration.dependencies if each.key is not None and each.key.app == self._app]
        if instead and self._parent == migration.key and len(migration.operations) == len(own) == 1:
            self._parent = own[0]
            self._needs = tuple(
                each for each in migration.dependencies if each.key is None or each.key.app != self._app
            )
            self._number -= migration.number == self._number

    def migration(
        self, name: str, operations: Iterable[str], code: Paste, *, functions: str = "", atomic: bool = True
    ) -> str:
        """A whole file, its path in a comment above it."""
        self._number += 1
        key = MigrationKey(self._app, _name(f"{self._number:04}_{name}"))
        body = [self._dependencies(code), "", "operations = ["]
        body += [_block(operations, ","), "]"]
        if not atomic:
            body = ["atomic = False", "", *body]
        text = f"class Migration(migrations.Migration):\n{_indented(chr(10).join(body))}"
        parts = [_imports(code.imports | {"from django.db import migrations"}), functions.strip("\n"), text]
        self._parent = key
        return f"# {self._folder}/{key.name}.py\n" + "\n\n\n".join(part for part in parts if part)

    def _dependencies(self, code: Paste) -> str:
        needed = [f'("{self._parent.app}", "{self._parent.name}")']
        for each in self._needs:
            if each.key is not None:
                needed.append(f'("{each.key.app}", "{each.key.name}")')
            elif each.setting is not None:
                code.imports.add("from django.conf import settings")
                needed.append(f"migrations.swappable_dependency(settings.{each.setting})")
        self._needs = ()
        line = f"dependencies = [{', '.join(needed)}]"
        return line if len(line) <= 100 else f"dependencies = [\n{_block(needed)}\n]"


def quoted(text: str) -> str:
    """A text as Python spells it, in double quotes where that needs no escaping."""
    plain = '"' not in text and "\\" not in text and text.isprintable()
    return f'"{text}"' if plain else repr(text)


def taken_along(default: Expr | None, migration: Migration) -> str:
    """What to say of a default that the migration's own file defines: another file does not know it."""
    own = {each.name for each in migration.facts.top(Function)}
    if isinstance(default, Name) and default.scope != "imported" and dotted(default) in own:
        return f"Take {dotted(default)} along, which this file defines. "
    return ""


def set_apart(*parts: str) -> str:
    """Code below a sentence: indented, an empty line between its parts."""
    return "\n\n".join(_indented(part) for part in parts)


def fill(model: str, app: str, column: str, value: str, *, function: str, where: str = "", note: str = "") -> str:
    """A function for RunPython that fills the NULLs of a field, some rows at a time; `where` says more of the rows.

    It comes to an end only if the value is never NULL. `note` stands beside the value.
    """
    return _rows_without(model, app, column, function, where) + (
        '    while pks := list(rows.values_list("pk", flat=True)[:1000]):\n'
        f"        rows.filter(pk__in=pks).update({column}={value}){f'  # {note}' if note else ''}\n"
    )


def fill_each(model: str, app: str, column: str, value: str, *, function: str, key: bool = False) -> str:
    """A function for RunPython that gives each row with NULL a value of its own; `key`: it is that of a related row."""
    return _rows_without(model, app, column, function) + (
        "    for row in rows.iterator():\n"
        f"        row.{column}{'_id' if key else ''} = {value}\n"
        f"        row.save(update_fields=[{quoted(column)}])\n"
    )


def _rows_without(model: str, app: str, column: str, function: str, where: str = "") -> str:
    """The beginning of a function on the rows that hold NULL in a field."""
    given = f"{column}__isnull=True{f', {where}' if where else ''}"
    return (
        f"def {function}(apps, schema_editor):\n"
        f"    {model} = apps.get_model({quoted(app)}, {quoted(model)})\n"
        f"    rows = {model}.objects.using(schema_editor.connection.alias).filter({given})\n"
    )


def _call(name: str, parts: list[str]) -> str:
    line = f"{name}({', '.join(parts)})"
    if len(line) <= 100 and "\n" not in line:
        return line
    return f"{name}(\n{_block(parts)}\n)"


def _block(lines: Iterable[str], end: str = ",") -> str:
    return "\n".join(_indented(f"{each}{end}") for each in lines)


def _indented(text: str) -> str:
    return "\n".join(f"{_INDENT}{line}" if line else "" for line in text.split("\n"))


def _imports(lines: Iterable[str]) -> str:
    """Import lines, sorted, those of one module in one line."""
    whole: list[str] = []
    parts: dict[str, set[str]] = {}
    for line in sorted(lines):
        found = re.fullmatch(r"from (\S+) import (\S+)", line)
        if found is None:
            whole.append(line)
        else:
            parts.setdefault(found[1], set()).add(found[2])
    joined = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(parts.items())]
    return "\n".join([*whole, *(["", *joined] if whole and joined else joined)])


def _name(text: str) -> str:
    return re.sub(r"\W+", "_", text)[:60].rstrip("_")
