"""The timer values of RFC 3261 (table 4 in appendix A) and RFC 6026."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TimerValues:
    """Three base values, in seconds, and what follows from them.

    Each method takes whether the transport is reliable, where RFC 3261 makes a difference.
    """

    t1: float = 0.5
    """Estimate of the round-trip time."""
    t2: float = 4.0
    """Longest interval between retransmissions of non-INVITE requests and INVITE replies."""
    t4: float = 5.0
    """How long a message may stay in the network."""
    give_up: float = 0.0
    """Timers B, F and H; 0: 64*T1."""
    absorb: float = 0.0
    """Timer J over unreliable transports; 0: 64*T1."""

    @property
    def patience(self) -> float:
        """Timers B, F and H: how long to wait for the other side."""
        return self.give_up or 64 * self.t1

    def d(self, reliable: bool) -> float:
        """Timer D: absorbs retransmitted failures to an INVITE (at least 32 s)."""
        return 0.0 if reliable else max(32.0, 64 * self.t1)

    def i(self, reliable: bool) -> float:
        """Timer I: absorbs retransmitted ACKs."""
        return 0.0 if reliable else self.t4

    def j(self, reliable: bool) -> float:
        """Timer J: answers retransmissions of a non-INVITE request."""
        return 0.0 if reliable else self.absorb or 64 * self.t1

    def k(self, reliable: bool) -> float:
        """Timer K: absorbs retransmitted replies to a non-INVITE request."""
        return 0.0 if reliable else self.t4

    @property
    def accepted(self) -> float:
        """Timers L and M (RFC 6026): how long a 2xx to an INVITE may be repeated."""
        return 64 * self.t1
