"""A model of another app that nothing brings."""

from __future__ import annotations

from collections.abc import Iterator

from miglint.api import (
    CONTRIB,
    CONTRIB_MODELS,
    CONTRIB_PARENTS,
    AddField,
    AlterField,
    Confidence,
    CreateModel,
    Diagnostic,
    Migration,
    MigrationKey,
    ModelState,
    Need,
    Operation,
    OperationContext,
    Related,
    RenameModel,
    RunPython,
    Severity,
    Span,
    Step,
    code_needs,
    field_needs,
    needs_of,
    rule,
)

Context = OperationContext[Operation]

_URL = "https://docs.djangoproject.com/en/stable/topics/migrations/#dependencies"
_USER = "AUTH_USER_MODEL"
# Apps of Django's that do not depend on the user model.
_WITHOUT_USERS = {"auth", "contenttypes", "flatpages", "redirects", "sessions", "sites"}
_VERBS = {"to": "points to", "through": "goes through", "bases": "inherits", "code": "gets"}


@rule("MG108", on=(CreateModel, AddField, AlterField, RunPython), severity=Severity.ERROR)
def missing_cross_app_dependency(context: Context) -> Iterator[Diagnostic]:
    """An operation needs a model of another app, and no dependency makes sure that it is there."""
    seen = set()
    for need in (
        *needs_of(context.operation, context.migration, context.project.swappable),
        *code_needs(context.usage),
    ):
        if need.key in seen or not _is_needed(context, need):
            continue
        seen.add(need.key)
        if context.before.holds(need.key):
            yield from _of_taken(context, need)
        elif need.key.app in context.graph.apps:
            yield from _of_project(context, need)
        else:
            yield from _of_django(context, need)


# -- whether it is missing ----------------------------------------------------------------------------


def _is_needed(context: Context, need: Need) -> bool:
    """Whether Django would fail here without the model of another app."""
    state = context.before
    if need.key.app == context.migration.app or state.is_partial(need.key.app):
        return False
    if context.step.conditional:
        return False
    if need.by == "code":
        return context.touches_database
    if need.by == "bases":
        return True
    model = context.model
    # Columns are made for the tables that Django migrates; an earlier operation that needs it is where it is said.
    return (
        context.touches_database
        and model is not None
        and model.managed.certain
        and model.proxy.refuted
        and not any(_refers(other, need, context) for other in state.in_app(context.migration.app).values())
    )


def _refers(model: ModelState, need: Need, context: Context) -> bool:
    swappable = context.project.swappable
    return any(
        found.key == need.key
        for name, state in model.fields.items()
        if state.field.to is not None
        for found in field_needs(name, state.field, model.app, swappable)
    )


def _before(context: Context) -> Iterator[Migration]:
    """The migration and its ancestors."""
    yield context.migration
    for key in context.graph.ancestors(context.migration.key):
        yield context.graph.migrations[key]


def _is_read(context: Context) -> bool:
    """Whether all edges upwards are known: what could not be read, or leads nowhere, may bring anything."""
    unread = (part.what for each in _before(context) for part in each.unreadable)
    return context.graph.is_complete(context.migration.key) and "swappable_dependency" not in unread


def _unread_apps(context: Context) -> set[str]:
    """The labels of apps outside the project that the migration or an ancestor depends on."""
    apps = context.graph.apps
    given = {edge.key.app for each in _before(context) for edge in each.dependencies if edge.key is not None}
    named = {
        context.project.swappable[edge.setting].partition(".")[0]
        for each in _before(context)
        for edge in each.dependencies
        if edge.setting is not None and edge.setting in context.project.swappable
    }
    return (given | named) - set(apps)


def _unknown_settings(context: Context) -> set[str]:
    """The settings of swappable dependencies upwards whose value was not read."""
    settings = {edge.setting for each in _before(context) for edge in each.dependencies if edge.setting is not None}
    return settings - set(context.project.swappable)


# -- apps of the project ------------------------------------------------------------------------------


def _of_project(context: Context, need: Need) -> Iterator[Diagnostic]:
    graph = context.graph
    makers = [key for key in context.project.history.makers.get(need.key, ()) if key in graph.nodes]
    if not makers or any(graph.is_ancestor(key, of=context.migration.key) for key in makers):
        return
    if not _is_read(context) or _may_come_by_setting(context, need, makers):
        return
    maker = makers[0]
    made = context.project.history.state_after(maker).model(*need.key)
    name = f"{need.key.app}.{made.name if made is not None else need.name}"
    migration = graph.migrations[maker]
    span, related = _place(context, need)
    yield context.diagnostic(
        span,
        _message(context, need, name, maker),
        help=_help(context, need, maker),
        url=_URL,
        related=(*related, context.related(maker, migration.class_span, f"makes {name}")),
        confidence=_confidence(context, need),
        field=need.field or None,
        detail=str(need.key),
    )


def _place(context: Context, need: Need) -> tuple[Span | None, tuple[Related, ...]]:
    return context.place(need.use, f"{need.written} is asked for here") if need.use is not None else (need.span, ())


def _message(context: Context, need: Need, name: str, maker: MigrationKey) -> str:
    needs = f"{_subject(context, need)} {_VERBS[need.by]} {name}"
    return f"{needs}, and no dependency brings {maker}, which makes it: Django raises {_error(context, need)}"


def _subject(context: Context, need: Need) -> str:
    if need.by == "code":
        return need.code if need.code == "<lambda>" else f"{need.code}()"
    return f"{context.model_name}.{need.field}" if need.field else context.model_name


def _may_come_by_setting(context: Context, need: Need, makers: list[MigrationKey]) -> bool:
    """Whether a swappable dependency, known or not, its own or one of a package, may bring the model."""
    graph, unknown = context.graph, _unknown_settings(context)
    declared = {edge.setting for each in _before(context) for edge in each.dependencies}
    if (need.setting and need.setting in declared) or unknown - {_USER}:
        return True
    # Packages depend on the user model (admin does), and so on the first migration of its app.
    if not unknown and _unread_apps(context) <= _WITHOUT_USERS:
        return False
    firsts = {first for app in _user_apps(context) for first in graph.roots(app)}
    return any(maker == first or graph.is_ancestor(maker, of=first) for first in firsts for maker in makers)


def _user_apps(context: Context) -> Iterator[str]:
    """The app of the user model; where that is not known, those with a model that has what AbstractBaseUser brings."""
    user = context.project.swappable.get(_USER)
    if user is not None:
        yield user.partition(".")[0]
        return
    final = context.project.history.final
    for app in context.graph.apps:
        if any({"password", "last_login"} <= set(model.fields) for model in final.in_app(app).values()):
            yield app


def _confidence(context: Context, need: Need) -> Confidence:
    known = set(CONTRIB)
    return Confidence.HIGH if need.sure and not _unread_apps(context) - known else Confidence.MEDIUM


def _help(context: Context, need: Need, maker: MigrationKey) -> str:
    graph, key = context.graph, context.migration.key
    if graph.is_ancestor(key, of=maker):
        return (
            f"{maker} itself comes after this migration, so every new database fails. Move this operation into a "
            "migration of its own, and let that depend on both."
        )
    order = graph.plan()
    when = (
        f"Every new database fails: there this migration runs before {maker}."
        if order.index(maker) > order.index(key)
        else f"Today {maker} happens to come first, by the order in which Django goes through the apps. "
        f"`migrate {key.app}` on a new database fails."
    )
    return f'{when}\nAdd to `dependencies`:\n    ("{maker.app}", "{maker.name}"),'


def _error(context: Context, need: Need) -> str:
    """What Django says. Source: runs of Django 5.2 on an empty database."""
    if need.by == "bases":
        return f"InvalidBasesError: Cannot resolve bases for [<ModelState: '{context.model_name}'>]"
    if need.by == "through":
        return "AttributeError: 'str' object has no attribute '_meta'"
    if need.by == "to":
        return f"ValueError: Related model '{need.written.lower()}' cannot be resolved"
    if context.before.in_app(need.key.app):
        return f"LookupError: App '{need.key.app}' doesn't have a '{need.name}' model."
    return f"LookupError: No installed app with label '{need.key.app}'."


# -- what is taken away first ----------------------------------------------------------------------------


def _of_taken(context: Context, need: Need) -> Iterator[Diagnostic]:
    """The ancestors bring the model, but on a new database what deletes or renames it runs before this migration."""
    taker = _taker(context, need)
    if taker is None or need.setting or context.graph.problems or not _is_read(context):
        return
    model = context.before.model(*need.key)
    name = f"{need.key.app}.{model.name if model is not None else need.name}"
    renamed = taker.operation.new_name if isinstance(taker.operation, RenameModel) else None
    deed = "deletes it" if renamed is None else f"calls it {renamed}"
    after = _when_it_can_go(context, need, taker)
    span, related = _place(context, need)
    yield context.diagnostic(
        span,
        f"{_subject(context, need)} {_VERBS[need.by]} {name}, and on a new database {taker.migration.key}, which "
        f"{deed}, runs first: Django raises {_error(context, need)}",
        help="Every new database fails: nothing says that this migration comes before.\n"
        f'Add to `dependencies` of {taker.migration.key}:\n    ("{after.app}", "{after.name}"),',
        url=_URL,
        related=(*related, context.related(taker.migration, taker.operation.span, deed)),
        confidence=_confidence(context, need),
        field=need.field or None,
        detail=str(need.key),
    )


def _taker(context: Context, need: Need) -> Step | None:
    """The last step that takes the model away before this migration without being an ancestor of it."""
    graph, key, history = context.graph, context.migration.key, context.project.history
    steps = [
        step
        for step in history.takers.get(need.key, ())
        if history.is_before(step, context.step)
        and not (step.conditional or graph.is_ancestor(step.migration.key, of=key))
    ]
    if not steps or steps[-1].migration.key == key or not graph.is_complete(steps[-1].migration.key):
        return None
    order = graph.plan()
    since = order.index(steps[-1].migration.key)
    again = (maker for maker in history.makers.get(need.key, ()) if maker in graph.nodes)
    return None if any(since <= order.index(maker) <= order.index(key) for maker in again) else steps[-1]


def _when_it_can_go(context: Context, need: Need, taker: Step) -> MigrationKey:
    """The first migration from this one on after which nothing of the app names a model that is deleted."""
    graph, key, history = context.graph, context.migration.key, context.project.history
    if isinstance(taker.operation, RenameModel):
        return key
    for other in graph.plan():
        if other.app != key.app or not (other == key or graph.is_ancestor(key, of=other)):
            continue
        models = history.state_after(other).in_app(key.app).values()
        if not any(_refers(model, need, context) for model in models):
            return key if graph.is_ancestor(taker.migration.key, of=other) else other
    return key


# -- Django's own apps --------------------------------------------------------------------------------


def _of_django(context: Context, need: Need) -> Iterator[Diagnostic]:
    """The models of an app of Django's that INSTALLED_APPS holds, which only its own migrations can bring."""
    app, installed = need.key.app, context.project.installed_apps or ()
    if need.key.name not in CONTRIB_MODELS.get(app, ()) or f"django.contrib.{app}" not in _entries(installed):
        return
    swapped = context.project.swappable.get(_USER, "auth.User").lower() != "auth.user"
    if (str(need.key) == "auth.user" and swapped) or need.setting or not _is_read(context):
        return
    if _unknown_settings(context) or not _unread_apps(context) <= set(CONTRIB):
        return
    if app in _with_parents(_unread_apps(context)):
        return
    first = MigrationKey(app, next(iter(CONTRIB[app])))
    span, related = _place(context, need)
    yield context.diagnostic(
        span,
        _message(context, need, f"{app}.{need.name}", first),
        help=f"On a new database `migrate {context.migration.app}` fails, and `migrate` where Django goes through this "
        f'app first.\nAdd to `dependencies`:\n    ("{app}", "{first.name}"),',
        url=_URL,
        related=related,
        confidence=Confidence.HIGH if need.sure else Confidence.MEDIUM,
        field=need.field or None,
        detail=str(need.key),
    )


def _entries(installed: tuple[str, ...]) -> set[str]:
    """The packages of INSTALLED_APPS; an entry may name the AppConfig: `django.contrib.auth.apps.AuthConfig`."""
    return {entry.partition(".apps.")[0] for entry in installed}


def _with_parents(apps: set[str]) -> set[str]:
    found = set(apps)
    for app in apps:
        found |= CONTRIB_PARENTS.get(app, frozenset())
    # The admin's log belongs to a user.
    return found | {"auth", "contenttypes"} if "admin" in apps else found
