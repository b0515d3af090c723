"""The cache of facts: what it gives back, and that nothing can break it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from miglint import cache as cache_module
from miglint import files, store, workers
from miglint.cache import DIRECTORY, REPORTS, Cache, content_hash, decode, encode, remove
from miglint.kept import Kept
from miglint.options import Options
from miglint.reading import read_files
from miglint.session import Session
from miglint.syntax import sql
from miglint.syntax.facts import Assign, Literal, ModuleFacts, Name
from page_examples import EXAMPLE, PRELUDE

ONE = content_hash(b"x = 1")
TWO = content_hash(b"x = 2")


def facts_of(number: int) -> ModuleFacts:
    return ModuleFacts(body=(Assign((Name("x"),), Literal("int", str(number))),))


def written(directory: Path, *numbers: int, today: int = 100) -> None:
    cache = Cache(directory, today=today)
    for number in numbers:
        cache.add(content_hash(f"x = {number}".encode()), encode(facts_of(number)))
    cache.save()


def test_what_was_saved_is_found_again(tmp_path: Path) -> None:
    written(tmp_path / "cache", 1)
    assert Cache(tmp_path / "cache").get(ONE) == facts_of(1)


def test_other_content_is_not_found(tmp_path: Path) -> None:
    written(tmp_path, 1)
    assert Cache(tmp_path).get(TWO) is None


def test_nothing_is_written_before_save(tmp_path: Path) -> None:
    Cache(tmp_path).add(ONE, encode(facts_of(1)))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.get(ONE)
    cache.save()
    assert not (tmp_path / "cache").exists()


def test_the_directory_asks_git_to_ignore_it(tmp_path: Path) -> None:
    written(tmp_path / "cache", 1)
    assert (tmp_path / "cache" / ".gitignore").read_text() == "*\n"


def test_a_saved_cache_leaves_no_temporary_file(tmp_path: Path) -> None:
    written(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gitignore", "facts.bin"]


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"not a cache", encode(facts_of(1)), b"\x92\xa5other\x80", b"\x91" * 5_000],
    ids=["empty", "zeros", "text", "facts", "another format", "nested"],
)
def test_a_foreign_file_is_an_empty_cache_that_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "facts.bin").write_bytes(content)
    assert len(Cache(tmp_path)) == 0
    written(tmp_path, 1)
    assert Cache(tmp_path).get(ONE) == facts_of(1)


def test_a_file_cut_short_anywhere_is_an_empty_cache(tmp_path: Path) -> None:
    written(tmp_path, 1, 2)
    whole = (tmp_path / "facts.bin").read_bytes()
    sizes = set()
    for end in range(len(whole)):
        (tmp_path / "facts.bin").write_bytes(whole[:end])
        sizes.add(len(Cache(tmp_path)))
    assert sizes == {0}


def test_an_entry_that_is_no_facts_is_not_found(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.add(ONE, b"\x93\x01\x02\x03")
    cache.add(TWO, encode(facts_of(2)))
    cache.save()
    loaded = Cache(tmp_path)
    assert (loaded.get(ONE), loaded.get(TWO)) == (None, facts_of(2))


def test_a_directory_in_place_of_the_file_is_an_empty_cache(tmp_path: Path) -> None:
    (tmp_path / "facts.bin").mkdir()
    written(tmp_path, 1)
    assert len(Cache(tmp_path)) == 0


def test_a_file_in_place_of_the_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("mine")
    written(tmp_path / "cache", 1)
    assert (tmp_path / "cache").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_a_fifo_in_place_of_the_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "facts.bin")
    assert len(Cache(tmp_path)) == 0


def test_what_another_process_saved_meanwhile_is_kept(tmp_path: Path) -> None:
    mine = Cache(tmp_path, today=100)
    mine.add(ONE, encode(facts_of(1)))
    written(tmp_path, 2)
    mine.save()
    loaded = Cache(tmp_path, today=100)
    assert (loaded.get(ONE), loaded.get(TWO)) == (facts_of(1), facts_of(2))


def test_entries_unused_for_a_month_are_dropped_when_it_is_saved(tmp_path: Path) -> None:
    written(tmp_path, 1, today=100)
    written(tmp_path, 2, today=131)
    loaded = Cache(tmp_path, today=131)
    assert (loaded.get(ONE), loaded.get(TWO)) == (None, facts_of(2))


def test_what_was_let_go_is_still_in_the_file(tmp_path: Path) -> None:
    first = Cache(tmp_path)
    first.add(ONE, encode(facts_of(1)))
    statements = first.read_sql("UPDATE shop_order SET done = true", "postgresql")
    first.save()
    cache = Cache(tmp_path)
    assert cache.get(ONE) == facts_of(1)
    cache.let_go()
    assert cache.get(ONE) is None
    assert cache.read_sql("UPDATE shop_order SET done = true", "postgresql") == statements
    cache.add(TWO, encode(facts_of(2)))
    cache.save()
    again = Cache(tmp_path)
    assert (again.get(ONE), again.get(TWO)) == (facts_of(1), facts_of(2))
    assert again.read_sql("UPDATE shop_order SET done = true", "postgresql") == statements


def test_a_file_that_nobody_else_wrote_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    read = store._load
    monkeypatch.setattr(store, "_load", lambda file: reads.append(file) or read(file))
    cache = Cache(tmp_path)
    for content, number in ((ONE, 1), (TWO, 2)):
        cache.add(content, encode(facts_of(number)))
        cache.save()
    assert len(reads) == 1
    other = Cache(tmp_path)
    cache.add(content_hash(b"three"), encode(facts_of(3)))
    cache.save()
    other.add(content_hash(b"four"), encode(facts_of(4)))
    other.save()
    assert len(reads) == 3  # the other one, and what it had to merge
    assert len(Cache(tmp_path)) == 4


def test_values_of_any_size_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_BLOCK", 256)
    values = {bytes([size]): msgspec.msgpack.encode(bytes([size]) * size) for size in range(200)}
    kept = store.Store(tmp_path / "values.bin", 100)
    raw = {key: kept.add(key, value) for key, value in values.items()}
    kept.save()
    again = store.Store(tmp_path / "values.bin", 100)
    for key, value in values.items():
        assert bytes(raw[key]) == value == kept.get(key, bytes) == again.get(key, bytes)


def test_entries_of_another_branch_are_kept(tmp_path: Path) -> None:
    written(tmp_path, 1, today=100)
    written(tmp_path, 2, today=110)
    assert Cache(tmp_path, today=110).get(ONE) == facts_of(1)


def test_a_used_entry_stays_young(tmp_path: Path) -> None:
    written(tmp_path, 1, today=100)
    cache = Cache(tmp_path, today=120)
    cache.get(ONE)
    cache.save()
    written(tmp_path, 2, today=145)
    assert Cache(tmp_path, today=145).get(ONE) == facts_of(1)


def test_the_file_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_KEPT_AT_LEAST", 5)
    for number in range(20):
        written(tmp_path, number, today=100 + number)
    assert len(Cache(tmp_path, today=119)) == 6


@pytest.mark.parametrize("name", ["FACTS_VERSION", "__version__"])
def test_facts_made_otherwise_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    written(tmp_path, 1)
    monkeypatch.setattr(cache_module, name, "another")
    cache_module._stamp.cache_clear()
    found = Cache(tmp_path).get(ONE)
    monkeypatch.undo()
    cache_module._stamp.cache_clear()
    assert found is None


def test_remove_leaves_other_files(tmp_path: Path) -> None:
    written(tmp_path / "cache", 1)
    remove(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    written(tmp_path, 1)
    (tmp_path / "mine.txt").write_text("")
    remove(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_directory_that_others_use_is_not_made_the_caches_own(tmp_path: Path) -> None:
    theirs = {
        ".gitignore": "*.log\n",
        "report-2026.bin": "",
        "report-of-march.txt": "",
        "facts.bin.bak": "",
        "verdict-": "",
    }
    for name, text in theirs.items():
        (tmp_path / name).write_text(text)
    kept = Kept(tmp_path, REPORTS, int)
    written(tmp_path, 1)
    for number in range(12):
        kept.keep(bytes([number]) * 16, number)
    assert [kept.get(bytes([number]) * 16) for number in (0, 11)] == [None, 11]
    remove(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == theirs


def test_git_is_not_told_to_ignore_what_was_there_before(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text("")
    written(tmp_path, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["facts.bin", "manage.py"]


def test_a_cache_that_is_a_link_is_emptied_and_stays_one(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").symlink_to("elsewhere")
    written(tmp_path / "cache", 1)
    remove(tmp_path / "cache")
    assert (tmp_path / "cache").is_symlink()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_files_read_with_a_cache_are_the_same_the_second_time(tmp_path: Path) -> None:
    paths = []
    for number in range(60):
        path = tmp_path / f"m{number}.py"
        path.write_text(f"# miglint: note\nx = {number}\n")
        paths.append(str(path))
    cold = Cache(tmp_path / "cache")
    first = read_files(paths, cache=cold, jobs=2)
    cold.save()
    second = read_files(paths, cache=Cache(tmp_path / "cache"), jobs=2)
    serial = read_files(paths, cache=None, jobs=1)
    encoded = [[encode(read.facts) for read in found.values()] for found in (first, second, serial)]
    assert encoded[0] == encoded[1] == encoded[2]
    assert list(first) == list(second) == list(serial) == paths


def test_a_run_where_all_is_known_does_not_import_libcst(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("x = 1\n")
    program = (
        "import sys; sys.path[:] = sys.argv[2:]\n"
        "from pathlib import Path\n"
        "from miglint.cache import Cache\n"
        "from miglint.reading import read_files\n"
        "root = Path(sys.argv[1]); cache = Cache(root / 'cache')\n"
        "read_files([str(root / 'm.py')], cache=cache, jobs=None); cache.save()\n"
        "print('libcst' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path), *sys.path]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)]
    assert runs == ["True", "False"]


def test_a_process_that_reads_quickly_does_not_import_libcst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libcst.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    texts = [workers.Text(f"x = {number}", quickly=True) for number in range(30)]
    found = {index: decode(encoded) for index, encoded in workers.read_all(texts, jobs=2)}
    assert len(found) == 30
    assert all(facts.problem is None and facts.body for facts in found.values())
    # That it would be noticed:
    ((_, encoded),) = workers.read_all([workers.Text("x = 1")], jobs=1)
    assert decode(encoded).problem is not None


@pytest.mark.parametrize(("slow", "quick", "processes"), [(30, 12, 2), (2, 60, 1), (0, 36, 1), (40, 0, 2)])
def test_one_worker_less_is_started_where_this_process_reads_its_share(
    slow: int, quick: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    start = subprocess.Popen
    monkeypatch.setattr(
        workers.subprocess, "Popen", lambda *given, **named: started.append(given) or start(*given, **named)
    )
    # A form feed is what the quick reader leaves to LibCST.
    texts = (
        [workers.Text("x = 1\n")] * slow
        + [workers.Text("\fx = 1\n", quickly=True)]
        + [workers.Text("x = 1\n", quickly=True)] * (quick - 1)
    )
    texts = texts[: slow + quick]
    found = dict(workers.read_all(texts, jobs=2))
    assert found.keys() == set(range(slow + quick))
    assert len({decode(encoded) for encoded in found.values()}) == 1
    assert len(started) == processes


def test_texts_of_an_editor_are_not_saved(tmp_path: Path) -> None:
    path = str(tmp_path / "m.py")
    cache = Cache(tmp_path / "cache")
    read = read_files([path], cache=cache, jobs=None, overlay={path: b"x = 1"})[path]
    cache.save()
    assert read.facts == facts_of(1)
    assert not (tmp_path / "cache").exists()


def test_progress_counts_files_to_the_end(tmp_path: Path) -> None:
    overlay = {f"/m{number}.py": f"x = {number}" for number in range(3)}
    seen: list[tuple[int, int]] = []
    read_files(overlay, cache=None, jobs=1, overlay=overlay, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_what_a_large_project_lets_go_is_remembered_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(PRELUDE, tmp_path, dirs_exist_ok=True)
    text = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
    (tmp_path / EXAMPLE).write_text(
        f'{text}    dependencies = [("shop", "0002_item")]\n'
        '    operations = [migrations.RunSQL("DROP TABLE shop_item", migrations.RunSQL.noop)]\n'
    )
    options = Options(jobs=1, database="postgresql")

    def found() -> list[tuple[str, str]]:
        return [(each.code, each.message) for each in Session(options, cwd=tmp_path).report([tmp_path]).findings]

    small = found()
    remove(tmp_path / DIRECTORY)
    monkeypatch.setattr(files, "WORTH_MEMORY", 1)
    assert small == found()
    for file in (tmp_path / DIRECTORY).glob("*-*"):
        file.unlink()
    monkeypatch.setattr(workers, "read_encoded", None)  # nothing is read again
    monkeypatch.setattr(sql, "read_sql", None)
    assert small == found()
    assert "MG205" in {code for code, _ in small}
