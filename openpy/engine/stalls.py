"""How long the event loop was at work without looking for what has arrived.

Rules:
1. A turn of the loop lasts from the moment when waiting for events ends to the moment when it begins again: whatever
   arrives meanwhile has to wait for the rest of it. So it is measured where the loop waits, exactly, at the price of
   two looks at a clock for all that one turn does.
2. A turn of more than `STALL` is a stall: by then somebody has noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from openpy.engine.module import Count

STALL = 0.05
"""Seconds."""


class Stalls:
    """What a loop's turns came to: `longest` in milliseconds, and how many were stalls (`number`)."""

    def __init__(self, longest: Count, number: Count, clock: Callable[[], float]) -> None:
        """`clock` gives seconds."""
        self.longest = longest
        self.number = number
        self._clock = clock
        self._since = float("inf")

    def begin(self) -> None:
        """From now on messages are read: what the start took is no stall."""
        self.longest.value = self.number.value = 0
        self.turn_begins()

    def turn_begins(self) -> None:
        """The loop has waited."""
        self._since = self._clock()

    def turn_ends(self) -> None:
        """The loop is about to wait."""
        took = self._clock() - self._since
        if took * 1000 > self.longest.value:
            self.longest.value = ceil(took * 1000)
        if took > STALL:
            self.number.value += 1
