"""One project through every command, as the command line would have it, and what its output has to be like."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from xml.etree import ElementTree

import msgspec

from miglint import kept, plugins
from miglint.cli import cli
from miglint.formats import FORMATS

from . import contract
from .seeds import Files

T = TypeVar("T")

# Nothing of a user's may reach a terminal as it is: controls, bidirectional overrides, separators of lines.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_COMMENT = b"# A remark of no consequence.\n"
_DATABASES = ("postgresql", "postgresql", "mysql", "mariadb", "sqlite")
_MARKDOWN_MOST = 65_000
_OTHERS = sorted(set(FORMATS) - {"json"})


class Failure(Exception):
    """What is wrong, and with which command."""


class Answer(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str


class Pipeline:
    """A directory in which projects are written one after the other. `folder` is emptied again and again."""

    def __init__(self, folder: Path) -> None:
        # miglint's package is walked for rules and for their dates: once is enough for all inputs.
        plugins.load = cache(plugins.load)  # type: ignore[assignment]
        kept._makers = partial(_once, [], kept._makers)
        self._root = folder / "project"
        self._cache = folder / "cache"
        self._reports = folder / "reports"
        for each in (self._root, self._reports):
            shutil.rmtree(each, ignore_errors=True)
            each.mkdir(parents=True)

    def forget(self) -> None:
        """Removes the cache: it keeps files of other inputs, too."""
        shutil.rmtree(self._cache, ignore_errors=True)

    def examine(self, files: Files, dice: random.Random) -> None:
        """Raises Failure where a command crashes or says what it must not."""
        self._write(files)
        os.chdir(self._root)
        common = ["--cache-dir", str(self._cache), "--database", dice.choice(_DATABASES)]
        if "miglint.toml" in files and dice.random() < 0.3:
            common = common[:2]  # as the settings have it
        if dice.random() < 0.3:
            common += ["--django-version", dice.choice(("4.2", "5.0", "5.2", "6.0"))]
        check = [*common, "--min-confidence", "low", *(["--select", "ALL"] if dice.random() < 0.6 else [])]
        if dice.random() < 0.9:
            check += ["--ignore", "MG605"]  # it alone has git started, which takes longer than all the others
        report = self._check(check, ["json", *dice.sample(_OTHERS, 2)])
        if report is not None and dice.random() < 0.3:
            warm = run("check", *check, "--output-format", "json")
            if warm.out != report:
                raise Failure(f"check: with a cache it is another report\n{report}\n{warm.out}")
        self._other(dice, common, files)
        if report is not None and dice.random() < 0.02:
            self._since(dice, check, files)
        if report is not None and dice.random() < 0.1:
            self._invariants(dice, check, files, report)

    def _write(self, files: Files) -> None:
        for entry in os.scandir(self._root):
            if entry.name == ".git":
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        for path, data in files.items():
            target = self._root / path
            # A file may stand where another one needs a directory: the first comes first.
            with contextlib.suppress(FileExistsError, NotADirectoryError, IsADirectoryError):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)

    # -- check ---------------------------------------------------------------------------------------

    def _check(self, arguments: Iterable[str], formats: Iterable[str]) -> str | None:
        """The report as JSON, after some formats were looked at; None where the settings are refused."""
        outputs = [["--output-format", name, "--output-file", str(self._reports / name)] for name in formats]
        for name in formats:
            (self._reports / name).unlink(missing_ok=True)
        answer = run("check", *arguments, *(word for words in outputs for word in words))
        if answer.code == 2:
            return None
        texts = {}
        for name in formats:
            texts[name] = (self._reports / name).read_bytes().decode()  # strictly
            try:
                _FORMATS[name](texts[name])
            except Exception as error:
                raise Failure(f"check as {name}: {type(error).__name__}: {error}\n{texts[name][:5_000]}") from error
        decoded = msgspec.json.decode(texts["json"], type=contract.Check)
        worst = {each.severity for each in decoded.diagnostics if each.suppressed is None}
        wanted = 1 if worst & {"error", "warning"} else 0
        crashes = [each.message for each in decoded.diagnostics if each.code == "MG999"]
        if crashes:
            raise Failure("check: a rule crashed\n" + "\n".join(crashes))
        if answer.code != wanted:
            raise Failure(f"check: the exit code is {answer.code} in place of {wanted}")
        return texts["json"]

    def _since(self, dice: random.Random, check: list[str], files: Files) -> None:
        """Beside a base branch that lacks some of the files, and has others in another text."""
        base = {path: text if dice.random() < 0.7 else text + b"\n# changed\n" for path, text in files.items()}
        self._write({path: text for path, text in base.items() if dice.random() < 0.8})
        try:
            if all(self._git(*each) for each in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "-"))):
                self._write(files)
                if dice.random() < 0.5:
                    self._git("add", "-A")
                self._check([*check, "--since", "HEAD"], ["json"])
        finally:
            shutil.rmtree(self._root / ".git", ignore_errors=True)

    def _git(self, *arguments: str) -> bool:
        named = ("-c", "user.name=-", "-c", "user.email=-", "-c", "commit.gpgsign=false")
        command = ["git", *named, *arguments]
        return subprocess.run(command, cwd=self._root, capture_output=True, check=False).returncode == 0

    # -- the others ----------------------------------------------------------------------------------

    def _other(self, dice: random.Random, common: list[str], files: Files) -> None:
        command = dice.choice(("graph", "plan", "state", "inspect", "inspect"))
        arguments, kind, form = list(common), None, "json"
        if command == "graph":
            form = dice.choice(("text", "json", "mermaid", "dot"))
        elif dice.random() < 0.4:
            form = "text"
        if command == "inspect":
            arguments += [self._target(dice, files), *(["--backwards"] if dice.random() < 0.4 else [])]
            if dice.random() < 0.2:
                arguments = [word for word in arguments if word not in ("--database", *_DATABASES)]
                arguments += ["--database", "postgresql", "--database", "mariadb", "--database", "sqlite"]
        if command == "plan" and dice.random() < 0.3:
            arguments += ["--to", self._target(dice, files)]
        if command == "state" and dice.random() < 0.3:
            arguments += ["--at", self._target(dice, files)]
        answer = run(command, *arguments, "--output-format", form)
        if answer.code not in (0, 2):
            raise Failure(f"{command}: the exit code is {answer.code}")
        if answer.code == 2:
            return
        kind = {"graph": contract.Graph, "plan": contract.Plan, "state": contract.State, "inspect": contract.Inspect}
        try:
            _FORMATS["text"](answer.out) if form != "json" else msgspec.json.decode(answer.out, type=kind[command])
        except Exception as error:
            raise Failure(f"{command} as {form}: {type(error).__name__}: {error}\n{answer.out[:5_000]}") from error

    def _target(self, dice: random.Random, files: Files) -> str:
        paths = sorted(path for path in files if "/migrations/" in path and path.endswith(".py"))
        path = dice.choice(paths) if paths else "shop/migrations/0001_initial.py"
        app, _, name = path.rpartition("/migrations/")
        target = f"{app}.{name.removesuffix('.py')}" if dice.random() < 0.7 else path
        return target if not target.startswith("-") else "x"

    # -- what must not matter ------------------------------------------------------------------------

    def _invariants(self, dice: random.Random, check: list[str], files: Files, report: str) -> None:
        before = _without_places(report)
        commented = dict(files)
        for path, text in files.items():
            # A mark or a cookie counts only where it stands.
            if path.endswith(".py") and not text.startswith((b"\xef\xbb\xbf", b"\xff\xfe")) and b"coding" not in text:
                commented[path] = _COMMENT + text
        self._compare("a comment", check, commented, before)
        beside = dict(files)
        beside["notes/" + dice.choice(("a.py", "b.txt", "é.py"))] = b"import shop\n"
        self._compare("another file", check, beside, before)
        self._compare("the order of files", check, dict(reversed(files.items())), before)

    def _compare(self, what: str, check: list[str], files: Files, before: object) -> None:
        self._write(files)
        answer = run("check", *check, "--output-format", "json")
        after = _without_places(answer.out)
        if after != before:
            raise Failure(f"{what} changes the report\n{json.dumps(before)}\n{json.dumps(after)}\n{answer.err}")


def run(command: str, *arguments: str) -> Answer:
    """What a command gives back, run in this process. Raises Failure where it crashes, or breaks the rules of all."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    kept = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = out, err
    try:
        try:
            cli.main([command, *arguments], prog_name="miglint", standalone_mode=True)
            code: Any = 0
        except SystemExit as end:
            code = end.code
    except BaseException as error:
        raise Failure(f"{command} {arguments}: {type(error).__name__}\n{traceback.format_exc()}") from error
    finally:
        sys.stdout, sys.stderr = kept
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    answer = Answer(code or 0, *texts)
    if answer.code == 2 and (not answer.err.strip() or answer.out):
        raise Failure(f"{command} {arguments}: exit code 2 and {answer}")
    if _CONTROL.search(answer.err):
        raise Failure(f"{command}: stderr has a control character: {answer.err!r}")
    if answer.code not in (0, 1, 2):
        if command == "check" and answer.code == 3:
            return answer
        raise Failure(f"{command} {arguments}: the exit code is {answer.code}\n{answer.err}")
    return answer


def _without_places(report: str) -> object:
    """The findings without lines and columns, in any order."""
    try:
        document = json.loads(report)
    except ValueError:
        return report
    left = ("code", "severity", "confidence", "message", "help", "path", "app", "migration", "operation", "model")
    left = (*left, "field", "fingerprint", "suppressed")
    findings = [{name: each[name] for name in left} for each in document["diagnostics"]]
    for each in findings:  # Python names the line of an opening bracket
        each["message"] = re.sub(r"\bline \d+", "line …", each["message"])
    return [document["summary"], *sorted(findings, key=json.dumps)]


def _once(known: list[T], function: Callable[[Iterable[Any]], T], given: Iterable[Any]) -> T:
    """What a function gave the first time, whatever it is given."""
    if not known:
        known.append(function(given))
    return known[0]


# -- formats ------------------------------------------------------------------------------------------


def _text(text: str) -> None:
    found = _CONTROL.search(text)
    if found is not None:
        raise ValueError(f"a control character: {text[max(0, found.start() - 40) : found.end() + 40]!r}")


def _json(text: str) -> None:
    _text(text)
    msgspec.json.decode(text, type=contract.Check)


def _sarif(text: str) -> None:
    _text(text)
    (run,) = json.loads(text)["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        if rules[result["ruleIndex"]]["id"] != result["ruleId"]:
            raise ValueError("ruleIndex is that of another rule")
        region = result["locations"][0]["physicalLocation"].get("region") if result.get("locations") else None
        if region is not None and min(region.values()) < 1:
            raise ValueError(f"{region} begins before the file")


def _github(text: str) -> None:
    _text(text)
    for line in text.splitlines():
        if not re.match(r"::(error|warning|notice) (file=[^:,]+,line=\d+,|title=)", line):
            raise ValueError(f"no command: {line[:200]!r}")


def _gitlab(text: str) -> None:
    _text(text)
    issues = msgspec.json.decode(text, type=list[contract.CodeQuality])
    if len({issue.fingerprint for issue in issues}) < len(issues):
        raise ValueError("two fingerprints are alike")


def _junit(text: str) -> None:
    _text(text)
    suites = ElementTree.fromstring(text)
    if int(suites.get("tests", "-1")) != len(suites.findall(".//testcase")):
        raise ValueError("the number of tests is another")


def _rdjson(text: str) -> None:
    _text(text)
    for each in json.loads(text)["diagnostics"]:
        place = each["location"].get("range")
        if place is not None and min(*place["start"].values(), *place["end"].values()) < 1:
            raise ValueError(f"{place} begins before the file")


def _markdown(text: str) -> None:
    _text(text)
    if len(text) > _MARKDOWN_MOST:
        raise ValueError(f"{len(text)} characters are more than a comment takes")


_FORMATS: dict[str, Callable[[str], None]] = {
    "text": _text,
    "concise": _text,
    "json": _json,
    "sarif": _sarif,
    "github": _github,
    "gitlab": _gitlab,
    "junit": _junit,
    "rdjson": _rdjson,
    "markdown": _markdown,
}


@contextlib.contextmanager
def working_directory() -> Iterator[None]:
    """Comes back to where it was."""
    before = os.getcwd()
    try:
        yield
    finally:
        os.chdir(before)
