"""miglint's own settings: `miglint.toml`, or `[tool.miglint]` in `pyproject.toml`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec

from miglint.database import Vendor, parse_version
from miglint.project.sizes import LARGEST, Sizes

Deploy = Literal["migrate-first", "code-first", "downtime"]
Level = Literal["error", "warning", "info"]
# What is empty means nothing: neither a file, nor a branch, nor a rule.
Text = Annotated[str, msgspec.Meta(min_length=1)]
Texts = tuple[Text, ...]
# What the cache can write down.
_Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]

# A lock file, the longest TOML there is, has hundreds of kilobytes.
_MAX_SIZE = 16 * 1024**2


class SettingsError(Exception):
    """Settings that cannot be used; one sentence that names file, key and line."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """The settings by their own names, with what holds where they say nothing. `path` is the file, if any."""

    database: Vendor | None = None
    database_version: str | None = None
    django_version: str | None = None
    deploy: Deploy = "migrate-first"
    select: Texts = ()
    ignore: Texts = ()
    extend_select: Texts = ()
    severity: dict[Text, Level] = {}
    per_migration_ignores: dict[Text, Texts] = {}
    exclude: Texts = ()
    apps: dict[Text, Text] = {}
    environment: Text | None = None
    settings_file: Text | None = None
    base: Text | None = None
    start_after: dict[Text, Text] = {}
    baseline: Text | None = None
    hot_tables: Texts = ()
    small_tables: Texts = ()
    table_sizes: Text | None = None
    large_table_rows: _Count = 100_000
    require_ignore_reason: bool = False
    allowed_imports: Texts = ()
    plugins: Texts = ()
    path: str | None = None


# What may be said where only some words may.
_WORDS = {"database": get_args(Vendor), "deploy": get_args(Deploy), "severity": get_args(Level)}
_KEYS = tuple(name for name in Settings.__struct_encode_fields__ if name != "path")
# What `miglint check` is told on the command line alone, by the words that are looked for in the settings.
_OPTIONS = frozenset({
    "cache-dir", "color", "exit-zero", "fail-on", "jobs", "min-confidence", "no-cache", "output-file", "output-format",
    "quiet", "verbose",
})  # fmt: skip


def load(root: Path, *, config: Path | None = None, isolated: bool = False) -> Settings:
    """The settings of a project's root, or of the named file. Raises SettingsError."""
    if isolated:
        return Settings()
    if config is not None:
        if not os.path.isfile(config):
            raise SettingsError(f"the settings file {config} does not exist")
        return _read(config)
    for file in (root / "miglint.toml", root / "pyproject.toml"):
        if os.path.isfile(file):
            settings = _read(file)
            if settings.path is not None:
                return settings
    return Settings()


def _read(file: Path) -> Settings:
    import tomli  # a project without settings does not need it

    try:
        if file.stat().st_size > _MAX_SIZE:
            raise SettingsError(f"{file}: is larger than {_MAX_SIZE // 1024**2} MB")
        text = file.read_bytes().decode("utf-8-sig")
        document = tomli.loads(text)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: is not UTF-8") from None
    except tomli.TOMLDecodeError as error:
        # tomli says `(at line 3, column 5)`, or `(at end of document)`.
        found = re.search(r"line (\d+)", str(error))
        line = found[1] if found is not None else max(len(text.splitlines()), 1)
        raise SettingsError(f"{file}, line {line}: not valid TOML: {error}") from None
    except (ValueError, RecursionError):  # of a number of 4,300 digits, and of 400 arrays in each other
        raise SettingsError(f"{file}: cannot be read: a value is too long, or too deep") from None
    if file.name == "pyproject.toml":
        tool = document.get("tool")
        table: Any = tool.get("miglint") if isinstance(tool, dict) else None
        if table is None:
            return Settings()
    else:
        table = document
    return _converted(table, file, text)


def _converted(table: Any, file: Path, text: str) -> Settings:
    if not isinstance(table, dict):
        raise SettingsError(f"{file}: [tool.miglint] is no table")
    for key in table:
        if key not in _KEYS:
            raise SettingsError(f"{_place(file, text, key)}: unknown key {key}{_hint(key)}")
    try:
        settings = msgspec.convert({**table, "path": file.as_posix()}, Settings)
    except msgspec.ValidationError as error:
        key, wrong = _key_of(str(error)), _wrong_word(str(error))
        plain = _plain(str(error), _WORDS.get(key, ()))
        raise SettingsError(f"{_place(file, text, key, wrong)}: {key}: {plain}") from None
    for key, version in (("database-version", settings.database_version), ("django-version", settings.django_version)):
        try:
            if version is not None:
                parse_version(version)
        except ValueError as error:
            raise SettingsError(f"{_place(file, text, key)}: {key}: {error}") from None
    return settings


def _key_of(message: str) -> str:
    found = re.search(r"\$\.([\w-]+)", message)
    return found[1] if found is not None else "?"


def _hint(key: str) -> str:
    """What may be meant by a key that does not exist."""
    if key == "tool":
        return "; in a file of its own the keys stand without [tool.miglint]"
    if key == "since":
        return "; the setting for --since is base"
    return f"; --{key} is an option of the command line" if key in _OPTIONS else near(key, _KEYS)


def _wrong_word(message: str) -> str:
    found = re.match(r"Invalid enum value '(.*)'", message)
    return found[1] if found is not None else ""


def _plain(message: str, choices: tuple[str, ...]) -> str:
    """msgspec's words in those of TOML; `choices` are the words the key takes, if only some."""
    words = message.partition(" - at ")[0]
    wrong = _wrong_word(words)
    if wrong or words.startswith("Invalid enum value"):
        return f"{wrong!r} is none of {', '.join(choices)}{near(wrong, choices)}"
    if words.endswith("of length >= 1"):
        return "an empty string means nothing here"
    if words == "Integer value out of range":
        return f"expected a whole number <= {LARGEST}"
    for theirs, ours in (
        ("`str | null`", "a string"),
        ("`str`", "a string"),
        ("`int`", "a whole number"),
        ("`float`", "a number"),
        ("`bool`", "true or false"),
        ("`array`", "a list"),
        ("`object`", "a table"),
    ):
        words = words.replace(theirs, ours)
    return words[:1].lower() + words[1:]


def place(settings: Settings, key: str, word: str = "") -> str:
    """`pyproject.toml, line 12`: where a key is set, or in what it is set to, a word."""
    assert settings.path is not None
    file = Path(settings.path)
    return _place(file, file.read_text(encoding="utf-8-sig"), key, word)


def near(word: str, words: Iterable[str]) -> str:
    """`; did you mean …?`, where one of the words is near."""
    import difflib

    found = difflib.get_close_matches(word, list(words), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _place(file: Path, text: str, key: str, word: str = "") -> str:
    """`pyproject.toml, line 12`, or the file alone where no line is found."""
    number = _line_of(file, text, key)
    if number is None:
        return str(file)
    # A table goes on to the next one: `[severity]`, and a line for each rule.
    is_word = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    for at, line in enumerate(text.splitlines()[number - 1 :] if word else (), start=number):
        if at > number and re.match(r"\s*\[", line):
            break
        if is_word.search(line):
            return f"{file}, line {at}"
    return f"{file}, line {number}"


def _line_of(file: Path, text: str, key: str) -> int | None:
    """The first line that sets the key below the table, else one that sets it at all."""
    inside = file.name != "pyproject.toml"
    pattern = re.compile(rf"\s*(?:\[\s*(?:tool\s*\.\s*miglint\s*\.\s*)?)?[\"']?{re.escape(key)}[\"']?\s*[\]=.]")
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(r"\s*\[", line):
            inside = file.name != "pyproject.toml" or re.match(r"\s*\[\s*tool\s*\.\s*miglint\b", line) is not None
        if inside and pattern.match(line):
            return number
    # `tool.miglint.select = …` and `miglint = {select = …}` have no line of the table above them.
    anywhere = re.compile(rf"(?:^|[\s.{{,])miglint\b.*[\s.{{,][\"']?{re.escape(key)}[\"']?\s*[=.]")
    for number, line in enumerate(text.splitlines(), start=1):
        if anywhere.search(line):
            return number
    return None


# -- tables -------------------------------------------------------------------------------------------


def sizes_of(settings: Settings) -> Sizes:
    """What the settings say about tables; reads the file `table-sizes`, relative to the settings file.

    Raises SettingsError.
    """
    rows: Mapping[str, int] = {}
    if settings.table_sizes is not None and settings.path is not None:
        from miglint.table_sizes import TableSizesError, read_table_sizes

        file = Path(settings.path)
        try:
            rows = read_table_sizes(file.parent / settings.table_sizes)
        except TableSizesError as error:
            text = file.read_text(encoding="utf-8-sig")
            raise SettingsError(f"{_place(file, text, 'table-sizes')}: table-sizes: {error}") from None
    return Sizes(hot=settings.hot_tables, small=settings.small_tables, rows=rows, large=settings.large_table_rows)


# -- codes --------------------------------------------------------------------------------------------


def validate_selector(selector: str, known: Mapping[str, str], where: str = "") -> None:
    """Checks that a selector means some rule. `known` are names by code. Raises SettingsError."""
    if _means_a_rule(selector, known):
        return
    other_case = next((each for each in (selector.upper(), selector.lower()) if _means_a_rule(each, known)), "")
    hint = f"; did you mean {other_case}?" if other_case else near(selector, [*known, *known.values()])
    hint = hint or "; `miglint rules` lists them all"
    raise SettingsError(f"{where}unknown rule {selector}{hint}")


def _means_a_rule(selector: str, known: Mapping[str, str]) -> bool:
    if selector == "ALL" or selector in known.values():
        return True
    return bool(selector) and any(code.startswith(selector) for code in known)


def validate_codes(settings: Settings, known: Mapping[str, str]) -> None:
    """Checks every selector in the settings. Raises SettingsError."""
    if settings.path is None:
        return
    for key, selectors in _selectors(settings):
        for selector in selectors:
            try:
                validate_selector(selector, known)
            except SettingsError as error:
                raise SettingsError(f"{place(settings, key, selector)}: {key}: {error}") from None


def _selectors(settings: Settings) -> Iterable[tuple[str, Iterable[str]]]:
    yield "select", settings.select
    yield "ignore", settings.ignore
    yield "extend-select", settings.extend_select
    yield "severity", settings.severity
    for selectors in settings.per_migration_ignores.values():
        yield "per-migration-ignores", selectors
