"""The README shows what miglint really prints, and its set-up commands are those that CI runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_output_shown_is_the_output() -> None:
    shown = re.search(r"```console\n\$ miglint (.*)\n((?s:.*?))```", README)
    assert shown is not None
    command = [sys.executable, "-m", "miglint", *shown[1].split(), "--no-cache", "--color", "never"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == shown[2]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "pip install -e '.[test]' && .venv/bin/python -m pytest" in README
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


def test_every_rule_that_the_readme_names_exists() -> None:
    done = subprocess.run([sys.executable, "-m", "miglint", "rules"], cwd=ROOT, capture_output=True, text=True)
    known = set(re.findall(r"^MG\d{3}", done.stdout, re.M))
    planned = set(re.findall(r"\*(MG\d{3})\*", README))
    assert planned & known == set()
    assert set(re.findall(r"\bMG\d{3}\b", README)) - known - planned == set()
