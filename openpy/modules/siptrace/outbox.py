"""Messages on their way to where they are kept: in parts, behind the calls, which never wait for it.

Rules:
1. At most `capacity` messages wait; what comes beyond that is dropped and counted. The log tells of it when it begins.
2. They gather for `PAUSE`, and go in parts between which other messages are read. Where they go says how many it
   takes; what it cannot take now is offered again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from openpy.engine.module import Count
from openpy.engine.services import Services
from openpy.modules.siptrace.captured import Captured

CAPACITY = 10_000
PART = 200
"""Messages that are worked on before others are read: some milliseconds."""

PAUSE = 0.2
"""Seconds that messages gather."""

Take = Callable[[Sequence[Captured]], int]
"""Takes the first so many of some messages; returns how many those were."""


class Outbox:
    """Messages that wait for one place."""

    def __init__(
        self, name: str, take: Take, services: Services, dropped: Count, capacity: int = CAPACITY
    ) -> None:
        """`name` is for the log."""
        self._name = name
        self._take = take
        self._services = services
        self._dropped = dropped
        self._capacity = capacity
        self._waiting: deque[Captured] = deque()
        self._is_timed = False
        self._overflows = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, captured: Captured) -> None:
        """Keep a message until it can be taken."""
        if len(self._waiting) >= self._capacity:
            self._dropped.value += 1
            if not self._overflows:
                self._overflows = True
                self._services.log.warning(
                    "siptrace", f"{self._name} cannot keep up: messages are not traced"
                )
            return
        self._waiting.append(captured)
        if not self._is_timed:
            self._is_timed = True
            self._services.wheel.add(PAUSE, self._offer)

    def hand_over(self) -> None:
        """Offer everything, as often as some of it is taken; what is left then is dropped."""
        while self._waiting and self._offer_part():
            pass
        self._dropped.value += len(self._waiting)
        self._waiting.clear()

    def _offer(self) -> None:
        self._is_timed = False
        taken = self._offer_part()
        if not self._waiting:
            self._overflows = False
            return
        self._is_timed = True
        if taken == PART:
            self._services.soon(self._offer)
        else:
            self._services.wheel.add(PAUSE, self._offer)

    def _offer_part(self) -> int:
        part = list(islice(self._waiting, PART))
        taken = self._take(part)
        for _ in range(taken):
            self._waiting.popleft()
        return taken
