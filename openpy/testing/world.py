"""A world of its own for whole servers: one time, one order of events, one source of chance.

Rules:
1. Nothing happens but by an event; events happen in order of time, those of one moment in order of making.
2. All chance comes from the seed. Each part draws from a stream of its own, so that one more draw here changes
   nothing there.
3. Work that blocks a thread happens at one moment, and `spend`s the time that it takes: what it posts arrives later.
4. The wall clock is the monotonic one with an offset, which a fault may move.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

Action = Callable[[], None]

START = 1000.0
EPOCH = 1_700_000_000.0


class Violation(Exception):
    """A promise that was broken."""


class World:
    """Time, events and chance. `spent` is how long the blocking work under way has lasted, in seconds."""

    def __init__(self, seed: int, start: float = START, epoch: float = EPOCH) -> None:
        """`start` is the first moment of the monotonic clock, `epoch` what the wall clock is ahead of it."""
        self.seed = seed
        self.start = start
        self.now = start
        self.wall_offset = epoch
        self.spent = 0.0
        self.transcript: list[str] = []
        self.broken: list[str] = []
        """The promises that were broken."""
        self.steps = 0
        self._events: list[tuple[float, int, Action]] = []
        self._order = count()

    def chance(self, purpose: str) -> random.Random:
        """A stream of random numbers."""
        return random.Random(f"{self.seed} {purpose}")

    def at(self, delay: float, action: Action) -> None:
        """Let something happen, so many seconds from now."""
        heappush(self._events, (self.now + delay, next(self._order), action))

    def every(self, period: float, action: Action) -> None:
        """Let something happen again and again."""

        def again() -> None:
            self.at(period, again)
            action()

        self.at(period, again)

    def run(self, seconds: float) -> None:
        """Let so much time pass. Raises Violation."""
        self.run_until(self.now + seconds)

    def run_until(self, end: float) -> None:
        """Let time pass until then. Raises Violation."""
        while self._events and self._events[0][0] <= end:
            self.now, _, action = heappop(self._events)
            self.steps += 1
            action()
            self.judge()
        self.now = end
        self.judge()

    def judge(self) -> None:
        """Raise Violation if a promise was broken."""
        if self.broken:
            raise Violation(self.broken[0])

    def spend(self, seconds: float) -> None:
        """The blocking work under way takes so much longer."""
        self.spent += seconds

    def breach(self, text: str) -> None:
        """A promise was broken: the run ends after this event."""
        self.say("BROKEN", text)
        self.broken.append(text)

    def say(self, who: str, text: str) -> None:
        """Write a line of the transcript."""
        self.transcript.append(f"{self.now - self.start:9.4f} {who:<12} {text}")
