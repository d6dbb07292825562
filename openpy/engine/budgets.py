"""How often something may happen for each of many keys, in a memory that does not grow (GCRA, ITU-T I.371).

Rules:
1. A key may use what it has not used, up to `SPAN` seconds' worth in one go; so a pause is made good, and a flood is
   cut to the rate.
2. There are `CELLS` cells and a key has one by its hash, which nobody outside can foresee (Python keys it anew in
   each process). Two keys that share a cell share its budget: one in 65,536 is hit by the flood of another.
3. Time is passed in, in seconds of a clock that never goes back.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from openpy.engine.module import Count
from openpy.transaction.flow import Flow

CELLS = 65_536
SPAN = 10.0
ROUNDING = 1e-6  # seconds


class Rates:
    """One rate for each key; `rate` is a number a second, 0 for no limit."""

    __slots__ = ("_cells", "_interval")

    def __init__(self, rate: float) -> None:
        self._interval = 1.0 / rate if rate > 0 else 0.0
        self._cells = array("d", [0.0]) * (CELLS if rate > 0 else 0)
        """For each cell the time when all of its budget is there again."""

    def allows(self, key: str, now: float) -> bool:
        """Use one of a key's budget, if there is one."""
        if not self._interval:
            return True
        cell = hash(key) % CELLS
        full = self._cells[cell]
        if full < now:
            full = now
        if full - now >= SPAN - ROUNDING:
            return False
        self._cells[cell] = full + self._interval
        return True


class SourceBudget:
    """Lets through what each source address may send; more is dropped unread, and counted.

    Replies pass: they answer what we sent.
    """

    def __init__(
        self,
        receive: Callable[[bytes, Flow], None],
        clock: Callable[[], float],
        dropped: Count,
        *,
        rate: float,
    ) -> None:
        self._receive = receive
        self._clock = clock
        self._dropped = dropped
        self._rates = Rates(rate)

    def receive(self, data: bytes, flow: Flow) -> None:
        """A message came."""
        if data.startswith(b"SIP/2.0 ") or self._rates.allows(flow.host, self._clock()):
            self._receive(data, flow)
        else:
            self._dropped.value += 1
