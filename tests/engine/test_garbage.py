from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import accumulate
from types import SimpleNamespace

import pytest

from openpy.engine import garbage
from openpy.engine.garbage import FEW, PERIOD, Collector

TICK = 0.1


class Node:
    """Part of a cycle that tells of its end."""

    ended = 0

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        Node.ended += 1


@pytest.fixture
def collector() -> Iterator[Collector]:
    Node.ended = 0
    collector = Collector()
    collector.start()
    yield collector
    collector.stop()
    gc.collect()


def test_nothing_is_collected_but_in_its_turn(collector: Collector) -> None:
    assert not gc.isenabled()
    collector.turn(10.0)
    Node()
    collector.turn(10.0 + PERIOD / 2)
    assert Node.ended == 0
    collector.turn(10.0 + PERIOD)
    assert Node.ended == 1
    assert collector.found > 0


def test_while_something_is_found_there_is_a_look_at_each_tick(collector: Collector) -> None:
    collector.turn(10.0)
    for number in range(1, 4):
        Node()
        collector.turn(10.0 + PERIOD + number * TICK)
        assert Node.ended == number
    collector.turn(10.5 + PERIOD)
    Node()
    collector.turn(10.6 + PERIOD)
    assert Node.ended == 3


def test_of_much_that_is_new_only_a_sample_is_looked_at(collector: Collector) -> None:
    collector.turn(10.0)
    frozen = gc.get_freeze_count()
    kept = [[] for _ in range(FEW + 1000)]  # type: ignore[var-annotated]
    Node()
    collector.turn(10.0 + PERIOD)
    assert gc.get_freeze_count() >= frozen + len(kept)
    Node()
    collector.turn(10.0 + PERIOD + TICK)
    assert Node.ended == 1


@pytest.mark.parametrize(
    ("whole", "sample", "samples_go_on"), [(4, 0, False), (6, 0.6, True), (6, 0.4, False)]
)
def test_after_a_long_look_comes_a_sample_until_little_is_new(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, whole: float, sample: float, samples_go_on: bool
) -> None:
    """Milliseconds that the looks took."""
    times = accumulate([0.0, whole, 1.0, sample, 1.0, 0.1])
    monkeypatch.setattr(garbage, "time", SimpleNamespace(perf_counter=lambda: next(times) / 1000))
    collector.turn(10.0)
    for now, skips in ((20.0, whole > 4), (20.0 + TICK, False), (30.0, samples_go_on)):
        frozen = gc.get_freeze_count()
        new = [[]]  # type: ignore[var-annotated]
        collector.turn(now)
        assert (gc.get_freeze_count() > frozen) == skips, new


def test_afterwards_python_collects_again() -> None:
    collector = Collector()
    collector.start()
    collector.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
