"""Whose turn it is: addresses take turns, and so do those who wait at one address.

So who comes with many connections, or asks much, waits behind himself.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Those who wait, by address."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[T]] = {}
        self._addresses: deque[str] = deque()

    def __bool__(self) -> bool:
        return bool(self._addresses)

    def put(self, address: str, waiting: T) -> None:
        """One more waits."""
        line = self._lines.get(address)
        if line is None:
            line = self._lines[address] = deque()
            self._addresses.append(address)
        line.append(waiting)

    def take(self) -> T:
        """The first of the address whose turn it is; IndexError if nobody waits."""
        address = self._addresses.popleft()
        line = self._lines[address]
        first = line.popleft()
        if line:
            self._addresses.append(address)
        else:
            del self._lines[address]
        return first
