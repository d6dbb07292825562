"""Which requests were made with a nonce already: so that none counts twice (RFC 7616 section 3.4.5).

Rules:
1. Only a request whose digest was right is kept: nobody without a password makes this grow.
2. Requests may overtake each other: of a nonce the highest count is kept, and which of the WINDOW below it were used.
3. A request that comes again as it was, from where it came, is a retransmission, and no replay.
4. There is room for `capacity` nonces. Where it is used up, those that end first are forgotten, and nothing that ends
   so early counts any more: what is forgotten is refused, never taken anew. The same goes for what was made before
   the start.
"""

from __future__ import annotations

from typing import Final

WINDOW: Final = 64


class _Used:
    """What is kept of one nonce: the highest count, a bit for each of the counts below it, and the last request."""

    __slots__ = ("highest", "last", "last_sign", "seen")

    def __init__(self, count: int, sign: int) -> None:
        self.highest = self.last = count
        self.last_sign = sign
        self.seen = 1

    def take(self, count: int, sign: int) -> bool:
        ahead = count - self.highest
        if ahead > 0:
            self.seen = 1 if ahead >= WINDOW else (self.seen << ahead | 1) & (1 << WINDOW) - 1
            self.highest = count
        elif -ahead >= WINDOW:
            return False
        elif self.seen >> -ahead & 1:
            return count == self.last and sign == self.last_sign
        else:
            self.seen |= 1 << -ahead
        self.last, self.last_sign = count, sign
        return True


class NonceCounts:
    """The counts of the nonces that were used. Nonces that end before `earliest` are refused."""

    __slots__ = ("_capacity", "_nonces", "_size", "earliest")

    def __init__(self, capacity: int, earliest: int) -> None:
        self._capacity = capacity
        self.earliest = earliest
        self._size = 0
        self._nonces: dict[int, dict[str, _Used]] = {}  # by end, then by number

    def __len__(self) -> int:
        return self._size

    def take(self, end: int, number: str, count: int, sign: int, now: float) -> bool:
        """Count a request with the nonce `number`, which ends then; False if it is not to be taken.

        `sign` is the same for the same request only. A nonce whose requests are not counted has the `count` 0.
        """
        if end < self.earliest:
            return False
        nonces = self._nonces.get(end)
        used = None if nonces is None else nonces.get(number)
        if used is not None:
            return used.take(count, sign)
        self._make_room(now)
        if end < self.earliest:
            return False
        self._nonces.setdefault(end, {})[number] = _Used(count, sign)
        self._size += 1
        return True

    def _make_room(self, now: float) -> None:
        """Forget what has ended; where that is not enough, what ends first too."""
        if self._size < self._capacity:
            return
        for end in sorted(self._nonces):
            if end >= now and self._size < self._capacity:
                break
            self._size -= len(self._nonces.pop(end))
            self.earliest = max(self.earliest, end + 1)
