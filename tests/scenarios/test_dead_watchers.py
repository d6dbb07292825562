"""Watchers that never answer a NOTIFY, or refuse each one: 481, 500, 401.

They end as RFC 6665 says and cost little; nobody else notices them.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import NamedTuple

import pytest

from bench.generator import Generator, Step
from bench.messages import Presentity, Sender, Watcher
from bench.meter import Meter
from tests.scenarios.conftest import Launch
from tests.scenarios.database import rows, subscriptions
from tests.scenarios.process import ServerProcess
from tests.scenarios.scripts import QUICK, presence, presence_script
from tests.scenarios.wire import Phone, SipMessage, pidf

pytestmark = pytest.mark.scenario

SILENT = 0
REFUSALS = 3
EACH = 5
"""Subscriptions of each kind of dead watcher."""

MANY = 10_000
PRESENTITIES = 100
SLOWER = 'modparam("tm", "T1_timer", 200)\nmodparam("tm", "T2_timer", 1600)'
"""Timers that make a NOTIFY without an answer fail after 12.8 s."""
COST = 50.0  # MiB


class Told(NamedTuple):
    """One NOTIFY that came, and when."""

    time: float
    message: SipMessage


class Dead(Phone):
    """A phone that answers each NOTIFY by the same status, or not at all, and keeps them by dialog."""

    def __init__(self, server: tuple[str, int], status: int) -> None:
        super().__init__(server, f"dead{status}")
        self.status = status
        self.received: dict[str, list[Told]] = {}

    def subscribe_often(self, uri: str) -> None:
        for _ in range(EACH):
            dialog, reply = self.subscribe(uri)
            assert reply.status == 200
            self.received[dialog.call_id] = []

    def turn(self) -> None:
        """Take what has come."""
        while (message := self.receive(0)) is not None:
            self.waiting.append(message)
        messages, self.waiting = self.waiting, []
        for message in messages:
            self.received[message.get("Call-ID")].append(Told(time.monotonic(), message))
            if self.status:
                self.answer(message, self.status, "No")


def await_all(deads: list[Dead], true: Callable[[], bool], patience: float) -> bool:
    """Let the dead do what they do until something is true."""
    deadline = time.monotonic() + patience
    while not true():
        if time.monotonic() > deadline:
            return False
        for dead in deads:
            dead.turn()
        time.sleep(0.01)
    return True


def distinct(told: list[Told]) -> list[Told]:
    """NOTIFYs without their retransmissions."""
    first = {item.message.branch: item for item in reversed(told)}
    return sorted(first.values())


def test_the_dead_end_and_the_living_are_told_at_once(launch: Launch) -> None:
    server = launch(presence_script(QUICK, presence(max_notify_refusals=REFUSALS)))
    uri = "sip:star@example.org"
    with ExitStack() as stack:
        phone, living = (stack.enter_context(Phone(server.address)) for _ in range(2))
        deads = [stack.enter_context(Dead(server.address, status)) for status in (SILENT, 481, 500, 401)]
        silent, gone, broken, challenging = deads
        dialog, _ = living.watch(uri)
        for dead in deads:
            dead.subscribe_often(uri)
        etag = ""
        for number in range(5):
            since = time.monotonic()
            etag = phone.publish(uri, pidf(uri, note=f"n{number}"), etag=etag).get("SIP-ETag")
            living.told(dialog, f">n{number}<".encode())
            assert time.monotonic() - since < 1
            for dead in deads:
                dead.turn()

        assert await_all(deads, lambda: len(subscriptions(server, uri)) == 1, 20)
        assert server.statistics()["presence:subscriptions"] == 1
        assert all(len(distinct(told)) == 1 for told in (*silent.received.values(), *gone.received.values()))
        for told in (*broken.received.values(), *challenging.received.values()):
            notifies = distinct(told)
            assert len(notifies) == REFUSALS
            assert b">n4<" in notifies[-1].message.body  # the newest, and none of those between
            assert [item.message.cseq for item in notifies] == [1, 2, 3]
            assert notifies[1].time - notifies[0].time > 0.8
            assert notifies[2].time - notifies[1].time > 1.8

        phone.publish(uri, pidf(uri, note="last"), etag=etag)
        living.told(dialog, b">last<")
        assert all(dead.nothing_more(0.1) for dead in deads)


@pytest.mark.timeout(150)
def test_10_000_silent_watchers_cost_less_than_50_mib(launch: Launch) -> None:
    server = launch(presence_script(SLOWER))
    living = _memory(server, answering=True)
    server.stop()
    for file in server.script.parent.glob("*.sqlite*"):
        file.unlink()
    server.start()
    dead = _memory(server, answering=False)
    print(f"{MANY} watchers: {living:.1f} MiB where they live, {dead:.1f} MiB at most where they are silent")
    assert dead - living < COST


def _memory(server: ServerProcess, *, answering: bool) -> float:
    """The most memory in MiB that many watchers take; those that do not answer are gone afterwards."""
    meter = Meter(server.pid)
    with (
        closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as nobody,
        Generator(server.address) as load,
    ):
        nobody.bind(("127.0.0.1", 0))
        address: tuple[str, int] = load.address if answering else nobody.getsockname()
        sender = Sender(*address, "crowd")
        before = meter.memory()
        tally = load.play(_crowd(sender), 32, 60)
        assert tally.succeeded == MANY, (tally.refused, tally.lost)
        most = meter.memory()
        if answering:
            assert load.await_notifies(MANY, 20) == 0
            return max(most, meter.memory()) - before
        with Phone(server.address) as phone:
            dialog, _ = phone.watch("sip:user0@bench.test")
            since = time.monotonic()
            phone.publish("sip:user0@bench.test", pidf("sip:user0@bench.test", note="now"))
            phone.told(dialog, b">now<")
            assert time.monotonic() - since < 1
            deadline = time.monotonic() + 60
            while rows(server, "SELECT count(*) FROM active_watchers") != [(1,)]:
                assert time.monotonic() < deadline, "the silent watchers stay"
                most = max(most, meter.memory())
                time.sleep(0.5)
        assert server.statistics()["presence:subscriptions"] == 1
        return most - before


def _crowd(sender: Sender) -> Iterator[Step]:
    for number in range(MANY):
        watcher = Watcher(sender, f"watcher{number}", Presentity(sender, f"user{number % PRESENTITIES}"))
        branch = sender.branch()
        yield Step(branch, watcher.subscribe(branch))
