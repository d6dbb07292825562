"""A process in a world, for the tests of its parts."""

from __future__ import annotations

from openpy.testing.world import Action, World


class Life:
    """A process that never ends."""

    def __init__(self, world: World) -> None:
        self.world = world

    def at(self, delay: float, action: Action) -> None:
        self.world.at(delay, action)
