"""What a team accepts as it is: the file of it, what it survives, and where a project says to begin."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import page_examples
from miglint.options import Options
from miglint.report import Report
from miglint.root import UsageError
from miglint.session import Session
from miglint.settings import SettingsError
from page_examples import Example
from scratch import Scratch
from test_cli import miglint
from test_since import DROP_FAX, DROP_NOTE, INITIAL, SECOND, THIRD, migration, start

FILE = "miglint-baseline.txt"
# An entry for more findings than Python can count.
LONG = f"shop.0002_drop MG201 {'0' * 32} x{'9' * 5_000}\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    package = tmp_path / "shop/migrations"
    package.mkdir(parents=True)
    for path, text in {
        "manage.py": "",
        "shop/migrations/__init__.py": "",
        "shop/migrations/0001_initial.py": INITIAL,
        SECOND: migration("0001_initial", DROP_NOTE),
    }.items():
        (tmp_path / path).write_text(text)
    return tmp_path


def report(root: Path, *paths: str, **options: object) -> Report:
    session = Session(Options(cache=False, jobs=1, **options), cwd=root)  # type: ignore[arg-type]
    return session.report([Path(path) for path in paths])


def codes(root: Path, *paths: str, **options: object) -> list[str]:
    return [each.code for each in report(root, *paths, **options).findings]


def write(root: Path, *paths: str, **options: object) -> list[str]:
    """Writes the baseline; gives its entries."""
    report(root, *paths, write_baseline=True, **options)
    return entries(root)


def entries(root: Path) -> list[str]:
    return [line for line in (root / FILE).read_text().splitlines() if not line.startswith("#")]


def test_what_is_accepted_does_not_count_and_is_counted(root: Path) -> None:
    assert codes(root) == ["MG201"]
    written = report(root, write_baseline=True)
    assert written.findings == ()
    assert written.warnings == (f"1 entry written to {(root / FILE).as_posix()}",)
    after = report(root)
    assert (after.findings, after.summary.baselined, after.summary.suppressed) == ((), 1, 0)
    assert after.diagnostics[0].suppressed is not None
    assert after.diagnostics[0].suppressed.kind == "baseline"


def test_what_is_new_is_found_beside_it(root: Path) -> None:
    write(root)
    (root / THIRD).write_text(migration("0002_drop_note", DROP_FAX))
    assert codes(root) == ["MG201"]


@pytest.mark.parametrize("where", ["option", "setting", "setting with backslashes"])
def test_a_file_of_another_name(root: Path, where: str) -> None:
    (root / "config").mkdir()
    options: dict[str, object] = {}
    if where == "option":
        options["baseline"] = root / "config/accepted.txt"
    else:
        path = "config\\\\accepted.txt" if "backslashes" in where else "config/accepted.txt"
        (root / "miglint.toml").write_text(f'baseline = "{path}"\n')
    with pytest.raises(UsageError, match=r"accepted.txt does not exist; `miglint check --write-baseline` makes it"):
        report(root, **options)
    report(root, write_baseline=True, **options)
    assert (root / "config/accepted.txt").is_file()
    assert codes(root, **options) == []
    (root / "config/accepted.txt").unlink()
    (root / "config/accepted.txt").mkdir()
    with pytest.raises(UsageError, match=r"accepted.txt is no file$"):
        report(root, **options)


def test_without_settings_it_stands_where_every_path_of_the_repository_finds_it(tmp_path: Path) -> None:
    repository = start(tmp_path, below="server/")
    report(tmp_path / "server", write_baseline=True)
    assert (tmp_path / FILE).is_file()
    assert codes(tmp_path) == codes(tmp_path, f"server/{SECOND}") == codes(tmp_path / "server" / "shop") == []
    repository.write(f"server/{FILE}", "")  # the nearest wins
    assert codes(tmp_path / "server") == ["MG201"]


def test_a_project_that_is_read_from_two_roots_is_accepted_once(tmp_path: Path) -> None:
    repository = start(tmp_path, below="server/")
    for path, text in (
        ("__init__.py", ""),
        ("0001_initial.py", INITIAL),
        ("0002_x.py", migration("0001_initial", app="gifts")),
    ):
        repository.write(f"gifts/migrations/{path}", text)
    assert codes(tmp_path) == ["MG201"]
    (line,) = write(tmp_path)
    given = ("gifts/migrations/0002_x.py", f"server/{SECOND}")
    assert codes(tmp_path, *given) == []
    assert codes(tmp_path, *reversed(given)) == []
    assert write(tmp_path, *given) == [line]


def test_with_settings_it_stands_beside_them(tmp_path: Path) -> None:
    repository = start(tmp_path, below="server/")
    repository.write("server/miglint.toml", "")
    report(tmp_path / "server", write_baseline=True)
    assert (tmp_path / "server" / FILE).is_file()
    assert codes(tmp_path, f"server/{SECOND}") == []


def test_the_file_is_sorted_and_the_same_every_time(root: Path) -> None:
    (root / THIRD).write_text(migration("0002_drop_note", DROP_FAX, 'migrations.RunSQL("SELECT 1")'))
    first = write(root)
    assert first == sorted(first)
    assert len(first) == 3
    assert write(root) == first


def test_two_branches_that_accept_different_things_merge(root: Path) -> None:
    repository = Scratch(root)
    (root / "billing/migrations").mkdir(parents=True)
    (root / "billing/migrations/__init__.py").touch()
    (root / "billing/migrations/0001_initial.py").write_text(INITIAL)
    for number in range(2, 9):
        text = migration(
            f"000{number - 1}_{'initial' if number == 2 else 'x'}", 'migrations.RunSQL("SELECT 1")', app="billing"
        )
        (root / f"billing/migrations/000{number}_x.py").write_text(text)
    write(root)
    repository.commit("start")
    repository.git("checkout", "-q", "-b", "work")
    (root / THIRD).write_text(migration("0002_drop_note", DROP_FAX))
    write(root)
    repository.commit("work")
    repository.git("checkout", "-q", "main")
    text = migration("0008_x", 'migrations.RemoveField("order", "fax")', app="billing")
    (root / "billing/migrations/0009_fax.py").write_text(text)
    write(root)
    repository.commit("main")
    repository.git("merge", "-q", "work")
    assert codes(root) == []


def test_two_lines_on_one_finding_are_one(root: Path) -> None:
    (line,) = write(root)
    (root / FILE).write_text(f"{line}\n{line}\n")
    assert codes(root) == []


def test_entries_are_counted(root: Path) -> None:
    function = "def {}(apps, schema_editor):\n    Order.objects.count()\n\n\n"
    run = migration("0002_drop_note", "migrations.RunPython(forwards, backwards)")
    file = root / THIRD
    head = "from shop.models import Order\n\n\n"
    file.write_text(head + function.format("forwards") + function.format("backwards") + run)
    (root / "shop/models.py").write_text("from django.db import models\n\n\nclass Order(models.Model):\n    pass\n")
    only = {"select": ("MG503", "MG905")}
    assert codes(root, **only) == ["MG503", "MG503"]
    (line,) = write(root, **only)
    assert line.endswith(" x2")
    assert codes(root, **only) == []
    empty = "def backwards(apps, schema_editor):\n    pass\n\n\n"
    file.write_text(head + function.format("forwards") + empty + run)
    (stale,) = report(root, **only).findings
    assert stale.message == "MG503 of shop.0003_drop_fax is found 1 times now"
    (root / FILE).write_text(line.removesuffix(" x2") + "\n")
    file.write_text(head + function.format("forwards") + function.format("backwards") + run)
    assert codes(root, **only) == ["MG503"]


def test_an_entry_that_nothing_needs_is_told_and_taken_out(root: Path) -> None:
    write(root)
    (root / SECOND).write_text(migration("0001_initial"))
    (stale,) = report(root).findings
    assert (stale.code, stale.path) == ("MG905", (root / FILE).as_posix())
    assert report(root).range_of(stale.path, stale.span) is not None
    assert codes(root, "shop") == []  # not the whole project
    assert codes(root, ignore=("MG2",)) == []  # not looked for
    assert write(root) == []
    assert codes(root) == []


def test_what_a_comment_ignores_needs_no_entry(root: Path) -> None:
    write(root)
    text = migration("0001_initial", DROP_NOTE).replace('"note"),', '"note"),  # miglint: ignore[MG201] -- unused')
    (root / SECOND).write_text(text)
    assert codes(root) == ["MG905"]


def test_writing_keeps_reasons_and_what_was_not_looked_at(root: Path) -> None:
    (root / THIRD).write_text(migration("0002_drop_note", DROP_FAX))
    first, second = write(root)
    (root / FILE).write_text(f"{first} -- unused since March\n{second}\n")
    assert write(root) == [f"{first} -- unused since March", second]
    assert write(root, THIRD) == [f"{first} -- unused since March", second]
    assert write(root, select=("MG5",)) == [f"{first} -- unused since March", second]
    assert write(root, SECOND, ignore=("MG3",)) == [f"{first} -- unused since March", second]
    (root / THIRD).unlink()
    assert write(root, SECOND) == [f"{first} -- unused since March"]


def test_a_reason_is_asked_for_where_the_setting_does(root: Path) -> None:
    (line,) = write(root)
    (root / "miglint.toml").write_text("require-ignore-reason = true\n")
    assert codes(root) == ["MG906"]
    (root / FILE).write_text(f"{line} -- unused since March\n")
    assert codes(root) == []
    assert report(root).diagnostics[0].suppressed is not None
    assert report(root).diagnostics[0].suppressed.reason == "unused since March"


@pytest.mark.parametrize(
    "text", ["<<<<<<< HEAD\n", "shop.0002 MG201\n", "MG201 0123\n", "a b c d\n", LONG], ids=lambda text: text[:20]
)
def test_a_file_that_is_no_baseline_names_its_line(root: Path, text: str) -> None:
    (root / FILE).write_text(f"# a comment\n\n{text}")
    with pytest.raises(SettingsError, match=f"{FILE}, line 3: "):
        report(root)


def test_a_baseline_of_several_projects(tmp_path: Path) -> None:
    for name in ("one", "two"):
        package = tmp_path / name / "shop/migrations"
        package.mkdir(parents=True)
        (tmp_path / name / "manage.py").touch()
        (package / "__init__.py").touch()
        (package / "0001_initial.py").write_text(INITIAL)
        (package / "0002_drop_note.py").write_text(migration("0001_initial", DROP_NOTE))
    accepted = {"baseline": tmp_path / "accepted.txt"}
    report(tmp_path, "one", "two", write_baseline=True, **accepted)
    assert codes(tmp_path, "one", "two", **accepted) == []
    assert codes(tmp_path, "one", **accepted) == []
    for name in ("one", "two"):
        (tmp_path / name / SECOND).write_text(migration("0001_initial"))
    assert codes(tmp_path, "one", "two", **accepted) == ["MG905"]


def test_with_since_entries_of_released_migrations_are_kept(root: Path) -> None:
    repository = Scratch(root)
    repository.commit("start")
    (line,) = write(root)
    (root / THIRD).write_text(migration("0002_drop_note", DROP_FAX))
    assert codes(root, since="main") == ["MG201"]
    assert [each for each in write(root, since="main") if each == line] == [line]
    assert len(entries(root)) == 2


def test_the_command_line(root: Path) -> None:
    done = miglint("check", "--write-baseline", cwd=root)
    assert done.returncode == 0
    assert b"1 entry written to" in done.stderr
    assert b"1 in the baseline" in done.stdout
    document = json.loads(miglint("check", "--output-format", "json", cwd=root).stdout)
    assert document["summary"]["baselined"] == 1
    assert document["summary"]["findings"] == {"error": 0, "warning": 0, "info": 0}
    assert document["diagnostics"][0]["suppressed"] == {"kind": "baseline", "reason": None}
    assert miglint("check", "--baseline", "missing.txt", cwd=root).returncode == 2


# -- fingerprints ---------------------------------------------------------------------------------------

EXAMPLES = [
    example
    for page in page_examples.pages()
    for example in page_examples.examples(page)
    if example.section == "Bad" and not example.elsewhere and page.parent.name != "meta"
]


def fingerprints(example: Example, root: Path) -> Counter[tuple[str, str]]:
    root.mkdir()
    example.write(root)
    found = Session(Options(cache=False, jobs=1, select=("ALL",)), cwd=root).report([root]).diagnostics
    return Counter((each.code, each.fingerprint) for each in found if not each.code.startswith("MG9"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_fingerprint_survives_moved_lines_and_renamed_functions(example: Example, tmp_path: Path) -> None:
    changed = {
        path: _written_otherwise(text) if "/migrations/0" in path else text for path, text in example.files.items()
    }
    other = Example(example.page, example.section, example.heading, changed, example.settings)
    assert fingerprints(other, tmp_path / "other") == fingerprints(example, tmp_path / "first")


def _written_otherwise(text: str) -> str:
    for name in set(re.findall(r"^def (\w+)\(", text, re.M)):
        text = re.sub(rf"\b{name}\b(?!=)", f"{name}_2", text)
    return text.replace("\nclass Migration", "\n# A comment.\n\n\nclass Migration", 1)


# -- where to begin -------------------------------------------------------------------------------------


def test_the_first_run_on_an_old_project_says_how_to_begin(root: Path) -> None:
    assert report(root).advice is None
    for number in range(3, 14):
        parent = "0002_drop_note" if number == 3 else f"{number - 1:04}_old"
        (root / f"shop/migrations/{number:04}_old.py").write_text(migration(parent, 'migrations.RunSQL("SELECT 1")'))
    for in_git in (False, True):
        if in_git:
            subprocess.run(["git", "init", "-q"], cwd=root, check=True)
        done = miglint("check", "--no-cache", cwd=root)
        (*_, last) = done.stderr.decode().splitlines()
        assert ("--since" in last) is in_git
        assert "--write-baseline" in last
    assert miglint("check", "--no-cache", "-q", cwd=root).stderr == b""
    write(root)
    assert report(root).advice is None


@pytest.mark.parametrize(
    "start, reported",
    [
        ("0002", ["0003_drop_fax", "0004_after"]),
        ("2", ["0003_drop_fax", "0004_after"]),
        ("0003_drop_fax", ["0004_after"]),
        ("0004_after", []),
        ("0099", []),
    ],
)
def test_what_comes_before_the_start_is_not_reported(root: Path, start: str, reported: list[str]) -> None:
    (root / THIRD).write_text(migration("late_words", DROP_FAX))
    (root / "shop/migrations/late_words.py").write_text(migration("0002_drop_note"))
    (root / "shop/migrations/0004_after.py").write_text(migration("0003_drop_fax", 'migrations.RunSQL("SELECT 1")'))
    (root / "miglint.toml").write_text(f'[start-after]\nshop = "{start}"\n')
    assert [each.subject.migration for each in report(root).findings] == reported


@pytest.mark.parametrize(
    "line, words",
    [
        ('shp = "0002"', ["line 2", "start-after", "no app is called shp; did you mean shop?"]),
        ('shop = "0002_drop_not"', ["line 2", "shop has no migration 0002_drop_not; did you mean 0002_drop_note?"]),
        ('shop = "²"', ["line 2", "shop has no migration ²"]),
        ('shop = "' + "9" * 5_000 + '"', ["line 2", "shop has no migration 999"]),
    ],
)
def test_a_start_that_does_not_exist_is_an_error(root: Path, line: str, words: list[str]) -> None:
    (root / "miglint.toml").write_text(f"[start-after]\n{line}\n")
    with pytest.raises(SettingsError) as caught:
        report(root)
    assert [word for word in words if word not in str(caught.value)] == []
