"""The graph is the one that Django's own loader builds from the same files."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from miglint.project.graph import Graph, GraphProblem
from miglint.project.interpret import interpret
from miglint.project.keys import MigrationKey
from miglint.project.migration import Dependency, Migration, Unreadable
from miglint.syntax.reader import read

USER = "settings.AUTH_USER_MODEL"
SWAPPABLE = {"AUTH_USER_MODEL": "people.User"}

# Migrations by "app.name", each with its `dependencies`, `run_before` and `replaces`.
History = Mapping[str, Mapping[str, list[str]]]


def needs(*dependencies: str, run_before: Iterable[str] = (), replaces: Iterable[str] = ()) -> dict[str, list[str]]:
    return {"dependencies": list(dependencies), "run_before": list(run_before), "replaces": list(replaces)}


def key(text: str) -> MigrationKey:
    app, _, name = text.partition(".")
    return MigrationKey(app, name)


def source(declared: Mapping[str, list[str]]) -> str:
    lines = ["from django.conf import settings", "from django.db import migrations", ""]
    lines.append("class Migration(migrations.Migration):")
    for attribute, entries in declared.items():
        written = (
            f"migrations.swappable_dependency({USER})" if each == USER else repr(tuple(key(each))) for each in entries
        )
        lines.append(f"    {attribute} = [{', '.join(written)}]")
    return "\n".join(lines) + "\n"


def graph(history: History, *, unmigrated: frozenset[str] = frozenset(), version: tuple[int, ...] = (5, 2)) -> Graph:
    migrations = [interpret(key(name), f"/{name}.py", read(source(each))) for name, each in history.items()]
    return Graph.build(migrations, swappable=SWAPPABLE, unmigrated=unmigrated, django_version=version)


def kinds(graph: Graph) -> list[str]:
    return [problem.kind for problem in graph.problems]


# -- Django's view ------------------------------------------------------------------------------------

DJANGO = """
import json, sys
from django.conf import settings

settings.configure(INSTALLED_APPS=[], AUTH_USER_MODEL="people.User", DATABASES={})
import django
from django.apps import apps
from django.db.migrations.exceptions import CircularDependencyError, NodeNotFoundError
from django.db.migrations.loader import MigrationLoader

django.setup()


def view():
    try:
        graph = MigrationLoader(None, ignore_no_migrations=True).graph
    except (CircularDependencyError, NodeNotFoundError) as error:
        return {"error": type(error).__name__}
    plan = {}
    for leaf in graph.leaf_nodes():
        plan.update(dict.fromkeys(graph.forwards_plan(leaf)))
    return {
        "parents": {".".join(k): sorted(".".join(p.key) for p in graph.node_map[k].parents) for k in graph.nodes},
        "children": {".".join(k): sorted(".".join(c.key) for c in graph.node_map[k].children) for k in graph.nodes},
        "leaves": [".".join(k) for k in graph.leaf_nodes()],
        "roots": [".".join(k) for k in graph.root_nodes()],
        "plan": [".".join(k) for k in plan],
    }


views = {}
for name, (folder, labels) in json.load(sys.stdin).items():
    sys.path.insert(0, folder)
    apps.set_installed_apps(labels)
    views[name] = view()
    apps.unset_installed_apps()
    sys.path.remove(folder)
    sys.path_importer_cache.clear()
    for module in [m for m in sys.modules if m.split(".")[0] in labels]:
        del sys.modules[module]
print(json.dumps(views))
"""


def apps_of(history: History) -> list[str]:
    return sorted({name.partition(".")[0] for name in history})


def write(folder: Path, history: History, unmigrated: Iterable[str]) -> None:
    for app in (*apps_of(history), *unmigrated):
        (folder / app).mkdir(parents=True)
        (folder / app / "__init__.py").touch()
    for name, declared in history.items():
        package = folder / key(name).app / "migrations"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").touch()
        (package / f"{key(name).name}.py").write_text(source(declared))


@pytest.fixture(scope="module")
def django_views(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Django's loader makes of each history, all in one process."""
    root = tmp_path_factory.mktemp("histories")
    asked: dict[str, tuple[str, list[str]]] = {}
    for number, (name, history) in enumerate(ALL.items()):
        folder = root / str(number)
        write(folder, history, UNMIGRATED)
        asked[name] = (str(folder), [*apps_of(history), *UNMIGRATED])
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", DJANGO],
        input=json.dumps(asked),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    views: dict[str, Any] = json.loads(done.stdout)
    return views


def own_view(history: History) -> dict[str, Any]:
    ours = graph(history, unmigrated=UNMIGRATED)
    found = set(kinds(ours))
    if found & {"missing-parent", "missing-child", "latest-dependency"}:
        return {"error": "NodeNotFoundError"}
    if found:
        assert found == {"cycle"}
        return {"error": "CircularDependencyError"}
    return {
        "parents": {str(k): [str(p) for p in ours.parents(k)] for k in ours.nodes},
        "children": {str(k): [str(c) for c in ours.children(k)] for k in ours.nodes},
        "leaves": [str(k) for app in ours.apps for k in ours.leaves(app)],
        "roots": [str(k) for app in ours.apps for k in ours.roots(app)],
        "plan": [str(k) for k in ours.plan()],
    }


UNMIGRATED = frozenset({"plain"})
LINE = {"shop.1": needs(), "shop.2": needs("shop.1"), "shop.3": needs("shop.2")}
PEOPLE = {"people.1": needs(), "people.2": needs("people.1")}

HISTORIES: dict[str, History] = {
    "a line": LINE,
    "a merge": {**LINE, "shop.2b": needs("shop.1"), "shop.4": needs("shop.3", "shop.2b")},
    "two leaves": {**LINE, "shop.2b": needs("shop.1")},
    "two roots": {**LINE, "shop.0": needs()},
    "a squash beside all that it replaces": {**LINE, "shop.s": needs(replaces=["shop.1", "shop.2"])},
    "a squash of everything": {**LINE, "shop.s": needs(replaces=["shop.1", "shop.2", "shop.3"])},
    "a squash whose replaced migrations are gone": {
        "shop.s": needs(replaces=["shop.1", "shop.2"]),
        "shop.3": needs("shop.2"),
        "bill.1": needs("shop.1"),
    },
    "a squash whose replaced migrations are partly there": {
        "shop.2": needs("shop.1"),
        "shop.s": needs(replaces=["shop.1", "shop.2"]),
        "shop.3": needs("shop.2"),
    },
    "a squash in the middle": {**LINE, "shop.s": needs("shop.1", replaces=["shop.2"]), "shop.4": needs("shop.3")},
    "a squash that a migration depends on": {
        **LINE,
        "shop.s": needs(replaces=["shop.1", "shop.2"]),
        "shop.4": needs("shop.s", "shop.3"),
    },
    "a squash that depends on what it replaces": {**LINE, "shop.s": needs("shop.1", replaces=["shop.1", "shop.2"])},
    "a squash that replaces another app's migrations": {
        **LINE,
        **PEOPLE,
        "people.3": needs("people.2", "shop.2"),
        "shop.s": needs(replaces=["shop.1", "shop.2", "people.1"]),
    },
    "two squashes of the same migrations that are gone": {
        "shop.s": needs(replaces=["shop.1"]),
        "shop.t": needs("shop.s", replaces=["shop.2"]),
        "shop.3": needs("shop.2"),
    },
    "squashes that make a cycle": {
        "shop.1": needs(),
        "shop.2": needs("shop.1", "bill.1"),
        "bill.1": needs("shop.1"),
        "shop.s": needs(replaces=["shop.1", "shop.2"]),
    },
    "a dependency on another app": {**LINE, "bill.1": needs("shop.2"), "bill.2": needs("bill.1", "shop.3")},
    "parents of several apps": {**LINE, **PEOPLE, "bill.1": needs("shop.2", "people.2"), "aid.1": needs("bill.1")},
    "run_before": {**LINE, "bill.1": needs(run_before=["shop.2"])},
    "run_before in its own app": {**LINE, "shop.0": needs(run_before=["shop.1"])},
    "run_before of a replaced migration": {
        **LINE,
        "shop.s": needs(replaces=["shop.1", "shop.2"]),
        "bill.1": needs(run_before=["shop.2"]),
    },
    "run_before of one's own latest": {"shop.1": needs(run_before=["shop.__latest__"])},
    "the first of another app": {**LINE, "bill.1": needs("shop.__first__")},
    "the first of another app that has two roots": {**LINE, "shop.0": needs(), "bill.1": needs("shop.__first__")},
    "the first of one's own app": {"shop.1": needs("shop.__first__"), "shop.2": needs("shop.1")},
    "the first of an app that begins with a squash": {
        "shop.s": needs(replaces=["shop.1", "shop.2"]),
        "shop.3": needs("shop.2"),
        "bill.1": needs("shop.__first__"),
    },
    "the first of an app whose squash has a late name": {
        "shop.2": needs("shop.1"),
        "shop.z": needs(replaces=["shop.0", "shop.1"]),
        "bill.1": needs("shop.__first__"),
    },
    "the latest of another app": {**LINE, "bill.1": needs("shop.__latest__")},
    "the latest of another app that has two leaves": {
        **LINE,
        "shop.2b": needs("shop.1"),
        "bill.1": needs("shop.__latest__"),
    },
    "the latest of another app with a squash": {
        **LINE,
        "shop.s": needs(replaces=["shop.1", "shop.2"]),
        "bill.1": needs("shop.__latest__"),
    },
    "the latest of one's own app": {"shop.1": needs(), "shop.2": needs("shop.__latest__")},
    "a swappable model of another app": {**PEOPLE, "shop.1": needs(USER)},
    "a swappable model of the same app": {"people.1": needs(USER), "people.2": needs("people.1")},
    "the first of an app without migrations": {"shop.1": needs("plain.__first__")},
    "a migration of an app without migrations": {"shop.1": needs("plain.1")},
    "a cycle in an app": {"shop.1": needs("shop.2"), "shop.2": needs("shop.1")},
    "a cycle through apps": {**LINE, "bill.1": needs("shop.3"), "aid.1": needs("bill.1", run_before=["shop.2"])},
    "a migration that depends on itself": {"shop.1": needs("shop.1")},
    "a missing parent": {**LINE, "shop.4": needs("shop.9")},
    "a missing parent in another app": {**LINE, "bill.1": needs("shop.9")},
    "a missing child": {**LINE, "bill.1": needs(run_before=["shop.9"])},
    "a missing parent of a replaced migration": {
        "shop.2": needs("shop.9"),
        "shop.s": needs(replaces=["shop.2"]),
    },
}


def shuffled(seed: int) -> History:
    """Some history: branches, edges between apps in all directions but mostly back, and a squash."""
    pick = random.Random(seed)
    history: dict[str, dict[str, list[str]]] = {}
    for _ in range(pick.randint(4, 14)):
        app = pick.choice("abc")
        own = [name for name in history if name[0] == app]
        new = f"{app}.{len(own) + 1:02}"
        parents = own[-1:] if pick.random() < 0.8 else pick.sample(own, min(len(own), 2))
        others = [name for name in history if name[0] != app]
        if others and pick.random() < 0.5:
            parents.append(pick.choice([*others, f"{others[0][0]}.__first__", f"{others[0][0]}.__latest__"]))
        history[new] = needs(*parents)
        if others and pick.random() < 0.08:
            history[new]["run_before"] = [pick.choice(others)]
    for app in "ab":
        own = [name for name in history if name[0] == app]
        if len(own) > 1 and pick.random() < 0.6:
            start = pick.randrange(len(own) - 1)
            replaced = own[start : start + pick.randint(1, 4)]
            before = {parent for name in replaced for parent in history[name]["dependencies"]} - set(replaced)
            for name in replaced:
                if pick.random() < 0.4:
                    del history[name]
            history[f"{app}.{pick.choice(['00', '99'])}_squash"] = needs(*sorted(before), replaces=replaced)
    return history


ALL = {**HISTORIES, **{f"shuffled {seed}": shuffled(seed) for seed in range(150)}}


@pytest.mark.parametrize("name", HISTORIES)
def test_nodes_edges_ends_and_plan_are_those_of_django(name: str, django_views: dict[str, Any]) -> None:
    assert own_view(HISTORIES[name]) == django_views[name]


def test_shuffled_histories_are_understood_as_django_does(django_views: dict[str, Any]) -> None:
    names = [name for name in ALL if name not in HISTORIES]
    assert {name: own_view(ALL[name]) for name in names} == {name: django_views[name] for name in names}


def test_shuffled_histories_are_mostly_sound(django_views: dict[str, Any]) -> None:
    sound = [name for name in ALL if name not in HISTORIES and "plan" in django_views[name]]
    assert len(sound) > 75


# -- ancestors ----------------------------------------------------------------------------------------


def test_ancestors_are_all_that_must_run_before() -> None:
    found = graph({**LINE, "bill.1": needs("shop.2"), "bill.2": needs("bill.1")})
    assert found.ancestors(key("bill.2")) == {key("bill.1"), key("shop.1"), key("shop.2")}
    assert found.is_ancestor(key("shop.1"), of=key("bill.2"))
    assert not found.is_ancestor(key("shop.3"), of=key("bill.2"))
    assert not found.is_ancestor(key("shop.1"), of=key("shop.1"))


def test_of_what_is_not_in_the_graph_nothing_is_an_ancestor() -> None:
    found = graph(LINE)
    assert found.ancestors(key("bill.1")) == frozenset()
    assert not found.is_ancestor(key("bill.1"), of=key("shop.3"))


def test_the_common_ancestor_is_the_latest_of_the_same_app() -> None:
    found = graph({**LINE, "bill.1": needs("shop.2"), "shop.3b": needs("shop.2", "bill.1")})
    assert found.common_ancestor([key("shop.3"), key("shop.3b")]) == key("shop.2")
    assert found.common_ancestor([key("shop.1"), key("bill.1")]) is None
    assert found.common_ancestor([]) is None


def test_members_of_a_cycle_are_ancestors_of_each_other_and_of_what_follows() -> None:
    found = graph({"a.1": needs("b.1"), "b.1": needs("c.1"), "c.1": needs("a.1"), "d.1": needs("c.1")})
    assert found.ancestors(key("a.1")) == {key("b.1"), key("c.1")}
    assert found.ancestors(key("d.1")) == {key("a.1"), key("b.1"), key("c.1")}
    assert sorted(map(str, found.plan())) == ["a.1", "b.1", "c.1", "d.1"]


def test_five_thousand_migrations_in_a_line_are_no_trouble() -> None:
    line = [
        Migration(MigrationKey("shop", f"{n:04}"), "", read(""), (Dependency(MigrationKey("shop", f"{n - 1:04}")),))
        for n in range(1, 5000)
    ]
    started = time.perf_counter()
    found = Graph.build([Migration(MigrationKey("shop", "0000"), "", read("")), *line])
    last = MigrationKey("shop", "4999")
    assert all(found.is_ancestor(each, of=last) for each in found.plan()[:-1])
    assert len(found.ancestors(last)) == 4999
    assert time.perf_counter() - started < 5


# -- problems -----------------------------------------------------------------------------------------


def test_a_cycle_is_told_whole_and_once() -> None:
    found = graph({**LINE, "bill.1": needs("shop.3"), "aid.1": needs("bill.1", run_before=["shop.2"])})
    path = ("aid.1", "bill.1", "shop.3", "shop.2", "aid.1")
    assert found.problems == (
        GraphProblem("cycle", key("aid.1"), " -> ".join(path), cycle=tuple(key(each) for each in path)),
    )


def test_two_cycles_that_do_not_touch_are_two_problems() -> None:
    found = graph({"a.1": needs("a.2"), "a.2": needs("a.1"), "b.1": needs("b.2"), "b.2": needs("b.1")})
    assert [problem.cycle[0] for problem in found.problems] == [key("a.1"), key("b.1")]


def test_a_missing_parent_names_the_entry_that_is_wrong() -> None:
    (problem,) = graph({**LINE, "bill.1": needs("shop.2", "shop.9")}).problems
    assert (problem.kind, problem.migration) == ("missing-parent", key("bill.1"))
    assert problem.dependency == Dependency(key("shop.9"))
    assert problem.message == "Migration bill.1 dependencies reference nonexistent parent node ('shop', '9')"


def test_an_app_that_was_not_read_is_external_and_no_problem() -> None:
    found = graph({"shop.1": needs("auth.0001_initial", "sites.__first__", run_before=["admin.0001_initial"])})
    assert found.problems == ()
    assert [str(each) for each in found.external] == ["admin.0001_initial", "auth.0001_initial", "sites.__first__"]


def test_a_missing_parent_may_be_replaced_where_replaces_could_not_be_read() -> None:
    squash = Migration(
        key("shop.s"),
        "",
        read(""),
        dependencies_known=False,
        unreadable=(Unreadable("replaces", "computed", "leaves"),),
    )
    child = Migration(key("bill.1"), "", read(""), (Dependency(key("shop.1")),))
    assert Graph.build([squash, child]).problems == ()


def test_an_app_with_unread_dependencies_is_uncertain() -> None:
    found = Graph.build([Migration(key("shop.1"), "", read(""), dependencies_known=False), *migrations_of(PEOPLE)])
    assert not found.is_certain("shop")
    assert found.is_certain("people")


def migrations_of(history: History) -> list[Migration]:
    return [interpret(key(name), f"/{name}.py", read(source(each))) for name, each in history.items()]


# -- what an entry means ------------------------------------------------------------------------------


def test_entries_resolve_to_the_migration_that_stands_for_them() -> None:
    history = {**LINE, **PEOPLE, "shop.s": needs(replaces=["shop.1", "shop.2"])}
    user = needs(USER, "shop.2", "shop.__first__", "plain.__first__", "auth.1")
    (asking,) = migrations_of({"bill.1": user})
    found = graph({**history, "bill.1": user}, unmigrated=UNMIGRATED)
    assert [found.resolved(each, of=asking) for each in asking.dependencies] == [
        key("people.1"),
        key("shop.s"),
        key("shop.s"),
        None,
        key("auth.1"),
    ]


def test_a_setting_that_is_not_known_resolves_to_nothing() -> None:
    (asking,) = migrations_of({"shop.1": needs(USER)})
    found = Graph.build([asking])
    assert [found.resolved(each, of=asking) for each in asking.dependencies] == [None]
    assert found.problems == ()


# -- squashes of squashes -----------------------------------------------------------------------------

NESTED = {
    **LINE,
    "shop.4": needs("shop.3"),
    "shop.s": needs(replaces=["shop.1", "shop.2"]),
    "shop.r": needs(replaces=["shop.s", "shop.3"]),
}


def test_django_6_replaces_the_inner_squash_first() -> None:
    found = graph(NESTED, version=(6, 0))
    assert found.problems == ()
    assert found.plan() == (key("shop.r"), key("shop.4"))
    assert [found.replaced_by(key(each)) for each in LINE] == [key("shop.r")] * 3
    assert found.replaced_by(key("shop.4")) is None


def test_before_django_6_a_squash_of_a_squash_is_broken() -> None:
    (problem,) = graph(NESTED).problems
    assert (problem.kind, problem.migration) == ("broken-squash", key("shop.r"))


def test_squashes_that_replace_each_other_are_broken_and_stay() -> None:
    found = graph({"shop.a": needs(replaces=["shop.b"]), "shop.b": needs(replaces=["shop.a"])}, version=(6, 0))
    assert kinds(found) == ["broken-squash"]
    assert found.nodes == {key("shop.a"), key("shop.b")}


def test_a_thousand_squashes_of_squashes_end() -> None:
    history = {f"shop.{n:04}": needs(replaces=[f"shop.{n - 1:04}"] if n else []) for n in range(1500)}
    assert graph(history, version=(6, 0)).nodes == {key("shop.1499")}
