"""Which rules are on: the longest selector that matches a rule decides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from miglint.diagnostic import Severity


def matches(selector: str, code: str, name: str) -> bool:
    """Whether a selector (ALL, a prefix such as MG3, a code, a name) means a rule."""
    return selector == "ALL" or selector == name or (selector[:1].isupper() and code.startswith(selector))


def _weight(selector: str, name: str) -> int:
    """How closely a selector matches: a name is as close as a whole code."""
    if selector == "ALL":
        return 0
    return 99 if selector == name else len(selector)


@lru_cache(maxsize=1_000)  # every finding asks, and there are far fewer rules
def _closest(selectors: tuple[str, ...], code: str, name: str) -> int:
    return max((_weight(s, name) if s != code else 99 for s in selectors if matches(s, code, name)), default=-1)


class Selection(msgspec.Struct, frozen=True):
    """What the user selected. `select` empty means ALL; at equal length `ignore` wins."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    severity: Mapping[str, str] = {}

    def is_on(self, code: str, name: str) -> bool:
        chosen = (*(self.select or ("ALL",)), *self.extend_select)
        return _closest(chosen, code, name) > _closest(self.ignore, code, name)

    def severity_of(self, code: str, name: str, default: Severity) -> Severity:
        """The severity that the setting whose selector matches the rule most closely gives it."""
        fitting = [selector for selector in self.severity if matches(selector, code, name)]
        if not fitting:
            return default
        closest = max(fitting, key=lambda selector: _closest((selector,), code, name))
        return Severity[self.severity[closest].upper()]

    def reports(self, code: str, name: str, severity: Severity) -> bool:
        """Whether a finding of this severity is shown: info only where its rule is asked for."""
        if severity > Severity.INFO:
            return True
        return _closest((*self.select, *self.extend_select), code, name) >= 0
