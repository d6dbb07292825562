"""The world itself: its order and its chance."""

from __future__ import annotations

import pytest

from openpy.testing.world import EPOCH, START, Violation, World


def test_events_happen_in_order_of_time_and_then_of_making() -> None:
    world = World(1)
    happened: list[tuple[str, float]] = []
    for name, delay in (("c", 2.0), ("a", 1.0), ("b", 1.0)):
        world.at(delay, lambda name=name: happened.append((name, world.now - START)))  # type: ignore[misc]
    world.run(1.5)
    assert happened == [("a", 1.0), ("b", 1.0)]
    world.run(1.0)
    assert happened[2:] == [("c", 2.0)]


def test_a_broken_promise_ends_the_run_at_once() -> None:
    world = World(1)
    late: list[str] = []
    world.at(1.0, lambda: world.breach("it was promised"))
    world.at(1.0, lambda: late.append("too late"))
    with pytest.raises(Violation, match="it was promised"):
        world.run(2.0)
    assert not late


def test_chance_is_the_seeds_and_a_stream_for_each_purpose() -> None:
    def draws(seed: int, purpose: str) -> list[float]:
        chance = World(seed).chance(purpose)
        return [chance.random() for _ in range(3)]

    assert draws(1, "network") == draws(1, "network")
    assert draws(1, "network") != draws(2, "network") != draws(2, "faults") != draws(1, "faults")


def test_it_begins_when_it_is_told_to() -> None:
    world = World(1, start=5.0, epoch=7.0)
    world.run_until(6.0)
    world.say("who", "what")
    assert (world.start, world.now, world.wall_offset) == (5.0, 6.0, 7.0)
    assert world.transcript == ["   1.0000 who          what"]
    assert (World(1).now, World(1).wall_offset) == (START, EPOCH)


def test_what_happens_every_so_often() -> None:
    world = World(1)
    times: list[float] = []
    world.every(2.0, lambda: times.append(world.now - START))
    world.run(7.0)
    assert times == [2.0, 4.0, 6.0]
    assert world.steps == 3
