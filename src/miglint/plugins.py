"""Where rules come from: miglint's own package and those of plug-ins, found by walking, never by registering."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from miglint.rule import Rule
from miglint.settings import SettingsError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "miglint.plugins"
# Findings that arise while reading and settling: they have pages, and no generator.
META = {
    "MG901": ("syntax-error", "error"),
    "MG902": ("partly-readable", "warning"),
    "MG903": ("unused-ignore", "warning"),
    "MG904": ("unknown-code-in-ignore", "error"),
    "MG905": ("stale-baseline-entry", "warning"),
    "MG906": ("ignore-without-reason", "warning"),
    "MG999": ("internal-error", "error"),
}

# What importing a module raises where it is broken or made for another version, not where miglint is.
_BROKEN = (
    ImportError,
    SyntaxError,
    NameError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeError,
    OSError,
)


class PluginError(SettingsError):
    """A plug-in that the settings name and that cannot be used; says which and why, in one sentence."""


def rules_of(package: ModuleType) -> list[Rule]:
    """The rules in all modules below a package, by code."""
    found: list[Rule] = []
    for entry in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", _raise):
        if not entry.ispkg:
            module = import_module(entry.name)
            found.extend(value for value in vars(module).values() if isinstance(value, Rule))
    return sorted(found, key=lambda rule: rule.code)


def _raise(_package: str) -> None:
    """Raises what importing a package raised: `walk_packages` calls this while it handles that, else drops it."""
    raise


@cache
def _own_rules() -> tuple[Rule, ...]:
    """Those of this package, which stays what it is."""
    import miglint.rules

    return tuple(rules_of(miglint.rules))


def load(names: Iterable[str] = ()) -> tuple[Rule, ...]:
    """miglint's rules and those of the named plug-ins. Raises PluginError."""
    found = list(_own_rules())
    installed = _installed() if names else {}
    for name in names:
        if name not in installed:
            known = f"installed: {', '.join(sorted(installed))}" if installed else "none is installed"
            raise PluginError(f"the plug-in {name!r} is not installed beside miglint ({known})")
        try:
            package = import_module(installed[name].value)
            found.extend(rules_of(import_module(f"{package.__name__}.rules")))
        except _BROKEN as error:
            raise PluginError(f"the plug-in {name!r} cannot be loaded: {type(error).__name__}: {error}") from error
    _check_unique(found)
    return tuple(found)


def _installed() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # 0.02 s that a run without plug-ins need not pay

    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _check_unique(rules: Iterable[Rule]) -> None:
    seen: dict[str, Rule] = {}
    for rule in rules:
        for word in (rule.code, rule.name):
            other = seen.setdefault(word, rule)
            if other is not rule:
                raise PluginError(f"{word} is the rule of both {other.module} and {rule.module}")


def page_of(rule: Rule) -> str:
    """The text of a rule's page, which stands beside its module."""
    module = import_module(rule.module)
    assert module.__file__ is not None
    return Path(module.__file__).with_suffix(".md").read_text(encoding="utf-8")


def meta_page(code: str) -> str:
    """The page of a finding about the analysis."""
    name = META[code][0].replace("-", "_")
    return (Path(__file__).parent / "rules" / "meta" / f"{name}.md").read_text(encoding="utf-8")
