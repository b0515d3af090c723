"""The same tree gives the same bytes, however it is asked for."""

from __future__ import annotations

import inspect
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miglint import workers
from miglint.options import Options
from miglint.session import Session
from miglint.syntax import quick, reader
from scratch import Scratch
from test_cli import miglint
from test_since import DROP_FAX, THIRD, migration, start

SHOP = Path(__file__).parent.parent / "fixtures/shop"


def json_of(*arguments: str | Path, cwd: Path, **environment: str) -> bytes:
    options = ("--output-format", "json", "--select", "ALL")
    done = miglint("check", *options, *arguments, cwd=cwd, **environment)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    shutil.copytree(SHOP, tmp_path / "shop", ignore=shutil.ignore_patterns(".miglint_cache"))
    return tmp_path / "shop"


def test_the_working_directory_inside_the_project_does_not_matter(shop: Path) -> None:
    expected = json_of(cwd=shop)
    for directory in ("catalog", "catalog/migrations", "config"):
        assert json_of(shop, cwd=shop / directory) == expected
        assert json_of("../" * (directory.count("/") + 1), cwd=shop / directory) == expected


def test_the_order_of_paths_does_not_matter(shop: Path) -> None:
    paths = sorted(path.relative_to(shop).as_posix() for path in shop.rglob("migrations/0*.py"))
    expected = json_of(*paths, cwd=shop)
    for seed in range(3):
        random.Random(seed).shuffle(paths)
        assert json_of(*paths, *paths[:3], cwd=shop) == expected
    assert json_of("orders", "catalog", cwd=shop) == json_of("catalog", "orders", cwd=shop)


def findings_of(report: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(report)["diagnostics"]
    return found


def test_one_file_gets_the_findings_that_it_has_among_all(shop: Path) -> None:
    every = findings_of(json_of(cwd=shop))
    paths = sorted(path.relative_to(shop).as_posix() for path in shop.rglob("migrations/0*.py"))
    reported = 0
    for path in paths:
        for cache in (("--no-cache",), ()):
            expected = [f for f in every if f["path"] == path or f["code"].startswith(("MG1", "MG6"))]
            assert findings_of(json_of(path, *cache, cwd=shop)) == expected
        reported += len(expected)
    assert reported > len(every)


def test_what_is_reported_on_is_read_by_libcst_and_what_others_need_is_not(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[str, list[str]] = {"libcst": [], "quickly": []}

    def recording(name: str, reader: Callable[[str], Any]) -> Callable[[str], Any]:
        return lambda text: (read[name].append(text), reader(text))[1]

    # Not what is remembered of other tests.
    monkeypatch.setattr(workers, "read_encoded", inspect.unwrap(workers.read_encoded))
    monkeypatch.setattr("miglint.syntax.reader.read", recording("libcst", reader.read))
    monkeypatch.setattr("miglint.syntax.quick.read", recording("quickly", quick.read))
    file = shop / "orders/migrations/0001_initial.py"
    for options, by_libcst in (((file,), 1), ((shop,), len(list(shop.rglob("migrations/[0-9]*.py"))))):
        read["libcst"].clear()
        read["quickly"].clear()
        Session(Options(cache=False, jobs=1), cwd=shop).report(options)
        assert len(set(read["libcst"])) >= by_libcst
        assert file.read_text(encoding="utf-8") in read["libcst"]
        assert not set(read["libcst"]) & set(read["quickly"])
        assert any("DJANGO_SETTINGS_MODULE" in text for text in read["quickly"])
        if options == (file,):
            assert set(read["libcst"]) == {file.read_text(encoding="utf-8")}


def test_the_order_in_which_files_came_to_the_disk_does_not_matter(shop: Path, tmp_path: Path) -> None:
    expected = json_of("--no-cache", cwd=shop)
    files = [
        path.relative_to(shop) for path in shop.rglob("*") if path.is_file() and ".miglint_cache" not in path.parts
    ]
    random.Random(1).shuffle(files)
    other = tmp_path / "other"
    for file in files:
        (other / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(shop / file, other / file)
    assert json_of("--no-cache", cwd=other) == expected


def test_the_number_of_processes_does_not_matter(shop: Path) -> None:
    # More than forty files are worth other processes.
    for number in range(60):
        text = migration(
            "0003_order_total" if not number else f"{number + 99:04}_x", 'migrations.RunSQL("SELECT 1")', app="orders"
        )
        (shop / f"orders/migrations/{number + 100:04}_x.py").write_text(text)
    expected = json_of("--no-cache", "--jobs", "1", cwd=shop)
    assert json_of("--no-cache", "--jobs", "4", cwd=shop) == expected
    assert json_of("--no-cache", "--jobs", "3", cwd=shop, PYTHONHASHSEED="7") == expected
    assert json_of(cwd=shop) == expected  # fills the cache
    assert json_of(cwd=shop, PYTHONHASHSEED="8") == expected


def test_separators_in_settings_do_not_matter(shop: Path) -> None:
    (shop / "accepted").mkdir()
    reports = []
    for separator in ("/", "\\\\"):
        text = """
settings-file = "config/settings.py"
exclude = ["billing/migrations"]
baseline = "accepted/baseline.txt"

[apps]
"catalog/migrations" = "catalog"
""".replace("/", separator)
        (shop / "miglint.toml").write_text(text)
        miglint("check", "--write-baseline", "catalog", cwd=shop)
        reports.append((json_of(cwd=shop), (shop / "accepted/baseline.txt").read_bytes()))
    assert reports[0] == reports[1]
    assert b'"baselined":0' not in reports[0][0]


def test_with_a_base_branch_too(tmp_path: Path) -> None:
    repository: Scratch = start(tmp_path, below="server/")
    repository.git("checkout", "-q", "-b", "work")
    repository.write(f"server/{THIRD}", migration("0002_drop_note", DROP_FAX))
    root = tmp_path / "server"
    expected = json_of("--since", "main", cwd=root)
    assert THIRD.encode() in expected
    for directory in ("shop", "shop/migrations"):
        assert json_of("--since", "main", root, cwd=root / directory) == expected
    repository.commit("work")
    assert json_of("--since", "main", "--no-cache", "--jobs", "2", cwd=root) == expected
