"""The command line as a user meets it: a process of its own, real files, real exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import commands

MERGEABLE = """from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[("id", models.BigAutoField(primary_key=True)), ("note", models.TextField(blank=True))],
        ),
    ]
"""
REMOVING = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RemoveField(model_name="order", name="note"),
    ]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "shop" / "migrations"
    package.mkdir(parents=True)
    (tmp_path / "manage.py").write_text("raise SystemExit('never run')\n")
    (tmp_path / "shop" / "__init__.py").write_text("raise SystemExit('never imported')\n")
    (package / "__init__.py").write_text("raise SystemExit('never imported')\n")
    (package / "0001_initial.py").write_text(MERGEABLE)
    (package / "0002_drop.py").write_text(REMOVING)
    return tmp_path


def miglint(
    *arguments: str | Path, cwd: Path, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    variables = {**os.environ, "COLUMNS": "100", **environment}
    return commands.miglint(*map(str, arguments), cwd=cwd, environment=variables, stdin=stdin)


def findings(*arguments: str | Path, cwd: Path, stdin: bytes = b"") -> list[dict[str, Any]]:
    done = miglint("check", "--output-format", "json", *arguments, cwd=cwd, stdin=stdin)
    assert done.returncode in (0, 1), done.stderr.decode()
    found: list[dict[str, Any]] = json.loads(done.stdout)["diagnostics"]
    return found


def test_a_finding_names_its_place_and_the_exit_code_is_one(project: Path) -> None:
    done = commands.started("check", "--output-format", "concise", cwd=project, environment=dict(os.environ))
    assert done.returncode == 1
    assert done.stdout.decode().startswith("shop/migrations/0002_drop.py:7:9: MG201 [error] ")


def test_json_follows_the_contract(project: Path) -> None:
    done = miglint("check", "--output-format", "json", cwd=project)
    document = json.loads(done.stdout)
    assert document["version"] == 1
    assert document["summary"] | {"findings": None, "database": None, "django": None} == {
        "projects": 1,
        "migrations": 2,
        "apps": 1,
        "operations": 2,
        "unreadable_operations": 0,
        "findings": None,
        "suppressed": 0,
        "baselined": 0,
        "database": None,
        "django": None,
    }
    (found,) = document["diagnostics"]
    assert (found["code"], found["path"], found["app"], found["migration"]) == (
        "MG201",
        "shop/migrations/0002_drop.py",
        "shop",
        "0002_drop",
    )
    assert found["operation"] == {"path": [0], "name": "RemoveField"}
    assert found["range"]["start"] == {"line": 7, "column": 9}


def test_the_same_input_gives_the_same_bytes_with_and_without_cache(project: Path) -> None:
    first = miglint("check", "--output-format", "json", cwd=project).stdout
    warm = miglint("check", "--output-format", "json", cwd=project).stdout
    without = miglint("check", "--output-format", "json", "--no-cache", cwd=project).stdout
    assert first == warm == without


def test_a_warm_run_imports_neither_libcst_nor_sqlglot(project: Path) -> None:
    file = project / "shop/migrations/0003_sql.py"
    file.write_text(REMOVING.replace("0001_initial", "0002_drop").replace("RemoveField(", "RunSQL('DROP TABLE a') # "))
    miglint("check", cwd=project)
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            (
                "import sys\nfrom miglint.cli import cli\n"
                "try: cli(['check', '-q'])\nexcept SystemExit: pass\n"
                "print([name for name in ('libcst', 'sqlglot', 'django') if name in sys.modules], file=sys.stderr)"
            ),
        ],
        cwd=project,
        capture_output=True,
    )
    assert done.stderr.decode().strip().splitlines()[-1] == "[]"


def test_nothing_of_the_project_is_ever_run(project: Path) -> None:
    trap = "import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\n"
    for file in project.rglob("*.py"):
        file.write_text(trap + file.read_text().replace("raise SystemExit('never", "('never"))
    (project / "settings.py").write_text(trap)
    for options in ((), ("--no-cache",)):
        commands.started("check", *options, cwd=project, environment=dict(os.environ))
    assert list(project.rglob("*.ran")) == []


def test_modules_of_the_project_stand_in_for_none_of_those_that_are_needed(project: Path) -> None:
    trap = "import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\nraise SystemExit('never')\n"
    for name in ("click", "libcst", "msgspec", "tomli", "sqlglot", "json", "calendar", "queue", "textwrap", "tokenize"):
        (project / f"{name}.py").write_text(trap)
    arguments = ("check", "--no-cache", "--output-format", "json")
    done = commands.started(*arguments, cwd=project, environment=dict(os.environ))
    assert [f["code"] for f in json.loads(done.stdout)["diagnostics"]] == ["MG201"]
    assert list(project.rglob("*.ran")) == []


def test_a_path_filters_what_is_reported(project: Path) -> None:
    assert findings("shop/migrations/0001_initial.py", cwd=project) == []
    assert [f["code"] for f in findings("shop/migrations/0002_drop.py", cwd=project)] == ["MG201"]


def test_stdin_replaces_the_file_on_disk(project: Path) -> None:
    name = "shop/migrations/0002_drop.py"
    harmless = REMOVING.replace('migrations.RemoveField(model_name="order", name="note"),', "")
    assert findings("--stdin-filename", name, "-", cwd=project, stdin=harmless.encode()) == []


def test_stdin_can_be_a_file_that_does_not_exist_yet(project: Path) -> None:
    name = "shop/migrations/0003_more.py"
    text = REMOVING.replace("0001_initial", "0002_gone")
    codes = {f["code"] for f in findings("--stdin-filename", name, "-", cwd=project, stdin=text.encode())}
    assert "MG102" in codes


def test_a_comment_suppresses_and_is_counted(project: Path) -> None:
    file = project / "shop/migrations/0002_drop.py"
    file.write_text(REMOVING.replace('name="note"),', 'name="note"),  # miglint: ignore[MG201] -- unused since May'))
    done = miglint("check", "--output-format", "json", cwd=project)
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["summary"]["suppressed"] == 1
    assert document["diagnostics"][0]["suppressed"] == {"kind": "inline", "reason": "unused since May"}


def test_selection_by_option(project: Path) -> None:
    assert findings("--ignore", "remove-field", cwd=project) == []
    assert findings("--select", "MG1", cwd=project) == []
    assert [f["code"] for f in findings("--select", "MG201", cwd=project)] == ["MG201"]


@pytest.mark.parametrize(
    "arguments, status",
    [
        (["--fail-on", "never"], 0),
        (["--exit-zero"], 0),
        (["--fail-on", "error"], 1),
        (["--select", "NOPE"], 2),
        (["missing.py"], 2),
        (["--config", "missing.toml"], 2),
        (["--database", "oracle"], 2),
    ],
)
def test_exit_codes(project: Path, arguments: list[str], status: int) -> None:
    done = miglint("check", *arguments, cwd=project)
    assert done.returncode == status
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "text, words",
    [
        ("[tool.miglint]\ndatabse = 'mysql'\n", ["pyproject.toml", "databse", "line 2", "database"]),
        ("[tool.miglint]\ndatabase = 5\n", ["pyproject.toml", "database", "line 2"]),
        ("[tool.miglint\n", ["pyproject.toml", "line 1"]),
        ("[tool.miglint]\nignore = ['MG9999']\n", ["pyproject.toml", "MG9999"]),
        ("[tool.miglint]\n\nplugins = ['no-such']\n", ["pyproject.toml", "line 3", "plugins", "no-such"]),
        (
            "[tool.miglint]\nsettings-file = 'no/such.py'\n",
            ["pyproject.toml", "line 2", "settings-file", "no/such.py does not exist"],
        ),
    ],
)
def test_broken_settings_name_file_key_and_line(project: Path, text: str, words: list[str]) -> None:
    (project / "pyproject.toml").write_text(text)
    done = miglint("check", cwd=project)
    assert done.returncode == 2
    assert done.stdout == b""
    message = done.stderr.decode()
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("name", ["no-such", "no-such\\u0000"])
def test_an_environment_without_packages_is_said(project: Path, name: str) -> None:
    (project / "miglint.toml").write_text(f'environment = "{name}"\n')
    said = miglint("check", "-v", cwd=project).stderr
    assert b"/no-such" in said
    assert b" has no packages: what is installed is not known" in said


def test_a_broken_file_is_a_finding_and_the_rest_is_analysed(project: Path) -> None:
    (project / "shop/migrations/0003_broken.py").write_text("class Migration(\n")
    assert [f["code"] for f in findings(cwd=project)] == ["MG201", "MG901"]


def test_a_directory_without_migrations_in_a_project_that_has_some_is_said(project: Path) -> None:
    (project / "docs").mkdir()
    done = miglint("check", "docs", "shop", cwd=project)
    assert done.stderr.decode() == f"miglint: no migrations were found below {(project / 'docs').as_posix()}\n"
    for path in ("shop", "shop/migrations", "."):
        assert miglint("check", path, cwd=project).stderr == b""
    (project / "shop/migrations/0003_broken.py").write_text("class Migration(\n")
    assert miglint("check", "shop/migrations", cwd=project).stderr == b""


def test_a_directory_without_migrations_is_said(tmp_path: Path) -> None:
    done = miglint("check", cwd=tmp_path)
    assert done.returncode == 0
    assert b"no migrations were found" in done.stderr


def test_colour_only_where_it_is_wanted(project: Path) -> None:
    assert b"\x1b[" not in miglint("check", cwd=project).stdout
    assert b"\x1b[" in miglint("check", cwd=project, FORCE_COLOR="1").stdout
    assert b"\x1b[" not in miglint("check", cwd=project, FORCE_COLOR="1", NO_COLOR="1").stdout


def test_output_file_receives_the_report(project: Path) -> None:
    done = miglint("check", "--output-format", "json", "--output-file", "report.json", cwd=project)
    assert done.stdout == b""
    assert json.loads((project / "report.json").read_text())["version"] == 1


def test_rules_explain_and_clean(project: Path) -> None:
    table = json.loads(miglint("rules", "--output-format", "json", cwd=project).stdout)
    assert {"MG101", "MG201", "MG501", "MG503"} <= {rule["code"] for rule in table["rules"]}
    assert b"# MG201" in miglint("explain", "remove-field", cwd=project).stdout
    wrong = miglint("explain", "remove-feild", cwd=project)
    assert (wrong.returncode, b"remove-field" in wrong.stderr) == (2, True)
    miglint("check", cwd=project)
    assert (project / ".miglint_cache").is_dir()
    miglint("clean", cwd=project)
    assert not (project / ".miglint_cache").exists()
    cache = (project / ".miglint_cache").as_posix()
    assert miglint("clean", cwd=project).stderr.decode() == f"nothing to remove: there is no {cache}\n"
    (project / ".miglint_cache").mkdir()
    said = miglint("clean", cwd=project).stderr.decode()
    assert said == f"nothing to remove: {cache} is no cache of miglint\n"
    assert (project / ".miglint_cache").is_dir()


def test_version(project: Path) -> None:
    assert miglint("--version", cwd=project).stdout.startswith(b"miglint ")


def test_a_page_ends_with_what_its_actions_cost_on_the_database(project: Path) -> None:
    page = miglint("explain", "MG302", cwd=project).stdout.decode()
    assert "## On PostgreSQL" in page
    assert "- `create-index`: SHARE, rows." in page
    assert "## On" not in miglint("explain", "MG701", cwd=project).stdout.decode()
    on_mariadb = miglint("explain", "MG302", "--database", "mariadb", cwd=project).stdout.decode()
    assert "## On MariaDB" in on_mariadb
    (project / "miglint.toml").write_text('database = "mariadb"\nignore = ["MG3"]\n')
    assert miglint("explain", "MG302", cwd=project).stdout.decode() == on_mariadb
    table = json.loads(miglint("rules", "--output-format", "json", cwd=project).stdout)["rules"]
    assert {rule["code"] for rule in table if not rule["enabled"]} == {
        rule["code"] for rule in table if rule["code"].startswith("MG3")
    }


def test_a_comment_about_what_cannot_be_read_is_unused_where_all_can_be(project: Path) -> None:
    drop = project / "shop/migrations/0002_drop.py"
    drop.write_text(drop.read_text().replace('note"),', 'note"),  # miglint: ignore[MG201, MG902, syntax-error]'))
    unused = [each["message"] for each in findings(cwd=project) if each["code"] == "MG903"]
    assert unused == [f"{name} finds nothing here: the comment can go" for name in ("MG902", "syntax-error")]
    assert [each["code"] for each in findings("--ignore", "MG902,MG901", cwd=project) if not each["suppressed"]] == []
    drop.write_text(f"{REMOVING[: REMOVING.index('migrations.Rem')]}*made(),  # miglint: ignore[MG902]\n    ]\n")
    assert [each["code"] for each in findings(cwd=project) if not each["suppressed"]] == []


def test_a_given_file_that_is_no_migration_is_passed_over_and_verbose_says_so(project: Path) -> None:
    done = miglint("check", "shop/__init__.py", "shop/migrations/0001_initial.py", "-v", cwd=project)
    assert done.returncode == 0
    said = [line for line in done.stderr.decode().splitlines() if "is no migration" in line]
    assert said == [
        f"miglint: {project.as_posix()}/shop/__init__.py is no migration that is read: nothing is reported on it"
    ]
    assert b"is no migration" not in miglint("check", "shop/__init__.py", cwd=project).stderr


def test_verbose_says_which_patterns_name_no_migration(project: Path) -> None:
    (project / "miglint.toml").write_text(
        '[per-migration-ignores]\n"shop.0001_*" = ["MG201"]\n"shop/0001_*" = ["MG201"]\n"gone.*" = ["MG201"]\n'
    )
    done = miglint("check", "-v", cwd=project)
    said = [line for line in done.stderr.decode().splitlines() if "per-migration-ignores" in line]
    assert said == [
        "miglint: per-migration-ignores: no migration is called shop/0001_*",
        "miglint: per-migration-ignores: no migration is called gone.*",
    ]
    assert b"per-migration-ignores" not in miglint("check", cwd=project).stderr


def test_verbose_says_which_patterns_name_no_table(project: Path) -> None:
    patterns = ["shop_order", "shop_*", "shop_ordr", "auth_user", "Shop_Order"]
    (project / "miglint.toml").write_text(
        f"small-tables = {json.dumps(patterns)}\nhot-tables = ['shop_o', 'shop_o?der']\n"
    )
    said = {
        tuple(line for line in done.stderr.decode().splitlines() if "-tables" in line)
        for done in [miglint("check", "-v", cwd=project) for _ in "123"]  # the second time it is remembered
    }
    assert said == {
        (
            "miglint: hot-tables: no migration touches a table called shop_o; did you mean shop_order?",
            "miglint: small-tables: no migration touches a table called shop_ordr; did you mean shop_order?",
            "miglint: small-tables: no migration touches a table called auth_user",
            "miglint: small-tables: no migration touches a table called Shop_Order; did you mean shop_order?",
        )
    }
    first = project / "shop/migrations/0001_initial.py"
    first.write_text(
        first.read_text() + "\n# another one\n"
    )  # the report is made anew, of what rules are known to find
    assert b"called shop_ordr" in miglint("check", "-v", cwd=project).stderr
    by = 'AddField("order", "by", models.ForeignKey("auth.User", models.CASCADE, null=True))'
    text = REMOVING.replace("0001_initial", "0002_drop").replace('RemoveField(model_name="order", name="note")', by)
    (project / "shop/migrations/0003_by.py").write_text(text.replace("import migrations", "import migrations, models"))
    assert b"auth_user" not in miglint("check", "-v", cwd=project).stderr
    assert b"-tables" not in miglint("check", cwd=project).stderr


def test_verbose_says_which_globs_take_nothing_out(project: Path) -> None:
    globs = ["shop/migrations/0002_*", "vendored", "shop/migration", "/shop/", f"{project.as_posix()}/shop"]
    (project / "miglint.toml").write_text(f"exclude = {json.dumps(globs[:3])}\n")
    said = {
        tuple(line for line in done.stderr.decode().splitlines() if "exclude" in line)
        for done in [miglint("check", "-v", cwd=project) for _ in "12"]  # the second time it is remembered
    }
    assert said == {
        ("miglint: exclude: vendored takes nothing out", "miglint: exclude: shop/migration takes nothing out")
    }
    assert b"exclude" not in miglint("check", cwd=project).stderr
    (project / "miglint.toml").write_text(f"exclude = {json.dumps(globs[3:])}\n")
    done = miglint("check", "-v", cwd=project)
    assert [line for line in done.stderr.decode().splitlines() if "exclude" in line] == [
        f"miglint: exclude: {globs[4]} takes nothing out"
    ]


@pytest.mark.parametrize("name", ["miglint.toml", "pyproject.toml"])
def test_settings_below_the_root_are_not_read_and_that_is_said(project: Path, name: str) -> None:
    text = 'select = ["MG4"]\n'
    (project / "shop" / name).write_text(f"[tool.miglint]\n{text}" if name == "pyproject.toml" else text)
    (project / "other").mkdir()
    (project / "other/miglint.toml").write_text("")  # no migrations are below it
    (project / "miglint.toml").write_text("")
    shop = (project / "shop").as_posix()
    for _ in "12":  # the second time it is remembered
        done = miglint("check", "--output-format", "concise", cwd=project)
        assert done.stderr.decode() == (
            f"miglint: the settings in {shop} are not read here: they are for paths below it (`miglint check {shop}`)\n"
        )
        assert done.stdout.decode().count("MG201") == 1
    for arguments in (("shop",), ("--isolated",), ("--config", "miglint.toml"), ("-q",)):
        assert miglint("check", *arguments, cwd=project).stderr == b""


def test_other_tools_settings_below_the_root_are_none_of_miglints(project: Path) -> None:
    (project / "shop/pyproject.toml").write_text("[tool.black]\n# miglint\n")
    (project / "miglint.toml").write_text("")
    assert miglint("check", cwd=project).stderr == b""


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", ""),
        ("check", "--config", ""),
        ("check", "--cache-dir", ""),
        ("check", "--baseline", ""),
        ("check", "--output-file", ""),
        ("check", "--stdin-filename", "", "-"),
        ("graph", ""),
        ("state", ""),
        ("plan", "shop", ""),
        ("clean", ""),
        ("clean", "--cache-dir", ""),
        ("rules", "--config", ""),
    ],
    ids=" ".join,
)
def test_an_empty_path_is_a_usage_error(project: Path, arguments: tuple[str, ...]) -> None:
    before = sorted(project.rglob("*"))
    done = miglint(*arguments, cwd=project)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"it is empty (a variable that is not set?)" in done.stderr
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("command", ["check", "graph", "rules"])
def test_a_settings_file_and_none_cannot_be_asked_for_together(project: Path, command: str) -> None:
    (project / "miglint.toml").write_text("")
    done = miglint(command, "--isolated", "--config", "miglint.toml", cwd=project)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == (
        "miglint: --isolated reads no settings file, and --config names one: leave one of them out\n"
    )


def test_a_dash_stands_for_stdout(project: Path) -> None:
    done = miglint("check", "--output-format", "json", "--output-file", "-", cwd=project)
    assert json.loads(done.stdout)["version"] == 1
    assert not (project / "-").exists()
    two = ("--output-format", "json", "--output-format", "text", "--output-file", "-")
    assert miglint("check", *two, cwd=project).returncode == 2
    both = miglint("check", *two, "--output-format", "sarif", "--output-file", "a.sarif", cwd=project)
    assert (both.returncode, both.stderr.decode()) == (
        2, "miglint: only one report can go to stdout: give the others an --output-file\n",
    )  # fmt: skip


def test_two_reports_do_not_go_to_one_file(project: Path) -> None:
    two = ("--output-format", "json", "--output-file", "a", "--output-format", "sarif", "--output-file", "a")
    done = miglint("check", *two, cwd=project)
    assert (done.returncode, done.stderr.decode()) == (
        2, "miglint: two reports cannot go to a: each --output-file is written by one --output-format\n",
    )  # fmt: skip
    assert miglint("check", *[os.devnull if each == "a" else each for each in two], cwd=project).returncode == 1


@pytest.mark.parametrize("empty", ["", "  "])
def test_since_without_a_branch_is_a_usage_error(project: Path, empty: str) -> None:
    done = miglint("check", "--since", empty, cwd=project)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--since names no branch" in done.stderr


def test_what_two_roots_find_is_said_once(project: Path) -> None:
    (project / ".git").mkdir()
    inner = project / "inner"
    inner.mkdir()
    for name in ("manage.py", "shop"):
        (project / name).rename(inner / name)
    assert [f["code"] for f in findings(project, inner, cwd=project)] == ["MG201"]
