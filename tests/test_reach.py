"""What is known of apps, and where another point knows more."""

from hypothesis import given
from hypothesis import strategies as st

from miglint.project.reach import Reach

_APPS = 4
# The writes of each app that are known, as bits.
_KNOWN = st.lists(st.integers(0, 31), min_size=_APPS, max_size=_APPS)


def _reach(known: list[int]) -> Reach:
    return Reach.nothing(_APPS).knowing(dict(enumerate(known)))


@given(_KNOWN, _KNOWN)
def test_an_app_that_is_not_named_has_nothing_new(mine: list[int], theirs: list[int]) -> None:
    newer, doubtful = _reach(mine).ahead(_reach(theirs))
    assert not {*newer} & {*doubtful}
    for app, (here, there) in enumerate(zip(mine, theirs, strict=True)):
        if app not in (*newer, *doubtful):
            assert not there & ~here
        if app in newer:
            assert there & ~here
            assert not here & ~there


@given(_KNOWN, _KNOWN)
def test_what_is_taken_over_is_what_the_other_knows(mine: list[int], theirs: list[int]) -> None:
    newer, _ = _reach(mine).ahead(_reach(theirs))
    known = [there if app in newer else here for app, (here, there) in enumerate(zip(mine, theirs, strict=True))]
    assert _reach(mine).with_those_of(_reach(theirs), newer) == _reach(known)


def test_a_history_without_branches_leaves_nothing_in_doubt() -> None:
    assert _reach([1, 3, 0, 7]).ahead(_reach([3, 1, 1, 7])) == ([0, 2], [])
    assert _reach([0b101, 1, 0, 0]).ahead(_reach([0b011, 1, 1, 0])) == ([2], [0])
