"""Requests that are too large for a datagram (RFC 3261 section 18.1.1).

Rules:
1. A request of more than `limit` octets goes by TCP where its next hop was found by a URI that names no transport: the
   RFC demands it, but many a phone is there by UDP only.
2. Who cannot be reached by TCP gets it by UDP after all, and for `MEMORY` seconds nobody tries again. So the wait for a
   connection that does not come up is paid once.
"""

from __future__ import annotations

from collections.abc import Callable

MEMORY = 600.0
REFUSED = 4096
"""How many peers that are there by UDP only are remembered."""


class SizeSwitch:
    """Says what goes by TCP. `clock` gives seconds of one monotonic clock."""

    __slots__ = ("_clock", "_until", "limit")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.limit = 0
        """In octets; 0: nothing is switched."""
        self._clock = clock
        self._until: dict[tuple[str, int], float] = {}

    def wants_tcp(self, octets: int, host: str, port: int) -> bool:
        """Whether a request of that size to a peer by UDP should go by TCP."""
        return octets > self.limit > 0 and self._until.get((host, port), 0.0) <= self._clock()

    def refused(self, host: str, port: int) -> None:
        """No connection came up."""
        self._until.pop((host, port), None)
        if len(self._until) >= REFUSED:
            del self._until[next(iter(self._until))]
        self._until[host, port] = self._clock() + MEMORY
