"""What a server in a world takes for the machine's clocks, and for its garbage collector."""

from __future__ import annotations

from openpy.engine.clock import Clock
from openpy.engine.garbage import Collector
from openpy.testing.world import World


class WorldClock(Clock):
    """The clocks of a world."""

    __slots__ = ("_world",)

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def now(self) -> float:
        """The moment on the monotonic clock, which may be set."""
        return self._world.now

    @now.setter
    def now(self, moment: float) -> None:
        self._world.now = moment

    def monotonic(self) -> float:
        """Seconds of the world's clock."""
        return self._world.now

    def wall(self) -> float:
        """Unix time in the world, in seconds."""
        return self._world.now + self._world.wall_offset


class NoCollector(Collector):
    """Python's garbage collector is not the world's affair."""

    def start(self) -> None:
        """Nothing begins."""

    def turn(self, now: float) -> None:
        """Nothing is collected."""

    def stop(self) -> None:
        """Nothing ends."""
