"""When what is kept runs out: everything by its deadline, in buckets.

Rules:
1. A record stays in its bucket when its `expires` moves later; only when the bucket's time comes is it put where
   it belongs. So a refresh costs nothing here.
2. A record is in one bucket at most, which it names (`bucket`; 0: none), so that it is taken out at once.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

STEP = 0.5
"""Seconds between two buckets; what has run out is found after at most this and a tick of the wheel."""


class Record(Protocol):
    """What has a deadline: a Unix time in seconds."""

    expires: float
    bucket: int


R = TypeVar("R", bound=Record)


class Deadlines(Generic[R]):
    """All deadlines of one server."""

    __slots__ = ("_buckets", "_passed")

    def __init__(self, now: float) -> None:
        self._buckets: dict[int, dict[R, None]] = {}
        self._passed = int(now / STEP)

    def put(self, record: R, at: float | None = None) -> None:
        """Watch over a record: come back to it when it runs out, or at another time."""
        number = int((record.expires if at is None else at) / STEP) + 1
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

    def due(self, now: float) -> list[R]:
        """The records whose bucket's time has come; those that live longer are put back.

        A record that is returned is in no bucket any more.
        """
        found: list[R] = []
        until = int(now / STEP)
        # After a long stall it is cheaper to look through the buckets that exist than through the numbers.
        for number in (
            range(self._passed + 1, until + 1)
            if until - self._passed < 1000
            else sorted(number for number in self._buckets if number <= until)
        ):
            self._passed = number
            for record in self._buckets.pop(number, ()):
                record.bucket = 0
                if record.expires > now:
                    self.put(record)
                else:
                    found.append(record)
        self._passed = max(self._passed, until)
        return found

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))
