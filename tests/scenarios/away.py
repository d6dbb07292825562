"""How a server answers while its database takes no writes, and once it takes them again."""

from __future__ import annotations

import time

from tests.scenarios.wire import Phone, SipMessage, Subscription, pidf

PROMPT = 1.0
"""Seconds in which a request is refused: two locks of 0.2, and what a busy machine adds."""

BACK = 2.0
"""Seconds after which service is back."""


def refused(reply: SipMessage, since: float) -> None:
    """It was answered 503 in time, with the time to try again."""
    assert reply.status == 503, reply.start
    assert 1 <= int(reply.get("Retry-After")) <= 5
    assert time.monotonic() - since < PROMPT


def until_accepted(phone: Phone, uri: str, body: bytes, etag: str = "", patience: float = BACK) -> SipMessage:
    """Publish until it is not refused with 503 any more: rows whose fate is unknown are written again first."""
    deadline = time.monotonic() + patience
    while (reply := phone.publish(uri, body, etag=etag)).status == 503:
        assert time.monotonic() < deadline, "service is not back"
        time.sleep(0.05)
    return reply


def all_refused(phone: Phone, watcher: Phone, uri: str, etag: str, dialog: Subscription) -> None:
    """Everything that needs a write is refused in time."""
    since = time.monotonic()
    refused(phone.publish(uri, pidf(uri, note="new")), since)
    since = time.monotonic()
    refused(phone.publish(uri, pidf(uri, note="changed"), etag=etag), since)
    since = time.monotonic()
    refused(phone.publish(uri, etag=etag, expires=0), since)
    since = time.monotonic()
    refused(watcher.subscribe(uri)[1], since)
    since = time.monotonic()
    refused(watcher.subscribe(uri, dialog=dialog, expires=0)[1], since)
