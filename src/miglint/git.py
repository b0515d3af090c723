"""What git knows of a project: commits, the files in them, and which files it ignores. Nothing is ever changed.

Names of files and refs reach git through its standard input or after `--end-of-options`, never as something that
could be an option; hooks, pagers, file system monitors and prompts are switched off.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from miglint.lazy import lazy

if TYPE_CHECKING:
    import subprocess

_HARDENED = ("--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
# A hook's environment speaks of the repository it runs in, which need not be that of the project.
_FOREIGN = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
)
# What may be the name of a branch or a commit, and not an expression such as `HEAD~3`.
_NAME = re.compile(r"\w[\w./-]*")
_SYMLINK, _SUBMODULE = "120000", "160000"
# Seconds after which git is held to wait for what never comes; the slowest answer is that of a cold disk.
_PATIENCE = 120


class GitError(Exception):
    """What git cannot answer; one sentence that says what to do."""


class Blob(msgspec.Struct, frozen=True):
    """A file in a commit: its object, and the repository (a submodule has its own) that holds it.

    `is_link` is true for a symbolic link, whose content is where it points.
    """

    object: str
    repository: Repository
    is_link: bool = False

    def holds(self, data: bytes) -> bool:
        """Whether the content is exactly `data`. Source: gitglossary, blob object."""
        algorithm = hashlib.sha256 if len(self.object) == 64 else hashlib.sha1
        header = b"blob %d\0" % len(data)
        return algorithm(header + data, usedforsecurity=False).hexdigest() == self.object


class Repository(msgspec.Struct, frozen=True, eq=False, dict=True):
    """A directory in a work tree. All paths given and taken are absolute, below `directory`, with `/`.

    `prefix` is where the directory is in the work tree ("" is its top); git itself sees through links, so that the
    two need not be written alike.
    """

    directory: str
    prefix: str
    git_directory: str
    is_shallow: bool

    @classmethod
    def of(cls, directory: str) -> Repository | None:
        """The repository whose work tree a directory is in; None where there is none. Raises GitError."""
        asked = ("--is-inside-work-tree", "--show-prefix", "--absolute-git-dir", "--is-shallow-repository")
        done = _run(directory, ("rev-parse", *asked), {})
        words = _words(done.stderr)
        if done.returncode == 0:
            answers = os.fsdecode(done.stdout).split("\n")
            if answers[0] == "false":
                return None
            if len(answers) != 5:
                raise GitError(f"the path of the repository has a line end in it: {directory!r}")
            return cls(directory.rstrip("/"), answers[1].rstrip("/"), Path(answers[2]).as_posix(), answers[3] == "true")
        if "dubious ownership" in words:
            raise GitError(
                f"git does not trust the repository of {directory}, which another user owns: "
                f"`git config --global --add safe.directory '{directory}'`"
            )
        if "not a git repository" in words and not _is_broken(directory):
            return None
        raise GitError(f"git cannot read the repository of {directory}: {words}")

    # -- commits -------------------------------------------------------------------------------------

    def commit(self, ref: str) -> str:
        """The commit that a ref means. Raises GitError."""
        found = self._commit(ref)
        if found is None:
            raise GitError(f"git knows no commit {ref!r}: {self._way_to(ref)}")
        return found

    def head(self) -> str:
        """The commit that is checked out. Raises GitError."""
        found = self._commit("HEAD")
        if found is None:
            raise GitError(f"the branch that is checked out in {self.directory} has no commit yet: commit first")
        return found

    def merge_base(self, ref: str) -> str:
        """Where HEAD's branch left that of a ref. Raises GitError."""
        head, commit = self.head(), self.commit(ref)
        done = self._git("merge-base", head, commit)
        if done.returncode == 0:
            return done.stdout.decode("ascii").split()[0]
        if self.is_shallow:
            raise GitError(
                f"this clone is shallow and does not reach the merge base of {ref!r} and HEAD: "
                "`git fetch --unshallow` (with actions/checkout: `fetch-depth: 0`; in GitLab: `GIT_DEPTH: 0`)"
            )
        raise GitError(f"{ref!r} and HEAD have no commit in common: name the branch that this one started from")

    def _commit(self, ref: str) -> str | None:
        if not ref or "\n" in ref or "\0" in ref:
            return None
        done = self._git("cat-file", "--batch-check", stdin=os.fsencode(f"{ref}^{{commit}}\n"))
        words = done.stdout.split()
        return words[0].decode("ascii") if len(words) == 3 and words[1] == b"commit" else None

    def _way_to(self, ref: str) -> str:
        """What makes a missing ref known."""
        if _NAME.fullmatch(ref) is None:
            return "name a branch or a commit that exists"
        remotes = self._git("remote").stdout.decode("utf-8", "replace").split()
        unshallow = " --unshallow" if self.is_shallow else ""
        for remote in remotes:
            branch = ref.removeprefix(f"{remote}/")
            if branch != ref and branch:
                return f"`git fetch{unshallow} {remote} {branch}:refs/remotes/{ref}`"
            if self._commit(f"refs/remotes/{remote}/{ref}") is not None:
                return f"did you mean {remote}/{ref}?"
        if remotes:
            return f"`git fetch{unshallow} {remotes[0]} {ref}` and `--since FETCH_HEAD`, or name a branch that exists"
        return "name a branch that exists (`git branch --all`)"

    # -- files ---------------------------------------------------------------------------------------

    def files(self, commit: str) -> dict[str, Blob]:
        """The files of a commit below the directory. Raises GitError."""
        done = self._git("ls-tree", "-r", "-z", "--full-tree", f"{commit}:{self.prefix}")
        if done.returncode:
            if self.prefix and self._is_absent(f"{commit}:{self.prefix}"):
                return {}  # the directory is younger than the commit
            raise GitError(f"git cannot list the files of {commit[:10]}: {_words(done.stderr)}")
        found: dict[str, Blob] = {}
        for header, path in self._entries(done.stdout):
            mode, _, object_ = header.split(" ")
            if mode == _SUBMODULE:
                found |= _submodule(path, object_)
            else:
                found[path] = Blob(object_, self, mode == _SYMLINK)
        return found

    def _is_absent(self, name: str) -> bool:
        done = self._git("cat-file", "--batch-check", stdin=os.fsencode(f"{name}\n"))
        return done.stdout.endswith(b" missing\n")

    def _entries(self, output: bytes) -> Iterator[tuple[str, str]]:
        for entry in output.split(b"\0")[:-1]:
            header, _, name = entry.partition(b"\t")
            yield header.decode("ascii"), f"{self.directory}/{os.fsdecode(name)}"

    def contents(self, objects: Iterable[str]) -> dict[str, bytes]:
        """The content of each object. Raises GitError."""
        wanted = list(dict.fromkeys(objects))
        done = self._git("cat-file", "--batch", stdin="".join(f"{each}\n" for each in wanted).encode("ascii"))
        found: dict[str, bytes] = {}
        at = 0
        for object_ in wanted:
            end = done.stdout.find(b"\n", at)
            header = done.stdout[at:end].split()
            if len(header) != 3:
                raise GitError(
                    f"git cannot read the object {object_[:10]}: {_words(done.stderr) or 'it is missing'}; "
                    "`git fetch` may bring it, `git fsck` tells more"
                )
            size = int(header[2])
            found[object_] = done.stdout[end + 1 : end + 1 + size]
            at = end + size + 2
        return found

    @lazy
    def tracked(self) -> frozenset[str]:
        """The files in the index, those of submodules included. Raises GitError."""
        done = self._git("ls-files", "-z", "--cached", "--stage")
        if done.returncode:
            raise GitError(f"git cannot list the files of {self.directory}: {_words(done.stderr)}")
        found: set[str] = set()
        for header, path in self._entries(done.stdout):
            if header.startswith(_SUBMODULE):
                inner = _checked_out(path)
                found |= inner.tracked if inner is not None else frozenset()
            else:
                found.add(path)
        return frozenset(found)

    def ignored(self, paths: Iterable[str]) -> dict[str, str]:
        """Which of these untracked files git ignores, each with the place and the pattern (`.gitignore:3: build/`)."""
        names = b"".join(os.fsencode(path[len(self.directory) + 1 :]) + b"\0" for path in paths)
        if not names:
            return {}
        done = self._git("check-ignore", "-z", "-v", "--stdin", stdin=names)
        if done.returncode not in (0, 1):
            raise GitError(f"git cannot tell what it ignores: {_words(done.stderr)}")
        words = done.stdout.split(b"\0")[:-1]
        return {
            f"{self.directory}/{os.fsdecode(name)}": f"{os.fsdecode(source)}:{line.decode()}: {os.fsdecode(pattern)}"
            for source, line, pattern, name in zip(*(iter(words),) * 4, strict=False)
            if not pattern.startswith(b"!")
        }

    def _git(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        # `git commit FILE` shows its hooks an index of its own: what is about to be committed. It may be relative to
        # the top of the work tree, where hooks run.
        index = os.environ.get("GIT_INDEX_FILE", "")
        top = self.directory.removesuffix(self.prefix) if self.directory.endswith(self.prefix) else self.directory
        own = Path(os.path.realpath(os.path.join(top, index))).as_posix() if index else ""
        return _run(
            self.directory,
            arguments,
            {"GIT_INDEX_FILE": own} if own.startswith(f"{self.git_directory}/") else {},
            stdin,
        )


def index_stamp(top: str) -> tuple[int, ...] | None:
    """What changes with every change of the index of a work tree, without asking git; () where there is no repository.

    None where the index is not the whole answer to what git has: a hook's own index, submodules, what cannot be read.
    Git replaces the file whenever it changes. Source: gitrepository-layout(5)
    """
    place = Path(top, ".git")
    try:
        if not os.path.lexists(place):
            return ()
        if os.environ.get("GIT_INDEX_FILE") or os.path.lexists(Path(top, ".gitmodules")):
            return None
        if place.is_file():
            place = Path(top, place.read_text(encoding="utf-8").removeprefix("gitdir:").strip())
        status = os.stat(place / "index")
    except (OSError, ValueError):
        return None
    return (status.st_mtime_ns, status.st_size, status.st_ino)


def _submodule(path: str, commit: str) -> dict[str, Blob]:
    """The files that a submodule had at the commit its superproject names. Raises GitError."""
    repository = _checked_out(path)
    if repository is None:
        return {}  # nothing of it is read either
    try:
        return repository.files(repository.commit(commit))
    except GitError:
        missing = f"the submodule {path} lacks the commit {commit[:10]}"
        raise GitError(f"{missing}: `git -C '{path}' fetch` brings it") from None


def _checked_out(path: str) -> Repository | None:
    """The repository of a submodule, None where it is not checked out."""
    return Repository.of(path) if os.path.lexists(f"{path}/.git") else None


def _is_broken(directory: str) -> bool:
    """Whether a `.git` stands above, which git says is none: a worktree whose repository has moved."""
    return any(os.path.lexists(above / ".git") for above in (Path(directory), *Path(directory).parents))


def contents(blobs: Iterable[Blob]) -> Mapping[str, bytes]:
    """The content of blobs of any repositories, by object. Raises GitError."""
    by_repository: dict[Repository, list[str]] = {}
    for blob in blobs:
        by_repository.setdefault(blob.repository, []).append(blob.object)
    return dict(_each(by_repository))


def _each(by_repository: Mapping[Repository, list[str]]) -> Iterator[tuple[str, bytes]]:
    for repository, objects in by_repository.items():
        yield from repository.contents(objects).items()


def _run(
    directory: str, arguments: Iterable[str], more: Mapping[str, str], stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    import subprocess  # which takes longer to import than it takes to see that git need not be asked

    environment = {name: value for name, value in os.environ.items() if name not in (*_FOREIGN, "GIT_INDEX_FILE")}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", **more}
    command = ["git", *_HARDENED, *arguments]
    try:
        return subprocess.run(
            command, cwd=directory, env=environment, input=stdin, capture_output=True, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise GitError(f"git does not answer: `git {' '.join(arguments)}` took {_PATIENCE} seconds") from None
    except FileNotFoundError:
        raise GitError("git is not installed, or not on the PATH") from None
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror}") from None


def _words(output: bytes) -> str:
    """What git said, as one line, without its `fatal:`."""
    text = output.decode("utf-8", "replace")
    return " ".join(text.split()).removeprefix("fatal: ").removeprefix("error: ")
