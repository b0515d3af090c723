"""Which modules of the project a file imports, seen in its bytes: a guess, made before anything is parsed.

A wrong guess costs a file that is read for nothing, a missing one a file that is read later: nothing depends on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+([\w \t,]*)|import[ \t]+([\w.]+))", re.M)
# Django's own, and what every migration imports: never a module of the project.
_ELSEWHERE = ("django", "datetime", "uuid", "functools", "json", "os", "re", "decimal")
_RUNS_CODE = b"RunPython"


def imported_modules(data: bytes) -> Iterator[str]:
    """The dotted names that may be modules; those of models only where code may use them."""
    runs_code = _RUNS_CODE in data
    for found in _IMPORT.finditer(data):
        module = (found[1] or found[3] or b"").decode("ascii", "replace")
        if module.split(".")[0] in _ELSEWHERE or (not runs_code and module.endswith("models")):
            continue
        yield module
        for name in (found[2] or b"").decode("ascii", "replace").split(","):
            words = name.split()
            if words and not words[0][:1].isupper():
                yield module + ("" if module.endswith(".") else ".") + words[0]
