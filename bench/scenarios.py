"""What is measured. A scenario drives one fresh server and gives a row per phase.

The requests of a phase are made while it runs, from what the server answered before.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain, count, repeat
from typing import TypeVar

from bench.generator import Generator, Step, Tally
from bench.measurement import Row, measure
from bench.messages import Call, Phone, Presentity, Sender, Watcher
from bench.meter import Meter
from bench.steps import call, hang_up, options, publish, refresh, register, subscribe

User = TypeVar("User")

NOTIFY_PATIENCE = 5.0  # seconds that a missing NOTIFY is waited for


@dataclass(frozen=True, slots=True)
class Conditions:
    """How hard and how long to drive the server."""

    window: int = 64  # requests in flight
    seconds: float = 1.0  # longest time of a phase
    users: int = 10_000  # presentities, and watchers, of `presence`
    rounds: int = 1  # how often each user refreshes, modifies, subscribes again, if the time allows it
    audiences: tuple[int, ...] = (10, 100, 1000)  # watchers of the one presentity of `fanout`


@dataclass(frozen=True, slots=True)
class Stand:
    """A server to be measured and the socket to drive it with."""

    generator: Generator
    meter: Meter
    conditions: Conditions
    around: Callable[[str], AbstractContextManager[None]] = lambda _: (
        nullcontext()
    )  # what holds a measured phase

    def measure(self, scenario: str, operation: str, phase: Callable[[], Tally]) -> Row:
        """Run a phase; `succeeded` of its tally counts operations."""
        with self.around(scenario):
            return measure(self.meter, scenario, operation, phase)

    def play(self, steps: Iterator[Step]) -> Tally:
        """Run steps under the conditions."""
        return self.generator.play(steps, self.conditions.window, self.conditions.seconds)

    def sender(self) -> Sender:
        """A sender with names that nobody used before."""
        return Sender(*self.generator.address, f"{time.time_ns() & 0xFFFFFFFFFF:x}")


def measure_options(stand: Stand) -> Iterator[Row]:
    """OPTIONS that the script answers without state: receiving, routing and sending alone."""
    sender = stand.sender()

    def steps(numbers: Iterator[int]) -> Iterator[Step]:
        return (options(sender, number) for number in numbers)

    stand.play(steps(iter(range(500))))  # warm up
    yield stand.measure("options", "OPTIONS", lambda: stand.play(steps(count())))


def measure_presence(stand: Stand) -> Iterator[Row]:
    """Many presentities, one publication each; then one watcher each."""
    sender = stand.sender()
    presentities = [Presentity(sender, f"user{number}") for number in range(stand.conditions.users)]
    watchers = [Watcher(sender, f"watcher{number}", user) for number, user in enumerate(presentities)]

    def play(step: Callable[[Presentity], Step], users: Iterator[Presentity]) -> Callable[[], Tally]:
        return lambda: stand.play(map(step, users))

    rounds = stand.conditions.rounds
    yield stand.measure("publish-initial", "PUBLISH", play(publish, iter(presentities)))
    presentities = [user for user in presentities if user.entity_tag]
    yield stand.measure("publish-refresh", "PUBLISH", play(refresh, _repeat(presentities, rounds)))
    yield stand.measure("publish-modify", "PUBLISH", play(publish, _repeat(presentities, rounds)))
    operation = "SUBSCRIBE + NOTIFY"
    watchers = watchers[: len(presentities)]
    yield stand.measure("subscribe", operation, lambda: _subscribe(stand, iter(watchers)))
    watchers = [watcher for watcher in watchers if watcher.to_tag]
    again = _repeat(watchers, rounds)
    yield stand.measure("resubscribe", operation, lambda: _subscribe(stand, again))


def measure_register(stand: Stand) -> Iterator[Row]:
    """Many users with one phone each, which registers its contact and then refreshes it."""
    sender = stand.sender()
    phones = [Phone(sender, f"phone{number}") for number in range(stand.conditions.users)]
    yield stand.measure("register-save", "REGISTER", lambda: stand.play(map(register, iter(phones))))
    phones = [phone for phone in phones if phone.is_registered]
    again = _repeat(phones, stand.conditions.rounds)
    yield stand.measure("register-refresh", "REGISTER", lambda: stand.play(map(register, again)))


def measure_invite(stand: Stand) -> Iterator[Row]:
    """Calls that the server relays, with its route recorded: 12 messages each, from INVITE to the 200 of BYE."""
    sender = stand.sender()
    yield stand.measure("invite-relay", "call", lambda: _call(stand, sender))


def _call(stand: Stand, sender: Sender) -> Tally:
    """Calls one after the other, each hung up as soon as it is established; the tally counts whole calls.

    A latency is that of INVITE or of BYE.
    """
    established: deque[Call] = deque()

    def steps() -> Iterator[Step]:
        for number in count():
            if established:
                yield hang_up(established.popleft())
            else:
                yield call(Call(sender, f"caller{number}"), established.append)

    tally = stand.play(steps())
    last = stand.generator.play(map(hang_up, list(established)), stand.conditions.window, 5)
    tally.succeeded = (tally.succeeded + last.succeeded) // 2
    tally.refused.update(last.refused)
    tally.lost += last.lost
    tally.retransmissions += last.retransmissions
    tally.latencies += last.latencies
    tally.elapsed += last.elapsed
    return tally


def measure_fanout(stand: Stand) -> Iterator[Row]:
    """One presentity with many watchers: every change is told to each of them."""
    for audience in stand.conditions.audiences:
        yield _measure_audience(stand, audience)


def _measure_audience(stand: Stand, audience: int) -> Row:
    sender = stand.sender()
    presentity = Presentity(sender, f"star{audience}")
    watchers = [Watcher(sender, f"fan{audience}-{number}", presentity) for number in range(audience)]
    prepared = stand.generator.play(iter([publish(presentity)]), 1, 5)
    if not prepared.errors:
        prepared = _subscribe(stand, iter(watchers), seconds=60)

    def tell() -> Tally:
        return prepared if prepared.errors else _tell(stand, presentity, audience)

    return stand.measure(f"fan-out-{audience}", "NOTIFY", tell)


def _repeat(users: list[User], rounds: int) -> Iterator[User]:
    return chain.from_iterable(repeat(users, rounds))


def _subscribe(stand: Stand, watchers: Iterator[Watcher], seconds: float = 0.0) -> Tally:
    """SUBSCRIBE for each watcher, until every NOTIFY came."""
    told = stand.generator.notifies
    tally = stand.generator.play(
        map(subscribe, watchers), stand.conditions.window, seconds or stand.conditions.seconds
    )
    tally.lost += stand.generator.await_notifies(told + tally.succeeded, NOTIFY_PATIENCE)
    return tally


def _tell(stand: Stand, presentity: Presentity, audience: int) -> Tally:
    """One change after the other, each when the NOTIFYs of the one before are all there.

    The tally counts NOTIFYs; a latency is from sending PUBLISH to the last NOTIFY.
    """
    generator, total = stand.generator, Tally()
    began = time.perf_counter()
    while time.perf_counter() < began + stand.conditions.seconds:
        told, sent = generator.notifies, time.perf_counter()
        tally = generator.play(iter([publish(presentity)]), 1, 5)
        missing = generator.await_notifies(told + audience, NOTIFY_PATIENCE) if tally.succeeded else 0
        total.succeeded += generator.notifies - told
        total.lost += tally.lost + missing
        total.refused.update(tally.refused)
        total.retransmissions += tally.retransmissions
        total.latencies.append(generator.last_notify - sent)
        if tally.errors:
            break
    total.elapsed = time.perf_counter() - began
    return total


SCENARIOS: dict[str, Callable[[Stand], Iterator[Row]]] = {
    "options": measure_options,
    "presence": measure_presence,
    "fanout": measure_fanout,
    "register": measure_register,
    "invite": measure_invite,
}
