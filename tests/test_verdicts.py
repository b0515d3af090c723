"""What rules found is said again as long as nothing they saw has changed, and never longer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from miglint import check, kept, load
from miglint.cache import REPORTS, VERDICTS
from miglint.diagnostic import Diagnostic, Related, Severity
from miglint.files import Asked
from miglint.options import Options
from miglint.report import Report
from miglint.session import Session
from miglint.settings import SettingsError
from miglint.syntax.facts import MAX_SIZE
from miglint.text import Span
from miglint.verdicts import Verdict
from scratch import Scratch

INITIAL = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.CreateModel("Order", [("id", models.BigAutoField(primary_key=True))])]
"""
DROP = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_data")]
    operations = [migrations.DeleteModel("Order")]
"""
# Whether `Thing` is a model, only the module that it is imported from can tell.
DATA = """\
from django.db import migrations
from shop.models.things import Thing


def forwards(apps, schema_editor):
    Thing.everything.update(done=True)


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
"""
MODEL = """\
from django.db import models


class Thing(models.Model):
    done = models.BooleanField(default=False)
"""
NO_MODEL = "class Thing(object):\n    everything = None\n"
THINGS = "shop/models/things.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path, text in {
        "manage.py": "",
        "shop/__init__.py": "",
        "shop/models/__init__.py": "",
        THINGS: MODEL,
        "shop/migrations/__init__.py": "",
        "shop/migrations/0001_initial.py": INITIAL,
        "shop/migrations/0002_data.py": DATA,
    }.items():
        write(tmp_path / path, text)
    return tmp_path


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often a history was replayed since it was asked last."""
    calls: list[object] = []
    replay = load.replay

    def counted(*given: object, **named: object) -> object:
        calls.append(given)
        return replay(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(load, "replay", counted)

    def since() -> int:
        number = len(calls)
        calls.clear()
        return number

    return since


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def lint(project: Path, *paths: str, options: Options | None = None, overlay: dict[str, bytes] | None = None) -> Report:
    return Session(options or Options(), cwd=project).report([project / path for path in paths or (".",)], overlay)


def codes(report: Report) -> list[str]:
    return [diagnostic.code for diagnostic in report.findings]


def test_nothing_is_replayed_where_nothing_changed(project: Path, replays: Callable[[], int]) -> None:
    first = lint(project)
    assert (replays(), "MG503" in codes(first)) == (1, True)
    again = lint(project)
    assert (replays(), again.diagnostics, again.summary) == (0, first.diagnostics, first.summary)
    assert again.sources.keys() == first.sources.keys()


def test_one_file_of_a_project_that_was_checked_is_told_from_it(project: Path, replays: Callable[[], int]) -> None:
    lint(project)
    replays()
    part = lint(project, "shop/migrations/0001_initial.py")
    assert (replays(), "MG503" in codes(part)) == (0, False)


def test_another_migration_is_another_project(project: Path, replays: Callable[[], int]) -> None:
    lint(project)
    write(project / "shop/migrations/0002_data.py", DATA.replace("    Thing.everything.update(done=True)", "    pass"))
    assert "MG503" not in codes(lint(project))
    assert replays() == 2


def test_a_module_that_a_rule_read_counts(project: Path, replays: Callable[[], int]) -> None:
    assert "MG503" in codes(lint(project))
    write(project / THINGS, NO_MODEL)
    assert "MG503" not in codes(lint(project))
    write(project / THINGS, MODEL)
    assert "MG503" in codes(lint(project))
    assert replays() == 3


def test_sql_in_a_module_that_a_migration_imports_counts(project: Path, replays: Callable[[], int]) -> None:
    helper = project / "shop/migrations/_tables.py"
    write(
        project / "shop/migrations/0003_tables.py",
        "from django.db import migrations\nfrom . import _tables\n\n\nclass Migration(migrations.Migration):\n"
        '    dependencies = [("shop", "0002_data")]\n'
        "    operations = [migrations.RunPython(_tables.run, migrations.RunPython.noop)]\n",
    )
    for text, expected in (("pass", False), ("schema_editor.execute('DROP TABLE shop_order')", True), ("pass", False)):
        write(helper, f"def run(apps, schema_editor):\n    {text}\n")
        assert ("MG205" in codes(lint(project))) is expected
    assert replays() == 3
    helper.unlink()
    assert "MG205" not in codes(lint(project))


def test_a_module_that_a_rule_looked_for_counts(project: Path, replays: Callable[[], int]) -> None:
    (project / THINGS).unlink()
    missing = codes(lint(project))
    write(project / THINGS, MODEL)
    assert codes(lint(project)) != missing
    assert replays() == 2


def test_sql_in_a_file_beside_the_migration_counts(project: Path, replays: Callable[[], int]) -> None:
    (project / "shop/migrations/0003_sql.py").write_text(
        "from pathlib import Path\nfrom django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        '    dependencies = [("shop", "0002_data")]\n'
        '    operations = [migrations.RunSQL((Path(__file__).parent / "x.sql").read_text(), "")]\n'
    )
    sql = project / "shop/migrations/x.sql"
    for text, expected in (("SELECT 1", False), ("DROP TABLE shop_order", True), (None, False)):
        if text is None:
            sql.unlink()
        else:
            sql.write_text(text)
        assert ("MG205" in codes(lint(project))) is expected
        assert ("MG205" in codes(lint(project))) is expected


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many reports were put together since it was asked last: those that were remembered are none."""
    calls: list[object] = []
    run = check.run

    def counted(*given: object, **named: object) -> object:
        calls.append(given)
        return run(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(check, "run", counted)

    def since() -> int:
        number = len(calls)
        calls.clear()
        return number

    return since


def whole(report: Report) -> object:
    """All that a front end can show of a report."""
    return (
        report.diagnostics,
        {path: source.text for path, source in report.sources.items()},
        report.summary,
        msgspec.json.encode(report.projects),
        report.warnings,
        report.notes,
        report.advice,
        [(rule.code, rule.name, rule.summary, rule.severity, rule.category, rule.page()) for rule in report.rules()],
        [report.locks_of(diagnostic) for diagnostic in report.diagnostics],
    )


def test_a_report_is_remembered_whole(project: Path, reports: Callable[[], int]) -> None:
    write(project / "shop/migrations/0003_drop.py", DROP)
    for paths in ((".",), ("shop/migrations/0002_data.py",), ("shop/migrations/0003_drop.py", "manage.py")):
        for options in (Options(), Options(select=("ALL",), database="mariadb")):
            first = whole(lint(project, *paths, options=options))
            assert reports() == 1
            assert whole(lint(project, *paths, options=options)) == first
            assert reports() == 0


def test_what_git_has_counts_where_a_report_is_remembered(project: Path, reports: Callable[[], int]) -> None:
    repository = Scratch(project)
    write(project / ".gitignore", ".miglint_cache\n")
    repository.commit("all")
    assert "MG605" not in codes(lint(project))
    lint(project)
    assert reports() == 1
    write(project / ".gitignore", ".miglint_cache\n0003_drop.py\n")
    write(project / "shop/migrations/0003_drop.py", DROP)
    for _ in range(2):
        assert any("git ignores" in finding.message for finding in lint(project).findings)
    assert reports() == 2
    write(project / ".gitignore", ".miglint_cache\n")
    repository.commit("more")
    assert "MG605" not in codes(lint(project))
    assert reports() == 1
    assert "MG605" not in codes(lint(project))
    assert reports() == 0
    repository.git("rm", "--cached", "-q", "shop/migrations/0002_data.py")
    lint(project)
    assert reports() == 1


def test_a_rule_that_does_not_exist_is_said_by_every_command_also_where_all_is_known(project: Path) -> None:
    for cached in (False, True):
        write(project / "miglint.toml", 'ignore = ["MG999999"]\n')
        reader = Session(Options(), cwd=project)
        with pytest.raises(SettingsError, match="MG999999"):
            reader.report([project])
        with pytest.raises(SettingsError, match="MG999999"):
            reader.scopes([project], replayed=False)
        if not cached:
            write(project / "miglint.toml", "")
            lint(project)


def test_a_report_with_a_baseline_or_a_file_that_cannot_be_read_is_not_remembered(
    project: Path, reports: Callable[[], int]
) -> None:
    large = project / "shop/migrations/0003_large.py"
    write(large, "")
    os.truncate(large, MAX_SIZE + 1)
    lint(project)
    lint(project)
    assert reports() == 2
    large.unlink()
    lint(project, options=Options(write_baseline=True))
    reports()
    lint(project)
    lint(project)
    assert reports() == 2


def test_what_is_set_counts(project: Path, replays: Callable[[], int]) -> None:
    lint(project)
    lint(project, options=Options(database="mysql"))
    lint(project, options=Options(ignore=("MG503",)))
    write(project / "miglint.toml", 'allowed-imports = ["shop.models.things"]\n')
    lint(project)
    assert replays() == 4
    lint(project)
    assert replays() == 0


def test_what_was_not_shown_before_has_its_text(project: Path) -> None:
    write(project / "shop/migrations/0001_initial.py", INITIAL.replace("BigAutoField", "AutoField"))
    assert all(found.severity > Severity.INFO for found in lint(project).findings)
    everything = lint(project, options=Options(extend_select=("ALL",)))
    info = [found for found in everything.findings if found.severity is Severity.INFO]
    assert info
    assert all(found.message and found.url for found in info)
    raised = "".join(f'{found.code} = "warning"\n' for found in info)
    write(project / "miglint.toml", f"[severity]\n{raised}")
    texts = {found.message: found.help for found in lint(project).findings}
    assert {found.message: found.help for found in info}.items() <= texts.items()


def test_a_text_in_an_editor_is_judged_and_not_kept(project: Path, replays: Callable[[], int]) -> None:
    lint(project)
    edited = {(project / "shop/migrations/0002_data.py").as_posix(): INITIAL.encode()}
    assert "MG503" not in codes(lint(project, overlay=edited))
    assert "MG503" in codes(lint(project))
    assert replays() == 2


def test_another_commit_of_the_base_branch_is_another_question(project: Path, replays: Callable[[], int]) -> None:
    repository = Scratch(project)
    repository.commit("all")
    repository.git("branch", "released")
    options = Options(since="released")
    write(project / "shop/migrations/0003_more.py", DATA.replace("0001_initial", "0002_data"))
    first = lint(project, options=options)
    assert (replays(), lint(project, options=options).diagnostics, replays()) == (1, first.diagnostics, 0)
    repository.commit("more")
    repository.git("branch", "-f", "released")
    assert codes(lint(project, options=options)) != codes(first)
    assert replays() == 1


def test_an_edited_rule_judges_anew(project: Path, replays: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> None:
    lint(project)
    makers = kept._makers
    monkeypatch.setattr(kept, "_makers", lambda modules: [*makers(modules), ("another.py", 1, 1)])
    lint(project)
    assert replays() == 2


def test_the_rules_of_miglint_are_among_what_judges(project: Path) -> None:
    made = {os.path.basename(path) for path, _, _ in kept._makers(())}
    assert {"direct_model_import.py", "postgresql.toml", "state.py"} <= made


@pytest.mark.parametrize("content", [b"", b"\x93", b"no verdicts", os.urandom(200)])
def test_what_cannot_be_read_is_no_verdict(project: Path, replays: Callable[[], int], content: bytes) -> None:
    first = lint(project)
    for prefix in (VERDICTS, REPORTS):
        (file,) = (project / ".miglint_cache").glob(f"{prefix}*")
        file.write_bytes(content)
    assert lint(project).diagnostics == first.diagnostics
    assert replays() == 2


def test_what_is_written_in_parts_is_one_value(tmp_path: Path) -> None:
    found = Diagnostic(
        code="MG101", name="x", severity=Severity.ERROR, message="m", related=(Related("p", Span(1, 2), "r"),)
    )
    for number in (0, 1, 15, 16, 70_000):
        verdict = Verdict(Asked(contents={"p": "h"}), (found,) * number)
        known = kept.Kept(tmp_path, "verdict-", Verdict)
        known.keep(b"key", verdict)
        assert known.get(b"key") == verdict


def test_only_a_few_are_kept(project: Path) -> None:
    for number in range(12):
        write(project / "shop/migrations/0002_data.py", f"{DATA}\n\nNUMBER = {number}\n")
        lint(project)
    for prefix in (VERDICTS, REPORTS):
        assert len(list((project / ".miglint_cache").glob(f"{prefix}*"))) == 8


def test_without_a_cache_nothing_is_kept(project: Path, replays: Callable[[], int]) -> None:
    for _ in range(2):
        lint(project, options=Options(cache=False))
    assert (replays(), (project / ".miglint_cache").exists()) == (2, False)
