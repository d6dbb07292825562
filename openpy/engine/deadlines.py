"""When what is kept runs out: everything by its deadline, in buckets.

Rules:
1. A record stays in its bucket when its `expires` moves later; only when the bucket's time comes is it put where
   it belongs. So a refresh costs nothing here.
2. A record is in one bucket at most, which it names (`bucket`; 0: none), so that it is taken out at once.
3. A bucket whose time has come is looked through in slices, however full it is.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import Generic, Protocol, TypeVar

STEP = 0.5
"""Seconds between two buckets; what has run out is found after at most this and a tick of the wheel."""


class Record(Protocol):
    """What has a deadline: `expires` is a Unix time in seconds, or infinite for what never runs out."""

    bucket: int

    @property
    def expires(self) -> float:
        """When it runs out; it may be later each time."""
        ...


R = TypeVar("R", bound=Record)


class Deadlines(Generic[R]):
    """All deadlines of one server."""

    __slots__ = ("_buckets", "_overdue", "_passed")

    def __init__(self, now: float) -> None:
        self._buckets: dict[int, dict[R, None]] = {}
        self._overdue: deque[int] = deque()
        """The buckets whose time has come, and which are not looked through to the end."""
        self._passed = int(now / STEP)

    def put(self, record: R, at: float | None = None) -> None:
        """Watch over a record: come back to it when it runs out, or at another time."""
        time = record.expires if at is None else at
        if time == inf:
            self.remove(record)
            return
        number = int(time / STEP) + 1
        if number <= self._passed:
            number = self._passed + 1
        if record.bucket:
            if record.bucket <= number:
                return
            self.remove(record)
        record.bucket = number
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = {}
        bucket[record] = None

    def remove(self, record: R) -> None:
        """Watch no more."""
        bucket = self._buckets.get(record.bucket)
        if bucket is not None:
            bucket.pop(record, None)
            if not bucket:
                del self._buckets[record.bucket]
        record.bucket = 0

    def due(self, now: float, most: int) -> list[R]:
        """Look at so many records at most whose bucket's time has come, and put back those that live longer.

        Returns the others, which are in no bucket any more. `behind` says whether there is more to look at.
        """
        self._pass_by(int(now / STEP))
        found: list[R] = []
        overdue, buckets = self._overdue, self._buckets
        while overdue:
            bucket = buckets.get(overdue[0])
            while bucket and most:
                most -= 1
                record, _ = bucket.popitem()
                record.bucket = 0
                if record.expires > now:
                    self.put(record)
                else:
                    found.append(record)
            if bucket:
                break
            buckets.pop(overdue.popleft(), None)
        return found

    @property
    def behind(self) -> bool:
        """Whether there is a bucket whose time has come and which is not looked through to the end."""
        return bool(self._overdue)

    def _pass_by(self, until: int) -> None:
        """Find the buckets whose time has come since the last look."""
        passed = self._passed
        if until <= passed:
            return
        self._passed = until
        # After a long stall it is cheaper to look through the buckets that exist than through the numbers.
        if until - passed < 1000:
            self._overdue.extend(filter(self._buckets.__contains__, range(passed + 1, until + 1)))
        else:
            self._overdue.extend(sorted(number for number in self._buckets if passed < number <= until))

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))
