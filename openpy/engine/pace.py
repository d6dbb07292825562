"""When the event loop looks for what has arrived: not more often than it pays.

Rules:
1. Where looks have followed each other closely for a while, they are `INTERVAL` apart: what arrives in between is
   read at once, and its changes are one commit. What comes alone is read as it comes.
2. Nothing waits longer than INTERVAL because of this, and a loop whose turns last longer never waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable

INTERVAL = 0.00025
"""Seconds. Twice as much saves more where little comes, and shows in the answers' times."""

CLOSE = 2 * INTERVAL
MANY = 16
"""Looks, each CLOSE to the one before. One request alone causes a few: its commit ends, its NOTIFY is answered."""


class Pace:
    """Keeps looks apart; both clocks are in seconds."""

    __slots__ = ("_clock", "_close", "_last", "_sleep")

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._last = 0.0
        self._close = 0

    def wait(self) -> None:
        """Wait until the next look may be taken."""
        if self._close >= MANY:
            left = self._last + INTERVAL - self._clock()
            if left > 0:
                self._sleep(left)

    def looked(self) -> None:
        """A look was taken: a turn begins."""
        now = self._clock()
        self._close = self._close + 1 if now - self._last < CLOSE else 0
        self._last = now
