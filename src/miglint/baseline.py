"""The findings that a team accepts as they are: a text file, one line each, that git merges."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from miglint.diagnostic import Diagnostic, Severity, Subject, Suppressed
from miglint.settings import SettingsError
from miglint.text import Source, Span
from miglint.writing import write_whole

# Used where it exists and no setting names another.
DEFAULT = "miglint-baseline.txt"

_HEADER = (
    "# Findings that are accepted as they are, one a line. `miglint check --write-baseline` writes this file and\n"
    "# takes out what is no longer found. Why a finding is accepted may follow it: -- reason\n"
)
_LINE = re.compile(
    r"(?P<label>\S+) (?P<code>[A-Z]+\d+) (?P<fingerprint>[0-9a-f]{32})"
    r"(?: x(?P<count>[1-9]\d{0,9}))?(?: -- (?P<reason>\S.*?))?\s*"
)
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
# What is said of the baseline itself, and of miglint, is not accepted by it.
_NEVER = frozenset({"MG905", "MG999"})


Place = tuple[str | None, Span | None]


class Entry(msgspec.Struct, frozen=True):
    """One line: what is accepted and how often. `label` is for people; `span` is the line in the file."""

    label: str
    code: str
    fingerprint: str
    count: int = 1
    reason: str | None = None
    span: Span = Span(0, 0)

    def __str__(self) -> str:
        times = f" x{self.count}" if self.count > 1 else ""
        reason = f" -- {self.reason}" if self.reason else ""
        return f"{self.label} {self.code} {self.fingerprint}{times}{reason}"


class Baseline:
    """One file, asked by every project that uses it. Two lines on one finding (a merge of two branches) are one.

    `judged` are the codes that were looked for, `read` the migrations that were (`shop.0002_drop`).
    """

    def __init__(self, path: str, text: str = "") -> None:
        self.path = path
        self.source = Source(path, text)
        self.judged: set[str] = set()
        self.read: set[str] = set()
        self._entries: dict[str, Entry] = {}
        # By fingerprint, where it was found: a project may be read from two roots.
        self._found: defaultdict[str, dict[Place, int]] = defaultdict(dict)
        self._others: defaultdict[str, set[Place]] = defaultdict(set)
        self._accepted: dict[str, Entry] = {}
        for entry in self._read():
            known = self._entries.get(entry.fingerprint)
            if known is None or known.count < entry.count:
                self._entries[entry.fingerprint] = entry

    @classmethod
    def load(cls, path: str) -> Baseline:
        """The baseline in a file; it need not exist. Raises SettingsError."""
        try:
            return cls(path, Path(path).read_bytes().decode("utf-8"))
        except FileNotFoundError:
            return cls(path)
        except UnicodeDecodeError:
            raise SettingsError(f"the baseline {path} is not UTF-8") from None
        except OSError as error:
            raise SettingsError(f"the baseline {path} cannot be read: {error.strerror}") from None

    def _read(self) -> Iterator[Entry]:
        for number in range(1, self.source.line_count + 1):
            line = self.source.line(number)
            if not line.strip() or line.startswith("#"):
                continue
            found = _LINE.fullmatch(line)
            if found is None:
                what = "a merge conflict" if line.startswith(_CONFLICT) else "no entry of a baseline"
                raise SettingsError(f"{self.path}, line {number}: {what}; `miglint check --write-baseline` writes them")
            start = self.source.offset(number)
            yield Entry(
                found["label"],
                found["code"],
                found["fingerprint"],
                int(found["count"] or 1),
                found["reason"],
                Span(start, start + len(line.rstrip())),
            )

    def __len__(self) -> int:
        return len(self._entries)

    # -- marking -------------------------------------------------------------------------------------

    def mark(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """All findings of a project in their order, the accepted ones marked."""
        marked = []
        for diagnostic in diagnostics:
            if diagnostic.suppressed is None:
                places = self._found[diagnostic.fingerprint]
                number = places.setdefault(_place(diagnostic), len(places) + 1)
                entry = self._entries.get(diagnostic.fingerprint)
                if entry is not None and number <= entry.count:
                    diagnostic = msgspec.structs.replace(diagnostic, suppressed=Suppressed("baseline", entry.reason))
            marked.append(diagnostic)
        return marked

    def problems(self, *, require_reason: bool, shared: bool) -> Iterator[Diagnostic]:
        """Entries that nothing needs any more, or that do not say why; after all projects were marked.

        A `shared` file may have entries of projects that were not read.
        """
        for entry in self._entries.values():
            found = len(self._found[entry.fingerprint])
            missing = entry.count - found
            known = not shared or (missing == entry.count and entry.label in self.read)
            if missing > 0 and entry.code in self.judged and known:
                what = f"is found {found} times now" if missing < entry.count else "is not found any more"
                yield self._diagnostic("MG905", "stale-baseline-entry", entry, f"{entry.code} of {entry.label} {what}")
            elif require_reason and not entry.reason:
                yield self._diagnostic(
                    "MG906", "ignore-without-reason", entry, "say why: `-- reason` at the end of the line"
                )

    def _diagnostic(self, code: str, name: str, entry: Entry, message: str) -> Diagnostic:
        return Diagnostic(
            code=code,
            name=name,
            severity=Severity.WARNING,
            message=message,
            path=self.path,
            span=entry.span,
            help="`miglint check --write-baseline` takes it out." if code == "MG905" else "",
            subject=Subject(detail=entry.fingerprint),
        )

    # -- writing -------------------------------------------------------------------------------------

    def accept(self, asked: Sequence[Diagnostic], others: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Takes in the findings of a project that are asked for, and keeps what is known of the others.

        Gives those asked for, marked.
        """
        for diagnostic in others:
            if diagnostic.suppressed is None:
                self._others[diagnostic.fingerprint].add(_place(diagnostic))
        marked = []
        for diagnostic in asked:
            if diagnostic.suppressed is None and diagnostic.code not in _NEVER:
                places = self._found[diagnostic.fingerprint]
                places.setdefault(_place(diagnostic), len(places) + 1)
                known = self._entries.get(diagnostic.fingerprint)
                reason = known.reason if known is not None else None
                label = _label(diagnostic.subject)
                entry = Entry(label, diagnostic.code, diagnostic.fingerprint, len(places), reason)
                self._accepted[entry.fingerprint] = entry
                diagnostic = msgspec.structs.replace(diagnostic, suppressed=Suppressed("baseline", reason))
            marked.append(diagnostic)
        return marked

    def write(self) -> int:
        """Writes what was accepted and what was not looked at; gives the number of lines. Raises OSError."""
        entries = dict(self._accepted)
        for entry in self._entries.values():
            others = len(self._others[entry.fingerprint] - self._found[entry.fingerprint].keys())
            kept = entry.count if entry.code not in self.judged else min(entry.count, others)
            known = entries.get(entry.fingerprint)
            if kept:
                count = kept + (known.count if known is not None else 0)
                entries[entry.fingerprint] = Entry(entry.label, entry.code, entry.fingerprint, count, entry.reason)
        lines = sorted(entries.values(), key=lambda entry: (entry.label, entry.code, entry.fingerprint))
        write_whole(Path(self.path), [(_HEADER + "".join(f"{entry}\n" for entry in lines)).encode()])
        return len(lines)


def _place(diagnostic: Diagnostic) -> Place:
    return diagnostic.path, diagnostic.span


def _label(subject: Subject) -> str:
    """`shop.0002_drop`, for people: never with a space or a line end."""
    words = ".".join(part for part in (subject.app, subject.migration) if part) or "-"
    return "".join(c if c.isprintable() and c != " " else c.encode("unicode_escape").decode() for c in words).replace(
        " ", "\\x20"
    )
