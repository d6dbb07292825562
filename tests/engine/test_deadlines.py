"""Deadlines: nothing is found early, nothing later than a step, nothing twice."""

from itertools import chain
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from openpy.engine.deadlines import STEP, Deadlines


class Thing:
    def __init__(self, expires: float) -> None:
        self.expires = expires
        self.bucket = 0


def made(*expires: float) -> tuple[Deadlines[Thing], list[Thing]]:
    deadlines: Deadlines[Thing] = Deadlines(100.0)
    things = [Thing(at) for at in expires]
    for thing in things:
        deadlines.put(thing)
    return deadlines, things


def test_in_order_and_not_before_their_time() -> None:
    deadlines, (late, early) = made(110.2, 105.0)
    assert deadlines.due(104.9, 1000) == []
    assert deadlines.due(105.0 + STEP, 1000) == [early]
    assert deadlines.due(110.1, 1000) == []
    assert deadlines.due(110.2 + STEP, 1000) == [late]
    assert len(deadlines) == 0


def test_a_longer_life_costs_nothing_until_the_old_deadline() -> None:
    deadlines, (thing,) = made(105.0)
    thing.expires = 120.0
    deadlines.put(thing)
    assert len(deadlines) == 1
    assert deadlines.due(106.0, 1000) == []
    assert deadlines.due(120.5, 1000) == [thing]


def test_a_shorter_life_counts_at_once() -> None:
    deadlines, (thing,) = made(200.0)
    thing.expires = 0.0
    deadlines.put(thing)
    assert len(deadlines) == 1
    assert deadlines.due(100.5, 1000) == [thing]


def test_what_does_not_run_out_any_more_is_not_found() -> None:
    deadlines, (first, second, other) = made(105.0, 105.0, 105.0)
    first.expires = inf
    deadlines.put(first)
    second.expires = inf  # and nobody says so
    assert len(deadlines) == 2
    assert deadlines.due(106.0, 1000) == [other]
    assert len(deadlines) == 0


def test_what_is_removed_is_not_found() -> None:
    deadlines, (one, two) = made(105.0, 105.0)
    deadlines.remove(one)
    deadlines.remove(one)
    assert deadlines.due(106.0, 1000) == [two]
    deadlines.remove(two)
    assert two.bucket == 0


def test_what_is_overdue_comes_with_the_next_step() -> None:
    deadlines, (thing,) = made(1.0)
    assert deadlines.due(100.2, 1000) == []
    assert deadlines.due(100.5, 1000) == [thing]


def test_after_a_long_stall() -> None:
    deadlines, things = made(200.0, 100_000.0, 300.0)
    assert deadlines.due(90_000.0, 1000) == [things[0], things[2]]
    assert deadlines.due(100_001.0, 1000) == [things[1]]


def test_a_full_bucket_is_looked_through_in_slices() -> None:
    deadlines, things = made(*[105.0] * 10, 106.0)
    things[3].expires = 200.0
    first = deadlines.due(107.0, 4)
    behind = [deadlines.behind]
    deadlines.remove(next(thing for thing in things if thing.bucket and thing not in first))
    overdue = Thing(1.0)
    deadlines.put(overdue)
    rest = [deadlines.due(107.0, 4) for _ in range(3)]
    behind.append(deadlines.behind)
    assert behind == [True, False]
    found = [*first, *chain.from_iterable(rest)]
    assert len(found) == len(set(found)) == 9
    assert overdue not in found
    assert deadlines.due(107.5, 4) == [overdue]
    assert deadlines.due(201.0, 4) == [things[3]]


@given(
    st.lists(st.floats(100, 200), max_size=20),
    st.lists(st.floats(0.01, 30), max_size=20),
    st.lists(st.integers(0, 19), max_size=5),
)
def test_each_is_found_once_in_time(expires: list[float], waits: list[float], prolonged: list[int]) -> None:
    deadlines, things = made(*expires)
    for number in prolonged:
        if number < len(things):
            things[number].expires += 50
    now, found = 100.0, []
    for wait in (*waits, 400.0):
        before, now = now, now + wait
        for thing in deadlines.due(now, 1000):
            assert thing.expires <= now
            assert thing.expires > before - STEP
            found.append(thing)
    assert sorted(map(id, found)) == sorted(map(id, things))
