"""Whole lives of the same users, again and again: everything that a server is told of is also ended.

So what it keeps is the same after each round, and whatever grows is a leak.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from bench.generator import Step
from bench.messages import Presentity, Sender, Watcher, options

CROWD = 200
"""Presentities that live at a time; more than a window, so that a step finds what the one before was answered."""

ENDED = 0  # seconds


def lives(address: tuple[str, int]) -> Iterator[Step]:
    """The requests of one round after the other, without end, from the socket with this address."""
    for number in count():
        yield from _round(Sender(*address, f"round{number}"))


def _round(sender: Sender) -> Iterator[Step]:
    presentities = [Presentity(sender, f"life{one}") for one in range(CROWD)]
    watchers = [Watcher(sender, f"{each.name}-watcher", each) for each in presentities]
    yield from _publish(presentities, document=True)
    yield from _subscribe(watchers)
    yield from _publish(presentities, document=True)
    yield from _publish(presentities, document=False)
    yield from _subscribe(watchers)
    for one in range(CROWD):
        branch = sender.branch()
        yield Step(branch, options(sender, branch, one))
    yield from _subscribe(watchers, ENDED)
    yield from _publish(presentities, document=False, expires=ENDED)


def _publish(presentities: list[Presentity], *, document: bool, expires: int = 3600) -> Iterator[Step]:
    for presentity in presentities:
        branch = presentity.sender.branch()
        datagram = presentity.publish(branch, document=document, expires=expires)
        yield Step(branch, datagram, presentity.answered)


def _subscribe(watchers: list[Watcher], expires: int = 3600) -> Iterator[Step]:
    for watcher in watchers:
        branch = watcher.sender.branch()
        yield Step(branch, watcher.subscribe(branch, expires), watcher.answered)
