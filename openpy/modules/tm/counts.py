"""The statistics of replies, as module and relays keep them (openser 1.3 module tm)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openpy.engine.module import Count


@dataclass(frozen=True, slots=True)
class ReplyCounts:
    """Counters of replies; `completed` are those of transactions by class of their final reply, 2xx first."""

    received: Count
    relayed: Count
    local: Count
    completed: Sequence[Count]

    def receive(self) -> None:
        """A reply came to a request that was relayed."""
        self.received.value += 1

    def relay(self, status: int) -> None:
        """A reply was passed on."""
        self.relayed.value += 1
        self._complete(status)

    def answer(self, status: int) -> None:
        """A reply was made here."""
        self.local.value += 1
        self._complete(status)

    def _complete(self, status: int) -> None:
        if status >= 200:
            self.completed[status // 100 - 2].value += 1
