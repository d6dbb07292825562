"""The tree of sources: how often requests came from which addresses, in little memory (openser 1.3 module pike).

Rules:
1. A node stands for the first bytes of an address, and counts requests whose address has no node for more of it. Where
   a node counts `SHARE` of the limit, its next request makes a node for one byte more. So an address alone is counted
   only once much comes from near it, and is blocked after one to three times the limit (IPv4; IPv6: up to eight times).
2. An address is blocked if it has reached the limit: if it has in this period, in the last one, or in the mean of both.
3. What counted nothing for `patience` seconds is forgotten. There are at most `most` nodes: beyond that those which
   counted nothing for the longest time are forgotten before. A node counts whenever one below it does, so it is never
   forgotten before these.
4. Time is passed in, in seconds of a clock that never goes back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

__all__ = ["Limits", "SourceTree", "Verdict"]

SHARE = 4
"""What part of the limit makes a node open: a quarter."""


class Verdict(Enum):
    """What becomes of a request."""

    ALLOWED = "allowed"
    BLOCKED = "blocked"
    BLOCKED_NOW = "blocked now"
    """The first of its address that is."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`period` and `patience` are in seconds; `requests` is the limit of a period; `most` a number of nodes."""

    period: float
    requests: int
    patience: float
    most: int


class _Node:
    """What was counted in one period and in the one before; `touched` is when something was counted last."""

    __slots__ = ("before", "is_blocked", "now", "period", "touched")

    def __init__(self, period: int, touched: float) -> None:
        self.before = 0
        self.now = 1
        self.is_blocked = False
        self.period = period
        self.touched = touched

    def count(self, period: int) -> None:
        """One more request."""
        if period != self.period:
            self.before = self.now if period == self.period + 1 else 0
            self.now = 0
            self.period = period
        self.now += 1

    def reached(self, limit: int, period: int) -> bool:
        """Whether so many were counted, in a period or the one before it."""
        if period == self.period:
            return self.now >= limit or self.before >= limit  # their mean reaches nothing that neither does
        return period == self.period + 1 and self.now >= limit


class SourceTree:
    """Counts the requests of each address, given as its 4 or 16 bytes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._opens = max(1, limits.requests // SHARE)
        self._nodes: OrderedDict[bytes, _Node] = OrderedDict()
        """By the first bytes of addresses, and how long these are; what counted last comes last, and parents behind."""

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self._nodes)

    def count(self, address: bytes, now: float) -> Verdict:
        """Count a request."""
        limits, nodes = self._limits, self._nodes
        period = int(now / limits.period)
        size = len(address)
        begin = bytes((size,))
        path: list[bytes] = []
        node: _Node | None = None
        for length in range(1, size + 1):
            key = begin + address[:length]
            found = nodes.get(key)
            if found is None:
                break
            node = found
            path.append(key)
        is_whole = len(path) == size
        if node is None or (not is_whole and node.reached(self._opens, period)):
            path.append(begin + address[: len(path) + 1])
            node = nodes[path[-1]] = _Node(period, now)
        else:
            node.count(period)
        for key in reversed(path):
            nodes.move_to_end(key)
            nodes[key].touched = now
        while len(nodes) > limits.most:
            nodes.popitem(last=False)
        return self._judged(node, period) if len(path) == size else Verdict.ALLOWED

    def _judged(self, node: _Node, period: int) -> Verdict:
        was_blocked, node.is_blocked = node.is_blocked, node.reached(self._limits.requests, period)
        if not node.is_blocked:
            return Verdict.ALLOWED
        return Verdict.BLOCKED if was_blocked else Verdict.BLOCKED_NOW

    def forget(self, now: float, at_most: int) -> None:
        """Forget nodes that counted nothing for long; so many at most."""
        oldest = now - self._limits.patience
        for _ in range(at_most):
            key = next(iter(self._nodes), None)
            if key is None or self._nodes[key].touched > oldest:
                return
            del self._nodes[key]

    def blocked(self, now: float) -> Iterator[bytes]:
        """The addresses that have reached the limit."""
        period = int(now / self._limits.period)
        for key, node in self._nodes.items():
            if len(key) == key[0] + 1 and node.reached(self._limits.requests, period):
                yield key[1:]
