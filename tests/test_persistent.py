"""Copies of a mapping that share what has not changed."""

from collections.abc import Mapping
from sys import getsizeof

from hypothesis import given
from hypothesis import strategies as st

from miglint.project.persistent import PersistentMap, extended, reduced

_KEYS = st.integers(0, 99).map(str)


@given(st.lists(st.tuples(_KEYS, st.none() | st.integers())))
def test_every_copy_is_what_a_dictionary_is_after_the_same_changes(changes: list[tuple[str, int | None]]) -> None:
    copies: list[tuple[PersistentMap[str, int], dict[str, int]]] = [(PersistentMap(), {})]
    for key, value in changes:
        mapping, model = copies[-1]
        if value is None:
            copies.append((mapping.without(key), {k: v for k, v in model.items() if k != key}))
        else:
            copies.append((mapping.put(key, value), {**model, key: value}))
    for mapping, model in copies:
        assert dict(mapping) == dict(mapping.items()) == model
        assert sorted(mapping.values()) == sorted(model.values())
        assert len(mapping) == len(model)
        assert all(mapping.get(key) == model.get(key) for key in map(str, range(100)))


@given(st.integers(0, 120), st.lists(st.tuples(_KEYS, st.none() | st.integers())))
def test_what_is_extended_and_reduced_keeps_the_order_of_a_dictionary(
    size: int, changes: list[tuple[str, int | None]]
) -> None:
    values: Mapping[str, int] = {f"first{number}": number for number in range(size)}
    copies = [(values, dict(values))]
    for key, value in changes:
        values, model = copies[-1]
        if value is None:
            copies.append((reduced(values, key), {k: v for k, v in model.items() if k != key}))
        else:
            copies.append((extended(values, key, value), {**model, key: value}))
    for values, model in copies:
        assert list(values.items()) == list(model.items())
        assert all((key in values) == (key in model) for key in map(str, range(100)))


def test_two_branches_of_what_is_extended_have_their_own_order() -> None:
    trunk: Mapping[str, int] = PersistentMap.of({f"first{number}": number for number in range(60)})
    one, other = extended(extended(trunk, "a", 1), "b", 2), extended(extended(trunk, "b", 3), "a", 4)
    assert list(one)[60:] == ["a", "b"]
    assert list(other)[60:] == ["b", "a"]
    assert len(trunk) == 60


def test_many_copies_take_no_more_than_what_changes() -> None:
    values: Mapping[str, int] = {}
    copies = [values := extended(values, f"field{number}", number) for number in range(1_000)]
    assert sum(map(size_of, copies)) < 2_000 * len(copies)


def size_of(values: Mapping[str, int]) -> int:
    """The bytes of a copy that no other has, of the last leaf and the root."""
    if isinstance(values, PersistentMap):
        return sum(map(getsizeof, (values, values._leaves, values._leaves[-1])))
    return getsizeof(values)


def test_branches_of_one_mapping_tell_what_they_do_not_share() -> None:
    trunk = PersistentMap[str, object]()
    for number in range(70):
        trunk = trunk.put(f"app{number}", object())
    one, other = trunk.put("app3", "one").put("new", "one"), trunk.put("app3", "other").without("app69")
    assert list(one.differing(trunk)) == [("app3", "one", trunk["app3"]), ("new", "one", None)]
    assert [key for key, _, _ in one.differing(other)] == ["app3", "app69", "new"]
    assert list(other.differing(one)) == [("app3", "other", "one")]
    assert list(trunk.differing(trunk.put("app3", trunk["app3"]))) == []


def test_mappings_that_have_nothing_in_common_are_compared_by_value() -> None:
    one, other = (
        PersistentMap[str, str]().put("a", "x").put("b", "y"),
        PersistentMap[str, str]().put("b", "y").put("a", "z"),
    )
    assert list(one.differing(other)) == [("a", "x", "z")]


@given(st.lists(_KEYS), st.dictionaries(_KEYS, st.integers(), min_size=1), st.data())
def test_many_values_of_another_copy_are_taken_at_once(
    there: list[str], values: dict[str, int], data: st.DataObject
) -> None:
    before = PersistentMap[str, int]()
    for key in there:
        before = before.put(key, -1)
    other = before
    for key, value in values.items():
        other = other.put(key, value)
    taken = data.draw(st.sets(st.sampled_from(sorted(values))))
    after = before.taking(taken, other)
    assert dict(after) == {**dict.fromkeys(there, -1), **{key: values[key] for key in taken}}
    assert len(after) == len(dict(after))
    assert dict(before) == dict.fromkeys(there, -1)
