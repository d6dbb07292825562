"""The addresses of destinations that are named, so that requests from them are known without a look-up.

Rules:
1. All names of a list are looked up when it is read, and again every PERIOD.
2. What is known stays known as long as nobody can tell otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from openpy.engine.services import Services
from openpy.engine.waiting import Stepper
from openpy.modules.dispatcher.sets import Sets
from openpy.transaction.wheel import Timer

PERIOD = 60.0
"""Seconds between two look-ups of a name."""


class Naming:
    """Looks up the names of the destinations of `sets()`."""

    def __init__(self, services: Services, sets: Callable[[], Sets]) -> None:
        self._services = services
        self._sets = sets
        self._timer: Timer | None = None

    def begin(self, known: Callable[[], None] = lambda: None) -> None:
        """Look up all names, now and every PERIOD; `known()` hears once each has its answer, or none."""
        self.stop()
        self._timer = self._services.wheel.add(PERIOD, self.begin)
        left = {each.name for each in self._sets().destinations if each.name}
        if not left:
            known()

        def ended(name: str, _: None, error: BaseException | None) -> None:
            if error is not None:
                self._services.log.error("dispatcher", f"{name} was not looked up: {error}")
            left.discard(name)
            if not left:
                known()

        for name in sorted(left):
            Stepper(self._look_up(name), partial(ended, name)).step()

    def stop(self) -> None:
        """Look up nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _look_up(self, name: str) -> None:
        try:
            addresses = await self._services.resolve(name)
        except OSError:  # nobody can tell now (rule 2)
            return
        if not addresses:
            self._services.log.warning("dispatcher", f"{name} has no address: nothing comes from there")
        for destination in self._sets().destinations:
            if destination.name == name:
                destination.addresses = addresses
