"""The clocks of a world."""

from __future__ import annotations

from openpy.testing.clock import NoCollector, WorldClock
from openpy.testing.world import World


def test_they_go_as_the_world_goes() -> None:
    world = World(0, start=10.0, epoch=1000.0)
    clock = WorldClock(world)
    world.run(2.5)
    assert (clock.monotonic(), clock.wall(), clock.now) == (12.5, 1012.5, 12.5)
    clock.now += 1
    assert world.now == 13.5
    world.wall_offset = 0.0
    assert clock.wall() == 13.5


def test_the_garbage_collector_is_left_alone() -> None:
    collector = NoCollector()
    collector.start()
    collector.turn(1.0)
    collector.stop()
    assert collector.found == 0
