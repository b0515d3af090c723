"""Which app a package of migrations belongs to, and whether a module is a migration at all, by what files say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from miglint.syntax.facts import (
    Assign,
    Class,
    Expr,
    Import,
    Items,
    Literal,
    ModuleFacts,
    Name,
    dotted,
    walk,
)

_DJANGO_BASES = frozenset({"django.db.migrations.Migration", "django.db.migrations.migration.Migration"})
_DJANGO_ATTRIBUTES = frozenset({"dependencies", "operations", "replaces", "run_before"})
_SOUTH_BASES = frozenset({"SchemaMigration", "DataMigration"})

# A dependency on this name says little about whose it is: nearly every app has one.
_COMMON_NAME = "0001_initial"
# Bases of bases before the rest is given up: a class may name itself.
_MAX_BASES = 8

T = TypeVar("T")


# -- is it a migration? -------------------------------------------------------------------------------


def is_django_migration(facts: ModuleFacts) -> bool | None:
    """Whether a module holds a Django migration; None where the file alone does not tell.

    Django takes whatever the module calls `Migration`. South's and other tools' classes of that name are none.
    Source: django.db.migrations.loader.MigrationLoader.load_disk
    """
    if facts.problem is not None:
        return None
    definition = facts.class_named("Migration")
    if definition is not None:
        return _is_django_class(definition, facts)
    return None if binds_migration(facts) else False


def binds_migration(facts: ModuleFacts) -> bool:
    """Whether `Migration` is, or may be, an attribute of the module."""
    for statement in facts.top_level:
        if isinstance(statement, Class) and statement.name == "Migration":
            return True
        if isinstance(statement, Import) and any(a.bound in ("Migration", "*") for a in statement.aliases):
            return True
        if isinstance(statement, Assign) and any(dotted(t) == "Migration" for t in statement.targets):
            return True
    return False


def imports_migration(facts: ModuleFacts) -> bool:
    """Whether a module only gives the `Migration` of another one its own name: `from .old import Migration`."""
    return any(
        isinstance(statement, Import) and any(alias.bound == "Migration" for alias in statement.aliases)
        for statement in facts.top_level
    )


def belongs_to_another_tool(facts: ModuleFacts) -> bool:
    """Whether a module is a migration of South or a revision of Alembic."""
    definition = facts.class_named("Migration")
    if definition is not None and _has_south_base(definition):
        return True
    return {"revision", "down_revision"} <= set(_constants(facts.body, strings_only=False))


def _is_django_class(definition: Class, facts: ModuleFacts) -> bool | None:
    seen = {definition.name}
    pending = list(definition.bases)
    unknown = False
    while pending:
        base = dotted(pending.pop())
        if base in _DJANGO_BASES:
            return True
        local = facts.class_named(base) if base and base not in seen else None
        seen.add(base)
        if local is not None:
            pending.extend(local.bases)
        elif base != "object":
            unknown = True
    if not unknown or _has_south_base(definition):
        return False
    # A base from another file: what only Django's migrations have decides. South's have none of these.
    return True if _DJANGO_ATTRIBUTES & set(_names_set(definition)) else None


def _has_south_base(definition: Class) -> bool:
    bases = [dotted(base) for base in definition.bases]
    return any(b.startswith("south.") or b.rpartition(".")[2] in _SOUTH_BASES for b in bases)


def _names_set(definition: Class) -> Iterator[str]:
    for statement in walk(definition.body, into_definitions=False):
        if isinstance(statement, Assign):
            yield from (dotted(target) for target in statement.targets)


# -- labels by AppConfig ------------------------------------------------------------------------------


class _AppClass(msgspec.Struct, frozen=True):
    """A class that may be an AppConfig. `name` and `label` are "" where it does not set them to plain strings."""

    file: str
    definition: Class
    name: str
    label: str
    names_itself: bool
    default: bool | None

    @property
    def looks_like_config(self) -> bool:
        bases = [dotted(base).rpartition(".")[2] for base in self.definition.bases]
        return any(name.endswith("Config") for name in (self.definition.name, *bases))


def no_lookup(file: str) -> Callable[[str], ModuleFacts | None]:
    return lambda module: None


class AppClasses:
    """The AppConfig-like classes of a project's files, and the labels they give.

    `files` are the facts of `apps.py` and the like by path. `installed` is INSTALLED_APPS where it is known, `lookup`
    finds the modules that a file imports.
    Whatever the base class is called, an AppConfig has a string `name` or `label`
    (a model called `…Config` has fields of these names).
    """

    def __init__(
        self,
        files: Mapping[str, ModuleFacts],
        installed: Iterable[str] | None = None,
        lookup: Callable[[str], Callable[[str], ModuleFacts | None]] = no_lookup,
    ) -> None:
        self._installed = frozenset(installed or ())
        self._lookup = lookup
        self._files = files.keys()
        self._by_file = {file: tuple(_app_classes(file, facts)) for file, facts in files.items()}
        self._by_module: dict[tuple[str, ...], list[_AppClass]] = {}
        for classes in self._by_file.values():
            for found in classes:
                self._by_module.setdefault(_module_tail(found.file), []).append(found)

    def label(self, folder: str, files: Sequence[str]) -> str | None:
        """The label of the app in `folder`, as the classes in `files` say; None where they do not."""
        ranked = [
            (rank, -at, found)
            for at, found in enumerate(c for file in files for c in self._by_file.get(file, ()))
            if (rank := self._rank(found, folder))
        ]
        if not ranked:
            return None
        found = max(ranked, key=lambda entry: entry[:2])[2]
        label = self._first(found, _label_of)
        if label:
            return label
        # The name is computed; it can only be the package's own path.
        return (self._first(found, _name_of) or "").rpartition(".")[2] or folder.rpartition("/")[2]

    def is_installed(self, folder: str) -> bool:
        """Whether INSTALLED_APPS names the folder by its module: without an AppConfig its own name is the label then.

        Source: django.apps.config.AppConfig.create
        """
        parts = folder.split("/")
        return any(parts[-1:] == (names := entry.split("."))[-1:] and parts[-len(names) :] == names
                   for entry in self._installed)  # fmt: skip

    def _rank(self, found: _AppClass, folder: str) -> int:
        """How sure it is that a class is the AppConfig of a folder; 0 is not at all."""
        parts = folder.split("/")
        in_folder = found.file in (f"{folder}/apps.py", f"{folder}/apps/__init__.py")
        name = self._first(found, _name_of)
        if name:
            names = name.split(".")
            if names[-1] != parts[-1]:
                return 0
            rank = 40 if parts[-len(names) :] == names else 20
        elif found.looks_like_config and in_folder and (found.label or found.names_itself):
            rank = 10
        else:
            return 0
        rank += {True: 4, False: -4, None: 0}[self._first(found, _default_of)]
        named = any(
            entry.rpartition(".")[2] == found.definition.name and entry.split(".")[-3:-2] == [parts[-1]]
            for entry in self._installed
        )
        return rank + (8 if named else 0) + (1 if found.looks_like_config else 0)

    def _first(self, found: _AppClass, part: Callable[[_AppClass], T | None], depth: int = 0) -> T | None:
        """A part of a class, or of the nearest base class that has it."""
        own = part(found)
        if own is not None or depth > _MAX_BASES:
            return own
        for base in found.definition.bases:
            for parent in self._named(dotted(base), found):
                if parent is not found and (inherited := self._first(parent, part, depth + 1)) is not None:
                    return inherited
        return None

    def _named(self, path: str, user: _AppClass) -> Iterator[_AppClass]:
        module, _, name = path.rpartition(".")
        if not module:
            candidates: Iterable[_AppClass] = self._by_file[user.file]
        else:
            tail = "/" + module.lstrip(".").replace(".", "/")
            candidates = [
                found
                for found in self._by_module.get(tuple(module.lstrip(".").split(".")[-2:]), ())
                if _module_path(found.file).endswith(tail)
            ] or self._imported(module, user.file)
        return (found for found in candidates if found.definition.name == name)

    def _imported(self, module: str, file: str) -> Sequence[_AppClass]:
        """The classes of a module that is no app's own; what it imports in its turn is not asked for."""
        if module.startswith("django.") or file not in self._files:
            return ()
        place = f"{file}:{module}"
        if place not in self._by_file:
            facts = self._lookup(file)(module)
            self._by_file[place] = tuple(_app_classes(place, facts)) if facts is not None else ()
        return self._by_file[place]


def _name_of(found: _AppClass) -> str | None:
    return found.name or None


def _label_of(found: _AppClass) -> str | None:
    return found.label or None


def _default_of(found: _AppClass) -> bool | None:
    return found.default


def _module_path(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__")


def _module_tail(file: str) -> tuple[str, ...]:
    return tuple(_module_path(file).split("/")[-2:])


def _app_classes(file: str, facts: ModuleFacts) -> Iterator[_AppClass]:
    constants = _constants(facts.body)
    for definition in facts.top(Class):
        if not definition.bases:
            continue
        values: dict[str, Expr] = {}
        for statement in definition.body:
            if isinstance(statement, Assign):
                values |= {dotted(target): statement.value for target in statement.targets}
        default = values.get("default")
        yield _AppClass(
            file,
            definition,
            name=_string(values.get("name"), constants),
            label=_string(values.get("label"), constants),
            names_itself="name" in values,
            default=default.text == "True" if isinstance(default, Literal) and default.kind == "bool" else None,
        )


def _constants(body: Sequence[object], *, strings_only: bool = True) -> dict[str, str]:
    """The module's plain string constants; with `strings_only=False` all assigned names, "" for other values."""
    constants: dict[str, str] = {}
    for statement in body:
        if isinstance(statement, Assign):
            value = statement.value
            text = value.text if isinstance(value, Literal) and value.kind == "str" else ""
            constants |= {dotted(target): text for target in statement.targets}
    return {name: text for name, text in constants.items() if text} if strings_only else constants


def _string(value: Expr | None, constants: Mapping[str, str]) -> str:
    if isinstance(value, Literal) and value.kind == "str":
        return value.text
    if isinstance(value, Name) and value.scope == "free":
        return constants.get(value.name, "")
    return ""


# -- entries of INSTALLED_APPS ------------------------------------------------------------------------


def app_paths(entry: str) -> tuple[str, ...]:
    """The paths that the app of an entry may have: itself, or that of the module, or package, of its AppConfig."""
    names = entry.split(".")
    if len(names) < 2 or not names[-1][:1].isupper():
        return (entry,)
    return tuple(".".join(part) for part in (names[:-2], names[:-1]) if part)


def is_at(folder: str, path: str) -> bool:
    """Whether a folder may be that of a dotted path."""
    return f"/{folder}".endswith(f"/{path.replace('.', '/')}")


# -- labels by dependencies ---------------------------------------------------------------------------


def vote(modules: Mapping[str, ModuleFacts], folder_name: str) -> str | None:
    """The label that most dependencies on names of the same directory use; None without evidence.

    Of 635 real app directories this was right for 535, a tie for 7 (the folder's name breaks it).
    """
    votes: Counter[str] = Counter()
    for name, facts in modules.items():
        definition = facts.class_named("Migration")
        for app, parent in _dependencies(definition) if definition is not None else ():
            # A migration does not depend on itself: this is another app's of the same name.
            if parent in modules and parent != name:
                votes[app] += 1 if parent == _COMMON_NAME else 4
    if not votes:
        return None
    best = max(votes.values())
    tied = sorted(app for app, count in votes.items() if count == best)
    return folder_name if len(tied) > 1 else tied[0]


def _dependencies(definition: Class) -> Iterator[tuple[str, str]]:
    for statement in walk(definition.body, into_definitions=False):
        if not isinstance(statement, Assign) or not isinstance(statement.value, Items):
            continue
        if all(dotted(target) != "dependencies" for target in statement.targets):
            continue
        for entry in statement.value.items:
            if isinstance(entry, Items) and len(entry.items) == 2:
                app, name = entry.items
                if isinstance(app, Literal) and isinstance(name, Literal):
                    yield app.text, name.text
