"""What code may name on a historical model: its fields, and the relations of others that end in it.

Source: django.db.models.sql.query.Query.names_to_path, django.db.models.options.Options.fields_map and
django.db.models.fields.reverse_related.ForeignObjectRel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from miglint.project.columns import World, primary_key_of, target_key, text_of
from miglint.project.fields import RELATIONS, Field
from miglint.project.keys import ModelKey, model_key
from miglint.project.left_out import is_given
from miglint.project.state import FieldState, ModelState, ProjectState
from miglint.project.truth import Truth
from miglint.syntax.facts import Expr, Literal, Name

_MODEL_BASES = ("django.db.models.Model", "django.db.models.base.Model", "models.Model")
_MAX_BASES = 10
_SINGLE = ("ForeignKey", "OneToOneField")


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """What a name leads to. `target` is None where it is not known; `many` where it is a manager, not a row."""

    target: ModelKey | None
    many: bool


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a path that a model certainly does not have."""

    name: str
    model: ModelState
    field: str | None = None


class Incoming:
    """What one model adds to those it refers to: names in queries, and attributes of rows.

    `somewhere` are the names that relations add whose target cannot be read.
    """

    __slots__ = ("accessors", "model", "queries", "somewhere")

    def __init__(self, model: ModelState) -> None:
        self.model = model  # kept alive: its identity is the key of the memo
        self.queries: dict[ModelKey, dict[str, Relation]] = {}
        self.accessors: dict[ModelKey, dict[str, Relation]] = {}
        self.somewhere: set[str] = set()


Memo = dict[int, Incoming]
_NOTHING: dict[str, Relation] = {}


class Relations:
    """The names of one state's models.

    States share the models that did not change: `memo` keeps what those add to others.
    """

    def __init__(self, state: ProjectState, swappable: Mapping[str, str], memo: Memo | None = None) -> None:
        self._state = state
        self._world = World(state, swappable)
        self._memo: Memo = {} if memo is None else memo

    def model(self, key: ModelKey) -> ModelState | None:
        """The model's state, None where there is none or where its app could not be read in full."""
        return self._state.model(*key)

    # -- names of a row and of a query -----------------------------------------------------------------

    def attribute(self, model: ModelState, name: str) -> Relation | None:
        """What an attribute of a row leads to: a row or a manager of another model; None for all else."""
        state = self._field(model, name)
        if state is not None:
            return self._forward(state.field, model)
        for each in self.family(model):
            for incoming in self._incoming(each):
                found = incoming.accessors.get(each.key, _NOTHING).get(name)
                if found is not None:
                    return found
        return None

    def has_attribute(self, model: ModelState, name: str) -> Truth:
        """Whether a row has an attribute of that name because of a field or a relation."""
        if self._field(model, name) is not None or self._is_unwritten(model, name) or name in ("pk", "_state", "_meta"):
            return Truth.YES
        if self.attribute(model, name) is not None:
            return Truth.YES
        return Truth.UNKNOWN if self._may_hide(model, name) else Truth.NO

    def has_field(self, model: ModelState, name: str) -> Truth:
        """Whether Options.get_field finds a field; unknown of a relation of another model, which has no column here.

        Source: django.db.models.options.Options.get_field and Options._prepare
        """
        if self._field(model, name) is not None or self._is_unwritten(model, name):
            return Truth.YES
        return Truth.UNKNOWN if self._query_name(model, name) is not None or self._may_hide(model, name) else Truth.NO

    def is_reverse(self, model: ModelState, name: str) -> bool:
        """Whether a relation of another model has that name on this one, in a query or as an attribute of a row."""
        return self._field(model, name) is None and (
            self._query_name(model, name) is not None or self.attribute(model, name) is not None
        )

    def follow(self, model: ModelState, path: str) -> Missing | None:
        """The first name of a query's path (`customer__name__icontains`) that certainly does not exist.

        Transforms and lookups, which any package may register, are not judged.
        """
        names = path.split("__")
        current = model
        came_from: str | None = None
        for name in names:
            if name == "pk":
                return None
            state = self._field(current, name)
            if state is None and self._is_unwritten(current, name):
                return None
            relation = self._forward(state.field, current) if state is not None else self._query_name(current, name)
            if state is not None and relation is None:
                return None
            if relation is None:
                if came_from is not None and name in _LOOKUPS:
                    return None
                return None if self._may_hide(current, name) else Missing(name=name, model=current, field=came_from)
            target = self.model(relation.target) if relation.target is not None else None
            if target is None:
                return None
            current, came_from = target, name
        return None

    # -- fields ----------------------------------------------------------------------------------------

    def family(self, model: ModelState) -> Iterator[ModelState]:
        """The model and those it inherits from, as far as the state has them."""
        pending, seen = [model], set[ModelKey]()
        while pending and len(seen) < _MAX_BASES:
            each = pending.pop(0)
            if each.key in seen:
                continue
            seen.add(each.key)
            yield each
            for base in each.bases:
                parent = self._base(base, each)
                if parent is not None:
                    pending.append(parent)

    def _base(self, base: object, model: ModelState) -> ModelState | None:
        if isinstance(base, Literal) and base.kind == "str":
            app, _, name = base.text.rpartition(".")
            return self._state.model(app or model.app, name)
        return None

    def _field(self, model: ModelState, name: str) -> FieldState | None:
        for each in self.family(model):
            found = each.fields.get(name)
            if found is not None:
                return found
        return None

    def _is_unwritten(self, model: ModelState, name: str) -> bool:
        """Whether it is the column attribute of a relation (`customer_id`), or a field that Django adds by itself."""
        if name == "id":
            return any(primary_key_of(each) is None for each in self.family(model))
        if name == "_order":
            return any(is_given(each.options.get("order_with_respect_to")) for each in self.family(model))
        if not name.endswith("_id"):
            return False
        state = self._field(model, name[: -len("_id")])
        return state is not None and (state.field.kind is None or state.field.kind in _SINGLE)

    def _may_hide(self, model: ModelState, name: str) -> bool:
        """Whether something that cannot be read may bring the name."""
        if any(name in self._of(other).somewhere for other in self._world.naming_somewhere()):
            return True
        for each in self.family(model):
            if not each.complete or self._state.is_partial(each.app):
                return True
            if not all(self._is_plain_base(base, each) for base in each.bases):
                return True
            # A field class of a package may add attributes and columns named after it: `price_currency`.
            for state in each.fields.values():
                if state.field.kind is None and (name.startswith(state.name) or state.name.startswith(name)):
                    return True
        return False

    def _is_plain_base(self, base: object, model: ModelState) -> bool:
        if isinstance(base, Name):
            return base.name in _MODEL_BASES
        return self._base(base, model) is not None

    def _forward(self, field: Field, model: ModelState) -> Relation | None:
        if field.kind is None:
            # Whatever a class of a package is, it may lead anywhere.
            return Relation(target=None, many=False)
        if not field.is_relation.certain:
            return None
        return Relation(
            target=target_key(field, model.app, model.name, self._world), many=field.kind == "ManyToManyField"
        )

    # -- relations of others ---------------------------------------------------------------------------

    def _query_name(self, model: ModelState, name: str) -> Relation | None:
        for each in self.family(model):
            for incoming in self._incoming(each):
                found = incoming.queries.get(each.key, _NOTHING).get(name)
                if found is not None:
                    return found
        return None

    def _incoming(self, model: ModelState) -> Iterator[Incoming]:
        """What each model adds that names a model."""
        return map(self._of, self._world.naming(model.key))

    def _of(self, model: ModelState) -> Incoming:
        """What a model adds to others."""
        found = self._memo.get(id(model))
        if found is None:
            found = self._memo[id(model)] = Incoming(model)
            for state in model.naming_others:
                kind = state.field.kind
                if kind in RELATIONS or (kind is None and state.field.to is not None):
                    self._add_reverse(model, state.field, found)
            for base in model.bases:
                text = text_of(base)
                if text is not None:
                    app, _, name = text.rpartition(".")
                    parent = model_key(app or model.app, name)
                    one = Relation(target=model.key, many=False)
                    found.queries.setdefault(parent, {})[model.name.lower()] = one
                    found.accessors.setdefault(parent, {})[model.name.lower()] = one
        return found

    def _add_reverse(self, model: ModelState, field: Field, found: Incoming) -> None:
        # Django falls back on the model's option where a field says nothing, None or "".
        own, shared = field.arguments.get("related_name"), model.options.get("default_related_name")
        given = next((each for each in (own, shared) if not (each is None or _is_empty(each))), None)
        related, query = _text(given, model), _text(field.arguments.get("related_query_name"), model)
        is_one = field.kind == "OneToOneField"
        default = model.name.lower()
        target = target_key(field, model.app, model.name, self._world)
        name = query or related or default
        accessor = related or (default if is_one else f"{default}_set")
        if target is None or (related is None and given is not None):
            found.somewhere.update((name, accessor))
            return
        relation = Relation(target=model.key, many=not is_one)
        found.queries.setdefault(target, {})[name] = relation
        if not accessor.endswith("+"):
            found.accessors.setdefault(target, {})[accessor] = relation


# What may follow a relation in a path without being a field. Source: django.db.models.fields.related_lookups,
# and the lookups that every foreign object has.
_LOOKUPS = frozenset({"exact", "in", "gt", "gte", "lt", "lte", "isnull"})


def _is_empty(value: Expr) -> bool:
    return isinstance(value, Literal) and not value.value


def _text(value: Expr | None, model: ModelState) -> str | None:
    """A name in its final form. Source: RelatedField.contribute_to_class"""
    if not isinstance(value, Literal) or value.kind != "str":
        return None
    text = value.text
    for pattern, actual in (("%(class)s", model.name.lower()), ("%(model_name)s", model.name.lower()),
                            ("%(app_label)s", model.app.lower())):  # fmt: skip
        text = text.replace(pattern, actual)
    return text
