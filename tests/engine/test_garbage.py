from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from openpy.engine.garbage import FEW, PERIOD, Collector


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


def test_much_that_is_new_is_taken_for_lasting(collector: Collector) -> None:
    collector.turn(10.0)
    frozen = gc.get_freeze_count()
    kept = [[] for _ in range(FEW + 1000)]  # type: ignore[var-annotated]
    Node()
    collector.turn(10.0 + PERIOD)
    assert gc.get_freeze_count() >= frozen + len(kept)
    assert Node.ended == 0


def test_afterwards_python_collects_again() -> None:
    collector = Collector()
    collector.start()
    collector.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
