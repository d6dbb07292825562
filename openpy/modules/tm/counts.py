"""The statistics of replies, as module and relays keep them (openser 1.3 module tm)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from openpy.engine.module import Count


@dataclass(frozen=True, slots=True)
class ReplyCounts:
    """Counters of replies; `completed` are those of transactions by class of their final reply, 2xx first.

    `came` and `sent` are those that somebody has made for one status: `404_in`, `200_out`.
    """

    received: Count
    relayed: Count
    local: Count
    completed: Sequence[Count]
    came: dict[int, Count] = field(default_factory=dict)
    sent: dict[int, Count] = field(default_factory=dict)

    def receive(self, status: int) -> None:
        """A reply came to a request that was relayed."""
        self.received.value += 1
        if status in self.came:
            self.came[status].value += 1

    def relay(self, status: int, *, is_again: bool = False) -> None:
        """A reply was passed on; `is_again` says that the transaction had ended before."""
        self.relayed.value += 1
        self._send(status)
        if not is_again:
            self.complete(status)

    def answer(self, status: int) -> None:
        """A reply was made here."""
        self.local.value += 1
        self._send(status)
        self.complete(status)

    def complete(self, status: int) -> None:
        """A transaction ended with this status."""
        if status >= 200:
            self.completed[status // 100 - 2].value += 1

    def _send(self, status: int) -> None:
        if status in self.sent:
            self.sent[status].value += 1
