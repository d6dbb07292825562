"""The pace of pings: each contact once an interval, spread evenly over it.

Rules:
1. An interval has SLOTS slots. A contact belongs to one of them by its id, so it is pinged in each interval at the same
   time, and a new one within one interval of its REGISTER.
2. The contacts of a slot are looked for while it lasts, a few at each STEP, and messages are read after each SLICE.
3. A server that stood still catches up a little at each step, by one interval at most: nothing is pinged twice for
   that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from math import ceil
from typing import Protocol

from openpy.engine.services import Services
from openpy.modules.usrloc.api import Contact, Take
from openpy.transaction.wheel import Timer

SLOTS = 32
STEP = 0.1
"""Seconds."""
SLICE = 100
"""Pings before messages are read again: 2 ms."""


class Contacts(Protocol):
    """Where the contacts are (`UsrlocApi`)."""

    def portion(self, number: int, of: int, take: Take) -> None:
        """Give `take` the contacts of a slot."""
        ...


class _Portion:
    """The contacts of a slot that are still to come; `due` of them have their turn now."""

    __slots__ = ("contacts", "count", "due")

    def __init__(self, contacts: Iterator[Contact], count: int) -> None:
        self.contacts = contacts
        self.count = count
        self.due = 0


class Pinger:
    """Calls `ping(contact)` for all contacts, while it `is_on`."""

    def __init__(self, services: Services, contacts: Contacts, ping: Callable[[Contact], None]) -> None:
        self.is_on = True
        self._services = services
        self._contacts = contacts
        self._ping = ping
        self._slot = 0
        self._length = 0.0  # of a slot, in seconds
        self._next = 0.0  # when the next slot begins
        self._before = 0.0  # when the last step was
        self._under_way: deque[_Portion] = deque()
        self._timer: Timer | None = None

    def use(self, interval: int) -> None:
        """Ping at this interval, in seconds, from now on; 0: never."""
        self.stop()
        if interval:
            self._length = interval / SLOTS
            self._before = self._next = self._services.clock.monotonic()
            self._timer = self._services.wheel.add(STEP, self._step)

    def stop(self) -> None:
        """Ping nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._under_way.clear()

    def _step(self) -> None:
        self._timer = self._services.wheel.add(STEP, self._step)
        now = self._services.clock.monotonic()
        share = (now - self._before) / self._length
        self._before = now
        missed = (now - self._next) // (SLOTS * self._length)
        if missed > 0:
            self._next += missed * SLOTS * self._length
        for _ in range(ceil(2 * STEP / self._length)):
            if now >= self._next:
                self._begin_slot()
        is_at_work = any(portion.due for portion in self._under_way)
        for portion in self._under_way:
            portion.due += ceil(portion.count * share)
        if not is_at_work:
            self._work()

    def _work(self) -> None:
        """Ping a slice of those that are due, and go on once messages were read."""
        left = SLICE
        turn: list[Contact] = []
        for portion in list(self._under_way):
            most = min(portion.due, left)
            taken = list(islice(portion.contacts, most))
            turn += taken
            portion.due -= most
            left -= most
            if len(taken) < most:
                self._under_way.remove(portion)
        if any(portion.due for portion in self._under_way):
            self._services.soon(self._work)  # also where a ping fails
        for contact in turn:
            self._ping(contact)

    def _begin_slot(self) -> None:
        self._next += self._length
        self._slot = (self._slot + 1) % SLOTS
        if self.is_on:
            self._contacts.portion(self._slot, SLOTS, self._found)

    def _found(self, contacts: Iterator[Contact], count: int) -> None:
        self._under_way.append(_Portion(contacts, count))
