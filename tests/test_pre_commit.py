"""The hooks under the real pre-commit, in repositories of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scratch import Scratch, environment
from test_since import DROP_FAX, DROP_NOTE, INITIAL, SECOND, THIRD, migration

ROOT = Path(__file__).parent.parent
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
}
ADD = 'migrations.AddField("order", "gift", models.TextField(null=True))'


class Hooked(Scratch):
    """A repository with a project in it, whose commits go through the hooks."""

    def __init__(self, root: Path, config: dict[str, Any], home: Path) -> None:
        super().__init__(root)
        self._home = home
        for path in ("manage.py", "shop/__init__.py", "shop/migrations/__init__.py"):
            self.write(path, "")
        self.write("shop/migrations/0001_initial.py", INITIAL)
        self.write(".gitignore", ".miglint_cache/\n")
        self.commit("start")
        self.write(".pre-commit-config.yaml", yaml.safe_dump(config))
        self.commit("hooks")
        self.pre_commit("install")

    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**environment(), "PRE_COMMIT_HOME": str(self._home), "PATH": path, "COLUMNS": "100"}

    def pre_commit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pre_commit", *arguments]
        return subprocess.run(command, cwd=self.root, env=self._environment(), capture_output=True, text=True)

    def try_commit(self) -> tuple[bool, str]:
        """Whether a commit of all that is there passes, and what was said."""
        self.git("add", "--all")
        command = ["git", "commit", "-m", "work"]
        done = subprocess.run(command, cwd=self.root, env=self._environment(), capture_output=True, text=True)
        return done.returncode == 0, done.stdout + done.stderr


def local(*names: str, **changes: Any) -> dict[str, Any]:
    """The shipped hooks, run by the miglint under test."""
    entry = f"{sys.executable} -m miglint check"
    return {
        "repos": [
            {"repo": "local", "hooks": [{**HOOKS[n], "language": "system", "entry": entry, **changes} for n in names]}
        ]
    }


@pytest.fixture
def hooked(tmp_path: Path) -> Hooked:
    return Hooked(tmp_path / "project", local("miglint"), tmp_path / "home")


@pytest.fixture
def whole(tmp_path: Path) -> Hooked:
    return Hooked(tmp_path / "project", local("miglint-project"), tmp_path / "home")


def test_the_hooks_are_what_pre_commit_takes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    subprocess.run(command, check=True, env=environment(), cwd=tmp_path)
    assert HOOKS["miglint"]["files"] == r"(^|/)migrations/.*\.py$"
    assert HOOKS["miglint"]["types"] == ["python"]
    assert HOOKS["miglint-project"]["pass_filenames"] is False
    assert HOOKS["miglint-project"]["always_run"] is True
    assert all(hook["language"] == "python" and hook["require_serial"] for hook in HOOKS.values())


def test_a_bad_migration_stops_the_commit_and_a_good_one_passes(hooked: Hooked) -> None:
    hooked.write(SECOND, migration("0001_initial", DROP_NOTE))
    passed, said = hooked.try_commit()
    assert not passed
    assert "MG201" in said
    hooked.write(SECOND, migration("0001_initial", ADD))
    passed, said = hooked.try_commit()
    assert passed, said


def test_what_is_not_in_the_commit_is_read_and_not_reported(hooked: Hooked) -> None:
    hooked.write(SECOND, migration("0001_initial", DROP_NOTE))
    hooked.git("add", "--all")
    hooked.git("commit", "-q", "--no-verify", "-m", "accepted")
    hooked.write(THIRD, migration("0002_drop_note", ADD))
    passed, said = hooked.try_commit()
    assert passed, said


def test_a_commit_without_migrations_asks_nothing(hooked: Hooked) -> None:
    hooked.write("README", "words")
    passed, said = hooked.try_commit()
    assert (passed, "Skipped" in said) == (True, True)


@pytest.mark.parametrize("with_child", [True, False])
def test_a_deleted_parent_is_noticed(whole: Hooked, with_child: bool) -> None:
    whole.write(SECOND, migration("0001_initial", ADD))
    whole.write(THIRD, migration("0002_drop_note"))
    assert whole.try_commit()[0]
    (whole.root / SECOND).unlink()
    if with_child:
        whole.write(THIRD, migration("0002_drop_note") + "\n# touched\n")
    passed, said = whole.try_commit()
    assert not passed
    assert "MG102" in said


def test_the_hook_of_files_notices_a_deleted_parent_where_a_child_is_in_the_commit(hooked: Hooked) -> None:
    hooked.write(SECOND, migration("0001_initial", ADD))
    hooked.write(THIRD, migration("0002_drop_note"))
    assert hooked.try_commit()[0]
    (hooked.root / SECOND).unlink()
    hooked.write(THIRD, migration("0002_drop_note") + "\n# touched\n")
    passed, said = hooked.try_commit()
    assert not passed
    assert "MG102" in said


def test_a_forgotten_parent_is_noticed(hooked: Hooked) -> None:
    hooked.write(SECOND, migration("0001_initial", ADD))
    hooked.write(THIRD, migration("0002_drop_note"))
    hooked.git("add", THIRD)
    done = subprocess.run(
        ["git", "commit", "-m", "x"], cwd=hooked.root, env=hooked._environment(), capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "MG605" in done.stdout + done.stderr


def test_a_package_of_another_name_is_the_business_of_the_whole_project(whole: Hooked) -> None:
    whole.write("other/__init__.py", "")
    whole.write("other/db_migrations/__init__.py", "")
    whole.write("other/db_migrations/0001_initial.py", INITIAL)
    assert whole.try_commit()[0]
    whole.write("other/db_migrations/0002_note.py", migration("0001_initial", DROP_NOTE, app="other"))
    passed, said = whole.try_commit()
    assert not passed
    assert "other/db_migrations/0002_note.py" in said


def test_a_hundred_files_in_several_calls_lose_no_finding(tmp_path: Path) -> None:
    # pre-commit gives a command at most 128 KiB of file names at a time: long ones make several calls of a hundred.
    config = local("miglint", args=["--output-format", "concise"], verbose=True)
    entry = tmp_path / "count.sh"
    entry.write_text(f'#!/bin/sh\necho called\nexec {sys.executable} -m miglint check "$@"\n')
    entry.chmod(0o755)
    config["repos"][0]["hooks"][0]["entry"] = str(entry)
    hooked = Hooked(tmp_path / "p", config, tmp_path / "home")
    deep = "/".join(["d" * 240] * 6)
    hooked.write(f"{deep}/billing/migrations/__init__.py", "")
    hooked.write(f"{deep}/billing/migrations/0001_initial.py", INITIAL)
    for number in range(2, 101):
        parent = "0001_initial" if number == 2 else f"{number - 1:04}_x"
        text = migration(parent, 'migrations.RunSQL("SELECT 1")', app="billing")
        hooked.write(f"{deep}/billing/migrations/{number:04}_x.py", text)
    hooked.write(SECOND, migration("0001_initial", DROP_FAX))
    hooked.write("shop/migrations/0002_other.py", migration("0001_initial", ADD))  # two leaves: about the graph
    passed, said = hooked.try_commit()
    assert not passed
    lines = [line for line in said.splitlines() if re.search(r": MG\d{3} \[", line)]
    calls = said.count("called\n")
    assert calls > 1
    once = [line for line in lines if ": MG1" not in line]
    assert len(once) == len(set(once)) == 99 + 1
    about_the_graph = [line for line in lines if ": MG1" in line]
    assert {about_the_graph.count(line) for line in about_the_graph} == {calls}
    assert len(set(about_the_graph)) == 2


def test_installed_as_a_user_installs_it(tmp_path: Path) -> None:
    source = Scratch(tmp_path / "miglint")
    for name in ("src", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source.root / name)
    revision = source.commit("this miglint")
    config = {
        "repos": [{"repo": str(source.root), "rev": revision, "hooks": [{"id": "miglint"}, {"id": "miglint-project"}]}]
    }
    hooked = Hooked(tmp_path / "project", config, tmp_path / "home")
    hooked.write(SECOND, migration("0001_initial", DROP_NOTE))
    passed, said = hooked.try_commit()
    assert not passed
    assert said.count("error[MG201]") == 2
    hooked.write(SECOND, migration("0001_initial", ADD))
    passed, said = hooked.try_commit()
    assert passed, said
