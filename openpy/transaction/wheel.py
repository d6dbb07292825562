"""One timer wheel for everything that waits.

Rules:
1. Time is `now`, in seconds of whatever clock the owner reads. It moves only by `advance`, or when the owner
   sets `now` at the start of a burst; a delay counts from there.
2. Time is cut into ticks. A timer fires at the first tick at or after its time (within a hundredth of a
   tick), never in the `advance` that added it. Ticks fire in order; within a tick, timers fire in the order
   they were added.
3. A timer that was cancelled or has fired is in no bucket and refers to nothing: the wheel holds what is
   pending and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from sys import maxsize
from typing import Any, TypeVar, overload

A = TypeVar("A")

_NO_ARGUMENT: Any = object()


class Timer:
    """One pending call."""

    __slots__ = ("_argument", "_bucket", "_callback")

    def __init__(self, callback: Callable[..., object], argument: Any, bucket: dict[Timer, None]) -> None:
        self._callback: Callable[..., object] | None = callback
        self._argument = argument
        self._bucket: dict[Timer, None] | None = bucket

    @property
    def pending(self) -> bool:
        """Whether it will still fire."""
        return self._bucket is not None

    def cancel(self) -> None:
        """Do not fire. Harmless when it has fired or was cancelled."""
        bucket = self._bucket
        if bucket is not None:
            del bucket[self]
            self._bucket = self._callback = self._argument = None

    def _fire(self) -> None:
        callback, argument = self._callback, self._argument
        self.cancel()
        if callback is None:
            return
        if argument is _NO_ARGUMENT:
            callback()
        else:
            callback(argument)


def _raise(error: Exception) -> None:
    raise error


class Wheel:
    """Timers with a resolution of `tick` seconds.

    `on_error` takes what a callback raises, and the others fire all the same; without it the exception leaves
    `advance`, and what was due stays due.
    """

    __slots__ = ("_buckets", "_passed", "_rate", "_start", "_ticks", "now", "on_error")

    def __init__(self, now: float, tick: float = 0.1, on_error: Callable[[Exception], None] = _raise) -> None:
        self.now = now
        self.on_error = on_error
        self._start = now
        self._rate = 1.0 / tick
        self._passed = 0
        self._buckets: dict[int, dict[Timer, None]] = {}
        self._ticks: list[int] = []

    @overload
    def add(self, delay: float, callback: Callable[[], object]) -> Timer: ...
    @overload
    def add(self, delay: float, callback: Callable[[A], object], argument: A) -> Timer: ...
    def add(self, delay: float, callback: Callable[..., object], argument: Any = _NO_ARGUMENT) -> Timer:
        """Call `callback()`, or `callback(argument)`, in `delay` seconds."""
        tick = int((self.now - self._start + delay) * self._rate + 0.99)
        if tick <= self._passed:
            tick = self._passed + 1
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = {}
            heappush(self._ticks, tick)
        timer = Timer(callback, argument, bucket)
        bucket[timer] = None
        return timer

    def advance(self, now: float, limit: int = maxsize) -> int:
        """Move time on and fire what is due; return how many fired.

        After `limit` timers the rest stays due for the next call.
        """
        if now > self.now:
            self.now = now
        due = int((self.now - self._start) * self._rate + 0.01)
        self._passed = max(self._passed, due)
        fired = 0
        while self._ticks and self._ticks[0] <= due:
            fired += self._fire_bucket(self._buckets[self._ticks[0]], limit - fired)
            if fired >= limit:
                break
            del self._buckets[heappop(self._ticks)]
        return fired

    def next_due(self) -> float | None:
        """When the next timer fires (it may be overdue), or None if nothing waits."""
        while self._ticks:
            tick = self._ticks[0]
            if self._buckets[tick]:
                return self._start + tick / self._rate
            del self._buckets[heappop(self._ticks)]
        return None

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def _fire_bucket(self, bucket: dict[Timer, None], limit: int) -> int:
        fired = 0
        for timer in list(bucket):
            if fired >= limit:
                break
            if not timer.pending:  # an earlier one of this tick cancelled it
                continue
            fired += 1
            try:
                timer._fire()
            except Exception as error:  # noqa: BLE001 - one callback's failure must not stop the others
                self.on_error(error)
        return fired
