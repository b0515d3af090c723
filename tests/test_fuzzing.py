"""A few hundred of the inputs of `python -m tests.fuzzing`, and the parts that it reaches rarely, alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from commands import write
from fuzzing import driver, mutations
from fuzzing.contract import Check
from fuzzing.parts import said_of_settings
from fuzzing.pipeline import run
from miglint.cache import FACTS, REPORTS, STATEMENTS, VERDICTS, Cache, content_hash, encode
from miglint.options import Options
from miglint.session import Session
from miglint.suppressions import suppressions_of
from miglint.syntax.facts import ModuleFacts
from miglint.syntax.reader import read
from miglint.syntax.sql import read_sql
from miglint.text import Source
from random_histories import Written, histories
from test_random_histories import source

# A longer run: MIGLINT_EXAMPLES=5000 python -m pytest tests/test_fuzzing.py
EXAMPLES = int(os.environ.get("MIGLINT_EXAMPLES", "60"))
often = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 80, database=None,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate],
)  # fmt: skip


def test_mutated_projects_give_valid_reports_in_time() -> None:
    result = driver.run(inputs=90, seed=1)
    assert result.failures == []
    assert result.inputs == 90


def test_an_input_is_the_same_whenever_it_is_made() -> None:
    made = [driver.input_of(5, number, with_packages=False) for number in range(20)]
    driver._seeds.cache_clear()
    assert [driver.input_of(5, number, with_packages=False) for number in range(20)] == made
    assert len({json.dumps(sorted(map(str, each.items()))) for each in made}) == len(made)


def test_what_the_driver_finds_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Ended:
        """A worker that dies of its third input, and of no other."""

        def __init__(self, command: list[str], **_: object) -> None:
            start = int(command[command.index("--start") + 1])
            told: list[dict[str, object]] = []
            for number in range(start, 5):
                told.append({"begun": number})
                if number == 2 and start < 3:
                    break
                told.append({"done": number, "took": 0.1, "failure": "wrong" if number == 4 else None})
            self.stdout = [json.dumps(each) for each in told]
            self._code = 0 if start == 3 else -11

        def wait(self) -> int:
            return self._code

    monkeypatch.setattr(driver.subprocess, "Popen", Ended)
    found = driver.run(inputs=5, seed=1)
    assert [each.number for each in found.failures] == [2, 4]
    assert "ends with -11" in found.failures[0].what
    kept = driver.save(found.failures[0], 1, tmp_path, with_packages=False)
    assert (kept / "failure.txt").is_file()
    assert list((kept / "project").rglob("*.py"))


# -- parts ----------------------------------------------------------------------------------------------

_words = st.sampled_from([word.decode("utf-8", "replace") for word in (*mutations._SQL, *mutations._BYTES)])
_texts = st.lists(st.one_of(_words, st.text(max_size=12)), max_size=40).map(" ".join)


@often
@given(text=_texts, vendor=st.sampled_from(("postgresql", "mysql", "mariadb", "sqlite")))
def test_any_text_is_read_as_sql(text: str, vendor: str) -> None:
    statements = read_sql(text, vendor)
    assert read_sql(text, vendor) == statements


@often
@given(lines=st.lists(st.one_of(st.sampled_from(mutations._SETTINGS), st.binary(max_size=30)), max_size=6))
def test_any_settings_are_used_or_refused_in_a_sentence(
    lines: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.getbasetemp() / "settings"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    (root / "miglint.toml").write_bytes(b"\n".join(lines))
    assert said_of_settings(root).startswith(root.as_posix())


@often
@given(
    text=st.lists(
        st.one_of(
            st.sampled_from(["# miglint: ignore", "[", "]", "MG201", ",", " -- ", "#", " ", "-file", "why", "\t"]),
            st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=5),
        ),
        max_size=30,
    ).map("".join)
)
def test_any_comment_is_a_suppression_or_none(text: str) -> None:
    code = f"x = 1  # miglint: {text}"
    facts = read(code)
    for each in suppressions_of(facts, Source("m.py", code)) if facts.problem is None else ():
        found = code[each.span.start : each.span.end]
        assert found.startswith("#")
        assert found.endswith(each.reason or "")
        assert each.reason is None or " # " not in each.reason


@often
@given(data=st.data())
def test_any_cache_is_used_or_left(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.getbasetemp() / "cached"
    shutil.rmtree(root, ignore_errors=True)
    directory = root / ".miglint_cache"
    text = (
        "from django.db import migrations\n\n\n"
        'class Migration(migrations.Migration):\n    operations = [migrations.RunSQL("DELETE FROM shop_order")]\n'
    )
    write(root, {"shop.0001_initial": text})
    options = Options(jobs=1)
    before = Session(options, cwd=root).report([root]).diagnostics
    assert (directory / STATEMENTS).is_file()
    for file in sorted(directory.iterdir()):
        content = bytearray(file.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(content)))
            kind = data.draw(st.integers(0, 3))
            if kind == 0:
                del content[at:]
            elif kind == 1:
                content[at:at] = data.draw(st.binary(max_size=8))
            elif kind == 2:
                del content[at : at + 3]
            elif at < len(content):
                content[at] ^= 1 << data.draw(st.integers(0, 7))
        file.write_bytes(content)
    # Facts that are facts, of another file: nobody can tell. All else is as it was.
    cache = Cache(directory)
    cache.get(content_hash(text.encode()))
    cache.add(content_hash(b"more"), encode(ModuleFacts()))
    cache.save()
    after = Session(options, cwd=root).report([root]).diagnostics
    assert {each.path for each in after} <= {each.path for each in before} | {f"{root}/shop/migrations/0001_initial.py"}
    assert {path.name.partition("-")[0] for path in directory.iterdir()} <= {
        FACTS,
        STATEMENTS,
        VERDICTS[:-1],
        REPORTS[:-1],
        ".gitignore",
    }


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is there for Linux and a few Pythons alone")
@pytest.mark.parametrize("kind", ["python", "sql", "settings", "cache"])
def test_what_coverage_guides_to_breaks_nothing(kind: str, tmp_path: Path) -> None:
    options = ["-runs=400", "-seed=1", f"-artifact_prefix={tmp_path}/"]
    command = [sys.executable, "-m", "tests.fuzzing.guided", kind, *options]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(r"^Done \d+ runs", done.stderr, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


# -- what must not matter -------------------------------------------------------------------------------


def found_in(root: Path, folders: dict[str, str], history: dict[str, Written]) -> Any:
    """All findings on a history, with the folders that its apps are in named by their labels."""
    shutil.rmtree(root, ignore_errors=True)
    write(root, {f"{folders[name.partition('.')[0]]}.{name.partition('.')[2]}": source(each)
                 for name, each in history.items()})  # fmt: skip
    (root / "miglint.toml").write_text(
        "[apps]\n"
        + "".join(f'"{folder}" = "{label}"\n' for label, folder in folders.items() if (root / folder).is_dir())
    )
    options = Options(cache=False, jobs=1, select=("ALL",))
    report = Session(options, cwd=root).report([root])
    labels = {folder: label for label, folder in folders.items()}

    def place(path: str | None) -> str | None:
        below = (path or "").removeprefix(f"{root}/")
        return f"{labels.get(below.partition('/')[0], '')}/{below.partition('/')[2]}"

    return report.summary, sorted(
        (d.code, d.severity, d.message, d.help, place(d.path), d.span.start if d.span else -1, d.fingerprint)
        for d in report.diagnostics
    )


@often
@given(history=histories())
def test_the_order_of_apps_changes_nothing(
    history: dict[str, Written], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.getbasetemp() / "permuted"
    first = found_in(root, {"one": "a", "two": "b"}, history)
    assert found_in(root, {"one": "b", "two": "a"}, history) == first


def test_reports_of_real_output_are_what_the_contract_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    shutil.copytree(Path(__file__).parent.parent / "fixtures/shop", tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    answer = run("check", "--no-cache", "--select", "ALL", "--output-format", "json")
    assert len(msgspec.json.decode(answer.out, type=Check).diagnostics) > 5
    broken: list[Callable[[dict[str, Any]], Any]] = [
        lambda document: document.pop("summary"),
        lambda document: document.update(more=1),
        lambda document: document["diagnostics"][0].update(code="X1"),
        lambda document: document["diagnostics"][0]["range"]["end"].update(line=0),
        lambda document: document["summary"]["findings"].update(error=-1),
    ]
    for spoil in broken:
        document = json.loads(answer.out)
        spoil(document)
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(json.dumps(document), type=Check)
