"""What connections hold for one direction: how much, and since when.

Rules:
1. Whoever began first is first, and is the first to go.
2. The sum over all holders is bounded: `put` names those who must go until it fits again.
3. Time is passed in, in seconds of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Holder = TypeVar("Holder", bound=Hashable)


class Held(Generic[Holder]):
    """The octets that wait, by holder. `room` is the most of them together."""

    def __init__(self, room: int) -> None:
        self.octets = 0
        self._room = room
        self._entries: dict[Holder, tuple[float, int]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, holder: Holder, octets: int, now: float, *, begins: bool = False) -> list[Holder]:
        """A holder has so many now; with `begins` they are not those that it had before.

        Returns who has to let go: taken out here already.
        """
        since, before = self._entries.get(holder, (now, 0))
        if begins or not octets:
            self._entries.pop(holder, None)
            since = now
        if octets:
            self._entries[holder] = (since, octets)
        self.octets += octets - before
        excess: list[Holder] = []
        while self.octets > self._room:
            first = next(iter(self._entries))
            self.drop(first)
            excess.append(first)
        return excess

    def drop(self, holder: Holder) -> None:
        """A holder has nothing any more."""
        _, octets = self._entries.pop(holder, (0.0, 0))
        self.octets -= octets

    def since_before(self, moment: float) -> list[Holder]:
        """Who has held something since before a moment."""
        found: list[Holder] = []
        for holder, (since, _) in self._entries.items():
            if since >= moment:
                break
            found.append(holder)
        return found
