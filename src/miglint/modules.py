"""Which file an import means, found from where the import stands; nothing is ever imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from miglint.cache import content_hash
from miglint.imports import imported_modules
from miglint.lazy import lazy
from miglint.project.django_settings import DjangoSettings, read_django_settings
from miglint.reading import file_content
from miglint.syntax.facts import (
    Alias,
    Call,
    Expr,
    If,
    Import,
    Literal,
    ModuleFacts,
    Statement,
    Try,
    expressions,
    walk,
)

if TYPE_CHECKING:
    # Where nothing has changed, no migration is looked at.
    from miglint.project.field_classes import FieldClasses
    from miglint.project.fields import FieldClass
    from miglint.project.interpret import ReadText
    from miglint.project.migration_class import Lookup
    from miglint.project.source_module import SourceModule

_SETTINGS_VARIABLE = "DJANGO_SETTINGS_MODULE"
# Settings are made of a few modules; those that import all of two others, and these of two others, have no end.
_MAX_SETTINGS = 100


class Modules:
    """The modules of one project by name; files are read when they are asked for."""

    def __init__(
        self,
        root: str,
        facts_of: Callable[[str], ModuleFacts | None],
        overlay: Mapping[str, bytes],
        environment: str | None = None,
    ) -> None:
        """`environment` is a virtual environment, where packages are looked for that the project does not have."""
        self._root = root.rstrip("/")
        self.site_packages = _site_packages(environment) if environment is not None else ()
        self._facts_of = facts_of
        self._overlay = overlay
        self._files: dict[tuple[str, str], str | None] = {}
        # What packages are called by those that import from them, by directory.
        self._packages: dict[str, str] = {}
        # Which paths were looked for, and whether there is a file.
        self.looked_for: dict[str, bool] = {}
        # The hashes of files that were read as text, "" of those that are not there.
        self.texts: dict[str, str] = {}
        # The names in the directories of packages that were listed.
        self.listed: dict[str, list[str]] = {}
        self._settings = DjangoSettings()
        self._settings_read = 0
        # The file of Django's settings, relative to the root, once it was read.
        self.settings_file: str | None = None

    @lazy
    def _classes(self) -> FieldClasses:
        from miglint.project.field_classes import FieldClasses

        classes = FieldClasses(self.module, self.name_of)
        if self._settings.default_auto_field is not None:
            classes.set("DEFAULT_AUTO_FIELD", self._settings.default_auto_field)
        return classes

    def lookup(self, file: str) -> Lookup:
        """The facts of modules as `file` imports them."""
        folder = file.rpartition("/")[0]

        def find(module: str) -> ModuleFacts | None:
            found = self._found(folder, module)
            return self._facts_of(found) if found is not None else None

        return find

    def read_text(self, file: str) -> ReadText:
        """The text of other files of the project by their paths relative to that of `file`, as SQL is kept there."""
        folder = file.rpartition("/")[0]

        def read(path: str) -> str | None:
            wanted = os.path.normpath(f"{folder}/{path}")
            # Links may lead out of the project: what they lead to is not read.
            if not os.path.realpath(wanted).startswith(f"{os.path.realpath(self._root)}/"):
                self.texts[wanted] = ""
                return None
            data = self._overlay.get(wanted) or file_content(wanted)
            self.texts[wanted] = hash_of(data)
            try:
                return data.decode("utf-8-sig") if data is not None else None
            except UnicodeDecodeError:
                return None

        return read

    def file_of(self, module: str) -> str | None:
        """The file of a module as the settings import it, which need not be on top of the project; else its root."""
        folder = f"{self._root}/{self.settings_file or ''}".rpartition("/")[0]
        return self._find(folder, module)

    def in_environment(self, module: str) -> str | None:
        """The file of an installed module, None where the environment does not have it or is not known."""
        tail = module.replace(".", "/")
        return next((found for each in self.site_packages if (found := self._file(each, tail)) is not None), None)

    def names_in(self, package: str) -> list[str]:
        """The names in a directory, sorted; none where it is no package."""
        if package not in self.listed:
            self.listed[package] = names_in(package)
        return self.listed[package]

    def facts(self, file: str) -> ModuleFacts | None:
        """The facts of a file that is there."""
        return self._facts_of(file)

    def module(self, file: str) -> SourceModule | None:
        """A file with the modules that it imports, None where it is not there."""
        from miglint.project.source_module import SourceModule

        facts = self._facts_of(file)
        if facts is None:
            return None
        installed = any(file.startswith(f"{directory}/") for directory in self.site_packages)
        return SourceModule(file, facts, lambda name: self._imported(file, name), installed)

    def imported_from(self, file: str) -> list[str]:
        """The files that a file imports from; not those of Django, and of packages that are not read."""
        facts, folder = self._facts_of(file), file.rpartition("/")[0]
        aliases = [alias for statement in (facts.imports() if facts is not None else ()) for alias in statement.aliases]
        names = dict.fromkeys(name for alias in aliases for name in (alias.module, alias.path))
        found = dict.fromkeys(self._found(folder, name) for name in names if not name.startswith("django."))
        return [each for each in found if each is not None]

    def field_class(self, file: str) -> Callable[[str], FieldClass | None]:
        """The field classes that are not Django's, as `file` names them."""
        return self._classes.seen_from(file)

    def _imported(self, file: str, module: str) -> SourceModule | None:
        found = self._found(file.rpartition("/")[0], module)
        return self.module(found) if found is not None else None

    def imported_by(self, files: Iterable[str]) -> list[str]:
        """Files of the project that these most likely import: where all is to be read, they are read beside them."""
        known, looked_for, packages = dict(self._files), dict(self.looked_for), dict(self._packages)
        found: dict[str, None] = {}
        for file in files:
            folder = file.rpartition("/")[0]
            for module in imported_modules(file_content(file) or b""):
                where = self._found(folder, module)
                if where is not None:
                    found[where] = None
        # A guess is no question: what is asked for later is looked for, and noted, then.
        self._files, self.looked_for, self._packages = known, looked_for, packages
        return list(found)

    def _found(self, folder: str, module: str) -> str | None:
        """The file of a module as those in a folder import it, looked for once."""
        if (folder, module) not in self._files:
            self._files[folder, module] = self._find(folder, module)
        return self._files[folder, module]

    def _find(self, folder: str, module: str) -> str | None:
        name = module.lstrip(".")
        tail = name.replace(".", "/")
        dots = len(module) - len(name)
        if dots:
            for _ in range(dots - 1):
                folder = folder.rpartition("/")[0]
            return self._file(folder, tail)
        # An absolute import: one of the directories above is on the path, none that is a package itself.
        while len(folder) >= len(self._root):
            found = self._file(folder, tail) if self._may_be_on_path(folder) else None
            if found is not None:
                return self._called(name, found)
            folder = folder.rpartition("/")[0]
        # The layout that packages have beside their tests. Source: https://packaging.python.org, "src layout"
        found = self._file(f"{self._root}/src", tail) or self.in_environment(name)
        return self._called(name, found) if found is not None else None

    def _called(self, module: str, file: str) -> str:
        """Notes what the packages are called that a module is in; returns its file."""
        folder = file.rpartition("/")[0]
        package = module if file.endswith("/__init__.py") else module.rpartition(".")[0]
        while package and folder not in self._packages:
            self._packages[folder] = package
            folder, package = folder.rpartition("/")[0], package.rpartition(".")[0]
        return file

    def name_of(self, file: str) -> str:
        """The dotted name of a file, as it is imported, else from the first folder above that is a package.

        A directory without an `__init__.py` can be imported, too (PEP 420).
        """
        folder, _, name = file.rpartition("/")
        parts = [] if name == "__init__.py" else [name.removesuffix(".py")]
        if folder in self._packages:
            return ".".join((self._packages[folder], *parts))
        while self._file(folder, "") is not None and folder not in self.site_packages:
            folder, _, name = folder.rpartition("/")
            parts.insert(0, name)
        return ".".join(parts)

    def _may_be_on_path(self, folder: str) -> bool:
        if folder == self._root or f"{folder}/__init__.py" in self._overlay:
            return folder == self._root
        return not self._is_file(f"{folder}/__init__.py") or self._is_file(f"{folder}/manage.py")

    def _is_file(self, path: str) -> bool:
        if path not in self.looked_for:
            self.looked_for[path] = path in self._overlay or os.path.isfile(path)
        return self.looked_for[path]

    def _file(self, folder: str, tail: str) -> str | None:
        candidates = (f"{folder}/{tail}.py", f"{folder}/{tail}/__init__.py") if tail else (f"{folder}/__init__.py",)
        for file in candidates:
            if self._is_file(file):
                return file
        return None

    def django_settings(self, file: str | None) -> DjangoSettings:
        """What Django's settings say, which are in that file."""
        if file is None or not self._is_file(file):
            return DjangoSettings()
        body = self._expanded(file, frozenset())
        settings = read_django_settings(ModuleFacts(body)) if body is not None else DjangoSettings()
        self._settings = settings
        self.settings_file = file.removeprefix(f"{self._root}/")
        return settings

    def model_setting(self, name: str, absent: str) -> str | None:
        """The model that a setting of Django names; `absent` where it is certain that the project does not say."""
        return self._settings.swappable.get(name, absent if self._settings.whole else None)

    def _expanded(self, file: str, within: frozenset[str]) -> tuple[Statement, ...] | None:
        """The statements of a file, with those of the modules it imports all names from in their place."""
        self._settings_read += 1
        facts = self._facts_of(file) if file not in within and self._settings_read <= _MAX_SETTINGS else None
        if facts is None or facts.problem is not None:
            return None
        return tuple(self._spliced(facts.body, file, within | {file}))

    def _spliced(
        self, body: Iterable[Statement], file: str, within: frozenset[str], spared: tuple[str, ...] = ()
    ) -> Iterator[Statement]:
        """`spared` are the beginnings of modules that need not be there: all in a `try`, those beside it in an `if`."""
        for statement in body:
            match statement:
                case Import(aliases=(Alias(bound="*", module=module),)):
                    yield from self._starred(statement, module, file, within, spared)
                case Try():
                    yield from self._tried(statement, file, within, spared)
                case If(body=inner, otherwise=otherwise):
                    then, instead = (
                        tuple(self._spliced(each, file, within, (".", *spared))) for each in (inner, otherwise)
                    )
                    yield msgspec.structs.replace(statement, body=then, otherwise=instead)
                case _:
                    yield statement

    def _tried(self, statement: Try, file: str, within: frozenset[str], spared: tuple[str, ...]) -> Iterable[Statement]:
        """A `try` of a star import alone goes one way: that of the module that is there, or that of the handler."""
        handlers = statement.handlers
        inner = tuple(self._spliced(statement.body, file, within, ("",) if handlers else spared))
        if len(statement.body) == 1 and _is_starred(statement.body[0]) and handlers:
            if not inner:
                return (*handlers[0].body, *statement.finally_)
            if not _is_starred(inner[0]):
                return (*inner, *statement.otherwise, *statement.finally_)
        return (msgspec.structs.replace(statement, body=inner),)

    def _starred(
        self, statement: Statement, module: str, file: str, within: frozenset[str], spared: tuple[str, ...]
    ) -> Iterable[Statement]:
        """What `from module import *` brings; itself, where that is not known."""
        found = self._find(file.rpartition("/")[0], module)
        if found is None:
            # `local_settings.py`, say, which is not there for Django either.
            return () if module.startswith(spared) else (statement,)
        inner = self._expanded(found, within)
        return (statement,) if inner is None else inner

    def settings_named_in(self, folder: str) -> str | None:
        """The file of the settings that the `manage.py` in a folder names."""
        manage = f"{folder}/manage.py"
        facts = self._facts_of(manage) if self._is_file(manage) else None
        if facts is None:
            return None
        for statement in walk(facts.body):
            for expression in expressions(statement):
                module = _settings_module(expression)
                if module:
                    return self._file(folder, module.replace(".", "/"))
        return None


def _is_starred(statement: Statement) -> bool:
    return isinstance(statement, Import) and statement.aliases[0].bound == "*"


def hash_of(data: bytes | None) -> str:
    """The hash of a file's bytes, "" where they cannot be had."""
    return content_hash(data).hex() if data is not None else ""


def names_in(package: str) -> list[str]:
    """The names in a directory, sorted; none where it is no package."""
    return sorted(os.listdir(package)) if os.path.isfile(f"{package}/__init__.py") else []


def _site_packages(environment: str) -> tuple[str, ...]:
    """Where a virtual environment keeps packages, on Windows and elsewhere. Source: sysconfig.get_path_names"""
    directory = Path(environment)
    try:
        found = [*directory.glob("lib/python3*/site-packages"), *directory.glob("Lib/site-packages")]
    except ValueError:  # a path with a NUL, from Python 3.15 on; before, nothing is found there
        return ()
    return tuple(sorted(path.as_posix() for path in found))


def _settings_module(expression: Expr) -> str | None:
    """`config.settings` of `os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")`."""
    if not isinstance(expression, Call) or len(expression.arguments) != 2:
        return None
    name, module = expression.arguments
    if isinstance(name, Literal) and name.text == _SETTINGS_VARIABLE and isinstance(module, Literal):
        return module.text
    return None
