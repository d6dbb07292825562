"""The places that connections take, and who gives way where all are taken.

Rules:
1. Of those that never sent a whole message the one that was silent longest gives way.
2. Where all have spoken it is the one that was silent longest of the address that has the most places, if these are
   more than the address of the new one has. So neither silent peers nor those of a few addresses keep others out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Placed(Protocol):
    """Who takes a place."""

    @property
    def host(self) -> str:
        """The address that the place counts for."""


T = TypeVar("T", bound=Placed)


class Places(Generic[T]):
    """Who has a place, by address."""

    def __init__(self) -> None:
        self.taken = 0
        self._by_host: dict[str, dict[T, None]] = {}
        """Who was silent longest comes first, here and below."""
        self._silent: dict[T, None] = {}
        """Those that never sent a whole message."""

    def __contains__(self, one: T) -> bool:
        return one in self._by_host.get(one.host, ())

    def __iter__(self) -> Iterator[T]:
        for line in self._by_host.values():
            yield from line

    def of(self, host: str) -> int:
        """How many places an address has."""
        return len(self._by_host.get(host, ()))

    def take(self, one: T) -> None:
        """One more."""
        self._by_host.setdefault(one.host, {})[one] = None
        self.taken += 1

    def begins_silent(self, one: T) -> None:
        """It has said nothing yet."""
        self._silent[one] = None

    def heard(self, one: T, messages: int) -> None:
        """So many messages came of one, or only a keep-alive."""
        line = self._by_host.get(one.host)
        if line is None or one not in line:
            return
        del line[one]
        line[one] = None
        if self._silent and one in self._silent:
            del self._silent[one]
            if not messages:
                self._silent[one] = None

    def leave(self, one: T) -> None:
        """Its place is free, if it has one."""
        self._silent.pop(one, None)
        line = self._by_host.get(one.host)
        if line is not None and one in line:
            del line[one]
            self.taken -= 1
            if not line:
                del self._by_host[one.host]

    def who_gives_way(self, host: str) -> T | None:
        """Who goes for a new one of an address; None: nobody has to."""
        line = self._silent
        if not line:
            line = max(self._by_host.values(), key=len, default=line)
            if len(line) <= max(self.of(host), 1):
                return None
        return next(iter(line))
