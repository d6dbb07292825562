"""When the garbage collector looks for cycles: seldom, at little, and never in the middle of a burst.

Rules:
1. Objects of the hot path leave no cycles behind: dialogs, presentities and transactions take theirs apart when they
   end, and a test looks for what a storm leaves. So there is little to find. What the collector could cost is the look
   at what is new and lives: 0.2 microseconds an object, in one go; one SUBSCRIBE leaves 6 of them, a refresh 2.
2. Python's own collections are off from the start on. Once a second a look is taken at what is new. Where that is so
   much that a look would take longer than `LONG`, it is taken for lasting, unseen, and the look is at what one tick
   brings: a sample. As long as looks find something there is one at each tick.
3. What was looked at once is not looked at again. A cycle that ends later stays: `found` says whether there are any
   that end young, and the memory that lives (`core:live_objects`) whether there are others.
"""

from __future__ import annotations

import gc
import time

PERIOD = 1.0
"""Seconds between two looks."""

SAMPLED = 10
"""A sample is what one tick of so many brings."""

LONG = 0.005
"""Seconds that a look may take."""

FEW = 20_000
"""Objects: as many as a look of that length sees."""


class Collector:
    """Python's garbage collector while a server runs. There is one a process.

    `found` is how many objects in cycles were found since the start.
    """

    __slots__ = ("_is_sample", "_is_too_much", "_next", "found")

    def __init__(self) -> None:
        self.found = 0
        self._next = 0.0
        self._is_too_much = False
        self._is_sample = False

    def start(self) -> None:
        """Take over, before the modules start: what they load is looked at like everything that is new."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def turn(self, now: float) -> None:
        """Look at what is new, if it is time; called each tick. `now` is in seconds of any clock that does not jump."""
        if now < self._next:
            return
        if not self._is_sample and (self._is_too_much or gc.get_count()[0] > FEW):
            gc.freeze()
            self._is_sample = True
            return
        began = time.perf_counter()
        found = gc.collect(0)
        took = time.perf_counter() - began
        self.found += found
        self._is_too_much = took * (SAMPLED if self._is_sample else 1) > LONG
        self._is_sample = False
        if not found:
            self._next = now + PERIOD

    def stop(self) -> None:
        """Give back what was taken over."""
        gc.unfreeze()
        gc.enable()
