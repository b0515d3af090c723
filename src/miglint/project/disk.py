"""What is on the disk: the project that a path belongs to, and the directories in it that may hold migrations."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from miglint.syntax.facts import MAX_SIZE

# Never entered, dot-directories besides: other people's code and generated files.
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "dist-packages"})
# Where one of these stands, a Django project (or a distribution with its own apps) begins.
_MANAGE = "manage.py"
MARKERS = frozenset({_MANAGE, "pyproject.toml", "setup.py", "setup.cfg"})
_SETTINGS = ("miglint.toml", "pyproject.toml")
# 0001_, 10437_, 008_, 0162b_ and with hyphens: what real migrations outside `migrations` are called.
_NUMBERED = re.compile(r"\d{2,}[a-z]?[-_]")
_DEFINES_MIGRATION = re.compile(rb"^[ \t]*(class[ \t]+Migration\b|Migration[ \t]*=|from .*\bMigration\b)", re.M)
_DEFINES_APP = re.compile(rb"^[ \t]+(name|label)[ \t]*[=:]", re.M)
_PROBED = 8


# -- the project of a path ----------------------------------------------------------------------------


def project_root(path: Path) -> Path:
    """The root of the project that a path belongs to.

    The nearest ancestor with miglint's settings, else with `manage.py`, else the git root, else the directory
    itself. A path inside an installed distribution does not belong to the project whose environment that is.
    """
    start = Path(os.path.abspath(path))
    if not os.path.isdir(start):
        start = start.parent
    ancestors: list[Path] = []
    for directory in (start, *start.parents):
        if directory.name in ("site-packages", "dist-packages") and directory != start:
            break
        ancestors.append(directory)
    tests: tuple[Callable[[Path], bool], ...] = (
        has_settings,
        lambda directory: os.path.isfile(directory / _MANAGE),
        lambda directory: os.path.lexists(directory / ".git"),
    )
    for holds in tests:
        for directory in ancestors:
            if holds(directory):
                return directory
    return start


def has_settings(directory: Path) -> bool:
    """Whether a directory has a `miglint.toml`, or a `pyproject.toml` with a table `tool.miglint`."""
    if os.path.isfile(directory / "miglint.toml"):
        return True
    data = _content(f"{directory.as_posix()}/pyproject.toml")
    if b"miglint" not in data:
        return False
    import tomli  # most projects never need it

    try:
        tool = tomli.loads(data.decode("utf-8-sig")).get("tool")
    except (ValueError, RecursionError):  # what is no UTF-8 or no TOML, too long or too deep
        # Broken settings are still settings: whoever loads them says what is wrong.
        return re.search(rb"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*miglint\b", data, re.M) is not None
    return isinstance(tool, dict) and "miglint" in tool


# -- what is on the disk ------------------------------------------------------------------------------


class Problem(msgspec.Struct, frozen=True):
    """Something on the disk that could not be looked at, or a setting that fits nothing there."""

    path: str
    message: str


class Module(msgspec.Struct, frozen=True):
    """A Python file in a directory of migrations.

    `path` is absolute with POSIX separators, and printable. `file` is what the file is opened by: the same,
    unless its name is not UTF-8.
    """

    path: str
    name: str
    file: str


class Directory(msgspec.Struct, frozen=True):
    """A directory that may hold migrations, and the modules that Django would import from it.

    `no_files` are called as modules are, and are none: links that lead nowhere, pipes, directories.
    """

    path: str
    modules: tuple[Module, ...]
    has_init: bool
    group: str
    by_content: bool = False
    app_files: tuple[str, ...] = ()
    no_files: tuple[str, ...] = ()


class Walk(msgspec.Struct, frozen=True):
    """What a walk over a project's directories found."""

    root: str
    directories: tuple[Directory, ...] = ()
    problems: tuple[Problem, ...] = ()
    # Directories with a `manage.py`, and those below the root that have settings of miglint's own.
    managed: tuple[str, ...] = ()
    with_settings: tuple[str, ...] = ()
    # What globs took out, relative to the root.
    excluded: tuple[str, ...] = ()

    @property
    def manager(self) -> str | None:
        """The directory with the only `manage.py`, None where there are several.

        One in a directory of tests does not count: tests of a library run on another database, and with other models,
        than those who install it.
        """
        found = [path for path in self.managed if not is_of_tests(path.removeprefix(self.root))]
        return found[0] if len(found) == 1 else None

    @property
    def migration_files(self) -> frozenset[str]:
        """The files of the modules in directories that may hold migrations."""
        return frozenset(module.file for directory in self.directories for module in directory.modules)

    @property
    def files(self) -> tuple[str, ...]:
        """Every file whose facts `interpret` asks for, once each."""
        found: dict[str, None] = {}
        for directory in self.directories:
            found.update(dict.fromkeys(module.file for module in directory.modules))
            found.update(dict.fromkeys(directory.app_files))
        return tuple(found)


def walk(
    root: Path,
    *,
    exclude: Sequence[str] = (),
    migration_modules: Mapping[str, str | None] | None = None,
    also: Iterable[str] = (),
) -> Walk:
    """The directories under `root` that may hold migrations.

    `exclude` are path globs relative to the root. `also` are absolute paths of files that are taken to exist
    (an editor's new buffer). Nothing is raised: what cannot be read is a problem of the walk.
    """
    return _Walker(root, excluder(exclude), migration_modules or {}, also).walk()


def excluder(patterns: Sequence[str]) -> Callable[[str], bool]:
    """A test for paths relative to the root: is it, or a directory above it, matched by a glob?

    `*` and `?` stay within a name, `**` crosses directories; a pattern without a slash matches at any depth.
    """
    if not patterns:
        return lambda path: False
    expression = re.compile("|".join(f"(?:{_translate(pattern)})" for pattern in patterns))
    return lambda path: expression.match(path) is not None


def _translate(pattern: str) -> str:
    pattern = pattern.replace("\\", "/").removeprefix("./").rstrip("/")
    anchored = "/" in pattern
    pattern = pattern.lstrip("/").removesuffix("/**")
    regex = "" if anchored else "(?:.*/)?"
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            regex, at = regex + "(?:.*/)?", at + 3
        elif pattern.startswith("**", at):
            regex, at = regex + ".*", at + 2
        elif (choice := re.match(r"\[([!^]?)(\]?[^\]/]*)\]", pattern[at:])) is not None:
            characters = choice[2].replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]").replace("^", r"\^")
            regex, at = f"{regex}[{'^/' if choice[1] else ''}{characters}]", at + choice.end()
        else:
            regex, at = regex + {"*": "[^/]*", "?": "[^/]"}.get(pattern[at], re.escape(pattern[at])), at + 1
    return regex + r"(?:/.*)?\Z"


class _Listing(msgspec.Struct):
    """One directory as it was listed."""

    python: set[str] = set()
    no_files: set[str] = set()
    folders: list[str] = []
    links: list[str] = []
    is_project: bool = False
    is_environment: bool = False
    may_have_settings: bool = False


class _Walker:
    """One walk. Directories are kept by their real paths too, so that links lead nowhere twice."""

    def __init__(
        self,
        root: Path,
        excluded: Callable[[str], bool],
        migration_modules: Mapping[str, str | None],
        also: Iterable[str],
    ) -> None:
        self._root = Path(os.path.abspath(root)).as_posix()
        self._prefix = self._root.rstrip("/") + "/"
        self._is_excluded = excluded
        self._excluded: list[str] = []
        self._targets = {path for target in migration_modules.values() if (path := target_path(target))}
        self._also: dict[str, set[str]] = {}
        for file in also:
            folder, _, name = file.replace(os.sep, "/").rpartition("/")
            self._also.setdefault(folder, set()).add(name)
        self._found: list[Directory] = []
        self._problems: list[Problem] = []
        self._managed: list[str] = []
        self._with_settings: list[str] = []
        self._visited: set[str] = set()

    def walk(self) -> Walk:
        real_root = _real(self._root) or self._root
        stack = [(self._root, real_root, "")]
        links: list[tuple[str, str]] = []
        while stack or links:
            if not stack:
                # Links come last: a directory reached both ways is known by its own path.
                path, group = links.pop(0)
                leads_to = _real(path)
                if leads_to is None or (real_root + "/").startswith(leads_to.rstrip("/") + "/"):
                    continue
                if not os.path.isdir(leads_to):
                    continue
                stack.append((path, leads_to, group))
            path, real, group = stack.pop()
            if real in self._visited:
                continue
            self._visited.add(real)
            listing = self._list(path)
            if listing is None or (listing.is_environment and path != self._root):
                continue
            if listing.is_project:
                group = path[len(self._prefix) :]
            if _MANAGE in listing.python:
                self._managed.append(path)
            if listing.may_have_settings and path != self._root and has_settings(Path(path)):
                self._with_settings.append(path)
            self._consider(path, listing, group)
            real = real.rstrip("/")
            stack.extend((self._join(path, name), f"{real}/{name}", group) for name in listing.folders)
            links.extend((self._join(path, name), group) for name in listing.links)
        self._add_unwritten()
        return Walk(
            self._root,
            tuple(sorted(self._found, key=lambda directory: directory.path)),
            tuple(sorted(self._problems, key=lambda problem: problem.path)),
            tuple(sorted(self._managed)),
            tuple(sorted(self._with_settings)),
            tuple(sorted(self._excluded)),
        )

    def _join(self, path: str, name: str) -> str:
        return f"{path}/{name}" if path != "/" else f"/{name}"

    def _list(self, path: str) -> _Listing | None:
        listing = _Listing(python=set(self._also.get(path, ())))
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    self._sort_in(entry, listing)
        except OSError as error:
            self._problems.append(Problem(printable(path), f"cannot read the directory: {error.strerror}"))
            return None
        below = self._below(path)
        for names in (listing.folders, listing.links):
            names[:] = [name for name in names if not (self._takes_out(below + name) or _is_built(below + name))]
        listing.folders.sort(reverse=True)
        listing.links.sort()
        return listing

    def _sort_in(self, entry: os.DirEntry[str], listing: _Listing) -> None:
        name = entry.name
        if name in MARKERS:
            listing.is_project = True
        if name.endswith(".py"):
            (listing.python if _is_file(entry) else listing.no_files).add(name)
        elif name in _SETTINGS:
            listing.may_have_settings = True
        elif name == "pyvenv.cfg":
            listing.is_environment = True
        elif not is_skipped(name):
            if entry.is_dir(follow_symlinks=False):
                listing.folders.append(name)
            elif entry.is_symlink():
                listing.links.append(name)

    def _consider(self, path: str, listing: _Listing, group: str) -> None:
        """Keep a directory that may hold migrations."""
        names = [name for name in listing.python if is_module(name)]
        if not names:
            return
        folder = path.rpartition("/")[2]
        by_content = folder != "migrations" and not any(path.endswith("/" + target) for target in self._targets)
        if by_content and not self._looks_numbered(path, names):
            return
        # A package hides the module of its name, and Django skips packages. Source: pkgutil.iter_modules
        packages = {
            name + ".py"
            for name in listing.folders
            if name + ".py" in listing.python and os.path.isfile(f"{path}/{name}/__init__.py")
        }
        below = self._below(path)
        modules = tuple(
            Module(printable(self._join(path, name)), printable(name[:-3]), self._join(path, name))
            for name in sorted(names)
            if name not in packages and not self._takes_out(below + name)
        )
        if modules:
            has_init = "__init__.py" in listing.python
            files = tuple(self._app_files(path))
            others = (name for name in sorted(listing.no_files - listing.python) if is_module(name))
            no_files = tuple(printable(self._join(path, name)) for name in others if not self._takes_out(below + name))
            self._found.append(Directory(path, modules, has_init, group, by_content, files, no_files))

    def _below(self, path: str) -> str:
        """What stands before the names in a directory, seen from the root."""
        below = path[len(self._prefix) :]
        return f"{below}/" if below else ""

    def _takes_out(self, below: str) -> bool:
        """Whether a glob takes a path out."""
        if not self._is_excluded(below):
            return False
        self._excluded.append(below)
        return True

    def _looks_numbered(self, path: str, names: list[str]) -> bool:
        """Whether a directory of any name may hold migrations: by names first, then by a glance at a few."""
        if "/migrations/" in path:
            return False
        folder = path.rpartition("/")[2]
        if "migrations" not in folder:
            names = [name for name in names if _NUMBERED.match(name)]
        extra = self._also.get(path, set())
        return any(
            name in extra or _DEFINES_MIGRATION.search(_content(f"{path}/{name}")) for name in sorted(names)[:_PROBED]
        )

    def _app_files(self, path: str) -> Iterator[str]:
        """The files that may hold the AppConfig of the app whose migrations are in `path`."""
        parent = path.rpartition("/")[0]
        grandparent = parent.rpartition("/")[0]
        for folder in (parent, grandparent):
            for file in (f"{folder}/apps.py", f"{folder}/apps/__init__.py"):
                if folder and self._exists(file):
                    yield file
        for file in (f"{parent}/config.py", f"{parent}/__init__.py"):
            if self._exists(file) and _DEFINES_APP.search(_content(file)):
                yield file

    def _exists(self, file: str) -> bool:
        folder, _, name = file.rpartition("/")
        return name in self._also.get(folder, ()) or os.path.isfile(file)

    def _add_unwritten(self) -> None:
        """Files that exist nowhere but in an editor, in directories that do not exist either."""
        for path, names in sorted(self._also.items()):
            if not path.startswith(self._prefix) or os.path.isdir(path) or self._takes_out(path[len(self._prefix) :]):
                continue
            self._consider(path, _Listing(python=set(names)), "")


def _real(path: str) -> str | None:
    """Where a path leads, None where links of other processes in `/proc` do not say."""
    try:
        return os.path.realpath(path).replace(os.sep, "/")
    except OSError:
        return None


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a regular file, or a link to one: no FIFO, socket, device or dangling link."""
    try:
        return entry.is_file()
    except OSError:
        return False


def is_module(name: str) -> bool:
    """Whether Django imports a file `name.py` as a migration. Source: MigrationLoader.load_disk and pkgutil."""
    return name[0] not in "_~" and "." not in name[:-3]


def is_numbered(name: str) -> bool:
    """Whether a file is called as migrations are."""
    return _NUMBERED.match(name) is not None


def is_skipped(name: str) -> bool:
    """Whether a directory is never entered."""
    return name[:1] == "." or name in _SKIPPED


def _is_built(below: str) -> bool:
    """Whether a directory is a copy of the packages that setuptools made: `build/lib`, `build/lib.linux-x86_64-3.12`.

    Source: setuptools' command `build`, its `build_purelib` and `build_platlib`
    """
    return re.search(r"(?:^|/)build/lib(?:\.[^/]*)?\Z", below) is not None


def _content(file: str) -> bytes:
    """A regular file's bytes, none where it cannot be read: what it would have said is unknown."""
    if not os.path.isfile(file):  # a pipe would be waited for
        return b""
    try:
        with open(file, "rb") as stream:
            return stream.read(MAX_SIZE)
    except OSError:
        return b""


def printable(path: str) -> str:
    """A path that can be written: bytes that are not UTF-8 become escapes such as \\xe9."""
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def target_path(module: str | None) -> str:
    """`dojo/db_migrations` for `dojo.db_migrations`."""
    return (module or "").replace(".", "/")


def is_of_tests(path: str) -> bool:
    """Whether a directory is one of tests, or in one."""
    return any(part.startswith("test") for part in path.split("/"))
