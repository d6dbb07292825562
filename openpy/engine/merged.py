"""Merged requests: one request that came by several ways, to whom serves it (RFC 3261 section 8.2.2.2).

Rules:
1. A request outside of a dialog is known by Call-ID, CSeq and From. The same with another branch, while the first may
   still be a transaction, is a merged one and answered 482: it is served once. A proxy forwards it.
2. What is kept of a request is two numbers, for as long as its transaction may be there and twice that at most; of so
   many requests: of more, the oldest are forgotten earlier.
"""

from __future__ import annotations

from openpy.sip.message import Request
from openpy.transaction.wheel import Timer, Wheel

MOST = 100_000
"""Requests of one turn; those of two are known."""


class MergedRequests:
    """What one server of requests has served of late; `kept` seconds are 64*T1, the life of a transaction (timer J)."""

    __slots__ = ("_before", "_kept", "_now", "_timer", "_wheel")

    def __init__(self, wheel: Wheel, kept: float) -> None:
        self._wheel = wheel
        self._kept = kept
        self._now: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._timer: Timer | None = None

    def holds(self, request: Request) -> bool:
        """Whether this is one more copy of a request that is served already; remembers it if not."""
        identity = request.identity()
        if identity is None:
            return False
        key, branch = hash(identity), hash(request.via.branch)
        known = self._now.get(key) or self._before.get(key)
        if known is not None:
            return known != branch
        if len(self._now) >= MOST:
            self._turn()
        self._now[key] = branch
        if self._timer is None:
            self._timer = self._wheel.add(self._kept, self._tick)
        return False

    def _turn(self) -> None:
        self._before, self._now = self._now, {}

    def _tick(self) -> None:
        self._turn()
        self._timer = self._wheel.add(self._kept, self._tick) if self._before else None
