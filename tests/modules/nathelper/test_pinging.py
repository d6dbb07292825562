from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest

from openpy.engine.services import Services
from openpy.modules.nathelper.pinging import SLICE, SLOTS, STEP, Pinger
from openpy.modules.usrloc.api import Contact
from openpy.transaction.wheel import Wheel
from tests.modules.presence.kit import Clock
from tests.modules.usrloc.kit import MEMORY, NOW, Home


class World:
    """Contacts in memory, and a pinger of them in virtual time."""

    def __init__(self, count: int, interval: int) -> None:
        self.home = Home(MEMORY)
        self.clock: Clock = self.home.clock
        self.wheel: Wheel = self.home.wheel
        self.pinged: list[tuple[float, int]] = []
        self.turns = 0
        for _ in range(count):
            self.add()
        self.pinger = Pinger(self.home.services, self.home.domain, self._ping)
        self.interval = interval
        self.pinger.use(interval)

    def add(self) -> Contact:
        contact = self.home.new(expires=NOW + 10**6)
        self.home.change(contact, aor=f"user{contact.id}")
        return contact

    def _ping(self, contact: Contact) -> None:
        self.pinged.append((self.clock.time, contact.id))

    def run(self, seconds: float, step: float = 0.1) -> list[int]:
        """Let time pass; whom was pinged."""
        before = len(self.pinged)
        for _ in range(round(seconds / step)):
            self.clock.time += step
            self.wheel.advance(self.clock.time)
            self.turns = 0
            while self.home.laters:
                self.turns += 1
                self.home.laters.pop(0)()
        return [id_ for _, id_ in self.pinged[before:]]


@pytest.mark.parametrize("interval", [1, 5, 30, 60])
@pytest.mark.parametrize("step", [0.1, 0.17])
def test_each_once_an_interval(interval: int, step: float) -> None:
    world = World(1000, interval)
    world.run(interval, step)
    world.pinged.clear()
    world.run(10 * interval, step)
    for id_ in (1, 500, 1000):
        times = [time for time, pinged in world.pinged if pinged == id_]
        assert 9 <= len(times) <= 11
        gaps = [after - before for before, after in pairwise(times)]
        assert all(abs(gap - interval) <= 1.0 for gap in gaps)
    assert 9900 <= len(world.pinged) <= 10100


def test_they_are_spread_over_the_interval() -> None:
    world = World(6000, 30)
    world.run(30)
    seconds = [0] * 31
    for time, _ in world.pinged:
        seconds[int(time - world.pinged[0][0])] += 1
    assert max(seconds) <= 250  # 200 a second
    steps: dict[float, int] = {}
    for time, _ in world.pinged:
        steps[time] = steps.get(time, 0) + 1
    assert max(steps.values()) <= 50  # 20 a step


def test_a_new_one_is_pinged_within_an_interval() -> None:
    world = World(10, 20)
    world.run(7)
    new = [world.add().id for _ in range(SLOTS)]
    assert set(new) <= set(world.run(21))


def test_who_has_gone_is_not_pinged() -> None:
    world = World(5, 5)
    world.run(6)
    world.home.change(aor="user3")
    assert set(world.run(11)) == {1, 2, 4, 5}


def test_a_pause() -> None:
    world = World(50, 5)
    world.pinger.is_on = False
    assert world.run(20) == []
    world.pinger.is_on = True
    assert len(world.run(5.5)) >= 50


def test_another_interval_and_none() -> None:
    world = World(100, 30)
    world.pinger.use(5)
    assert 95 <= len(world.run(5)) <= 110
    world.pinger.use(0)
    assert world.run(30) == []


def test_a_server_that_stood_still_catches_up_slowly() -> None:
    world = World(3200, 32)
    world.run(32)
    world.clock.time += 16
    world.wheel.advance(world.clock.time)
    per_step = [len(world.run(STEP)) for _ in range(30)]
    assert max(per_step) <= 220  # not the 1600 that are due
    assert sum(per_step) >= 1600


def test_intervals_that_a_server_stood_still_are_not_made_up_for() -> None:
    world = World(320, 32)
    world.run(32)
    world.clock.time += 320
    world.wheel.advance(world.clock.time)
    assert 320 <= len(world.run(32)) <= 2 * 320


def test_messages_are_read_after_each_slice() -> None:
    world = World(32 * 1000, 10)
    world.run(11)
    (before, _) = len(world.pinged), world.run(STEP)
    assert len(world.pinged) - before > 2 * SLICE
    assert world.turns >= 2


def test_what_is_due_while_it_is_at_work_is_not_done_twice() -> None:
    world = World(3200, 10)
    world.run(10)
    world.pinged.clear()
    for _ in range(90):
        world.clock.time += STEP
        world.wheel.advance(world.clock.time)  # the loop has no time for more
    while world.home.laters:
        world.home.laters.pop(0)()
    assert len({id_ for _, id_ in world.pinged}) == len(world.pinged)


def test_a_ping_that_fails_ends_nothing() -> None:
    world = World(3200, 10)
    failures = iter([True])

    def ping(contact: Contact) -> None:
        if next(failures, False):
            raise ZeroDivisionError
        world._ping(contact)

    world.wheel.on_error = lambda error: None
    world.pinger._ping = ping
    assert len(world.run(11)) > 3000
    assert len(world.run(10)) >= 3190


def test_what_comes_late_is_pinged_when_it_comes() -> None:
    """Contacts of a database are given once they are read."""
    given: list[Any] = []
    clock = Clock()
    wheel = Wheel(clock.monotonic())
    services = cast(Services, SimpleNamespace(clock=clock, wheel=wheel))
    contacts = SimpleNamespace(portion=lambda number, of, take: given.append((number, of, take)))
    pinged: list[Contact] = []
    pinger = Pinger(services, contacts, pinged.append)
    pinger.use(32)

    def step() -> None:
        clock.time += STEP
        wheel.advance(clock.time)

    step()
    ((number, of, take),) = given
    assert (number, of) == (1, SLOTS)
    assert pinged == []
    take(iter(Home(MEMORY).new() for _ in range(20)), 20)
    for _ in range(12):
        step()
    assert len(pinged) == 20
    assert [number for number, _, _ in given] == [1, 2]
    pinger.stop()
    for _ in range(20):
        step()
    assert len(given) == 2
