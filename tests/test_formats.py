"""Every format under its consumer (a schema, a parser, what the consumer does), and names that want to take it over."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
from markdown_it import MarkdownIt

from miglint.diagnostic import Confidence, Create, Delete, Diagnostic, Edit, Fix, Severity, Subject, Suppressed
from miglint.formats import FORMATS, View, render
from miglint.formats.shown import statistics
from miglint.options import Options
from miglint.report import Report
from miglint.session import Session
from miglint.text import Source, Span
from scratch import Scratch
from test_cli import miglint
from test_since import DROP_FAX, DROP_NOTE, INITIAL, SECOND, THIRD, migration

DATA = Path(__file__).parent / "data"
SHOP = Path(__file__).parent.parent / "fixtures/shop"
# OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, errata 01; its `id` is the address.
SARIF = json.loads((DATA / "sarif-2.1.0.json").read_text())
# The fields and types of reviewdog's DiagnosticResult, as proto/rdf/reviewdog.proto defines them.
_POSITION = {
    "type": "object",
    "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
    "required": ["line", "column"],
    "additionalProperties": False,
}
_RANGE = {
    "type": "object",
    "properties": {"start": _POSITION, "end": _POSITION},
    "required": ["start", "end"],
    "additionalProperties": False,
}
RDJSON = {
    "type": "object",
    "required": ["source", "diagnostics"],
    "additionalProperties": False,
    "properties": {
        "source": {"type": "object", "required": ["name"], "properties": {"name": {"const": "miglint"}}},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "location", "severity", "code"],
                "additionalProperties": False,
                "properties": {
                    "message": {"type": "string"},
                    "location": {
                        "type": "object",
                        "required": ["path"],
                        "additionalProperties": False,
                        "properties": {"path": {"type": "string"}, "range": _RANGE},
                    },
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "code": {
                        "type": "object",
                        "required": ["value"],
                        "properties": {"value": {"type": "string"}, "url": {"type": "string"}},
                    },
                    "suggestions": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["range", "text"],
                            "properties": {"range": _RANGE, "text": {"type": "string"}},
                        },
                    },
                },
            },
        },
    },
}

HOSTILE = "no\n::error title=x::te\r##[error]\x1b[31m</failure>]]>|`@all` <script>alert(1)</script>\u202e\x00\x7f%0A,:ä"


def report_of(root: Path, **options: object) -> Report:
    session = Session(Options(cache=False, jobs=1, **options), cwd=root)  # type: ignore[arg-type]
    return session.report([root])


def rendered(name: str, report: Report, cwd: str = "/") -> str:
    return "".join(render(name, report, View(cwd=cwd)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The top of a repository in which the shop is `fixtures/shop`, wherever these tests are."""
    root = Scratch(tmp_path_factory.mktemp("repository")).root
    shutil.copytree(SHOP, root / "fixtures/shop", ignore=shutil.ignore_patterns(".miglint_cache"))
    return root


@pytest.fixture(scope="module")
def shop(repository: Path) -> Report:
    return report_of(repository / "fixtures/shop", select=("ALL",))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    root = tmp_path_factory.mktemp("hostile")
    repository = Scratch(root)
    repository.write("manage.py", "")
    repository.write("shop/migrations/__init__.py", "")
    repository.write("shop/migrations/0001_initial.py", INITIAL.replace('"note"', repr(HOSTILE)))
    drop = f"migrations.RemoveField('order', {HOSTILE!r})"
    repository.write("shop/migrations/0002_a b\n::error::\x1b[1m<i>|é.py", migration("0001_initial", drop))
    return report_of(root, ignore=("MG702",))


@pytest.fixture
def clean(tmp_path: Path) -> Report:
    for path, text in (("manage.py", ""), ("shop/migrations/__init__.py", ""), ("shop/migrations/0001_i.py", INITIAL)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return report_of(tmp_path)


def test_the_hostile_project_has_something_to_say(hostile: Report) -> None:
    assert [each.code for each in hostile.findings] == ["MG201"]
    assert "\x1b" in hostile.findings[0].message


@pytest.mark.parametrize("name", FORMATS)
def test_no_control_character_of_a_user_reaches_the_output(hostile: Report, name: str) -> None:
    text = rendered(name, hostile)
    assert re.findall(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029\u202e]", text) == []


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_bytes(shop: Report, repository: Path, name: str) -> None:
    assert rendered(name, shop) == rendered(name, report_of(repository / "fixtures/shop", select=("ALL",)))


@pytest.mark.parametrize("name", FORMATS)
def test_paths_are_relative_to_the_repository_and_have_slashes(shop: Report, repository: Path, name: str) -> None:
    text = rendered(name, shop, cwd=repository.as_posix())
    assert "fixtures/shop/catalog/migrations/0005_product_name_idx.py" in text
    assert repository.as_posix() not in text


# -- sarif ----------------------------------------------------------------------------------------------


def sarif(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(rendered("sarif", report))
    jsonschema.Draft4Validator(SARIF).validate(document)
    (run,) = document["runs"]
    return dict(run)


@pytest.mark.parametrize("name", ["shop", "hostile", "clean"])
def test_sarif_is_valid(name: str, request: pytest.FixtureRequest) -> None:
    report = request.getfixturevalue(name)
    assert len(sarif(report)["results"]) == len(report.diagnostics)


def test_sarif_describes_every_rule_that_is_on(shop: Report) -> None:
    driver = sarif(shop)["tool"]["driver"]
    assert all(re.match(r"https://|pkg:pypi/miglint", rule["helpUri"]) for rule in driver["rules"])
    assert [rule["id"] for rule in driver["rules"]] == sorted(rule.code for rule in shop.rules())
    assert {"MG302", "MG901"} <= {rule["id"] for rule in driver["rules"]}
    for rule in driver["rules"]:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["markdown"].startswith(f"# {rule['id']} · {rule['name']}")
        assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
        assert "security-severity" not in rule["properties"]
    few = sarif(report_of(SHOP, select=("MG302",)))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in few] == ["MG302"]


def test_a_sarif_result_points_at_its_rule_and_place(shop: Report, repository: Path) -> None:
    run = sarif(shop)
    assert run["columnKind"] == "unicodeCodePoints"
    for result, diagnostic in zip(run["results"], shop.diagnostics, strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == diagnostic.code
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert not uri.startswith((".", "/"))
        assert (repository / uri).exists()
        region = location["physicalLocation"]["region"]
        assert list(region) == ["startLine", "startColumn", "endLine", "endColumn"]
        assert (region["endLine"], region["endColumn"]) >= (region["startLine"], region["startColumn"])
        assert result["partialFingerprints"] == {"miglint/v1": diagnostic.fingerprint}
        assert result["message"]["text"].split("\n")[0].rstrip(".") == diagnostic.message.rstrip(".")


def test_a_hostile_path_is_one_sarif_uri(hostile: Report) -> None:
    (result,) = sarif(hostile)["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[\w./%~-]+", uri)
    assert unquote(uri) == "shop/migrations/0002_a b\n::error::\x1b[1m<i>|é.py"


def test_what_is_accepted_is_marked_in_sarif(tmp_path: Path) -> None:
    for path, text in {
        "manage.py": "",
        "shop/migrations/__init__.py": "",
        "shop/migrations/0001_initial.py": INITIAL,
        SECOND: migration("0001_initial", DROP_NOTE).replace(
            '"note"),', '"note"),  # miglint: ignore[MG201] -- unused'
        ),
        THIRD: migration("0002_drop_note", DROP_FAX),
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    report_of(tmp_path, write_baseline=True)
    results = sarif(report_of(tmp_path))["results"]
    assert [each["suppressions"] for each in results] == [
        [{"kind": "inSource", "status": "accepted", "justification": "unused"}],
        [{"kind": "external", "status": "accepted"}],
    ]


def made_up(fix: Fix | None = None, **given: Any) -> Report:
    """One finding in a file whose line has wide characters before it."""
    found = Diagnostic(
        code="MG201",
        name="remove-field",
        severity=Severity.ERROR,
        confidence=Confidence.HIGH,
        message="a message",
        path="/r/a.py",
        span=Span(7, 10),
        fix=fix,
        subject=Subject(app="shop"),
        **given,
    )
    empty = report_of(DATA)
    return Report(diagnostics=(found,), sources={"/r/a.py": Source("/r/a.py", "x\nä𝄞 = abc\n")}, summary=empty.summary)


EDIT = Edit("/r/a.py", Span(7, 10), "b")


def test_fixes_are_carried_as_far_as_a_format_can() -> None:
    (result,) = sarif(made_up(Fix("rename it", "safe", (EDIT, Create("/r/b.py", "new\n")))))["results"]
    assert [change["artifactLocation"]["uri"] for change in result["fixes"][0]["artifactChanges"]] == [
        "file:///r/a.py",
        "file:///r/b.py",
    ]
    assert "fixes" not in sarif(made_up(Fix("remove it", "safe", (Delete("/r/a.py"),))))["results"][0]
    (found,) = rdjson(made_up(Fix("rename it", "safe", (EDIT,))))["diagnostics"]
    assert found["suggestions"] == [{"range": found["location"]["range"], "text": "b"}]
    assert "suggestions" not in rdjson(made_up(Fix("x", "safe", (EDIT, Create("/r/b.py", "")))))["diagnostics"][0]


# -- github ---------------------------------------------------------------------------------------------


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """As the runner reads them (ActionCommand.TryParseV2): name, properties, data."""
    found = []
    for line in text.splitlines():
        match = re.fullmatch(r"::([a-z]+) (.*?)::(.*)", line)
        assert match is not None, line
        pairs = (pair.partition("=") for pair in match[2].split(","))
        properties = {key: _unescaped(value.replace("%3A", ":").replace("%2C", ",")) for key, _, value in pairs}
        found.append((match[1], properties, _unescaped(match[3])))
    return found


def _unescaped(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_github_gets_a_command_per_finding_the_worst_first(shop: Report) -> None:
    found = commands(rendered("github", shop))
    assert len(found) == len(shop.findings)
    order = ["error", "warning", "notice"]
    assert [name for name, _, _ in found] == sorted((name for name, _, _ in found), key=order.index)
    for _, properties, data in found:
        assert {"file", "line", "endLine", "title"} <= set(properties)
        assert ("col" in properties) == (properties["line"] == properties["endLine"]) == ("endColumn" in properties)
        assert "\n\n" in data or data


def test_no_name_can_start_a_github_command(hostile: Report) -> None:
    text = rendered("github", hostile)
    ((name, properties, data),) = commands(text)
    assert (name, properties["title"]) == ("error", "MG201 remove-field")
    assert "::error title=x::te" in data  # as text, within the one command
    assert text.count("\n") == 1


# -- gitlab ---------------------------------------------------------------------------------------------


def test_gitlab_gets_what_code_quality_asks_for(shop: Report, repository: Path) -> None:
    issues = json.loads(rendered("gitlab", shop))
    assert len(issues) == len(shop.findings)
    for issue, diagnostic in zip(issues, shop.findings, strict=True):
        assert issue["description"].startswith(diagnostic.code)
        assert issue["check_name"] == diagnostic.name
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert (repository / issue["location"]["path"]).exists()
        assert issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_gitlab_gets_an_empty_list_when_all_is_well(clean: Report) -> None:
    assert rendered("gitlab", clean) == "[]\n"


def test_gitlab_fingerprints_are_unique_and_independent_of_lines() -> None:
    one = made_up().diagnostics[0]
    report = made_up()
    twice = Report(diagnostics=(one, one), sources=report.sources, summary=report.summary)
    first, second = json.loads(rendered("gitlab", twice))
    assert first["fingerprint"] == one.fingerprint != second["fingerprint"]


# -- junit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["shop", "hostile", "clean"])
def test_junit_is_xml_with_a_case_per_finding_and_per_clean_file(name: str, request: pytest.FixtureRequest) -> None:
    report: Report = request.getfixturevalue(name)
    suites = ElementTree.fromstring(rendered("junit", report))
    assert suites.tag == "testsuites"
    cases = suites.findall("./testsuite/testcase")
    touched = {each.path for each in report.findings}
    clean_files = [path for project in report.projects for path in project.files if path not in touched]
    assert len(cases) == len(report.findings) + len(clean_files) == int(suites.attrib["tests"])
    failures = suites.findall(".//failure")
    assert len(failures) == int(suites.attrib["failures"]) == report.counts.error + report.counts.warning
    assert all(case.attrib["name"] and case.attrib["classname"] for case in cases)


# -- rdjson ---------------------------------------------------------------------------------------------


def rdjson(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(rendered("rdjson", report))
    jsonschema.validate(document, RDJSON)
    return document


@pytest.mark.parametrize("name", ["shop", "hostile", "clean"])
def test_rdjson_is_as_reviewdog_defines_it(name: str, request: pytest.FixtureRequest) -> None:
    report = request.getfixturevalue(name)
    assert len(rdjson(report)["diagnostics"]) == len(report.findings)


def test_rdjson_counts_bytes() -> None:
    (found,) = rdjson(made_up())["diagnostics"]
    # ä is two bytes, 𝄞 four: `abc` begins at byte 10 of its line.
    assert found["location"]["range"] == {"start": {"line": 2, "column": 10}, "end": {"line": 2, "column": 13}}


# -- markdown -------------------------------------------------------------------------------------------


def html(report: Report) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(rendered("markdown", report))


def test_markdown_shows_a_table_the_locks_and_folded_advice(shop: Report) -> None:
    page = html(shop)
    assert page.count("<h4>") == len(shop.findings)
    assert page.count("<details>") == page.count("</details>") == sum(bool(d.help.strip()) for d in shop.findings)
    assert "<td>SHARE</td>" in page
    assert "AddIndexConcurrently" in page


def test_markdown_lets_no_name_become_a_tag_a_mention_or_a_cell(hostile: Report) -> None:
    page = html(hostile)
    tags = set(re.findall(r"</?([a-z0-9]+)", page))
    assert tags <= {
        "h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "details", "summary",
    }  # fmt: skip
    assert "@all" not in re.sub(r"<code.*?</code>", "", page, flags=re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.S)
    assert all(row.count("<td>") in (0, 4) for row in rows)


def test_a_long_markdown_report_is_cut_and_says_so(shop: Report) -> None:
    many = Report(diagnostics=shop.diagnostics * 60, sources=shop.sources, summary=shop.summary, projects=shop.projects)
    text = rendered("markdown", many)
    assert len(text) <= 65_000
    assert re.search(r"… and \d+ findings more", text)


def test_suppressed_findings_are_in_json_and_sarif_alone() -> None:
    report = made_up(suppressed=Suppressed("baseline"))
    for name in ("text", "concise", "github", "gitlab", "junit", "rdjson", "markdown"):
        assert "MG201" not in rendered(name, report)
    for name in ("json", "sarif"):
        assert "MG201" in rendered(name, report)


# -- the command line -----------------------------------------------------------------------------------


def test_several_formats_at_once(tmp_path: Path) -> None:
    done = miglint(
        "check", SHOP, "--no-cache", "--output-format", "concise", "--output-format", "sarif",
        "--output-file", "a.sarif", "--output-format=junit", "--output-file=b.xml", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1
    assert b": MG302 [error] " in done.stdout
    assert json.loads((tmp_path / "a.sarif").read_text())["version"] == "2.1.0"
    assert ElementTree.parse(tmp_path / "b.xml").getroot().tag == "testsuites"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--output-file", "a.json", "--output-format", "json"),
        ("--output-format", "json", "--output-file", "a.json"),
        ("--output-format", "text", "--output-format", "json", "--output-file", "a.json"),
        ("--output-format", "json", "--output-file", "a.json", "--output-format", "text"),
    ],
)
def test_a_file_goes_with_the_format_beside_it(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = miglint("check", SHOP, "--no-cache", "-q", *arguments, cwd=tmp_path)
    assert json.loads((tmp_path / "a.json").read_text())["version"] == 1
    assert (done.stdout == b"") == ("text" not in arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--output-format", "json", "--output-format", "text"),
        ("--output-file", "a", "--output-file", "b"),
        ("--output-format", "yaml"),
        ("--output-file", "no/such/directory/a"),
    ],
)
def test_outputs_that_cannot_be_are_usage_errors(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = miglint("check", SHOP, "--no-cache", *arguments, cwd=tmp_path)
    assert (done.returncode, b"Traceback" in done.stderr) == (2, False)


def test_auto_is_github_where_actions_run(tmp_path: Path) -> None:
    here = miglint("check", SHOP, "--no-cache", "--output-format", "auto", cwd=tmp_path, GITHUB_ACTIONS="true")
    assert here.stdout.startswith(b"::error ")
    there = miglint("check", SHOP, "--no-cache", "--output-format", "auto", cwd=tmp_path, GITHUB_ACTIONS="")
    assert b"error[MG302]" in there.stdout
    unasked = miglint("check", SHOP, "--no-cache", cwd=tmp_path, GITHUB_ACTIONS="true")
    assert unasked.stdout == there.stdout


def test_statistics_take_the_place_of_findings(shop: Report) -> None:
    lines = statistics(shop, View(summary=False)).splitlines()
    assert sum(int(line.split()[0]) for line in lines) == len(shop.findings)
    numbers = [int(line.split()[0]) for line in lines]
    assert numbers == sorted(numbers, reverse=True)
    document = json.loads(statistics(shop, View(), json=True))
    assert sum(each["count"] for each in document["statistics"]) == len(shop.findings)


def test_show_files_and_show_settings_show_nothing_else(tmp_path: Path) -> None:
    done = miglint("check", SHOP / "catalog", "--no-cache", "--show-files", cwd=SHOP)
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [
        f"catalog/migrations/{path.name}" for path in sorted((SHOP / "catalog/migrations").glob("0*.py"))
    ]
    (tmp_path / "miglint.toml").write_text('[severity]\nMG302 = "warning"\n')
    done = miglint("check", "--no-cache", "--show-settings", "--ignore", "MG7", "--database", "mysql", cwd=tmp_path)
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    for line in (
        'severity = {"MG302" = "warning"}',
        'ignore = ["MG7"]',
        'database = "mysql"',
        'deploy = "migrate-first"',
    ):
        assert line in lines
    done = miglint("check", "--no-cache", "--show-settings", "--output-format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["projects"][0]["settings"]["severity"] == {"MG302": "warning"}
