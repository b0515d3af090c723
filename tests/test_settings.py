"""miglint's settings: where they are found, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from miglint.project.disk import has_settings
from miglint.settings import Settings, SettingsError, load, validate_codes

KNOWN = {"MG201": "remove-field", "MG202": "delete-model", "MG302": "index-blocks-writes"}


def error(folder: Path, text: str, *, name: str = "miglint.toml") -> str:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        validate_codes(load(folder), KNOWN)
    return str(caught.value).replace(str(file), name)


def test_every_key_of_the_contract_is_read(tmp_path: Path) -> None:
    (tmp_path / "miglint.toml").write_text(
        'database = "mysql"\ndatabase-version = "8.0"\ndjango-version = "4.2"\ndeploy = "code-first"\n'
        'select = ["ALL"]\nignore = ["MG302"]\nextend-select = ["MG2"]\nexclude = ["vendor/**"]\n'
        'environment = ".venv"\nsettings-file = "config/settings.py"\nbase = "main"\nbaseline = "b.json"\n'
        'hot-tables = ["a"]\nsmall-tables = ["b"]\ntable-sizes = "rows.csv"\nlarge-table-rows = 5\n'
        'require-ignore-reason = true\nallowed-imports = ["shop.text"]\nplugins = ["house"]\n'
        '[severity]\nMG201 = "info"\n[per-migration-ignores]\n"billing.0003_*" = ["MG201"]\n'
        '[apps]\n"src/shop" = "shop"\n[start-after]\nbilling = "0042"\n'
    )
    assert load(tmp_path) == Settings(
        database="mysql", database_version="8.0", django_version="4.2", deploy="code-first",
        select=("ALL",), ignore=("MG302",), extend_select=("MG2",), exclude=("vendor/**",),
        environment=".venv", settings_file="config/settings.py", base="main", baseline="b.json",
        hot_tables=("a",), small_tables=("b",), table_sizes="rows.csv", large_table_rows=5,
        require_ignore_reason=True, allowed_imports=("shop.text",), plugins=("house",),
        severity={"MG201": "info"}, per_migration_ignores={"billing.0003_*": ("MG201",)},
        apps={"src/shop": "shop"}, start_after={"billing": "0042"}, path=(tmp_path / "miglint.toml").as_posix(),
    )  # fmt: skip


def test_without_a_file_all_is_as_by_default(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings()


def test_a_pyproject_without_a_table_of_ours_is_no_settings_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.other]\ndatabase = "x"\n')
    assert load(tmp_path) == Settings()


def test_the_table_of_pyproject_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.miglint]\ndatabase = "sqlite"\n')
    assert load(tmp_path).database == "sqlite"


def test_miglint_toml_goes_before_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.miglint]\ndatabase = "sqlite"\n')
    (tmp_path / "miglint.toml").write_text('database = "mysql"\n')
    assert load(tmp_path).database == "mysql"


def test_isolated_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "miglint.toml").write_text("broken = [")
    assert load(tmp_path, isolated=True) == Settings()


def test_a_named_file_is_read_instead(tmp_path: Path) -> None:
    (tmp_path / "miglint.toml").write_text("broken = [")
    (tmp_path / "other.toml").write_text('database = "mariadb"\n')
    assert load(tmp_path, config=tmp_path / "other.toml").database == "mariadb"


def test_a_named_file_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no\.toml does not exist"):
        load(tmp_path, config=tmp_path / "no.toml")


@pytest.mark.parametrize(
    "text, line, expected",
    [
        ('\ndatabse = "x"\n', 2,
         "unknown key databse; did you mean database?"),
        ("xyzzy = 1\n", 1,
         "unknown key xyzzy"),
        ('select = "MG2"\n', 1,
         "select: expected a list, got a string"),
        ("base = 3\n", 1,
         "base: expected a string, got a whole number"),
        ("base = 3.5\n", 1,
         "base: expected a string, got a number"),
        ('require-ignore-reason = "yes"\n', 1,
         "require-ignore-reason: expected true or false, got a string"),
        ("large-table-rows = true\n", 1,
         "large-table-rows: expected a whole number, got true or false"),
        ('database = "postgres"\n', 1,
         "database: 'postgres' is none of postgresql, mysql, mariadb, sqlite; did you mean postgresql?"),
        ('deploy = "x"\n', 1,
         "deploy: 'x' is none of migrate-first, code-first, downtime"),
        ("fail-on = 1\n", 1,
         "unknown key fail-on; --fail-on is an option of the command line"),
        ('since = "main"\n', 1,
         "unknown key since; the setting for --since is base"),
        ('# c\n\n[tool.miglint]\nbase = "x"\n', 3,
         "unknown key tool; in a file of its own the keys stand without [tool.miglint]"),
        ('# c\n[severity]\nMG202 = "error"\nMG201 = "warn"\n', 4,
         "severity: 'warn' is none of error, warning, info; did you mean warning?"),
        ('database-version = "new"\n', 1,
         "database-version: 'new' is not a version such as 15 or 5.2"),
        ('django-version = ""\n', 1,
         "django-version: '' is not a version such as 15 or 5.2"),
        ("large-table-rows = -1\n", 1,
         "large-table-rows: expected a whole number >= 0"),
        ("large-table-rows = 9223372036854775808\n", 1,
         "large-table-rows: expected a whole number <= 9223372036854775807"),
        ("large-table-rows = 99999999999999999999999\n", 1,
         "large-table-rows: expected a whole number <= 9223372036854775807"),
        ('\nbase = ""\n', 2,
         "base: an empty string means nothing here"),
        ('baseline = ""\n', 1,
         "baseline: an empty string means nothing here"),
        ('exclude = ["vendored", ""]\n', 1,
         "exclude: an empty string means nothing here"),
        ('[start-after]\n"" = "0042"\n', 1,
         "start-after: an empty string means nothing here"),
        ('select = ["MG9999"]\n', 1,
         "select: unknown rule MG9999; `miglint rules` lists them all"),
        ('ignore = ["remove-feild"]\n', 1,
         "ignore: unknown rule remove-feild; did you mean remove-field?"),
        ('select = ["all"]\n', 1,
         "select: unknown rule all; did you mean ALL?"),
        ('extend-select = ["mg2"]\n', 1,
         "extend-select: unknown rule mg2; did you mean MG2?"),
        ('extend-select = ["mg201"]\n', 1,
         "extend-select: unknown rule mg201; did you mean MG201?"),
        ('ignore = [\n  "MG201",\n  "MG2O2",\n]\nselect = []\n', 3,
         "ignore: unknown rule MG2O2; did you mean MG202?"),
        ('[severity]\nMG2011 = "info"\n', 2,
         "severity: unknown rule MG2011; did you mean MG201?"),
        ('per-migration-ignores = {"a" = ["MG2020"]}\n', 1,
         "per-migration-ignores: unknown rule MG2020; did you mean MG202?"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_and_key(tmp_path: Path, text: str, line: int, expected: str) -> None:
    assert error(tmp_path, text) == f"miglint.toml, line {line}: {expected}"


@pytest.mark.parametrize(
    "text, line",
    [
        ('[build-system]\ndatabse = 1\n[tool.miglint]\ndatabse = "x"\n', 4),
        ('[tool.miglint]\ndatabase = "sqlite"\n[tool.miglint.databse]\nx = 1\n', 3),
        ('\ntool.miglint.databse = "x"\n', 2),
        ('[tool]\nmiglint = {databse = "x"}\n', 2),
        ('[tool]\nmiglint.databse = "x"\n', 2),
        ('[tool.miglint]\n"databse" = "x"\n', 2),
    ],
)
def test_the_line_is_found_however_the_table_is_written(tmp_path: Path, text: str, line: int) -> None:
    expected = f"pyproject.toml, line {line}: unknown key databse; did you mean database?"
    assert error(tmp_path, text, name="pyproject.toml") == expected


@pytest.mark.parametrize("text, line", [('base = "x"\nselect = ][\n', 2), ("\n\nselect = [\n", 3), ("x", 1)])
def test_broken_toml_names_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    assert error(tmp_path, text).startswith(f"miglint.toml, line {line}: not valid TOML: ")


@pytest.mark.parametrize("name, table", [("miglint.toml", ""), ("pyproject.toml", "[tool.miglint]\n")])
@pytest.mark.parametrize("value", ["9" * 5_000, "[" * 9_999, "{a=" * 9_999], ids=["long", "arrays", "tables"])
def test_what_python_cannot_read_of_toml_is_an_error(tmp_path: Path, name: str, table: str, value: str) -> None:
    file = tmp_path / name
    file.write_text(f"{table}large-table-rows = {value}")
    assert has_settings(tmp_path)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{file}: cannot be read: a value is too long, or too deep"


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "miglint.toml", "wb") as stream:
        stream.truncate(10**12)
    with pytest.raises(SettingsError, match="is larger than 16 MB"):
        load(tmp_path)


def test_a_file_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "miglint.toml").write_bytes(b'base = "\xff"\n')
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load(tmp_path)


@pytest.mark.parametrize("name, table", [("miglint.toml", ""), ("pyproject.toml", "[tool.miglint]\n")])
def test_what_an_editor_puts_before_the_text_is_passed_over(tmp_path: Path, name: str, table: str) -> None:
    file = tmp_path / name
    file.write_text(f'{table}base = "main"\n', encoding="utf-8-sig")
    assert load(tmp_path).base == "main"
    assert has_settings(tmp_path)
    file.write_text(f"{table}base = 1\n", encoding="utf-8-sig")
    with pytest.raises(SettingsError, match=rf"{name}, line {table.count(chr(10)) + 1}: base: expected a string"):
        load(tmp_path)


def test_a_table_that_is_none_is_an_error(tmp_path: Path) -> None:
    assert (
        error(tmp_path, "[tool]\nmiglint = 3\n", name="pyproject.toml") == "pyproject.toml: [tool.miglint] is no table"
    )


@pytest.mark.parametrize("selector", ["ALL", "MG2", "MG201", "remove-field"])
def test_selectors_of_every_kind_are_known(tmp_path: Path, selector: str) -> None:
    (tmp_path / "miglint.toml").write_text(f'select = ["{selector}"]\n')
    settings = load(tmp_path)
    validate_codes(settings, KNOWN)
    assert settings.select == (selector,)
