"""A process that stood still for five seconds: what arrived meanwhile arrived in time."""

from __future__ import annotations

import signal
import time

import pytest

from tests.scenarios.conftest import Launch
from tests.scenarios.database import publications, subscriptions
from tests.scenarios.scripts import QUICK, presence_script
from tests.scenarios.wire import ALICE, Phone, SipMessage, parse, pidf

pytestmark = pytest.mark.scenario

WATCHERS = 100  # more than one burst of datagrams
STANDSTILL = 5.0  # seconds
REPETITIONS = 4  # of a request without an answer in that time (RFC 3261 Timer E)


def test_answers_that_wait_count_before_timers(launch: Launch) -> None:
    """Timer F (3.2 s) of a hundred NOTIFYs is over when the server goes on, and their answers wait."""
    server = launch(presence_script(QUICK))
    with Phone(server.address) as phone, Phone(server.address) as watcher:
        dialogs = {watcher.watch()[0].call_id for _ in range(WATCHERS)}
        phone.publish(body=pidf(note="before"))
        notifies = told(watcher, dialogs, b"before", answering=False)
        server.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        for notify in notifies.values():
            watcher.answer(notify)
        time.sleep(max(0.0, stopped + STANDSTILL - time.monotonic()))
        server.signal(signal.SIGCONT)
        phone.publish(body=pidf(tuple_id="phone", note="after"))
        told(watcher, dialogs, b"after", answering=True)
        assert len(subscriptions(server, ALICE)) == WATCHERS
        assert server.statistics().get("presence:notifies_failed", 0) == 0


def test_what_lasts_longer_than_a_standstill_is_refreshed_after_it(launch: Launch) -> None:
    """A hundred publications whose refreshes wait while the server stands still: each is answered with 200."""
    server = launch()
    with Phone(server.address) as phone:
        uris = [f"sip:user{number}@example.org" for number in range(WATCHERS)]
        etags = [phone.publish(uri, pidf(), expires=60).get("SIP-ETag") for uri in uris]
        server.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        refreshes = [phone.publication(uri, etag=etag) for uri, etag in zip(uris, etags, strict=True)]
        for _ in range(REPETITIONS):  # as a client does that is not answered
            for refresh in refreshes:
                phone.send(refresh)
        time.sleep(max(0.0, stopped + STANDSTILL - time.monotonic()))
        server.signal(signal.SIGCONT)
        assert {phone.final_reply(parse(refresh), 20).status for refresh in refreshes} == {200}
        assert {len(publications(server, uri)) for uri in uris} == {1}
        assert server.statistics().get("core:overload_refused", 0) == 0


def told(watcher: Phone, dialogs: set[str], text: bytes, *, answering: bool) -> dict[str, SipMessage]:
    """Wait until all dialogs (Call-IDs) have had a NOTIFY with this in it; the last of each."""
    found: dict[str, SipMessage] = {}
    deadline = time.monotonic() + 20
    while found.keys() != dialogs:
        assert time.monotonic() < deadline, f"{len(dialogs) - len(found)} watchers were not told"
        message = watcher.await_message(lambda m: m.method == "NOTIFY")
        if answering:
            watcher.answer(message)
        if text in message.body:
            found[message.get("Call-ID")] = message
    return found
