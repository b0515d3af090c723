"""The files of one root that were read, and all else that the disk was asked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from miglint.cache import Cache
from miglint.diagnostic import Diagnostic
from miglint.modules import Modules, hash_of, names_in
from miglint.project.disk import printable
from miglint.reading import WORTH_MEMORY, FileRead, Progress, file_content, read_files
from miglint.root import Root
from miglint.syntax.facts import ModuleFacts
from miglint.text import Source


class Asked(msgspec.Struct, array_like=True, frozen=True):
    """What the disk was asked: the hashes of files that were read, those read as text apart ("" of those that are not
    there), whether there is a file at a path, and the names in directories.
    """

    contents: dict[str, str] = {}
    texts: dict[str, str] = {}
    files: dict[str, bool] = {}
    names: dict[str, list[str]] = {}

    def without(self, other: Asked) -> Asked:
        """What was not asked then."""
        return Asked(
            *(
                {path: answer for path, answer in getattr(self, name).items() if path not in getattr(other, name)}
                for name in self.__struct_fields__
            )
        )


class Files:
    """Reads each file once. `progress` is told of those that are many."""

    def __init__(self, root: Root, progress: Progress | None) -> None:
        self._cache: Cache | None = root.cache
        self._jobs = root.options.jobs
        self._overlay: Mapping[str, bytes] = root.overlay
        self._progress = progress
        # A cache that knows nothing yet: all is to be read.
        self.are_new = not self._cache
        stated = root.settings.environment
        environment = (root.path / stated).as_posix() if stated is not None else None
        self.modules = Modules(root.path.as_posix(), self._facts_of, root.overlay, environment)
        if environment is not None and not self.modules.site_packages:
            root.notes.append(f"the environment {environment} has no packages: what is installed is not known")
        self._read: dict[str, FileRead] = {}
        self._guessed: dict[str, FileRead] = {}
        # The files that are read by LibCST: those on which something may be reported.
        self.reported_on: frozenset[str] = frozenset()

    def read(self, files: Iterable[str]) -> dict[str, FileRead]:
        """Reads what was not, and returns all that was read, by path."""
        missing = [file for file in dict.fromkeys(files) if file not in self._read]
        self._read |= {file: self._guessed.pop(file) for file in missing if file in self._guessed}
        missing = [file for file in missing if file not in self._read]
        if missing:
            self._read |= self._parsed(missing, self._progress if len(missing) > 1 else None)
        return self._read

    def _facts_of(self, file: str) -> ModuleFacts:
        return self.read([file])[file].facts

    def guess(self, files: Sequence[str]) -> None:
        """Reads files and what they most likely import at once; what nobody asks for afterwards counts as not read."""
        self._guessed = self._parsed([*files, *self.modules.imported_by(files)], self._progress)

    def report_on(self, files: Iterable[str]) -> None:
        """Has files read by LibCST, those too that were read quickly."""
        self.reported_on = frozenset(files)
        again = [file for file in self.reported_on if file in self._read]
        if again:
            self._read |= self._parsed(again, None)

    def _parsed(self, files: Sequence[str], progress: Progress | None) -> dict[str, FileRead]:
        return read_files(
            files,
            cache=self._cache,
            jobs=self._jobs,
            overlay=self._overlay,
            progress=progress,
            quickly=set(files) - self.reported_on,
        )

    def save(self) -> None:
        """Keeps what was read, the modules too that rules had read because the code of a migration imports them."""
        if self._cache is not None:
            self._cache.save()

    def let_go(self) -> None:
        """Of a large project, saves what is new, and gives back the memory of what facts are decoded from."""
        if self._cache is not None and len(self._read) > WORTH_MEMORY:
            self._cache.save()
            self._cache.let_go()
            for read in self._read.values():
                read.facts  # noqa: B018  (which lets go of what they are decoded from)

    # -- for findings --------------------------------------------------------------------------------

    def by_path(self) -> dict[str, FileRead]:
        """The files that were read, by the paths that are shown."""
        return {printable(file): read for file, read in self._read.items()}

    def sources(self, diagnostics: Iterable[Diagnostic]) -> dict[str, Source]:
        """The texts that findings are about, by path."""
        by_path = self.by_path()
        sources: dict[str, Source] = {}
        for diagnostic in diagnostics:
            for path in (diagnostic.path, *(related.path for related in diagnostic.related)):
                if path is not None and path in by_path and path not in sources:
                    sources[path] = by_path[path].source
        return sources

    # -- what was asked ------------------------------------------------------------------------------

    def asked(self) -> Asked:
        """What the disk was asked so far."""
        contents = {file: each.data_hash for file, each in self._read.items()}
        modules = self.modules
        return Asked(contents, dict(modules.texts), dict(modules.looked_for), dict(modules.listed))

    def take_over(self, asked: Asked) -> bool:
        """Counts as asked what a copy of this process asked; whether the disk gives the same answers here."""
        modules = self.modules
        modules.texts |= asked.texts
        modules.looked_for |= asked.files
        modules.listed |= asked.names
        return self.are_as_they_were(asked)

    def are_as_they_were(self, asked: Asked) -> bool:
        """Whether the disk gives the same answers."""
        read = self.read(asked.contents)
        return (
            all(read[file].data_hash == known for file, known in asked.contents.items())
            and all(hash_of(file_content(path)) == known for path, known in asked.texts.items())
            and all(os.path.isfile(path) is known for path, known in asked.files.items())
            and all(names_in(path) == known for path, known in asked.names.items())
        )
