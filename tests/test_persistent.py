"""Copies of a mapping that share what has not changed."""

from hypothesis import given
from hypothesis import strategies as st

from miglint.project.persistent import PersistentMap

_KEYS = st.integers(0, 99).map(str)


@given(st.lists(st.tuples(_KEYS, st.none() | st.integers())))
def test_every_copy_is_what_a_dictionary_is_after_the_same_changes(changes: list[tuple[str, int | None]]) -> None:
    copies: list[tuple[PersistentMap[int], dict[str, int]]] = [(PersistentMap(), {})]
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


def test_branches_of_one_mapping_tell_what_they_do_not_share() -> None:
    trunk = PersistentMap[object]()
    for number in range(70):
        trunk = trunk.put(f"app{number}", object())
    one, other = trunk.put("app3", "one").put("new", "one"), trunk.put("app3", "other").without("app69")
    assert list(one.differing(trunk)) == [("app3", "one", trunk["app3"]), ("new", "one", None)]
    assert [key for key, _, _ in one.differing(other)] == ["app3", "app69", "new"]
    assert list(other.differing(one)) == [("app3", "other", "one")]
    assert list(trunk.differing(trunk.put("app3", trunk["app3"]))) == []


def test_mappings_that_have_nothing_in_common_are_compared_by_value() -> None:
    one, other = PersistentMap[str]().put("a", "x").put("b", "y"), PersistentMap[str]().put("b", "y").put("a", "z")
    assert list(one.differing(other)) == [("a", "x", "z")]


@given(st.lists(_KEYS), st.dictionaries(_KEYS, st.integers(), min_size=1), st.data())
def test_many_values_of_another_copy_are_taken_at_once(
    there: list[str], values: dict[str, int], data: st.DataObject
) -> None:
    before = PersistentMap[int]()
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
