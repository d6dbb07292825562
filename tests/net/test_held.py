from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openpy.net.held import Held


def test_who_holds_something_for_long_is_told() -> None:
    held: Held[str] = Held(1000)
    held.put("a", 10, 1.0)
    held.put("b", 20, 2.0)
    held.put("a", 30, 3.0)
    assert held.since_before(1.0) == []
    assert held.since_before(1.5) == ["a"]
    assert held.since_before(9.0) == ["a", "b"]
    assert (held.octets, len(held)) == (50, 2)


def test_what_was_let_go_or_begins_anew_counts_from_then() -> None:
    held: Held[str] = Held(1000)
    held.put("a", 10, 1.0)
    held.put("b", 10, 2.0)
    held.put("a", 0, 3.0)
    assert held.since_before(9.0) == ["b"]
    held.put("a", 10, 4.0)
    held.put("b", 10, 5.0, begins=True)
    assert held.since_before(4.5) == ["a"]
    held.drop("a")
    held.drop("nobody")
    assert (held.octets, held.since_before(9.0)) == (10, ["b"])


def test_the_first_has_to_let_go_where_it_is_too_much() -> None:
    held: Held[str] = Held(100)
    assert held.put("a", 40, 1.0) == []
    assert held.put("b", 40, 2.0) == []
    assert held.put("c", 90, 3.0) == ["a", "b"]
    assert held.put("c", 101, 4.0) == ["c"]
    assert (held.octets, len(held)) == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60), st.booleans())))
def test_the_sum_is_right_and_bounded(steps: list[tuple[int, int, bool]]) -> None:
    held: Held[int] = Held(100)
    kept: dict[int, int] = {}
    for now, (holder, octets, begins) in enumerate(steps):
        gone = held.put(holder, octets, float(now), begins=begins)
        kept[holder] = octets
        for each in gone:
            del kept[each]
        kept = {each: octets for each, octets in kept.items() if octets}
        assert held.octets == sum(kept.values()) <= 100
        assert set(held.since_before(1e9)) == set(kept)
