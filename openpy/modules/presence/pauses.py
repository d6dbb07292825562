"""How long a watcher that refuses NOTIFYs is left alone (RFC 6665 section 4.2.2, RFC 3261 section 20.33)."""

from __future__ import annotations

from openpy.sip.errors import RemoteError
from openpy.sip.headers import parse_number
from openpy.transaction.wheel import Timer

FIRST = 1.0
"""Seconds after the first refusal; after each further one twice as many."""

LONGEST = 300.0
"""Seconds; no back-off and no Retry-After counts for more."""


class Pause:
    """What a dialog keeps from a refused NOTIFY until one is accepted: how many there were, the wait for the next."""

    __slots__ = ("refusals", "timer")

    def __init__(self) -> None:
        self.refusals = 0
        self.timer: Timer | None = None

    def seconds(self, retry_after: str) -> float:
        """How long to wait now: what the watcher asks for by Retry-After, or longer if it has refused often."""
        backed_off = FIRST * 2.0 ** min(self.refusals - 1, 16)
        return min(max(backed_off, _asked(retry_after)), LONGEST)


def _asked(retry_after: str) -> int:
    """The seconds in a Retry-After; 0 if there is none to be read."""
    try:
        return parse_number(retry_after.partition(";")[0].partition("(")[0], "Retry-After")
    except RemoteError:
        return 0
