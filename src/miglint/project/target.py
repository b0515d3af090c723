"""What a user means by `billing` or `billing.0003`: names of apps and migrations, whole or begun."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from miglint.project.graph import Graph
from miglint.project.keys import MigrationKey

_LISTED = 4


class UnknownTarget(Exception):
    """A name that means nothing, or several things; one sentence for the user."""


def find_app(label: str, apps: Iterable[str]) -> str:
    """The app of a label. Raises UnknownTarget."""
    known = sorted(set(apps))
    if label in known:
        return label
    raise UnknownTarget(f"there is no app {label!r} with migrations here{_hint(label, known)}")


def find_migration(text: str, graph: Graph) -> MigrationKey:
    """The migration that `app.name` means; a beginning of the name that only one has will do.

    Source: django.db.migrations.loader.MigrationLoader.get_migration_by_prefix. Raises UnknownTarget.
    """
    label, dot, name = text.partition(".")
    if not dot or not name:
        raise UnknownTarget(f"{text!r} names no migration: write app.name, such as billing.0003")
    app = find_app(label, graph.apps)
    names = sorted(key.name for key in graph.migrations if key.app == app)
    if name in names:
        return MigrationKey(app, name)
    found = [each for each in names if each.startswith(name)]
    if len(found) == 1:
        return MigrationKey(app, found[0])
    if found:
        raise UnknownTarget(f"{text!r} may be {_listed([f'{app}.{each}' for each in found])}: write more of it")
    raise UnknownTarget(f"the app {app!r} has no migration {name!r}{_hint(name, names, prefix=f'{app}.')}")


def find_node(text: str, graph: Graph) -> MigrationKey:
    """As `find_migration`, for a migration that Django would apply: none that a squash replaces."""
    key = find_migration(text, graph)
    squash = graph.replaced_by(key)
    if squash is not None:
        raise UnknownTarget(f"{key} is replaced by {squash}: Django applies that in its place")
    return key


def _hint(wrong: str, known: list[str], *, prefix: str = "") -> str:
    near = difflib.get_close_matches(wrong, known, n=1) or [each for each in known if each.lower() == wrong.lower()]
    if near:
        return f"; did you mean {prefix}{near[0]}?"
    return f"; there is {_listed([prefix + each for each in known])}" if known else ""


def _listed(words: list[str]) -> str:
    """`a, b or c`, and how many more there are."""
    shown = words[:_LISTED] if len(words) > _LISTED + 1 else words
    if len(shown) < len(words):
        return f"{', '.join(shown)} or one of {len(words) - len(shown)} more"
    return " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
