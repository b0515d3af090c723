"""Only what is mine: the base branch in all the ways a repository can be in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from miglint.git import GitError, Repository
from miglint.options import Options
from miglint.report import Report
from miglint.root import UsageError
from miglint.session import Session
from scratch import Scratch, environment

INITIAL = """from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel("Order", [
            ("id", models.BigAutoField(primary_key=True)),
            ("note", models.TextField(null=True)),
            ("fax", models.TextField(null=True)),
        ]),
    ]
"""


def migration(parent: str, *operations: str, app: str = "shop") -> str:
    lines = "".join(f"        {operation},\n" for operation in operations)
    return (
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("{app}", "{parent}")]\n    operations = [\n{lines}    ]\n'
    )


DROP_NOTE = 'migrations.RemoveField("order", "note")'
DROP_FAX = 'migrations.RemoveField("order", "fax")'
SECOND, THIRD = "shop/migrations/0002_drop_note.py", "shop/migrations/0003_drop_fax.py"


def start(root: Path, below: str = "") -> Scratch:
    """A project on `main`, whose last migration drops a column; `below` is where it is in the repository."""
    repository = Scratch(root)
    for path, text in {
        "manage.py": "",
        "shop/__init__.py": "",
        "shop/migrations/__init__.py": "",
        "shop/migrations/0001_initial.py": INITIAL,
        SECOND: migration("0001_initial", DROP_NOTE),
    }.items():
        repository.write(below + path, text)
    repository.commit("start")
    return repository


def report(root: Path, *paths: str, since: str | None = "main", **options: object) -> Report:
    session = Session(Options(cache=False, jobs=1, since=since, **options), cwd=root)  # type: ignore[arg-type]
    return session.report([Path(path) for path in paths])


def found(root: Path, *paths: str, since: str | None = "main", **options: object) -> list[str]:
    """`code path` of each finding."""
    findings = report(root, *paths, since=since, **options).findings
    return [f"{each.code} {os.path.relpath(each.path or '', root)}" for each in findings]


def refusal(root: Path, since: str) -> str:
    with pytest.raises(UsageError) as caught:
        report(root, since=since)
    return str(caught.value)


# -- what is unreleased -------------------------------------------------------------------------------


def test_what_the_base_branch_has_is_not_reported(tmp_path: Path) -> None:
    start(tmp_path)
    assert found(tmp_path, since=None) == [f"MG201 {SECOND}"]
    assert found(tmp_path) == []


@pytest.mark.parametrize("state", ["untracked", "in the index", "committed"])
def test_what_is_new_here_is_reported_however_far_it_is(tmp_path: Path, state: str) -> None:
    repository = start(tmp_path)
    repository.git("checkout", "-q", "-b", "work")
    repository.write(THIRD, migration("0002_drop_note", DROP_FAX))
    if state == "in the index":
        repository.git("add", "--all")
    if state == "committed":
        repository.commit("work")
    assert found(tmp_path) == [f"MG201 {THIRD}"]


def test_the_setting_does_what_the_option_does_and_the_option_wins(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.write("miglint.toml", 'base = "main"\n')
    assert found(tmp_path, since=None) == []
    assert "no commit 'elsewhere'" in refusal(tmp_path, "elsewhere")
    repository.write("miglint.toml", 'base = "elsewhere"\n')
    with pytest.raises(UsageError, match=r'^base = "elsewhere" in .*miglint.toml: git knows no commit'):
        report(tmp_path, since=None)


def test_findings_about_the_graph_are_reported_wherever_they_are(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.write("shop/migrations/0002_other.py", migration("0001_initial", DROP_FAX))
    repository.commit("two leaves on main")
    assert [line.split()[0] for line in found(tmp_path)] == ["MG101", "MG101"]


def test_the_whole_history_is_read(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.write(THIRD, migration("0002_drop_note", DROP_NOTE, DROP_FAX))
    assert report(tmp_path).summary.migrations == 3
    # The released migration dropped the note already: it is not dropped again.
    assert found(tmp_path, select=("MG201",)) == [f"MG201 {THIRD}"]


def test_a_table_of_an_unreleased_migration_is_new(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.git("checkout", "-q", "-b", "work")
    create = 'migrations.CreateModel("Gift", [("id", models.BigAutoField(primary_key=True))])'
    add = 'migrations.AddField("gift", "size", models.IntegerField())'
    repository.write("shop/migrations/0003_gift.py", migration("0002_drop_note", create))
    repository.write("shop/migrations/0004_size.py", migration("0003_gift", add))
    assert found(tmp_path) == []
    assert "MG401 shop/migrations/0004_size.py" in found(tmp_path, since=None)


def test_a_path_filters_what_is_unreleased_further(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.write(THIRD, migration("0002_drop_note", DROP_FAX))
    assert found(tmp_path, SECOND) == []
    assert found(tmp_path, THIRD) == [f"MG201 {THIRD}"]


def test_text_from_stdin_is_compared_too(tmp_path: Path) -> None:
    start(tmp_path)
    path = tmp_path / SECOND
    session = Session(Options(cache=False, since="main"), cwd=tmp_path)
    edited = migration("0001_initial", DROP_FAX).encode()
    codes = [each.code for each in session.report([path], {path.as_posix(): edited}).findings]
    assert codes == ["MG601"]


def test_verbose_names_the_merge_base(tmp_path: Path) -> None:
    repository = start(tmp_path)
    base = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "-q", "-b", "work")
    repository.write(THIRD, migration("0002_drop_note", DROP_FAX))
    notes = report(tmp_path).notes
    assert f"since main: the merge base is {base[:10]}; 1 of 3 migrations are unreleased" in notes


# -- where repositories and projects are -----------------------------------------------------------------


def test_the_repository_may_begin_above_the_project(tmp_path: Path) -> None:
    repository = start(tmp_path, below="server/src/")
    root = tmp_path / "server/src"
    repository.write(f"server/src/{THIRD}", migration("0002_drop_note", DROP_FAX))
    assert found(root) == [f"MG201 {THIRD}"]
    assert found(root / "shop") == ["MG201 migrations/0003_drop_fax.py"]


def test_a_project_that_is_younger_than_the_merge_base_is_all_new(tmp_path: Path) -> None:
    repository = Scratch(tmp_path)
    repository.write("README", "nothing yet")
    repository.commit("start")
    start_at = tmp_path / "server"
    (tmp_path / "server").mkdir()
    for path, text in (("manage.py", ""), ("shop/migrations/__init__.py", ""), (SECOND, INITIAL)):
        repository.write(f"server/{path}", text)
    assert "1 of 1 migrations are unreleased" in " ".join(report(start_at).notes)


def test_a_worktree_has_its_own_head(tmp_path: Path) -> None:
    repository = start(tmp_path / "main")
    repository.git("worktree", "add", "-q", "-b", "work", str(tmp_path / "work"))
    (tmp_path / "work" / THIRD).write_text(migration("0002_drop_note", DROP_FAX))
    assert found(tmp_path / "work") == [f"MG201 {THIRD}"]
    assert found(tmp_path / "main") == []


def test_a_worktree_whose_repository_is_gone_is_no_silent_green(tmp_path: Path) -> None:
    repository = start(tmp_path / "main")
    repository.git("worktree", "add", "-q", "-b", "work", str(tmp_path / "work"))
    (tmp_path / "main").rename(tmp_path / "moved")
    assert "--since main: git cannot read the repository" in refusal(tmp_path / "work", "main")


def test_a_project_reached_by_a_link(tmp_path: Path) -> None:
    repository = start(tmp_path / "real", below="server/")
    repository.write(f"server/{THIRD}", migration("0002_drop_note", DROP_FAX))
    (tmp_path / "link").symlink_to(tmp_path / "real" / "server")
    assert found(tmp_path / "link") == [f"MG201 {THIRD}"]


def test_a_submodule_has_what_its_superproject_recorded(tmp_path: Path) -> None:
    inner = start(tmp_path / "inner")
    outer = Scratch(tmp_path / "outer")
    outer.write("manage.py", "")
    outer.git("submodule", "--quiet", "add", str(inner.root), "apps")
    outer.commit("start")
    assert found(outer.root) == []
    (outer.root / "apps" / THIRD).write_text(migration("0002_drop_note", DROP_FAX))
    (outer.root / "apps/manage.py").unlink()
    assert found(outer.root) == [f"MG201 apps/{THIRD}"]


def test_the_project_itself_is_a_submodule(tmp_path: Path) -> None:
    inner = start(tmp_path / "inner")
    outer = Scratch(tmp_path / "outer")
    outer.git("submodule", "--quiet", "add", str(inner.root), "server")
    outer.commit("start")
    (outer.root / "server" / THIRD).write_text(migration("0002_drop_note", DROP_FAX))
    assert found(outer.root / "server") == [f"MG201 {THIRD}"]


def test_a_submodule_without_the_recorded_commit_says_how_to_get_it(tmp_path: Path) -> None:
    inner = start(tmp_path / "inner")
    outer = Scratch(tmp_path / "outer")
    outer.write("manage.py", "")
    outer.git("submodule", "--quiet", "add", str(inner.root), "apps")
    outer.git("update-index", "--cacheinfo", f"160000,{'1' * 40},apps")
    outer.git("commit", "-q", "-m", "a commit that is nowhere")
    assert "the submodule" in refusal(outer.root, "main")
    assert "fetch` brings it" in refusal(outer.root, "main")


def test_converted_line_ends_are_no_change(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.write(".gitattributes", "*.py text eol=crlf\n")
    repository.commit("line ends")
    file = tmp_path / SECOND
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert found(tmp_path) == []


# -- what was moved, renamed, deleted ----------------------------------------------------------------------


def test_an_app_that_moved_to_another_directory_keeps_its_migrations(tmp_path: Path) -> None:
    repository = start(tmp_path)
    (tmp_path / "src").mkdir()
    repository.git("mv", "shop", "src/shop")
    assert found(tmp_path) == []
    repository.write(f"src/{SECOND}", migration("0001_initial", DROP_FAX))
    assert found(tmp_path) == [f"MG601 src/{SECOND}"]


def test_a_renamed_migration_is_gone_and_new(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.git("mv", SECOND, "shop/migrations/0002_note.py")
    assert found(tmp_path) == [f"MG602 {SECOND}", "MG201 shop/migrations/0002_note.py"]


def test_a_deleted_migration_is_missed_even_where_it_was_the_last(tmp_path: Path) -> None:
    start(tmp_path)
    (tmp_path / SECOND).unlink()
    assert found(tmp_path) == [f"MG602 {SECOND}"]
    (tmp_path / "shop/migrations/0001_initial.py").unlink()
    assert [line.split()[0] for line in found(tmp_path)] == ["MG602"]


def test_what_the_base_branch_deleted_itself_is_not_missed(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.git("branch", "work")
    (tmp_path / SECOND).unlink()
    repository.commit("squashed away on main")
    repository.git("checkout", "-q", "work")
    (tmp_path / SECOND).unlink()
    assert found(tmp_path) == []


def test_an_edited_migration_that_is_accepted_is_checked_as_if_it_were_new(tmp_path: Path) -> None:
    repository = start(tmp_path)
    edited = migration("0001_initial", DROP_FAX)
    repository.write(SECOND, edited)
    assert found(tmp_path) == [f"MG601 {SECOND}"]
    repository.write(SECOND, edited.replace("class M", "# miglint: ignore[MG601] -- not deployed\nclass M"))
    assert found(tmp_path) == [f"MG201 {SECOND}"]
    assert found(tmp_path, ignore=("MG601",)) == [f"MG201 {SECOND}"]


def test_an_edit_that_the_base_branch_made_too_is_none(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.git("branch", "work")
    repository.write(SECOND, migration("0001_initial", DROP_FAX))
    repository.commit("mended on main")
    repository.git("checkout", "-q", "work")
    repository.write(SECOND, migration("0001_initial", DROP_FAX))
    assert found(tmp_path) == []


def test_excluded_directories_are_not_missed(tmp_path: Path) -> None:
    repository = start(tmp_path)
    for path in ("__init__.py", "0001_initial.py"):
        repository.write(f"tests/old/migrations/{path}", "" if path.startswith("__") else INITIAL)
    repository.write("miglint.toml", 'exclude = ["tests"]\n')
    repository.commit("with tests")
    repository.git("rm", "-rq", "tests")
    assert found(tmp_path) == []


# -- what cannot be compared is said -----------------------------------------------------------------------


def test_a_ref_that_is_only_on_the_remote_is_suggested(tmp_path: Path) -> None:
    origin = start(tmp_path / "origin")
    origin.git("branch", "release")
    clone = tmp_path / "clone"
    origin.git("clone", "-q", str(origin.root), str(clone))
    assert "did you mean origin/release?" in refusal(clone, "release")
    assert "git fetch origin nowhere:refs/remotes/origin/nowhere" in refusal(clone, "origin/nowhere")
    assert "git fetch origin nowhere" in refusal(clone, "nowhere")


def test_a_shallow_clone_without_the_merge_base_is_told_how_to_deepen(tmp_path: Path) -> None:
    origin = start(tmp_path / "origin")
    origin.git("checkout", "-q", "-b", "work")
    origin.commit("work")
    origin.git("checkout", "-q", "main")
    origin.commit("main goes on")
    clone = tmp_path / "clone"
    url = origin.root.as_uri()
    origin.git("clone", "-q", "--depth", "1", "--no-single-branch", "--branch", "work", url, str(clone))
    assert "git fetch --unshallow" in refusal(clone, "origin/main")
    subprocess.run(["git", "fetch", "-q", "--unshallow"], cwd=clone, env=environment(), check=True)
    assert found(clone, since="origin/main") == []


def test_branches_without_a_common_commit(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.git("checkout", "-q", "--orphan", "other")
    repository.commit("another beginning")
    assert "no commit in common" in refusal(tmp_path, "main")


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    Scratch(tmp_path).write(THIRD, INITIAL)
    assert "has no commit yet" in refusal(tmp_path, "main")
    assert found(tmp_path, since=None) == ["MG105 shop/migrations/0003_drop_fax.py"]


def test_without_a_repository(tmp_path: Path) -> None:
    (tmp_path / "manage.py").touch()
    assert "is in no git repository" in refusal(tmp_path, "main")


@pytest.mark.parametrize("name", ["--upload-pack=touch ran", "-main", "--help", "a b", "a\nb", "", ":/x", "main:shop"])
def test_no_ref_can_become_an_option(tmp_path: Path, name: str) -> None:
    start(tmp_path)
    repository = Repository.of(tmp_path.as_posix())
    assert repository is not None
    with pytest.raises(GitError):
        repository.commit(name)
    assert not (tmp_path / "ran").exists()


def test_a_branch_that_is_called_like_an_option(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.git("update-ref", "refs/heads/--all", "HEAD")
    assert found(tmp_path, since="--all") == []


@pytest.mark.parametrize(
    "name", ["--cached.py", "a b.py", "ä.py", "tab\t.py", "new\nline.py", "0002_[x].py", ":(top)x.py"]
)
def test_file_names_that_mean_something_to_git(tmp_path: Path, name: str) -> None:
    repository = start(tmp_path)
    repository.write(f"shop/migrations/{name}", migration("0001_initial", DROP_FAX))
    repository.commit("odd names on main")
    assert [line for line in found(tmp_path) if not line.startswith("MG101")] == []


def test_neither_hooks_nor_monitors_nor_filters_are_run(tmp_path: Path) -> None:
    repository = start(tmp_path)
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "filter.x.smudge",
        "filter.x.clean",
        "diff.external",
    ):
        repository.git("config", key, str(trap))
    repository.git("config", "core.hooksPath", str(tmp_path))
    repository.write(".gitattributes", "*.py filter=x diff=x\n")
    repository.write(THIRD, migration("0002_drop_note", DROP_FAX))
    (tmp_path / "ran").unlink(missing_ok=True)
    assert found(tmp_path) == [f"MG201 {THIRD}"]
    assert not (tmp_path / "ran").exists()


def test_the_variables_of_another_repository_do_not_lead_astray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = start(tmp_path / "other")
    repository = start(tmp_path / "mine")
    repository.write(THIRD, migration("0002_drop_note", DROP_FAX))
    for name, value in (("GIT_DIR", ".git"), ("GIT_WORK_TREE", "."), ("GIT_INDEX_FILE", ".git/index")):
        monkeypatch.setenv(name, str(other.root / value))
    assert found(repository.root) == [f"MG201 {THIRD}"]


def test_nothing_in_the_repository_is_written(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.write(THIRD, migration("0002_drop_note", DROP_FAX))
    os.utime(tmp_path / SECOND)  # git's index is out of date now
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / ".git").rglob("*")}
    found(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / ".git").rglob("*")} == before


def test_git_that_is_missing_is_said(tmp_path: Path) -> None:
    start(tmp_path)
    command = [sys.executable, "-m", "miglint", "check", "--no-cache"]
    environment = {**os.environ, "PATH": str(tmp_path / "empty")}
    done = subprocess.run([*command, "--since", "main"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--since main: git is not installed" in done.stderr
    done = subprocess.run([*command, "--ignore", "MG2"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0


# -- rules about history: what their pages do not show --------------------------------------------------------


def test_an_index_of_its_own_is_what_is_about_to_be_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = start(tmp_path)
    repository.write(THIRD, migration("0002_drop_note"))
    repository.write("shop/migrations/0004_more.py", migration("0003_drop_fax"))
    assert found(tmp_path, since=None, select=("MG605",)) == []
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index")
    subprocess.run(["git", "read-tree", "HEAD"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "shop/migrations/0004_more.py"], cwd=tmp_path, check=True)
    assert found(tmp_path, since=None, select=("MG605",)) == [f"MG605 {THIRD}"]


def test_a_tree_of_which_git_has_nothing_is_somebody_elses(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.write(".gitignore", "vendored/\n")
    for path in ("__init__.py", "apps.py", "migrations/__init__.py", "migrations/0001_initial.py"):
        repository.write(f"vendored/wishes/{path}", INITIAL if path.endswith("initial.py") else "")
    assert found(tmp_path, since=None, select=("MG605",)) == []


def test_a_package_whose_init_git_has_not_got(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.git("rm", "-q", "--cached", "shop/migrations/__init__.py")
    assert found(tmp_path, since=None, select=("MG605",)) == ["MG605 shop/migrations/__init__.py"]


def test_a_merge_of_both_branches_descends_from_each(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.git("branch", "work")
    repository.write("shop/migrations/0003_theirs.py", migration("0002_drop_note"))
    repository.commit("main goes on")
    repository.git("checkout", "-q", "work")
    repository.write(THIRD, migration("0002_drop_note"))
    repository.commit("work")
    assert found(tmp_path, select=("MG603",)) == [f"MG603 {THIRD}"]
    repository.git("merge", "-q", "main")
    assert [line.split()[0] for line in found(tmp_path, select=("MG1", "MG603"))] == ["MG101", "MG101"]
    both = migration("0003_theirs").replace(
        '("shop", "0003_theirs")', '("shop", "0003_theirs"), ("shop", "0003_drop_fax")'
    )
    repository.write("shop/migrations/0004_merge.py", both)
    assert found(tmp_path, select=("MG603", "MG101")) == []


def test_a_squash_on_the_base_branch_is_no_other_leaf(tmp_path: Path) -> None:
    repository = start(tmp_path)
    repository.git("branch", "work")
    squash = INITIAL.replace(
        "    dep", '    replaces = [("shop", "0001_initial"), ("shop", "0002_drop_note")]\n    dep'
    )
    repository.write("shop/migrations/0001_squashed_0002_drop_note.py", squash)
    repository.commit("squashed on main")
    repository.git("checkout", "-q", "work")
    repository.write(THIRD, migration("0002_drop_note", DROP_FAX))
    assert found(tmp_path) == [f"MG201 {THIRD}"]
