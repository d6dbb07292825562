from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openpy.transaction.wheel import Timer, Wheel


def test_fires_once_at_its_time() -> None:
    wheel, fired = Wheel(100.0), list[str]()
    timer = wheel.add(0.5, fired.append, "x")
    assert wheel.next_due() == 100.5
    pending = [timer.pending]
    assert wheel.advance(100.4) == 0
    pending.append(timer.pending)
    assert wheel.advance(100.5) == 1
    pending.append(timer.pending)
    assert fired == ["x"]
    assert pending == [True, True, False]
    assert wheel.advance(200.0) == 0
    assert wheel.next_due() is None


def test_a_callback_may_take_no_argument() -> None:
    wheel, fired = Wheel(0.0), list[None]()
    wheel.add(1.0, lambda: fired.append(None))
    wheel.add(1.0, fired.append, None)
    assert wheel.advance(1.0) == 2
    assert fired == [None, None]


def test_cancelled_timer_refers_to_nothing_and_leaves_nothing_behind() -> None:
    class Payload:
        pass

    wheel, payload = Wheel(0.0), Payload()
    watch = weakref.ref(payload)
    timer = wheel.add(32.0, print, payload)
    del payload
    assert watch() is not None
    timer.cancel()
    timer.cancel()
    gc.collect()
    assert watch() is None
    assert len(wheel) == 0
    assert wheel.next_due() is None


def test_delay_counts_from_now_as_the_owner_sets_it() -> None:
    wheel, fired = Wheel(0.0), list[str]()
    wheel.now = 5.0
    wheel.add(1.0, fired.append, "x")
    wheel.advance(5.9)
    assert fired == []
    wheel.advance(6.0)
    assert fired == ["x"]


def test_time_does_not_run_backwards() -> None:
    wheel = Wheel(10.0)
    wheel.advance(9.0)
    assert wheel.now == 10.0


def test_ticks_fire_in_order_and_timers_of_a_tick_in_theirs() -> None:
    wheel, fired = Wheel(0.0), list[str]()
    for delay, name in (0.9, "d"), (0.31, "b"), (0.33, "c"), (0.1, "a"):
        wheel.add(delay, fired.append, name)
    wheel.advance(1.0)
    assert fired == ["a", "b", "c", "d"]


def test_callback_may_add_timers_which_wait_for_the_next_advance() -> None:
    wheel, times = Wheel(0.0), list[float]()

    def again() -> None:
        times.append(wheel.now)
        wheel.add(0.0, again)

    wheel.add(0.1, again)
    for now in 0.1, 0.2, 5.0:
        assert wheel.advance(now) == 1
    assert times == [0.1, 0.2, 5.0]


def test_callback_may_cancel_another_of_its_tick() -> None:
    wheel, fired, timers = Wheel(0.0), list[str](), list[Timer]()

    def first() -> None:
        fired.append("first")
        timers[0].cancel()

    wheel.add(0.1, first)
    timers.append(wheel.add(0.1, fired.append, "second"))
    assert wheel.advance(1.0) == 1
    assert fired == ["first"]


def test_work_of_one_call_can_be_limited() -> None:
    wheel, fired = Wheel(0.0), list[int]()
    for number in range(10):
        wheel.add(number * 0.04, fired.append, number)
    assert [wheel.advance(100.0, limit=4) for _ in range(4)] == [4, 4, 2, 0]
    assert fired == list(range(10))


def test_limited_rest_is_overdue() -> None:
    wheel = Wheel(0.0)
    for _ in range(3):
        wheel.add(1.0, list[Any])
    wheel.advance(50.0, limit=2)
    due = wheel.next_due()
    assert due is not None
    assert due <= 50.0


def test_failing_callback_stops_no_other() -> None:
    errors, fired = list[Exception](), list[str]()
    wheel = Wheel(0.0, on_error=errors.append)

    def fail() -> None:
        raise ValueError("bad")

    wheel.add(0.1, fail)
    wheel.add(0.1, fired.append, "x")
    assert wheel.advance(1.0) == 2
    assert [str(error) for error in errors] == ["bad"]
    assert fired == ["x"]


def test_without_a_handler_the_error_leaves_and_the_rest_stays_due() -> None:
    wheel, fired = Wheel(0.0), list[str]()

    def fail() -> None:
        raise ValueError("bad")

    wheel.add(0.1, fail)
    wheel.add(0.1, fired.append, "x")
    with pytest.raises(ValueError, match="bad"):
        wheel.advance(1.0)
    assert fired == []
    wheel.advance(1.0)
    assert fired == ["x"]


def test_another_resolution() -> None:
    wheel, fired = Wheel(0.0, tick=1.0), list[str]()
    wheel.add(1.5, fired.append, "x")
    wheel.advance(1.9)
    assert fired == []
    wheel.advance(2.0)
    assert fired == ["x"]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 40), st.booleans(), st.floats(0, 3)),
        max_size=40,
    )
)
def test_each_timer_fires_once_in_time_unless_cancelled(plan: list[tuple[float, bool, float]]) -> None:
    wheel = Wheel(7.0)
    due: dict[int, float] = {}
    fired: dict[int, float] = {}
    for number, (delay, cancelled, step) in enumerate(plan):
        timer = wheel.add(delay, lambda n: fired.setdefault(n, wheel.now), number)
        if cancelled:
            timer.cancel()
        else:
            due[number] = wheel.now + delay
        wheel.advance(wheel.now + step)
        for other, time in due.items():
            if other not in fired:
                assert time > wheel.now - 0.2
    while (time_of_next := wheel.next_due()) is not None:
        wheel.advance(time_of_next)
    assert fired.keys() == due.keys()
    assert all(fired[number] >= due[number] - 0.002 for number in due)
    assert len(wheel) == 0
