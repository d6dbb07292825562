"""Messages on their way to where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from openpy.engine.log import Log
from openpy.engine.module import Count
from openpy.engine.services import Services
from openpy.modules.siptrace.captured import Captured
from openpy.modules.siptrace.outbox import PART, PAUSE, Outbox
from openpy.transaction.wheel import Wheel


class Place:
    """Takes `room` messages at a time."""

    def __init__(self, room: int = 10**6, capacity: int = 10**6) -> None:
        self.room = room
        self.taken: list[int] = []
        self.wheel = Wheel(0.0)
        self.lines: list[str] = []
        self.dropped = Count()
        self.log = Log(4, lambda level, line: self.lines.append(line))
        self.next: list[Callable[[], None]] = []
        self.outbox = Outbox("it", self.take, cast(Services, self), self.dropped, capacity)

    def soon(self, callback: Callable[[], None]) -> None:
        self.next.append(callback)

    def take(self, messages: Sequence[Captured]) -> int:
        taken = min(self.room, len(messages))
        self.taken += [captured.time for captured in messages[:taken]]
        return taken

    def put(self, numbers: range) -> None:
        for number in numbers:
            self.outbox.put(Captured(b"", "", "", "", number, (), ""))

    def pause(self) -> None:
        self.wheel.advance(self.wheel.now + PAUSE + 0.11)


def test_they_gather_and_keep_their_order() -> None:
    place = Place()
    place.put(range(3))
    assert place.taken == []
    place.pause()
    assert (place.taken, len(place.outbox), place.wheel.next_due()) == ([0, 1, 2], 0, None)
    place.put(range(3, 5))
    place.pause()
    assert place.taken == [0, 1, 2, 3, 4]


def test_many_go_in_parts() -> None:
    place = Place()
    place.put(range(2 * PART + 1))
    place.pause()
    assert (len(place.taken), place.wheel.next_due()) == (PART, None)
    place.next.pop()()
    assert len(place.taken) == 2 * PART
    place.next.pop()()
    assert place.taken == list(range(2 * PART + 1))


def test_what_cannot_be_taken_is_offered_again() -> None:
    place = Place(room=0)
    place.put(range(3))
    place.pause()
    place.pause()
    assert place.taken == []
    place.room = 2
    place.pause()
    place.pause()
    assert place.taken == [0, 1, 2]


def test_too_many_are_dropped_and_told_once() -> None:
    place = Place(room=0, capacity=3)
    place.put(range(5))
    assert (place.dropped.value, len(place.outbox), len(place.lines)) == (2, 3, 1)
    assert "it cannot keep up" in place.lines[0]
    place.room = 5
    place.pause()
    place.room = 0
    place.put(range(5, 10))
    assert (place.taken, place.dropped.value, len(place.lines)) == ([0, 1, 2], 4, 2)


def test_everything_at_the_end() -> None:
    place = Place()
    place.put(range(3 * PART))
    place.outbox.hand_over()
    assert (len(place.taken), place.dropped.value) == (3 * PART, 0)
    place.room = 0
    place.put(range(4))
    place.outbox.hand_over()
    assert (len(place.outbox), place.dropped.value) == (0, 4)
