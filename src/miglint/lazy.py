"""A property that is computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

import msgspec

T = TypeVar("T")


class lazy(Generic[T]):
    """As `functools.cached_property`, without its lock, which up to Python 3.11 takes longer than most computing."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name
        # What is set has its place in the object; what is put into its dictionary needs a dictionary. A frozen struct
        # has nothing set.
        self._sets = not issubclass(owner, msgspec.Struct)

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        value = self._compute(instance)
        if self._sets:
            setattr(instance, self._name, value)
        else:
            instance.__dict__[self._name] = value
        return value


class shared(lazy[T]):
    """A property that is computed once for all objects with the same `_known`, a dictionary."""

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: Any, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        known: dict[str, T] = instance._known
        if self._name not in known:
            known[self._name] = self._compute(instance)
        return known[self._name]
