"""`miglint graph`: the picture, the diagrams, and what is said where there is nothing to draw."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import migration, run, write
from miglint.formats.lanes import ASCII, draw

SHOP = {
    "shop.0001_initial": migration("AUTH_USER_MODEL", "sites.0001_initial"),
    "shop.0002_a": migration("shop.0001_initial"),
    "shop.0003_b": migration("shop.0002_a"),
    "shop.0003_c": migration("shop.0002_a"),
    "shop.0004_merge": migration("shop.0003_b", "shop.0003_c"),
    "bill.0001_first": migration(),
    "bill.0001_squashed": migration("shop.0002_a", replaces=("bill.0001_first", "bill.0002_gone")),
    "bill.0003_more": migration("bill.0002_gone"),
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path / "project", SHOP)


def drawn(root: Path, *arguments: object, **variables: str) -> str:
    done = run("graph", *arguments, cwd=root, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# -- the drawing --------------------------------------------------------------------------------------


def lines(parents: dict[str, str], order: str = "") -> list[str]:
    nodes = order or "".join(parents)
    rows = draw(nodes, {node: list(parents[node]) for node in nodes}, {node: node for node in nodes}, ASCII)
    return [row.drawing for row in rows]


def test_a_line_is_one_lane() -> None:
    assert lines({"a": "", "b": "a", "c": "b"}) == ["a", "b", "c"]


def test_branches_part_and_meet() -> None:
    assert lines({"a": "", "b": "a", "c": "a", "d": "bc"}) == ["a", "+-.", "b |", "| c", "+-'", "d"]


def test_a_lane_crosses_those_between() -> None:
    drawing = lines({"a": "", "b": "a", "c": "a", "d": "a", "e": "bd", "f": "ec"})
    assert drawing == ["a", "+-+-.", "b | |", "| c |", "| | d", "+-+-'", "e |", "+-'", "f"]


def test_a_second_root_does_not_look_like_a_child() -> None:
    assert lines({"a": "", "b": "a", "c": ""}) == ["a", "b", "", "c"]


def test_a_parent_that_comes_later_has_no_line() -> None:
    assert lines({"a": "b", "b": "a"}) == ["a", "b"]


# -- the text -----------------------------------------------------------------------------------------


def test_apps_are_drawn_with_merges_squashes_leaves_and_what_they_need(shop: Path) -> None:
    assert drawn(shop) == (
        "bill  3 migrations  bill/migrations\n"
        "  ■ 0001_squashed  [squash of 2, 1 gone]  ← shop.0002\n"
        "  ◉ 0003_more  [leaf]\n"
        "\n"
        "shop  5 migrations  shop/migrations\n"
        "  ●   0001_initial  ← sites, settings.AUTH_USER_MODEL\n"
        "  ●   0002_a\n"
        "  ├─╮\n"
        "  ● │ 0003_c\n"
        "  │ ● 0003_b\n"
        "  ├─╯\n"
        "  ◉   0004_merge  [leaf]  [merge]\n"
        "\n"
        "not in this project\n"
        "  sites  needed by shop\n"
        "\n"
        "2 apps, 8 migrations, 1 of them replaced by squashes.\n"
    )


def test_a_straight_run_is_folded_and_one_app_is_shown_whole(tmp_path: Path) -> None:
    names = [f"{number:04}_step" for number in range(1, 9)]
    line = {f"shop.{n}": migration(*(f"shop.{p}" for p in names[at - 1 : at])) for at, n in enumerate(names)}
    root = write(tmp_path, {**line, "bill.0001_initial": migration("shop.0008_step")})
    assert "  ⋮ 0002 … 0007  (6 migrations)\n" in drawn(root)
    assert "folded" in drawn(root)
    for whole in (drawn(root, "--app", "shop"), drawn(root, "-v"), drawn(root, "shop")):
        assert all(name in whole for name in names)
        assert "folded" not in whole


def test_two_leaves_and_what_django_refuses_are_said(tmp_path: Path) -> None:
    text = drawn(write(tmp_path, {"a.0001": migration(), "a.0002": migration("a.0001"), "a.0003": migration("a.0009")}))
    assert "a  3 migrations, 2 leaves  a/migrations\n" in text
    assert "what Django refuses\n  Migration a.0003 dependencies reference nonexistent parent node" in text


def test_quiet_leaves_the_summary_out(shop: Path) -> None:
    assert "migrations, 1 of them" not in drawn(shop, "-q")


def test_colours_are_those_that_are_asked_for(shop: Path) -> None:
    assert "\x1b[" not in drawn(shop)
    assert "\x1b[" in drawn(shop, "--color", "always")
    assert "\x1b[" in drawn(shop, FORCE_COLOR="1")
    assert "\x1b[" not in drawn(shop, FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[" not in drawn(shop, "--color", "never", FORCE_COLOR="1")


def test_a_name_cannot_take_the_terminal_over(tmp_path: Path) -> None:
    text = drawn(write(tmp_path, {"a.0001_\x1b[31m": migration(), "a.0002_\u202e": migration()}))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert r"0001_\x1b[31m" in text


# -- diagrams -----------------------------------------------------------------------------------------


def test_mermaid_has_a_subgraph_for_each_app_and_one_node_for_each_other_app(shop: Path) -> None:
    found = drawn(shop, "--output-format", "mermaid").splitlines()
    assert found[0] == "flowchart TD"
    assert '  subgraph s0["bill"]' in found
    assert '    m0[["0001_squashed"]]:::squash' in found
    assert '    m6(["0004_merge"]):::leaf' in found
    assert '  a0{{"sites"}}:::other' in found
    assert "  a0 --> m2" in found
    assert "  m3 --> m0" in found


def test_names_in_diagrams_are_quoted(tmp_path: Path) -> None:
    root = write(tmp_path, {'a.0001_"];end': migration()})
    assert '(["0001_#34;#93;#59;end"])' in drawn(root, "--output-format", "mermaid")
    assert r'label="0001_\"];end"' in drawn(root, "--output-format", "dot")


def test_dot_has_a_cluster_for_each_app(shop: Path) -> None:
    found = drawn(shop, "--output-format", "dot")
    assert found.startswith("digraph migrations {\n")
    assert 'subgraph cluster_0 {\n    label="bill";\n    m0 [label="0001_squashed", peripheries=2' in found
    assert found.count("{") == found.count("}")


def test_apps_that_are_not_asked_for_are_one_node(shop: Path) -> None:
    found = drawn(shop, "--app", "bill", "--output-format", "mermaid")
    assert '{{"shop"}}:::other' in found
    assert "0004_merge" not in found


# -- what is asked for --------------------------------------------------------------------------------


def test_an_unknown_app_is_an_error_that_says_what_is_meant(shop: Path) -> None:
    done = run("graph", "--app", "shpo", cwd=shop)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "miglint: there is no app 'shpo' with migrations here; did you mean shop?\n"


def test_a_path_narrows_to_the_app_it_is_in(shop: Path) -> None:
    for path in ("bill", "bill/migrations", "bill/migrations/0003_more.py"):
        document = json.loads(drawn(shop, path, "--output-format", "json"))
        assert [app["label"] for app in document["apps"]] == ["bill"]


def test_an_empty_project_is_said_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "manage.py").touch()
    for kind in ("text", "mermaid", "dot", "json"):
        done = run("graph", "--output-format", kind, cwd=tmp_path)
        assert done.returncode == 0
        assert done.stderr == f"miglint: no migrations were found below {tmp_path}\n"
    assert json.loads(done.stdout) == {"version": 1, "apps": [], "migrations": [], "external": [], "problems": []}


def test_several_projects_are_told_apart(tmp_path: Path) -> None:
    one, two = (write(tmp_path / name, {"shop.0001_initial": migration()}) for name in ("one", "two"))
    done = run("graph", one, two, cwd=tmp_path)
    assert done.stdout.count("shop  1 migration") == 2
    assert done.stdout.startswith("one\n")
    document = json.loads(run("graph", one, two, "--output-format", "json", cwd=tmp_path).stdout)
    assert [app["path"] for app in document["apps"]] == ["shop/migrations", "shop/migrations"]
    assert [len(project["apps"]) for project in document["projects"]] == [1, 1]
