"""What is not on the base branch, and what git does not have: commits and the index compared with the files here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from miglint.database import Version
from miglint.git import Blob, Repository
from miglint.project import disk, layout
from miglint.project.base import Base, Tracking
from miglint.project.disk import Module, printable
from miglint.project.graph import Graph
from miglint.project.keys import MigrationKey
from miglint.project.labels import is_django_migration
from miglint.project.layout import Layout, Package
from miglint.project.meaning import differences
from miglint.project.migration import Migration
from miglint.syntax.facts import ModuleFacts

# Gives the content of a file as it is read here, None where it cannot be read.
DataOf = Callable[[str], "bytes | None"]
# Gives the facts of files in commits, by object.
FactsOf = Callable[[Iterable[Blob]], Mapping[str, ModuleFacts]]
# Gives the migration that facts at a path mean.
Reads = Callable[[MigrationKey, str, ModuleFacts], Migration]


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings by which directories of a commit are told to be packages of migrations."""

    exclude: Sequence[str] = ()
    apps: Mapping[str, str] = {}
    migration_modules: Mapping[str, str | None] = {}
    installed_apps: Sequence[str] | None = None


class Other(msgspec.Struct, frozen=True):
    """A migration that a commit has and the directory here has not. `package` is the one it would be in here."""

    package: Package | None
    group: str
    key: MigrationKey
    path: str
    facts: ModuleFacts


class Comparison:
    """One project root beside the base branch: read once, asked by each Django project in it.

    `released` are the files here that the merge base has, wherever it had them, `changed` those of them that have
    another text here. Raises GitError when made.
    """

    def __init__(
        self,
        found: Layout,
        repository: Repository,
        ref: str,
        *,
        surroundings: Surroundings,
        data_of: DataOf,
        facts_of: FactsOf,
    ) -> None:
        self._found = found
        self._root = repository.directory
        self._surroundings = surroundings
        self._excluded = disk.excluder(surroundings.exclude)
        self._data_of = data_of
        self._facts_of = facts_of
        self.ref = ref
        self.merge_base = repository.merge_base(ref)
        self.tip = tip = repository.commit(ref)
        self._old = repository.files(self.merge_base)
        self._new = self._old if tip == self.merge_base else repository.files(tip)
        self._old_names = _by_directory(self._old)
        self._new_names = self._old_names if self._new is self._old else _by_directory(self._new)
        self._moved_from: dict[str, Package] = {}
        self._origins: dict[Package, str] = {}
        self._places: dict[str, str] = {}
        self._blobs: dict[str, Blob] = {}
        self._find_origins()
        self.released = frozenset(self._blobs)
        self._changed = self._facts(dict(self._edited()))
        self.changed = frozenset(self._changed)
        self._gone = tuple(self._of_commit(self._absent(), self._old))
        self._clashing: dict[str, ModuleFacts] = {}
        self._theirs: dict[str, ModuleFacts] = {}
        self._dropped: set[str] = set()
        self._ahead: tuple[Other, ...] = ()
        if self._new is not self._old:
            self._look_ahead()

    # -- where files were ----------------------------------------------------------------------------

    def _find_origins(self) -> None:
        for package in self._found.packages:
            directory = _directory(package)
            real = self._real(directory)
            origin = next((each for each in (directory, real) if each in self._old_names), None)
            if origin is not None:
                self._origins[package] = origin
        left = self._left_behind()
        for package in self._found.packages:
            if package not in self._origins and package.label in left:
                self._origins[package] = left.pop(package.label).directory
        self._moved_from = left
        for package, origin in self._origins.items():
            for module in package.modules:
                place = f"{origin}/{_file_name(module)}"
                if place in self._old:
                    self._places[module.file] = place
                    self._blobs[module.file] = self._old[place]

    def _left_behind(self) -> dict[str, Package]:
        """The packages of the merge base whose directory holds none any more, by label."""
        taken = set(self._origins.values())
        left = [
            directory
            for directory, names in self._old_names.items()
            if directory not in taken
            and self._may_hold_migrations(directory, names)
            and not all(os.path.lexists(f"{directory}/{name}") for name in names if disk.is_module(name))
        ]
        return {package.label: package for package in self._packages(left)}

    def _may_hold_migrations(self, directory: str, names: Iterable[str]) -> bool:
        below = directory[len(self._root) + 1 :]
        if self._excluded(below) or any(disk.is_skipped(part) for part in below.split("/")):
            return False
        return any(disk.is_module(name) for name in names) and (
            self._is_named_so(directory) or any(disk.is_numbered(name) for name in names)
        )

    def _is_named_so(self, directory: str) -> bool:
        targets = (disk.target_path(target) for target in self._surroundings.migration_modules.values())
        return directory.endswith(("/migrations", *(f"/{target}" for target in targets if target)))

    def _packages(self, directories: Iterable[str]) -> tuple[Package, ...]:
        """Which directories of the merge base hold Django's migrations, and whose."""
        listed = [self._listed(directory) for directory in directories]
        wanted = [path for each in listed for path in (*(module.file for module in each.modules), *each.app_files)]
        facts = self._facts({path: self._old[path] for path in wanted})
        found = layout.interpret(
            disk.Walk(self._root, tuple(listed)),
            facts.get,
            apps={},
            migration_modules=self._surroundings.migration_modules,
            installed_apps=self._surroundings.installed_apps,
        )
        return found.packages

    def _listed(self, directory: str) -> disk.Directory:
        names = self._old_names[directory]
        parents = [directory.rpartition("/")[0], directory.rpartition("/")[0].rpartition("/")[0]]
        app_files = (f"{parent}/{name}" for parent in parents for name in ("apps.py", "apps/__init__.py"))
        return disk.Directory(
            directory,
            tuple(_module(f"{directory}/{name}") for name in sorted(names) if disk.is_module(name)),
            "__init__.py" in names,
            self._group(directory),
            not self._is_named_so(directory),
            tuple(file for file in app_files if file in self._old),
        )

    def _group(self, directory: str) -> str:
        while len(directory) > len(self._root):
            if any(f"{directory}/{marker}" in self._old for marker in disk.MARKERS):
                return directory[len(self._root) + 1 :]
            directory = directory.rpartition("/")[0]
        return ""

    def _real(self, path: str) -> str:
        """A path below the root without links, where it leads to a place below the root."""
        real, root = os.path.realpath(path).replace(os.sep, "/"), os.path.realpath(self._root).replace(os.sep, "/")
        return self._root + real[len(root) :] if real.startswith(f"{root}/") else path

    # -- what differs --------------------------------------------------------------------------------

    def _facts(self, blobs: Mapping[str, Blob]) -> dict[str, ModuleFacts]:
        """By the keys of `blobs`. Links are not followed into a commit."""
        readable = {key: blob for key, blob in blobs.items() if not blob.is_link}
        facts = self._facts_of(readable.values())
        return {key: facts[blob.object] for key, blob in readable.items()}

    def _edited(self) -> Iterator[tuple[str, Blob]]:
        """What has neither the text of the merge base nor that of the branch itself."""
        for file, blob in self._blobs.items():
            if not self._holds(blob, file):
                tip = self._tip_of(file)
                if tip is None or not self._holds(tip, file):
                    yield file, blob

    def _tip_of(self, file: str) -> Blob | None:
        """The branch's own file for one that the merge base has."""
        return self._new.get(self._places[file]) if self._new is not self._old else None

    def _holds(self, blob: Blob, file: str) -> bool:
        """Whether a file has a blob's content; line ends may have been converted when it was checked out."""
        data = self._data_of(file)
        if data is None or blob.is_link:
            return True  # it cannot be told
        return blob.holds(data) or (b"\r\n" in data and blob.holds(data.replace(b"\r\n", b"\n")))

    def _absent(self) -> Iterator[tuple[Package | None, str, str, str]]:
        """Package here, group, label and old path of what may have been a migration and has no file here."""
        for package, origin in self._origins.items():
            here = {module.name for module in package.modules}
            for path in self._modules(origin, self._old_names[origin]):
                if _name(path) not in here and not os.path.lexists(f"{_directory(package)}/{os.path.basename(path)}"):
                    yield package, package.group, package.label, path
        for label, package in self._moved_from.items():
            for module in package.modules:
                yield None, package.group, label, module.file

    def _modules(self, directory: str, names: Iterable[str]) -> Iterator[str]:
        for name in sorted(names):
            if disk.is_module(name) and not self._excluded(f"{directory}/{name}"[len(self._root) + 1 :]):
                yield f"{directory}/{name}"

    def _of_commit(
        self, entries: Iterable[tuple[Package | None, str, str, str]], files: Mapping[str, Blob]
    ) -> Iterator[Other]:
        """The entries that are migrations. What the branch itself has removed by now is not missed."""
        found = [entry for entry in entries if entry[3] in self._new]
        facts = self._facts({path: files[path] for _, _, _, path in found})
        for package, group, label, path in found:
            if path in facts and is_django_migration(facts[path]):
                yield Other(package, group, MigrationKey(label, _name(path)), printable(path), facts[path])

    def _look_ahead(self) -> None:
        """What the branch did meanwhile to the apps that have new migrations here."""
        ahead: list[tuple[Package | None, str, str, str]] = []
        clashing: dict[str, Blob] = {}
        theirs: dict[str, Blob] = {}
        for package in self._found.packages:
            if all(module.file in self.released for module in package.modules):
                continue
            directory = self._origins.get(package, _directory(package))
            here = {_file_name(module): module for module in package.modules}
            old, new = self._old_names.get(directory, frozenset()), self._new_names.get(directory, frozenset())
            for path in self._modules(directory, new - old):
                module = here.get(os.path.basename(path))
                if module is None:
                    ahead.append((package, package.group, package.label, path))
                elif not self._holds(self._new[path], module.file):
                    clashing[module.file] = self._new[path]
            for module in package.modules:
                if module.file in self.released and module.file not in self._changed:
                    tip = self._new.get(f"{directory}/{_file_name(module)}")
                    if tip is None:
                        self._dropped.add(module.file)
                    elif tip.object != self._blobs[module.file].object:
                        theirs[module.file] = tip
        self._clashing = self._facts(clashing)
        self._theirs = self._facts(theirs)
        self._ahead = tuple(self._of_commit(ahead, self._new))

    # -- asking --------------------------------------------------------------------------------------

    @property
    def has_gone(self) -> bool:
        return bool(self._gone)

    def base(
        self,
        part: layout.Project,
        migrations: Mapping[str, Migration],
        reads: Reads,
        *,
        swappable: Mapping[str, str],
        django_version: Version,
    ) -> Base:
        """The base branch of one Django project, whose migrations are given by file."""

        def read(facts: Mapping[str, ModuleFacts]) -> dict[MigrationKey, Migration]:
            here = {file: migrations[file] for file in facts if file in migrations}
            return {m.key: reads(m.key, m.path, facts[file]) for file, m in here.items()}

        here = {migration.key: migration for migration in migrations.values()}
        changed, clashing = read(self._changed), read(self._clashing)
        theirs = read(self._theirs)
        gone = tuple(reads(other.key, other.path, other.facts) for other in self._gone if self._is_of(other, part))
        ahead = {o.key: reads(o.key, o.path, o.facts) for o in self._ahead if o.package in part.own}
        squashes = (*changed.values(), *gone, *here.values())
        replaced_by = {d.key: squash.key for squash in squashes for d in squash.replaces if d.key is not None}
        merged = None
        if ahead:
            left = {migration.key: migration for file, migration in migrations.items() if file not in self._dropped}
            after = {**left, **theirs, **ahead}.values()
            merged = Graph.build(after, swappable=swappable, django_version=django_version)
        return Base(
            ref=self.ref,
            merge_base=self.merge_base,
            tip=self.tip,
            edited=_differing(changed, here, replaced_by),
            clashing=_differing(clashing, here, replaced_by),
            replaced_by=replaced_by,
            gone=gone,
            ahead=ahead,
            merged=merged,
        )

    def _is_of(self, other: Other, part: layout.Project) -> bool:
        if other.package is not None:
            return other.package in part.own
        homes = [p for p in self._found.projects if any(package.group == other.group for package in p.own)]
        return part == next(iter([*homes, *self._found.projects]), part)


def _differing(
    there: Mapping[MigrationKey, Migration],
    here: Mapping[MigrationKey, Migration],
    replaced_by: Mapping[MigrationKey, MigrationKey],
) -> dict[MigrationKey, tuple[str, ...]]:
    """What differs in meaning, by migration."""
    found = ((key, differences(old, here[key], replaced_by)) for key, old in there.items())
    return {key: words for key, words in found if words}


def tracking(found: Layout, repository: Repository) -> Tracking:
    """What git does not have of the packages here. Raises GitError.

    A package of which git has nothing at all, not even of its app, is somebody else's: a copy, an environment.
    """
    untracked: set[str] = set()
    candidates: set[str] = set()
    for package in found.packages:
        directory = _directory(package)
        own = [module.file for module in package.modules]
        missing = [
            file
            for file in (*own, *([f"{directory}/__init__.py"] if package.has_init else []))
            if file not in repository.tracked and _is_inside(file, repository)
        ]
        untracked.update(missing)
        app = directory.rpartition("/")[0] + "/"
        if missing and any(file.startswith(app) for file in repository.tracked):
            candidates.update(missing)
    ignored = repository.ignored(sorted(candidates))
    return Tracking(
        ignored={printable(file): pattern for file, pattern in ignored.items()},
        untracked=frozenset(printable(file) for file in untracked - ignored.keys()),
    )


def _is_inside(file: str, repository: Repository) -> bool:
    """Whether a file that git does not know under this name is in the work tree, and under no other name known."""
    real = os.path.realpath(file).replace(os.sep, "/")
    root = os.path.realpath(repository.directory).replace(os.sep, "/")
    return real.startswith(f"{root}/") and repository.directory + real[len(root) :] not in repository.tracked


def _by_directory(files: Iterable[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for path in files:
        if path.endswith(".py"):
            directory, _, name = path.rpartition("/")
            found.setdefault(directory, set()).add(name)
    return {directory: frozenset(names) for directory, names in found.items()}


def _directory(package: Package) -> str:
    """The directory as it is opened: `Package.directory` is only printable."""
    return package.modules[0].file.rpartition("/")[0] if package.modules else package.directory


def _file_name(module: Module) -> str:
    return module.file.rpartition("/")[2]


def _name(path: str) -> str:
    return printable(path.rpartition("/")[2].removesuffix(".py"))


def _module(file: str) -> Module:
    return Module(printable(file), _name(file), file)
