from __future__ import annotations

import ipaddress
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openpy.modules.pike.tree import Limits, SourceTree, Verdict


def packed(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def tree(*, requests: int = 30, patience: float = 120.0, most: int = 65_536) -> SourceTree:
    return SourceTree(Limits(2.0, requests, patience, most))


def allowed(made: SourceTree, address: str, requests: int, now: float = 0.0) -> int:
    """How many requests at one time are allowed."""
    return sum(made.count(packed(address), now) is Verdict.ALLOWED for _ in range(requests))


@pytest.mark.parametrize(("address", "most"), [("192.0.2.1", 3), ("2001:db8::1", 8)])
def test_a_flood_is_stopped_between_the_limit_and_a_multiple_of_it(address: str, most: int) -> None:
    made = tree()
    passed = allowed(made, address, 1000)
    assert 30 <= passed <= most * 30
    assert list(made.blocked(0.0)) == [packed(address)]


def test_who_keeps_below_the_limit_is_never_stopped() -> None:
    made = tree()
    for period in range(100):
        assert allowed(made, "192.0.2.1", 29, period * 2.0) == 29


def test_one_who_was_found_is_stopped_at_the_limit_and_let_in_a_period_after_his_last_flood() -> None:
    made = tree()
    allowed(made, "192.0.2.1", 200, 0.0)
    assert allowed(made, "192.0.2.1", 1, 2.0) == 0  # the last period says so
    assert list(made.blocked(3.9)) == [packed("192.0.2.1")]
    assert list(made.blocked(4.0)) == []
    assert allowed(made, "192.0.2.1", 100, 4.0) == 29


def test_requests_count_while_one_is_blocked() -> None:
    made = tree()
    for period in range(1, 10):
        allowed(made, "192.0.2.1", 200, period * 2.0)
        assert allowed(made, "192.0.2.1", 1, period * 2.0 + 1.9) == 0


def test_neighbours_are_not_stopped() -> None:
    made = tree()
    allowed(made, "192.0.2.1", 1000)
    for last in range(2, 40):
        assert allowed(made, f"192.0.2.{last}", 5) == 5


def test_the_first_verdict_of_a_block_is_another() -> None:
    made = tree()
    verdicts = Counter(made.count(packed("192.0.2.1"), 0.0) for _ in range(100))
    assert verdicts[Verdict.BLOCKED_NOW] == 1
    assert made.count(packed("192.0.2.1"), 100.0) is Verdict.ALLOWED
    verdicts = Counter(made.count(packed("192.0.2.1"), 100.0) for _ in range(100))
    assert verdicts[Verdict.BLOCKED_NOW] == 1


def test_addresses_of_both_families_do_not_meet() -> None:
    made = tree()
    allowed(made, "10.0.0.1", 1000)
    assert allowed(made, "a00:1::", 20) == 20


def test_what_is_quiet_is_forgotten_in_slices() -> None:
    made = tree()
    allowed(made, "192.0.2.1", 100, 0.0)
    allowed(made, "10.0.0.1", 1, 60.0)
    assert len(made) == 5
    made.forget(119.0, 100)
    assert len(made) == 5
    made.forget(120.0, 3)
    assert len(made) == 2
    made.forget(120.0, 100)
    assert len(made) == 1
    made.forget(1000.0, 100)
    assert len(made) == 0


@pytest.mark.parametrize("size", [4, 16])
def test_made_up_sources_cannot_make_it_grow_nor_hide_a_flood(size: int) -> None:
    chance, made, now = random.Random(size), tree(most=500), 0.0
    flooder = b"\x0a" * size
    blocked = 0
    for _ in range(40_000):
        now += 0.001
        near = b"\x0a" * chance.randrange(size)
        made.count(near + chance.randbytes(size - len(near)), now)
        assert len(made) <= 500
        blocked += made.count(flooder, now) is not Verdict.ALLOWED
    assert blocked > 38_000


def requests() -> st.SearchStrategy[list[tuple[int, float]]]:
    return st.lists(st.tuples(st.integers(0, 5), st.floats(0, 3)), max_size=300)


@given(requests())
def test_a_parent_is_never_forgotten_before_what_is_below_it(events: list[tuple[int, float]]) -> None:
    made, now = tree(requests=2, most=6, patience=2.0), 0.0
    for last, pause in events:
        now += pause
        made.count(bytes((10, last % 2, 0, last)), now)
        made.forget(now, 1)
        keys = set(made._nodes)
        assert len(keys) <= 6
        assert all(key[:-1] in keys for key in keys if len(key) > 2)


@given(requests())
def test_who_sends_less_than_the_limit_in_every_period_is_allowed(events: list[tuple[int, float]]) -> None:
    made, now, seen = tree(requests=3), 0.0, Counter[tuple[int, int]]()
    for last, pause in events:
        now += pause
        period = int(now / 2.0)
        seen[last, period] += 1
        verdict = made.count(bytes((10, 0, 0, last)), now)
        if verdict is not Verdict.ALLOWED:
            assert max(seen[last, period], seen[last, period - 1]) >= 3
