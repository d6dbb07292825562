from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.auth.counts import WINDOW, NonceCounts

END = 1000


def counts(capacity: int = 10, earliest: int = 0) -> NonceCounts:
    return NonceCounts(capacity, earliest)


def take(given: NonceCounts, count: int, *, sign: int = 0, number: str = "n", end: int = END) -> bool:
    return given.take(end, number, count, sign or count + 100, 900.0)


def test_each_count_counts_once() -> None:
    given = counts()
    assert [take(given, number, sign=number * 10) for number in (1, 2, 3)] == [True] * 3
    assert [take(given, number) for number in (1, 2, 3)] == [False] * 3
    assert take(given, 4)


def test_a_retransmission_is_no_replay() -> None:
    given = counts()
    assert take(given, 1, sign=5)
    assert take(given, 1, sign=5)
    assert not take(given, 1, sign=6)
    assert take(given, 2, sign=7)
    assert not take(given, 1, sign=5)  # it comes too late to be one


def test_requests_may_overtake_each_other() -> None:
    given = counts()
    assert take(given, 5)
    assert [take(given, number) for number in (3, 4, 2, 1)] == [True] * 4
    assert not any(take(given, number, sign=9) for number in (1, 2, 3, 4, 5))


@pytest.mark.parametrize(("behind", "taken"), [(WINDOW - 1, True), (WINDOW, False), (WINDOW + 1, False)])
def test_but_not_by_more_than_the_window(behind: int, taken: bool) -> None:
    given = counts()
    assert take(given, 1000)
    assert take(given, 1000 - behind) is taken


def test_a_jump_forgets_what_is_far_behind() -> None:
    given = counts()
    assert take(given, 1)
    assert take(given, 0xFFFFFFFF)
    assert not take(given, 1)
    assert not take(given, 2)
    assert take(given, 0xFFFFFFFE)


def test_nonces_are_apart() -> None:
    given = counts()
    assert take(given, 1, number="a")
    assert take(given, 1, number="b")
    assert take(given, 1, number="a", end=END + 1)
    assert len(given) == 3


def test_a_nonce_that_is_not_counted_is_good_for_one_request() -> None:
    given = counts()
    assert take(given, 0, sign=1)
    assert not take(given, 0, sign=2)


def test_nonces_from_before_the_start_are_refused() -> None:
    assert not take(counts(earliest=END + 1), 1)
    assert take(counts(earliest=END), 1)


def test_memory_is_bounded_and_what_is_forgotten_is_refused() -> None:
    given = counts(capacity=4)
    for number in range(20):
        assert take(given, 1, number=f"{number}", end=END + number)
        assert len(given) <= 4
    assert not take(given, 2, number="3", end=END + 3)
    assert not take(given, 1, number="new", end=END + 3)
    assert take(given, 2, number="19", end=END + 19)


def test_a_crowd_with_one_end_is_bounded_too() -> None:
    given = counts(capacity=4)
    taken = [take(given, 1, number=f"{number}") for number in range(20)]
    assert taken == [True] * 4 + [False] * 16
    assert take(given, 1, number="later", end=END + 1)


def test_what_has_ended_makes_room_first() -> None:
    given = counts(capacity=2)
    assert given.take(100, "a", 1, 1, 50.0)
    assert given.take(900, "b", 1, 1, 50.0)
    assert given.take(950, "c", 1, 1, 200.0)
    assert not given.take(900, "b", 1, 2, 200.0)  # it is still known
    assert given.earliest == 101


@given(st.lists(st.integers(0, 200), max_size=60))
def test_no_count_is_ever_taken_twice(numbers: list[int]) -> None:
    given = counts()
    taken = [number for at, number in enumerate(numbers) if take(given, number, sign=at + 1)]
    assert len(taken) == len(set(taken))
