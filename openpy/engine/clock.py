"""The time, as one object that tests replace."""

from __future__ import annotations

import time


class Clock:
    """The two clocks of the system.

    `monotonic` for deadlines and timers, `wall` (Unix seconds) only for what is stored or shown.
    """

    __slots__ = ()

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix time in seconds."""
        return time.time()
