"""The laws of the house: who may import whom, one name in four places, and what stands where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import page_examples
from miglint import plugins
from miglint.rule import Rule

SOURCE = Path(__file__).parent.parent / "src"
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
}

# From the bottom up. A module may import what stands on its own line or above; the longest prefix decides.
LAYERS: list[tuple[str, ...]] = [
    ("miglint", "miglint.lazy", "miglint.text", "miglint.value", "miglint.database", "miglint.writing"),
    ("miglint.store",),
    ("miglint.diagnostic", "miglint.options"),
    ("miglint.syntax.facts",),
    ("miglint.syntax",),
    ("miglint.project",),
    ("miglint.databases",),
    ("miglint.recipe",),
    ("miglint.staged",),
    ("miglint.rule", "miglint.edits"),
    ("miglint.api",),
    ("miglint.rules",),
    (
        "miglint.suppressions", "miglint.settings", "miglint.table_sizes", "miglint.plugins", "miglint.cache",
        "miglint.kept",
        "miglint.foreign", "miglint.git", "miglint.reading", "miglint.imports", "miglint.workers", "miglint.modules",
        "miglint.installed", "miglint.selection",
        "miglint.report", "miglint.baseline",
        "miglint.unread", "miglint.root", "miglint.files", "miglint.begin", "miglint.beside",
    ),
    ("miglint.check", "miglint.since", "miglint.inspection", "miglint.verdicts", "miglint.remembered", "miglint.load"),
    ("miglint.judge", "miglint.scope"),
    ("miglint.session", "miglint.run", "miglint.fixes"),
    ("miglint.formats",),
    ("miglint.catalogue",),
    ("miglint.cli", "miglint.lsp", "miglint.__main__"),
]  # fmt: skip

# A package that only one module, or the modules below one package, may import.
ONLY_IN = {
    "libcst": "miglint.syntax",
    "sqlglot": "miglint.syntax.sql",
    "click": "miglint.cli",
    "django": "nothing",
}

RULES = plugins.load()
PAGES = {page.stem: page for page in page_examples.pages()}


def layer(module: str) -> int | None:
    """The line of the table that the longest matching prefix stands on; the package `miglint` is only itself."""
    best: tuple[int, int] | None = None
    for number, names in enumerate(LAYERS):
        for name in names:
            matches = module == name or (name != "miglint" and module.startswith(f"{name}."))
            if matches and (best is None or len(name) > best[0]):
                best = (len(name), number)
    return best[1] if best is not None else None


def imports(module: str, path: Path) -> Iterator[str]:
    """The modules that a module imports, in functions and under TYPE_CHECKING too."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
                base = f"{parent}.{base}".rstrip(".")
            for alias in node.names:
                name = f"{base}.{alias.name}"
                yield name if name in MODULES else base


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_its_line_in_the_table_of_layers(module: str) -> None:
    assert layer(module) is not None, f"say in tests/test_laws.py which layer {module} belongs to"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_stands_below_it(module: str) -> None:
    own = layer(module) or 0
    above = [
        name
        for name in imports(module, MODULES[module])
        if name.split(".")[0] == "miglint" and (found := layer(name)) is not None and found > own
    ]
    assert above == []


@pytest.mark.parametrize("module", MODULES)
def test_a_package_is_imported_where_it_belongs_alone(module: str) -> None:
    strangers = [
        name
        for name in imports(module, MODULES[module])
        if (home := ONLY_IN.get(name.split(".")[0])) is not None
        and module != home
        and not module.startswith(f"{home}.")
    ]
    assert strangers == []


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("miglint.rules.")])
def test_a_rule_imports_the_api_alone(module: str) -> None:
    ours = {name for name in imports(module, MODULES[module]) if name.split(".")[0] == "miglint"}
    assert ours <= {"miglint.api"}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("miglint.rules.")])
def test_a_rule_does_no_input_or_output(module: str) -> None:
    forbidden = {"os", "pathlib", "subprocess", "io", "shutil", "tempfile", "socket", "sys"}
    assert {name.split(".")[0] for name in imports(module, MODULES[module])} & forbidden == set()


# -- names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_page_says_at_its_end_where_to_read_on(rule: Rule) -> None:
    page = PAGES[rule.module.rpartition(".")[2]].read_text(encoding="utf-8")
    assert re.search(r"\n\n## See\n\nhttps://\S+\n\Z", page)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_one_name_stands_in_four_places(rule: Rule) -> None:
    module = rule.module.rpartition(".")[2]
    assert rule.name == module.replace("_", "-"), "the function is called as its file is"
    assert module in PAGES, f"the page {module}.md is missing beside {module}.py"
    assert PAGES[module].parent.name == rule.category, "the page stands beside its rule"
    code, name, _ = page_examples.title(PAGES[module])
    assert (code, name) == (rule.code, rule.name), "the page's title names the rule"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_the_summary_of_a_page_is_the_docstring_of_its_rule(rule: Rule) -> None:
    assert page_examples.title(PAGES[rule.module.rpartition(".")[2]])[2] == rule.summary


@pytest.mark.parametrize("code", plugins.META)
def test_a_finding_about_the_analysis_has_a_page(code: str) -> None:
    name = plugins.META[code][0]
    page = PAGES[name.replace("-", "_")]
    assert page.parent.name == "meta"
    assert page_examples.title(page)[:2] == (code, name)


def test_every_page_belongs_to_a_rule() -> None:
    names = {rule.name for rule in RULES} | {name for name, _ in plugins.META.values()}
    assert {stem.replace("_", "-") for stem in PAGES} == names


def test_a_module_of_rules_holds_exactly_one() -> None:
    modules = [
        name for name, path in MODULES.items() if name.startswith("miglint.rules.") and path.name != "__init__.py"
    ]
    assert sorted(rule.module for rule in RULES) == sorted(modules)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_stands_in_the_package_of_its_hundred(rule: Rule) -> None:
    packages = ["graph", "loss", "locks", "rollout", "data", "history", "hygiene"]
    assert rule.category == packages[int(rule.code[2]) - 1]


def test_a_rule_supersedes_only_rules_with_another_code() -> None:
    assert [rule.code for rule in RULES if rule.code in rule.supersedes] == []


def test_every_module_says_in_a_docstring_what_it_knows() -> None:
    silent = [
        name
        for name, path in MODULES.items()
        if path.stat().st_size and ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


def test_what_is_unexpected_is_caught_in_two_places_only() -> None:
    broad = re.compile(r"^\s*except (Exception|BaseException)\b", re.M)
    places = [name for name, path in MODULES.items() if broad.search(path.read_text(encoding="utf-8"))]
    assert set(places) <= {"miglint.check", "miglint.cli"}
