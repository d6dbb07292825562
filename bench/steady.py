"""What is measured at a steady rate: how long answers and NOTIFYs take, and what a second of everyday costs.

A closed loop says what a server can do; how long it keeps its users waiting is only seen when requests come as they
please. So the capacity is measured first, and then the latency at half of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle

from bench.generator import Step, Tally
from bench.measurement import Row
from bench.messages import Presentity, Watcher
from bench.scenarios import Stand
from bench.steps import publish, subscribe

AUDIENCE = 10
PUBLISHERS = 1000
WATCHED = 200

CROWD = 10_000  # subscriptions of `mixed` ...
CHANGES = 100.0  # ... and PUBLISHes a second

TOLD = re.compile(rb'entity="sip:([^@"]*)@.*<note>version (\d+)</note>', re.DOTALL)


def measure_latency(stand: Stand) -> Iterator[Row]:
    """PUBLISH at half of its capacity; then PUBLISH to the last of its 10 NOTIFYs, at half of the capacity for that."""
    sender, seconds = stand.sender(), stand.conditions.seconds
    publishers = [Presentity(sender, f"steady{number}") for number in range(PUBLISHERS)]
    _all(stand, map(publish, publishers))
    capacity = stand.play(map(publish, cycle(publishers)))
    rate = capacity.succeeded / capacity.elapsed / 2
    steps = map(publish, cycle(publishers))
    yield stand.measure("publish-at-half", "PUBLISH", lambda: stand.generator.pace(steps, rate, seconds))
    watched = [Presentity(sender, f"watched{number}") for number in range(WATCHED)]
    _all(stand, map(publish, watched))
    _watch(stand, watched, AUDIENCE * WATCHED)
    told = stand.generator.notifies
    began = time.perf_counter()
    capacity = stand.play(map(publish, cycle(watched)))
    stand.generator.await_notifies(told + AUDIENCE * capacity.succeeded, 1.0)
    rate = capacity.succeeded / (stand.generator.last_notify - began) / 2
    tellers = _Tellers(stand)
    yield stand.measure("notified-at-half", "PUBLISH", lambda: tellers.tell(watched, rate))


def measure_mixed(stand: Stand) -> Iterator[Row]:
    """10,000 subscriptions, and 100 changes a second, each told to one watcher. The cost is that of a change."""
    sender = stand.sender()
    watched = [Presentity(sender, f"crowd{number}") for number in range(CROWD)]
    _all(stand, map(publish, watched))
    _watch(stand, watched, CROWD)

    def change() -> Tally:
        generator, told = stand.generator, stand.generator.notifies
        tally = generator.pace(map(publish, cycle(watched)), CHANGES, stand.conditions.seconds)
        tally.lost += generator.await_notifies(told + tally.succeeded, 5.0)
        return tally

    yield stand.measure("mixed", "PUBLISH + NOTIFY", change)


class _Tellers:
    """Changes that are told to watchers: how long until the last one knows."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._sent: dict[tuple[bytes, bytes], tuple[float, int]] = {}
        self._latencies: list[float] = []

    def tell(self, watched: list[Presentity], rate: float) -> Tally:
        """Change one after the other; a latency is from the time at which a PUBLISH was due to its last NOTIFY."""
        generator = self._stand.generator
        generator.on_notify = self._told
        steps = self._steps(cycle(watched), rate)
        told = generator.notifies
        tally = generator.pace(steps, rate, self._stand.conditions.seconds)
        tally.lost += generator.await_notifies(told + AUDIENCE * tally.succeeded, 5.0)
        return replace(tally, latencies=self._latencies)

    def _steps(self, users: Iterator[Presentity], rate: float) -> Iterator[Step]:
        began = time.perf_counter()
        for number, user in enumerate(users):
            step = publish(user)
            self._sent[user.name.encode(), b"%d" % user.cseq] = began + number / rate, AUDIENCE
            yield step

    def _told(self, notify: bytes) -> None:
        found = TOLD.search(notify)
        if found is None:
            return
        due, left = self._sent.pop((found[1], found[2]), (0.0, 0))
        if left == 1:
            self._latencies.append(time.perf_counter() - due)
        elif left:
            self._sent[found[1], found[2]] = due, left - 1


def _all(stand: Stand, steps: Iterator[Step]) -> None:
    tally = stand.generator.play(steps, stand.conditions.window, 60.0)
    if tally.errors:
        raise RuntimeError(f"{tally.errors} requests of the preparation failed: {tally.refused}")


def _watch(stand: Stand, watched: list[Presentity], number: int) -> None:
    """So many watchers, spread over all."""
    users = zip(range(number), cycle(watched), strict=False)
    told = stand.generator.notifies
    _all(stand, (subscribe(Watcher(user.sender, f"w{place}", user)) for place, user in users))
    stand.generator.await_notifies(told + number, 5.0)


STEADY: dict[str, Callable[[Stand], Iterator[Row]]] = {"latency": measure_latency, "mixed": measure_mixed}
