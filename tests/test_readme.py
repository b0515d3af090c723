"""The README shows what miglint really prints, and its set-up commands are those that CI runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


SHOWN = re.findall(r"```console\n\$ miglint (.*)\n((?s:.*?))```", README)


@pytest.mark.parametrize("arguments, output", SHOWN, ids=[arguments for arguments, _ in SHOWN])
def test_the_output_shown_is_the_output(arguments: str, output: str) -> None:
    command = [sys.executable, "-m", "miglint", *arguments.split(), "--no-cache", "--color", "never"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == output


def test_the_commands_that_show_what_django_would_build_are_shown() -> None:
    assert {"check", "graph", "plan", "state"} <= {arguments.split()[0] for arguments, _ in SHOWN}


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "pip install -e '.[test]' && .venv/bin/python -m pytest" in README
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


def test_every_rule_that_the_readme_names_exists() -> None:
    done = subprocess.run([sys.executable, "-m", "miglint", "rules"], cwd=ROOT, capture_output=True, text=True)
    known = set(re.findall(r"^MG\d{3}", done.stdout, re.M))
    planned = set(re.findall(r"\*(MG\d{3})\*", README))
    assert planned & known == set()
    assert set(re.findall(r"\bMG\d{3}\b", README)) - known - planned == set()
