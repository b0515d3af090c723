"""What the README tells people to paste: CI files by running their commands, editors' patterns on real output."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from scratch import Scratch, environment
from test_cli import miglint
from test_since import DROP_FAX, THIRD, migration, start

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
CI = ROOT / "examples/ci"
SHOP = ROOT / "fixtures/shop"


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml", "check.sh"])
def test_the_readme_shows_the_file(name: str) -> None:
    assert f"\n{(CI / name).read_text()}```" in README


@pytest.fixture
def clone(tmp_path: Path) -> Scratch:
    """A pull request as CI checks it out: a clone whose branch drops a column."""
    origin = start(tmp_path / "origin")
    origin.git("checkout", "-q", "-b", "work")
    origin.write(THIRD, migration("0002_drop_note", DROP_FAX))
    origin.commit("work")
    origin.git("checkout", "-q", "main")
    origin.git("clone", "-q", "--branch", "work", str(origin.root), str(tmp_path / "clone"))
    return Scratch(tmp_path / "clone")


def run(script: str, root: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """As a runner does: bash that stops at the first failure."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**environment(), "PATH": path, **variables}
    return subprocess.run(["bash", "-e", "-c", script], cwd=root, env=env, capture_output=True, text=True)


def test_the_workflow_is_yaml_that_checks_and_uploads(clone: Scratch) -> None:
    workflow: dict[Any, Any] = yaml.safe_load((CI / "github-actions.yml").read_text())
    assert workflow[True] == "pull_request"  # YAML 1.1 reads `on` as a truth
    assert workflow["permissions"] == {"contents": "read", "security-events": "write"}
    steps = workflow["jobs"]["miglint"]["steps"]
    assert steps[0]["with"]["fetch-depth"] == 0
    (check,) = [step for step in steps if "miglint check" in step.get("run", "")]
    upload = steps[-1]
    assert upload["uses"].startswith("github/codeql-action/upload-sarif@")
    done = run(check["run"], clone.root, GITHUB_BASE_REF="main", GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert done.stdout.startswith(f"::error file={THIRD},line=7,")
    assert done.stdout.count("\n") == 1
    sarif = json.loads((clone.root / upload["with"]["sarif_file"]).read_text())
    assert [result["ruleId"] for result in sarif["runs"][0]["results"]] == ["MG201"]


def test_the_gitlab_job_is_yaml_that_writes_its_reports(clone: Scratch) -> None:
    job = yaml.safe_load((CI / "gitlab-ci.yml").read_text())["migrations"]
    assert job["variables"]["GIT_DEPTH"] == "0"
    install, *commands = job["script"]
    assert install.startswith("pip install")
    done = run("\n".join(commands), clone.root, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    assert done.returncode == 1
    assert "error[MG201]" in done.stdout
    reports = job["artifacts"]["reports"]
    (issue,) = json.loads((clone.root / reports["codequality"]).read_text())
    assert issue["location"]["path"] == THIRD
    assert ElementTree.parse(clone.root / reports["junit"]).getroot().attrib["failures"] == "1"


def test_the_shell_script_passes_and_fails_as_it_says(clone: Scratch) -> None:
    script = (CI / "check.sh").read_text()
    done = run(script, clone.root)
    assert (done.returncode, "MG201" in done.stdout) == (1, True)
    clone.write(THIRD, migration("0002_drop_note"))
    assert run(script, clone.root).returncode == 0
    assert run(script.replace("main", "nowhere"), clone.root).returncode not in (0, 1)


# -- editors --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def concise() -> list[str]:
    """Real lines, of every severity."""
    done = miglint("check", "-q", "--no-cache", "--output-format", "concise", "--select", "ALL", cwd=SHOP)
    assert done.stderr == b""
    lines = done.stdout.decode().splitlines()
    assert {re.findall(r"\[(\w+)\]", line)[0] for line in lines} == {"error", "warning", "info"}
    return lines


def places(pattern: str, lines: list[str]) -> list[tuple[str, ...]]:
    """The first groups of each line: a file that is there, and numbers."""
    found = []
    for line in lines:
        match = re.match(pattern, line)
        assert match is not None, line
        groups = match.groups()
        assert (SHOP / groups[0]).is_file()
        assert all(number.isdigit() for number in groups[1:3])
        assert line.startswith(":".join(groups[:3]) + ": ")
        found.append(groups)
    return found


def block(language: str, word: str) -> str:
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", README, re.S) if word in text)


def test_the_problem_matcher_of_vs_code(concise: list[str]) -> None:
    (task,) = json.loads(block("json", "problemMatcher"))["tasks"]
    pattern = task["problemMatcher"]["pattern"]
    for groups in places(pattern["regexp"], concise):
        assert groups[pattern["severity"] - 1] in ("error", "warning", "info")
        assert re.fullmatch(r"MG\d{3}", groups[pattern["code"] - 1])
        assert groups[pattern["message"] - 1]


def test_the_pattern_of_emacs(concise: list[str]) -> None:
    text = block("elisp", "compilation-error-regexp-alist-alist")
    (lisp,) = re.findall(r'\(miglint "(.*?)"\n', text)
    regexp = lisp.replace("\\\\", "\\")
    # Emacs groups with \( \) \|, and brackets stand for themselves as \[ and \].
    python = re.sub(r"\\([()|])|([()|])", lambda m: m[1] or "\\" + m[2], regexp)
    for groups, line in zip(places(python, concise), concise, strict=True):
        severity = "warning" if groups[3] else "info" if groups[4] else "error"
        assert f"[{severity}]" in line


def test_the_output_filter_of_pycharm(concise: list[str]) -> None:
    (shown,) = re.findall(r"\| Output filters \| `(.*?)` \|", README)
    macros = {"FILE_PATH": "(.+?)", "LINE": r"(\d+)", "COLUMN": r"(\d+)", "MESSAGE": "(.*)"}
    places("^" + re.sub(r"\$(\w+)\$", lambda m: macros[m[1]], shown) + "$", concise)


def test_the_errorformat_of_neovim(concise: list[str]) -> None:
    (shown,) = re.findall(r'from_errorformat\("(.*?)"', README)
    items = {"%f": "(.+?)", "%l": r"(\d+)", "%c": r"(\d+)", "%m": "(.*)"}
    places("^" + re.sub(r"%\w", lambda m: items[m[0]], shown) + "$", concise)


@pytest.mark.skipif(shutil.which("vim") is None, reason="vim is not installed")
def test_vim_fills_its_quickfix_list(tmp_path: Path) -> None:
    project = start(tmp_path / "project")
    project.write(THIRD, migration("0002_drop_note", DROP_FAX))
    script = tmp_path / "vimrc"
    script.write_text(
        "set nocompatible\n" + block("vim", "cgetexpr") + f"edit {THIRD}\nwrite\n"
        'let found = map(getqflist(), \'bufname(v:val.bufnr) . ":" . v:val.lnum . ":" . v:val.col\')\n'
        "call writefile(found, 'found')\nqall!\n"
    )
    run(f"vim -es -N -u {script} </dev/null", project.root)
    assert (project.root / "found").read_text().splitlines() == [f"{THIRD}:7:9"]


def test_the_task_of_vs_code_runs(tmp_path: Path) -> None:
    project = start(tmp_path)
    file = project.write(THIRD, migration("0002_drop_note", DROP_FAX))
    (task,) = json.loads(block("json", "problemMatcher"))["tasks"]
    command = task["command"].replace("${relativeFile}", THIRD).replace("${file}", str(file))
    done = run(command, project.root)
    assert done.stdout.startswith(f"{THIRD}:7:9: MG201 [error] ")


# -- completion -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_gets_its_completion(tmp_path: Path, shell: str) -> None:
    assert "_MIGLINT_COMPLETE=bash_source miglint" in README
    script = run(f"_MIGLINT_COMPLETE={shell}_source miglint", tmp_path)
    assert (script.returncode, "_MIGLINT_COMPLETE" in script.stdout) == (0, True)


@pytest.mark.parametrize(
    "words, completed",
    [
        ("miglint ch", ["check"]),
        ("miglint check --sin", ["--since"]),
        ("miglint check --output-format s", ["sarif"]),
        ("miglint explain MG60", ["MG601", "MG602", "MG603", "MG604", "MG605"]),
        ("miglint explain edited", ["edited-migration"]),
    ],
)
def test_words_are_completed(tmp_path: Path, words: str, completed: list[str]) -> None:
    count = str(len(words.split()) - 1)
    done = run("miglint", tmp_path, _MIGLINT_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=count)
    assert [line.partition(",")[2] for line in done.stdout.splitlines()] == completed
