from __future__ import annotations

from openpy.script.flowstate import MOST_BOUND, NOWHERE, State, Summary, join, through
from openpy.script.syntax import Call

ONE, OTHER = Call("reply", ()), Call("reply", ())
"""Equal, and not the same."""


def test_where_ways_join_only_what_is_on_both_is_sure() -> None:
    left = State(True, 1, 2, sure=ONE, tried=ONE, bound=(ONE,))
    right = State(True, 4, 0, tried=OTHER, bound=(OTHER,))
    joined = join(left, right)
    assert joined == State(True, 5, 2, sure=None, tried=ONE, bound=(ONE, OTHER))
    assert join(left, NOWHERE) is join(NOWHERE, left) is left
    assert join(NOWHERE, NOWHERE) is NOWHERE


def test_what_is_remembered_is_bounded() -> None:
    many = State(True, bound=(ONE,) * MOST_BOUND)
    assert len(join(many, many).bound) == MOST_BOUND


def test_replies_are_told_apart_by_their_place() -> None:
    state = State(True, bound=(ONE, OTHER))
    (left,) = state.without((ONE,)).bound
    assert left is OTHER
    assert state.without(()) is state


def test_answered_and_narrowed() -> None:
    state = State(True, 0b011, 0b100)
    assert state.done() == State(True, 0, 0b111)
    assert state.only(0b110) == State(True, 0b010, 0b100)


def test_through_a_route_that_answers_one_method() -> None:
    """It answers method 1, leaves 2 as it is, and ends with 4; of the caller's, 1 and 2 wait, 2 and 4 are answered."""
    out = State(True, 0b010, 0b001, sure=None, tried=None, bound=(OTHER,))
    caller = State(True, 0b011, 0b110, sure=ONE, bound=(ONE,))
    found = through(out, caller, Summary(ends=True))
    assert (found.waiting, found.answered, found.sure) == (0b010, 0b011, ONE)
    assert found.bound[0] is OTHER
    assert len(through(out, caller, Summary(ends=False)).bound) == 2
    assert through(NOWHERE, caller, Summary()) is NOWHERE
