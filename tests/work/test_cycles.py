"""What the server does for a message leaves no cycles: without the garbage collector it would not grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench import steps as requests
from bench.generator import Step
from bench.messages import Presentity, Watcher
from tests.work.garbage import left_by
from tests.work.house import AFTERMATH, NO_RULES, RULES, House

MANY = 20


@pytest.fixture(params=[NO_RULES, RULES], ids=["everybody", "rules"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, request.param)
    yield made
    made.close()


def users(house: House, what: str) -> list[Presentity]:
    return [Presentity(house.sender, f"{what}{number}") for number in range(MANY)]


def watchers(users: list[Presentity]) -> list[Watcher]:
    return [Watcher(user.sender, f"w-{user.name}", user) for user in users]


def publications(house: House) -> None:
    """Their whole lives."""
    for user in users(house, "p"):
        house.play([requests.publish(user)])
        house.play([requests.refresh(user)])
        house.play([requests.publish(user)])
        house.play([requests.remove(user)])


def subscriptions(house: House) -> None:
    """Their whole lives, beside a publication and without one."""
    some = users(house, "s")
    for user in some[::2]:
        house.play([requests.publish(user)])
    for watcher in watchers(some):
        house.play([requests.subscribe(watcher)])
        house.play([requests.subscribe(watcher)])
        house.play([requests.publish(watcher.presentity)])
        house.play([requests.unsubscribe(watcher)])


def fetches(house: House) -> None:
    house.play([requests.unsubscribe(watcher) for watcher in watchers(users(house, "f"))])


def expiry(house: House) -> None:
    """Nobody refreshes anything."""
    some = users(house, "e")
    house.play([requests.publish(user, 10) for user in some[::2]])
    house.play([requests.subscribe(watcher, 10) for watcher in watchers(some)])
    house.pass_time(15)


def silence(house: House) -> None:
    """Watchers who do not answer NOTIFYs."""
    house.silent = True
    house.play([requests.subscribe(watcher) for watcher in watchers(users(house, "x"))])
    house.pass_time(AFTERMATH)
    house.silent = False


def refusals(house: House) -> None:
    """Requests that are refused, for what they say or for what they mean, and what is no request."""
    for user in users(house, "r"):
        user.entity_tag = "unknown"
        house.hear([requests.refresh(user)])
        watcher = Watcher(user.sender, "w", user, to_tag="unknown")
        house.hear([requests.subscribe(watcher)])
        step = requests.publish(user)
        house.hear([step._replace(datagram=step.datagram.replace(b"Event: presence", b"Event: nothing"))])
        house.hear([step._replace(datagram=step.datagram.replace(b"CSeq: ", b"CSeq: x"))])
        house.hear([Step("", b"what is this?\r\n\r\n")])


def statelessly(house: House) -> None:
    house.play([requests.options(house.sender, number) for number in range(MANY)])


LIVES = [publications, subscriptions, fetches, expiry, silence, refusals, statelessly]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: str(life.__name__))
def test_nothing_is_left_to_the_garbage_collector(house: House, life: Callable[[House], None]) -> None:
    life(house)  # what is made once, and kept
    house.pass_time(AFTERMATH)

    def again() -> None:
        life(house)
        house.pass_time(AFTERMATH)

    assert not left_by(again)


def test_a_cycle_would_be_seen() -> None:
    def knot() -> None:
        tied: list[object] = []
        tied.append(tied)

    assert left_by(knot) == {"list": 1}
