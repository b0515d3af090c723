"""A plug-in is installed beside miglint, switched on by name, and its rules are like any other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent / "examples" / "miglint-no-raw-sql"
MIGRATION = """\
from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [{above}
        migrations.RunSQL("UPDATE shop_order SET note = ''", migrations.RunSQL.noop),
    ]
"""
IGNORED = "\n        # miglint: ignore[XNR001] -- a report needs it"
RULE = """\
from miglint.api import Migration, Severity, rule


@rule("{code}", on=Migration, severity=Severity.WARNING)
def {name}(context):
    \"\"\"Every migration is a finding.\"\"\"
    yield context.diagnostic(None, "found")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, installed into a folder of its own."""
    target = tmp_path_factory.mktemp("plugins")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--no-compile", "--target", str(target), str(EXAMPLE)], check=True)
    return target


def plugin(folder: Path, modules: dict[str, str]) -> Path:
    """A folder with the plug-in `house`, as an installer would leave it."""
    for name, text in modules.items():
        file = folder / "house_rules" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    metadata = folder / "house_rules-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: house-rules\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[miglint.plugins]\nhouse = house_rules\n")
    return folder


def project(root: Path, *, plugins: str, above: str = "") -> Path:
    """A project of one migration with raw SQL."""
    migrations = root / "shop" / "migrations"
    migrations.mkdir(parents=True)
    (root / "shop" / "__init__.py").write_text("")
    (migrations / "__init__.py").write_text("")
    (migrations / "0001_initial.py").write_text(MIGRATION.format(above=above))
    (root / "miglint.toml").write_text(f"plugins = {plugins}\n")
    return root


def check(root: Path, beside: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`miglint check` with the folder `beside` on the path."""
    return miglint(root, beside, "check", "--output-format", "concise", "--quiet", *arguments, ".")


def miglint(root: Path, beside: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "miglint", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(beside)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)


def lines_about(output: str, code: str) -> list[str]:
    return [line for line in output.splitlines() if code in line]


def test_a_plugins_rule_finds_what_it_looks_for(tmp_path: Path, installed: Path) -> None:
    run = check(project(tmp_path, plugins='["no-raw-sql"]'), installed)
    assert run.stderr == ""
    [line] = lines_about(run.stdout, "XNR001")
    assert line.startswith("shop/migrations/0001_initial.py:8:")
    assert "this house writes migrations without raw SQL" in line


def test_a_plugins_rules_stand_in_the_table_and_have_their_pages(tmp_path: Path, installed: Path) -> None:
    root = project(tmp_path, plugins='["no-raw-sql"]')
    assert len(lines_about(miglint(root, installed, "rules").stdout, "XNR001")) == 1
    page = miglint(root, installed, "explain", "XNR001")
    assert (page.returncode, page.stdout.splitlines()[0].startswith("# XNR001 · ")) == (0, True)


def test_a_plugin_that_is_installed_but_not_named_does_nothing(tmp_path: Path, installed: Path) -> None:
    run = check(project(tmp_path, plugins="[]"), installed)
    assert (run.stderr, lines_about(run.stdout, "XNR001")) == ("", [])


def test_a_plugins_code_can_be_ignored_in_a_comment(tmp_path: Path, installed: Path) -> None:
    run = check(project(tmp_path, plugins='["no-raw-sql"]', above=IGNORED), installed)
    assert run.stderr == ""
    assert [line for code in ("XNR001", "MG903", "MG904") for line in lines_about(run.stdout, code)] == []


@pytest.mark.parametrize("selector", ["XNR", "XNR001", "no-raw-sql"])
def test_a_plugins_rule_is_selected_by_prefix_code_and_name(tmp_path: Path, installed: Path, selector: str) -> None:
    run = check(project(tmp_path, plugins='["no-raw-sql"]'), installed, "--select", selector)
    [line] = run.stdout.splitlines()
    assert (run.returncode, run.stderr, lines_about(line, "XNR001")) == (1, "", [line])


def test_a_plugins_rule_can_be_switched_off(tmp_path: Path, installed: Path) -> None:
    run = check(project(tmp_path, plugins='["no-raw-sql"]'), installed, "--ignore", "XNR")
    assert (run.stderr, lines_about(run.stdout, "XNR001")) == ("", [])


def test_a_selector_of_a_plugin_that_is_not_named_is_unknown(tmp_path: Path, installed: Path) -> None:
    run = check(project(tmp_path, plugins="[]"), installed, "--select", "XNR")
    assert (run.returncode, run.stdout) == (2, "")
    assert "unknown rule XNR" in run.stderr


def test_a_plugin_that_does_not_exist_is_named_in_one_sentence(tmp_path: Path, installed: Path) -> None:
    run = check(project(tmp_path, plugins='["no-such"]'), installed)
    assert (run.returncode, run.stdout) == (2, "")
    assert len(run.stderr.splitlines()) == 1
    assert "the plug-in 'no-such' is not installed beside miglint (installed: no-raw-sql)" in run.stderr


BROKEN = {
    "the package lacks a dependency": {"__init__.py": "import no_such_module"},
    "the package has no rules": {"__init__.py": ""},
    "rules is a module": {"__init__.py": "", "rules.py": ""},
    "a rule's module lacks a name": {
        "__init__.py": "",
        "rules/__init__.py": "",
        "rules/one.py": "from miglint.api import NoSuchName",
    },
    "a category lacks a dependency": {
        "__init__.py": "",
        "rules/__init__.py": "",
        "rules/a/__init__.py": "import no_such_module",
    },
    "a rule's module is no Python": {"__init__.py": "", "rules/__init__.py": "", "rules/one.py": "def ("},
    "a rule's module uses a name it lacks": {"__init__.py": "", "rules/__init__.py": "", "rules/one.py": "nothing()"},
    "a rule's module raises": {"__init__.py": "", "rules/__init__.py": "", "rules/one.py": "raise ValueError('no')"},
}


@pytest.mark.parametrize("modules", BROKEN.values(), ids=BROKEN.keys())
def test_a_plugin_that_cannot_be_imported_is_named_in_one_sentence(tmp_path: Path, modules: dict[str, str]) -> None:
    beside = plugin(tmp_path / "beside", modules)
    run = check(project(tmp_path / "project", plugins='["house"]'), beside)
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (2, "", 1)
    assert "the plug-in 'house' cannot be loaded: " in run.stderr


@pytest.mark.parametrize(("code", "name", "word"), [("MG101", "mine", "MG101"), ("XH001", "missing_parent", "missing")])
def test_a_plugin_cannot_take_the_code_or_the_name_of_a_rule(tmp_path: Path, code: str, name: str, word: str) -> None:
    rule = RULE.format(code=code, name=name)
    modules = {"__init__.py": "", "rules/__init__.py": "", "rules/own/__init__.py": "", f"rules/own/{name}.py": rule}
    beside = plugin(tmp_path / "beside", modules)
    run = check(project(tmp_path / "project", plugins='["house"]'), beside)
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (2, "", 1)
    assert f"house_rules.rules.own.{name}" in run.stderr
    assert word in run.stderr
