"""Looks for what has arrived are taken as often as it pays."""

from __future__ import annotations

import pytest

from openpy.engine.pace import CLOSE, INTERVAL, MANY, Pace


class Time:
    """A clock that only turns and waits move."""

    def __init__(self) -> None:
        self.now = 10.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pace(time: Time) -> Pace:
    return Pace(time, time.sleep)


def turn(pace: Pace, time: Time, number: int, seconds: float) -> None:
    """So many turns, from look to look."""
    for _ in range(number):
        pace.looked()
        time.now += seconds
        pace.wait()


def test_looks_that_follow_closely_for_a_while_are_kept_apart(pace: Pace, time: Time) -> None:
    turn(pace, time, MANY, INTERVAL / 5)
    assert time.waits == []
    turn(pace, time, 3, INTERVAL / 5)
    assert time.waits == pytest.approx([INTERVAL * 4 / 5] * 3)


def test_what_comes_alone_is_read_as_it_comes(pace: Pace, time: Time) -> None:
    for _ in range(10):
        turn(pace, time, MANY, INTERVAL / 5)
        time.now += CLOSE
    assert time.waits == []


def test_turns_that_last_longer_never_wait(pace: Pace, time: Time) -> None:
    turn(pace, time, 5 * MANY, INTERVAL)
    assert time.waits == []
